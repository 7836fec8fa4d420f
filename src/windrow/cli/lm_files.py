"""What commands of language models share: opening a file, standard input, sentence marks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windrow.cli.help import grouped_option
from windrow.errors import OptionError

if TYPE_CHECKING:
    from windrow.lm.base import LanguageModel

skip_symbols_option = grouped_option(
    "--skip-symbols", heading="Text", is_flag=True, help="Leave out <s> and </s> that stand in the text."
)


def check_one_stdin(model: str, *sources: str) -> None:
    """Raise OptionError where standard input would be the model and a text."""
    if model == "-" and "-" in sources:
        raise OptionError("standard input, '-', cannot be both MODEL and SOURCE; name a file for one of them")


def load_model(path: str) -> LanguageModel:
    """The language model in a file; FormatError if the file holds something else."""
    from windrow.lm.base import LanguageModel
    from windrow.models import load

    return load(path, expected=LanguageModel)

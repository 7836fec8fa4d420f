"""What commands of language models share: opening a file, standard input, sentence marks, unknown words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windrow.cli.help import grouped_option
from windrow.cli.messages import tell
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


def warn_of_unknown(model: LanguageModel, text: str, where: str = "") -> None:
    """Warn of the words of a text that a model does not know; ``where``: what the warning begins with."""
    from windrow.lm.generation import unknown_words

    if unknown := unknown_words(model, text):
        known = [word.lower() for word in unknown if word.lower() in model.vocabulary]
        meant = f"; did you mean {', '.join(known)}?" if known else ""
        tell(f"Warning: {where}not in the vocabulary, read as <unk>: {', '.join(unknown)}{meant}")

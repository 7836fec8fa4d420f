"""What commands of language models share: opening a file, standard input, sentence marks, unknown words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windrow.cli.help import grouped_option
from windrow.cli.messages import tell
from windrow.errors import DataError, OptionError

if TYPE_CHECKING:
    from windrow.lm.base import LanguageModel
    from windrow.lm.ngram.model import NGramLM

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


def load_ngrams(path: str, done: str) -> NGramLM:
    """The n-gram model in a file, or of a linear mixture of such; OptionError, with what is ``done`` to such, else."""
    from windrow.files.kinds import what_holds
    from windrow.lm.ngram.model import NGramLM
    from windrow.lm.static_mixture import StaticMixture

    model = load_model(path)
    if isinstance(model, StaticMixture) and not model.unlike_ngrams:
        return model.to_ngram()
    if not isinstance(model, NGramLM):
        raise OptionError(f"{path} holds {what_holds(model.kind)}; {done}")
    return model


def words_in(file: str, *, one_per_line: bool = False) -> list[str]:
    """The words of a file, one or more per line; DataError for a line with several where there is to be one."""
    from windrow.corpus.streams import Meter, lines, text_pieces

    found: list[str] = []
    for number, line in enumerate(lines(text_pieces(file, None, Meter(None, None)), file), 1):
        words = line.split()
        if one_per_line and len(words) > 1:  # such as counts, which would be words of the model
            raise DataError(f"{file}, line {number}: {line.strip()[:60]!r} is not one word; give one word per line")
        found += words
    return found

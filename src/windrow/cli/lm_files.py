"""How commands open a file of a language model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windrow.errors import OptionError

if TYPE_CHECKING:
    from windrow.lm.base import LanguageModel
    from windrow.lm.ngram.model import NGramLM


def load_model(path: str) -> LanguageModel:
    """The language model in a file; FormatError if the file holds something else."""
    from windrow.lm.base import LanguageModel
    from windrow.models import load

    return load(path, expected=LanguageModel)


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


def words_in(file: str) -> list[str]:
    """The words of a file, one or more per line."""
    from windrow.corpus.streams import Meter, lines, text_pieces

    return [word for line in lines(text_pieces(file, None, Meter(None, None)), file) for word in line.split()]

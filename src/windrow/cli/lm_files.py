"""How commands open a file of a language model, and what they say of words that it does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windrow.cli.messages import tell

if TYPE_CHECKING:
    from windrow.lm.base import LanguageModel


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

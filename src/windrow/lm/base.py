"""What every language model offers, whatever is inside; all log-probabilities are to base 10, as in ARPA files."""

from __future__ import annotations

import os
from abc import abstractmethod
from typing import Any, ClassVar, Self

from windrow.errors import FormatError
from windrow.files import model_file
from windrow.files.kinds import wrong_kind
from windrow.files.model_file import StoredModel
from windrow.lm.prediction import PredictsWords
from windrow.lm.scoring import WordScore
from windrow.lm.storing import check_name

__all__ = ["LANGUAGE_MODELS", "LanguageModel", "WordScore", "model_from_stored"]

# Every kind of language model by the name in its files; a class is entered when its module is imported.
LANGUAGE_MODELS: dict[str, type[LanguageModel]] = {}


class LanguageModel(PredictsWords):
    """A distribution over the next word, given the words before it in its sentence.

    A subclass provides ``vocabulary``, whose first words are ``<unk>``, ``<s>`` and ``</s>``, and the abstract methods.
    A *stream* is a sequence of ids, (symbols,) int32: sentences one after another, each ``<s>`` w1 .. wm ``</s>``. At
    ``<s>`` all before it is forgotten, unless the model ``carries_over``. Before the first word of a stream without
    ``<s>`` nothing is known, not even that a sentence begins.

    Any number of threads may ask one model at once, as long as none changes it (``fit``, ``set_params``, another
    ``tokenizer``): what a call needs to compute belongs to the call or to its thread, never to the model.
    """

    kind: ClassVar[str]  # the name in its files

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "kind" in cls.__dict__:
            LANGUAGE_MODELS[cls.kind] = cls

    @abstractmethod
    def to_stored(self) -> StoredModel:
        """The contents of its model file."""

    @classmethod
    @abstractmethod
    def from_stored(cls, stored: StoredModel, path: str | os.PathLike[str]) -> Self:
        """The inverse of ``to_stored``; FormatError names ``path`` for another kind, or parts that do not fit."""

    @classmethod
    def check_kind(cls, stored: StoredModel, path: str | os.PathLike[str]) -> None:
        """Raise FormatError, which names ``path``, unless a model of this class was stored."""
        if stored.kind != cls.kind:
            raise wrong_kind(path, stored.kind, cls.kind)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to a file, which ``windrow.load`` opens again.

        Parameters
        ----------
        path : str or path
            Any name but those of ARPA files, unless the model is an n-gram model or a linear mixture of such.

        Raises
        ------
        DataError
            The file cannot be written.
        OptionError
            The name is that of an ARPA file, which cannot hold this model.
        """
        check_name(path, f"a {type(self).__name__}")
        stored = self.to_stored()
        model_file.save(path, stored.kind, stored.arrays, stored.config, stored.provenance)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Open a file of ``save``; large arrays stay in the file and are read as they are needed.

        Parameters
        ----------
        path : str or path
            The file.

        Raises
        ------
        FormatError
            The file is damaged, or of another kind.
        DataError
            The file cannot be read.
        """
        stored = model_file.load(path)
        with model_file.parts_of(path):
            return cls.from_stored(stored, path)

    def sizes(self) -> dict[str, object]:
        """How much the model holds, by name: ``words``, special symbols such as ``<s>`` not counted."""
        return self.vocabulary.sizes()


def model_from_stored(stored: StoredModel, path: str | os.PathLike[str]) -> LanguageModel:
    """The language model that was stored, of whatever kind; FormatError names ``path`` for an unknown kind."""
    if stored.kind not in LANGUAGE_MODELS:
        raise FormatError(f"{path} holds a language model of the unknown kind {stored.kind!r}; update windrow")
    return LANGUAGE_MODELS[stored.kind].from_stored(stored, path)

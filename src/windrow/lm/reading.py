"""How a language model reads strings: as its training text was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from windrow.corpus import TextReader
from windrow.corpus.reading import Tokenize
from windrow.errors import warn
from windrow.lm.storing import text_settings_of


class ReadsText:
    """A model that remembers in ``provenance_`` how its training text was cut into words."""

    provenance_: Mapping[str, Any] = MappingProxyType({})  # ``provenance_of`` the training text; empty if unknown
    _reader: tuple[Mapping[str, Any] | None, TextReader] | None = None  # for this provenance_ of its own

    @property
    def reader(self) -> TextReader:
        """How strings become words: as the training text was read. Another one may be set."""
        own = vars(self).get("provenance_")  # not the view that all untrained models share: it cannot be pickled
        if self._reader is None or self._reader[0] is not own:
            self._reader = own, TextReader.remembered(self.provenance_)
        return self._reader[1]

    @reader.setter
    def reader(self, reader: TextReader) -> None:
        self._reader = vars(self).get("provenance_"), reader

    @property
    def tokenizer(self) -> Tokenize:
        """The tokenizer of the training text: its name, or the function itself.

        A function is known by its name only once the model comes from a file, and is never imported because a file
        names it: set it again, as a function or as "MODULE:CALLABLE".
        """
        return self.reader.tokenizer

    @tokenizer.setter
    def tokenizer(self, tokenizer: Tokenize) -> None:
        self.reader = self.reader.changed(tokenizer=tokenizer)

    @property
    def text_settings(self) -> dict[str, Any]:
        """How the training text was cut into words, as options of ``Corpus.build``; empty if that is unknown."""
        return text_settings_of(self.provenance_)

    @property
    def knows_reading(self) -> bool:
        """Whether it remembers how its training text was read, or was told; ARPA files do not say it."""
        return "tokenizer" in self.provenance_ or self.reader.options() != TextReader().options()


def leader(models: Sequence[ReadsText]) -> int:
    """The place of the model as which several models together read: the first that knows how it does."""
    return next((place for place, model in enumerate(models) if model.knows_reading), 0)


def warn_if_read_differently(models: Sequence[ReadsText]) -> None:
    """Warn for each model that reads strings otherwise than the one as which all of them will read."""
    first = leader(models)
    ours = models[first].reader.options()
    for place, model in enumerate(models):
        theirs = model.reader.options()
        if model.knows_reading and theirs != ours:
            names = sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))
            told = ", ".join(f"{name} {theirs.get(name)}, not {ours.get(name)}" for name in names)
            warn(f"model {place + 1} was trained on text that was read with {told} as for model {first + 1}")

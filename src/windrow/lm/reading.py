"""How a language model reads strings: as its training text was read."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from windrow.corpus import TextReader
from windrow.corpus.reading import Tokenize
from windrow.lm.storing import text_settings_of


class ReadsText:
    """A model that remembers in ``provenance_`` how its training text was cut into words."""

    provenance_: Mapping[str, Any] = MappingProxyType({})  # ``provenance_of`` the training text; empty if unknown
    _reader: tuple[Mapping[str, Any], TextReader] | None = None  # for this provenance_

    @property
    def reader(self) -> TextReader:
        """How strings become words: as the training text was read. Another one may be set."""
        if self._reader is None or self._reader[0] is not self.provenance_:
            self._reader = self.provenance_, TextReader.remembered(self.provenance_)
        return self._reader[1]

    @reader.setter
    def reader(self, reader: TextReader) -> None:
        self._reader = self.provenance_, reader

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

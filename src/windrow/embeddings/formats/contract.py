"""What all formats of word vectors share: plain data in and out, and how a file may be read."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.endings import DTYPES, ENDINGS
from windrow.embeddings.subwords import NgramVectors
from windrow.errors import FormatError, OptionError, check_whole
from windrow.files.writing import check_writable

ERRORS, DUPLICATES, NBSP = ("strict", "replace", "ignore"), ("error", "first", "last"), ("keep", "split")


@dataclass(frozen=True)
class VectorData:
    """Words and their vectors as plain data: what a reader returns and a writer takes."""

    words: list[str]
    vectors: NDArray[np.float32]  # (words, dimensions)
    counts: NDArray[np.int64] | None = None  # (words,)
    provenance: dict[str, Any] = field(default_factory=dict)
    ngrams: NgramVectors | None = None  # of which the vectors of other words are made
    dtype: str = DTYPES[0]  # the type of numbers in a file that is written, one of DTYPES


@dataclass(frozen=True)
class ReadOptions:
    """Which rows of a file of vectors are wanted, and what is forgiven in them; the defaults forgive nothing."""

    limit: int | None = None  # at most so many words
    only_words: frozenset[str] | None = None  # no others
    errors: str = "strict"  # bytes of words that are not UTF-8: refused, replaced by U+FFFD, or left out
    duplicates: str = "error"  # a word that repeats: refused, or its first or last row taken
    nbsp: str = "keep"  # U+00A0 is part of a word, or a space
    encoding: str = "utf-8"  # of words in fastText's binary models

    def check(self) -> None:
        """Raise OptionError for a value that is not allowed."""
        if self.limit is not None:
            check_whole("limit", self.limit, 1)
        for name, choices in (("errors", ERRORS), ("duplicates", DUPLICATES), ("nbsp", NBSP)):
            if getattr(self, name) not in choices:
                raise OptionError(f"{name} = {getattr(self, name)!r} is not one of {', '.join(choices)}")


@dataclass(frozen=True)
class VectorFormat:
    """How the files of one extension are read and written."""

    extension: str
    summary: str
    read: Callable[[Path, ReadOptions], VectorData]
    write: Callable[[VectorData, Path], None]
    forbidden: str = ""  # characters that a word cannot have in such a file
    check: Callable[[Path], None] = check_writable  # raises DataError for a path that ``write`` could not write
    dtypes: tuple[str, ...] = DTYPES[:1]  # of numbers, that such files may have

    @property
    def gzip(self) -> bool:
        """Whether ``.gz`` may follow the extension of a file that is written."""
        return ENDINGS.get(self.extension, False)


def check_words(words: list[str], chosen: VectorFormat, path: str | os.PathLike[str]) -> None:
    """Raise FormatError for a word that could not be read back from a file of this format."""
    if not chosen.forbidden:
        return
    unfit = re.compile(f"^$|[{chosen.forbidden}\ud800-\udfff]")
    for word in words:
        if unfit.search(word):
            reason = f".{chosen.extension} files cannot hold the word {word!r}"
            raise FormatError(f"cannot write {path}: {reason}; use .safetensors")

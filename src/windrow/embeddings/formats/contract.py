"""What all formats of word vectors share: plain data in and out, and rows that are checked as they are read.

Readers stream, and trust no header: what it claims is compared with the size of the file before memory is allocated.
"""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from windrow.errors import FormatError
from windrow.files.gzip import LARGEST_RATIO, is_packed
from windrow.files.model_file import check_writable

_LONGEST_HEADER = 1 << 10
_FIRST_CAPACITY = 1 << 20  # numbers in the array of a reader before it grows


@dataclass(frozen=True)
class VectorData:
    """Words and their vectors as plain data: what a reader returns and a writer takes."""

    words: list[str]
    vectors: NDArray[np.float32]  # (words, dimensions)
    counts: NDArray[np.int64] | None = None  # (words,)
    provenance: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class VectorFormat:
    """How the files of one extension are read and written."""

    extension: str
    summary: str
    read: Callable[[Path], VectorData]
    write: Callable[[VectorData, Path], None]
    forbidden: str = ""  # characters that a word cannot have in such a file
    gzip: bool = False  # ``.gz`` may follow the extension
    check: Callable[[Path], None] = check_writable  # raises DataError for a path that ``write`` could not write


class RowReader:
    """The rows of a file as they are read; the array grows with what is there, whatever the header claims."""

    def __init__(self, path: Path, unit: str, dim: int, words: int | None = None) -> None:
        self.path, self.unit, self.dim, self.words = path, unit, dim, words
        self.rows: dict[str, int] = {}  # word -> the line or row that it stands on
        capacity = max(1, _FIRST_CAPACITY // dim)
        self.vectors = np.empty((capacity if words is None else min(capacity, words), dim), np.float32)

    def __len__(self) -> int:
        return len(self.rows)

    def at(self, number: int) -> str:
        """The place of a row, for messages."""
        return f"{self.path}, {self.unit} {number}"

    def add(self, word: bytes, values: NDArray[np.float32], number: int) -> None:
        """Add the row on line or row ``number``; FormatError for one that is not valid."""
        if len(self) == self.words:
            raise FormatError(f"{self.at(number)}: the header claims {self.words} words, here is one more")
        if not np.isfinite(values).all():
            raise FormatError(f"{self.at(number)}: a number is NaN or infinite; take the row out")
        add_word(self.rows, word, self.path, self.unit, number)
        if len(self) > len(self.vectors):
            grown = 2 * len(self.vectors)
            self._resize(grown if self.words is None else min(grown, self.words))
        self.vectors[len(self) - 1] = values

    def finish(self) -> VectorData:
        """All rows; FormatError when there are fewer than the header claimed."""
        if self.words is not None and len(self) < self.words:
            raise FormatError(
                f"{self.path} ends after {len(self)} of the {self.words} words that its header claims; "
                "was it cut short?"
            )
        self._resize(len(self))
        return VectorData(list(self.rows), self.vectors)

    def _resize(self, rows: int) -> None:
        # In place, since a copy would need twice the memory; no other reference to the array exists.
        self.vectors.resize((rows, self.dim), refcheck=False)


def add_word(rows: dict[str, int], word: bytes, path: Path, unit: str, number: int) -> None:
    """Add a word and its line or row; FormatError for one that is empty, not UTF-8, or there already."""
    at = f"{path}, {unit} {number}"
    try:
        text = word.decode()
    except UnicodeDecodeError as error:
        raise FormatError(f"{at}: the word is not UTF-8; convert the file, as with iconv") from error
    if not text:
        raise FormatError(f"{at}: there is no word before the numbers; take the row out")
    if text in rows:
        raise FormatError(f"{at}: the word {text!r} was on {unit} {rows[text]} already; take one out")
    rows[text] = number


def read_header(stream: IO[bytes], path: Path, *, number_bytes: int) -> tuple[int, int]:
    """Words and dimensions from line 1; FormatError if the file is too small for ``number_bytes`` per number."""
    line = stream.readline(_LONGEST_HEADER).removeprefix(codecs.BOM_UTF8)
    fields = line.split()
    if not line:
        raise FormatError(f"{path} is empty; expected a header 'words dimensions'")
    if len(fields) != 2 or not all(field.isdigit() for field in fields):
        raise FormatError(
            f"{path}, line 1: no header 'words dimensions'; files without one, as GloVe's, are format 'glove'"
        )
    words, dim = map(int, fields)
    if not words or not dim:
        raise FormatError(f"{path}, line 1: the header claims {words} words of {dim} dimensions; is it one?")
    least = words * (number_bytes * dim + 2) - 1  # a word of one byte and a separator; no last line feed
    most = path.stat().st_size * (LARGEST_RATIO if is_packed(path) else 1) - len(line)
    if least > most:
        raise FormatError(
            f"{path}, line 1: the header claims {words} words of {dim} dimensions, which need {least} bytes, "
            "but the file is too small; was it cut short, or is it of another format?"
        )
    return words, dim


def is_number(field: bytes) -> bool:
    """Whether the field is a number as C reads it."""
    try:
        float(field)
    except ValueError:
        return False
    return b"_" not in field  # Python reads 1_0 as ten


def check_words(words: list[str], chosen: VectorFormat, path: str | os.PathLike[str]) -> None:
    """Raise FormatError for a word that could not be read back from a file of this format."""
    if not chosen.forbidden:
        return
    unfit = re.compile(f"^$|[{chosen.forbidden}\ud800-\udfff]")
    for word in words:
        if unfit.search(word):
            reason = f".{chosen.extension} files cannot hold the word {word!r}"
            raise FormatError(f"cannot write {path}: {reason}; use .safetensors")

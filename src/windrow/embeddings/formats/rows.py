"""Rows of vectors that are checked as they are read.

Readers stream, and trust no header: what it claims is compared with the size of the file, and memory grows with the
rows that are there.
"""

from __future__ import annotations

import codecs
import re
from array import array
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.formats.contract import ReadOptions, VectorData
from windrow.errors import FormatError
from windrow.files.compression import LARGEST_RATIO, compression_of
from windrow.machine import check_memory

_LONGEST_HEADER = 1 << 10
_FIRST_CAPACITY = 1 << 20  # numbers in the array of a reader before it grows
_HEADER = re.compile(rb"[ \t]*(\d{1,1000})[ \t]+(\d{1,1000})[ \t\r\n]*")


class WordRows:
    """Words as they are read, and the row of each: unwanted words are left out, and those that repeat."""

    def __init__(self, path: Path, unit: str, options: ReadOptions) -> None:
        self.path, self.unit, self.options = path, unit, options
        self.rows: dict[str, int] = {}  # word -> its row
        self._numbers = array("q")  # by row: the line or row of the file
        self.seen = 0  # rows of the file so far, whether they were wanted or not

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def is_full(self) -> bool:
        """Whether no more rows are wanted."""
        options = self.options
        wanted_all = options.only_words is not None and len(self) == len(options.only_words)
        return len(self) == options.limit or (wanted_all and options.duplicates == "first")

    def at(self, number: int) -> str:
        """The place of a line or row, for messages."""
        return f"{self.path}, {self.unit} {number}"

    def place(self, word: bytes, number: int) -> int | None:
        """The row in which the vector of this word belongs; None for one that is not wanted.

        FormatError for a word that is empty, not UTF-8, or there already, unless the options forgive it.
        """
        self.seen += 1
        text = self._decoded(word, number)
        if text is None or (self.options.only_words is not None and text not in self.options.only_words):
            return None
        row = self.rows.setdefault(text, len(self.rows))
        if row == len(self._numbers):
            self._numbers.append(number)
            return row
        if self.options.duplicates == "error":
            raise FormatError(
                f"{self.at(number)}: the word {text!r} was on {self.unit} {self._numbers[row]} already; "
                "take one out, or try duplicates='first' or duplicates='last'"
            )
        return row if self.options.duplicates == "last" else None

    def _decoded(self, word: bytes, number: int) -> str | None:
        """The word; None for one of which nothing is left."""
        try:
            text = word.decode(self.options.encoding, self.options.errors)
        except UnicodeDecodeError as error:
            raise FormatError(
                f"{self.at(number)}: the word {word[:40]!r} is not UTF-8; try errors='replace' or errors='ignore'"
            ) from error
        if text:
            return text
        if word:
            return None
        raise FormatError(f"{self.at(number)}: there is no word before the numbers; take the row out")

    def check_some(self) -> None:
        """Raise FormatError if no word was wanted."""
        if not self and self.options.only_words is not None:
            raise FormatError(f"{self.path} has none of the {len(self.options.only_words)} words of only_words")


class RowReader(WordRows):
    """The rows of a file as they are read; the array grows with what is there, whatever the header claims."""

    def __init__(self, path: Path, unit: str, options: ReadOptions, dim: int, words: int | None = None) -> None:
        super().__init__(path, unit, options)
        self.dim, self.words = dim, words
        self.vectors = np.empty((0, 0), np.float32)
        self._checked = 0  # rows before this one are finite

    def place(self, word: bytes, number: int) -> int | None:
        """As ``WordRows.place``; FormatError for a row beyond those of the header."""
        if self.seen == self.words:
            raise FormatError(f"{self.at(number)}: the header claims {self.words} words, here is one more")
        return super().place(word, number)

    def put(self, row: int, values: NDArray[np.float32]) -> None:
        """Set the vector of a row; ``check_finite`` looks at it later."""
        if row >= len(self.vectors):
            self._grow()
        self._checked = min(self._checked, row)
        self.vectors[row] = values

    def check_finite(self) -> None:
        """Raise FormatError if a row that was set since the last check has a number that is not finite."""
        finite = np.isfinite(self.vectors[self._checked : len(self)]).all(axis=1)
        if not finite.all():
            number = self._numbers[self._checked + int(np.argmin(finite))]
            raise FormatError(f"{self.at(number)}: a number is NaN or infinite; take the row out")
        self._checked = len(self)

    def finish(self) -> VectorData:
        """All rows; FormatError when there are fewer than the header claimed."""
        self.check_finite()
        if self.words is not None and self.seen < self.words and not self.is_full:
            raise FormatError(
                f"{self.path} ends after {self.seen} of the {self.words} words that its header claims; "
                "was it cut short?"
            )
        self.check_some()
        self._resize(len(self))
        return VectorData(list(self.rows), self.vectors)

    def _grow(self) -> None:
        # Not before there is a row: a header may claim any number of dimensions.
        grown = max(1, _FIRST_CAPACITY // self.dim, 2 * len(self.vectors))
        limits = (self.words, self.options.limit)
        self._resize(min([grown, *(limit for limit in limits if limit is not None)]))

    def _resize(self, rows: int) -> None:
        # In place, since a copy would need twice the memory; no other reference to the array exists.
        self.vectors.resize((rows, self.dim), refcheck=False)


def chosen_rows(
    words: Iterable[bytes], vectors: NDArray[np.float32], path: Path, unit: str, options: ReadOptions
) -> tuple[list[str], NDArray[np.float32], NDArray[np.intp]]:
    """The words that are wanted of a matrix whose rows are all there, their vectors, and their rows in the matrix."""
    kept, source = WordRows(path, unit, options), {}
    for number, word in enumerate(words):
        if kept.is_full:
            break
        if (row := kept.place(word, number + 1)) is not None:
            source[row] = number
    kept.check_some()
    rows = np.array([source[row] for row in range(len(kept))], np.intp)
    is_all = len(rows) == len(vectors) and bool((rows == np.arange(len(rows))).all())
    return list(kept.rows), vectors if is_all else vectors[rows], rows


def chosen_of(data: VectorData, path: Path, options: ReadOptions) -> VectorData:
    """What is wanted of words, vectors and counts that are all there."""
    if options == ReadOptions():
        return data
    encoded = [word.encode("utf-8", "surrogatepass") for word in data.words]
    words, vectors, rows = chosen_rows(encoded, data.vectors, path, "row", options)
    return VectorData(words, vectors, None if data.counts is None else data.counts[rows], data.provenance, data.ngrams)


def read_header(stream: IO[bytes], path: Path, *, number_bytes: int) -> tuple[int, int]:
    """Words and dimensions from line 1; FormatError if the file is too small for ``number_bytes`` per number."""
    line = stream.readline(_LONGEST_HEADER).removeprefix(codecs.BOM_UTF8)
    if not line.strip():
        raise FormatError(f"{path}, line 1 is blank; take it out")
    if (header := parse_header(line)) is None:
        raise FormatError(
            f"{path}, line 1: no header 'words dimensions'; of files without one, as GloVe's, say format='glove'"
        )
    words, dim = header
    if not words or not dim:
        raise FormatError(f"{path}, line 1: the header claims {words} words of {dim} dimensions; is it one?")
    least = words * (number_bytes * dim + 2) - 1  # a word of one byte and a separator; no last line feed
    most = most_bytes(path)
    if most is not None and least > most - len(line):
        raise FormatError(
            f"{path}, line 1: the header claims {words} words of {dim} dimensions, which need {least} bytes, "
            "but the file is too small; was it cut short, or is it of another format?"
        )
    return words, dim


def check_fits(rows: int, dim: int, path: Path, options: ReadOptions) -> None:
    """Raise OptionError if the rows that a header claims, as far as they are wanted, will not fit into memory."""
    listed = None if options.only_words is None else len(options.only_words)
    wanted = min(limit for limit in (rows, options.limit, listed) if limit is not None)
    check_memory(4 * dim * wanted, f"the {rows:,} vectors of {path}", "read the first N words: limit='N'")


def parse_header(line: bytes) -> tuple[int, int] | None:
    """Words and dimensions, where a line is a header."""
    found = _HEADER.fullmatch(line)
    return None if found is None else (int(found[1]), int(found[2]))


def most_bytes(path: Path) -> int | None:
    """The most that a file can hold when it is decompressed; None where that is not bounded."""
    with path.open("rb") as raw:
        compression = compression_of(raw.read(16))
    size = path.stat().st_size
    return {"": size, ".gz": size * LARGEST_RATIO}.get(compression)


def is_number(field: bytes) -> bool:
    """Whether the field is a number as C reads it."""
    try:
        float(field)
    except ValueError:
        return False
    return b"_" not in field  # Python reads 1_0 as ten

"""Vectors as text: one line per word, its numbers after it. word2vec, fastText, GloVe, TSV."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.formats.contract import RowReader, VectorData, is_number, read_header
from windrow.errors import FormatError
from windrow.files.gzip import creating, reading

# Readers that go through double precision, as Python's and gensim's do, read the shortest text of this one float32 as
# the next one (found by trying all of them). It needs two more digits.
_MISREAD, _READ_RIGHTLY = b"7.038531e-26", b"7.03853069e-26"


def read_text(path: Path, *, header: bool, separator: bytes) -> VectorData:
    """Read lines of a word, ``separator`` and its numbers; with ``header`` the first line is "words dimensions"."""
    with reading(path) as stream:
        if header:
            words, dim = read_header(stream, path, number_bytes=2)
            table = RowReader(path, "line", dim, words)
            lines = enumerate(stream, 2)
        else:
            first = stream.readline()
            dim = len(first.partition(separator)[2].split())
            if not dim:
                found = "holds no numbers" if first else "is missing, the file is empty"
                raise FormatError(f"{path}: line 1 {found}; expected a word and its numbers")
            table = RowReader(path, "line", dim)
            lines = enumerate(chain([first], stream), 1)
        for number, line in lines:
            if row := line.rstrip(b" \t\r\n"):
                word, _, numbers = row.partition(separator)
                table.add(word, _parse_numbers(numbers, table, number), number)
    return table.finish()


def _parse_numbers(text: bytes, table: RowReader, line: int) -> NDArray[np.float32]:
    fields = text.split()
    if len(fields) != table.dim:
        hint = "was the file cut short, or does a word hold white space?"
        if table.dim == 1 and table.words is None:
            hint = "if line 1 is a header, read the file as format 'txt'"
        raise FormatError(f"{table.at(line)}: {len(fields)} numbers, expected {table.dim}; {hint}")
    try:
        with np.errstate(over="ignore"):  # an infinity is found later
            values = np.array(fields, np.float32)
    except ValueError:
        values = None
    if values is None or b"_" in text:  # Python reads 1_0 as ten
        wrong = next(field for field in fields if b"_" in field or not is_number(field))
        shown = wrong[:40].decode("utf-8", "backslashreplace")
        raise FormatError(f"{table.at(line)}: {shown!r} is not a number; is the file of another format?")
    return values


def write_text(data: VectorData, path: Path, *, header: bool, separator: bytes) -> None:
    """The inverse of ``read_text``; the text reads back to the same float32 numbers."""
    with creating(path) as stream:
        if header:
            stream.write(b"%d %d\n" % data.vectors.shape)
        for word, row in zip(data.words, data.vectors, strict=True):
            numbers = separator.join([str(value).encode() for value in row])  # the shortest text of each float32
            if _MISREAD in numbers:
                numbers = numbers.replace(_MISREAD, _READ_RIGHTLY)
            stream.write(word.encode() + separator + numbers + b"\n")

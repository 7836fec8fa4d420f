"""Vectors as text: one line per word, its numbers after it. word2vec, fastText, GloVe, TSV."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.formats.contract import ReadOptions, VectorData
from windrow.embeddings.formats.rows import RowReader, check_fits, is_number, read_header
from windrow.errors import FormatError
from windrow.files.compression import creating, reading
from windrow.files.sniff import START_BYTES, first_bytes, refuse_bare_returns

_WHITE = b" \t\r\n"
_NBSP = "\u00a0".encode()
_CHECKED_AT_ONCE = 1024  # rows
_SAMPLE_LINES = 100

# Readers that go through double precision, as Python's and gensim's do, read the shortest text of this one float32 as
# the next one (found by trying all of them). It needs two more digits.
_MISREAD, _READ_RIGHTLY = b"7.038531e-26", b"7.03853069e-26"


def read_text(path: Path, options: ReadOptions, *, header: bool, separator: bytes | None = None) -> VectorData:
    """Read lines of a word and its numbers; with ``header`` the first line is "words dimensions".

    A tab in the first row ends its word, and so in all; else white space stands between the fields, and words may hold
    some: the last fields are the numbers, as many as there are dimensions.
    """
    start = first_bytes(path, whole_line=True)
    refuse_bare_returns(start, str(path))
    with reading(path) as stream:
        if header:
            words, dim = read_header(stream, path, number_bytes=2)
            check_fits(words, dim, path, options)
            table = RowReader(path, "line", options, dim, words)
        else:
            if not (dim := dimensions_of(start, separator)):
                raise FormatError(f"{path}: line 1 {_no_row(start)}; expected a word and its numbers")
            table = RowReader(path, "line", options, dim)
        tabbed = separator == b"\t" or _is_tabbed(start, int(header))
        _read_rows(enumerate(_without_mark(stream, header), 1 + header), table, tabbed)
    return table.finish()


def _read_rows(lines: Iterator[tuple[int, bytes]], table: RowReader, tabbed: bool) -> None:
    split_nbsp = table.options.nbsp == "split"
    for number, line in lines:
        if table.is_full:
            return
        if row := (line.replace(_NBSP, b" ") if split_nbsp else line).rstrip(_WHITE):
            word, fields = _split_at_tab(row) if tabbed else _split_from_the_right(row, table, number)
            if (place := table.place(word, number)) is not None:
                table.put(place, _parse_numbers(row, fields, table, number))
        if table.seen % _CHECKED_AT_ONCE == 0:
            table.check_finite()


def _without_mark(stream: IO[bytes], header: bool) -> Iterator[bytes]:
    """The lines of a file without its byte-order mark; a header has been read with it already."""
    if not header:
        yield stream.readline().removeprefix(BOM_UTF8)
    yield from stream


def _split_at_tab(row: bytes) -> tuple[bytes, list[bytes]]:
    word, _, numbers = row.partition(b"\t")
    return word, numbers.split()


def _split_from_the_right(row: bytes, table: RowReader, line: int) -> tuple[bytes, list[bytes]]:
    fields = row.rsplit(None, table.dim)
    if len(fields) > table.dim:
        word = fields.pop(0)
        if b" " in word or b"\t" in word:
            word = _with_white_space(word, fields, table, line)
        return word, fields
    if len(fields) == table.dim and is_number(fields[0]):
        return b"", fields
    return fields[0], fields[1:]


def _with_white_space(word: bytes, fields: list[bytes], table: RowReader, line: int) -> bytes:
    """A word that holds white space, such as "name@domain.com 10"; FormatError if it ends like one number too many."""
    last = word.split()[-1] if word.split() else b""
    if is_number(last) and (b"." in last or not any(b"." in field for field in fields)):
        raise FormatError(
            f"{table.at(line)}: more than {table.dim} numbers after a word; do two rows stand on one line? take it out"
        )
    return word.lstrip(_WHITE)


def _parse_numbers(row: bytes, fields: list[bytes], table: RowReader, line: int) -> NDArray[np.float32]:
    if len(fields) != table.dim:
        is_first = line == 1 and table.words is None
        hint = "is it a damaged header 'words dimensions'?" if is_first else "was the file cut short?"
        if _NBSP in row:
            hint = "there are no-break spaces between them; try nbsp='split'"
        raise FormatError(f"{table.at(line)}: {len(fields)} numbers, expected {table.dim}; {hint}")
    try:
        with np.errstate(over="ignore"):  # an infinity is found later
            values = np.array(fields, np.float32)
    except ValueError:
        values = None
    if values is None or (b"_" in row and any(b"_" in field for field in fields)):  # Python reads 1_0 as ten
        wrong = next(field for field in fields if b"_" in field or not is_number(field))
        shown = wrong[:40].decode("utf-8", "backslashreplace")
        hint = "write decimal points" if b"," in wrong else "is the file of another format?"
        raise FormatError(f"{table.at(line)}: {shown!r} is not a number; {hint}")
    return values


# --- telling what a text is from its first bytes


def dimensions_of(start: bytes, separator: bytes | None = None) -> int:
    """The dimensions of rows without a header, from the first bytes of a file; 0 if they are no rows of numbers.

    The commonest count of numbers at the ends of lines: a word may hold numbers, or white space.
    """
    lines = first_lines(start)
    counts = Counter(_trailing_numbers(line, separator) for line in lines)
    del counts[0]
    most = max(counts.values(), default=0)
    return min(dim for dim, found in counts.items() if found == most) if 2 * most >= len(lines) > 0 else 0


def first_lines(start: bytes) -> list[bytes]:
    """The lines at the beginning of a file that are not blank; the last one may be cut, so it counts only if alone."""
    lines = start.removeprefix(BOM_UTF8).split(b"\n")
    if len(start) >= START_BYTES and len(lines) > 1:
        del lines[-1]
    return [line for line in lines[:_SAMPLE_LINES] if line.strip()]


def _trailing_numbers(line: bytes, separator: bytes | None) -> int:
    word, fields = (b"", line.split()) if separator is None else _split_at_tab(line)
    numbers = 0
    for field in reversed(fields):
        if not is_number(field):
            break
        numbers += 1
    if word:
        return numbers if numbers == len(fields) else 0
    return min(numbers, len(fields) - 1)  # the first field is a word, even if it is a number


def _is_tabbed(start: bytes, row: int) -> bool:
    lines = first_lines(start)
    return len(lines) > row and b"\t" in lines[row].rstrip(_WHITE)


def _no_row(start: bytes) -> str:
    lines = first_lines(start)
    return f"is {lines[0].strip()[:60].decode('utf-8', 'backslashreplace')!r}" if lines else "is blank"


def write_text(data: VectorData, path: Path, *, header: bool, separator: bytes) -> None:
    """The inverse of ``read_text``; the text reads back to the same float32 numbers."""
    with creating(path) as stream:
        if header:
            stream.write(b"%d %d\n" % data.vectors.shape)
        for word, row in zip(data.words, data.vectors, strict=True):
            stream.write(word.encode() + separator + numbers_as_text(row, separator) + b"\n")


def numbers_as_text(row: NDArray[np.float32], separator: bytes) -> bytes:
    """The shortest text of each number that reads back to the same float32."""
    return separator.join([str(value).encode() for value in row]).replace(_MISREAD, _READ_RIGHTLY)

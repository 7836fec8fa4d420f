"""Files of word vectors: word2vec text and binary, fastText, GloVe, TSV, NumPy, and windrow's own.

A format is a reader, a writer and a row of ``FORMATS``. Readers stream, and believe no header: what it
claims is held against the size of the file before anything is allocated.
"""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from tokenize import TokenError
from typing import IO

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.packed import LARGEST_RATIO, creating, is_packed, reading
from windrow.embeddings.vectors import WordVectors, read_model, write_model
from windrow.errors import DataError, FormatError, OptionError
from windrow.storage import atomic_write, check_finite, check_writable

_CHUNK = 1 << 20  # bytes of a binary file read at a time
_LONGEST_HEADER = 1 << 10
_LONGEST_WORD = 1 << 16  # bytes before the space that ends a word in a binary file
_FIRST_CAPACITY = 1 << 20  # numbers that a table has room for before it grows

# Every reader that goes through double precision, Python's and gensim's too, rounds the shortest text of one
# float32 to its neighbour (found by trying all of them): it takes two digits more.
_MISREAD, _READ_RIGHTLY = b"7.038531e-26", b"7.03853069e-26"


@dataclass(frozen=True)
class VectorFormat:
    """How the files of one extension are read and written.

    ``forbidden`` holds the characters that a word cannot have there; ``gzip``: ``.gz`` may follow the
    extension; ``check`` raises DataError where ``write`` could not put its files.
    """

    extension: str
    summary: str
    read: Callable[[Path], WordVectors]
    write: Callable[[WordVectors, Path], None]
    forbidden: str = ""
    gzip: bool = False
    check: Callable[[Path], None] = check_writable


def load_vectors(path: str | os.PathLike[str], format: str | None = None) -> WordVectors:
    """Read word vectors; ``format`` is an extension without its dot, by default that of ``path``.

    Raises FormatError, naming file and line or row, for a file that is malformed, truncated or of another
    kind, when a word repeats or a number is not finite; DataError when the file cannot be read.
    """
    return find_format(path, format).read(Path(path))


def save_vectors(vectors: WordVectors, path: str | os.PathLike[str], format: str | None = None) -> None:
    """Write word vectors; ``format`` is an extension without its dot, by default that of ``path``.

    The file appears whole or not at all, and text reads back to the same float32 numbers. Only
    ``safetensors`` keeps counts and provenance. Raises FormatError for a word that the format cannot hold,
    OptionError for a number that is not finite.
    """
    chosen = check_target(path, format)
    _check_words(vectors.index_to_key, chosen, path)
    try:
        check_finite(vectors.vectors, "the table", path)
    except FormatError as error:
        raise OptionError(f"cannot write {error}; if training diverged, lower alpha") from error
    chosen.write(vectors, Path(path))


def check_target(path: str | os.PathLike[str], format: str | None = None) -> VectorFormat:
    """The format that ``save_vectors`` would write; its errors about the place come here, before long work."""
    chosen = find_format(path, format)
    chosen.check(Path(path))
    return chosen


def find_format(path: str | os.PathLike[str], name: str | None = None) -> VectorFormat:
    """The format called ``name``, or that of the extension of ``path``; FormatError when there is none."""
    key = extension_of(path) if name is None else name
    if key not in FORMATS:
        if name is not None:
            raise OptionError(f"format = {name!r}; choose one of {', '.join(FORMATS)}")
        raise FormatError(f"{path}: no vector format has this extension; use .{', .'.join(FORMATS)}")
    if is_packed(Path(path)) and not FORMATS[key].gzip:
        raise FormatError(f"{path}: .{key} files are not read or written through gzip; unpack the file first")
    return FORMATS[key]


def extension_of(path: str | os.PathLike[str]) -> str:
    """The extension that names the format: in lower case, without its dot, and without ``.gz`` after it."""
    file = Path(path)
    return Path(file.stem if is_packed(file) else file.name).suffix.lower().removeprefix(".")


# --- text: a word and its numbers a line


def _read_text(path: Path, *, header: bool, separator: bytes) -> WordVectors:
    with reading(path) as stream:
        if header:
            words, dim = _read_header(stream, path, number_bytes=2)
            table = _Table(path, "line", dim, words)
            lines = enumerate(stream, 2)
        else:
            first = stream.readline()
            dim = len(first.partition(separator)[2].split())
            if not dim:
                found = "holds no numbers" if first else "is missing, the file is empty"
                raise FormatError(f"{path}: line 1 {found}; expected a word and its numbers")
            table = _Table(path, "line", dim)
            lines = enumerate(chain([first], stream), 1)
        for number, line in lines:
            if row := line.rstrip(b" \t\r\n"):
                word, _, numbers = row.partition(separator)
                table.add(word, _parse_numbers(numbers, table, number), number)
    return table.finish()


def _parse_numbers(text: bytes, table: _Table, line: int) -> NDArray[np.float32]:
    fields = text.split()
    if len(fields) != table.dim:
        hint = "was the file cut short, or does a word hold white space?"
        if table.dim == 1 and table.words is None:
            hint = "if line 1 is a header, read the file as format 'txt'"
        raise FormatError(f"{table.at(line)}: {len(fields)} numbers where {table.dim} are due; {hint}")
    try:
        with np.errstate(over="ignore"):  # an infinity is found later
            values = np.array(fields, np.float32)
    except ValueError:
        values = None
    if values is None or b"_" in text:  # Python reads 1_0 as ten
        wrong = next(field for field in fields if b"_" in field or not _is_number(field))
        shown = wrong[:40].decode("utf-8", "backslashreplace")
        raise FormatError(f"{table.at(line)}: {shown!r} is not a number; is the file of another format?")
    return values


def _write_text(vectors: WordVectors, path: Path, *, header: bool, separator: bytes) -> None:
    with creating(path) as stream:
        if header:
            stream.write(b"%d %d\n" % vectors.vectors.shape)
        for word, row in zip(vectors.index_to_key, vectors.vectors, strict=True):
            numbers = separator.join([str(value).encode() for value in row])  # NumPy's str is the shortest
            if _MISREAD in numbers:
                numbers = numbers.replace(_MISREAD, _READ_RIGHTLY)
            stream.write(word.encode() + separator + numbers + b"\n")


# --- word2vec's binary: a word, a space, and the bytes of its numbers


def _read_binary(path: Path) -> WordVectors:
    with reading(path) as stream:
        words, dim = _read_header(stream, path, number_bytes=4)
        table = _Table(path, "row", dim, words)
        buffer, start = b"", 0
        while len(table) < words:
            space = buffer.find(b" ", start)
            end = space + 1 + 4 * dim
            if space >= 0 and end <= len(buffer):
                # word2vec.c ends a row with a line feed, gensim does not.
                word = buffer[start:space].lstrip(b"\n")
                table.add(word, np.frombuffer(buffer, "<f4", dim, space + 1), len(table) + 1)
                start = end
                continue
            if space < 0 and len(buffer) - start > _LONGEST_WORD:
                raise FormatError(f"{table.at(len(table) + 1)}: no space ends the word; is the file binary?")
            more = stream.read(max(_CHUNK, 4 * dim))
            if not more:
                break
            if not len(table):
                _refuse_text(more, table)
            buffer, start = buffer[start:] + more, 0
        if len(table) == words and (buffer[start:] + stream.read(_CHUNK)).strip(b"\n"):
            raise FormatError(f"{path} goes on after the {words} words of its header; was the header edited?")
    return table.finish()


def _refuse_text(start: bytes, table: _Table) -> None:
    fields = start.partition(b"\n")[0].split()
    if len(fields) == table.dim + 1 and all(map(_is_number, fields[1:])):
        raise FormatError(f"{table.path} is word2vec's text, not its binary; read it as format 'txt'")


def _write_binary(vectors: WordVectors, path: Path) -> None:
    with creating(path) as stream:
        stream.write(b"%d %d\n" % vectors.vectors.shape)
        for word, row in zip(vectors.index_to_key, vectors.vectors, strict=True):
            stream.write(word.encode() + b" " + row.astype("<f4").tobytes() + b"\n")


# --- NumPy: a matrix, and the words beside it, one a line


def _read_npy(path: Path) -> WordVectors:
    beside = _words_beside(path)
    if path.exists() and not beside.exists():
        raise FormatError(f"{path} needs its words, one a line, in {beside}, which does not exist")
    try:
        matrix = np.lib.format.open_memmap(path, mode="r")
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, EOFError, SyntaxError, OverflowError, TokenError) as error:  # NumPy lets these out
        raise FormatError(f"{path} is no sound .npy file ({error}); was it cut short?") from error
    if matrix.ndim != 2 or 0 in matrix.shape or matrix.dtype.kind != "f":
        found = f"shape {matrix.shape} of type {matrix.dtype}"
        raise FormatError(f"{path}: expected a matrix (words, dimensions) of floating point, found {found}")
    words = _read_words(beside)
    if len(words) != len(matrix):
        raise FormatError(f"{path} has {len(matrix)} rows, but {beside} has {len(words)} words")
    with np.errstate(over="ignore"):  # an infinity is found next
        vectors = np.asarray(matrix, np.float32)
    check_finite(vectors, "the matrix", path)
    return WordVectors(words, vectors)


def _read_words(path: Path) -> list[str]:
    lines: dict[str, int] = {}
    with reading(path) as stream:
        for number, line in enumerate(stream, 1):
            _add_word(lines, line.rstrip(b"\r\n"), path, "line", number)
    return list(lines)


def _write_npy(vectors: WordVectors, path: Path) -> None:
    # The words are on the disk before the matrix gets its name, and get theirs right after it: words beside
    # another matrix of as many rows would be read without an error.
    with atomic_write(_words_beside(path)) as temporary:
        with temporary.open("wb") as stream:
            stream.writelines(word.encode() + b"\n" for word in vectors.index_to_key)
            stream.flush()
            os.fsync(stream.fileno())
        with creating(path) as stream:
            np.save(stream, vectors.vectors)


def _check_npy_places(path: Path) -> None:
    beside = _words_beside(path)
    check_writable(path)
    check_writable(beside)
    if beside.exists() and not path.exists():
        raise DataError(f"cannot write {path}: {beside} exists without it; move that away, or choose another name")


def _words_beside(path: Path) -> Path:
    return path.with_suffix(".words.txt")


# --- what the formats share


class _Table:
    """The rows of a file as they are read; the array grows with them, whatever a header claims."""

    def __init__(self, path: Path, unit: str, dim: int, words: int | None = None) -> None:
        self.path, self.unit, self.dim, self.words = path, unit, dim, words
        self.rows: dict[str, int] = {}  # word -> the line or row that it stands on
        capacity = max(1, _FIRST_CAPACITY // dim)
        self.vectors = np.empty((capacity if words is None else min(capacity, words), dim), np.float32)

    def __len__(self) -> int:
        return len(self.rows)

    def at(self, number: int) -> str:
        return f"{self.path}, {self.unit} {number}"

    def add(self, word: bytes, values: NDArray[np.float32], number: int) -> None:
        if len(self) == self.words:
            raise FormatError(f"{self.at(number)}: the header claims {self.words} words, here is one more")
        if not np.isfinite(values).all():
            raise FormatError(f"{self.at(number)}: a number is NaN or infinite; take the row out")
        _add_word(self.rows, word, self.path, self.unit, number)
        if len(self) > len(self.vectors):
            grown = 2 * len(self.vectors)
            self._resize(grown if self.words is None else min(grown, self.words))
        self.vectors[len(self) - 1] = values

    def finish(self) -> WordVectors:
        if self.words is not None and len(self) < self.words:
            raise FormatError(
                f"{self.path} ends after {len(self)} of the {self.words} words that its header claims; "
                "was it cut short?"
            )
        self._resize(len(self))
        return WordVectors(list(self.rows), self.vectors)

    def _resize(self, rows: int) -> None:
        # In place: a copy would need the memory twice. Nobody else has seen the array.
        self.vectors.resize((rows, self.dim), refcheck=False)


def _add_word(rows: dict[str, int], word: bytes, path: Path, unit: str, number: int) -> None:
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


def _read_header(stream: IO[bytes], path: Path, *, number_bytes: int) -> tuple[int, int]:
    """Words and dimensions from line 1; refused unless the file has ``number_bytes`` for each number."""
    line = stream.readline(_LONGEST_HEADER).removeprefix(codecs.BOM_UTF8)
    fields = line.split()
    if not line:
        raise FormatError(f"{path} is empty; expected a header 'words dimensions'")
    if len(fields) != 2 or not all(field.isdigit() for field in fields):
        raise FormatError(
            f"{path}, line 1: no header 'words dimensions'; GloVe's files, without one, are format 'glove'"
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


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return b"_" not in field  # Python reads 1_0 as ten


def _check_words(words: list[str], chosen: VectorFormat, path: str | os.PathLike[str]) -> None:
    """Raise FormatError for a word that would not come back from a file of this format."""
    if not chosen.forbidden:
        return
    unfit = re.compile(f"^$|[{chosen.forbidden}\ud800-\udfff]")
    for word in words:
        if unfit.search(word):
            reason = f".{chosen.extension} files cannot hold the word {word!r}"
            raise FormatError(f"cannot write {path}: {reason}; use .safetensors")


_BETWEEN_FIELDS = r" \t\n\v\f\r"  # what C and Python's bytes call white space
_read_word2vec = partial(_read_text, header=True, separator=b" ")
_write_word2vec = partial(_write_text, header=True, separator=b" ")

_ROWS = (
    VectorFormat("safetensors", "windrow's own", read_model, write_model),
    VectorFormat("txt", "word2vec's text", _read_word2vec, _write_word2vec, _BETWEEN_FIELDS, gzip=True),
    VectorFormat("vec", "fastText's text", _read_word2vec, _write_word2vec, _BETWEEN_FIELDS, gzip=True),
    VectorFormat("bin", "word2vec's binary", _read_binary, _write_binary, _BETWEEN_FIELDS, gzip=True),
    VectorFormat(
        "glove",
        "GloVe's text, without a header",
        partial(_read_text, header=False, separator=b" "),
        partial(_write_text, header=False, separator=b" "),
        _BETWEEN_FIELDS,
        gzip=True,
    ),
    VectorFormat(
        "tsv",
        "a word and its numbers, parted by tabs",
        partial(_read_text, header=False, separator=b"\t"),
        partial(_write_text, header=False, separator=b"\t"),
        r"\t\n\r",
        gzip=True,
    ),
    VectorFormat(
        "npy", "a NumPy matrix, words in X.words.txt", _read_npy, _write_npy, r"\n\r", check=_check_npy_places
    ),
)
FORMATS = {row.extension: row for row in _ROWS}

"""fastText's binary models: words, the vectors of their character n-grams, and the options of the training.

Classifiers are read here as the vectors of their words; ``windrow.classification`` reads the whole of them.

::

    magic, version          int32 each
    arguments               12 of int32, and a double
    dictionary              size, words, labels (int32), tokens, pruned (int64); then each entry: bytes, 0, count, type;
                            then, if pruned > 0, the bucket and the new number of each n-gram that was kept (int32)
    quantized input?        one byte
    input                   rows, columns (int64), float32 numbers: a row per word, then a row per bucket
    quantized output?, output

fastText of before 2017 wrote neither magic and version, nor ``pruned``, nor the bytes about what is quantized.

All numbers are little-endian. What the beginning claims is compared with the size of the file before memory is taken.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.formats.contract import ReadOptions, VectorData
from windrow.embeddings.formats.rows import chosen_rows, most_bytes
from windrow.embeddings.settings import LONGEST_NGRAM
from windrow.embeddings.subwords import NgramVectors, Subwords
from windrow.errors import FormatError
from windrow.files.compression import reading
from windrow.files.model_file import check_finite
from windrow.machine import check_memory
from windrow.numeric.tables import zero_table

MAGIC, VERSION = 793712314, 12
_WITHOUT_CHARACTERS = 11  # the version whose classifiers have no n-grams of characters, whatever maxn says
SUPERVISED, SKIPGRAM = 3, 2
START, COUNTS, ENTRY, _KEPT, SHAPE = (struct.Struct(layout) for layout in ("<14id", "<3i2q", "<qb", "<2i", "<2q"))
_ARGUMENTS = struct.Struct("<12id")
_BEFORE, _OLD_COUNTS = struct.Struct("<2i"), struct.Struct("<3iq")  # magic and version; the counts without ``pruned``
_CHUNK = 1 << 20  # bytes read at a time
_LONGEST_WORD = 1 << 16  # bytes
ROWS_AT_ONCE = 4096
_LEAST_ENTRY = 2 + ENTRY.size  # bytes: one of the word, a zero, its count and type


class Arguments(NamedTuple):
    """The options of the training, as they stand in the file."""

    dim: int
    ws: int
    epoch: int
    min_count: int
    neg: int
    word_ngrams: int
    loss: int  # 1 hierarchical softmax, 2 negative sampling, 3 softmax, 4 one against all
    model: int  # 1 CBOW, 2 skip-gram, 3 a classifier
    bucket: int
    minn: int
    maxn: int
    lr_update_rate: int
    t: float


class Dictionary(NamedTuple):
    """The entries of a model: words, then labels."""

    entries: list[bytes]
    words: int
    counts: NDArray[np.int64]
    tokens: int
    pruned: int  # n-grams that were kept when the model was made smaller; -1: it was not
    kept: NDArray[np.int32]  # (pruned, 2): the bucket of each, and its number among them


class Reader:
    """Bytes of a stream that must be there, of a file called ``path``."""

    def __init__(self, stream: IO[bytes], path: Path) -> None:
        self.stream, self.path = stream, path
        self._buffer, self._place = b"", 0
        self.is_old = False  # the layout of before 2017

    def is_quantized(self) -> bool:
        """The byte that says so, which old files lack."""
        return not self.is_old and self.take(1) != b"\0"

    def take(self, size: int) -> bytes:
        """The next bytes."""
        while len(self._buffer) - self._place < size:
            self._read_more()
        found = self._buffer[self._place : self._place + size]
        self._place += size
        return found

    def take_word(self) -> bytes:
        """The bytes before the next zero."""
        searched = 0
        while (end := self._buffer.find(b"\0", self._place + searched)) < 0:
            searched = len(self._buffer) - self._place
            if searched > _LONGEST_WORD:
                break
            self._read_more()
        if not 0 <= end - self._place <= _LONGEST_WORD:
            raise self.damaged("a word does not end")
        found = self._buffer[self._place : end]
        self._place = end + 1
        return found

    def check_end(self) -> None:
        """Raise FormatError if there are more bytes."""
        if self._place < len(self._buffer) or self.stream.read(1):
            raise self.damaged("there is more after its end")

    def _read_more(self) -> None:
        more = self.stream.read(_CHUNK)
        if not more:
            raise FormatError(f"{self.path} ends too early; was it cut short?")
        self._buffer, self._place = self._buffer[self._place :] + more, 0

    def damaged(self, reason: str) -> FormatError:
        """The error for what fastText does not write."""
        return FormatError(f"{self.path} is no sound model of fastText: {reason}; was it damaged?")


def read_fasttext(path: Path, options: ReadOptions) -> VectorData:
    """Read a model of word vectors, with the vectors of all n-grams where it has some."""
    with reading(path) as stream:
        reader = Reader(stream, path)
        arguments = read_arguments(reader)
        dictionary = read_dictionary(reader, most_bytes(path))
        if dictionary.pruned >= 0 or reader.is_quantized():
            more = ", or classify texts with it: windrow classify predict" if arguments.model == SUPERVISED else ""
            raise FormatError(
                f"{path} is a quantized model of fastText; give the .bin from which it was made for word vectors{more}"
            )
        words = dictionary.words
        if words < len(dictionary.entries) and arguments.model != SUPERVISED:
            raise reader.damaged("there are labels among its words")
        table = read_input(reader, words, arguments)
        _pass_output(reader)
    check_finite(table, "the input matrix", path)
    return _with_ngrams(table, dictionary, arguments, path, options)


def read_arguments(reader: Reader) -> Arguments:
    """The beginning of a model; FormatError for a version or numbers that fastText does not write."""
    start = reader.take(_BEFORE.size)
    magic, version = _BEFORE.unpack(start)
    reader.is_old = magic != MAGIC and magic < 1 << 16  # that is the number of dimensions
    before = start if reader.is_old else b""
    numbers = before + reader.take(START.size - _BEFORE.size - len(before))
    arguments = Arguments(*_ARGUMENTS.unpack(numbers))
    if arguments.model == SUPERVISED and version == _WITHOUT_CHARACTERS and not reader.is_old:
        arguments = arguments._replace(maxn=0)
    is_known = magic == MAGIC and 11 <= version <= VERSION
    if not is_known and not (reader.is_old and {arguments.model, arguments.loss} <= {1, 2, 3}):
        raise FormatError(f"{reader.path} is of version {version} of fastText's format; 11 and {VERSION} are read")
    if arguments.dim < 1 or arguments.bucket < 0 or not arguments.minn >= 0 or arguments.maxn > LONGEST_NGRAM:
        shown = f"{arguments.dim} dimensions, {arguments.bucket} buckets, n-grams up to {arguments.maxn}"
        raise reader.damaged(f"it claims {shown}")
    return arguments


def is_classifier(path: Path) -> bool:
    """Whether a model of fastText classifies texts; FormatError for one that is damaged at its beginning."""
    with reading(path) as stream:
        return read_arguments(Reader(stream, path)).model == SUPERVISED


def read_dictionary(reader: Reader, most: int | None) -> Dictionary:
    """Words and labels, with their counts; ``most``: bytes that the file can hold, None if that is not bounded."""
    if reader.is_old:
        size, words, labels, tokens, pruned = *_OLD_COUNTS.unpack(reader.take(_OLD_COUNTS.size)), -1
    else:
        size, words, labels, tokens, pruned = COUNTS.unpack(reader.take(COUNTS.size))
    if size < 1 or words < 1 or labels < 0 or words + labels != size or pruned < -1:
        raise reader.damaged(f"{size} entries cannot be {words} words and {labels} labels")
    if most is not None and size * _LEAST_ENTRY + max(pruned, 0) * _KEPT.size > most:
        told = f" and {pruned} n-grams" if pruned > 0 else ""
        raise reader.damaged(f"it claims {size} words{told}, the file is too small")
    entries, numbers = [], []
    for _ in range(size):
        entries.append(reader.take_word())
        numbers.append(ENTRY.unpack(reader.take(ENTRY.size)))
    counts, types = (np.array(column, np.int64) for column in zip(*numbers, strict=True))
    if counts.min() < 0 or not set(types.tolist()) <= {0, 1}:
        raise reader.damaged("a count is negative or an entry neither a word nor a label")
    if (types != (np.arange(size) >= words)).any():
        raise reader.damaged("there are labels among its words, or words among its labels")
    kept = np.frombuffer(reader.take(_KEPT.size * max(pruned, 0)), "<i4").reshape(-1, 2)
    return Dictionary(entries, words, counts, tokens, pruned, kept)


def read_input(reader: Reader, words: int, arguments: Arguments) -> NDArray[np.float32]:
    """The rows of words and buckets, in a padded table."""
    rows, columns = words + arguments.bucket, arguments.dim
    check_shape(reader, rows, columns, "input")
    check_memory(8 * rows * columns, f"the {rows:,} vectors of {reader.path}", "take its .vec file")
    table: NDArray[np.float32] = zero_table(rows, columns)
    fill_table(reader, table[:, :columns])
    return table


def check_shape(reader: Reader, rows: int, columns: int, name: str) -> None:
    """Read the shape of a matrix; FormatError for another, and where the file is too small for it."""
    found = SHAPE.unpack(reader.take(SHAPE.size))
    if found != (rows, columns):
        raise reader.damaged(f"its {name} matrix has {found[0]} x {found[1]} numbers")
    most = most_bytes(reader.path)
    if most is not None and 4 * rows * columns > most:
        raise FormatError(f"{reader.path} claims {rows} x {columns} numbers, the file is too small; was it cut short?")


def fill_table(reader: Reader, table: NDArray[np.float32]) -> None:
    """Read the numbers of a matrix into a table of its shape."""
    for start in range(0, len(table), ROWS_AT_ONCE):
        part = table[start : start + ROWS_AT_ONCE]
        part[:] = np.frombuffer(reader.take(part.size * 4), "<f4").reshape(part.shape)


def read_output(reader: Reader, rows: int, columns: int) -> NDArray[np.float32]:
    """The output matrix, and the end of the file."""
    if reader.is_quantized():
        raise reader.damaged("its output is quantized, its input is not")
    check_shape(reader, rows, columns, "output")
    table: NDArray[np.float32] = np.empty((rows, columns), np.float32)
    fill_table(reader, table)
    reader.check_end()
    check_finite(table, "the output matrix", reader.path)
    return table


def _pass_output(reader: Reader) -> None:
    """Read to the end, so that a file that was cut short is not taken for a whole one."""
    reader.is_quantized()
    rows, columns = SHAPE.unpack(reader.take(SHAPE.size))
    if rows < 0 or columns < 0:
        raise reader.damaged(f"its output matrix has {rows} x {columns} numbers")
    left = 4 * rows * columns
    while left > 0:
        left -= len(reader.take(min(left, _CHUNK)))
    reader.check_end()


def _with_ngrams(
    table: NDArray[np.float32], dictionary: Dictionary, arguments: Arguments, path: Path, options: ReadOptions
) -> VectorData:
    words, dim = dictionary.words, arguments.dim
    counts, provenance = dictionary.counts[:words], provenance_of(arguments)
    texts, _, rows = chosen_rows(dictionary.entries[:words], table[:words], path, "word", options)
    ngrams = ngrams_of(table[words:, :dim].copy(), arguments)  # without the words' rows
    if ngrams is None:
        return VectorData(texts, table[rows, :dim], counts[rows], provenance)
    return VectorData(texts, ngrams.compose_known(texts, table[rows, :dim]), counts[rows], provenance, ngrams)


def ngrams_of(rows: NDArray[np.float32], arguments: Arguments) -> NgramVectors | None:
    """The vectors of all buckets, (buckets, dim); None where the words of a model have no n-grams."""
    if not arguments.bucket or arguments.maxn < max(1, arguments.minn):
        return None
    every = np.arange(arguments.bucket, dtype=np.int32)
    rows.setflags(write=False)
    return NgramVectors(Subwords(max(1, arguments.minn), arguments.maxn, arguments.bucket, every), rows)


def provenance_of(arguments: Arguments) -> dict[str, Any]:
    """What vectors say of the training that they come from."""
    return {**arguments._asdict(), "model": "fastText", "sg": int(arguments.model == SKIPGRAM)}

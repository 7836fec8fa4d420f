"""fastText's binary models: words, the vectors of their character n-grams, and the options of the training.

::

    magic, version          int32 each
    arguments               12 of int32, and a double
    dictionary              size, words, labels (int32), tokens, pruned (int64); then each entry: bytes, 0, count, type
    quantized input?        one byte
    input                   rows, columns (int64), float32 numbers: a row per word, then a row per bucket
    quantized output?, output

fastText of before 2017 wrote neither magic and version, nor ``pruned``, nor the bytes about what is quantized.

All numbers are little-endian. What the beginning claims is compared with the size of the file before memory is taken.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.formats.contract import ReadOptions, VectorData
from windrow.embeddings.formats.rows import chosen_rows, most_bytes
from windrow.embeddings.settings import LONGEST_NGRAM
from windrow.embeddings.subwords import NgramVectors, Subwords
from windrow.errors import FormatError
from windrow.files.compression import creating, reading
from windrow.files.model_file import check_finite
from windrow.machine import check_memory
from windrow.numeric.tables import zero_table

MAGIC, VERSION = 793712314, 12
_SUPERVISED, _SKIPGRAM, _NEGATIVE_SAMPLING = 3, 2, 2
_START, _COUNTS, _ENTRY, _SHAPE = (struct.Struct(layout) for layout in ("<14id", "<3i2q", "<qb", "<2q"))
_ARGUMENTS = struct.Struct("<12id")
_BEFORE, _OLD_COUNTS = struct.Struct("<2i"), struct.Struct("<3iq")  # magic and version; the counts without ``pruned``
_CHUNK = 1 << 20  # bytes read at a time
_LONGEST_WORD = 1 << 16  # bytes
_ROWS_AT_ONCE = 4096
_LEAST_ENTRY = 2 + _ENTRY.size  # bytes: one of the word, a zero, its count and type


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
    counts: NDArray[np.int64]
    is_label: NDArray[np.bool_]
    tokens: int
    pruned: int  # n-grams that were kept when the model was made smaller; -1: it was not


class _Reader:
    """Bytes of a stream that must be there."""

    def __init__(self, stream: IO[bytes], path: Path) -> None:
        self.stream, self.path = stream, path
        self._buffer, self._place = b"", 0
        self.is_old = False  # the layout of before 2017

    def is_quantized(self) -> bool:
        """The byte that says so, which old files lack."""
        return not self.is_old and self.take(1) != b"\0"

    def take(self, size: int) -> bytes:
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

    def is_at_end(self) -> bool:
        return self._place == len(self._buffer) and not self.stream.read(1)

    def _read_more(self) -> None:
        more = self.stream.read(_CHUNK)
        if not more:
            raise FormatError(f"{self.path} ends too early; was it cut short?")
        self._buffer, self._place = self._buffer[self._place :] + more, 0

    def damaged(self, reason: str) -> FormatError:
        return FormatError(f"{self.path} is no sound model of fastText: {reason}; was it damaged?")


def read_fasttext(path: Path, options: ReadOptions) -> VectorData:
    """Read a model of word vectors, with the vectors of all n-grams where it has some."""
    with reading(path) as stream:
        reader = _Reader(stream, path)
        arguments = read_arguments(reader)
        if arguments.model == _SUPERVISED:
            raise FormatError(f"{path} is a classifier of fastText; only its models of word vectors are read")
        dictionary = read_dictionary(reader, most_bytes(path))
        if dictionary.pruned >= 0 or reader.is_quantized():
            raise FormatError(f"{path} is a quantized model of fastText; give the .bin from which it was made")
        words = len(dictionary.entries)
        if dictionary.is_label.any():
            raise reader.damaged("there are labels among its words")
        table = _read_input(reader, words, arguments)
        _pass_output(reader)
    check_finite(table, "the input matrix", path)
    return _with_ngrams(table, dictionary, arguments, path, options)


def read_arguments(reader: _Reader) -> Arguments:
    """The beginning of a model; FormatError for a version or numbers that fastText does not write."""
    start = reader.take(_BEFORE.size)
    magic, version = _BEFORE.unpack(start)
    reader.is_old = magic != MAGIC and magic < 1 << 16  # that is the number of dimensions
    before = start if reader.is_old else b""
    numbers = before + reader.take(_START.size - _BEFORE.size - len(before))
    arguments = Arguments(*_ARGUMENTS.unpack(numbers))
    is_known = magic == MAGIC and 11 <= version <= VERSION
    if not is_known and not (reader.is_old and {arguments.model, arguments.loss} <= {1, 2, 3}):
        raise FormatError(f"{reader.path} is of version {version} of fastText's format; 11 and {VERSION} are read")
    if arguments.dim < 1 or arguments.bucket < 0 or not arguments.minn >= 0 or arguments.maxn > LONGEST_NGRAM:
        shown = f"{arguments.dim} dimensions, {arguments.bucket} buckets, n-grams up to {arguments.maxn}"
        raise reader.damaged(f"it claims {shown}")
    return arguments


def read_dictionary(reader: _Reader, most: int | None) -> Dictionary:
    """Words and labels, with their counts; ``most``: bytes that the file can hold, None if that is not bounded."""
    if reader.is_old:
        size, words, labels, tokens, pruned = *_OLD_COUNTS.unpack(reader.take(_OLD_COUNTS.size)), -1
    else:
        size, words, labels, tokens, pruned = _COUNTS.unpack(reader.take(_COUNTS.size))
    if size < 1 or words < 1 or labels < 0 or words + labels != size or pruned < -1:
        raise reader.damaged(f"{size} entries cannot be {words} words and {labels} labels")
    if most is not None and size * _LEAST_ENTRY > most:
        raise reader.damaged(f"it claims {size} words, the file is too small")
    entries, numbers = [], []
    for _ in range(size):
        entries.append(reader.take_word())
        numbers.append(_ENTRY.unpack(reader.take(_ENTRY.size)))
    counts, types = (np.array(column, np.int64) for column in zip(*numbers, strict=True))
    if counts.min() < 0 or not set(types.tolist()) <= {0, 1}:
        raise reader.damaged("a count is negative or an entry neither a word nor a label")
    return Dictionary(entries, counts, types == 1, tokens, pruned)


def _read_input(reader: _Reader, words: int, arguments: Arguments) -> NDArray[np.float32]:
    """The rows of words and buckets, in a padded table."""
    rows, columns = _SHAPE.unpack(reader.take(_SHAPE.size))
    if columns != arguments.dim or rows != words + arguments.bucket:
        raise reader.damaged(f"its input matrix has {rows} x {columns} numbers")
    most = most_bytes(reader.path)
    if most is not None and 4 * rows * columns > most:
        raise FormatError(f"{reader.path} claims {rows} x {columns} numbers, the file is too small; was it cut short?")
    check_memory(8 * rows * columns, f"the {rows:,} vectors of {reader.path}", "take its .vec file")
    table: NDArray[np.float32] = zero_table(rows, columns)
    for start in range(0, rows, _ROWS_AT_ONCE):
        part = table[start : start + _ROWS_AT_ONCE, :columns]
        part[:] = np.frombuffer(reader.take(part.size * 4), "<f4").reshape(part.shape)
    return table


def _pass_output(reader: _Reader) -> None:
    """Read to the end, so that a file that was cut short is not taken for a whole one."""
    reader.is_quantized()
    rows, columns = _SHAPE.unpack(reader.take(_SHAPE.size))
    if rows < 0 or columns < 0:
        raise reader.damaged(f"its output matrix has {rows} x {columns} numbers")
    left = 4 * rows * columns
    while left > 0:
        left -= len(reader.take(min(left, _CHUNK)))
    if not reader.is_at_end():
        raise reader.damaged("there is more after its end")


def _with_ngrams(
    table: NDArray[np.float32], dictionary: Dictionary, arguments: Arguments, path: Path, options: ReadOptions
) -> VectorData:
    words, dim = len(dictionary.entries), arguments.dim
    counts = dictionary.counts
    provenance = {**arguments._asdict(), "model": "fastText", "sg": int(arguments.model == _SKIPGRAM)}
    texts, _, rows = chosen_rows(dictionary.entries, table[:words], path, "word", options)
    if not arguments.bucket or arguments.maxn < max(1, arguments.minn):
        return VectorData(texts, table[rows, :dim], counts[rows], provenance)
    every = np.arange(arguments.bucket, dtype=np.int32)
    subwords = Subwords(max(1, arguments.minn), arguments.maxn, arguments.bucket, every)
    kept = table[words:, :dim].copy()
    kept.setflags(write=False)
    ngrams = NgramVectors(subwords, kept)
    return VectorData(texts, ngrams.compose_known(texts, table[rows, :dim]), counts[rows], provenance, ngrams)


def write_fasttext(data: VectorData, path: Path) -> None:
    """The inverse of ``read_fasttext``, for skip-gram's vectors; rows that are not known are zero.

    These are buckets that no word is hashed to, and the whole output matrix, from which only training goes on.
    """
    ngrams, (words, dim) = data.ngrams, data.vectors.shape
    minn, maxn, buckets = 0, 0, 0
    if ngrams is not None:
        minn, maxn, buckets = ngrams.subwords.min_n, ngrams.subwords.max_n, ngrams.subwords.buckets
    counts = np.ones(words, np.int64) if data.counts is None else np.maximum(data.counts, 1)
    start = (MAGIC, VERSION, dim, 5, 5, 1, 5, 1, _NEGATIVE_SAMPLING, _SKIPGRAM, buckets, minn, maxn, 100, 1e-4)
    with creating(path) as stream:
        stream.write(_START.pack(*start))
        stream.write(_COUNTS.pack(words, words, 0, int(counts.sum()), -1))
        for word, count in zip(data.words, counts.tolist(), strict=True):
            stream.write(word.encode() + b"\0" + _ENTRY.pack(count, 0))
        stream.write(b"\0" + _SHAPE.pack(words + buckets, dim))
        for start_row in range(0, words, _ROWS_AT_ONCE):
            part = slice(start_row, start_row + _ROWS_AT_ONCE)
            own = data.vectors[part] if ngrams is None else ngrams.own_rows(data.words[part], data.vectors[part])
            stream.write(own.astype("<f4").tobytes())
        _write_buckets(stream, ngrams, dim)
        stream.write(b"\0" + _SHAPE.pack(words, dim))
        _write_zeros(stream, words, dim)


def _write_buckets(stream: IO[bytes], ngrams: NgramVectors | None, dim: int) -> None:
    if ngrams is None:
        return
    subwords, buckets = ngrams.subwords, ngrams.subwords.buckets
    order = np.argsort(subwords.used)
    used = subwords.used[order]
    for start in range(0, buckets, _ROWS_AT_ONCE):
        part = np.zeros((min(_ROWS_AT_ONCE, buckets - start), dim), "<f4")
        first, last = np.searchsorted(used, [start, start + len(part)])
        part[used[first:last] - start] = ngrams.vectors[order[first:last]]
        stream.write(part.tobytes())


def _write_zeros(stream: IO[bytes], rows: int, dim: int) -> None:
    for start in range(0, rows, _ROWS_AT_ONCE):
        stream.write(bytes(4 * dim * min(_ROWS_AT_ONCE, rows - start)))

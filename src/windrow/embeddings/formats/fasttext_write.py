"""fastText's binary models are written here: vectors of words and n-grams, and what training goes on from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.formats.contract import VectorData
from windrow.embeddings.formats.fasttext_bin import (
    COUNTS,
    ENTRY,
    MAGIC,
    ROWS_AT_ONCE,
    SHAPE,
    SKIPGRAM,
    START,
    VERSION,
    Arguments,
)
from windrow.embeddings.subwords import NgramVectors
from windrow.files.compression import creating

CBOW = 1
LOSSES = {"hs": 1, "ns": 2, "softmax": 3}  # by the names of our output layers
_OURS = {"window": "ws", "epochs": "epoch", "min_count": "min_count", "negative": "neg", "sample": "t"}
_UNKNOWN = Arguments(0, 5, 5, 1, 5, 1, LOSSES["ns"], SKIPGRAM, 0, 0, 0, 100, 1e-4)  # fastText's defaults
_LARGEST = 2**31 - 1


def write_fasttext(data: VectorData, path: Path) -> None:
    """The inverse of ``read_fasttext``; rows that are not known are zero.

    These are buckets that no word is hashed to, and the whole output matrix, from which only training goes on.
    """
    ngrams, words = data.ngrams, len(data.words)
    counts = np.ones(words, np.int64) if data.counts is None else data.counts

    def own_rows(start: int, stop: int) -> NDArray[Any]:
        vectors = data.vectors[start:stop]
        return vectors if ngrams is None else ngrams.own_rows(data.words[start:stop], vectors)

    arguments = arguments_of(data.provenance, data.vectors.shape[1], ngrams)
    write_model(path, arguments, data.words, counts, own_rows, ngrams, None)


def arguments_of(parameters: Mapping[str, Any], dim: int, ngrams: NgramVectors | None) -> Arguments:
    """fastText's options for a model of these parameters of ``Word2Vec``, or of fastText; its defaults for the rest."""
    found: dict[str, Any] = {theirs: parameters.get(ours) for ours, theirs in _OURS.items()}
    if parameters.get("model") == "fastText":
        found = {name: parameters.get(name) for name in Arguments._fields}
    elif "sg" in parameters:
        names = str(parameters.get("loss") or ("hs" if parameters.get("hs") else "ns")).split("+")
        found |= {"model": SKIPGRAM if parameters["sg"] else CBOW, "loss": LOSSES.get(names[0])}
    known = {name: value for name, value in found.items() if _is_argument(name, value)}
    min_n, max_n, buckets = (0, 0, 0) if ngrams is None else ngrams.subwords.sizes
    return _UNKNOWN._replace(**{**known, "dim": dim, "minn": min_n, "maxn": max_n, "bucket": buckets})


def _is_argument(name: str, value: object) -> bool:
    if name == "t":
        return isinstance(value, int | float) and 0 <= value <= 1
    return isinstance(value, int) and 0 <= value <= _LARGEST


def write_model(
    path: Path,
    arguments: Arguments,
    words: Sequence[str],
    counts: NDArray[np.int64],
    own_rows: Callable[[int, int], NDArray[Any]],
    ngrams: NgramVectors | None,
    output: NDArray[np.float32] | None,
) -> None:
    """Write a model; ``own_rows(start, stop)`` are those of some words, ``output`` is (words, dim), None: zeros."""
    number, dim, counts = len(words), arguments.dim, np.maximum(counts, 1)
    *whole, sample = arguments
    with creating(path) as stream:
        stream.write(START.pack(MAGIC, VERSION, *whole, sample))
        stream.write(COUNTS.pack(number, number, 0, int(counts.sum()), -1))
        for word, count in zip(words, counts.tolist(), strict=True):
            stream.write(word.encode() + b"\0" + ENTRY.pack(count, 0))
        stream.write(b"\0" + SHAPE.pack(number + arguments.bucket, dim))
        _write_rows(stream, own_rows, number)
        if ngrams is not None:
            _write_buckets(stream, ngrams, dim)
        stream.write(b"\0" + SHAPE.pack(number, dim))
        if output is None:
            _write_rows(stream, lambda start, stop: np.zeros((stop - start, dim)), number)
        else:
            _write_rows(stream, lambda start, stop: output[start:stop], number)


def _write_rows(stream: IO[bytes], rows: Callable[[int, int], NDArray[Any]], number: int) -> None:
    for start in range(0, number, ROWS_AT_ONCE):
        stream.write(rows(start, min(start + ROWS_AT_ONCE, number)).astype("<f4").tobytes())


def _write_buckets(stream: IO[bytes], ngrams: NgramVectors, dim: int) -> None:
    subwords, buckets = ngrams.subwords, ngrams.subwords.buckets
    order = np.argsort(subwords.used)
    used = subwords.used[order]
    for start in range(0, buckets, ROWS_AT_ONCE):
        part = np.zeros((min(ROWS_AT_ONCE, buckets - start), dim), "<f4")
        first, last = np.searchsorted(used, [start, start + len(part)])
        part[used[first:last] - start] = ngrams.vectors[order[first:last]]
        stream.write(part.tobytes())

"""Smaller text classifiers: only the features with the longest vectors, as fastText's quantize has it; 8 bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from windrow.classification.features import Features
from windrow.corpus.subwords import SENTENCE_END
from windrow.outputs.quantized import from_codes, to_codes

_ROWS_AT_A_TIME = 1 << 16


def longest_rows(features: Features, vectors: NDArray[np.float32], number: int) -> NDArray[np.int64]:
    """The rows of so many of the longest vectors, in the order of the table; the end of a text is always among them.

    What a text says little about has learned little: the vectors of such words and n-grams stay short.
    """
    squares = np.concatenate([np.zeros(0, np.float32), *map(_squares, _parts(vectors))])
    if SENTENCE_END in features.words:
        squares[features.words.index(SENTENCE_END)] = np.inf
    return np.sort(np.argsort(-squares, kind="stable")[:number])


def with_rows(features: Features, rows: NDArray[np.int64]) -> Features:
    """The features of these rows, in the same order."""
    words = len(features.words)
    kept = rows[rows >= words] - words
    return Features([features.words[row] for row in rows[rows < words]], features.ngrams, features.seen_buckets[kept])


def rounded(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same as 8 bits and a scale for each row give back."""
    found = np.empty_like(vectors)
    for part, into in zip(_parts(vectors), _parts(found), strict=True):
        codes, scales = to_codes(part)
        into[:] = from_codes(codes, scales)
    return found


def _parts(table: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    return [table[first : first + _ROWS_AT_A_TIME] for first in range(0, len(table), _ROWS_AT_A_TIME)]


def _squares(part: NDArray[np.float32]) -> NDArray[np.float32]:
    found: NDArray[np.float32] = np.einsum("rd,rd->r", part, part)
    return found

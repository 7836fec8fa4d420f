"""Vectors of sentences: weighted sums of the rows of their words.

Rows are read at random from a table that is larger than the processor's cache, which takes longer than to add them. So
the rows of the words to come are asked for early, and each is then added in parts of 64 numbers, whose sums over a
sentence stay in registers.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.numeric.jit import kernel
from windrow.numeric.simd import LANES, broadcast, load, multiply_add, prefetch, store, zero

_AHEAD = 24  # words after a sentence whose rows are on their way
_WIDE = 4 * LANES


class WeightedRows(NamedTuple):
    """The vectors of words, and what each adds to the sum of a sentence and to the number that divides it."""

    rows: NDArray[np.float32]  # flat (words, dim)
    weights: NDArray[np.float32]  # (words,)
    shares: NDArray[np.float32]  # (words,)


def weighted_rows(rows: NDArray[np.float32], weights: NDArray[np.float32], shares: NDArray[np.float32]) -> WeightedRows:
    """For rows (words, dim) without gaps; read-only, whatever they are, so that the kernel is compiled once."""
    views = WeightedRows(rows.reshape(-1), weights.view(), shares.view())
    for view in views:
        view.setflags(write=False)
    return views


@kernel
def sum_sentences(
    table: WeightedRows,
    ids: NDArray[np.int32],
    ends: NDArray[np.int64],
    dim: int,
    sums: NDArray[np.float32],
    divisors: NDArray[np.float64],
) -> None:
    """Write the sum of weight * row over the words of each sentence, and the sum of their shares.

    Sentence s is ``ids[ends[s - 1] : ends[s]]``. ``sums``: flat (sentences, dim); ``divisors``: (sentences,).
    """
    first, ahead = np.int64(0), 0
    for sentence in range(ends.size):
        stop = ends[sentence]
        while ahead < min(stop + _AHEAD, ids.size):
            row = np.int64(ids[ahead]) * dim
            for k in range(row, row + dim, LANES):
                prefetch(table.rows, k)
            ahead += 1
        divisor = 0.0
        for i in range(first, stop):
            divisor += table.shares[ids[i]]
        divisors[sentence] = divisor
        words, place = ids[first:stop], sentence * dim
        # A last part that is not whole begins earlier: some of its sums are written twice.
        if dim >= _WIDE:
            for column in range(0, dim, _WIDE):
                sum_64(table, words, dim, min(column, dim - _WIDE), sums, place)
        elif dim >= LANES:
            for column in range(0, dim, LANES):
                sum_16(table, words, dim, min(column, dim - LANES), sums, place)
        else:
            for column in range(dim):
                sum_one(table, words, dim, column, sums, place)
        first = stop


@kernel
def sum_64(table: WeightedRows, words: NDArray[np.int32], dim: int, column: int, sums: Any, place: int) -> None:
    """Write 64 columns of the sum over some words, from a column on; ``place``: where the row of sums begins."""
    rows = table.rows
    sum_0, sum_1, sum_2, sum_3 = zero(rows), zero(rows), zero(rows), zero(rows)
    for word in words:
        at: Any = np.int64(word) * dim + column
        weight = broadcast(table.weights[word])
        sum_0 = multiply_add(weight, load(rows, at), sum_0)
        sum_1 = multiply_add(weight, load(rows, at + LANES), sum_1)
        sum_2 = multiply_add(weight, load(rows, at + 2 * LANES), sum_2)
        sum_3 = multiply_add(weight, load(rows, at + 3 * LANES), sum_3)
    store(sums, place + column, sum_0)
    store(sums, place + column + LANES, sum_1)
    store(sums, place + column + 2 * LANES, sum_2)
    store(sums, place + column + 3 * LANES, sum_3)


@kernel
def sum_16(table: WeightedRows, words: NDArray[np.int32], dim: int, column: int, sums: Any, place: int) -> None:
    """As ``sum_64``, of 16 columns."""
    total = zero(table.rows)
    for word in words:
        at: Any = np.int64(word) * dim + column
        total = multiply_add(broadcast(table.weights[word]), load(table.rows, at), total)
    store(sums, place + column, total)


@kernel
def sum_one(table: WeightedRows, words: NDArray[np.int32], dim: int, column: int, sums: Any, place: int) -> None:
    """As ``sum_64``, of one column."""
    total = np.float32(0)
    for word in words:
        total += table.weights[word] * table.rows[np.int64(word) * dim + column]
    sums[place + column] = total

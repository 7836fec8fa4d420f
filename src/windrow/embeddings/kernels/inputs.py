"""The input table, and words whose vectors are made of several of its rows: their own and those of their n-grams.

fastText's sub-words (Bojanowski et al. 2017): the vector of a word is the mean of its rows, or for CBOW their sum,
since the mean of a window is over all rows of all its words. Each row gets the whole gradient, as in fastText and
gensim, and not its share by the chain rule.

Kernels that gather hidden rows know only of one row per word. So before a block the vectors of its words are composed
in a small table, where the gather reads them; the scatter notes changes in another, and each is then added to all rows
of its word. This costs one pass over the rows per word of a block, however many pairs the word is in.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.kernels.windows import ALL_TAKE_ALL, Chunk
from windrow.numeric.jit import kernel
from windrow.numeric.rows import give_slot
from windrow.numeric.simd import LANES, add, broadcast, load, multiply, multiply_add, prefetch, store, zero
from windrow.numeric.tables import zero_table


class WordRows(NamedTuple):
    """The rows of the input table behind each word: ``rows[starts[w] : starts[w + 1]]``, its own first."""

    rows: NDArray[np.int32]
    starts: NDArray[np.int64]  # (words + 1,)


class Inputs(NamedTuple):
    """The input table, and a worker's scratch; with one row per word all arrays but the table are empty."""

    table: NDArray[Any]  # flat (rows, stride)
    word_rows: WordRows
    shares: NDArray[np.float32]  # (rows,): the part of its updates that each row takes; or (0,): all take all
    composed: NDArray[Any]  # flat (words of a block, stride): their vectors
    changes: NDArray[Any]  # flat (words of a block, stride): what each of their rows is to get
    distinct: NDArray[np.int32]  # (words of a block,)
    slots: NDArray[np.int32]  # (words,): -1 between two blocks


def new_inputs(
    table: NDArray[Any],
    word_rows: WordRows | None = None,
    most_words: int = 0,
    shares: NDArray[np.float32] | None = None,
) -> Inputs:
    """A table (rows, stride), and scratch for up to ``most_words`` words at a time; None: row w is that of word w.

    ``shares`` are for words of several rows; where each has one, they are part of the chunk.
    """
    if word_rows is None:
        word_rows, most_words = WordRows(np.empty(0, np.int32), np.zeros(1, np.int64)), 0
    composed, changes = (zero_table(most_words, table.shape[1], table.dtype).reshape(-1) for _ in range(2))
    distinct, slots = np.empty(most_words, np.int32), np.full(len(word_rows.starts) - 1, -1, np.int32)
    shares = ALL_TAKE_ALL if shares is None else shares
    return Inputs(table.reshape(-1), word_rows, shares, composed, changes, distinct, slots)


def with_rows(chunk: Chunk, word_rows: WordRows) -> Chunk:
    """The chunk with room for the places of composed vectors, and the numbers of rows of its words."""
    numbers = word_rows.starts[chunk.words + 1] - word_rows.starts[chunk.words]
    rows_before = np.zeros(len(numbers) + 1, np.int64)
    np.cumsum(numbers, out=rows_before[1:])
    return chunk._replace(rows=np.empty_like(chunk.words), rows_before=rows_before)


@kernel
def compose_words(chunk: Chunk, first: int, last: int, inputs: Inputs, stride: int, mean: bool) -> Any:
    """Compose the vectors of the words from position ``first`` to ``last - 1``; returns how many words are distinct.

    ``chunk.rows`` gets the place of each among ``inputs.composed``; their places in ``inputs.changes`` are set to zero.
    """
    known = 0
    for position in range(first, last):
        if position + 1 < last:
            _prefetch_rows(chunk.words[position + 1], inputs, stride)
        word, before = chunk.words[position], known
        known = give_slot(word, inputs.slots, inputs.distinct, known)
        chunk.rows[position] = inputs.slots[word]
        if known > before:
            place = before * stride
            _compose(word, inputs.table, inputs.word_rows, stride, mean, inputs.composed, place)
            for k in range(place, place + stride, LANES):
                store(inputs.changes, k, zero(inputs.changes))
    for slot in range(known):
        inputs.slots[inputs.distinct[slot]] = -1
    return known


@kernel(inline=True)
def _prefetch_rows(word: int, inputs: Inputs, stride: int) -> None:
    word_rows = inputs.word_rows
    for i in range(word_rows.starts[word], word_rows.starts[word + 1]):
        for k in range(0, stride, LANES):
            prefetch(inputs.table, int(word_rows.rows[i]) * stride + k)


@kernel(inline=True)
def _compose(
    word: int, table: NDArray[Any], word_rows: WordRows, stride: int, mean: bool, composed: NDArray[Any], place: int
) -> None:
    """``composed[place:]`` = the mean or sum of the rows of a word."""
    start, stop, rows = word_rows.starts[word], word_rows.starts[word + 1], word_rows.rows
    scale = broadcast(table.dtype.type(1 / (stop - start) if mean else 1))
    for k in range(0, stride, LANES):
        row_sum = load(table, int(rows[start]) * stride + k)
        for i in range(start + 1, stop):
            row_sum = add(row_sum, load(table, int(rows[i]) * stride + k))
        store(composed, place + k, multiply(scale, row_sum))


@kernel
def compose_vocabulary(table: NDArray[Any], word_rows: WordRows, stride: int, composed: NDArray[Any]) -> None:
    """The mean of the rows of each word; both tables are flat."""
    for word in range(word_rows.starts.size - 1):
        _compose(word, table, word_rows, stride, True, composed, word * stride)


@kernel
def add_changes(words: int, inputs: Inputs, stride: int) -> None:
    """Add the changes of the words that were composed to all their rows."""
    table, rows, starts = inputs.table, inputs.word_rows.rows, inputs.word_rows.starts
    is_part = inputs.shares.size > 0
    for slot in range(words):
        word, place = inputs.distinct[slot], slot * stride
        for i in range(starts[word], starts[word + 1]):
            target = int(rows[i]) * stride
            if is_part:
                share = broadcast(table.dtype.type(inputs.shares[rows[i]]))
                for k in range(0, stride, LANES):
                    change = load(inputs.changes, place + k)
                    store(table, target + k, multiply_add(share, change, load(table, target + k)))
            else:
                for k in range(0, stride, LANES):
                    store(table, target + k, add(load(table, target + k), load(inputs.changes, place + k)))

"""From word to word through a packed trie: one step, several steps at once, or a sentence.

What is remembered of the words so far, a state, says what the table has found of the contexts of 1 to N - 1 words, N
being the order: no context is looked up again. The context of k words are the last k words.

    cells   | successors of the context of 1 word | ... | of N - 1 words | weights, float32 |
    weights | log10 back-off of the context of 1 word | ... | of N - 1 words | number of contexts | 0 if there is room |

Successors are a number as ``walk.successors_of`` gives it. Of a context on which no later score depends, since it
begins no stored n-gram and has no back-off weight, both are 0, as of contexts that are not stored. So states with equal
cells give equal scores for whatever follows. KenLM cuts its states in the same way (Heafield 2011, after Li and
Khudanpur 2008). The number of contexts, the empty one not counted, matters only if unseen contexts have a weight; else
it is 0.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numba import types
from numpy.typing import NDArray

from windrow.lm.ngram.kernels.located import state_cells_at, trie_at, unseen_backoff_at, words_at
from windrow.lm.ngram.kernels.packed_trie import (
    UNIGRAM_BACKOFF,
    UNIGRAM_PROB,
    PackedTrie,
    backoff_at,
    find,
    home,
    prob_at,
    reader,
)
from windrow.lm.ngram.kernels.walk import list_in, single_in, successors_of
from windrow.lm.symbols import BOS
from windrow.numeric.addresses import address_of, array_at
from windrow.numeric.jit import direct, kernel
from windrow.numeric.simd import prefetch

_AHEAD = 32  # states whose records are fetched before the first of them is read
_ZERO = np.float32(0)


class StateAt(NamedTuple):
    """The memory of a state."""

    cells: NDArray[np.uint64]
    weights: NDArray[np.float32]  # the same memory, from the first cell on


@kernel(inline=True)  # what is compiled without reference counts returns no arrays
def state_at(address: int, width: int) -> Any:
    """The state that begins at an address; ``width``: its cells."""
    return StateAt(array_at(address, (width,), np.uint64), array_at(address, (2 * width,), np.float32))


@kernel
def remember(trie: PackedTrie, order: int, address: int, state: StateAt) -> None:
    """Write to a state what it holds of the stored n-gram of that order, which is the context of so many words."""
    longest = trie.fields.shape[0] - 2
    successors = successors_of(trie, order, address)
    if order == 1:
        backoff, least = trie.floats[address, UNIGRAM_BACKOFF], _ZERO
    else:
        read = reader(trie, order)
        backoff = backoff_at(trie, np.uint64(order), address, read)
        least = np.float32(0.501) * read.backoff_step  # codes lie a step apart: 0 may be stored as half a step
    if successors == 0 and abs(backoff) <= least:
        backoff = _ZERO  # nor -0
    state.cells[order - 1] = successors
    state.weights[2 * longest + order - 1] = backoff


@kernel
def step_between(trie_address: int, state: int, word: int, new_state: int) -> Any:
    """log10 p of one more word after a state, and the order of the longest n-gram found.

    Both are those of ``query.score``, up to rounding. ``state`` and ``new_state`` are the addresses of the state and
    of the memory for the one after the word; to hand over all the arrays of a trie would take as long as the step.
    """
    trie, unseen_backoff, width = trie_at(trie_address), unseen_backoff_at(trie_address), state_cells_at(trie_address)
    before, after = state_at(state, width), state_at(new_state, width)
    longest = trie.fields.shape[0] - 2  # words of the longest context
    contexts = before.weights[3 * longest]
    for i in range(width):
        after.cells[i] = 0
    if longest > 0:
        remember(trie, 1, word, after)
    if unseen_backoff != 0:
        after.weights[3 * longest] = min((_ZERO if word == BOS else contexts) + 1, longest)
    if word == BOS:  # which begins a sentence and is never predicted
        return 0.0, np.int64(0)
    total, matched = np.float64(trie.floats[word, UNIGRAM_PROB]), np.int64(1)
    for k in range(1, longest + 1):
        total += before.weights[2 * longest + k - 1]
        successors = before.cells[k - 1]
        if successors == 0:
            continue
        first, size = list_in(trie, k, successors)
        if first < 0:
            only, prob = single_in(trie, k, successors)
            if only == word:
                total, matched = np.float64(prob), np.int64(k + 1)
            continue
        read = reader(trie, k + 1)
        at = find(trie, read, first, size, np.uint64(word))
        if at >= 0:
            total, matched = np.float64(prob_at(trie, np.uint64(k + 1), at, read)), np.int64(k + 1)
            if k < longest:
                remember(trie, k + 1, at, after)
    return total + unseen_backoff * contexts, matched


@kernel
def fetch(trie_address: int, state: int, word: int) -> None:
    """Start loading what a step by a word reads: the word's unigram, and where each context should have its record."""
    trie = trie_at(trie_address)
    cells = state_at(state, state_cells_at(trie_address)).cells
    prefetch(trie.unigrams, 4 * word)
    for k in range(1, trie.fields.shape[0] - 1):
        successors = cells[k - 1]
        if successors == 0:
            continue
        first, size = list_in(trie, k, successors)
        if first >= 0 and size > 0:
            read = reader(trie, k + 1)
            at = read.base + (first + home(word, size)) * read.width
            prefetch(trie.records, at)
            prefetch(trie.records, at + 2 * read.width - 1)


@kernel
def full_step(trie_address: int, state: bytes, word: int, new_state: bytes) -> Any:
    """``step_between``, from a state to memory of the same size that nobody has read yet.

    NaN for what is no word, and for states of another size.
    """
    size = 8 * state_cells_at(trie_address)
    if not (0 <= word < words_at(trie_address) and len(state) == size == len(new_state)):
        return np.nan, np.int64(0)
    fetch(trie_address, address_of(state), word)
    return step_between(trie_address, address_of(state), word, address_of(new_state))


@kernel
def step(trie_address: int, state: bytes, word: int, new_state: bytes) -> Any:
    """``full_step`` without the order of the n-gram, which would have to be made a Python object."""
    return full_step(trie_address, state, word, new_state)[0]


def _direct(function: Callable[..., Any]) -> Callable[..., Any]:
    """A step as directly as Python can call machine code."""
    memory = types.Bytes(types.uint8, 1, "C", readonly=True)
    return direct(function, types.int64, memory, types.int64, memory)


@cache
def direct_step() -> Callable[..., float]:
    """``step`` to call from Python."""
    return _direct(step)


@cache
def direct_full_step() -> Callable[..., tuple[float, int]]:
    """``full_step`` to call from Python."""
    return _direct(full_step)


@kernel
def step_each(
    trie_address: int,
    cells: NDArray[np.int64],
    words: NDArray[np.int64],
    new_cells: NDArray[np.int64],
    scores: NDArray[np.float64],
) -> Any:
    """``step_between`` from each of several states by a word of its own; the sum of the scores, NaN as of ``step``.

    ``cells`` and ``new_cells``, flat: (n * cells of a state,); ``words``, ``scores``: (n,).
    """
    size = 8 * state_cells_at(trie_address)
    if not 8 * cells.size == size * words.size == 8 * new_cells.size:
        return np.nan
    state, new_state = address_of(cells), address_of(new_cells)
    for row in range(min(_AHEAD, words.size)):
        fetch(trie_address, state + size * row, words[row])
    total = 0.0
    for row in range(words.size):
        if row + _AHEAD < words.size:
            fetch(trie_address, state + size * (row + _AHEAD), words[row + _AHEAD])
        if not 0 <= words[row] < words_at(trie_address):
            return np.nan
        scores[row] = step_between(trie_address, state + size * row, words[row], new_state + size * row)[0]
        total += scores[row]
    return total


@kernel
def step_through(
    trie_address: int,
    cells: NDArray[np.int64],
    words: NDArray[np.int64],
    scores: NDArray[np.float64],
    orders: NDArray[np.int64],
) -> Any:
    """``step_between`` by one word after another; the sum of the scores, which is NaN as that of ``step`` may be.

    ``cells``, of two states: the first is that before the first word; both are written.
    """
    size = 8 * state_cells_at(trie_address)
    if 8 * cells.size != 2 * size:
        return np.nan
    states = address_of(cells)
    total = 0.0
    for i in range(words.size):
        if not 0 <= words[i] < words_at(trie_address):
            return np.nan
        state, new_state = states + size * (i & 1), states + size * (1 - (i & 1))
        fetch(trie_address, state, words[i])
        scores[i], orders[i] = step_between(trie_address, state, words[i], new_state)
        total += scores[i]
    return total

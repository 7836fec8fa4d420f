"""From word to word through a packed trie: one step, several steps at once, or a sentence.

What is remembered of the words so far, a state, are ``order`` whole numbers:

    cells   | address of the context of 1 word | ... | of order - 1 words | how many contexts there are |

The context of k words are the last k words. Its cell is -1 if it is not stored. It is also -1 if no later score depends
on this context or a longer one: they begin no stored n-gram and have no back-off weight. So states with equal cells
give equal scores for whatever follows. KenLM cuts its states in the same way (Heafield 2011, after Li and Khudanpur
2008). How many contexts there are, the empty one not counted, matters only if unseen contexts have a weight; else it is
0.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from windrow.lm.ngram.kernels.located import trie_at, unseen_backoff_at
from windrow.lm.ngram.kernels.packed_trie import (
    PAD,
    UNIGRAM_BACKOFF,
    UNIGRAM_PROB,
    PackedTrie,
    backoff_at,
    find,
    home,
    prob_at,
    reader,
)
from windrow.lm.ngram.kernels.walk import backoff_of, single_successor, successor_list
from windrow.lm.symbols import BOS
from windrow.numeric.jit import direct, kernel
from windrow.numeric.simd import prefetch

_AT_ONCE = 32  # states whose records are fetched together


@kernel
def holds(trie: PackedTrie, order: int, address: int) -> Any:
    """Whether an n-gram of that order can have this address; another would lead out of the arrays."""
    if order == 1:
        return 0 <= address < trie.unigrams.shape[0]
    return 0 <= address <= trie.records.size - PAD - reader(trie, order).width


@kernel
def matters(trie: PackedTrie, order: int, address: int) -> Any:
    """Whether scores depend on this context: it begins stored n-grams, or has a back-off weight other than 1."""
    first, size = successor_list(trie, order, address)
    if first < 0 or size > 0:
        return True
    if order == 1:
        return trie.floats[address, UNIGRAM_BACKOFF] != 0
    read = reader(trie, order)
    # Codes lie a step apart, so that 0 may be stored as a number up to half a step away.
    return abs(backoff_at(trie, np.uint64(order), address, read)) > np.float32(0.501) * read.backoff_step


@kernel
def step_between(
    trie: PackedTrie,
    unseen_backoff: float,
    cells: NDArray[np.int64],
    start: int,
    word: int,
    new_cells: NDArray[np.int64],
    new_start: int,
) -> Any:
    """log10 p of one more word after the state at ``cells[start:]``, and the order of the longest n-gram found.

    Both are those of ``query.score``, up to rounding. The state after it goes to ``new_cells[new_start:]``. NaN for
    cells that are of no state of this trie.
    """
    order = trie.fields.shape[0] - 1
    last, new_last = start + order - 1, new_start + order - 1
    contexts = cells[last]
    new_cells[new_start : new_last + 1] = -1
    new_cells[new_last] = 0 if unseen_backoff == 0 else min((0 if word == BOS else contexts) + 1, order - 1)
    if word == BOS:  # which begins a sentence and is never predicted
        if order > 1:
            new_cells[new_start] = BOS
        return 0.0, np.int64(0)
    total, matched = np.float64(trie.floats[word, UNIGRAM_PROB]), np.int64(1)
    longest = 0
    if order > 1:
        new_cells[new_start] = word
        longest = 1 if matters(trie, 1, word) else 0
    for k in range(1, order):
        address = cells[start + k - 1]
        if address < 0:
            continue
        if not holds(trie, k, address):
            return np.nan, np.int64(0)
        total += backoff_of(trie, k, address)
        first, size = successor_list(trie, k, address)
        if first < 0:
            only, prob = single_successor(trie, k, address)
            if only == word:
                total, matched = np.float64(prob), np.int64(k + 1)
            continue
        read = reader(trie, k + 1)
        at = find(trie, read, first, size, np.uint64(word))
        if at >= 0:
            total, matched = np.float64(prob_at(trie, np.uint64(k + 1), at, read)), np.int64(k + 1)
            if k + 1 < order:
                new_cells[new_start + k] = at
                longest = k + 1 if matters(trie, k + 1, at) else longest
    new_cells[new_start + longest : new_last] = -1
    return total + unseen_backoff * contexts, matched


@kernel
def step(trie_address: int, cells: NDArray[np.int64], word: int, new_cells: NDArray[np.int64]) -> Any:
    """As ``step_between``, without the order; NaN also for what is no word or no state of a trie of this order."""
    trie = trie_at(trie_address)
    order = trie.fields.shape[0] - 1
    if not (0 <= word < trie.unigrams.shape[0] and cells.size == order == new_cells.size):
        return np.nan
    return step_between(trie, unseen_backoff_at(trie_address), cells, 0, word, new_cells, 0)[0]


@cache
def direct_step() -> Callable[..., float]:
    """``step``, called as directly as Python can call machine code."""
    return direct(step, types.int64, types.int64[::1], types.int64, types.int64[::1])


@kernel
def fetch(trie: PackedTrie, cells: NDArray[np.int64], first: int, last: int) -> None:
    """Start loading the contexts of the states at rows ``first`` to ``last`` of ``cells``, in a flat array."""
    order = trie.fields.shape[0] - 1
    for at in range(first * order, last * order):
        k = at % order + 1
        if 1 < k < order and holds(trie, k, cells[at]):
            prefetch(trie.records, cells[at])


@kernel
def fetch_successors(
    trie: PackedTrie, cells: NDArray[np.int64], words: NDArray[np.int64], first: int, last: int
) -> None:
    """Start loading where each state's contexts should have the next word among their successors."""
    order = trie.fields.shape[0] - 1
    for row in range(first, last):
        for k in range(1, order):
            address = cells[row * order + k - 1]
            if not holds(trie, k, address):
                continue
            slot, size = successor_list(trie, k, address)
            if slot >= 0 and size > 0:
                read = reader(trie, k + 1)
                prefetch(trie.records, read.base + (slot + home(words[row], size)) * read.width)


@kernel
def step_each(
    trie_address: int,
    cells: NDArray[np.int64],
    words: NDArray[np.int64],
    new_cells: NDArray[np.int64],
    scores: NDArray[np.float64],
    orders: NDArray[np.int64],
) -> None:
    """``step_between`` from each of several states by a word of its own; words are not checked.

    ``cells`` and ``new_cells``, flat: (n * order,); ``words``, ``scores``, ``orders``: (n,).
    """
    trie, unseen_backoff = trie_at(trie_address), unseen_backoff_at(trie_address)
    order = trie.fields.shape[0] - 1
    for first in range(0, words.size, _AT_ONCE):
        last = min(first + _AT_ONCE, words.size)
        fetch(trie, cells, first, last)
        fetch_successors(trie, cells, words, first, last)
        for row in range(first, last):
            scores[row], orders[row] = step_between(
                trie, unseen_backoff, cells, row * order, words[row], new_cells, row * order
            )


@kernel
def step_through(
    trie_address: int,
    cells: NDArray[np.int64],
    words: NDArray[np.int64],
    scores: NDArray[np.float64],
    orders: NDArray[np.int64],
) -> Any:
    """``step_between`` by one word after another; the sum of the scores, which is NaN as that of ``step`` may be.

    ``cells``, (2 * order,): the first half is the state before the first word; both halves are written.
    """
    trie, unseen_backoff = trie_at(trie_address), unseen_backoff_at(trie_address)
    order = trie.fields.shape[0] - 1
    total = 0.0
    for i in range(words.size):
        if not (0 <= words[i] < trie.unigrams.shape[0] and cells.size == 2 * order):
            return np.nan
        before = order * (i & 1)
        scores[i], orders[i] = step_between(trie, unseen_backoff, cells, before, words[i], cells, order - before)
        total += scores[i]
    return total

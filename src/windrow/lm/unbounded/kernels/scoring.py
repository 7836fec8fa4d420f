"""Probabilities after contexts of any length: Kneser-Ney smoothing, order by order, over the counts of ``contexts``.

A *state* is the ranges of the contexts that end at the last word: row k - 1 holds that of the last k words, as long as
they stand in the text. An n-gram has at most ``longest`` words, and so a context one less.

    p(w | h) = (max(c(h w) - D(c(h w)), 0) + sum_j D(j) n_j(h) * p(w | h')) / c(h)

c are adjusted counts, n_j(h) how many n-grams that begin with h have the count j, D the discounts of their order, and
h' is h without its first word (Chen & Goodman 1999, sections 2.7 and 3).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.lm.symbols import BOS
from windrow.lm.unbounded.kernels.contexts import (
    Float64s,
    Index,
    Int32s,
    Int64s,
    Tally,
    count_of,
    narrowed,
    next_word,
    position_at,
    tally_of,
    word_at,
)
from windrow.numeric.jit import kernel


@kernel
def extended(index: Index, state: Int64s, depth: int, word: Any, after: Int64s) -> Any:
    """Write the ranges of the n-grams that end at one more word to ``after``, and return how many there are.

    ``state``: (depth, 2) or more. ``after``: room for depth + 1 rows.
    """
    left, right = index.starts[word], index.starts[word + 1]
    if left == right:
        return 0
    after[0, 0], after[0, 1] = left, right
    if word == BOS or depth == 0:
        return 1
    ending = position_at(index, state[depth - 1, 0])  # an occurrence of the longest context
    words = 1
    while words <= depth and right - left > 1:
        left, right = narrowed(index, left, right, words, word_at(index, ending - words + 1))
        if left == right:
            break
        after[words, 0], after[words, 1] = left, right
        words += 1
    if right - left == 1:  # the one occurrence is compared word by word
        other = position_at(index, left)
        while words <= depth and word_at(index, other - words) == word_at(index, ending - words + 1):
            after[words, 0], after[words, 1] = left, right
            words += 1
    return words


@kernel
def _reserved(tally: Tally, discounts: Float64s) -> Any:
    """The part of a context's probability that goes to the shorter context."""
    return (discounts[1] * tally.ones + discounts[2] * tally.twos + discounts[3] * tally.more) / tally.total


@kernel
def probability(
    index: Index,
    unigrams: Float64s,
    discounts: Float64s,
    state: Int64s,
    depth: int,
    word: Any,
    after: Int64s,
    depth_after: int,
    scratch: Int64s,
) -> Any:
    """The probability of a word in a state, given the ranges ``after`` of the n-grams that it ends.

    ``unigrams``: (words,). ``discounts``, (orders, 4): of the counts 0, 1, 2, 3 and above; the last row also for all
    higher orders. ``scratch``: (FREQUENT,).
    """
    prob = unigrams[word]
    for k in range(1, depth + 1):
        if state[k - 1, 1] - state[k - 1, 0] == 1:
            return _after_one(index, discounts, state, depth, k, prob, depth_after)
        row = discounts[min(k, discounts.shape[0] - 1)]
        tally = tally_of(index, state[k - 1, 0], state[k - 1, 1], k, scratch)
        if tally.total <= 0:
            continue
        prob *= _reserved(tally, row)
        if depth_after > k:
            count = count_of(index, after[k, 0], after[k, 1], k + 1)
            prob += max(count - row[min(count, 3)], 0.0) / tally.total
    return prob


@kernel
def _after_one(
    index: Index, discounts: Float64s, state: Int64s, depth: int, first: int, prob: float, depth_after: int
) -> Any:
    """``probability``, of which orders up to ``first`` are done, where all longer contexts stand in one place."""
    if next_word(index, position_at(index, state[first - 1, 0])) == BOS:
        return prob
    for k in range(first, depth + 1):
        discount = discounts[min(k, discounts.shape[0] - 1), 1]
        prob *= discount
        if depth_after > k:
            prob += 1.0 - discount
    return prob


@kernel
def score(
    index: Index,
    unigrams: Float64s,
    discounts: Float64s,
    stream: Int32s,
    state: Int64s,
    after: Int64s,
    scratch: Int64s,
    probs: Float64s,
    orders: NDArray[np.int32],
) -> None:
    """The probability of each symbol of a stream, 1 at ``<s>``, and the longest order found; ``orders`` may be empty.

    ``state`` and ``after``, (longest, 2), are memory.
    """
    depth = 0
    for i in range(stream.size):
        word = np.int64(stream[i])
        if word == BOS:
            depth_after = extended(index, state, 0, word, after)
            probs[i] = 1.0
        else:
            depth_after = extended(index, state, depth, word, after)
            probs[i] = probability(index, unigrams, discounts, state, depth, word, after, depth_after, scratch)
        if orders.size > 0:
            orders[i] = 0 if word == BOS else max(depth_after, 1)
        state, after = after, state
        depth = min(depth_after, state.shape[0] - 1)


@kernel
def distribution(
    index: Index,
    discounts: Float64s,
    state: Int64s,
    last_run: Int32s,
    found: Int32s,
    following: Int32s,
    probs: Float64s,
    scratch: Int64s,
) -> None:
    """Turn ``probs``, (words,), the unigram distribution, into that of the next word in a state, (depth, 2).

    ``last_run``, (words,), all -1; ``found``, (words,), zeros; ``following``, (places of the widest range,): memory.
    """
    weight = 1.0  # of the n-grams of an order: what all longer contexts reserve
    for k in range(state.shape[0], 0, -1):
        tally = tally_of(index, state[k - 1, 0], state[k - 1, 1], k, scratch)
        if tally.total > 0:
            weight *= _reserved(tally, discounts[min(k, discounts.shape[0] - 1)])
    for word in range(probs.size):
        probs[word] *= weight
    weight = 1.0
    for k in range(state.shape[0], 0, -1):
        row = discounts[min(k, discounts.shape[0] - 1)]
        left, right = state[k - 1, 0], state[k - 1, 1]
        tally = tally_of(index, left, right, k, scratch)
        if tally.total > 0:
            _add_followers(index, left, right, k, weight / tally.total, row, last_run, found, following, probs)
            weight *= _reserved(tally, row)


@kernel
def _add_followers(
    index: Index,
    left: int,
    right: int,
    depth: int,
    weight: float,
    discounts: Float64s,
    last_run: Int32s,
    found: Int32s,
    following: Int32s,
    probs: Float64s,
) -> None:
    """Add what a context gives to the words that follow it: their discounted counts times ``weight``."""
    starts_sentence = word_at(index, position_at(index, left) - depth + 1) == BOS
    run, before = 0, np.int64(-1)
    for place in range(left, right):
        position = position_at(index, place)
        word_before = np.int64(place) if starts_sentence else word_at(index, position - depth)
        run += word_before != before
        before = word_before
        word = next_word(index, position)
        following[place - left] = word
        if word != BOS and last_run[word] != run:
            last_run[word] = run
            found[word] += 1
    for i in range(right - left):
        word = following[i]
        if found[word] > 0:
            probs[word] += weight * max(found[word] - discounts[min(found[word], 3)], 0.0)
            found[word] = 0
            last_run[word] = -1


@kernel
def find(index: Index, words: Int32s) -> Any:
    """The range of the places at which the words end one after another; (0, 0) where they stand nowhere."""
    left, right = np.int64(0), np.int64(index.size)
    for depth in range(words.size):
        word = words[words.size - 1 - depth]
        if depth == 0:
            left, right = index.starts[word], index.starts[word + 1]
        else:
            left, right = narrowed(index, left, right, depth, word)
        if left >= right:
            return np.int64(0), np.int64(0)
    return left, right

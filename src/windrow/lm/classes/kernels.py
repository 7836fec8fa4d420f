"""The exchange algorithm: each word moves to the class in which the text is most probable under a class bigram model.

The log-likelihood of the text is, but for what no move changes, with f(n) = n log n (Martin, Liermann & Ney 1998,
"Algorithms for bigram and trigram word clustering", eq. 5)::

    sum over classes g, h of f(N(g, h))  -  sum over g of f(N(g, .))  -  sum over h of f(N(., h))

A move changes one row and one column of N, and there only the classes of the words that stand beside the word.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.numeric.jit import kernel

Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]

LEAST_GAIN = 1e-6  # of a move, in log-likelihood: above the rounding of the sums


class Beside(NamedTuple):
    """The words that stand on one side of each word: ``starts[w]:starts[w + 1]`` are those of word w."""

    starts: Int64s  # (words + 1,)
    words: Int32s
    counts: Int32s


class ClassCounts(NamedTuple):
    """How often classes stand one after another."""

    pairs: Int32s  # (classes, classes), by the first class and the second
    turned: Int32s  # the same, by the second and the first, so that both ways are read in order
    firsts: Int64s  # (classes,) sums over the second
    seconds: Int64s  # (classes,) sums over the first
    words: Int64s  # (classes,) how many words each has


class Around(NamedTuple):
    """Room for the classes beside one word; sums are 0 between two words."""

    sums: Int64s  # (2, classes): how often each class stands before the word, and after it
    seen: Int32s  # (2, classes): the classes whose sums are not 0
    gains: Floats  # (classes,)


@kernel(inline=True)
def information(count: int, table: Floats) -> float:
    """f(n) = n log n; ``table`` holds it for small numbers."""
    return table[count] if count < table.size else count * math.log(count)


@kernel
def count_pairs(after: Beside, classes: Int32s, counts: ClassCounts) -> None:
    """Fill ``counts``, of zeros, from the words after each word."""
    for word in range(classes.size):
        first = classes[word]
        counts.words[first] += 1
        for place in range(after.starts[word], after.starts[word + 1]):
            second, count = classes[after.words[place]], after.counts[place]
            counts.pairs[first, second] += count
            counts.turned[second, first] += count
            counts.firsts[first] += count
            counts.seconds[second] += count


@kernel
def gather(word: int, beside: Beside, classes: Int32s, sums: Int64s, seen: Int32s) -> int:
    """Add up the classes on one side of a word, the word itself apart; how many classes there are."""
    found = 0
    for place in range(beside.starts[word], beside.starts[word + 1]):
        other = beside.words[place]
        if other != word:
            one = classes[other]
            if sums[one] == 0:
                seen[found] = one
                found += 1
            sums[one] += beside.counts[place]
    return found


@kernel
def put(counts: ClassCounts, to: int, around: Around, before: int, after: int, itself: int, sign: int) -> None:
    """Add a word to a class, or with the sign -1 take it out; ``itself``: how often the word follows itself."""
    total = np.int64(0)
    for i in range(before):
        other = around.seen[0, i]
        count = sign * around.sums[0, other]
        counts.pairs[other, to] += count
        counts.turned[to, other] += count
        total += count
    counts.seconds[to] += total + sign * itself
    total = np.int64(0)
    for i in range(after):
        other = around.seen[1, i]
        count = sign * around.sums[1, other]
        counts.pairs[to, other] += count
        counts.turned[other, to] += count
        total += count
    counts.firsts[to] += total + sign * itself
    counts.pairs[to, to] += sign * itself
    counts.turned[to, to] += sign * itself
    counts.words[to] += sign


@kernel(inline=True)
def add_gains(rows: Int32s, sums: Int64s, seen: Int32s, found: int, first: int, table: Floats, gains: Floats) -> None:
    """What the cells of N gain, for each class to move to, as if no class stood beside a word of its own."""
    for i in range(found):
        count = sums[seen[i]]
        row = rows[seen[i]]
        alone = information(count, table)
        for to in range(first, gains.size):
            if row[to] == 0:
                gains[to] += alone
            else:
                gains[to] += information(row[to] + count, table) - information(row[to], table)


@kernel
def find_gains(
    counts: ClassCounts, around: Around, before: int, after: int, itself: int, first: int, table: Floats
) -> None:
    """The gain in log-likelihood, for each class from ``first`` on, of a word that is in none so far."""
    sums, seen, gains = around
    gains[:] = 0
    add_gains(counts.pairs, sums[0], seen[0], before, first, table, gains)
    add_gains(counts.turned, sums[1], seen[1], after, first, table, gains)
    firsts = seconds = np.int64(itself)
    for i in range(before):
        seconds += sums[0, seen[0, i]]
    for i in range(after):
        firsts += sums[1, seen[1, i]]
    for to in range(first, gains.size):
        own = counts.pairs[to, to]
        for side in range(2):  # both added to the same cell, together with ``itself``
            gains[to] -= information(own + sums[side, to], table) - information(own, table)
        gains[to] += information(own + sums[0, to] + sums[1, to] + itself, table) - information(own, table)
        gains[to] -= information(counts.firsts[to] + firsts, table) - information(counts.firsts[to], table)
        gains[to] -= information(counts.seconds[to] + seconds, table) - information(counts.seconds[to], table)


@kernel
def exchange(
    preceding: Beside,
    following: Beside,
    classes: Int32s,
    counts: ClassCounts,
    first: int,
    table: Floats,
    around: Around,
) -> int:
    """Move each word of the classes from ``first`` on to the best of these; how many words moved.

    The last word of a class stays, so that no class becomes empty.
    """
    moved = 0
    for word in range(classes.size):
        own = classes[word]
        if own < first or counts.words[own] == 1:
            continue
        before = gather(word, preceding, classes, around.sums[0], around.seen[0])
        after = gather(word, following, classes, around.sums[1], around.seen[1])
        itself = 0
        for place in range(following.starts[word], following.starts[word + 1]):
            if following.words[place] == word:
                itself = following.counts[place]
        put(counts, own, around, before, after, itself, -1)
        find_gains(counts, around, before, after, itself, first, table)
        best = own
        for to in range(first, around.gains.size):
            if around.gains[to] > around.gains[best] + LEAST_GAIN:
                best = to
        put(counts, best, around, before, after, itself, 1)
        classes[word] = best
        moved += best != own
        for i in range(before):
            around.sums[0, around.seen[0, i]] = 0
        for i in range(after):
            around.sums[1, around.seen[1, i]] = 0
    return moved


@kernel
def log_likelihood(counts: ClassCounts, table: Floats) -> float:
    """Of the text under the class bigram model, but for what no move changes."""
    total = 0.0
    for first in range(counts.firsts.size):
        total -= information(counts.firsts[first], table) + information(counts.seconds[first], table)
        for second in range(counts.firsts.size):
            total += information(counts.pairs[first, second], table)
    return total

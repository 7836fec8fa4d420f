"""What follows the contexts of a text: an index of its sorted contexts, ranges in it, and the counts of a range.

The positions at which the same k words end are a *range* of places in the sorted contexts; k is its *depth*, and its
words are an n-gram of order k as well as the context of longer ones. A range ``branches`` at its depth if its n-gram
has several different words before it; then it is the range of no longer n-gram.

Counts are the adjusted ones of Kneser-Ney smoothing, as there is no highest order: an n-gram has the number of
different words before it; one that begins with ``<s>``, before which nothing is, the number of times that it occurs.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.lm.symbols import BOS
from windrow.lm.unbounded.kernels.packed_numbers import Bytes, number_at
from windrow.numeric.jit import kernel

Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]

FREQUENT = 64  # the counts of ranges of so many places are kept in a table; those of smaller ones are counted again
COUNT_CLASSES = 4  # of counts 0, 1, 2, 3 and above, each with its own discount

# Columns of the table of frequent ranges.
BRANCHES, FOLLOWERS, TOTAL, ONES, TWOS = range(5)
COLUMNS = 5


class Index(NamedTuple):
    """The text, its sorted contexts, and the counts of frequent ranges."""

    text: Bytes  # packed ids of words, by position
    word_bits: int
    suffixes: Bytes  # packed positions, sorted by their contexts
    position_bits: int
    size: int  # symbols of the text
    starts: Int64s  # (words + 1,): the range of each word
    ranges: Int64s  # (frequent ranges,): first place << 32 | place after the last one, sorted
    tallies: Int32s  # (frequent ranges, COLUMNS)


class Tally(NamedTuple):
    """The n-grams that begin with a context, by their counts."""

    total: Any  # of the counts
    ones: Any  # how many have the count 1
    twos: Any
    more: Any


@kernel
def word_at(index: Index, position: int) -> Any:
    """The word at a position; those outside the text, which only a damaged file leads to, are the nearest inside."""
    inside = min(max(position, 0), index.size - 1)
    return min(number_at(index.text, index.word_bits, inside), index.starts.size - 2)


@kernel
def position_at(index: Index, place: int) -> Any:
    """The position at a place of the sorted contexts."""
    return min(number_at(index.suffixes, index.position_bits, place), index.size - 1)


@kernel
def next_word(index: Index, position: int) -> Any:
    """The word after a position; BOS where its sentence ends."""
    return word_at(index, position + 1) if position + 1 < index.size else np.int64(BOS)


@kernel
def narrowed(index: Index, left: Any, right: Any, depth: int, word: Any) -> Any:
    """The part of a range with ``word`` before the ``depth`` words that all have: its first place, and the last + 1.

    Nothing may stand before ``<s>``: do not ask for that.
    """
    first = word_at(index, position_at(index, left) - depth)
    last = word_at(index, position_at(index, right - 1) - depth)
    if first == word == last:
        return left, right
    if word < first or word > last:
        return left, left
    return _bound(index, left, right, depth, word), _bound(index, left, right, depth, word + 1)


@kernel
def _bound(index: Index, left: int, right: int, depth: int, word: int) -> Any:
    """The first place of a range with this word or a greater one ``depth`` words back."""
    while left < right:
        middle = (left + right) >> 1
        if word_at(index, position_at(index, middle) - depth) < word:
            left = middle + 1
        else:
            right = middle
    return left


@kernel
def branches(index: Index, left: int, right: int, depth: int) -> Any:
    """Whether the n-gram of a range has several words before it, or begins with ``<s>``."""
    first = position_at(index, left)
    if word_at(index, first - depth + 1) == BOS:
        return True
    return word_at(index, first - depth) != word_at(index, position_at(index, right - 1) - depth)


@kernel
def row_of(index: Index, left: int, right: int) -> Any:
    """The row of a range in the table of frequent ones; -1 if it has none."""
    key = np.int64(left) << 32 | right
    low, high = 0, index.ranges.size
    while low < high:
        middle = (low + high) >> 1
        if index.ranges[middle] < key:
            low = middle + 1
        else:
            high = middle
    return low if low < index.ranges.size and index.ranges[low] == key else -1


@kernel
def count_of(index: Index, left: int, right: int, depth: int) -> Any:
    """The count of the n-gram of a range."""
    if right - left == 1 or not branches(index, left, right, depth):
        return np.int64(1)
    if word_at(index, position_at(index, left) - depth + 1) == BOS:
        return np.int64(right - left)
    row = row_of(index, left, right) if right - left >= FREQUENT else -1
    if row >= 0:
        return np.int64(index.tallies[row, BRANCHES])
    different, before = 0, np.int64(-1)
    for place in range(left, right):
        word = word_at(index, position_at(index, place) - depth)
        different += word != before
        before = word
    return np.int64(different)


@kernel
def tally_of(index: Index, left: int, right: int, depth: int, scratch: Int64s) -> Tally:
    """The counts of the n-grams that begin with the context of a range. ``scratch``: (FREQUENT,)."""
    if right - left == 1:
        one = np.int64(next_word(index, position_at(index, left)) != BOS)
        return Tally(one, one, np.int64(0), np.int64(0))
    branching = branches(index, left, right, depth)
    if right - left >= FREQUENT:
        row = row_of(index, left, right)
        if row < 0:  # only of a damaged file
            return Tally(np.int64(0), np.int64(0), np.int64(0), np.int64(0))
        followers = np.int64(index.tallies[row, FOLLOWERS])
        if not branching:
            return Tally(followers, followers, np.int64(0), np.int64(0))
        ones, twos = np.int64(index.tallies[row, ONES]), np.int64(index.tallies[row, TWOS])
        return Tally(np.int64(index.tallies[row, TOTAL]), ones, twos, followers - ones - twos)
    return _tally_of_few(index, left, right, depth, branching, scratch)


@kernel
def _tally_of_few(index: Index, left: int, right: int, depth: int, branching: bool, scratch: Int64s) -> Tally:
    """``tally_of`` by sorting the different pairs of the word before and the word after."""
    pairs = 0
    starts_sentence = branching and word_at(index, position_at(index, left) - depth + 1) == BOS
    for place in range(left, right):
        position = position_at(index, place)
        word = next_word(index, position)
        if word == BOS:
            continue
        before = np.int64(0)
        if branching:
            before = np.int64(place - left) if starts_sentence else word_at(index, position - depth)
        pair = word << 32 | before
        at = pairs
        while at > 0 and scratch[at - 1] > pair:
            at -= 1
        if at > 0 and scratch[at - 1] == pair:
            continue
        for later in range(pairs, at, -1):
            scratch[later] = scratch[later - 1]
        scratch[at] = pair
        pairs += 1
    ones = twos = more = 0
    first = 0
    for i in range(1, pairs + 1):
        if i < pairs and scratch[i] >> 32 == scratch[first] >> 32:
            continue
        ones += i - first == 1
        twos += i - first == 2
        more += i - first > 2
        first = i
    return Tally(np.int64(pairs), np.int64(ones), np.int64(twos), np.int64(more))

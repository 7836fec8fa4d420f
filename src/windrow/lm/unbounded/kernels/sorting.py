"""Sort the positions of a text by the words that end there, read backwards: its suffix array, from right to left.

The *context* of a position is what stands from it back to the ``<s>`` of its sentence. Contexts are sorted by their
last word, then by the word before it, and so on, so that all that end in the same words stand together.

The method is prefix doubling (Larsson & Sadakane 2007, "Faster suffix sorting"): once contexts are sorted by their last
h words, the words before them are sorted by the places of the contexts that end h words earlier, which doubles h.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.lm.symbols import BOS
from windrow.numeric.jit import kernel
from windrow.numeric.simd import prefetch

Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
UInt16s = NDArray[np.uint16]

AHEAD = 24  # entries between a prefetch and the use of what it fetches
STACK = 64  # a pair for each bit of a number of keys
_FEW = 24  # entries that are sorted by insertion


@kernel
def measure_contexts(stream: Int32s, longest: int, lengths: UInt16s) -> None:
    """How many symbols each context has, its ``<s>`` included, at most ``longest``."""
    length = 0
    for position in range(stream.size):
        length = 1 if stream[position] == BOS else min(length + 1, longest)
        lengths[position] = length


@kernel
def first_keys(stream: Int32s, words: int, word_bits: int, position_bits: int, keys: Int64s) -> None:
    """Keys of the last ``words`` words of each context, the last one highest, and then its position."""
    for position in range(stream.size):
        key = np.int64(0)
        back, ended = position, False
        for _ in range(words):
            key <<= word_bits
            if not ended:
                word = stream[back]
                key |= np.int64(word)
                ended = word == BOS or back == 0
                back -= 1
        keys[position] = (key << position_bits) | position


@kernel
def first_groups(keys: Int64s, position_bits: int, suffixes: Int32s, ranks: Int32s, runs: Int32s) -> Any:
    """Positions in the order of sorted keys, and the groups of those with the same words; returns the largest size.

    ``ranks``: of each position, the place at which its group begins. ``runs``: at the first place of a group, its size.
    """
    mask = (np.int64(1) << position_bits) - 1
    begin = largest = 0
    for place in range(keys.size):
        if keys[place] >> position_bits != keys[begin] >> position_bits:
            runs[begin] = place - begin
            largest = max(largest, place - begin)
            begin = place
        if place + AHEAD < keys.size:
            prefetch(ranks, keys[place + AHEAD] & mask)
        position = keys[place] & mask
        suffixes[place] = position
        ranks[position] = begin
    if keys.size:
        runs[begin] = keys.size - begin
    return max(largest, keys.size - begin)


@kernel
def refine_groups(
    suffixes: Int32s, ranks: Int32s, runs: Int32s, lengths: UInt16s, sorted_words: int, keys: Int64s, stack: Int64s
) -> Any:
    """Sort every group further, by the ``sorted_words`` words before those by which it is sorted; how many remain.

    ``keys``: memory for the largest group; ``stack``, (STACK,): memory. A run of places that need no more sorting is
    kept as a negative size.
    """
    remaining = 0
    done_from = -1  # where the run of sorted places began that ends here; -1 where none does
    place = 0
    while place < suffixes.size:
        if place + AHEAD < suffixes.size:
            prefetch(lengths, suffixes[place + AHEAD])
        size = runs[place]
        if size < 0 or size == 1 or lengths[suffixes[place]] <= sorted_words:
            if done_from < 0:
                done_from = place
            place += abs(size)
            continue
        if done_from >= 0:
            runs[done_from] = done_from - place
            done_from = -1
        remaining += _refine(suffixes, ranks, runs, sorted_words, keys, stack, place, size)
        place += size
    if done_from >= 0:
        runs[done_from] = done_from - suffixes.size
    return remaining


@kernel
def _refine(
    suffixes: Int32s, ranks: Int32s, runs: Int32s, sorted_words: int, keys: Int64s, stack: Int64s, place: int, size: int
) -> Any:
    """Sort the group at ``place``; how many of its entries are still in groups of several."""
    for i in range(size):
        if place + i + AHEAD < suffixes.size:
            prefetch(ranks, max(suffixes[place + i + AHEAD] - sorted_words, 0))
        position = np.int64(suffixes[place + i])
        keys[i] = np.int64(ranks[position - sorted_words]) << 32 | position
    _sort(keys, size, stack)
    remaining = 0
    begin = 0
    for i in range(1, size + 1):
        if i < size and keys[i] >> 32 == keys[begin] >> 32:
            continue
        runs[place + begin] = i - begin
        remaining += (i - begin) * (i - begin > 1)
        for j in range(begin, i):
            position = keys[j] & 0xFFFFFFFF
            suffixes[place + j] = position
            ranks[position] = place + begin
        begin = i
    return remaining


@kernel
def _sort(keys: Int64s, size: int, stack: Int64s) -> None:
    """Sort the first keys, which differ: quicksort, by the median of three."""
    stack[0], stack[1], waiting = 0, size, 1
    while waiting > 0:
        waiting -= 1
        first, last = stack[2 * waiting], stack[2 * waiting + 1]
        while last - first > _FEW:
            low, middle, high = keys[first], keys[(first + last) >> 1], keys[last - 1]
            pivot = max(min(low, middle), min(max(low, middle), high))
            i, j = first, last - 1
            while i <= j:
                while keys[i] < pivot:
                    i += 1
                while keys[j] > pivot:
                    j -= 1
                if i <= j:
                    keys[i], keys[j] = keys[j], keys[i]
                    i, j = i + 1, j - 1
            if j + 1 - first > last - i:  # the larger part waits, so that few do
                stack[2 * waiting], stack[2 * waiting + 1] = first, j + 1
                first = i
            else:
                stack[2 * waiting], stack[2 * waiting + 1] = i, last
                last = j + 1
            waiting += 1
        _insert(keys, first, last)


@kernel
def _insert(keys: Int64s, first: int, last: int) -> None:
    for i in range(first + 1, last):
        key, j = keys[i], i
        while j > first and keys[j - 1] > key:
            keys[j] = keys[j - 1]
            j -= 1
        keys[j] = key


@kernel
def common_words(stream: Int32s, suffixes: Int32s, most: int, common: NDArray[np.uint8]) -> None:
    """How many last words each sorted context shares with the one before it, at most ``most``; 0 for the first."""
    common[:1] = 0
    for place in range(1, suffixes.size):
        if place + AHEAD < suffixes.size:
            prefetch(stream, suffixes[place + AHEAD])
        a, b = np.int64(suffixes[place - 1]), np.int64(suffixes[place])
        same = 0
        while same < most and a >= 0 and b >= 0 and stream[a] == stream[b]:
            same += 1
            if stream[a] == BOS:
                break
            a, b = a - 1, b - 1
        common[place] = same

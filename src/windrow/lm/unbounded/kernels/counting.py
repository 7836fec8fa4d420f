"""Counts of all n-grams at once, from the sorted contexts: of counts, of words, and of all that is frequent."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.lm.symbols import BOS
from windrow.lm.unbounded.kernels.contexts import (
    BRANCHES,
    FOLLOWERS,
    FREQUENT,
    ONES,
    TOTAL,
    TWOS,
    Index,
    branches,
    next_word,
    position_at,
    word_at,
)
from windrow.lm.unbounded.kernels.sorting import AHEAD
from windrow.numeric.jit import kernel
from windrow.numeric.simd import prefetch

Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]


@kernel
def count_counts(
    common: NDArray[np.uint8], lengths: NDArray[np.uint16], suffixes: Int32s, open_counts: Int64s, frequencies: Int64s
) -> None:
    """Add to ``frequencies[k - 1]`` how many n-grams of order k have the count 0, 1, 2, ..; <s> alone not counted.

    ``common``: see ``sorting.common_words``. ``open_counts``, (orders,), zeros: the counts of the n-grams at the last
    place.
    """
    orders, most = frequencies.shape
    for place in range(suffixes.size + 1):
        if place + AHEAD < suffixes.size:
            prefetch(lengths, suffixes[place + AHEAD])
        same = common[place] if place < suffixes.size else 0
        longest = min(np.int64(lengths[suffixes[place]]), orders) if place < suffixes.size else 0
        for k in range(same, orders):  # the n-grams of order k + 1 end here
            if open_counts[k] > 0:
                frequencies[k, min(open_counts[k], most - 1)] += 1
            open_counts[k] = k < longest
        if 0 < same <= orders:
            open_counts[same - 1] += 1  # the same words after another word, or <s> and the same words


@kernel
def count_words(common: NDArray[np.uint8], starts: Int64s, counts: Int32s) -> None:
    """The count of each word: how many different words stand before it; 0 for ``<s>``."""
    for word in range(counts.size):
        counts[word] = 0
        if word != BOS and starts[word] < starts[word + 1]:
            counts[word] = 1
            for place in range(starts[word] + 1, starts[word + 1]):
                counts[word] += common[place] == 1


@kernel
def tally_frequent(
    index: Index, longest: int, stack: Int64s, last_run: Int32s, found: Int32s, keys: Int64s, counts: Int32s
) -> Any:
    """Fill the table of frequent ranges, as far as there is room; returns how many there are.

    ``longest``: the most words of a context. ``stack``, (entries, 3): memory; one entry for each range that waits.
    ``last_run``, (words,), all -1, and ``found``, (words,), zeros: memory, which is left as it was.
    """
    rows = 0
    for word in range(index.starts.size - 1):
        waiting = 0
        if index.starts[word + 1] - index.starts[word] >= FREQUENT:
            stack[0, 0], stack[0, 1], stack[0, 2] = index.starts[word], index.starts[word + 1], 1
            waiting = 1
        while waiting > 0:
            waiting -= 1
            left, right, depth = stack[waiting, 0], stack[waiting, 1], stack[waiting, 2]
            while depth < longest and not branches(index, left, right, depth):
                depth += 1
            has_room = rows < keys.size
            if has_room:
                keys[rows] = left << 32 | right
                _tally(index, left, right, depth, last_run, found, counts[rows])
            rows += 1
            if depth == longest or word_at(index, position_at(index, left) - depth + 1) == BOS:
                continue
            before, first = np.int64(-1), left
            for place in range(left, right + 1):
                _fetch_text(index, place + AHEAD)
                word_before = word_at(index, position_at(index, place) - depth) if place < right else np.int64(-1)
                if word_before == before:
                    continue
                if place - first >= FREQUENT:
                    stack[waiting, 0], stack[waiting, 1], stack[waiting, 2] = first, place, depth + 1
                    waiting += 1
                before, first = word_before, place
    return rows


@kernel
def _fetch_text(index: Index, place: int) -> None:
    """Begin to fetch the text at the position of a place."""
    if place < index.size:
        prefetch(index.text, position_at(index, place) * index.word_bits >> 3)


@kernel
def _tally(index: Index, left: int, right: int, depth: int, last_run: Int32s, found: Int32s, row: Int32s) -> None:
    """The counts of a range; ``found`` holds meanwhile those of the n-grams that begin with its context."""
    starts_sentence = word_at(index, position_at(index, left) - depth + 1) == BOS
    runs, before = 0, np.int64(-1)
    for place in range(left, right):
        _fetch_text(index, place + AHEAD)
        position = position_at(index, place)
        word_before = np.int64(place) if starts_sentence else word_at(index, position - depth)
        runs += word_before != before
        before = word_before
        word = next_word(index, position)
        if word != BOS and last_run[word] != runs:
            last_run[word] = runs
            found[word] += 1
    row[:] = 0
    row[BRANCHES] = runs
    for place in range(left, right):
        _fetch_text(index, place + AHEAD)
        word = next_word(index, position_at(index, place))
        if found[word] > 0:
            row[FOLLOWERS] += 1
            row[TOTAL] += found[word]
            row[ONES] += found[word] == 1
            row[TWOS] += found[word] == 2
            found[word] = 0
            last_run[word] = -1

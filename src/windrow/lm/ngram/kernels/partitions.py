"""Deal the n-grams of a text to partitions, and carry numbers between partitions and text.

A *window* is a position of the text with the words that follow it in its sentence: all n-grams that begin there. A
partition gets the windows whose first two words lie in its range, so that it holds a stretch of the sorted n-grams of
every order from 2 up, contexts included. Suffixes lie in other partitions: the suffix of the n-gram that begins at a
position is the shorter one that begins at the next position.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.lm.symbols import BOS
from windrow.numeric.jit import kernel

Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
Parts = NDArray[np.uint16]

NO_PART = 0xFFFF  # of a position where no n-gram of two words begins


class Bounds(NamedTuple):
    """Partition p has the windows with ``keys[p - 1] <= first word << 32 | second word < keys[p]``."""

    keys: Int64s  # (partitions - 1,)
    firsts: Int32s  # (words,): the partition of the smallest key of each first word


@kernel
def find_parts(stream: Int32s, first: int, bos: bool, bounds: Bounds, parts: Parts, sizes: Int64s) -> None:
    """The partition of each position from ``first`` on, (positions,), and how many windows each partition gets.

    ``bos``: whether n-grams begin with ``<s>``, too.
    """
    for i in range(parts.size):
        parts[i] = NO_PART
        word = np.int64(stream[first + i])
        if first + i + 1 == stream.size or (word == BOS and not bos):
            continue
        following = np.int64(stream[first + i + 1])
        if following == BOS:
            continue
        key = word << 32 | following
        part = bounds.firsts[word]
        while part < bounds.keys.size and bounds.keys[part] <= key:
            part += 1
        parts[i] = part
        sizes[part] += 1


@kernel
def deal_windows(
    stream: Int32s, first: int, parts: Parts, starts: Int64s, ends: Int64s, length: int, windows: Int32s
) -> None:
    """Write each window to its partition: in ``windows``, flat, partition p has ``length`` columns of its windows.

    ``starts``, (partitions + 1,): how many windows the partitions before have; ``ends`` is a copy of it, to work on.
    After the end of a sentence follows BOS.
    """
    for i in range(parts.size):
        part = parts[i]
        if part == NO_PART:
            continue
        size = starts[part + 1] - starts[part]
        place = length * starts[part] + ends[part] - starts[part]
        ends[part] += 1
        at, is_over = first + i, False
        for column in range(length):
            is_over = is_over or at + column >= stream.size or (column > 0 and stream[at + column] == BOS)
            windows[place + column * size] = BOS if is_over else stream[at + column]


@kernel
def places_in_text(parts: Parts, ends: Int64s, ranks: Int32s, offsets: Int64s, places: Int32s) -> None:
    """The place among all n-grams of an order of the one that begins at each position, -1 where none does.

    ``ranks``, flat, has those of partition p from ``ends[p]`` on, with their places in the partition, whose n-grams
    begin at ``offsets[p]`` among all. ``ends`` moves on.
    """
    for i in range(parts.size):
        part = parts[i]
        places[i] = -1
        if part != NO_PART:
            rank = ranks[ends[part]]
            ends[part] += 1
            if rank >= 0:
                places[i] = offsets[part] + rank


@kernel
def places_after(parts: Parts, ends: Int64s, places: Int32s, after: Int32s) -> None:
    """To each window the place at the position after its own, -1 after the last, in the order of the partitions."""
    for i in range(parts.size):
        part = parts[i]
        if part != NO_PART:
            after[ends[part]] = places[i + 1] if i + 1 < parts.size else -1
            ends[part] += 1


@kernel
def scatter(ranks: Int32s, values: Int32s, out: Int32s) -> None:
    """``out[ranks[i]] = values[i]`` where there is a rank and a value."""
    for i in range(ranks.size):
        if ranks[i] >= 0 and values[i] >= 0:
            out[ranks[i]] = values[i]


# --- between partitions


@kernel
def _part_of(edges: Int64s, place: np.int64) -> int:
    """The partition of a place among all n-grams: ``edges[p] <= place < edges[p + 1]``."""
    low, high = 0, edges.size - 1
    while high - low > 1:
        middle = (low + high) // 2
        if edges[middle] <= place:
            low = middle
        else:
            high = middle
    return low


@kernel
def count_asked(suffixes: Int32s, edges: Int64s, sizes: Int64s) -> None:
    """Add to ``sizes``, (partitions,), how many suffixes lie in each partition."""
    for i in range(suffixes.size):
        sizes[_part_of(edges, np.int64(suffixes[i]))] += 1


@kernel
def deal_asked(suffixes: Int32s, edges: Int64s, ends: Int64s, asked: Int32s) -> None:
    """Write each suffix to its partition, from ``ends[p]`` on, as its place there. ``ends`` moves on."""
    for i in range(suffixes.size):
        part = _part_of(edges, np.int64(suffixes[i]))
        asked[ends[part]] = suffixes[i] - edges[part]
        ends[part] += 1


@kernel
def take_answers(
    suffixes: Int32s, edges: Int64s, ends: Int64s, answers: NDArray[np.float32], out: NDArray[np.float32]
) -> None:
    """The inverse of ``deal_asked``: for each suffix the number that its partition answered. ``ends`` moves on."""
    for i in range(suffixes.size):
        part = _part_of(edges, np.int64(suffixes[i]))
        out[i] = answers[ends[part]]
        ends[part] += 1

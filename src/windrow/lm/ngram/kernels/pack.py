"""From sorted levels of a back-off model to the records of a packed table, and back: see ``ngram_query``."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.corpus.kernels.eight_bytes import eight_at, set_eight
from windrow.lm.ngram.kernels.query import (
    BACKOFF_BYTE,
    BASE,
    NEXT_BYTE,
    PROB_BYTE,
    SIZE_BITS,
    WIDTH,
    WORD_MASK,
    Table,
    home,
)
from windrow.numeric.jit import kernel
from windrow.numeric.simd import prefetch

FULL_LISTS = 8  # lists of up to so many records have no spare slots
_AHEAD = 16  # contexts for which memory is sent

_ZERO, _ONE, _ALL = np.uint64(0), np.uint64(1), np.uint64(2**64 - 1)


class Codes(NamedTuple):
    """How a number becomes a code: the nearest of evenly spaced cells, or what ``cells`` has for that cell."""

    low: float
    scale: float  # cells per unit
    highest: int  # cell
    infinity: int  # the code of -inf
    cells: NDArray[np.uint8]  # (highest + 1,), or empty where the cell is the code


class Source(NamedTuple):
    """A level as it is packed: ``followers`` are the starts of the next order, empty at the highest."""

    starts: NDArray[np.int32]
    words: NDArray[np.int32]
    probs: NDArray[Any]
    backoffs: NDArray[Any]
    followers: NDArray[np.int32]
    next_words: NDArray[np.int32]
    next_probs: NDArray[Any]


@kernel
def finite_range(values: NDArray[Any]) -> Any:
    """Lowest and highest finite number, and whether there is an infinite one; (inf, -inf) when none is finite."""
    lowest, highest, has_infinity = np.inf, -np.inf, False
    for i in range(values.size):
        value = np.float64(values[i])
        if np.isfinite(value):
            lowest, highest = min(lowest, value), max(highest, value)
        else:
            has_infinity = True
    return lowest, highest, has_infinity


@kernel
def encode(value: float, codes: Codes) -> Any:
    """The code of a log10 number."""
    if value == -np.inf:
        return np.uint64(codes.infinity)
    cell: Any = np.int64((value - codes.low) * codes.scale + 0.5)
    cell = min(max(cell, 0), codes.highest)
    return np.uint64(codes.cells[cell]) if codes.cells.size > 0 else np.uint64(cell)


@kernel
def size_code(successors: Any, slot_counts: NDArray[np.int64]) -> Any:
    """The least number of a number of slots that is large enough: all of them, or a third more than records."""
    if successors <= FULL_LISTS:
        return successors
    low, high = FULL_LISTS, slot_counts.size - 1
    while low < high:
        middle = (low + high) >> 1
        if 3 * slot_counts[middle] >= 4 * successors:
            high = middle
        else:
            low = middle + 1
    return low


@kernel
def count_slots(starts: NDArray[np.int32], slot_counts: NDArray[np.int64], skips_single: bool) -> Any:
    """How many slots the lists of an order take, without lists of one where these lie in their contexts' records."""
    total = 0
    for context in range(starts.size - 1):
        successors = np.int64(starts[context + 1]) - starts[context]
        if successors != 1 or not skips_single:
            total += slot_counts[size_code(successors, slot_counts)]
    return total


@kernel
def put(records: NDArray[np.uint8], at: int, width: int, low: Any, high: Any) -> None:
    """Write the lowest ``width`` bytes, at most 16, of a number of two halves."""
    if width < 8:
        bits = np.uint64(8 * width)
        set_eight(records, at, ((eight_at(records, at) >> bits) << bits) | low)
        return
    set_eight(records, at, low)
    if width > 8:  # the last eight bytes, which overlap the first
        bits = np.uint64(8 * (width - 8))
        last = (low >> bits) | (high << (np.uint64(64) - bits)) if width < 16 else high
        set_eight(records, at + width - 8, last)


@kernel
def join(low: Any, high: Any, offset: int, bits: Any) -> Any:
    """A number of two halves with more bits put in at an offset."""
    if offset >= 64:
        return low, high | (bits << np.uint64(offset - 64))
    if offset > 0:
        high |= bits >> np.uint64(64 - offset)
    return low | (bits << np.uint64(offset)), high


@kernel
def bit_offset(levels: NDArray[np.int64], order: int, column: int) -> Any:
    """The bit of a record at which a field starts: three columns from ``column`` on hold its byte, shift and mask."""
    return 8 * levels[order, column] + levels[order, column + 1]


@kernel
def clear(table: Table, order: int, first: Any, size: Any) -> None:
    """Make slots empty: the word is one too high."""
    width, empty = table.levels[order, WIDTH], np.uint64(table.unigrams.shape[0])
    at = table.levels[order, BASE] + first * width
    for _ in range(size):
        put(table.records, at, width, empty, _ZERO)
        at += width


@kernel
def free_slot(table: Table, order: int, first: Any, size: Any, word: Any) -> Any:
    """The byte of the first empty slot from the word's home on."""
    base, width = table.levels[order, BASE], table.levels[order, WIDTH]
    mask, empty = np.uint64(table.levels[order, WORD_MASK]), np.uint64(table.unigrams.shape[0])
    slot = home(word, size)
    while eight_at(table.records, base + (first + slot) * width) & mask != empty:
        slot = slot + 1 if slot + 1 < size else 0
    return base + (first + slot) * width


@kernel
def successor_bits(
    table: Table, order: int, source: Source, gram: Any, next_first: Any, next_codes: Codes, holds_single: bool
) -> Any:
    """The successors of an n-gram as its record has them, and how many slots they take in the next order."""
    begin = np.int64(source.followers[gram])
    successors = np.int64(source.followers[gram + 1]) - begin
    if successors == 1 and holds_single:
        word_bits = np.uint64(bit_offset(table.levels, order, PROB_BYTE))
        code = encode(np.float64(source.next_probs[begin]), next_codes)
        return _ONE | (np.uint64(source.next_words[begin]) << _ONE) | (code << (_ONE + word_bits)), np.int64(0)
    number = size_code(successors, table.slot_counts)
    bits = (np.uint64(number) << _ONE) | (np.uint64(next_first) << np.uint64(1 + SIZE_BITS))
    return bits, table.slot_counts[number]


@kernel
def subtree_slots(
    followers: NDArray[np.int32],
    next_subtrees: NDArray[np.uint32],
    slot_counts: NDArray[np.int64],
    subtrees: NDArray[np.uint32],
) -> None:
    """Slots of an n-gram's list, and of the lists of all that it begins unless ``next_subtrees`` is empty."""
    for gram in range(subtrees.size):
        begin, end = np.int64(followers[gram]), np.int64(followers[gram + 1])
        total = slot_counts[size_code(end - begin, slot_counts)]
        if next_subtrees.size > 0:
            for follower in range(begin, end):
                total += np.int64(next_subtrees[follower])
        subtrees[gram] = total


@kernel
def pack_unigrams(table: Table, source: Source, firsts: NDArray[np.uint32]) -> None:
    """Fill in the unigrams; ``source.followers`` is empty in a model of order 1.

    ``firsts`` are the slots of their subtrees, and become the first slots of their lists.
    """
    first = np.int64(0)
    for word in range(source.probs.size):
        table.floats[word, 0] = source.probs[word]
        table.floats[word, 1] = source.backoffs[word] if source.backoffs.size > 0 else 0
        if source.followers.size > 0:
            successors = np.int64(source.followers[word + 1]) - source.followers[word]
            table.unigrams[word, 2] = first
            table.unigrams[word, 3] = table.slot_counts[size_code(successors, table.slot_counts)]
            subtree = np.int64(firsts[word])
            firsts[word] = first
            first += subtree


@kernel
def pack_level(
    table: Table,
    order: int,
    source: Source,
    codes: tuple[Codes, Codes, Codes],
    firsts: NDArray[np.uint32],
    next_firsts: NDArray[np.uint32],
) -> None:
    """Write the records of an order, list after list, each list from its most frequent word on: it sits at its home.

    ``firsts`` are the first slots of the lists, empty for the highest order, whose lists follow one another. ``codes``
    are those of log10 p, back-off, and log10 p of the next order. ``next_firsts`` are the slots of the n-grams'
    subtrees and become the first slots of their lists; empty if the next order is the highest. A list is followed by
    the subtrees of its records: a probe for the next word is likely to find its line near.
    """
    levels, width, highest = table.levels, table.levels[order, WIDTH], table.levels.shape[0] - 1
    prob_at, backoff_at = bit_offset(levels, order, PROB_BYTE), bit_offset(levels, order, BACKOFF_BYTE)
    next_at = bit_offset(levels, order, NEXT_BYTE)
    end_of_lists: Any = np.int64(0)
    next_first: Any = np.int64(0)
    for context in range(source.starts.size - 1):
        begin, end = np.int64(source.starts[context]), np.int64(source.starts[context + 1])
        if begin == end or (end - begin == 1 and order == highest and order > 2):
            continue
        size = table.slot_counts[size_code(end - begin, table.slot_counts)]
        first = np.int64(firsts[context]) if firsts.size > 0 else end_of_lists
        end_of_lists = first + size
        if end - begin > 1:
            clear(table, order, first, size)
        if next_firsts.size > 0:
            next_first = end_of_lists
        for gram in range(begin, end):
            word = np.int64(source.words[gram])
            low, high = join(np.uint64(word), _ZERO, prob_at, encode(np.float64(source.probs[gram]), codes[0]))
            if order < highest:
                bits = encode(np.float64(source.backoffs[gram]), codes[1])
                low, high = join(low, high, backoff_at, bits)
                bits, taken = successor_bits(table, order, source, gram, next_first, codes[2], order + 1 == highest)
                low, high = join(low, high, next_at, bits)
                if next_firsts.size > 0:
                    taken = np.int64(next_firsts[gram])
                    next_firsts[gram] = next_first
                next_first += taken
            alone = levels[order, BASE] + first * width
            at = free_slot(table, order, first, size, word) if end - begin > 1 else alone
            put(table.records, at, width, low, high)


@kernel
def suffixes_stored(
    starts: NDArray[np.int32],
    words: NDArray[np.int32],
    context_suffixes: NDArray[np.int32],
    lower_starts: NDArray[np.int32],
    lower_words: NDArray[np.int32],
    suffixes: NDArray[np.int32],
) -> bool:
    """Find the place, one order lower, of each n-gram without its first word; False as soon as one is not stored.

    ``context_suffixes`` are those of the contexts. Both lists of words are sorted, so one search goes on from the last.
    """
    contexts = starts.size - 1
    for context in range(contexts):
        suffix = context_suffixes[context]
        if context + 2 * _AHEAD < contexts:
            prefetch(lower_starts, context_suffixes[context + 2 * _AHEAD])
            prefetch(lower_words, lower_starts[context_suffixes[context + _AHEAD]])
        low, end = np.int64(lower_starts[suffix]), np.int64(lower_starts[suffix + 1])
        for gram in range(starts[context], starts[context + 1]):
            word, high = words[gram], end
            while low < high:
                middle = (low + high) >> 1
                if lower_words[middle] < word:
                    low = middle + 1
                else:
                    high = middle
            if low == end or lower_words[low] != word:
                return False
            suffixes[gram] = low
    return True

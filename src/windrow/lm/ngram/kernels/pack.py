"""Write the sorted levels of a back-off model as the records of a packed trie; ``packed_trie`` shows what a record is.

A record is put together in two halves of 64 bits, ``low`` and ``high``. The lists of successors are written in the
order of their contexts, each from its most frequent word on: that word gets the slot where the search for it begins.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.corpus.kernels.eight_bytes import eight_at, set_eight
from windrow.lm.ngram.kernels.bisect import lower_bound
from windrow.lm.ngram.kernels.packed_trie import (
    BACKOFF_BYTE,
    BASE,
    NEXT_BYTE,
    PROB_BYTE,
    SIZE_BITS,
    WIDTH,
    WORD_MASK,
    PackedTrie,
    home,
)
from windrow.numeric.jit import kernel
from windrow.numeric.simd import prefetch

FULL_LISTS = 8  # lists of at most this many records have no spare slots
_AHEAD = 16  # contexts between a prefetch and the use of what it fetches

_ZERO, _ONE = np.uint64(0), np.uint64(1)


class Codes(NamedTuple):
    """How a number becomes a code: the nearest of evenly spaced cells, or what ``cells`` has for that cell."""

    low: float
    scale: float  # cells per unit
    highest: int  # cell
    infinity: int  # the code of -inf
    cells: NDArray[np.uint8]  # (highest + 1,), or empty where the cell is the code


class Source(NamedTuple):
    """A sorted level to be packed, and what its records hold of the next order (empty at the highest)."""

    starts: NDArray[np.int32]
    words: NDArray[np.int32]
    probs: NDArray[Any]
    backoffs: NDArray[Any]
    next_starts: NDArray[np.int32]  # where the successors of each n-gram start
    next_words: NDArray[np.int32]
    next_probs: NDArray[Any]


class Fields(NamedTuple):
    """Where the records of an order lie, and at which bit of a record each field starts."""

    base: Any  # the byte of the first slot
    width: Any  # bytes of a slot
    word_mask: Any
    empty: Any  # the word of an empty slot: one more than the highest
    prob: Any
    backoff: Any
    successors: Any


# --- numbers


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


# --- how many slots


@kernel
def size_code(successors: Any, slot_counts: NDArray[np.int64]) -> Any:
    """The index of the least of ``slot_counts`` that is enough: for long lists, a third more slots than records."""
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
    """How many slots all lists of an order take; ``skips_single``: lists of one lie in their contexts' records."""
    total = 0
    for context in range(starts.size - 1):
        successors = np.int64(starts[context + 1]) - starts[context]
        if successors != 1 or not skips_single:
            total += slot_counts[size_code(successors, slot_counts)]
    return total


@kernel
def subtree_slots(
    next_starts: NDArray[np.int32],
    next_subtrees: NDArray[np.uint32],
    slot_counts: NDArray[np.int64],
    subtrees: NDArray[np.uint32],
) -> None:
    """Slots of the successors' list of each n-gram, and with ``next_subtrees`` of the lists below that, too."""
    for gram in range(subtrees.size):
        begin, end = np.int64(next_starts[gram]), np.int64(next_starts[gram + 1])
        total = slot_counts[size_code(end - begin, slot_counts)]
        if next_subtrees.size > 0:
            for successor in range(begin, end):
                total += np.int64(next_subtrees[successor])
        subtrees[gram] = total


# --- bits of a record


@kernel
def bit_offset(fields: NDArray[np.int64], order: int, column: int) -> Any:
    """The bit of a record at which a field starts: three columns from ``column`` on hold its byte, shift and mask."""
    return 8 * fields[order, column] + fields[order, column + 1]


@kernel
def fields_of(trie: PackedTrie, order: int) -> Any:
    """How to write the records of an order."""
    return Fields(
        trie.fields[order, BASE],
        trie.fields[order, WIDTH],
        np.uint64(trie.fields[order, WORD_MASK]),
        np.uint64(trie.unigrams.shape[0]),
        bit_offset(trie.fields, order, PROB_BYTE),
        bit_offset(trie.fields, order, BACKOFF_BYTE),
        bit_offset(trie.fields, order, NEXT_BYTE),
    )


@kernel
def join(low: Any, high: Any, offset: int, bits: Any) -> Any:
    """A number of two halves with more bits put in at an offset."""
    if offset >= 64:
        return low, high | (bits << np.uint64(offset - 64))
    if offset > 0:
        high |= bits >> np.uint64(64 - offset)
    return low | (bits << np.uint64(offset)), high


@kernel
def list_bits(code: Any, first: Any) -> Any:
    """Successors that are a list: ``| 0 | size code | first slot |``."""
    return (np.uint64(code) << _ONE) | (np.uint64(first) << np.uint64(1 + SIZE_BITS))


@kernel
def single_bits(word: Any, prob_code: Any, word_bits: Any) -> Any:
    """The only successor, of the highest order: ``| 1 | word | code of log10 p |``."""
    return _ONE | (np.uint64(word) << _ONE) | (prob_code << (_ONE + np.uint64(word_bits)))


@kernel
def highest_record(source: Source, gram: Any, fields: Fields, codes: Codes) -> Any:
    """The record of an n-gram of the highest order, ``| word | code of log10 p |``."""
    word = np.uint64(np.int64(source.words[gram]))
    return join(word, _ZERO, fields.prob, encode(np.float64(source.probs[gram]), codes))


@kernel
def inner_record(source: Source, gram: Any, fields: Fields, codes: tuple[Codes, Codes], successors: Any) -> Any:
    """The record of an n-gram that others may begin with: as above, code of log10 back-off, successors."""
    low, high = highest_record(source, gram, fields, codes[0])
    low, high = join(low, high, fields.backoff, encode(np.float64(source.backoffs[gram]), codes[1]))
    return join(low, high, fields.successors, successors)


# --- lists of records


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
def clear(records: NDArray[np.uint8], fields: Fields, first: Any, size: Any) -> None:
    """Make the slots of a list empty. A list of one needs no mark: its only slot is about to be written."""
    if size > 1:
        at = fields.base + first * fields.width
        for _ in range(size):
            put(records, at, fields.width, fields.empty, _ZERO)
            at += fields.width


@kernel
def free_slot(records: NDArray[np.uint8], fields: Fields, first: Any, size: Any, word: Any) -> Any:
    """The byte of the first empty slot of a list, from the word's home on."""
    if size == 1:
        return fields.base + first * fields.width
    slot = home(word, size)
    while eight_at(records, fields.base + (first + slot) * fields.width) & fields.word_mask != fields.empty:
        slot = slot + 1 if slot + 1 < size else 0
    return fields.base + (first + slot) * fields.width


# --- levels


@kernel
def pack_unigrams(trie: PackedTrie, source: Source, firsts: NDArray[np.uint32]) -> None:
    """Write the unigrams; ``source.next_starts`` is empty in a model of order 1.

    ``firsts``, (words,): on entry how many slots the subtree of each word has, on return the first slot of its list.
    """
    first = np.int64(0)
    for word in range(source.probs.size):
        trie.floats[word, 0] = source.probs[word]
        trie.floats[word, 1] = source.backoffs[word] if source.backoffs.size > 0 else 0
        if source.next_starts.size > 0:
            successors = np.int64(source.next_starts[word + 1]) - source.next_starts[word]
            trie.unigrams[word, 2] = first
            trie.unigrams[word, 3] = trie.slot_counts[size_code(successors, trie.slot_counts)]
            subtree = np.int64(firsts[word])
            firsts[word] = first
            first += subtree


@kernel
def pack_lower_level(
    trie: PackedTrie,
    order: int,
    source: Source,
    codes: tuple[Codes, Codes],
    firsts: NDArray[np.uint32],
    next_firsts: NDArray[np.uint32],
) -> None:
    """Write an order below N - 1, whose records' successors are lists.

    ``firsts``: the first slot of the list of each context. ``next_firsts``: on entry how many slots the subtree of each
    n-gram has, on return the first slot of the list of its successors. The subtrees of a list's records follow the
    list, so that the probe for the next word often finds its cache line near. ``codes``: of log10 p and back-off.
    """
    fields = fields_of(trie, order)
    for context in range(source.starts.size - 1):
        begin, end = np.int64(source.starts[context]), np.int64(source.starts[context + 1])
        if begin == end:
            continue
        first, size = np.int64(firsts[context]), trie.slot_counts[size_code(end - begin, trie.slot_counts)]
        clear(trie.records, fields, first, size)
        next_first: Any = first + size
        for gram in range(begin, end):
            successors = np.int64(source.next_starts[gram + 1]) - source.next_starts[gram]
            bits = list_bits(size_code(successors, trie.slot_counts), next_first)
            subtree = np.int64(next_firsts[gram])
            next_firsts[gram] = next_first
            next_first += subtree
            low, high = inner_record(source, gram, fields, codes, bits)
            at = free_slot(trie.records, fields, first, size, source.words[gram])
            put(trie.records, at, fields.width, low, high)


@kernel
def pack_second_highest_level(
    trie: PackedTrie, order: int, source: Source, codes: tuple[Codes, Codes, Codes], firsts: NDArray[np.uint32]
) -> None:
    """Write order N - 1, whose records hold their successor themselves where there is one only.

    ``firsts``: the first slot of the list of each context. ``codes``: of log10 p, back-off, and log10 p of order N. The
    lists of order N follow one another.
    """
    fields, own_codes = fields_of(trie, order), (codes[0], codes[1])
    next_first: Any = np.int64(0)
    for context in range(source.starts.size - 1):
        begin, end = np.int64(source.starts[context]), np.int64(source.starts[context + 1])
        if begin == end:
            continue
        first, size = np.int64(firsts[context]), trie.slot_counts[size_code(end - begin, trie.slot_counts)]
        clear(trie.records, fields, first, size)
        for gram in range(begin, end):
            successor = np.int64(source.next_starts[gram])
            successors = np.int64(source.next_starts[gram + 1]) - successor
            if successors == 1:
                code = encode(np.float64(source.next_probs[successor]), codes[2])
                bits = single_bits(source.next_words[successor], code, fields.prob)
            else:
                number = size_code(successors, trie.slot_counts)
                bits = list_bits(number, next_first)
                next_first += trie.slot_counts[number]
            low, high = inner_record(source, gram, fields, own_codes, bits)
            at = free_slot(trie.records, fields, first, size, source.words[gram])
            put(trie.records, at, fields.width, low, high)


@kernel
def pack_highest_level(trie: PackedTrie, source: Source, codes: Codes) -> None:
    """Write order N, list after list; above order 2, a list of one lies in its context's record already."""
    order = trie.fields.shape[0] - 1
    fields = fields_of(trie, order)
    first: Any = np.int64(0)
    for context in range(source.starts.size - 1):
        begin, end = np.int64(source.starts[context]), np.int64(source.starts[context + 1])
        if begin == end or (end - begin == 1 and order > 2):
            continue
        size = trie.slot_counts[size_code(end - begin, trie.slot_counts)]
        clear(trie.records, fields, first, size)
        for gram in range(begin, end):
            low, high = highest_record(source, gram, fields, codes)
            at = free_slot(trie.records, fields, first, size, source.words[gram])
            put(trie.records, at, fields.width, low, high)
        first += size


# --- suffixes


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
            low = lower_bound(lower_words, low, end, words[gram])
            if low == end or lower_words[low] != words[gram]:
                return False
            suffixes[gram] = low
    return True

"""A packed back-off model walked n-gram by n-gram: the state of a sentence, the successors of a context."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.corpus.kernels.eight_bytes import eight_at
from windrow.lm.ngram.kernels.query import (
    SIZE_BITS,
    Table,
    backoff_at,
    find,
    prob_at,
    prob_value,
    reader,
    successors_at,
)
from windrow.numeric.jit import kernel

_ONE, _EIGHT, _SIZE_MASK = np.uint64(1), np.uint64(1 + SIZE_BITS), np.uint64(2**SIZE_BITS - 1)


@kernel
def list_of(table: Table, order: int, place: int) -> Any:
    """First slot and slots of the successors of the n-gram at ``place``; (-1, 1) for one that lies in the record.

    The place of an n-gram is its word in order 1, else the byte of its record.
    """
    if order == 1:
        first, size = np.int64(table.unigrams[place, 2]), np.int64(table.unigrams[place, 3])
    else:
        bits = successors_at(table, place, reader(table, order))
        if bits & _ONE:
            return np.int64(-1), np.int64(1)
        first, size = np.int64(bits >> _EIGHT), table.slot_counts[(bits >> _ONE) & _SIZE_MASK]
    return first, size if first + size <= reader(table, order + 1).slots else 0


@kernel
def single(table: Table, order: int, place: int) -> Any:
    """Word and log10 p of the single successor that lies in a record of that order."""
    read, above = reader(table, order), reader(table, order + 1)
    bits = successors_at(table, place, read) >> _ONE
    code = bits >> (np.uint64(8) * np.uint64(read.prob_byte) + read.prob_shift)
    prob = prob_value(table.books, np.uint64(order + 1), code & above.prob_mask, above)
    return np.int64(bits & read.word_mask), prob


@kernel
def backoff_of(table: Table, order: int, place: int) -> Any:
    """The log10 back-off of the n-gram at ``place``."""
    if order == 1:
        return table.floats[place, 1]
    return backoff_at(table, np.uint64(order), place, reader(table, order))


@kernel
def successors(
    table: Table,
    order: int,
    place: int,
    words: NDArray[np.int32],
    probs: NDArray[np.float32],
    places: NDArray[np.int64],
) -> Any:
    """Write the successors of the n-gram at ``place``, in no order; how many, of which those with room are written.

    ``probs`` are as they are stored; ``places`` are -1 where a successor lies in its context's record.
    """
    first, size = list_of(table, order, place)
    vocabulary = table.unigrams.shape[0]
    if first < 0:
        word, prob = single(table, order, place)
        if word >= vocabulary:
            return 0
        if words.size > 0:
            words[0], probs[0], places[0] = word, prob, -1
        return 1
    found = 0
    read = reader(table, order + 1)
    for slot in range(first, first + size):
        at = read.base + slot * read.width
        word = np.int64(eight_at(table.records, at) & read.word_mask)
        if word < vocabulary:
            if found < words.size:
                words[found], probs[found] = word, prob_at(table, np.uint64(order + 1), at, read)
                places[found] = at
            found += 1
    return found


@kernel(allocates=True)
def sort_list(words: NDArray[np.int32], probs: NDArray[np.float32], places: NDArray[np.int64]) -> None:
    """Sort a list of successors by their words."""
    order = np.argsort(words)
    words[:], probs[:], places[:] = words[order], probs[order], places[order]


@kernel(allocates=True)
def unpack_level(
    table: Table,
    order: int,
    places: NDArray[np.int64],
    starts: NDArray[np.int32],
    words: NDArray[np.int32],
    probs: NDArray[np.float32],
    next_places: NDArray[np.int64],
) -> Any:
    """The sorted n-grams of the next order, from the places of those of this one; how many, -1 if they do not fit."""
    end = 0
    slots_left = reader(table, order + 1).slots
    for context in range(places.size):
        starts[context] = end
        first, size = list_of(table, order, places[context])
        slots_left -= size if first >= 0 else 0
        if slots_left < 0:  # lists that overlap
            return -1
        found = successors(table, order, places[context], words[end:], probs[end:], next_places[end:])
        if found > words.size - end:
            return -1
        if found > 1:
            begin, end = end, end + found
            sort_list(words[begin:end], probs[begin:end], next_places[begin:end])
        else:
            end += found
    starts[places.size] = end
    return end


@kernel
def stored_backoffs(table: Table, order: int, places: NDArray[np.int64], backoffs: NDArray[np.float32]) -> None:
    """The back-offs of n-grams by their places."""
    for gram in range(places.size):
        backoffs[gram] = backoff_of(table, order, places[gram])


@kernel
def advance(table: Table, places: NDArray[np.int64], word: int, new_places: NDArray[np.int64]) -> Any:
    """log10 p of a word, relative to unseen contexts, after the n-grams at ``places``; -1 for one not stored.

    Both arrays are (N,): of the n-grams of each order that end at the last word, and at this one.
    """
    new_places[:] = -1
    new_places[0] = word
    total = np.float64(table.floats[word, 0])
    for order in range(1, places.size):
        place = places[order - 1]
        if place < 0:
            continue
        total += backoff_of(table, order, place)
        first, size = list_of(table, order, place)
        if first < 0:
            only, prob = single(table, order, place)
            if only == word:
                total = np.float64(prob)
            continue
        read = reader(table, order + 1)
        at = find(table, read, first, size, np.uint64(word))
        if at >= 0:
            total = np.float64(prob_at(table, np.uint64(order + 1), at, read))
            new_places[order] = at
    return total

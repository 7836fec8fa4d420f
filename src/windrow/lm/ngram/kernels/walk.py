"""A packed trie word by word: the state of a sentence, the successors of a context, the sorted levels again."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.lm.ngram.kernels.query import (
    PackedTrie,
    backoff_at,
    find,
    list_of,
    prob_at,
    reader,
    single_prob,
    single_word,
    successors_at,
    word_at,
)
from windrow.numeric.jit import kernel

_ONE = np.uint64(1)


@kernel
def successor_list(trie: PackedTrie, order: int, place: int) -> Any:
    """First slot and number of slots of the successors of the n-gram at ``place``; (-1, 1) for a single one.

    The place of an n-gram is its word in order 1, else the byte of its record.
    """
    if order == 1:
        first, size = np.int64(trie.unigrams[place, 2]), np.int64(trie.unigrams[place, 3])
    else:
        bits = successors_at(trie, place, reader(trie, order))
        if bits & _ONE:
            return np.int64(-1), np.int64(1)
        first, size = list_of(trie, bits)
    return first, size if first + size <= reader(trie, order + 1).slots else 0


@kernel
def single_successor(trie: PackedTrie, order: int, place: int) -> Any:
    """Word and log10 p of the single successor that lies in a record of that order."""
    read, above = reader(trie, order), reader(trie, order + 1)
    bits = successors_at(trie, place, read)
    return np.int64(single_word(bits, read)), single_prob(trie, np.uint64(order + 1), bits, read, above)


@kernel
def backoff_of(trie: PackedTrie, order: int, place: int) -> Any:
    """The log10 back-off of the n-gram at ``place``."""
    if order == 1:
        return trie.floats[place, 1]
    return backoff_at(trie, np.uint64(order), place, reader(trie, order))


@kernel
def successors(
    trie: PackedTrie,
    order: int,
    place: int,
    words: NDArray[np.int32],
    probs: NDArray[np.float32],
    places: NDArray[np.int64],
) -> Any:
    """Write the successors of the n-gram at ``place``, in no order, and return how many there are.

    No more are written than the arrays hold. ``probs`` are as they are stored; the place of a successor that lies in
    its context's record is -1.
    """
    first, size = successor_list(trie, order, place)
    vocabulary = trie.unigrams.shape[0]
    if first < 0:
        word, prob = single_successor(trie, order, place)
        if word >= vocabulary:
            return 0
        if words.size > 0:
            words[0], probs[0], places[0] = word, prob, -1
        return 1
    found = 0
    read = reader(trie, order + 1)
    for slot in range(first, first + size):
        at = read.base + slot * read.width
        word = np.int64(word_at(trie, at, read))
        if word < vocabulary:
            if found < words.size:
                words[found], probs[found] = word, prob_at(trie, np.uint64(order + 1), at, read)
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
    trie: PackedTrie,
    order: int,
    places: NDArray[np.int64],
    starts: NDArray[np.int32],
    words: NDArray[np.int32],
    probs: NDArray[np.float32],
    next_places: NDArray[np.int64],
) -> Any:
    """Write the sorted n-grams of the next order, given the places of those of this one.

    Returns how many there are; -1 for a damaged table, in which they are more than the arrays hold.
    """
    end = 0
    slots_left = reader(trie, order + 1).slots
    for context in range(places.size):
        starts[context] = end
        first, size = successor_list(trie, order, places[context])
        slots_left -= size if first >= 0 else 0
        if slots_left < 0:  # lists that overlap
            return -1
        found = successors(trie, order, places[context], words[end:], probs[end:], next_places[end:])
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
def stored_backoffs(trie: PackedTrie, order: int, places: NDArray[np.int64], backoffs: NDArray[np.float32]) -> None:
    """The back-offs of n-grams by their places."""
    for gram in range(places.size):
        backoffs[gram] = backoff_of(trie, order, places[gram])


@kernel
def advance(trie: PackedTrie, places: NDArray[np.int64], word: int, new_places: NDArray[np.int64]) -> Any:
    """log10 p of a word after a context, relative to the weight of unseen contexts.

    ``places``, (N,): of the n-grams of each order that end at the last word, -1 for one that is not stored;
    ``new_places``, (N,): filled with the same for this word.
    """
    new_places[:] = -1
    new_places[0] = word
    total = np.float64(trie.floats[word, 0])
    for order in range(1, places.size):
        place = places[order - 1]
        if place < 0:
            continue
        total += backoff_of(trie, order, place)
        first, size = successor_list(trie, order, place)
        if first < 0:
            only, prob = single_successor(trie, order, place)
            if only == word:
                total = np.float64(prob)
            continue
        read = reader(trie, order + 1)
        at = find(trie, read, first, size, np.uint64(word))
        if at >= 0:
            total = np.float64(prob_at(trie, np.uint64(order + 1), at, read))
            new_places[order] = at
    return total

"""Read a packed trie n-gram by n-gram: score one more word, list the successors of a context, unpack the levels.

N-grams are given by their addresses, see ``packed_trie``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.lm.ngram.kernels.packed_trie import (
    FIRST_SLOT,
    LIST_SIZE,
    UNIGRAM_BACKOFF,
    PackedTrie,
    backoff_at,
    list_of,
    prob_at,
    reader,
    single_prob,
    single_word,
    successors_at,
    word_at,
)
from windrow.numeric.jit import kernel

_ONE, _S32, _LOW_32 = np.uint64(1), np.uint64(32), np.uint64(2**32 - 1)


@kernel
def successors_of(trie: PackedTrie, order: int, address: int) -> Any:
    """Where the successors of the n-gram at ``address`` lie, as one number, which ``list_in`` reads; 0 for none."""
    if order == 1:
        first, size = np.uint64(trie.unigrams[address, FIRST_SLOT]), np.uint64(trie.unigrams[address, LIST_SIZE])
        return (first << _S32) | size if size > 0 else np.uint64(0)
    bits = successors_at(trie, address, reader(trie, order))
    return bits if bits & _ONE or list_of(trie, bits)[1] > 0 else np.uint64(0)


@kernel
def list_in(trie: PackedTrie, order: int, successors: Any) -> Any:
    """First slot and number of slots of the list of an n-gram's successors; (-1, 1) for a single one in its record."""
    if order == 1:
        first, size = np.int64(successors >> _S32), np.int64(successors & _LOW_32)
    else:
        if successors & _ONE:
            return np.int64(-1), np.int64(1)
        first, size = list_of(trie, successors)
    return first, size if first + size <= reader(trie, order + 1).slots else 0


@kernel
def successor_list(trie: PackedTrie, order: int, address: int) -> Any:
    """``list_in`` of the n-gram at ``address``."""
    return list_in(trie, order, successors_of(trie, order, address))


@kernel
def single_in(trie: PackedTrie, order: int, successors: Any) -> Any:
    """Word and log10 p of the single successor of an n-gram of that order, which lies in its record."""
    read, above = reader(trie, order), reader(trie, order + 1)
    return np.int64(single_word(successors, read)), single_prob(trie, np.uint64(order + 1), successors, read, above)


@kernel
def backoff_of(trie: PackedTrie, order: int, address: int) -> Any:
    """The log10 back-off of the n-gram at ``address``."""
    if order == 1:
        return trie.floats[address, UNIGRAM_BACKOFF]
    return backoff_at(trie, np.uint64(order), address, reader(trie, order))


@kernel
def successors(
    trie: PackedTrie,
    order: int,
    lie_in: Any,
    words: NDArray[np.int32],
    probs: NDArray[np.float32],
    addresses: NDArray[np.int64],
) -> Any:
    """Write the successors of an n-gram, which ``lie_in`` (``successors_of``), in no order; returns how many there are.

    No more are written than the arrays hold. ``probs`` are as they are stored. A successor that lies in its
    context's record has no address: -1 is written.
    """
    first, size = list_in(trie, order, lie_in)
    vocabulary = trie.unigrams.shape[0]
    if first < 0:
        word, prob = single_in(trie, order, lie_in)
        if word >= vocabulary:
            return 0
        if words.size > 0:
            words[0], probs[0], addresses[0] = word, prob, -1
        return 1
    found = 0
    read = reader(trie, order + 1)
    for slot in range(first, first + size):
        at = read.base + slot * read.width
        word = np.int64(word_at(trie, at, read))
        if word < vocabulary:
            if found < words.size:
                words[found], probs[found] = word, prob_at(trie, np.uint64(order + 1), at, read)
                addresses[found] = at
            found += 1
    return found


@kernel(allocates=True)
def sort_list(words: NDArray[np.int32], probs: NDArray[np.float32], addresses: NDArray[np.int64]) -> None:
    """Sort a list of successors by their words."""
    order = np.argsort(words)
    words[:], probs[:], addresses[:] = words[order], probs[order], addresses[order]


@kernel(allocates=True)
def unpack_level(
    trie: PackedTrie,
    order: int,
    addresses: NDArray[np.int64],
    starts: NDArray[np.int32],
    words: NDArray[np.int32],
    probs: NDArray[np.float32],
    next_addresses: NDArray[np.int64],
) -> Any:
    """Write the sorted n-grams of the next order, given the addresses of those of this one.

    Returns how many there are; -1 for a damaged table, in which they are more than the arrays hold.
    """
    end = 0
    slots_left = reader(trie, order + 1).slots
    for context in range(addresses.size):
        starts[context] = end
        lie_in = successors_of(trie, order, addresses[context])
        first, size = list_in(trie, order, lie_in)
        slots_left -= size if first >= 0 else 0
        if slots_left < 0:  # lists that overlap
            return -1
        found = successors(trie, order, lie_in, words[end:], probs[end:], next_addresses[end:])
        if found > words.size - end:
            return -1
        if found > 1:
            begin, end = end, end + found
            sort_list(words[begin:end], probs[begin:end], next_addresses[begin:end])
        else:
            end += found
    starts[addresses.size] = end
    return end


@kernel
def successor_slots(trie: PackedTrie, order: int, addresses: NDArray[np.int64], slots: NDArray[np.int64]) -> None:
    """Write how many successors n-grams of one order have at most, given their addresses; both (n,)."""
    for gram in range(addresses.size):
        _, slots[gram] = successor_list(trie, order, addresses[gram])


@kernel
def stored_backoffs(trie: PackedTrie, order: int, addresses: NDArray[np.int64], backoffs: NDArray[np.float32]) -> None:
    """Write the log10 back-offs of n-grams of one order, given their addresses, to ``backoffs``; both (n,)."""
    for gram in range(addresses.size):
        backoffs[gram] = backoff_of(trie, order, addresses[gram])

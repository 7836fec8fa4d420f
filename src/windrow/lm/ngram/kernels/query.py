"""Score a stream of words with a packed trie (``packed_trie``), in blocks of positions.

A probe, that is, a look for one word in one list of records, costs about one cache miss. The misses of a block overlap,
because a block is scored order by order: the record of an n-gram says where its successors lie, so the cache line that
should hold the next word is fetched long before it is read.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.lm.ngram.kernels.packed_trie import (
    FIRST_SLOT,
    LIST_SIZE,
    UNIGRAM_BACKOFF,
    UNIGRAM_PROB,
    PackedTrie,
    Reader,
    backoff_at,
    find,
    home,
    list_of,
    prob_at,
    reader,
    single_prob,
    single_word,
    successors_at,
    word_at,
)
from windrow.lm.symbols import BOS
from windrow.numeric.jit import kernel
from windrow.numeric.simd import prefetch

BLOCK = 128  # positions scored together

_ZERO, _ONE = np.uint64(0), np.uint64(1)
_BOS = np.uint64(BOS)
_NO_ORDER = -1  # less than any order: nothing need be stored


class Scratch(NamedTuple):
    """Memory for a block of positions, with one before it and one after it.

    Words and positions are unsigned: Numba would test whether a signed index counts from the end.
    """

    words: NDArray[np.uint64]  # (BLOCK + 2,)
    sums: NDArray[np.float32]
    matched: NDArray[np.int64]  # the longest order found so far
    found_at: NDArray[np.int64]  # the address of the record found in this pass
    at: NDArray[np.int64]  # the queue of probes of the next pass: the byte to look at first,
    first: NDArray[np.int64]  # the first slot of the list,
    size: NDArray[np.int64]  # its number of slots,
    position: NDArray[np.uint64]  # and for which position
    carried: NDArray[np.int64]  # (N + 1,): the address found at the last position of the block before, or -1


def new_scratch(order: int) -> Scratch:
    """Memory for scoring with a model of that order."""
    matched, found_at, at, first, size = np.zeros((5, BLOCK + 2), np.int64)
    words, position = np.zeros((2, BLOCK + 2), np.uint64)
    sums, carried = np.zeros(BLOCK + 2, np.float32), np.full(order + 1, -1, np.int64)
    return Scratch(words, sums, matched, found_at, at, first, size, position, carried)


@kernel
def enqueue(
    trie: PackedTrie, read: Reader, first: Any, size: Any, position: Any, queued: Any, least: Any, scratch: Scratch
) -> Any:
    """Write a probe, for the word at ``position`` in a list, to entry ``queued`` of the queue; prefetch what it reads.

    Returns by how much the queue grows: 1, or 0 where the probe would be in vain, so that the next one overwrites it.
    That is where the list is empty or leads out of the records, where the word is BOS, and where the longest n-gram
    found at the position is shorter than ``least``.
    """
    word = scratch.words[position]
    at = read.base + (first + home(word, size)) * read.width
    scratch.at[queued] = at
    scratch.first[queued] = first
    scratch.size[queued] = size
    scratch.position[queued] = position
    prefetch(trie.records, at)
    prefetch(trie.records, at + 2 * read.width - 1)
    # Computed without a branch, which could not be predicted.
    fits = (first + size <= read.slots) & (size > 0)
    return np.uint64(fits & (word != _BOS) & (scratch.matched[position] >= least))


@kernel
def unigram_pass(trie: PackedTrie, lowest: int, last: int, scratch: Scratch) -> Any:
    """Score the positions ``last`` down to ``lowest`` by unigrams; returns how many probes of order 2 are queued."""
    queued, position = _ZERO, np.uint64(last)
    has_bigrams = trie.fields.shape[0] > 2
    above = reader(trie, min(2, trie.fields.shape[0] - 1))
    for _ in range(lowest, last + 1):
        word, after = scratch.words[position], position + _ONE
        scratch.sums[position] = trie.floats[word, UNIGRAM_PROB]
        scratch.matched[position] = 1
        scratch.sums[after] += trie.floats[word, UNIGRAM_BACKOFF]
        if has_bigrams:
            first, size = np.int64(trie.unigrams[word, FIRST_SLOT]), np.int64(trie.unigrams[word, LIST_SIZE])
            queued += enqueue(trie, above, first, size, after, queued, _NO_ORDER, scratch)
        position -= _ONE
    return np.int64(queued)


@kernel
def probed_record(trie: PackedTrie, read: Reader, probe: Any, scratch: Scratch) -> Any:
    """The address of the record that a probe finds, mostly the one it looks at first; -1 where there is none."""
    at, wanted = scratch.at[probe], scratch.words[scratch.position[probe]]
    if word_at(trie, at, read) == wanted:
        return at
    return find(trie, read, scratch.first[probe], scratch.size[probe], wanted)


@kernel
def middle_pass(trie: PackedTrie, order: int, queued: int, slack: int, scratch: Scratch) -> Any:
    """Make the queued probes of an order from 2 to N - 1; returns how many probes of the next order are queued.

    A record that is found sets log10 p of the word at its position, adds its back-off to the next word, and tells where
    to look up the next word's record: in itself if it has a single successor, else in its list, by another probe.
    """
    read, above = reader(trie, order), reader(trie, order + 1)
    this, next_order = np.uint64(order), np.uint64(order + 1)
    next_probes = _ZERO
    for probe in range(np.uint64(queued)):
        at = probed_record(trie, read, probe, scratch)
        if at < 0:
            continue
        position = scratch.position[probe]
        after = position + _ONE
        scratch.found_at[position] = at
        scratch.matched[position] = order
        scratch.sums[position] = prob_at(trie, this, at, read)
        scratch.sums[after] += backoff_at(trie, this, at, read)
        successors = successors_at(trie, at, read)
        if successors & _ONE:
            if single_word(successors, read) == scratch.words[after]:
                scratch.matched[after] = order + 1
                scratch.sums[after] = single_prob(trie, next_order, successors, read, above)
        else:
            first, size = list_of(trie, successors)
            next_probes += enqueue(trie, above, first, size, after, next_probes, order - slack, scratch)
    return np.int64(next_probes)


@kernel
def last_pass(trie: PackedTrie, order: int, queued: int, scratch: Scratch) -> None:
    """Make the queued probes of the highest order, whose records have log10 p only."""
    read = reader(trie, order)
    for probe in range(np.uint64(queued)):
        at = probed_record(trie, read, probe, scratch)
        if at >= 0:
            position = scratch.position[probe]
            scratch.matched[position] = order
            scratch.sums[position] = prob_at(trie, np.uint64(order), at, read)


@kernel
def score_block(trie: PackedTrie, lowest: int, last: int, slack: int, scratch: Scratch) -> None:
    """Score the positions 1 to ``last``; ``lowest``: 0 if the block before has a last word, at position 0; else 1.

    Within a pass, positions go down: log10 p of a word is set before its context, one position to the left, adds its
    back-off. The records found at the last position of the block before are read again, at position 0, because they are
    contexts of the first word of this block.
    """
    order = trie.fields.shape[0] - 1
    queued = unigram_pass(trie, lowest, last, scratch)
    for k in range(2, order):
        if scratch.carried[k] >= 0:
            scratch.at[queued] = scratch.carried[k]
            scratch.first[queued] = scratch.size[queued] = scratch.position[queued] = 0
            queued += 1
        scratch.found_at[last] = -1
        queued = middle_pass(trie, k, queued, slack, scratch)
        scratch.carried[k] = scratch.found_at[last]
    if order > 1:
        last_pass(trie, order, queued, scratch)


@kernel
def score(
    trie: PackedTrie,
    stream: NDArray[np.int32],
    slack: int,
    scratch: Scratch,
    scores: NDArray[np.float32],
    orders: NDArray[np.int8],
) -> None:
    """Write log10 p of each symbol of a stream to ``scores``, 0 at BOS; and the longest n-gram's order to ``orders``.

    ``orders`` may be empty: then it is left alone. ``slack``: 0 if the suffix of every stored n-gram is stored, too, so
    that a probe is skipped where the n-gram shorter by one word was not found; else the model's order: none is skipped.
    Like the numbers of the trie, scores are relative to the weight of unseen contexts; ``add_unseen`` completes them.
    """
    for k in range(scratch.carried.size):
        scratch.carried[k] = -1
    for start in range(0, stream.size, BLOCK):
        last = min(BLOCK, stream.size - start)
        scratch.words[0] = scratch.words[BLOCK]
        for i in range(last):
            scratch.words[i + 1] = stream[start + i]
        scratch.words[last + 1] = BOS
        scratch.sums[last + 1] = 0
        score_block(trie, 1 if start == 0 else 0, last, slack, scratch)
        for i in range(last):
            scores[start + i] = scratch.sums[i + 1] if stream[start + i] != BOS else 0
        if orders.size > 0:
            for i in range(last):
                orders[start + i] = scratch.matched[i + 1] if stream[start + i] != BOS else 0


@kernel
def add_unseen(stream: NDArray[np.int32], most: int, unseen_backoff: float, scores: NDArray[np.float32]) -> None:
    """Add to each score ``unseen_backoff`` times the number of contexts at its position, which is at most ``most``."""
    contexts = 0
    for i in range(stream.size):
        if stream[i] == BOS:
            contexts = 0
        else:
            scores[i] += np.float32(unseen_backoff * contexts)
        contexts = min(contexts + 1, most)

"""Score a stream of words with a compact trie (``compact_trie``), in blocks of positions, order by order."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.lm.ngram.kernels.compact_trie import (
    BLOCK_SHIFT,
    FLAT,
    NOTHING,
    CompactTrie,
    Reader,
    bits_at,
    discounted,
    find,
    list_at,
    next_at,
    reader,
    slot_bit,
)
from windrow.lm.ngram.kernels.packed_trie import home
from windrow.lm.symbols import BOS
from windrow.numeric.jit import kernel
from windrow.numeric.simd import prefetch

BLOCK = 128  # positions scored together
_ZERO, _ONE, _S3 = np.uint64(0), np.uint64(1), np.uint64(3)
_AHEAD = 32  # bytes after the beginning of a list that are likely to be read, too
_NEAR = 16  # and after the home of a key
_SCALE, _GAMMA = np.uint64(1), np.uint64(2)
_NO_KEY = np.uint64(2**63)


class Scratch(NamedTuple):
    """Memory for a block of positions, with one before it and one after it."""

    words: NDArray[np.int64]  # (BLOCK + 2,)
    probs: NDArray[np.float64]
    matched: NDArray[np.int64]  # the longest order found so far
    keys: NDArray[np.uint64]  # of the n-gram of that order
    position: NDArray[np.int64]  # the queue of the next pass: positions whose context was found,
    nexts: NDArray[np.uint64]  # where its successors are,
    first: NDArray[np.uint64]  # and of lists what their headers say
    size: NDArray[np.uint64]
    gamma: NDArray[np.float64]
    scale: NDArray[np.float64]
    slots: NDArray[np.int64]  # what is found: its slot, or -1, and its code
    codes: NDArray[np.uint64]
    carried: NDArray[np.uint64]  # (N + 1,): the successors after the last position of the block before


def new_scratch(order: int) -> Scratch:
    """Memory for scoring with a model of that order."""
    words, matched, position, slots = np.zeros((4, BLOCK + 2), np.int64)
    keys, nexts, first, size, codes = np.zeros((5, BLOCK + 2), np.uint64)
    probs, gamma, scale = np.zeros((3, BLOCK + 2), np.float64)
    carried = np.full(order + 1, NOTHING, np.uint64)
    return Scratch(words, probs, matched, keys, position, nexts, first, size, gamma, scale, slots, codes, carried)


@kernel
def enqueue(
    trie: CompactTrie, read: Reader, position: Any, successors: Any, inline: Any, queued: Any, scratch: Scratch
) -> Any:
    """Write an entry of the queue, and prefetch what it reads first; returns how long the queue is then."""
    scratch.position[queued] = position
    scratch.nexts[queued] = successors
    elsewhere = (successors < NOTHING) & ~(inline & (successors & _ONE == _ONE))
    at: Any = np.int64(slot_bit(read, successors >> _ONE if elsewhere else _ZERO) >> _S3)
    prefetch(trie.records, at)
    prefetch(trie.records, at + _AHEAD)
    return queued + (successors != NOTHING)


@kernel
def unigram_pass(trie: CompactTrie, last: int, scratch: Scratch) -> Any:
    """Score the positions ``last`` down to 1 by single words; returns how many entries are queued."""
    queued, above, carried = 0, reader(trie, min(2, trie.fields.shape[0] - 1)), scratch.carried[1]
    scratch.carried[1] = trie.nexts[scratch.words[last]]
    for back in range(last):
        position = last - back
        word = scratch.words[position]
        scratch.probs[position] = trie.probs[word]
        scratch.matched[position] = 1
        scratch.keys[position] = word
        if position < last:
            queued = enqueue(trie, above, position + 1, np.uint64(trie.nexts[word]), False, queued, scratch)
    return enqueue(trie, above, 1, carried, False, queued, scratch)


@kernel
def read_headers(trie: CompactTrie, read: Reader, queued: int, scratch: Scratch) -> None:
    """Read the headers of the lists in the queue, and prefetch the slots that are to be probed."""
    for entry in range(queued):
        successors = scratch.nexts[entry]
        if successors & _ONE == _ZERO:
            first, size, gamma, scale = list_at(trie, read, successors >> _ONE)
            scratch.first[entry] = first
            scratch.size[entry] = size
            scratch.gamma[entry] = gamma
            scratch.scale[entry] = 1.0 / scale
            if size > np.uint64(FLAT):
                slot = first + np.uint64(home(scratch.keys[scratch.position[entry]], size))
                at: Any = np.int64(slot_bit(read, slot) >> _S3)
                prefetch(trie.records, at)
                prefetch(trie.records, at + _NEAR)


@kernel
def find_records(trie: CompactTrie, order: int, queued: int, scratch: Scratch) -> None:
    """Find the record of each entry of the queue, and prefetch what is needed besides."""
    highest, read = trie.fields.shape[0] - 1, reader(trie, order)
    inline, this = order == highest and order > 2, np.uint64(order)
    for entry in range(queued):
        position, successors = scratch.position[entry], scratch.nexts[entry]
        wanted = scratch.keys[position] if scratch.matched[position] == order - 1 else _NO_KEY
        slot, code = np.int64(-1), _ZERO
        if successors & _ONE:
            found = successors >> _ONE
            first = found
            if not inline:
                found = bits_at(trie.records, slot_bit(read, min(found, read.slots)))
            code = (found >> read.key_bits) & read.code_mask
            scratch.gamma[entry] = trie.singles[this, code, _GAMMA]
            scratch.scale[entry] = trie.singles[this, code, _SCALE]
            slot = np.int64(first) if found & read.key_mask == wanted else np.int64(-1)
            scratch.first[entry] = first
        elif wanted != _NO_KEY:
            slot = find(trie, read, scratch.first[entry], scratch.size[entry], wanted)
            if slot >= 0:
                code = (bits_at(trie.records, slot_bit(read, slot)) >> read.key_bits) & read.code_mask
                if code == read.code_mask:
                    prefetch(trie.rare, 2 * (read.first_rare + home(slot, read.rare)))
        scratch.slots[entry] = slot
        scratch.codes[entry] = code
        if slot >= 0 and order < highest:
            block: Any = np.int64(read.base + (np.uint64(slot) >> np.uint64(BLOCK_SHIFT)))
            prefetch(trie.bases, block)


@kernel
def order_pass(trie: CompactTrie, order: int, last: int, queued: int, scratch: Scratch) -> Any:
    """Score the queued positions by n-grams of an order; returns how many entries are queued for the next one."""
    highest = trie.fields.shape[0] - 1
    read, above = reader(trie, order), reader(trie, min(order + 1, highest))
    read_headers(trie, read, queued, scratch)
    find_records(trie, order, queued, scratch)
    inline_next, this = order == highest - 1, np.uint64(order)
    carried, next_queued = scratch.carried[order], 0
    scratch.carried[order] = NOTHING
    for entry in range(queued):
        position, slot = scratch.position[entry], scratch.slots[entry]
        prob = scratch.gamma[entry] * scratch.probs[position]
        if slot >= 0:
            prob += discounted(trie, read, this, scratch.codes[entry], slot) * scratch.scale[entry]
            scratch.matched[position] = order
            if order < highest:
                scratch.keys[position] = np.uint64(slot) - scratch.first[entry]
                after = NOTHING
                if np.uint64(slot) < read.slots:
                    after = next_at(trie, read, slot, inline_next)
                if position == last:
                    scratch.carried[order] = after
                else:
                    next_queued = enqueue(trie, above, position + 1, after, inline_next, next_queued, scratch)
        scratch.probs[position] = prob
    if order < highest:
        next_queued = enqueue(trie, above, 1, carried, inline_next, next_queued, scratch)
    return next_queued


@kernel
def score(
    trie: CompactTrie,
    stream: NDArray[np.int32],
    scratch: Scratch,
    probs: NDArray[np.float64],
    orders: NDArray[np.int8],
) -> None:
    """Write p of each symbol of a stream, 1 at BOS, and the longest n-gram's order, unless ``orders`` is empty."""
    for k in range(scratch.carried.size):
        scratch.carried[k] = NOTHING
    highest = trie.fields.shape[0] - 1
    for start in range(0, stream.size, BLOCK):
        last = min(BLOCK, stream.size - start)
        for i in range(last):
            scratch.words[i + 1] = stream[start + i]
        queued = unigram_pass(trie, last, scratch)
        for k in range(2, highest + 1):
            queued = order_pass(trie, k, last, queued, scratch)
        for i in range(last):
            probs[start + i] = scratch.probs[i + 1] if stream[start + i] != BOS else 1.0
        if orders.size > 0:
            for i in range(last):
                orders[start + i] = scratch.matched[i + 1] if stream[start + i] != BOS else 0

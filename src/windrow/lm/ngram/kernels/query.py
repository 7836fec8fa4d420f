"""Back-off n-gram models as a packed trie: what a table looks like, and how a stream of words is scored.

A probe costs about one cache miss, and misses of a block of positions overlap, because a block is scored order by
order: the record found for an n-gram says where its successors lie, so that the line in which the next word's record
should be is under way long before it is needed.

A record of order k is a row of bits, lowest first: word, code of log10 p and, below the highest order N, code of the
log10 back-off and the successors. Records that share a context form a hash table of their own (linear probing, without
spare slots when there are at most 8), and successors are 1 bit that is 0, 7 bits that name the number of slots, and
the first slot; or, for a single successor of order N, 1 bit that is 1, its word and its code of log10 p: it lies in
its context's record and needs no probe. Records below order N have one width and lie in one sequence, the list of a
context before the lists of all that it begins; those of order N follow. Order 1 is indexed by the word.

A number with code c of ``bits`` bits is ``books[c >> (bits - 8)] + steps * (the other bits)``.

No table can lead a probe out of its arrays: every list is checked against the number of slots.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.corpus.kernels.eight_bytes import eight_at
from windrow.numeric.jit import kernel
from windrow.numeric.simd import prefetch

BOS, EOS = 1, 2  # ids of <s> and </s>
BLOCK = 128  # positions scored together
PAD = 16  # bytes after the last record, so that it can be read in eights
SIZE_BITS = 7  # of the number that names a number of slots

# Columns of ``Table.levels``: row k says how records of order k are read.
BASE = 0  # the byte at which its slots start
SLOTS = 1  # of all orders below N, or of order N
WIDTH = 2  # bytes of a record
WORD_MASK = 3
PROB_BYTE, PROB_SHIFT, PROB_MASK, PROB_LOW = 4, 5, 6, 7  # the lowest ``PROB_LOW`` bits of a code count steps
BACKOFF_BYTE, BACKOFF_SHIFT, BACKOFF_MASK, BACKOFF_LOW = 8, 9, 10, 11
NEXT_BYTE, NEXT_SHIFT, NEXT_MASK = 12, 13, 14
COLUMNS = 15

# Columns of ``Table.unigrams``.
_PROB, _BACKOFF, _FIRST, _SIZE = 0, 1, 2, 3

_ZERO, _ONE, _EIGHT, _S32 = np.uint64(0), np.uint64(1), np.uint64(1 + SIZE_BITS), np.uint64(32)
_LOW_32 = np.uint64(2**32 - 1)
_SIZE_MASK = np.uint64(2**SIZE_BITS - 1)
_GOLDEN = np.uint64(0x9E3779B1)  # 2**32 / golden ratio: multiples spread evenly
_BOS = np.uint64(BOS)


class Table(NamedTuple):
    """A packed model of order N. Log10 probabilities count from ``unseen_backoff``: see ``unseen_shift``."""

    unigrams: NDArray[np.uint32]  # (words, 4): log10 p and back-off as float32 bits, first slot, slots
    floats: NDArray[np.float32]  # (words, 4): the same memory
    records: NDArray[np.uint8]  # orders 2 to N one after another, and PAD bytes
    levels: NDArray[np.int64]  # (N + 1, COLUMNS); rows 0 and 1 unused
    books: NDArray[np.float32]  # (N + 1, 2, 256): of log10 p, of back-offs
    steps: NDArray[np.float32]  # (N + 1, 2)
    slot_counts: NDArray[np.int64]  # (128,)


class Reader(NamedTuple):
    """A row of ``Table.levels`` and what goes with it as numbers, which a loop keeps at hand."""

    base: Any
    slots: Any
    width: Any
    word_mask: Any
    prob_byte: Any
    prob_shift: Any
    prob_mask: Any
    prob_low: Any
    prob_step: Any
    backoff_byte: Any
    backoff_shift: Any
    backoff_mask: Any
    backoff_low: Any
    backoff_step: Any
    next_byte: Any
    next_shift: Any
    next_mask: Any


class Scratch(NamedTuple):
    """Room for a block of positions, with one before it and one after it. Unsigned: places that count from the end."""

    words: NDArray[np.uint64]  # (BLOCK + 2,)
    sums: NDArray[np.float32]
    matched: NDArray[np.int64]  # the longest order found so far
    places: NDArray[np.int64]  # the byte of the record found in this pass
    at: NDArray[np.int64]  # the queue of probes of the next pass: the byte to look at first,
    first: NDArray[np.int64]  # the first slot of the list,
    size: NDArray[np.int64]  # its number of slots,
    position: NDArray[np.uint64]  # and for which position
    carried: NDArray[np.int64]  # (N + 1,): the record found at the last position of the block before, or -1


def new_scratch(order: int) -> Scratch:
    """Room to score with a model of that order."""
    matched, places, at, first, size = np.zeros((5, BLOCK + 2), np.int64)
    words, position = np.zeros((2, BLOCK + 2), np.uint64)
    sums, carried = np.zeros(BLOCK + 2, np.float32), np.full(order + 1, -1, np.int64)
    return Scratch(words, sums, matched, places, at, first, size, position, carried)


@kernel
def home(word: Any, size: Any) -> Any:
    """The slot of a list at which the search for a word begins."""
    return np.int64((((np.uint64(word) * _GOLDEN) & _LOW_32) * np.uint64(size)) >> _S32)


@kernel
def reader(table: Table, order: int) -> Any:
    """How to read the records of an order."""
    row = table.levels
    return Reader(
        row[order, BASE],
        row[order, SLOTS],
        row[order, WIDTH],
        np.uint64(row[order, WORD_MASK]),
        row[order, PROB_BYTE],
        np.uint64(row[order, PROB_SHIFT]),
        np.uint64(row[order, PROB_MASK]),
        np.uint64(row[order, PROB_LOW]),
        table.steps[order, 0],
        row[order, BACKOFF_BYTE],
        np.uint64(row[order, BACKOFF_SHIFT]),
        np.uint64(row[order, BACKOFF_MASK]),
        np.uint64(row[order, BACKOFF_LOW]),
        table.steps[order, 1],
        row[order, NEXT_BYTE],
        np.uint64(row[order, NEXT_SHIFT]),
        np.uint64(row[order, NEXT_MASK]),
    )


@kernel
def prob_value(books: NDArray[np.float32], order: Any, code: Any, read: Reader) -> Any:
    """log10 p from its code."""
    rest = np.int64(code & ((_ONE << read.prob_low) - _ONE))  # converts to float faster than an unsigned number
    return books[order, _ZERO, code >> read.prob_low] + read.prob_step * np.float32(rest)


@kernel
def prob_at(table: Table, order: Any, at: int, read: Reader) -> Any:
    """log10 p of the record at a byte."""
    code = (eight_at(table.records, at + read.prob_byte) >> read.prob_shift) & read.prob_mask
    return prob_value(table.books, order, code, read)


@kernel
def backoff_at(table: Table, order: Any, at: int, read: Reader) -> Any:
    """The log10 back-off of the record at a byte."""
    code = (eight_at(table.records, at + read.backoff_byte) >> read.backoff_shift) & read.backoff_mask
    rest = np.int64(code & ((_ONE << read.backoff_low) - _ONE))
    return table.books[order, _ONE, code >> read.backoff_low] + read.backoff_step * np.float32(rest)


@kernel
def successors_at(table: Table, at: int, read: Reader) -> Any:
    """The successors of the record at a byte."""
    return (eight_at(table.records, at + read.next_byte) >> read.next_shift) & read.next_mask


@kernel
def find(table: Table, read: Reader, first: Any, size: Any, word: Any) -> Any:
    """The byte of the word's record in a list of slots, -1 if there is none."""
    empty, slot = np.uint64(table.unigrams.shape[0]), home(word, size)
    for _ in range(size):
        at = read.base + (first + slot) * read.width
        found = eight_at(table.records, at) & read.word_mask
        if found == word:
            return at
        if found == empty:
            return np.int64(-1)
        slot = slot + 1 if slot + 1 < size else 0
    return np.int64(-1)


@kernel
def enqueue(table: Table, read: Reader, first: Any, size: Any, position: Any, queued: Any, scratch: Scratch) -> None:
    """Write a probe of the word at ``position`` to the end of the queue, and send for its lines."""
    at = read.base + (first + home(scratch.words[position], size)) * read.width
    scratch.at[queued] = at
    scratch.first[queued] = first
    scratch.size[queued] = size
    scratch.position[queued] = position
    prefetch(table.records, at)
    prefetch(table.records, at + 2 * read.width - 1)


@kernel
def unigram_pass(table: Table, lowest: int, last: int, scratch: Scratch) -> Any:
    """Score by unigrams the positions from ``last`` down; the number of probes of order 2 that follow."""
    queued, position = _ZERO, np.uint64(last)
    has_bigrams = table.levels.shape[0] > 2
    below = reader(table, min(2, table.levels.shape[0] - 1))
    for _ in range(lowest, last + 1):
        word, after = scratch.words[position], position + _ONE
        scratch.sums[position] = table.floats[word, _PROB]
        scratch.matched[position] = 1
        scratch.sums[after] += table.floats[word, _BACKOFF]
        if has_bigrams:
            first, size = np.int64(table.unigrams[word, _FIRST]), np.int64(table.unigrams[word, _SIZE])
            enqueue(table, below, first, size, after, queued, scratch)
            queued += np.uint64((first + size <= below.slots) & (size > 0) & (scratch.words[after] != _BOS))
        position -= _ONE
    return np.int64(queued)


@kernel
def middle_pass(table: Table, order: int, queued: int, slack: int, scratch: Scratch) -> Any:
    """Make the probes of an order below the highest; the number of probes of the next order that follow."""
    read, below = reader(table, order), reader(table, order + 1)
    this, next_order = np.uint64(order), np.uint64(order + 1)
    word_bits = np.uint64(8) * np.uint64(read.prob_byte) + read.prob_shift
    next_probes = _ZERO
    for probe in range(np.uint64(queued)):
        position, at = scratch.position[probe], scratch.at[probe]
        wanted = scratch.words[position]
        if eight_at(table.records, at) & read.word_mask != wanted:
            at = find(table, read, scratch.first[probe], scratch.size[probe], wanted)
            if at < 0:
                continue
        scratch.places[position] = at
        scratch.matched[position] = order
        scratch.sums[position] = prob_at(table, this, at, read)
        after = position + _ONE
        word = scratch.words[after]
        scratch.sums[after] += backoff_at(table, this, at, read)
        successors = successors_at(table, at, read)
        if successors & _ONE:
            if (successors >> _ONE) & read.word_mask == word:
                code = (successors >> (_ONE + word_bits)) & below.prob_mask
                scratch.sums[after] = prob_value(table.books, next_order, code, below)
                scratch.matched[after] = order + 1
        else:
            first, size = np.int64(successors >> _EIGHT), table.slot_counts[(successors >> _ONE) & _SIZE_MASK]
            enqueue(table, below, first, size, after, next_probes, scratch)
            fits = (first + size <= below.slots) & (size > 0)
            next_probes += np.uint64(fits & (word != _BOS) & (scratch.matched[after] >= order - slack))
    return np.int64(next_probes)


@kernel
def last_pass(table: Table, order: int, queued: int, scratch: Scratch) -> None:
    """Make the probes of the highest order."""
    read = reader(table, order)
    for probe in range(np.uint64(queued)):
        position, at = scratch.position[probe], scratch.at[probe]
        wanted = scratch.words[position]
        if eight_at(table.records, at) & read.word_mask != wanted:
            at = find(table, read, scratch.first[probe], scratch.size[probe], wanted)
            if at < 0:
                continue
        scratch.matched[position] = order
        scratch.sums[position] = prob_at(table, np.uint64(order), at, read)


@kernel
def score_block(table: Table, lowest: int, last: int, slack: int, scratch: Scratch) -> None:
    """Score the positions 1 to ``last``; position ``lowest`` is the first to be a context.

    Positions go down within a pass, so that a word's own record is found before its context, one position to the left,
    offers it back-off and successors. The last record of each order found in the block before is probed again.
    """
    order = table.levels.shape[0] - 1
    queued = unigram_pass(table, lowest, last, scratch)
    for k in range(2, order):
        if scratch.carried[k] >= 0:
            scratch.at[queued] = scratch.carried[k]
            scratch.first[queued] = scratch.size[queued] = scratch.position[queued] = 0
            queued += 1
        scratch.places[last] = -1
        queued = middle_pass(table, k, queued, slack, scratch)
        scratch.carried[k] = scratch.places[last]
    if order > 1:
        last_pass(table, order, queued, scratch)


@kernel
def score(
    table: Table,
    stream: NDArray[np.int32],
    slack: int,
    scratch: Scratch,
    scores: NDArray[np.float32],
    orders: NDArray[np.int8],
) -> None:
    """log10 p of each symbol of a stream, 0 at BOS; and the order matched, unless ``orders`` has no room.

    ``slack`` is 0 when every stored n-gram's suffix is stored, too: a probe is then skipped where a shorter n-gram was
    not found; else the order.
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
        score_block(table, 1 if start == 0 else 0, last, slack, scratch)
        for i in range(last):
            scores[start + i] = scratch.sums[i + 1] if stream[start + i] != BOS else 0
        if orders.size > 0:
            for i in range(last):
                orders[start + i] = scratch.matched[i + 1] if stream[start + i] != BOS else 0


@kernel
def add_unseen(stream: NDArray[np.int32], most: int, unseen_backoff: float, scores: NDArray[np.float32]) -> None:
    """Add the back-off of an unseen context for every context of a position, of which there are at most ``most``."""
    contexts = 0
    for i in range(stream.size):
        if stream[i] == BOS:
            contexts = 0
        else:
            scores[i] += np.float32(unseen_backoff * contexts)
        contexts = min(contexts + 1, most)

"""A back-off n-gram model as a packed trie: how it lies in memory, and how a stream of words is scored with it.

Order 1 is an array indexed by the word. A record of a higher order, up to the highest order N, is a row of bits, lowest
first:

    orders 2 to N - 1   | word | code of log10 p | code of log10 back-off | successors |
    order N             | word | code of log10 p |

    successors          | 0 | size code (7 bits) | first slot of their list |
        or              | 1 | word | code of log10 p |

The second form of successors is a single one of order N: it lies in its context's record and needs no probe.

The records of a context's successors are a list, that is, a hash table of their own: the search for a word begins at
``home(word)`` and goes on from slot to slot. The size code is an index of ``slot_counts``; lists of at most 8 records
have no spare slots. All records below order N are equally long and lie in one sequence, each list before the lists of
its records' successors. The lists of order N follow.

A number is stored as a code of some bits: the highest 8 are an index of a book, the others count steps from there, so
``log10 p = book[code >> low_bits] + step * (code & (2**low_bits - 1))``.

A probe costs about one cache miss. The misses of a block of positions overlap, because a block is scored order by
order: the record of an n-gram says where its successors lie, so the cache line that should hold the next word is
fetched long before it is read.

No table, whatever its bytes, leads a probe out of the arrays: every list is checked against the number of slots.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.corpus.kernels.eight_bytes import eight_at
from windrow.lm.symbols import BOS
from windrow.numeric.jit import kernel
from windrow.numeric.simd import prefetch

BLOCK = 128  # positions scored together
PAD = 16  # bytes after the last record, so that it can be read in eights
SIZE_BITS = 7  # of a size code

# Columns of ``PackedTrie.levels``: row k says how records of order k are read.
BASE = 0  # the byte at which its slots start
SLOTS = 1  # of all orders below N, or of order N
WIDTH = 2  # bytes of a record
WORD_MASK = 3
PROB_BYTE, PROB_SHIFT, PROB_MASK, PROB_LOW = 4, 5, 6, 7  # the lowest ``PROB_LOW`` bits of a code count steps
BACKOFF_BYTE, BACKOFF_SHIFT, BACKOFF_MASK, BACKOFF_LOW = 8, 9, 10, 11
NEXT_BYTE, NEXT_SHIFT, NEXT_MASK = 12, 13, 14
COLUMNS = 15

# Columns of ``PackedTrie.unigrams``.
_PROB, _BACKOFF, _FIRST, _SIZE = 0, 1, 2, 3

_ZERO, _ONE, _EIGHT, _S32 = np.uint64(0), np.uint64(1), np.uint64(1 + SIZE_BITS), np.uint64(32)
_LOW_32 = np.uint64(2**32 - 1)
_SIZE_MASK = np.uint64(2**SIZE_BITS - 1)
_GOLDEN = np.uint64(0x9E3779B1)  # 2**32 / golden ratio: multiples spread evenly
_BOS = np.uint64(BOS)
_NO_ORDER = -1  # less than any order: nothing need be stored


class PackedTrie(NamedTuple):
    """A model of order N. All log10 numbers are relative to the weight of unseen contexts: ``packing.relative``."""

    unigrams: NDArray[np.uint32]  # (words, 4): log10 p and back-off as float32 bits, first slot, slots
    floats: NDArray[np.float32]  # (words, 4): the same memory
    records: NDArray[np.uint8]  # orders 2 to N one after another, and PAD bytes
    levels: NDArray[np.int64]  # (N + 1, COLUMNS); rows 0 and 1 unused
    books: NDArray[np.float32]  # (N + 1, 2, 256): of log10 p, of back-offs
    steps: NDArray[np.float32]  # (N + 1, 2)
    slot_counts: NDArray[np.int64]  # (128,) by size code


class Reader(NamedTuple):
    """A row of ``PackedTrie.levels`` and the steps of that order, as numbers that a loop keeps in registers."""

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
    """Memory for a block of positions, with one before it and one after it.

    Words and positions are unsigned: Numba would test whether a signed index counts from the end.
    """

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
    """Memory for scoring with a model of that order."""
    matched, places, at, first, size = np.zeros((5, BLOCK + 2), np.int64)
    words, position = np.zeros((2, BLOCK + 2), np.uint64)
    sums, carried = np.zeros(BLOCK + 2, np.float32), np.full(order + 1, -1, np.int64)
    return Scratch(words, sums, matched, places, at, first, size, position, carried)


@kernel
def home(word: Any, size: Any) -> Any:
    """The slot of a list at which the search for a word begins."""
    return np.int64((((np.uint64(word) * _GOLDEN) & _LOW_32) * np.uint64(size)) >> _S32)


@kernel
def reader(trie: PackedTrie, order: int) -> Any:
    """How to read the records of an order."""
    row = trie.levels
    return Reader(
        row[order, BASE],
        row[order, SLOTS],
        row[order, WIDTH],
        np.uint64(row[order, WORD_MASK]),
        row[order, PROB_BYTE],
        np.uint64(row[order, PROB_SHIFT]),
        np.uint64(row[order, PROB_MASK]),
        np.uint64(row[order, PROB_LOW]),
        trie.steps[order, 0],
        row[order, BACKOFF_BYTE],
        np.uint64(row[order, BACKOFF_SHIFT]),
        np.uint64(row[order, BACKOFF_MASK]),
        np.uint64(row[order, BACKOFF_LOW]),
        trie.steps[order, 1],
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
def prob_at(trie: PackedTrie, order: Any, at: int, read: Reader) -> Any:
    """log10 p of the record at a byte."""
    code = (eight_at(trie.records, at + read.prob_byte) >> read.prob_shift) & read.prob_mask
    return prob_value(trie.books, order, code, read)


@kernel
def backoff_at(trie: PackedTrie, order: Any, at: int, read: Reader) -> Any:
    """The log10 back-off of the record at a byte."""
    code = (eight_at(trie.records, at + read.backoff_byte) >> read.backoff_shift) & read.backoff_mask
    rest = np.int64(code & ((_ONE << read.backoff_low) - _ONE))
    return trie.books[order, _ONE, code >> read.backoff_low] + read.backoff_step * np.float32(rest)


@kernel
def word_at(trie: PackedTrie, at: int, read: Reader) -> Any:
    """The word of the record at a byte."""
    return eight_at(trie.records, at) & read.word_mask


@kernel
def successors_at(trie: PackedTrie, at: int, read: Reader) -> Any:
    """The successors of the record at a byte; bit 0 says in which form."""
    return (eight_at(trie.records, at + read.next_byte) >> read.next_shift) & read.next_mask


@kernel
def list_of(trie: PackedTrie, successors: Any) -> Any:
    """First slot and number of slots of successors that are a list."""
    return np.int64(successors >> _EIGHT), trie.slot_counts[(successors >> _ONE) & _SIZE_MASK]


@kernel
def single_word(successors: Any, read: Reader) -> Any:
    """The word of a single successor, which lies in a record of the order of ``read``."""
    return (successors >> _ONE) & read.word_mask


@kernel
def single_prob(trie: PackedTrie, order: Any, successors: Any, read: Reader, above: Reader) -> Any:
    """log10 p of a single successor of that order, whose codes ``above`` reads; it lies in a record of ``read``."""
    word_bits = np.uint64(8) * np.uint64(read.prob_byte) + read.prob_shift
    code = (successors >> (_ONE + word_bits)) & above.prob_mask
    return prob_value(trie.books, order, code, above)


@kernel
def find(trie: PackedTrie, read: Reader, first: Any, size: Any, word: Any) -> Any:
    """The byte of the word's record in a list of slots, -1 if there is none."""
    empty, slot = np.uint64(trie.unigrams.shape[0]), home(word, size)
    for _ in range(size):
        at = read.base + (first + slot) * read.width
        found = word_at(trie, at, read)
        if found == word:
            return at
        if found == empty:
            return np.int64(-1)
        slot = slot + 1 if slot + 1 < size else 0
    return np.int64(-1)


@kernel
def enqueue(
    trie: PackedTrie, read: Reader, first: Any, size: Any, position: Any, queued: Any, least: Any, scratch: Scratch
) -> Any:
    """Add a probe of the word at ``position`` in a list to the queue, which holds ``queued``, and fetch its lines.

    Returns 1, or 0 where the probe is not to be made and the next one takes its place: the list is empty (or leads out
    of the records), a sentence begins, or no n-gram of order ``least`` that ends there is stored.
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
    """Score by unigrams the positions from ``last`` down; the number of probes of order 2 that follow."""
    queued, position = _ZERO, np.uint64(last)
    has_bigrams = trie.levels.shape[0] > 2
    above = reader(trie, min(2, trie.levels.shape[0] - 1))
    for _ in range(lowest, last + 1):
        word, after = scratch.words[position], position + _ONE
        scratch.sums[position] = trie.floats[word, _PROB]
        scratch.matched[position] = 1
        scratch.sums[after] += trie.floats[word, _BACKOFF]
        if has_bigrams:
            first, size = np.int64(trie.unigrams[word, _FIRST]), np.int64(trie.unigrams[word, _SIZE])
            queued += enqueue(trie, above, first, size, after, queued, _NO_ORDER, scratch)
        position -= _ONE
    return np.int64(queued)


@kernel
def probed_record(trie: PackedTrie, read: Reader, probe: Any, scratch: Scratch) -> Any:
    """The byte of the record that a probe finds, mostly the one it looks at first; -1 where there is none."""
    at, wanted = scratch.at[probe], scratch.words[scratch.position[probe]]
    if word_at(trie, at, read) == wanted:
        return at
    return find(trie, read, scratch.first[probe], scratch.size[probe], wanted)


@kernel
def middle_pass(trie: PackedTrie, order: int, queued: int, slack: int, scratch: Scratch) -> Any:
    """Make the probes of an order below the highest; the number of probes of the next order that follow.

    A record that is found gives the word at its position log10 p; and the word after it the back-off, and its own
    record: at once where it is the single successor, else by a probe of the list of successors.
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
        scratch.places[position] = at
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
    """Make the probes of the highest order."""
    read = reader(trie, order)
    for probe in range(np.uint64(queued)):
        at = probed_record(trie, read, probe, scratch)
        if at >= 0:
            position = scratch.position[probe]
            scratch.matched[position] = order
            scratch.sums[position] = prob_at(trie, np.uint64(order), at, read)


@kernel
def score_block(trie: PackedTrie, lowest: int, last: int, slack: int, scratch: Scratch) -> None:
    """Score the positions 1 to ``last``; position ``lowest`` is the first to be a context.

    Positions go down within a pass, so that a word's own record is found before its context, one position to the left,
    offers it back-off and successors. The last record of each order found in the block before is probed again.
    """
    order = trie.levels.shape[0] - 1
    queued = unigram_pass(trie, lowest, last, scratch)
    for k in range(2, order):
        if scratch.carried[k] >= 0:
            scratch.at[queued] = scratch.carried[k]
            scratch.first[queued] = scratch.size[queued] = scratch.position[queued] = 0
            queued += 1
        scratch.places[last] = -1
        queued = middle_pass(trie, k, queued, slack, scratch)
        scratch.carried[k] = scratch.places[last]
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
    """log10 p of each symbol of a stream, 0 at BOS; and the order matched, unless ``orders`` is empty.

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
        score_block(trie, 1 if start == 0 else 0, last, slack, scratch)
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

"""A back-off n-gram model as a packed trie: how it lies in memory, and how one record is read.

Order 1 is an array indexed by the word. A record of a higher order, up to the highest order N, is a row of bits, lowest
first:

    orders 2 to N - 1   | word | code of log10 p | code of log10 back-off | successors |
    order N             | word | code of log10 p |

    successors          | 0 | size code (7 bits) | first slot of their list |
        or              | 1 | word | code of log10 p |

The second form of successors is a single one of order N: it lies in its context's record and needs no probe.

The *address* of an n-gram is its word in order 1, else the byte at which its record starts. A single successor that
lies in its context's record has none.

The records of a context's successors are a list, that is, a hash table of their own: the search for a word begins at
``home(word)`` and goes on from slot to slot. The size code is an index of ``slot_counts``; lists of at most 8 records
have no spare slots. All records below order N are equally long and lie in one sequence, each list before the lists of
its records' successors. The lists of order N follow.

A number is stored as a code of some bits: the highest 8 are an index of a book, the others count steps from there, so
``log10 p = book[code >> low_bits] + step * (code & (2**low_bits - 1))``.

No table, whatever its bytes, leads a search out of the arrays: every list is checked against the number of slots.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.corpus.kernels.eight_bytes import eight_at
from windrow.numeric.jit import kernel

PAD = 16  # bytes after the last record, so that it can be read in eights
SIZE_BITS = 7  # of a size code

# Columns of ``PackedTrie.fields``: row k says where the fields of the records of order k lie.
BASE = 0  # the byte at which its slots start
SLOTS = 1  # of all orders below N, or of order N
WIDTH = 2  # bytes of a record
WORD_MASK = 3
PROB_BYTE, PROB_SHIFT, PROB_MASK, PROB_LOW = 4, 5, 6, 7  # the lowest ``PROB_LOW`` bits of a code count steps
BACKOFF_BYTE, BACKOFF_SHIFT, BACKOFF_MASK, BACKOFF_LOW = 8, 9, 10, 11
NEXT_BYTE, NEXT_SHIFT, NEXT_MASK = 12, 13, 14
COLUMNS = 15

# Columns of ``PackedTrie.unigrams``.
UNIGRAM_PROB, UNIGRAM_BACKOFF, FIRST_SLOT, LIST_SIZE = 0, 1, 2, 3

_ZERO, _ONE, _EIGHT, _S32 = np.uint64(0), np.uint64(1), np.uint64(1 + SIZE_BITS), np.uint64(32)
_LOW_32 = np.uint64(2**32 - 1)
_SIZE_MASK = np.uint64(2**SIZE_BITS - 1)
_GOLDEN = np.uint64(0x9E3779B1)  # 2**32 / golden ratio: multiples spread evenly


class PackedTrie(NamedTuple):
    """A model of order N. All log10 numbers are relative to the weight of unseen contexts: ``packing.relative``."""

    unigrams: NDArray[np.uint32]  # (words, 4): log10 p and back-off as float32 bits, first slot, slots
    floats: NDArray[np.float32]  # (words, 4): the same memory
    records: NDArray[np.uint8]  # orders 2 to N one after another, and PAD bytes
    fields: NDArray[np.int64]  # (N + 1, COLUMNS): the bits of records; rows 0 and 1 unused
    books: NDArray[np.float32]  # (N + 1, 2, 256): of log10 p, of back-offs
    steps: NDArray[np.float32]  # (N + 1, 2)
    slot_counts: NDArray[np.int64]  # (128,) by size code


class Reader(NamedTuple):
    """A row of ``PackedTrie.fields`` and the steps of that order, as numbers that a loop keeps in registers."""

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


@kernel
def home(word: Any, size: Any) -> Any:
    """The slot at which the search for a word begins in a list of ``size`` slots."""
    return np.int64((((np.uint64(word) * _GOLDEN) & _LOW_32) * np.uint64(size)) >> _S32)


@kernel
def reader(trie: PackedTrie, order: int) -> Any:
    """How to read the records of an order."""
    table = trie.fields
    return Reader(
        table[order, BASE],
        table[order, SLOTS],
        table[order, WIDTH],
        np.uint64(table[order, WORD_MASK]),
        table[order, PROB_BYTE],
        np.uint64(table[order, PROB_SHIFT]),
        np.uint64(table[order, PROB_MASK]),
        np.uint64(table[order, PROB_LOW]),
        trie.steps[order, 0],
        table[order, BACKOFF_BYTE],
        np.uint64(table[order, BACKOFF_SHIFT]),
        np.uint64(table[order, BACKOFF_MASK]),
        np.uint64(table[order, BACKOFF_LOW]),
        trie.steps[order, 1],
        table[order, NEXT_BYTE],
        np.uint64(table[order, NEXT_SHIFT]),
        np.uint64(table[order, NEXT_MASK]),
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

"""A back-off n-gram model as counts: how the compact trie lies in memory, and how one record is read.

Numbers follow from counts. After the context h, a word w that was seen there ``a`` times has the probability

    p(w | h) = (a - D(a)) / Z(h) + gamma(h) p(w | h')        h' is h without its first word

and any other word has ``gamma(h) p(w | h')``. Where h has one successor, Z and gamma follow from its count a.

A word is not stored. As (h' w) is stored whenever (h w) is, its *key* is where it lies in the list of h', counted from
there on: few bits are enough (Pibiri & Venturini 2017, "Efficient data structures for massive n-gram datasets"). Of
order 2 the key is the word. All bits are lowest first, and a record, or *slot*, of an order has always as many:

    orders 2 to N - 1   | key | code of the count | single (1) | payload |
    order N             | key | code of the count |

    payload, single = 0 | where the list of successors begins, less the base of 64 slots; all bits set: there is none
             single = 1 | the same, of the only successor; for order N - 1: its key and its code

    list                | header | slots |
    header              | number of slots | float32 bits of gamma, without the lowest 3 | Z |

Lists of more than 8 records are hash tables: the search for a key begins at ``home(key)`` and goes on from slot to
slot. A key with all bits set marks an empty slot. A code is the count, or all bits set: then the count is in a hash
table, found by the number of the slot. A successor whose count is there always has a list with a header.

No table, whatever its bytes, leads a search out of the arrays.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.corpus.kernels.eight_bytes import eight_at, set_eight
from windrow.lm.ngram.kernels.packed_trie import home
from windrow.numeric.jit import kernel

PAD = 16  # bytes after the last record
BLOCK_SHIFT = 8  # of the 64 slots that share a base
GAMMA_CUT, GAMMA_BITS = 3, 27  # of the 30 bits of a float32 from 0 to 1
FLAT = 8  # a list of at most so many records has no spare slots
CODES = 256
NOTHING = np.uint64(2**32 - 1)  # no successors

# Columns of ``CompactTrie.fields``: row k is about the records of order k.
BIT = 0  # where the first one begins
SLOTS, WIDTH, KEY_BITS, CODE_BITS, PAYLOAD_BITS, HEADER_SLOTS, SIZE_BITS, Z_BITS = 1, 2, 3, 4, 5, 6, 7, 8
FIRST_BASE, FIRST_RARE, RARE = 9, 10, 11
COLUMNS = 12

_ZERO, _ONE = np.uint64(0), np.uint64(1)
_S3, _S7, _S57, _S64 = np.uint64(3), np.uint64(7), np.uint64(57), np.uint64(64)
_BLOCK = np.uint64(BLOCK_SHIFT)
_ALL = np.uint64(2**64 - 1)


class CompactTrie(NamedTuple):
    """A model of order N whose numbers follow from its counts."""

    probs: NDArray[np.float32]  # (words,) p of single words
    nexts: NDArray[np.uint32]  # (words,) 2 * where the successors begin + single, or NOTHING
    records: NDArray[np.uint8]  # orders 2 to N one after another, and PAD bytes
    bases: NDArray[np.uint32]  # of 64 slots each, order by order
    rare: NDArray[np.uint32]  # (n, 2): hash tables of slots (0: empty, else slot + 1) and counts
    fields: NDArray[np.int64]  # (N + 1, COLUMNS)
    discounts: NDArray[np.float64]  # (N + 1, most): of the counts 0, 1, ..., the last one for all above
    singles: NDArray[np.float64]  # (N + 1, CODES, 3) by code: a - D, and 1 / Z and gamma after a single successor


class Reader(NamedTuple):
    """A row of ``CompactTrie.fields`` as numbers that a loop keeps in registers."""

    bit: Any
    slots: Any
    width: Any
    key_mask: Any
    key_bits: Any
    code_mask: Any
    next_at: Any  # bits before it in a record
    payload_mask: Any
    header: Any
    size_mask: Any
    size_bits: Any
    z_mask: Any
    base: Any
    first_rare: Any
    rare: Any


@kernel
def ones(bits: Any) -> Any:
    """A number whose lowest bits are set, at most 63."""
    return (_ONE << np.uint64(bits)) - _ONE


@kernel
def reader(trie: CompactTrie, order: int) -> Any:
    """How to read the records of an order."""
    table = trie.fields
    return Reader(
        np.uint64(table[order, BIT]),
        np.uint64(table[order, SLOTS]),
        np.uint64(table[order, WIDTH]),
        ones(table[order, KEY_BITS]),
        np.uint64(table[order, KEY_BITS]),
        ones(table[order, CODE_BITS]),
        np.uint64(table[order, KEY_BITS] + table[order, CODE_BITS]),
        ones(table[order, PAYLOAD_BITS]),
        np.uint64(table[order, HEADER_SLOTS]),
        ones(table[order, SIZE_BITS]),
        np.uint64(table[order, SIZE_BITS]),
        ones(table[order, Z_BITS]),
        np.uint64(table[order, FIRST_BASE]),
        table[order, FIRST_RARE],
        table[order, RARE],
    )


@kernel
def bits_at(records: NDArray[np.uint8], bit: Any) -> Any:
    """The 57 bits or more that begin at a bit."""
    at: Any = np.int64(bit >> _S3)
    return eight_at(records, at) >> (bit & _S7)


@kernel
def put_bits(records: NDArray[np.uint8], bit: Any, bits: Any, value: Any) -> None:
    """Write a number of at most 57 bits."""
    at: Any = np.int64(bit >> _S3)
    shift = bit & _S7
    kept = eight_at(records, at) & (_ALL ^ (ones(bits) << shift))
    set_eight(records, at, kept | (np.uint64(value) << shift))


@kernel
def slot_bit(read: Reader, slot: Any) -> Any:
    """Where a slot begins."""
    return read.bit + np.uint64(slot) * read.width


@kernel
def next_at(trie: CompactTrie, read: Reader, slot: Any, inline: Any) -> Any:
    """The successors of a slot's record as in ``CompactTrie.nexts``; ``inline``: a single one is in the payload."""
    found = bits_at(trie.records, slot_bit(read, slot) + read.next_at)
    payload, single = (found >> _ONE) & read.payload_mask, found & _ONE
    if single == _ONE and inline:
        return payload << _ONE | _ONE
    if payload == read.payload_mask:
        return NOTHING
    base = np.uint64(trie.bases[read.base + (np.uint64(slot) >> _BLOCK)])
    return (base + payload) << _ONE | single


@kernel
def list_at(trie: CompactTrie, read: Reader, begin: Any) -> Any:
    """First slot, number of slots, gamma and Z of the list whose header is at a slot; no slots if it is damaged."""
    if begin + read.header > read.slots:
        return _ZERO, _ZERO, np.float64(1), np.float64(1)
    bit = slot_bit(read, begin)
    found = bits_at(trie.records, bit)
    size, first = found & read.size_mask, begin + read.header
    rest = bits_at(trie.records, bit + read.size_bits)
    gamma = np.float64(gamma_of(rest & ones(GAMMA_BITS)))
    total = bits_at(trie.records, bit + read.size_bits + np.uint64(GAMMA_BITS)) & read.z_mask
    if first + size > read.slots:
        size = _ZERO
    return first, size, gamma, np.float64(max(total, _ONE))


@kernel
def gamma_of(code: Any) -> Any:
    """gamma from its code: the bits of a float32 but for the lowest."""
    return np.uint32(code << np.uint64(GAMMA_CUT)).view(np.float32)


@kernel
def find(trie: CompactTrie, read: Reader, first: Any, size: Any, key: Any) -> Any:
    """The slot of a key in a list, -1 if there is none."""
    slot = np.uint64(home(key, size)) if size > np.uint64(FLAT) else _ZERO
    for _ in range(size):
        found = bits_at(trie.records, slot_bit(read, first + slot)) & read.key_mask
        if found == key:
            return np.int64(first + slot)
        if found == read.key_mask:
            return np.int64(-1)
        slot = slot + _ONE if slot + _ONE < size else _ZERO
    return np.int64(-1)


@kernel
def rare_count(trie: CompactTrie, read: Reader, slot: Any) -> Any:
    """The count of a slot's record whose code has all bits set; 0 if the table is damaged."""
    key, at = np.int64(slot) + 1, home(slot, read.rare)
    for _ in range(read.rare):
        if trie.rare[read.first_rare + at, 0] == key:
            return np.int64(trie.rare[read.first_rare + at, 1])
        if trie.rare[read.first_rare + at, 0] == 0:
            break
        at = at + 1 if at + 1 < read.rare else 0
    return np.int64(0)


@kernel
def discounted(trie: CompactTrie, read: Reader, order: Any, code: Any, slot: Any) -> Any:
    """a - D of a record, by its code, or where the code does not say by its slot."""
    if code != read.code_mask:
        return trie.singles[order, code, _ZERO]
    count = rare_count(trie, read, slot)
    return count - trie.discounts[order, min(count, trie.discounts.shape[1] - 1)]

"""How many bits each field of a packed record has, where the records of each order lie, and how long lists may be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.lm.ngram.codebooks import BOOK_BITS, Range, bits_for
from windrow.lm.ngram.kernels import pack as kernels
from windrow.lm.ngram.kernels import packed_trie
from windrow.lm.ngram.levels import Level

_MOST_BITS = 24  # of a code: as many as a float32 has for its digits
_MOST_RECORD_BITS = 127
_SIZES: int = 1 << packed_trie.SIZE_BITS


class RecordLayout(NamedTuple):
    """The records of one order: their bytes, and how many bits each field has."""

    width: int
    prob_bits: int
    backoff_bits: int
    next_bits: int


class TrieLayout(NamedTuple):
    """Where the records of orders 2 to N lie: first all below the highest order, then that one."""

    words: int
    inner_slots: int
    outer_slots: int
    orders: list[RecordLayout]

    @property
    def inner_bytes(self) -> int:
        """Bytes of the records below the highest order, which are all equally long."""
        return self.inner_slots * self.orders[0].width if len(self.orders) > 1 else 0

    @property
    def record_bytes(self) -> int:
        """Bytes of all records."""
        outer = self.outer_slots * self.orders[-1].width if self.orders else 0
        return self.inner_bytes + outer + packed_trie.PAD

    def fields(self) -> NDArray[np.int64]:
        """``PackedTrie.fields``: how kernels read the records, row k those of order k; rows 0 and 1 are zeros."""
        fields = np.zeros((len(self.orders) + 2, packed_trie.COLUMNS), np.int64)
        for row, layout in zip(fields[2:], self.orders, strict=True):
            row[packed_trie.SLOTS], row[packed_trie.WIDTH] = self.inner_slots, layout.width
            offset = word_bits(self.words)
            row[packed_trie.WORD_MASK] = (1 << offset) - 1
            for column, bits in zip(
                (packed_trie.PROB_BYTE, packed_trie.BACKOFF_BYTE, packed_trie.NEXT_BYTE), layout[1:], strict=True
            ):
                # The eight bytes that end with the field: those that begin with it may reach into another cache line.
                start = max(0, (offset + bits + 7) // 8 - 8)
                row[column : column + 3] = start, offset - 8 * start, (1 << bits) - 1
                offset += bits
            row[packed_trie.PROB_LOW] = max(0, layout.prob_bits - BOOK_BITS)
            row[packed_trie.BACKOFF_LOW] = max(0, layout.backoff_bits - BOOK_BITS)
        fields[-1, [packed_trie.BASE, packed_trie.SLOTS]] = self.inner_bytes, self.outer_slots
        return fields


def word_bits(words: int) -> int:
    """Bits of a word in a record: ids are below ``words``, and ``words`` itself marks an empty slot."""
    return max(1, words.bit_length())


def most_slots(longest: int) -> int:
    """The largest number of slots that a list can have, in a model whose longest list has ``longest`` records."""
    return max(4 * longest // 3 + 2, 2 * _SIZES)


def slot_counts_for(levels: Sequence[Level]) -> NDArray[np.int64]:
    """The 128 numbers of slots that lists may have: 0 to 8, then a geometric series up to what the longest needs."""
    longest = max((int(np.diff(level.starts).max(initial=0)) for level in levels[1:]), default=0)
    small, rest = np.arange(kernels.FULL_LISTS + 1), _SIZES - kernels.FULL_LISTS - 1
    most = most_slots(longest)
    geometric = np.ceil(np.geomspace(4 * kernels.FULL_LISTS / 3 + 1, most, rest))
    # The first steps of the series are less than 1.
    rising = np.minimum(np.maximum(geometric, geometric[0] + np.arange(rest)), most)
    return np.concatenate([small, rising]).astype(np.int64)


def record_layouts(
    words: int, inner_slots: int, outer_slots: int, ranges: Sequence[tuple[Range, Range]], quantize_bits: int | None
) -> list[RecordLayout]:
    """The records of orders 2 to N, given the ranges of log10 p and back-off of each.

    Records are whole bytes; unless the codes are quantized, left-over bits make them finer.
    """
    if not ranges:
        return []
    # A record of order N - 1 may hold two words and three codes, and one bit that says so.
    most = min(_MOST_BITS, (_MOST_RECORD_BITS - 2 * word_bits(words)) // 3)
    bits = [[quantize_bits or bits_for(values, most) for values in pair] for pair in ranges]
    is_finer = quantize_bits is None
    outer = _layout(words, bits[-1][0], 0, 0)
    outer = _finer(words, outer, outer.width, most) if is_finer else outer
    list_bits = 1 + packed_trie.SIZE_BITS
    inner = [_layout(words, probs, backoffs, list_bits + inner_slots.bit_length()) for probs, backoffs in bits[:-1]]
    if inner:  # records of order N - 1 hold a single successor, or refer to a list of order N
        single_bits = 1 + word_bits(words) + outer.prob_bits
        inner[-1] = _layout(words, bits[-2][0], bits[-2][1], max(single_bits, list_bits + outer_slots.bit_length()))
        width = max(layout.width for layout in inner)
        inner = [_finer(words, layout, width, most) if is_finer else layout._replace(width=width) for layout in inner]
    return [*inner, outer]


def _layout(words: int, prob_bits: int, backoff_bits: int, next_bits: int) -> RecordLayout:
    bits = word_bits(words) + prob_bits + backoff_bits + next_bits
    return RecordLayout((bits + 7) // 8, prob_bits, backoff_bits, next_bits)


def _finer(words: int, layout: RecordLayout, width: int, most: int) -> RecordLayout:
    """The layout with the bits that ``width`` bytes leave over given to the codes."""
    spare = 8 * width - word_bits(words) - sum(layout[1:])
    probs = min(spare, most - layout.prob_bits)
    backoffs = min(spare - probs, most - layout.backoff_bits) if layout.backoff_bits else 0
    return RecordLayout(width, layout.prob_bits + probs, layout.backoff_bits + backoffs, layout.next_bits)

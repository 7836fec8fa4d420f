"""Between a back-off model's sorted levels and its packed table: field widths, codes, and both directions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import Vocabulary
from windrow.errors import FormatError
from windrow.lm.ngram.kernels import pack as kernels
from windrow.lm.ngram.kernels import query
from windrow.lm.ngram.kernels import walk as ngram_walk
from windrow.lm.ngram.levels import BackoffModel, Floats, Level

STEP = 2e-6  # between neighbouring log10 numbers, where the vocabulary leaves room for it
BOOK_BITS = 8
_MOST_BITS = 24  # float32 would not tell more numbers apart
_SIZES: int = 1 << query.SIZE_BITS
_SAMPLE = 1 << 20  # numbers from which a book is made
_CELLS = 1 << 16  # in which a number's code is looked up

_NO_INTS, _NO_CELLS = np.zeros(0, np.int32), np.zeros(0, np.uint8)


class Layout(NamedTuple):
    """The records of one order: their bytes, and how many bits each field has."""

    width: int
    prob_bits: int
    backoff_bits: int
    next_bits: int


class _Range(NamedTuple):
    """What log10 numbers an order has."""

    low: float
    high: float
    has_infinity: bool


class _Book(NamedTuple):
    """How numbers become codes, and codes numbers."""

    codes: kernels.Codes
    values: NDArray[np.float32]  # (256,)
    step: float


def word_bits(words: int) -> int:
    """Bits of a word in a record; one number more than there are words marks an empty slot."""
    return max(1, words.bit_length())


class Layouts(NamedTuple):
    """Where the records of orders 2 to N lie: first all below the highest order, then that one."""

    words: int
    inner_slots: int
    outer_slots: int
    orders: list[Layout]

    @property
    def inner_bytes(self) -> int:
        """Bytes of the records below the highest order, which are all equally long."""
        return self.inner_slots * self.orders[0].width if len(self.orders) > 1 else 0

    @property
    def record_bytes(self) -> int:
        """Bytes of all records."""
        outer = self.outer_slots * self.orders[-1].width if self.orders else 0
        return self.inner_bytes + outer + query.PAD

    def rows(self) -> NDArray[np.int64]:
        """How kernels read the records: shape (orders + 1, columns), from order 2 on."""
        rows = np.zeros((len(self.orders) + 2, query.COLUMNS), np.int64)
        for row, layout in zip(rows[2:], self.orders, strict=True):
            row[query.SLOTS], row[query.WIDTH] = self.inner_slots, layout.width
            offset = word_bits(self.words)
            row[query.WORD_MASK] = (1 << offset) - 1
            for column, bits in zip((query.PROB_BYTE, query.BACKOFF_BYTE, query.NEXT_BYTE), layout[1:], strict=True):
                # The eight bytes that end with the field: those that begin with it may reach into another cache line.
                start = max(0, (offset + bits + 7) // 8 - 8)
                row[column : column + 3] = start, offset - 8 * start, (1 << bits) - 1
                offset += bits
            row[query.PROB_LOW] = max(0, layout.prob_bits - BOOK_BITS)
            row[query.BACKOFF_LOW] = max(0, layout.backoff_bits - BOOK_BITS)
        rows[-1, [query.BASE, query.SLOTS]] = self.inner_bytes, self.outer_slots
        return rows


class Packed(NamedTuple):
    """What ``pack`` gives."""

    table: query.Table
    layouts: Layouts
    sizes: list[int]
    suffix_closed: bool


def pack(model: BackoffModel, quantise_bits: int | None, suffix_closed: bool | None, consume: bool) -> Packed:
    """Pack a model: see ``NGramTable.pack``."""
    levels = model.levels if consume else list(model.levels)
    if model.unseen_backoff:
        levels[:] = [_relative(level, k, model.unseen_backoff) for k, level in enumerate(levels)]
    words, order, sizes = len(model.vocabulary), model.order, model.sizes
    if suffix_closed is None:
        suffix_closed = is_suffix_closed(levels)
    slot_counts = _slot_counts(levels)
    firsts = _subtree_slots(levels, slot_counts)
    outer_slots = int(kernels.count_slots(levels[-1].starts, slot_counts, order > 2)) if order > 1 else 0
    inner_slots = int(firsts[0].sum(dtype=np.int64)) if firsts else 0
    ranges = [(_range(level.log10_probs), _range(level.log10_backoffs)) for level in levels[1:]]
    layouts = Layouts(words, inner_slots, outer_slots, _layouts(words, inner_slots, outer_slots, ranges, quantise_bits))
    table = _empty_table(layouts, slot_counts)
    books = [
        (
            _book(level.log10_probs, probs, layout.prob_bits, quantise_bits),
            _book(level.log10_backoffs, backoffs, layout.backoff_bits, quantise_bits),
        )
        for level, layout, (probs, backoffs) in zip(levels[1:], layouts.orders, ranges, strict=True)
    ]
    _write(table, levels, books, firsts)
    for array in table:  # as in a table from a file, so that kernels are compiled for one kind
        array.flags.writeable = False
    return Packed(table, layouts, sizes, suffix_closed)


def _relative(level: Level, shorter: int, unseen_backoff: float) -> Level:
    """A level of order ``shorter + 1``, as it is stored: relative to a back-off over unseen contexts only.

    The walk over m contexts of a word then costs m times ``unseen_backoff``, and what is stored tells the difference.
    """
    backoffs = None if level.log10_backoffs is None else level.log10_backoffs - unseen_backoff
    return level._replace(log10_probs=level.log10_probs - shorter * unseen_backoff, log10_backoffs=backoffs)


def _subtree_slots(levels: Sequence[Level], slot_counts: NDArray[np.int64]) -> list[NDArray[np.uint32]]:
    """For the n-grams of each order below N - 1: slots of the lists, below order N, of all n-grams that they begin."""
    subtrees: list[NDArray[np.uint32]] = []
    below = np.zeros(0, np.uint32)
    for level, above in reversed(list(pairwise(levels[:-1]))):
        slots = np.empty(level.words.size, np.uint32)
        kernels.subtree_slots(above.starts, below, slot_counts, slots)
        subtrees.insert(0, slots)
        below = slots
    return subtrees


def _empty_table(layouts: Layouts, slot_counts: NDArray[np.int64]) -> query.Table:
    order = len(layouts.orders) + 1
    unigrams = np.zeros((layouts.words, 4), np.uint32)
    records = np.empty(layouts.record_bytes, np.uint8)
    records[-query.PAD :] = 0
    return query.Table(
        unigrams,
        unigrams.view(np.float32),
        records,
        layouts.rows(),
        np.zeros((order + 1, 2, 1 << BOOK_BITS), np.float32),
        np.zeros((order + 1, 2), np.float32),
        slot_counts,
    )


def _write(
    table: query.Table,
    levels: list[Level],
    books: Sequence[tuple[_Book, _Book]],
    firsts: list[NDArray[np.uint32]],
) -> None:
    """Fill a table with the levels, of which each is dropped from the list once it is written."""
    for k, pair in enumerate(books, 2):
        for i, book in enumerate(pair):
            table.books[k, i, : book.values.size], table.steps[k, i] = book.values, book.step
    codes = [book.codes for pair in books for book in pair]
    order = len(levels)
    no_firsts = np.zeros(0, np.uint32)
    lists = no_firsts  # where those of this order start
    for k in range(1, order + 1):
        level = levels[0]
        nothing = np.zeros(0, level.log10_probs.dtype)
        backoffs = nothing if level.log10_backoffs is None else level.log10_backoffs
        above = levels[1][:3] if k < order else (_NO_INTS, _NO_INTS, nothing)
        source = kernels.Source(*level[:3], backoffs, *above)
        next_lists = firsts.pop(0) if firsts else no_firsts
        if k == 1:
            if order == 2:  # lists of the highest order follow one another
                next_lists = np.empty(level.words.size, np.uint32)
                kernels.subtree_slots(above[0], no_firsts, table.slot_counts, next_lists)
            kernels.pack_unigrams(table, source, next_lists)
        else:
            own = 2 * (k - 2)
            three = (codes[own], codes[own + 1], codes[min(own + 2, len(codes) - 2)])
            kernels.pack_level(table, k, source, three, lists, next_lists)
        lists = next_lists if order > 2 else no_firsts
        del levels[0], source, level, above, backoffs  # the memory of this order may now be free


def _range(values: Floats | None) -> _Range:
    if values is None:
        return _Range(0.0, 0.0, False)
    low, high, has_infinity = kernels.finite_range(values)
    return _Range(low, high, has_infinity) if low <= high else _Range(0.0, 0.0, has_infinity)


def most_slots(longest: int) -> int:
    """Slots of the largest list there is a number for, when the longest has so many records."""
    return max(4 * longest // 3 + 2, 2 * _SIZES)


def _slot_counts(levels: Sequence[Level]) -> NDArray[np.int64]:
    """The 128 numbers of slots: 0 to 8, then each a little larger than the one before, up to what the longest needs."""
    longest = max((int(np.diff(level.starts).max(initial=0)) for level in levels[1:]), default=0)
    small, rest = np.arange(kernels.FULL_LISTS + 1), _SIZES - kernels.FULL_LISTS - 1
    most = most_slots(longest)
    geometric = np.ceil(np.geomspace(4 * kernels.FULL_LISTS / 3 + 1, most, rest))
    # The first steps are too small to make a difference of one.
    rising = np.minimum(np.maximum(geometric, geometric[0] + np.arange(rest)), most)
    return np.concatenate([small, rising]).astype(np.int64)


def _layouts(
    words: int, inner_slots: int, outer_slots: int, ranges: Sequence[tuple[_Range, _Range]], quantise_bits: int | None
) -> list[Layout]:
    """The fields of orders 2 to N; bits that would be left over make the numbers finer."""
    if not ranges:
        return []
    most = min(_MOST_BITS, (127 - 2 * word_bits(words)) // 3)  # so that no record has more than 128 bits
    bits = [[quantise_bits or _bits(values, most) for values in pair] for pair in ranges]
    spread = quantise_bits is None
    outer = _layout(words, bits[-1][0], 0, 0)
    outer = _finer(words, outer, outer.width, most) if spread else outer
    list_bits = 1 + query.SIZE_BITS
    inner = [_layout(words, probs, backoffs, list_bits + inner_slots.bit_length()) for probs, backoffs in bits[:-1]]
    if inner:  # records of order N - 1 hold single successors, or name lists of order N
        single_bits = 1 + word_bits(words) + outer.prob_bits
        inner[-1] = _layout(words, bits[-2][0], bits[-2][1], max(single_bits, list_bits + outer_slots.bit_length()))
        width = max(layout.width for layout in inner)
        inner = [_finer(words, layout, width, most) if spread else layout._replace(width=width) for layout in inner]
    return [*inner, outer]


def _layout(words: int, prob_bits: int, backoff_bits: int, next_bits: int) -> Layout:
    bits = word_bits(words) + prob_bits + backoff_bits + next_bits
    return Layout((bits + 7) // 8, prob_bits, backoff_bits, next_bits)


def _finer(words: int, layout: Layout, width: int, most: int) -> Layout:
    """Give the bits that are left over to the numbers."""
    spare = 8 * width - word_bits(words) - sum(layout[1:])
    probs = min(spare, most - layout.prob_bits)
    backoffs = min(spare - probs, most - layout.backoff_bits) if layout.backoff_bits else 0
    return Layout(width, layout.prob_bits + probs, layout.backoff_bits + backoffs, layout.next_bits)


def _bits(values: _Range, most: int) -> int:
    """Bits of a code, so that neighbouring numbers lie ``STEP`` apart at the most, where that many are allowed."""
    cells = (values.high - values.low) / STEP + 2
    return min(max(BOOK_BITS, int(np.ceil(np.log2(cells)))), most)


def _book(values: Floats | None, found: _Range, bits: int, quantise_bits: int | None) -> _Book:
    """Codes of so many bits for numbers in a range; the last entry of the book is kept for -inf, if there is any."""
    if values is None:
        return _Book(kernels.Codes(0.0, 0.0, 0, 0, _NO_CELLS), np.zeros(0, np.float32), 0.0)
    if quantise_bits is not None:
        return _quantile_book(values, found, bits)
    low_bits = bits - BOOK_BITS
    entries = (1 << BOOK_BITS) - found.has_infinity
    highest = (entries << low_bits) - 1
    span = found.high - found.low
    step = span / highest
    book = np.full(1 << BOOK_BITS, -np.inf)
    book[:entries] = found.low + step * (np.arange(entries) << low_bits)
    scale = highest / span if span > 0 else 0.0
    codes = kernels.Codes(found.low, scale, highest, entries << low_bits, _NO_CELLS)
    return _Book(codes, book.astype(np.float32), step)


def is_suffix_closed(levels: Sequence[Level]) -> bool:
    """Whether every n-gram without its first word is stored, too."""
    if len(levels) < 3:
        return True
    suffixes = levels[1].words  # of the bigrams: their last words
    for lower, level in pairwise(levels[1:]):
        context_suffixes, suffixes = suffixes, np.empty(level.words.size, np.int32)
        if not kernels.suffixes_stored(
            level.starts, level.words, context_suffixes, lower.starts, lower.words, suffixes
        ):
            return False
    return True


def _quantile_book(values: Floats, found: _Range, bits: int) -> _Book:
    """A book of numbers so chosen that each stands for about as many of the values: their means."""
    entries = (1 << bits) - found.has_infinity
    sample = values[:: max(1, values.size // _SAMPLE)].astype(np.float64)
    sample = np.sort(sample[np.isfinite(sample)])
    if sample.size == 0:
        sample = np.zeros(1)
    bounds = np.unique(np.arange(entries) * sample.size // entries)
    means = np.unique(np.add.reduceat(sample, bounds) / np.diff(np.append(bounds, sample.size)))
    span = found.high - found.low
    scale = (_CELLS - 1) / span if span > 0 else 0.0
    centers = found.low + (np.arange(_CELLS) / scale if scale else np.zeros(_CELLS))
    cells = np.searchsorted((means[1:] + means[:-1]) / 2, centers).astype(np.uint8)
    book = np.full(1 << bits, -np.inf)
    book[: means.size] = means
    return _Book(kernels.Codes(found.low, scale, _CELLS - 1, entries, cells), book.astype(np.float32), 0.0)


def unpack(packed: Packed, vocabulary: Vocabulary, unseen_backoff: float) -> BackoffModel:
    """The model of a table, up to the rounding of its numbers; FormatError for a table that does not fit its sizes."""
    table, order = packed.table, len(packed.sizes)
    places = np.arange(packed.layouts.words, dtype=np.int64)
    starts, words, probs = np.array([0, places.size], np.int32), places.astype(np.int32), table.floats[:, 0].copy()
    levels: list[Level] = []
    for k in range(1, order + 1):
        backoffs = None
        if k < order:
            backoffs = np.empty(places.size, np.float32)
            ngram_walk.stored_backoffs(table, k, places, backoffs)
        levels.append(_relative(Level(starts, words, probs, backoffs), k - 1, -unseen_backoff))
        if k < order:
            starts, size = np.empty(places.size + 1, np.int32), packed.sizes[k]
            words, probs, next_places = np.empty(size, np.int32), np.empty(size, np.float32), np.empty(size, np.int64)
            if ngram_walk.unpack_level(table, k, places, starts, words, probs, next_places) != size:
                raise FormatError(f"the packed table does not hold {size} n-grams of order {k + 1}: it is damaged")
            places = next_places
    return BackoffModel(vocabulary, levels, unseen_backoff)

"""From a back-off model's sorted levels to its packed trie, and back."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import Vocabulary
from windrow.errors import FormatError
from windrow.lm.ngram.codebooks import BOOK_BITS, Book, book_of, range_of
from windrow.lm.ngram.kernels import pack as kernels
from windrow.lm.ngram.kernels import walk
from windrow.lm.ngram.kernels.packed_trie import PAD, PackedTrie
from windrow.lm.ngram.levels import BackoffModel, Floats, Int32s, Level
from windrow.lm.ngram.record_layout import TrieLayout, record_layouts, slot_counts_for

_NO_INTS: Int32s = np.zeros(0, np.int32)
_NO_SLOTS = np.zeros(0, np.uint32)


class Packed(NamedTuple):
    """A packed trie, and what Python needs to know of it."""

    trie: PackedTrie
    layout: TrieLayout
    sizes: list[int]  # n-grams of each order
    suffix_closed: bool  # every stored n-gram without its first word is stored, too


class _Books(NamedTuple):
    """How the numbers of one order are coded."""

    probs: Book
    backoffs: Book


def pack(model: BackoffModel, quantize_bits: int | None, suffix_closed: bool | None, consume: bool) -> Packed:
    """Pack a model: see ``NGramTable.pack``."""
    levels = model.levels if consume else list(model.levels)
    if model.unseen_backoff:
        levels[:] = [relative(level, k, model.unseen_backoff) for k, level in enumerate(levels, 1)]
    words, order, sizes = len(model.vocabulary), model.order, model.sizes
    if suffix_closed is None:
        suffix_closed = is_suffix_closed(levels)
    slot_counts = slot_counts_for(levels)
    subtrees = _subtree_slots(levels, slot_counts)
    outer_slots = int(kernels.count_slots(levels[-1].starts, slot_counts, order > 2)) if order > 1 else 0
    inner_slots = int(subtrees[0].sum(dtype=np.int64)) if order > 2 else 0
    ranges = [(range_of(level.log10_probs), range_of(level.log10_backoffs)) for level in levels[1:]]
    orders = record_layouts(words, inner_slots, outer_slots, ranges, quantize_bits)
    layout = TrieLayout(words, inner_slots, outer_slots, orders)
    books = [
        _Books(
            book_of(level.log10_probs, probs, records.prob_bits, quantize_bits),
            book_of(level.log10_backoffs, backoffs, records.backoff_bits, quantize_bits),
        )
        for level, records, (probs, backoffs) in zip(levels[1:], orders, ranges, strict=True)
    ]
    trie = _new_trie(layout, slot_counts, books)
    _write_levels(trie, levels, books, subtrees)
    for array in trie:  # as in a trie from a file, so that kernels are compiled for one kind
        array.flags.writeable = False
    return Packed(trie, layout, sizes, suffix_closed)


def relative(level: Level, order: int, unseen_backoff: float) -> Level:
    """A level with its log10 numbers relative to u = ``unseen_backoff``, the weight of a context that is not stored.

    Kept are ``log10 p - (order - 1) u`` and ``log10 backoff - u``. To score a word that has m possible contexts, add
    ``m u`` to what is found: contexts that are not stored need no look-up.
    """
    backoffs = None if level.log10_backoffs is None else level.log10_backoffs - unseen_backoff
    return level._replace(log10_probs=level.log10_probs - (order - 1) * unseen_backoff, log10_backoffs=backoffs)


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


# --- writing


def _subtree_slots(levels: Sequence[Level], slot_counts: NDArray[np.int64]) -> list[NDArray[np.uint32]]:
    """How many slots the lists of all n-grams that begin with a given one take, below order N: for orders 1 to N - 2.

    In a model of order 2, how many slots the list of each word takes.
    """
    if len(levels) == 2:  # the lists of words follow one another
        slots = np.empty(levels[0].words.size, np.uint32)
        kernels.subtree_slots(levels[1].starts, _NO_SLOTS, slot_counts, slots)
        return [slots]
    subtrees: list[NDArray[np.uint32]] = []
    below = _NO_SLOTS
    for level, above in reversed(list(pairwise(levels[:-1]))):
        slots = np.empty(level.words.size, np.uint32)
        kernels.subtree_slots(above.starts, below, slot_counts, slots)
        subtrees.insert(0, slots)
        below = slots
    return subtrees


def _new_trie(layout: TrieLayout, slot_counts: NDArray[np.int64], books: Sequence[_Books]) -> PackedTrie:
    """A trie that has its code books, but no n-grams yet."""
    order = len(layout.orders) + 1
    unigrams = np.zeros((layout.words, 4), np.uint32)
    records = np.empty(layout.record_bytes, np.uint8)
    records[-PAD:] = 0
    values, steps = np.zeros((order + 1, 2, 1 << BOOK_BITS), np.float32), np.zeros((order + 1, 2), np.float32)
    for k, pair in enumerate(books, 2):
        for i, book in enumerate(pair):
            values[k, i, : book.values.size], steps[k, i] = book.values, book.step
    return PackedTrie(unigrams, unigrams.view(np.float32), records, layout.fields(), values, steps, slot_counts)


def _write_levels(
    trie: PackedTrie, levels: list[Level], books: Sequence[_Books], subtrees: list[NDArray[np.uint32]]
) -> None:
    """Write the n-grams of all orders; each level is dropped from the list once it is written, which frees its memory.

    ``subtrees`` become, order by order, the first slots of the lists of successors.
    """
    order = len(levels)
    firsts = subtrees.pop(0) if subtrees else _NO_SLOTS
    source = _source(levels)
    kernels.pack_unigrams(trie, source, firsts)
    for k, own in enumerate(books, 2):
        del levels[0]
        source = _source(levels)
        if k == order:
            kernels.pack_highest_level(trie, source, own.probs.codes)
        elif k == order - 1:
            codes = (own.probs.codes, own.backoffs.codes, books[-1].probs.codes)
            kernels.pack_second_highest_level(trie, k, source, codes, firsts)
        else:
            next_firsts = subtrees.pop(0)
            kernels.pack_lower_level(trie, k, source, (own.probs.codes, own.backoffs.codes), firsts, next_firsts)
            firsts = next_firsts
    levels.clear()


def _source(levels: Sequence[Level]) -> kernels.Source:
    """The first of the levels, and what its records hold of the second."""
    level = levels[0]
    nothing: Floats = np.zeros(0, level.log10_probs.dtype)
    backoffs = nothing if level.log10_backoffs is None else level.log10_backoffs
    above = levels[1][:3] if len(levels) > 1 else (_NO_INTS, _NO_INTS, nothing)
    return kernels.Source(level.starts, level.words, level.log10_probs, backoffs, *above)


# --- reading


def unpack(packed: Packed, vocabulary: Vocabulary, unseen_backoff: float) -> BackoffModel:
    """The model of a trie, up to the rounding of its numbers; FormatError for a trie that does not fit its sizes."""
    trie, order = packed.trie, len(packed.sizes)
    addresses = np.arange(packed.layout.words, dtype=np.int64)
    starts, words, probs = np.array([0, addresses.size], np.int32), addresses.astype(np.int32), trie.floats[:, 0].copy()
    levels: list[Level] = []
    for k in range(1, order + 1):
        backoffs = None
        if k < order:
            backoffs = np.empty(addresses.size, np.float32)
            walk.stored_backoffs(trie, k, addresses, backoffs)
        levels.append(relative(Level(starts, words, probs, backoffs), k, -unseen_backoff))
        if k < order:
            starts, size = np.empty(addresses.size + 1, np.int32), packed.sizes[k]
            words, probs, next_addresses = (
                np.empty(size, np.int32),
                np.empty(size, np.float32),
                np.empty(size, np.int64),
            )
            if walk.unpack_level(trie, k, addresses, starts, words, probs, next_addresses) != size:
                raise FormatError(f"it does not hold {size} n-grams of order {k + 1}")
            if k + 1 < order and next_addresses.min(initial=0) < 0:  # of the highest order alone some have none
                raise FormatError(f"an n-gram of order {k + 1} has no address")
            addresses = next_addresses
    return BackoffModel(vocabulary, levels, unseen_backoff)

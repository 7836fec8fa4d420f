"""From the counts of a text to a compact trie, whose numbers follow from them, and back to sorted levels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import Vocabulary
from windrow.errors import DataError, FormatError
from windrow.lm.ngram.kernels import compact_pack as kernels
from windrow.lm.ngram.kernels import compact_trie as trie_kernels
from windrow.lm.ngram.kernels.compact_pack import Contexts, Grams, Placed
from windrow.lm.ngram.kernels.compact_trie import CODES, COLUMNS, GAMMA_BITS, PAD, CompactTrie
from windrow.lm.ngram.kernels.estimate import Rule, Successors
from windrow.lm.ngram.levels import BackoffModel, Int32s, Level, gram_keys

_RARE_BITS = 256  # for a count that has no code: 128 of memory, and it takes time to find
_MOST_SLOTS = 2**30  # of an order, so that 32 bits hold twice as many
_MOST_WIDTH = 64  # bits of a record, so that PAD suffices


class OrderCounts(NamedTuple):
    """The k-grams of a text with the counts from which probabilities follow, and how they do."""

    successors: Successors
    rule: Rule


class Shape(NamedTuple):
    """What a file must say of a compact trie beside its arrays."""

    sizes: list[int]  # n-grams of each order
    orders: list[list[int]]  # from 2 on: the columns SLOTS to Z_BITS of ``CompactTrie.fields``, and entries of ``rare``
    rules: list[Rule]  # of these orders

    def fields(self) -> NDArray[np.int64]:
        """``CompactTrie.fields``."""
        fields = np.zeros((len(self.orders) + 2, COLUMNS), np.int64)
        bit, first_base, first_rare = 0, 0, 0
        for k, (slots, width, *others, rare) in enumerate(self.orders, 2):
            fields[k] = (bit, slots, width, *others, first_base, first_rare, rare)
            bit += slots * width
            first_base += _bases_of(slots)
            first_rare += rare
        return fields

    def array_shapes(self) -> list[tuple[int, ...]]:
        """The shapes of p and successors of single words, records, bases and rare counts."""
        words, bits = self.sizes[0], sum(slots * width for slots, width, *_ in self.orders)
        bases, rare = sum(_bases_of(own[0]) for own in self.orders), sum(own[-1] for own in self.orders)
        return [(words,), (words,), (bits // 8 + 1 + PAD,), (bases,), (rare, 2)]

    def is_sound(self, words: int) -> bool:
        """Whether kernels can read arrays of these shapes without leaving them."""
        if not len(self.sizes) == len(self.orders) + 1 == len(self.rules) + 1 or self.sizes[0] != words:
            return False
        inlined = 0  # records that may be in others
        for k, (size, own, rule) in enumerate(zip(self.sizes[1:], self.orders, self.rules, strict=True), 2):
            if len(own) != COLUMNS - 3 or min(own) < 0:
                return False
            slots, width, key_bits, code_bits, payload_bits, header, size_bits, z_bits, rare = own
            used = key_bits + code_bits + (1 + payload_bits if k < len(self.sizes) else 0)
            fits = size <= slots + inlined and slots < _MOST_SLOTS and rare < _MOST_SLOTS and 1 <= header <= 4
            fits &= used <= width <= _MOST_WIDTH and 1 <= key_bits <= 31 and 2 <= code_bits <= 8 and payload_bits <= 40
            fits &= size_bits <= 31 and 1 <= z_bits <= 40 and size_bits + GAMMA_BITS + z_bits <= header * width
            counts = np.arange(rule.discounts.size)
            fits &= rule.discounts.ndim == 1 and 0 < rule.discounts.size < CODES and rule.per_type in (0, 1)
            if not fits or not ((rule.discounts >= 0) & (rule.discounts <= counts)).all():
                return False
            inlined = slots
        return True


class _Laid(NamedTuple):
    """An order whose n-grams have their slots, but are not written yet."""

    keys: Int32s
    placed: Placed
    nexts: Int32s  # of the slots of the order below: see ``kernels.place_lists``
    key_bits: int
    code_bits: int
    header: int  # slots
    slots: int
    size_bits: int
    z_bits: int


def pack_counts(probs: NDArray[np.float32], orders: Sequence[OrderCounts], words: int) -> tuple[CompactTrie, Shape]:
    """The compact trie of a model.

    ``probs``: p of single words; ``orders``: those from 2 on; ``words``: how many can be predicted.
    """
    laid = _lay_out(probs.size, orders)
    shapes, bases, rares = list[list[int]](), list[NDArray[np.uint32]](), list[NDArray[np.uint32]]()
    for k, (own, counted) in enumerate(zip(laid, orders, strict=True)):
        above = laid[k + 1] if k + 1 < len(laid) else None
        bases.append(np.zeros(_bases_of(own.slots), np.uint32))
        rares.append(_rare_table(own, counted.successors.counts))
        payload_bits = 0
        if above is not None:
            payload_bits = int(kernels.most_offset(above.nexts, bases[-1]) + 1).bit_length()
            if k + 2 == len(laid):
                payload_bits = max(payload_bits, above.key_bits + above.code_bits)
        used = own.key_bits + own.code_bits + (0 if above is None else 1 + payload_bits)
        width = max(used, -(-(own.size_bits + GAMMA_BITS + own.z_bits) // own.header))
        shapes.append([own.slots, width, own.key_bits, own.code_bits, payload_bits, own.header, own.size_bits,
                       own.z_bits, len(rares[-1])])  # fmt: skip
    sizes = [probs.size, *(counted.successors.counts.size for counted in orders)]
    shape = Shape(sizes, shapes, [counted.rule for counted in orders])
    nexts = np.full(probs.size, trie_kernels.NOTHING, np.uint32)
    if laid:
        nexts[:] = np.where(laid[0].nexts < 0, trie_kernels.NOTHING, laid[0].nexts)
    records = np.full(shape.array_shapes()[2], 0xFF, np.uint8)
    no_numbers = np.zeros((0, 2), np.uint32)
    trie = trie_of(
        shape, probs, nexts, records, np.concatenate([no_numbers[:, 0], *bases]), np.concatenate([no_numbers, *rares])
    )
    _write(trie, orders, laid, words)
    for array in trie:  # as in a trie from a file, so that kernels are compiled for one kind
        array.flags.writeable = False
    return trie, shape


def trie_of(
    shape: Shape,
    probs: NDArray[np.float32],
    nexts: NDArray[np.uint32],
    records: NDArray[np.uint8],
    bases: NDArray[np.uint32],
    rare: NDArray[np.uint32],
) -> CompactTrie:
    """The trie of these arrays; what follows from its shape is not writeable."""
    computed = shape.fields(), *_books(shape.rules)
    for array in computed:
        array.flags.writeable = False
    return CompactTrie(probs, nexts, records, bases, rare, *computed)


def _bases_of(slots: int) -> int:
    """How many bases so many slots have."""
    return (slots >> trie_kernels.BLOCK_SHIFT) + 1


def _lay_out(words: int, orders: Sequence[OrderCounts]) -> list[_Laid]:
    """Give all n-grams their slots, order by order."""
    all_words = np.arange(words, dtype=np.int32)
    below, suffixes = Placed(np.zeros(1, np.int32), all_words, all_words), np.zeros(words, np.int32)
    laid, most = list[_Laid](), words
    for k, (successors, _) in enumerate(orders, 2):
        is_highest = k == len(orders) + 1
        keys = np.empty(successors.suffixes.size, np.int32)
        kernels.find_keys(successors.starts, successors.suffixes, suffixes, below, keys)
        code_bits, header = _code_bits(successors.counts), 4 if is_highest else 2
        firsts, nexts = np.zeros(successors.starts.size - 1, np.int32), np.full(below.places.size, -1, np.int32)
        key_bits = int(most).bit_length()
        slots, most = kernels.place_lists(
            successors, below.places, header, (1 << code_bits) - 2, is_highest and k > 2, firsts, nexts
        )
        if slots >= _MOST_SLOTS:
            raise DataError(f"there are too many n-grams of order {k} for compact = True; leave it out")
        placed = Placed(firsts, np.empty(keys.size, np.int32), np.full(slots, -1, np.int32))
        kernels.place_records(successors.starts, keys, below.places, nexts, placed)
        most_z = _most_total(successors)
        laid.append(
            _Laid(keys, placed, nexts, key_bits, code_bits, header, slots, int(most).bit_length(),
                  (2 * most_z + 1).bit_length())
        )  # fmt: skip
        below, suffixes = placed, successors.suffixes
    return laid


def _most_total(successors: Successors) -> int:
    """The greatest sum of the counts of one context."""
    before = np.zeros(successors.counts.size + 1, np.int64)
    np.cumsum(successors.counts, out=before[1:])
    return int(np.diff(before[successors.starts]).max(initial=1))


def _code_bits(counts: Int32s) -> int:
    """With how many bits counts take the least memory, those without a code included."""
    frequencies = np.bincount(np.minimum(counts, CODES - 1), minlength=CODES)
    sizes = {b: b * counts.size + _RARE_BITS * int(frequencies[(1 << b) - 1 :].sum()) for b in range(2, 9)}
    return min(sizes, key=lambda b: sizes[b])


def _rare_table(own: _Laid, counts: Int32s) -> NDArray[np.uint32]:
    most_coded = (1 << own.code_bits) - 2
    entries = np.count_nonzero(counts > most_coded)
    rare = np.zeros((2 * entries + 1, 2), np.uint32)
    kernels.write_rare(own.placed.slots, counts, most_coded, rare)
    return rare


def _books(rules: Sequence[Rule]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """``CompactTrie.discounts`` and ``singles``."""
    most = max((rule.discounts.size for rule in rules), default=1)
    discounts, singles = np.zeros((len(rules) + 2, most)), np.ones((len(rules) + 2, CODES, 3))
    counts = np.arange(CODES)
    for k, rule in enumerate(rules, 2):
        discounts[k] = np.append(rule.discounts, np.full(most - rule.discounts.size, rule.discounts[-1]))
        taken = rule.discounts[np.minimum(counts, rule.discounts.size - 1)]
        total = np.maximum(counts + rule.per_type, 1)
        singles[k] = np.column_stack([counts - taken, 1 / total, (taken + rule.per_type) / total])
    return discounts, singles


def _write(trie: CompactTrie, orders: Sequence[OrderCounts], laid: Sequence[_Laid], words: int) -> None:
    no_codes, no_nexts = np.zeros(0, np.int64), np.zeros(0, np.int32)
    context_places = np.arange(trie.probs.size, dtype=np.int32)
    for k, (own, (successors, rule)) in enumerate(zip(laid, orders, strict=True), 2):
        nexts, inlined = no_nexts, no_codes
        if k <= len(orders):
            above, above_counts = laid[k - 1], orders[k - 1].successors
            nexts = above.nexts
            if k == len(orders):
                inlined = np.zeros(successors.suffixes.size, np.int64)
                kernels.inline_codes(
                    above_counts.starts, above.keys, above_counts.counts, above.placed.slots, above.key_bits, inlined
                )
        kernels.write_headers(trie, k, successors, context_places, own.nexts, rule, words)
        kernels.write_records(trie, k, own.keys, successors.counts, own.placed.places, nexts, inlined)
        context_places = own.placed.places


# --- reading


def unpack_counts(trie: CompactTrie, sizes: Sequence[int], vocabulary: Vocabulary) -> BackoffModel:
    """The back-off model of a compact trie; FormatError for a trie that does not fit its sizes."""
    order = len(sizes)
    all_words = np.arange(sizes[0], dtype=np.int32)
    below = Placed(np.zeros(1, np.int32), all_words, all_words)
    starts, words, suffixes = np.array([0, sizes[0]], np.int32), all_words, np.zeros(sizes[0], np.int32)
    probs, nexts = trie.probs.astype(np.float64), trie.nexts.astype(np.uint64)
    levels: list[Level] = []
    for k in range(2, order + 1):
        size = sizes[k - 1]
        contexts = Contexts(np.zeros(nexts.size, np.int32), np.ones(nexts.size))
        contexts_and_suffixes = np.empty((2, size), np.int32)
        grams = Grams(contexts_and_suffixes[0], contexts_and_suffixes[1], np.empty(size), np.empty(size, np.int32))
        if kernels.unpack_level(trie, k, nexts, suffixes, below, probs, contexts, grams) != size:
            raise FormatError(f"it does not hold {size} n-grams of order {k}")
        levels.append(Level(starts, words, _log10(probs), _log10(contexts.gammas)))
        sorting = np.argsort(gram_keys(grams.contexts, grams.suffixes), kind="stable")
        suffixes, probs, slots = grams.suffixes[sorting], grams.probs[sorting], grams.slots[sorting]
        words = words[suffixes]
        starts = np.zeros(nexts.size + 1, np.int32)
        np.cumsum(np.bincount(grams.contexts, minlength=nexts.size), out=starts[1:])
        if k < order:
            places = np.full(trie.fields[k, trie_kernels.SLOTS], -1, np.int32)
            places[slots] = np.arange(size, dtype=np.int32)
            nexts = np.empty(size, np.uint64)
            kernels.nexts_of(trie, k, slots, nexts)
            below = Placed(contexts.firsts, slots, places)
    levels.append(Level(starts, words, _log10(probs), None))
    return BackoffModel(vocabulary, levels)


def _log10(values: NDArray[np.float64]) -> NDArray[np.float32]:
    with np.errstate(divide="ignore"):
        return np.log10(values).astype(np.float32)

"""Between sorted levels of counts and a compact trie (``compact_trie``)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.lm.ngram.kernels.compact_trie import (
    BLOCK_SHIFT,
    FLAT,
    GAMMA_BITS,
    GAMMA_CUT,
    NOTHING,
    PAYLOAD_BITS,
    Z_BITS,
    CompactTrie,
    bits_at,
    discounted,
    list_at,
    next_at,
    put_bits,
    reader,
    slot_bit,
)
from windrow.lm.ngram.kernels.estimate import Rule, Successors, left_over
from windrow.lm.ngram.kernels.packed_trie import home
from windrow.numeric.jit import kernel

_ZERO, _ONE = np.uint64(0), np.uint64(1)
_SPARE = 4  # a longer list has one spare slot for so many records


class Placed(NamedTuple):
    """Where the n-grams of an order lie, by their place, and what lies in each slot."""

    firsts: NDArray[np.int32]  # (contexts,) the first slot of each list
    slots: NDArray[np.int32]  # (n,) -1: in the record of its context
    places: NDArray[np.int32]  # (slots,) -1: none


class Contexts(NamedTuple):
    """What ``unpack_level`` writes of the contexts."""

    firsts: NDArray[np.int32]  # as in ``Placed``
    gammas: NDArray[np.float64]


class Grams(NamedTuple):
    """What ``unpack_level`` writes of the n-grams, those of a context side by side."""

    contexts: NDArray[np.int32]  # places
    suffixes: NDArray[np.int32]  # places
    probs: NDArray[np.float64]
    slots: NDArray[np.int32]


@kernel
def slots_of(records: int) -> Any:
    """How many slots a list of so many records has."""
    return records if records <= FLAT else records + records // _SPARE


@kernel
def place_lists(
    successors: Successors,
    places: NDArray[np.int32],
    header: int,
    most_coded: int,
    inline: bool,
    firsts: NDArray[np.int32],
    nexts: NDArray[np.int32],
) -> Any:
    """Give the lists of all contexts their slots, in the order of the contexts' slots.

    ``places``: those of the contexts by slot. Written are the first slot of each list, by place, and by slot
    2 * where it begins + single; -1 where there is none, -2 for a single one that is ``inline``. Returns how many slots
    there are, and the most of one list.
    """
    slot, most = 0, 1
    for at in range(places.size):
        context = places[at]
        if context < 0:
            continue
        begin, end = successors.starts[context], successors.starts[context + 1]
        size = end - begin
        nexts[at] = -1
        firsts[context] = slot
        if size == 0:
            continue
        if size == 1 and successors.counts[begin] <= most_coded:
            nexts[at] = -2 if inline else slot * 2 + 1
            slot += 0 if inline else 1
            continue
        nexts[at] = slot * 2
        slot += header
        firsts[context] = slot
        size = slots_of(size)
        slot += size
        most = max(most, size)
    return slot, most


@kernel
def place_records(
    starts: NDArray[np.int32],
    keys: NDArray[np.int32],
    context_places: NDArray[np.int32],
    nexts: NDArray[np.int32],
    placed: Placed,
) -> None:
    """Give each record its slot in its list; ``placed.places`` holds -1 only."""
    for at in range(context_places.size):
        context = context_places[at]
        if context < 0:
            continue
        begin, end = starts[context], starts[context + 1]
        if nexts[at] == -2:
            placed.slots[begin] = -1
            continue
        first, records = placed.firsts[context], end - begin
        size = slots_of(records)
        for i in range(begin, end):
            slot = home(keys[i], size) if size > FLAT else i - begin
            while placed.places[first + slot] >= 0:
                slot = slot + 1 if slot + 1 < size else 0
            placed.slots[i] = first + slot
            placed.places[first + slot] = i


@kernel
def find_keys(
    starts: NDArray[np.int32],
    suffixes: NDArray[np.int32],
    context_suffixes: NDArray[np.int32],
    below: Placed,
    keys: NDArray[np.int32],
) -> None:
    """Write the key of each n-gram: its suffix's slot, counted from the first of the list of the context's suffix."""
    for context in range(starts.size - 1):
        first = below.firsts[context_suffixes[context]]
        for i in range(starts[context], starts[context + 1]):
            slot = below.slots[suffixes[i]]
            keys[i] = slot - first


@kernel
def most_offset(nexts: NDArray[np.int32], bases: NDArray[np.uint32]) -> Any:
    """Write the base of each 64 slots, and return the most of what is left of a list's slot without it."""
    most, after = 0, np.int64(0)
    for block in range(bases.size):
        begin, end = block << BLOCK_SHIFT, min((block + 1) << BLOCK_SHIFT, nexts.size)
        base = np.int64(-1)
        for at in range(begin, end):
            if nexts[at] >= 0:
                slot = nexts[at] >> 1
                if base < 0:
                    base = slot
                most = max(most, slot - base)
                after = slot
        bases[block] = base if base >= 0 else after
    return most


@kernel
def write_rare(slots: NDArray[np.int32], counts: NDArray[np.int32], most_coded: int, rare: NDArray[np.uint32]) -> None:
    """Write the counts that have no code to their hash table."""
    for i in range(slots.size):
        if counts[i] > most_coded:
            at = home(slots[i], rare.shape[0])
            while rare[at, 0] != 0:
                at = at + 1 if at + 1 < rare.shape[0] else 0
            rare[at, 0] = slots[i] + 1
            rare[at, 1] = counts[i]


@kernel
def write_headers(
    trie: CompactTrie,
    order: int,
    successors: Successors,
    places: NDArray[np.int32],
    nexts: NDArray[np.int32],
    rule: Rule,
    words: int,
) -> None:
    """Write the headers of the lists of an order."""
    read = reader(trie, order)
    z_bits = trie.fields[order, Z_BITS]
    for at in range(places.size):
        if places[at] < 0 or nexts[at] < 0 or nexts[at] & 1:
            continue
        context = places[at]
        begin, end = successors.starts[context], successors.starts[context + 1]
        scale, gamma = left_over(successors, begin, end, rule, words)
        code = (np.uint64(np.float32(gamma).view(np.uint32)) + np.uint64(1 << (GAMMA_CUT - 1))) >> np.uint64(GAMMA_CUT)
        bit = slot_bit(read, nexts[at] >> 1)
        put_bits(trie.records, bit, read.size_bits, slots_of(end - begin))
        put_bits(trie.records, bit + read.size_bits, GAMMA_BITS, code)
        put_bits(trie.records, bit + read.size_bits + np.uint64(GAMMA_BITS), z_bits, np.uint64(np.rint(1 / scale)))


@kernel
def write_records(
    trie: CompactTrie,
    order: int,
    keys: NDArray[np.int32],
    counts: NDArray[np.int32],
    places: NDArray[np.int32],
    nexts: NDArray[np.int32],
    inlined: NDArray[np.int64],
) -> None:
    """Write the records of an order.

    ``nexts``: of each slot its successors, as ``place_lists`` writes them; ``inlined``: by place those with -2 there.
    """
    read, highest = reader(trie, order), trie.fields.shape[0] - 1
    code_bits, payload_bits = read.next_at - read.key_bits, trie.fields[order, PAYLOAD_BITS]
    for slot in range(places.size):
        place = places[slot]
        if place < 0:
            continue
        bit = slot_bit(read, slot)
        code = min(np.uint64(counts[place]), read.code_mask)
        put_bits(trie.records, bit, read.key_bits, keys[place])
        put_bits(trie.records, bit + read.key_bits, code_bits, code)
        if order == highest:
            continue
        after, single, payload = nexts[slot], _ZERO, read.payload_mask
        if after == -2:
            single, payload = _ONE, np.uint64(inlined[place])
        elif after >= 0:
            base = np.int64(trie.bases[read.base + np.uint64(slot >> BLOCK_SHIFT)])
            single, payload = np.uint64(after & 1), np.uint64((after >> 1) - base)
        put_bits(trie.records, bit + read.next_at, 1, single)
        put_bits(trie.records, bit + read.next_at + _ONE, payload_bits, payload)


@kernel
def inline_codes(
    starts: NDArray[np.int32],
    keys: NDArray[np.int32],
    counts: NDArray[np.int32],
    slots: NDArray[np.int32],
    key_bits: int,
    inlined: NDArray[np.int64],
) -> None:
    """Write, by place of the context, key and code of its successor that lies in its own record."""
    for context in range(starts.size - 1):
        begin = starts[context]
        if starts[context + 1] - begin == 1 and slots[begin] < 0:
            inlined[context] = np.int64(keys[begin]) | np.int64(counts[begin]) << key_bits


# --- back


@kernel
def unpack_level(
    trie: CompactTrie,
    order: int,
    nexts: NDArray[np.uint64],
    context_suffixes: NDArray[np.int32],
    below: Placed,
    below_probs: NDArray[np.float64],
    contexts: Contexts,
    grams: Grams,
) -> Any:
    """The n-grams of an order from where the successors of each context are; returns how many there are.

    ``below``, ``below_probs``: of the order below, to which the suffixes of the contexts and of the n-grams belong.
    Returns -1 where the trie is damaged: a key leads nowhere, or there are more n-grams than ``grams`` holds.
    """
    highest, read, size = trie.fields.shape[0] - 1, reader(trie, order), 0
    inline = order == highest and order > 2
    for context in range(nexts.size):
        gamma, total, first, count = 1.0, 1.0, _ZERO, _ZERO
        after = nexts[context]
        single = after & _ONE == _ONE
        if after != NOTHING:
            if single:
                first, count = after >> _ONE, _ONE
                if not inline and first >= read.slots:
                    return np.int64(-1)
            else:
                first, count, gamma, total = list_at(trie, read, after >> _ONE)
                if count == _ZERO:
                    return np.int64(-1)
        in_record = single and inline
        first_below = below.firsts[context_suffixes[context]]
        for at in range(count):
            slot = first + np.uint64(at)
            found = first if in_record else bits_at(trie.records, slot_bit(read, slot))
            key = found & read.key_mask
            if key == read.key_mask:
                continue
            at_below = first_below + np.int64(key)
            if at_below >= below.places.size or size == grams.suffixes.size or below.places[at_below] < 0:
                return np.int64(-1)
            suffix = below.places[at_below]
            code = (found >> read.key_bits) & read.code_mask
            if single:
                gamma, total = trie.singles[order, code, 2], 1 / trie.singles[order, code, 1]
            grams.contexts[size] = context
            grams.suffixes[size] = suffix
            grams.probs[size] = discounted(trie, read, order, code, slot) / total + gamma * below_probs[suffix]
            grams.slots[size] = -1 if in_record else np.int64(slot)
            size += 1
        contexts.firsts[context] = 0 if in_record else np.int64(first)
        contexts.gammas[context] = gamma
    return size


@kernel
def nexts_of(trie: CompactTrie, order: int, slots: NDArray[np.int32], nexts: NDArray[np.uint64]) -> None:
    """Where the successors of the n-grams of an order below N are."""
    read, inline = reader(trie, order), order == trie.fields.shape[0] - 2
    for i in range(slots.size):
        nexts[i] = next_at(trie, read, np.uint64(slots[i]), inline)

"""Pairs of words in a hash table, and the two passes over a text that use it: pairs are counted, phrases joined.

A pair is two words, with nothing but connector words between them. Words are codes: 0, 1, ... for the connector words,
then the other ones, and negative for whatever belongs to no pair. What stands between is a number, 0 for nothing, of a
sequence of connector words; a second table of the same form has the number of a sequence, by that of the sequence
without its last word, and that word. ::

    slots   first word << 32 | last word, between << 40 | value | 0, 0 | ...     a value of 0: an empty slot

The values are counts, or numbers of phrases or sequences from 1 on. Searches go from slot to slot (linear probing).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.corpus.kernels.word_hash import home_slot
from windrow.numeric.jit import kernel

Slots = NDArray[np.int64]  # (2 * a power of two,)
Codes = NDArray[np.int32]

VALUE_BITS = 40
MOST_SEQUENCES = 1 << 62 - VALUE_BITS
_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / the golden ratio: neighboring numbers become distant ones
_LOW = (1 << VALUE_BITS) - 1
_ALL_BITS = 64


@kernel
def pair_hash(words: Any, between: Any) -> Any:
    """64 bits: the last ones say where the search begins, the first ones in which part of the pairs it is."""
    return home_slot(np.uint64(words) + np.uint64(between) * _SPREAD)


@kernel
def find_pair(slots: Slots, words: Any, between: Any) -> Any:
    """The place in ``slots`` of a pair, or of the empty slot where it belongs."""
    mask = np.uint64(slots.size // 2 - 1)
    place = np.int64(pair_hash(words, between) & mask) * 2
    while slots[place + 1] != 0 and (slots[place] != words or slots[place + 1] >> VALUE_BITS != between):
        place = (place + 2) & (slots.size - 1)
    return place


@kernel
def value_of(slots: Slots, words: Any, between: Any) -> Any:
    """The value of a pair, 0 if it is not there."""
    return slots[find_pair(slots, words, between) + 1] & _LOW


@kernel
def pair_of(first: Any, last: Any) -> Any:
    """Two words as one number."""
    return np.int64(first) << 32 | np.int64(last)


@kernel
def enter_pairs(slots: Slots, words: NDArray[np.int64], betweens: NDArray[np.int32]) -> None:
    """Number pairs, all different, from 1 on."""
    for number in range(words.size):
        place = find_pair(slots, words[number], betweens[number])
        slots[place] = words[number]
        slots[place + 1] = np.int64(betweens[number]) << VALUE_BITS | number + 1


@kernel
def in_part(words: Any, between: Any, bits: int, part: int) -> bool:
    """Whether a pair is in a part: the first ``bits`` of its hash are the number ``part``."""
    return bits == 0 or np.int64(pair_hash(words, between) >> np.uint64(_ALL_BITS - bits)) == part


@kernel
def move_pairs(old: Slots, new: Slots, bits: int, part: int) -> int:
    """Move the pairs of a part to an empty table; returns how many there are."""
    moved = 0
    for entry in range(0, old.size, 2):
        words, label = old[entry], old[entry + 1]
        if label != 0 and in_part(words, label >> VALUE_BITS, bits, part):
            place = find_pair(new, words, label >> VALUE_BITS)
            new[place], new[place + 1] = words, label
            moved += 1
    return moved


@kernel
def next_sequence(slots: Slots, known: int, sequence: Any, word: Any) -> tuple[Any, Any]:
    """The number of a sequence with one more connector word, and how many are known, that one included."""
    words = pair_of(sequence, word)
    place = find_pair(slots, words, 0)
    if slots[place + 1] == 0:
        known += 1
        slots[place], slots[place + 1] = words, known
    return slots[place + 1], known


@kernel
def count_pairs(
    codes: Codes,
    begins: NDArray[np.bool_],
    connectors: int,
    state: tuple[int, int, int],
    pairs: Slots,
    sequences: Slots,
    known: tuple[int, int],
    bits: int,
    part: int,
) -> tuple[int, int, int, int, int]:
    """Count the pairs of a part, from where ``state`` is until a table is 5/8 full or the block ends.

    ``begins``: whether a sentence begins there. ``state``: where to go on, the first word of the pair that may come (-1
    for none), and the sequence of connector words after it. ``known``: how many pairs and sequences are in the tables.
    Returns both as they are afterwards.
    """
    at, first, sequence = state
    known_pairs, known_sequences = known
    most_pairs, most_sequences = 5 * (pairs.size // 16), 5 * (sequences.size // 16)
    while at < codes.size and known_pairs < most_pairs and known_sequences < most_sequences:
        word = int(codes[at])
        if begins[at] or word < 0:
            first, sequence = -1, 0
        if word >= connectors:
            if first >= 0 and in_part(pair_of(first, word), sequence, bits, part):
                place = find_pair(pairs, pair_of(first, word), sequence)
                if pairs[place + 1] == 0:
                    pairs[place], pairs[place + 1] = pair_of(first, word), np.int64(sequence) << VALUE_BITS
                    known_pairs += 1
                pairs[place + 1] += 1
            first, sequence = word, 0
        elif word >= 0 and first >= 0:
            sequence, known_sequences = next_sequence(sequences, known_sequences, sequence, word)
        at += 1
    return at, first, sequence, known_pairs, known_sequences


@kernel
def join_pairs(
    codes: Codes,
    begins: NDArray[np.bool_],
    connectors: int,
    phrases: Slots,
    sequences: Slots,
    joined: Codes,
    places: NDArray[np.int64],
) -> tuple[int, int]:
    """Replace pairs by phrases, from left to right: ``joined`` has the positions of words, and -n for phrase n.

    ``places``, one longer, becomes for each position how many tokens ``joined`` has of what is before it, which holds
    where sentences begin. Returns how many it has in all; and the position of a first word whose phrase might end
    behind the last one, else the number of positions.
    """
    size, first, size_at_first, sequence = 0, -1, 0, 0
    for at in range(codes.size):
        word = int(codes[at])
        if begins[at] or word < 0:
            first = -1
        places[at] = size
        token = at
        if word >= connectors:
            phrase = 0
            if first >= 0 and sequence >= 0:
                phrase = value_of(phrases, pair_of(codes[first], word), sequence)
            if phrase > 0:
                token, size, first = -phrase, size_at_first, -1
            else:
                first, size_at_first, sequence = at, size, 0
        elif word >= 0 and first >= 0 and sequence >= 0:
            sequence = value_of(sequences, pair_of(sequence, word), 0)
            if sequence == 0:
                sequence = -1  # of no phrase
        joined[size] = token
        size += 1
    places[codes.size] = size
    return size, first if first >= 0 else codes.size

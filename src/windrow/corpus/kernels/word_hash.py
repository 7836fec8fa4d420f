"""A hash table of words, from their bytes to ids: open addressing with linear probing.

::

    slots    key, label | 0, 0 | key, label | ...     label = (id + 1) << 32 | rest of the key, and 0 in an empty slot
    offsets  0          4     8               ...     word i is arena[offsets[i] : offsets[i + 1]], with its newline
    arena    t h e \\n   c a t \\n               ...

The key of a word of up to 11 bytes is the word itself: its first 8 bytes, and as the rest the others and the length.
The key of a longer one is a hash of it, so its bytes are compared, too.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.corpus.kernels.eight_bytes import PAD, Bytes, eight_at, first_bytes, set_eight
from windrow.numeric.jit import kernel

_EMPTY, _ONE, _TWO = np.uint64(0), np.uint64(1), np.uint64(2)
_S29, _S32, _LOW_32 = np.uint64(29), np.uint64(32), np.uint64(2**32 - 1)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_SHORT = 11  # bytes of the longest word that is its own key
_LENGTH = np.uint64(24)  # where the length is in the rest of a key
_LONG = np.uint64(0xFF << 24)  # the rest of the key of a longer one


class WordHash(NamedTuple):
    """The arrays of the table; whoever uses it knows how many words it holds."""

    slots: NDArray[np.uint64]  # (4 * most words,): every other slot stays empty, so that searches are short
    counts: NDArray[np.int64]  # (most words,)
    offsets: NDArray[np.int64]  # (most words + 1,)
    arena: Bytes


def new_word_hash(most_words: int, arena_bytes: int) -> WordHash:
    """An empty table; ``most_words`` is a power of two."""
    return WordHash(
        np.zeros(4 * most_words, np.uint64),
        np.zeros(most_words, np.int64),
        np.zeros(most_words + 1, np.int64),
        np.empty(arena_bytes, np.uint8),
    )


def for_twice_the_words(table: WordHash) -> WordHash:
    """A table with the same words that can hold twice as many."""
    larger = new_word_hash(2 * table.counts.size, 0)
    move_slots(table.slots, larger.slots)
    larger.counts[: table.counts.size] = table.counts
    larger.offsets[: table.offsets.size] = table.offsets
    return larger._replace(arena=table.arena)


def for_more_text(table: WordHash, known: int, text_bytes: int) -> WordHash:
    """The table, its arena large enough for every word of a text, should all of them be new."""
    used = int(table.offsets[known])
    needed = used + text_bytes + PAD
    if needed <= table.arena.size:
        return table
    arena = np.empty(max(needed, 2 * table.arena.size), np.uint8)
    arena[:used] = table.arena[:used]
    return table._replace(arena=arena)


@kernel
def mixed(key: Any, eight: Any) -> Any:
    """A hash of 64 bits, with 8 more bytes taken in."""
    key = (key ^ eight) * _MIX_1
    return key ^ (key >> _S32)


@kernel
def long_key(text: Bytes, start: int, length: int) -> Any:
    """A hash of more than 8 bytes."""
    key = np.uint64(length)
    last = start + length - 8
    for at in range(start, last, 8):
        key = mixed(key, eight_at(text, at))
    return mixed(key, eight_at(text, last))  # these may overlap the ones before


@kernel
def word_key(text: Bytes, start: int, length: int) -> Any:
    """The key of the word ``text[start : start + length]``, in two parts, of which the second has 32 bits."""
    if length > _SHORT:
        return long_key(text, start, length), _LONG
    first = first_bytes(eight_at(text, start), min(length, 8))
    others = first_bytes(eight_at(text, start + 8), length - 8) if length > 8 else _EMPTY
    return first, others | np.uint64(length) << _LENGTH


@kernel
def home_slot(key: Any) -> Any:
    """Where the search for a key begins, before it is cut to the size of the table."""
    key = mixed(_EMPTY, key) * _MIX_2
    return key ^ (key >> _S29)


@kernel
def first_slot(key: Any, rest: Any, slots: NDArray[np.uint64]) -> Any:
    """The slot where the search for a word begins."""
    return home_slot(key ^ rest * _MIX_2) & np.uint64(slots.size - 2)


@kernel
def same_word(text: Bytes, start: int, length: int, offsets: NDArray[np.int64], arena: Bytes, word: Any) -> Any:
    """Whether more than 8 bytes of the text are the word of that id."""
    offset = offsets[word]
    if offsets[word + 1] - offset != length + 1:
        return False
    last = length - 8
    for at in range(0, last, 8):
        if eight_at(text, start + at) != eight_at(arena, offset + at):
            return False
    return eight_at(text, start + last) == eight_at(arena, offset + last)


@kernel
def find_slot(text: Bytes, start: int, length: int, key: Any, rest: Any, home: Any, table: WordHash) -> Any:
    """The slot of a word of the text, or the empty one where it belongs; ``home``: its first slot."""
    slots, mask, slot = table.slots, np.uint64(table.slots.size - 2), home
    while True:
        label = slots[slot + _ONE]
        if slots[slot] == key and label & _LOW_32 == rest:
            if rest != _LONG:
                return slot
            word = np.int64(label >> _S32) - 1
            if same_word(text, start, length, table.offsets, table.arena, word):
                return slot
        elif label == _EMPTY:
            return slot
        slot = (slot + _TWO) & mask


@kernel
def word_in(slot: Any, table: WordHash) -> Any:
    """The id of the word in a slot, -1 if it is empty."""
    return np.int64(table.slots[slot + _ONE] >> _S32) - 1


@kernel
def find_word(text: Bytes, start: int, length: int, table: WordHash) -> Any:
    """The id of a word of the text, -1 if the table does not hold it."""
    key, rest = word_key(text, start, length)
    return word_in(find_slot(text, start, length, key, rest, first_slot(key, rest, table.slots), table), table)


@kernel
def enter_word(
    text: Bytes, start: int, length: int, key: Any, rest: Any, slot: Any, word: int, table: WordHash
) -> None:
    """Enter a new word of the text into an empty slot, with the id ``word``: how many words were known before it."""
    offset = table.offsets[word]
    for at in range(0, length, 8):  # up to 7 bytes too many, which the newline and the next word overwrite
        set_eight(table.arena, offset + at, eight_at(text, start + at))
    table.arena[offset + length] = 0x0A
    table.offsets[word + 1] = offset + length + 1
    table.slots[slot] = key
    table.slots[slot + _ONE] = np.uint64(word + 1) << _S32 | rest


@kernel
def find_or_enter(text: Bytes, start: int, length: int, table: WordHash, known: int) -> Any:
    """The id of a word of the text; a new one enters the table, with the id ``known``."""
    key, rest = word_key(text, start, length)
    slot = find_slot(text, start, length, key, rest, first_slot(key, rest, table.slots), table)
    word = word_in(slot, table)
    if word < 0:
        enter_word(text, start, length, key, rest, slot, known, table)
        word = known
    return word


@kernel
def move_slots(old: NDArray[np.uint64], new: NDArray[np.uint64]) -> None:
    """Enter the words of a full table into a larger, empty one."""
    mask = np.uint64(new.size - 2)
    for entry in range(0, old.size, 2):
        if old[entry + 1] != _EMPTY:
            slot = first_slot(old[entry], old[entry + 1] & _LOW_32, new)
            while new[slot + _ONE] != _EMPTY:
                slot = (slot + _TWO) & mask
            new[slot] = old[entry]
            new[slot + _ONE] = old[entry + 1]

"""From UTF-8 text to ids: split at white space, find each word in a hash table, count it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from windrow.numeric.jit import DISABLE_JIT, kernel

Bytes = NDArray[np.uint8]

PAD = 8  # bytes of white space that must follow a text

# The same byte eight times.
_ONES = np.uint64(0x0101010101010101)
_SEVEN_BITS = np.uint64(0x7F7F7F7F7F7F7F7F)
_TOP_BITS = np.uint64(0x8080808080808080)
# Added to seven bits, these carry into the top bit from the byte on that is named.
_FROM_21 = np.uint64(0x5F5F5F5F5F5F5F5F)
_FROM_C2 = np.uint64(0x3E3E3E3E3E3E3E3E)
_FROM_C3 = np.uint64(0x3D3D3D3D3D3D3D3D)
_FROM_E1 = np.uint64(0x1F1F1F1F1F1F1F1F)
_FROM_E4 = np.uint64(0x1C1C1C1C1C1C1C1C)

_ZERO, _ONE, _TWO, _ALL = np.uint64(0), np.uint64(1), np.uint64(2), np.uint64(2**64 - 1)
_S29, _S32, _S56 = np.uint64(29), np.uint64(32), np.uint64(56)
_BYTE, _TWO_BYTES, _THREE_BYTES = np.uint64(0xFF), np.uint64(0xFFFF), np.uint64(0xFFFFFF)
_LOW_32 = np.uint64(2**32 - 1)
_NEWLINE, _SPACE = np.uint64(0x0A), np.uint64(0x20)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_LONG = 9  # stands for every length above 8


def eight_at(array: Bytes, at: int) -> Any:
    """Bytes ``at`` to ``at + 7`` as one number, the first one lowest."""
    return array[at : at + 8].view("<u8")[0]


def set_eight(array: Bytes, at: int, eight: Any) -> None:
    """The inverse of ``eight_at``."""
    array[at : at + 8].view("<u8")[0] = eight


def _eight_at(_typing: Any, array: Any, _at: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(_pointer(context, builder, signature.args[0], *arguments), align=1)

    return types.uint64(array, types.intp), generate


def _set_eight(_typing: Any, array: Any, _at: Any, _eight: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[2], _pointer(context, builder, signature.args[0], *arguments[:2]), align=1)
        return context.get_dummy_value()

    return types.void(array, types.intp, types.uint64), generate


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, at: Any) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [at]), ir.IntType(64).as_pointer())


if not DISABLE_JIT:
    globals().update(eight_at=intrinsic(_eight_at), set_eight=intrinsic(_set_eight))


class WordTable(NamedTuple):
    """Words by their bytes: open addressing with linear probing.

    A slot is two numbers: a key, and ``(min(length, 9) << 32) + id + 1``, which is 0 when the slot is empty. The key
    of a word of up to 8 bytes is the word itself; that of a longer one is its hash, and its bytes decide. Word i is
    ``arena[offsets[i] : offsets[i + 1]]``, with a newline at its end.
    """

    slots: NDArray[np.uint64]  # (4 * most words,): every other slot stays empty, so that searches are short
    counts: NDArray[np.int64]  # (most words,)
    offsets: NDArray[np.int64]  # (most words + 1,)
    arena: Bytes


def new_table(most_words: int, arena_bytes: int) -> WordTable:
    """An empty table; ``most_words`` is a power of two."""
    return WordTable(
        np.zeros(4 * most_words, np.uint64),
        np.zeros(most_words, np.int64),
        np.zeros(most_words + 1, np.int64),
        np.empty(arena_bytes, np.uint8),
    )


def enlarged(table: WordTable) -> WordTable:
    """The table with room for twice as many words."""
    larger = new_table(2 * table.counts.size, 0)
    move_slots(table.slots, larger.slots)
    larger.counts[: table.counts.size] = table.counts
    larger.offsets[: table.offsets.size] = table.offsets
    return larger._replace(arena=table.arena)


def with_room(table: WordTable, known: int, text_bytes: int) -> WordTable:
    """The table with room in its arena for every word of a text, should all of them be new."""
    used = int(table.offsets[known])
    needed = used + text_bytes + PAD
    if needed <= table.arena.size:
        return table
    arena = np.empty(max(needed, 2 * table.arena.size), np.uint8)
    arena[:used] = table.arena[:used]
    return table._replace(arena=arena)


@kernel
def possible_spaces(eight: Any) -> Any:
    """The top bit of each byte that is an ASCII control or space, or may begin a longer white space character."""
    low = eight & _SEVEN_BITS
    controls = ~(low + _FROM_21) & ~eight
    leads = ((low + _FROM_C2) & ~(low + _FROM_C3)) | ((low + _FROM_E1) & ~(low + _FROM_E4))
    return (controls | (leads & eight)) & _TOP_BITS


@kernel
def space_width(eight: Any) -> Any:
    """How many bytes the white space character at the start of ``eight`` has, 0 when there is none: str.isspace."""
    byte = eight & _BYTE
    if byte <= _SPACE:
        return 1 if byte >= np.uint64(0x1C) or np.uint64(0x09) <= byte <= np.uint64(0x0D) else 0
    two = eight & _TWO_BYTES
    if two == np.uint64(0x85C2) or two == np.uint64(0xA0C2):  # U+0085, U+00A0
        return 2
    three = eight & _THREE_BYTES
    if np.uint64(0x8080E2) <= three <= np.uint64(0x8A80E2) and two == np.uint64(0x80E2):  # U+2000 to U+200A
        return 3
    if three == np.uint64(0xA880E2) or three == np.uint64(0xA980E2) or three == np.uint64(0xAF80E2):  # 2028, 2029, 202F
        return 3
    if three == np.uint64(0x809AE1) or three == np.uint64(0x9F81E2) or three == np.uint64(0x8080E3):  # 1680, 205F, 3000
        return 3
    return 0


@kernel
def word_end(text: Bytes, start: int) -> Any:
    """The place of the first white space from ``start`` on."""
    at: Any = start
    while True:
        found = possible_spaces(eight_at(text, at))
        if found == _ZERO:
            at += 8
            continue
        lowest = found & (~found + _ONE)
        # Every byte up to the one that was found has its lowest bit set in ``lowest - 1``: count them.
        at += np.int64((((lowest - _ONE) & _ONES) * _ONES) >> _S56) - 1
        if space_width(eight_at(text, at)) != 0:
            return at
        at += 1


@kernel
def first_bytes(eight: Any, length: int) -> Any:
    """``eight`` with all but its first ``length`` bytes zero, 1 <= length <= 8."""
    return eight & (_ALL >> np.uint64(64 - 8 * length))


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
def home_slot(key: Any) -> Any:
    """Where the search for a key begins, before it is cut to the size of the table."""
    key = mixed(_ZERO, key) * _MIX_2
    return key ^ (key >> _S29)


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
def add_word(text: Bytes, start: int, length: int, offsets: NDArray[np.int64], arena: Bytes, word: int) -> None:
    """Append the bytes of a new word to the arena."""
    offset = offsets[word]
    for at in range(0, length, 8):  # up to 7 bytes too many, which the newline and the next word overwrite
        set_eight(arena, offset + at, eight_at(text, start + at))
    arena[offset + length] = 0x0A
    offsets[word + 1] = offset + length + 1


@kernel
def tokenise(
    text: Bytes, start: int, known: int, table: WordTable, ids: NDArray[np.int32], ends: NDArray[np.int64]
) -> Any:
    """Ids of the words from byte ``start`` on, words counted; ``ends``: ids before each newline.

    The text is UTF-8, with PAD spaces at its end; the table holds ``known`` words and has room in its arena for those
    of the text. Returns the byte reached, how many ids and ends were written, and how many words are known now. Stops
    early where ids, ends or the table are full.
    """
    slots, counts, offsets, arena = table.slots, table.counts, table.offsets, table.arena
    size = text.size - PAD
    mask = np.uint64(slots.size - 2)
    at = start
    tokens = lines = 0
    while at < size and tokens < ids.size and lines < ends.size and known < counts.size:
        stop = word_end(text, at)
        length = stop - at
        if length > 0:
            # The search is part of this loop: as a function it would count references to its arrays, word by word.
            is_long = length > 8
            key = long_key(text, at, length) if is_long else first_bytes(eight_at(text, at), length)
            kind = np.uint64(_LONG if is_long else length)
            slot = home_slot(key) & mask
            while slots[slot + _ONE] != _ZERO:
                label = slots[slot + _ONE]
                alike = slots[slot] == key and label >> _S32 == kind
                if alike and (
                    not is_long or same_word(text, at, length, offsets, arena, np.int64(label & _LOW_32) - 1)
                ):
                    break
                slot = (slot + _TWO) & mask
            if slots[slot + _ONE] == _ZERO:
                add_word(text, at, length, offsets, arena, known)
                known += 1
                slots[slot] = key
                slots[slot + _ONE] = (kind << _S32) + np.uint64(known)
            word = np.int64(slots[slot + _ONE] & _LOW_32) - 1
            counts[word] += 1
            ids[tokens] = word
            tokens += 1
        if text[stop] == 0x0A:
            ends[lines] = tokens
            lines += 1
        # A branch that is foreseen, so that the next word need not wait.
        at = stop + 1 if text[stop] <= 0x20 else stop + space_width(eight_at(text, stop))
    return at, tokens, lines, known


@kernel
def move_slots(old: NDArray[np.uint64], new: NDArray[np.uint64]) -> None:
    """Enter the words of a full table into a larger, empty one."""
    mask = np.uint64(new.size - 2)
    for entry in range(0, old.size, 2):
        if old[entry + 1] != _ZERO:
            slot = home_slot(old[entry]) & mask
            while new[slot + _ONE] != _ZERO:
                slot = (slot + _TWO) & mask
            new[slot] = old[entry]
            new[slot + _ONE] = old[entry + 1]

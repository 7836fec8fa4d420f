"""From UTF-8 text to ids: split at white space, find each word in a hash table, count it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.corpus.kernels.eight_bytes import PAD, Bytes, eight_at
from windrow.corpus.kernels.word_hash import WordHash, find_or_enter
from windrow.numeric.jit import kernel

# The same byte eight times.
_ONES = np.uint64(0x0101010101010101)
_SEVEN_BITS = np.uint64(0x7F7F7F7F7F7F7F7F)
_TOP_BITS = np.uint64(0x8080808080808080)
# Added to the low seven bits of a byte, each of these carries into its top bit from the named byte value on.
_FROM_21 = np.uint64(0x5F5F5F5F5F5F5F5F)
_FROM_C2 = np.uint64(0x3E3E3E3E3E3E3E3E)
_FROM_C3 = np.uint64(0x3D3D3D3D3D3D3D3D)
_FROM_E1 = np.uint64(0x1F1F1F1F1F1F1F1F)
_FROM_E4 = np.uint64(0x1C1C1C1C1C1C1C1C)

_ZERO, _ONE = np.uint64(0), np.uint64(1)
_S56 = np.uint64(56)
_BYTE, _TWO_BYTES, _THREE_BYTES = np.uint64(0xFF), np.uint64(0xFFFF), np.uint64(0xFFFFFF)
_NEWLINE, _SPACE = 0x0A, np.uint64(0x20)


@kernel
def possible_spaces(eight: Any) -> Any:
    """The top bit of each byte that is an ASCII control or space, or may begin a longer white space character."""
    low = eight & _SEVEN_BITS
    controls = ~(low + _FROM_21) & ~eight
    leads = ((low + _FROM_C2) & ~(low + _FROM_C3)) | ((low + _FROM_E1) & ~(low + _FROM_E4))
    return (controls | (leads & eight)) & _TOP_BITS


@kernel
def space_width(eight: Any) -> Any:
    """The number of bytes of the white space character (``str.isspace``) at the start of ``eight``, 0 if none is."""
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
    """The position of the first white space from ``start`` on."""
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
def after_space(text: Bytes, at: Any) -> Any:
    """The position after the white space character at ``at``."""
    # Nearly every one is a single byte: a branch that the processor predicts, so that the next word need not wait.
    return at + 1 if text[at] <= _SPACE else at + space_width(eight_at(text, at))


@kernel
def tokenize(
    text: Bytes, start: int, known: int, table: WordHash, ids: NDArray[np.int32], ends: NDArray[np.int64]
) -> Any:
    """Write the ids of the words from byte ``start`` on, and count the words; new words enter the table.

    ``ends`` gets the number of ids before each newline. The text is UTF-8 with PAD spaces at its end; the table holds
    ``known`` words and has room in its arena for those of the text. Stops early when ``ids``, ``ends`` or the table
    is full. Returns the byte reached, the numbers of ids and of ends written, and the number of words known now.
    """
    size = text.size - PAD
    at = start
    tokens = lines = 0
    while at < size and tokens < ids.size and lines < ends.size and known < table.counts.size:
        stop = word_end(text, at)
        length = stop - at
        if length > 0:
            word = find_or_enter(text, at, length, table, known)
            known += word == known
            table.counts[word] += 1
            ids[tokens] = word
            tokens += 1
        if text[stop] == _NEWLINE:
            ends[lines] = tokens
            lines += 1
        at = after_space(text, stop)
    return at, tokens, lines, known

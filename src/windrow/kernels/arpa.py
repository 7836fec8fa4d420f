"""Lines of ARPA files, to numbers and from numbers: ``log10 p <tab> w1 .. wk [<tab> log10 back-off]``."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.kernels._jit import kernel
from windrow.kernels.tokenise import Bytes, WordTable, add_word, eight_at, first_bytes, home_slot, long_key, same_word

MOST_DIGITS = 9  # that a float32 needs, to be told from all others
NUMBER_BYTES = 17  # the longest: -1.23456789e-38, and a separator

# What parse_lines stopped at.
(END_OF_TEXT, END_OF_SECTION, ROWS_FULL, NO_NUMBER, NO_BACKOFF, FEW_WORDS, MANY_WORDS, UNKNOWN_WORD, POSITIVE) = range(
    9
)

_NEWLINE, _SPACE, _BACKSLASH = 0x0A, 0x20, 0x5C
_MINUS, _PLUS, _POINT, _ZERO_DIGIT = 0x2D, 0x2B, 0x2E, 0x30
_EMPTY, _ONE, _TWO = np.uint64(0), np.uint64(1), np.uint64(2)
_S32, _LOW_32 = np.uint64(32), np.uint64(2**32 - 1)
_LONG = 9  # stands for every length above 8, as in ``tokenise``
_MOST_MANTISSA = 10**17


class Rows(NamedTuple):
    """N-grams as they are read."""

    ids: NDArray[np.int32]  # (n, k)
    log10_probs: NDArray[np.float32]
    log10_backoffs: NDArray[np.float32]


# --- words, which any byte but ASCII control and space may be part of


@kernel
def field_end(text: Bytes, at: Any) -> Any:
    """The place of the first ASCII space or control from ``at`` on."""
    while text[at] > _SPACE:
        at += 1
    return at


@kernel
def word_key(text: Bytes, start: int, length: int) -> Any:
    """What stands for a word in the table."""
    return first_bytes(eight_at(text, start), length) if length <= 8 else long_key(text, start, length)


@kernel
def find_slot(text: Bytes, start: int, length: int, key: Any, table: WordTable) -> Any:
    """The slot of a word, or the empty one where it would be."""
    slots = table.slots
    mask, kind = np.uint64(slots.size - 2), np.uint64(min(length, _LONG))
    slot = home_slot(key) & mask
    while slots[slot + _ONE] != _EMPTY:
        label = slots[slot + _ONE]
        if slots[slot] == key and label >> _S32 == kind:
            word = np.int64(label & _LOW_32) - 1
            if length <= 8 or same_word(text, start, length, table.offsets, table.arena, word):
                return slot
        slot = (slot + _TWO) & mask
    return slot


@kernel
def enter_words(words: Bytes, offsets: NDArray[np.int64], table: WordTable) -> int:
    """Number words by their place; the place of the first that is there already, else -1."""
    for word in range(offsets.size - 1):
        start, length = offsets[word], offsets[word + 1] - offsets[word]
        key = word_key(words, start, length)
        slot = find_slot(words, start, length, key, table)
        if table.slots[slot + _ONE] != _EMPTY:
            return word
        add_word(words, start, length, table.offsets, table.arena, word)
        table.slots[slot] = key
        table.slots[slot + _ONE] = (np.uint64(min(length, _LONG)) << _S32) + np.uint64(word + 1)
    return -1


# --- reading


@kernel
def parse_number(text: Bytes, at: Any, stop: Any) -> Any:
    """The number written in ``text[at:stop]``, NaN if none is: digits with a point, and an exponent of ten."""
    negative = text[at] == _MINUS
    if text[at] == _MINUS or text[at] == _PLUS:
        at += 1
    mantissa, exponent, digits, after_point = np.int64(0), 0, 0, False
    while at < stop:
        digit = np.int64(text[at]) - _ZERO_DIGIT
        if 0 <= digit <= 9:
            digits += 1
            if mantissa < _MOST_MANTISSA:
                mantissa = 10 * mantissa + digit
                exponent -= after_point
            else:
                exponent += not after_point
        elif text[at] == _POINT and not after_point:
            after_point = True
        else:
            break
        at += 1
    if digits == 0:
        return np.nan
    if at < stop:
        if (text[at] | 0x20) != 0x65:  # e
            return np.nan
        written, found = parse_exponent(text, at + 1, stop)
        if not found:
            return np.nan
        exponent += written
    value = np.float64(mantissa)
    value = value * 10.0**exponent if exponent >= 0 else value / 10.0**-exponent
    return -value if negative else value


@kernel
def parse_exponent(text: Bytes, at: Any, stop: Any) -> Any:
    """The whole number written in ``text[at:stop]``, at most 999; and whether one is."""
    negative = at < stop and text[at] == _MINUS
    if at < stop and (text[at] == _MINUS or text[at] == _PLUS):
        at += 1
    number, digits = 0, 0
    while at < stop:
        digit = np.int64(text[at]) - _ZERO_DIGIT
        if not 0 <= digit <= 9:
            return 0, False
        number = 10 * number + digit if number < 100 else 999
        digits += 1
        at += 1
    return (-number if negative else number), digits > 0


@kernel
def next_field(text: Bytes, at: Any) -> Any:
    """The place of the next field in this line, or of its end."""
    while text[at] <= _SPACE and text[at] != _NEWLINE:
        at += 1
    return at


@kernel
def parse_lines(text: Bytes, start: int, order: int, table: WordTable, rows: Rows, first_row: int) -> Any:
    """Read n-grams of an order from whole lines, until the text, the section or the room in ``rows`` ends.

    The text ends with a newline and PAD bytes. Returns the byte where the line begins that it stopped at, how many rows
    are full and lines were read, and why it stopped. A missing back-off is 0; probabilities may be as they are.
    """
    at, row, lines, size = np.int64(start), first_row, 0, text.size - 8
    while at < size:
        line = at
        at = next_field(text, at)
        if text[at] == _NEWLINE:
            at += 1
            lines += 1
            continue
        if text[at] == _BACKSLASH:
            return line, row, lines, END_OF_SECTION
        if row == rows.log10_probs.size:
            return line, row, lines, ROWS_FULL
        stop = field_end(text, at)
        prob = parse_number(text, at, stop)
        if np.isnan(prob):
            return line, row, lines, NO_NUMBER
        if prob > 0:
            return line, row, lines, POSITIVE
        at = next_field(text, stop)
        for k in range(order):
            if text[at] == _NEWLINE:
                return line, row, lines, FEW_WORDS
            stop = field_end(text, at)
            slot = find_slot(text, at, stop - at, word_key(text, at, stop - at), table)
            label = table.slots[slot + _ONE]
            if label == _EMPTY:
                return line, row, lines, UNKNOWN_WORD
            rows.ids[row, k] = np.int64(label & _LOW_32) - 1
            at = next_field(text, stop)
        backoff = 0.0
        if text[at] != _NEWLINE:
            stop = field_end(text, at)
            backoff = parse_number(text, at, stop)
            if not np.isfinite(backoff):
                return line, row, lines, NO_BACKOFF
            at = next_field(text, stop)
            if text[at] != _NEWLINE:
                return line, row, lines, MANY_WORDS
        rows.log10_probs[row] = prob
        rows.log10_backoffs[row] = backoff
        row += 1
        at += 1
        lines += 1
    return at, row, lines, END_OF_TEXT


# --- writing


@kernel
def shortest_digits(value: float) -> Any:
    """Digits d and exponent e, so that d * 10**e is the nearest float32 to a positive one, with as few digits as do."""
    exact = np.float64(value)
    exponent = int(np.floor(np.log10(exact))) - MOST_DIGITS + 1
    digits = exact * 10.0**-exponent if exponent <= 0 else exact / 10.0**exponent
    rounded = np.int64(np.round(digits))
    for dropped in range(MOST_DIGITS - 1, -1, -1):
        unit = np.int64(10**dropped)
        shorter = (rounded + unit // 2) // unit
        power = exponent + dropped
        scaled = np.float64(shorter) * 10.0**power if power >= 0 else np.float64(shorter) / 10.0**-power
        if np.float32(scaled) == np.float32(exact):
            return shorter, power
    return rounded, exponent


@kernel
def write_whole(number: int, digits: int, out: Bytes, at: int) -> int:
    """Write a whole number with so many digits; where it ends."""
    for place in range(digits - 1, -1, -1):
        out[at + place] = _ZERO_DIGIT + number % 10
        number //= 10
    return at + digits


@kernel
def write_number(value: Any, out: Bytes, at: int) -> int:
    """Write a finite number, so that reading it gives the same float32; where it ends."""
    if value == 0:
        out[at] = _ZERO_DIGIT
        return at + 1
    if value < 0:
        out[at] = _MINUS
        at += 1
    digits, power = shortest_digits(abs(value))
    while digits % 10 == 0:
        digits //= 10
        power += 1
    length, rest = 0, digits
    while rest > 0:
        length += 1
        rest //= 10
    if power >= 0 and length + power <= MOST_DIGITS:
        return write_whole(digits * np.int64(10**power), length + power, out, at)
    if -MOST_DIGITS - 4 < power < 0:
        unit = np.int64(10**-power)
        whole = digits // unit
        at = write_whole(whole, max(1, length + power), out, at)
        out[at] = _POINT
        return write_whole(digits % unit, -power, out, at + 1)
    at = write_whole(digits, length, out, at)
    out[at] = 0x65  # e
    if power < 0:
        out[at + 1] = _MINUS
        at += 1
    return write_whole(abs(power), 3, out, at + 1)


@kernel
def write_lines(rows: Rows, has_backoffs: bool, words: Bytes, offsets: NDArray[np.int64], out: Bytes) -> int:
    """Write a line for each row; how many bytes. ``out`` must have room: 2 NUMBER_BYTES a line, and its words."""
    at = 0
    for row in range(rows.log10_probs.size):
        at = write_number(rows.log10_probs[row], out, at)
        separator = 0x09
        for k in range(rows.ids.shape[1]):
            word = rows.ids[row, k]
            out[at] = separator
            at += 1
            for i in range(offsets[word], offsets[word + 1]):
                out[at] = words[i]
                at += 1
            separator = _SPACE
        if has_backoffs:
            out[at] = 0x09
            at = write_number(rows.log10_backoffs[row], out, at + 1)
        out[at] = _NEWLINE
        at += 1
    return at

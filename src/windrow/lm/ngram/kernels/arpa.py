"""Parse and write the lines of ARPA files: ``log10 p <tab> w1 .. wk [<tab> log10 back-off]``.

Fields are split at spaces, tabs and carriage returns, as KenLM does: a word may hold other white space.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.corpus.kernels.eight_bytes import PAD, Bytes, eight_at, first_bytes, set_eight
from windrow.corpus.kernels.word_hash import WordHash, find_or_enter, find_word
from windrow.numeric.jit import kernel

LOG10_OF_ZERO = -99.0  # as it is written
ROUNDING = 1e-6  # by which a log10 probability may be above 0
NUMBER_BYTES = 16  # the longest: -0.000123456789
_SURE_DIGITS = 6  # a decimal with this many survives being stored as float32
_MOST_DIGITS = 9  # enough to distinguish any two float32
_MOST_PLACES = 12  # after the point; numbers with more are written with an exponent

# Why the readers stop; the second row: what is wrong with a line.
(FINE, END_OF_TEXT, BLANK_LINE, SECTION, ROWS_FULL, TABLE_FULL) = range(6)
(NO_NUMBER, POSITIVE, FEW_WORDS, UNKNOWN_WORD, NO_BACKOFF) = range(6, 11)

_TAB, _NEWLINE, _RETURN, _SPACE = 0x09, 0x0A, 0x0D, 0x20
_BACKSLASH, _MINUS, _PLUS, _POINT, _ZERO, _E = 0x5C, 0x2D, 0x2B, 0x2E, 0x30, 0x65
_INFINITY = np.uint64(0x666E69)  # inf
_MOST_MANTISSA = 10**17
_MOST_EXPONENT = 999
_MOST_FLOAT = float(np.finfo(np.float32).max)
_EXACT_POWER = 22  # the highest power of ten that a float64 holds exactly
_POWERS = np.array([float(f"1e{power}") for power in range(_EXACT_POWER + 1)])
_UNITS = np.array([10**power for power in range(_MOST_PLACES + 1)])


class Rows(NamedTuple):
    """N-grams of one order."""

    ids: NDArray[np.int32]  # (n, k)
    log10_probs: NDArray[np.float32]  # (n,)
    log10_backoffs: NDArray[np.float32]  # (n,)


# --- fields


@kernel
def is_blank(byte: Any) -> Any:
    """Whether a byte separates fields within a line."""
    return byte in (_SPACE, _TAB, _RETURN)


@kernel
def field_end(text: Bytes, at: Any) -> Any:
    """The position of the first separator or newline from ``at`` on."""
    while text[at] > _SPACE or not (is_blank(text[at]) or text[at] == _NEWLINE):
        at += 1
    return at


@kernel
def next_field(text: Bytes, at: Any) -> Any:
    """The position of the next field in this line, or of its newline."""
    while is_blank(text[at]):
        at += 1
    return at


# --- numbers


@kernel
def decimal(mantissa: Any, exponent: Any) -> Any:
    """``mantissa * 10**exponent``: correctly rounded for a mantissa below 2**53 and exponents from -22 to 22.

    Otherwise the last digits may be wrong.
    """
    value = np.float64(mantissa)
    while exponent > _EXACT_POWER and 0 < value < np.inf:
        value *= _POWERS[_EXACT_POWER]
        exponent -= _EXACT_POWER
    while exponent < -_EXACT_POWER and value > 0:
        value /= _POWERS[_EXACT_POWER]
        exponent += _EXACT_POWER
    if not 0 < value < np.inf:
        return value
    return value * _POWERS[exponent] if exponent >= 0 else value / _POWERS[-exponent]


@kernel
def parse_number(text: Bytes, at: Any, stop: Any) -> Any:
    """The number in ``text[at:stop]``, digits with or without a point and a power of ten, or inf; else NaN."""
    negative = text[at] == _MINUS
    if text[at] == _MINUS or text[at] == _PLUS:
        at += 1
    mantissa, exponent, digits, after_point = np.int64(0), np.int64(0), 0, False
    while at < stop:
        digit = np.int64(text[at]) - _ZERO
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
    value = decimal(mantissa, exponent)
    if digits == 0:
        value = np.inf if stop - at == 3 and first_bytes(eight_at(text, at), 3) == _INFINITY else np.nan
    elif at < stop:
        written, found = parse_exponent(text, at, stop)
        value = decimal(mantissa, exponent + written) if found else np.nan
    return -value if negative else value


@kernel
def parse_exponent(text: Bytes, at: Any, stop: Any) -> Any:
    """The power of ten in ``text[at:stop]``, such as e-12, limited to 999; and whether there is one."""
    if (text[at] | 0x20) != _E:
        return np.int64(0), False
    at += 1
    negative = at < stop and text[at] == _MINUS
    if at < stop and (text[at] == _MINUS or text[at] == _PLUS):
        at += 1
    power: Any = np.int64(0)
    found = False
    while at < stop:
        digit = np.int64(text[at]) - _ZERO
        if not 0 <= digit <= 9:
            return np.int64(0), False
        power = min(10 * power + digit, _MOST_EXPONENT)
        found = True
        at += 1
    return (-power if negative else power), found


@kernel
def shortest_digits(value: Any) -> Any:
    """Digits d, as few as possible, and a power e, so that d * 10**e is read as this positive float32."""
    exact = np.float64(value)
    lead = (
        math.frexp(exact)[1] - 1
    ) * 1233 >> 12  # the power of ten of the first digit, or one less: log10(2) is nearly 1233 / 4096
    if decimal(1, lead + 1) <= exact:
        lead += 1
    power = lead - _MOST_DIGITS + 1
    scaled = exact / decimal(1, power) if power >= 0 else exact * decimal(1, -power)
    for dropped in range(_MOST_DIGITS - _SURE_DIGITS, 0, -1):
        digits = np.int64(scaled / _POWERS[dropped] + 0.5)
        if np.float32(decimal(digits, power + dropped)) == value:
            return digits, power + dropped
    return np.int64(scaled + 0.5), power


@kernel
def write_whole(number: Any, digits: Any, out: Bytes, at: Any) -> Any:
    """Write a whole number with that many digits; returns the position after it."""
    for i in range(at + digits - 1, at - 1, -1):
        rest = number // 10
        out[i] = _ZERO + (number - 10 * rest)
        number = rest
    return at + digits


@kernel
def write_number(value: Any, out: Bytes, at: Any) -> Any:
    """Write a finite float32, so that reading it gives the same number; returns the position after it."""
    if np.signbit(value):
        out[at] = _MINUS
        at += 1
    if value == 0:
        out[at] = _ZERO
        return at + 1
    digits, power = shortest_digits(abs(value))
    while digits % 10 == 0:
        digits //= 10
        power += 1
    length = 1
    while length < _UNITS.size and digits >= _UNITS[length]:
        length += 1
    if power >= 0 and length + power <= _MOST_DIGITS:
        return write_whole(digits * _UNITS[power], length + power, out, at)
    if -_MOST_PLACES <= power < 0:
        unit = _UNITS[-power]
        whole = digits // unit
        at = write_whole(whole, max(1, length + power), out, at)
        out[at] = _POINT
        return write_whole(digits - whole * unit, -power, out, at + 1)
    at = write_whole(digits, length, out, at)
    out[at] = _E
    if power < 0:
        out[at + 1] = _MINUS
        at += 1
    return write_whole(abs(power), 2, out, at + 1)


# --- reading


@kernel
def line_kind(text: Bytes, at: Any) -> Any:
    """What kind of line has its first field at ``at``."""
    if text[at] == _NEWLINE:
        return BLANK_LINE
    return SECTION if text[at] == _BACKSLASH else FINE


@kernel
def parse_prob(text: Bytes, at: Any) -> Any:
    """Parse the log10 probability, the first field: returns the next field, the number and a status."""
    stop = field_end(text, at)
    prob = parse_number(text, at, stop)
    status = NO_NUMBER if np.isnan(prob) else POSITIVE if prob > ROUNDING else FINE
    return next_field(text, stop), 0.0 if prob > 0.0 else prob, status


@kernel
def parse_backoff(text: Bytes, at: Any) -> Any:
    """Parse the log10 back-off after the words, 0 if there is none: returns the next line, the number and a status."""
    if text[at] == _NEWLINE:
        return at + 1, 0.0, FINE
    stop = field_end(text, at)
    backoff = parse_number(text, at, stop)
    at = next_field(text, stop)
    is_fine = backoff <= _MOST_FLOAT and text[at] == _NEWLINE
    return at + 1, backoff, FINE if is_fine else NO_BACKOFF


@kernel
def parse_unigrams(text: Bytes, start: Any, table: WordHash, known: Any, rows: Rows) -> Any:
    """Read 1-grams from whole lines; words that are not yet in the table, which holds ``known``, are entered.

    The text ends with a newline and PAD bytes; the table's arena must be large enough for its words. Returns the byte
    where the line begins at which it stopped, how many rows were read, how many words are known now, and a status.
    """
    at, row = np.int64(start), 0
    while at < text.size - PAD:
        line, at = at, next_field(text, at)
        status = line_kind(text, at)
        if status == FINE and row == rows.log10_probs.size:
            status = ROWS_FULL
        if status == FINE and known == table.counts.size:
            status = TABLE_FULL
        if status != FINE:
            return line, row, known, status
        at, prob, status = parse_prob(text, at)
        if status == FINE and text[at] == _NEWLINE:
            status = FEW_WORDS
        if status != FINE:
            return line, row, known, status
        start_of_word, stop = at, field_end(text, at)
        at, backoff, status = parse_backoff(text, next_field(text, stop))
        if status != FINE:
            return line, row, known, status
        word = find_or_enter(text, start_of_word, stop - start_of_word, table, known)
        known += word == known
        rows.ids[row, 0] = word
        rows.log10_probs[row], rows.log10_backoffs[row] = prob, backoff
        row += 1
    return at, row, known, END_OF_TEXT


@kernel
def parse_words(text: Bytes, at: Any, table: WordHash, ids: NDArray[np.int32], row: Any) -> Any:
    """Look up as many words as ``ids`` has columns; returns the field after them, and a status."""
    for k in range(ids.shape[1]):
        if text[at] == _NEWLINE:
            return at, FEW_WORDS
        stop = field_end(text, at)
        word = find_word(text, at, stop - at, table)
        if word < 0:
            return at, UNKNOWN_WORD
        ids[row, k] = word
        at = next_field(text, stop)
    return at, FINE


@kernel
def parse_lines(text: Bytes, start: Any, table: WordHash, rows: Rows) -> Any:
    """As ``parse_unigrams``, for n-grams of an order above the first; all words must be in the table."""
    at, row = np.int64(start), 0
    while at < text.size - PAD:
        line, at = at, next_field(text, at)
        status = line_kind(text, at)
        if status == FINE and row == rows.log10_probs.size:
            status = ROWS_FULL
        if status != FINE:
            return line, row, status
        at, prob, status = parse_prob(text, at)
        if status == FINE:
            at, status = parse_words(text, at, table, rows.ids, row)
        backoff = 0.0
        if status == FINE:
            at, backoff, status = parse_backoff(text, at)
        if status != FINE:
            return line, row, status
        rows.log10_probs[row], rows.log10_backoffs[row] = prob, backoff
        row += 1
    return at, row, END_OF_TEXT


# --- writing


@kernel
def write_lines(rows: Rows, has_backoffs: bool, words: Bytes, offsets: NDArray[np.int64], out: Bytes) -> Any:
    """Write one line per row; returns how many bytes. Word i is ``words[offsets[i] : offsets[i + 1]]``.

    PAD bytes follow the last word. ``out`` must hold, for each row, two numbers, the words and one separator per field,
    and PAD bytes at the end.
    """
    at = np.int64(0)
    for row in range(rows.log10_probs.size):
        at = write_number(rows.log10_probs[row], out, at)
        separator = _TAB
        for k in range(rows.ids.shape[1]):
            out[at] = separator
            at += 1
            word = rows.ids[row, k]
            start, length = offsets[word], offsets[word + 1] - offsets[word]
            for i in range(0, length, 8):  # up to 7 bytes too many, to be overwritten
                set_eight(out, at + i, eight_at(words, start + i))
            at += length
            separator = _SPACE
        if has_backoffs:
            out[at] = _TAB
            at = write_number(rows.log10_backoffs[row], out, at + 1)
        out[at] = _NEWLINE
        at += 1
    return at

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from windrow.corpus.kernels.eight_bytes import PAD
from windrow.corpus.kernels.word_hash import for_more_text, new_word_hash
from windrow.lm.ngram.kernels import arpa as kernels
from windrow.lm.ngram.kernels.arpa import Rows

floats = st.floats(width=32, allow_nan=False, allow_infinity=False)
BIGGEST, SMALLEST = float(np.finfo(np.float32).max), float(np.finfo(np.float32).smallest_subnormal)
# Read through double precision, the shortest text of this one is its neighbor's.
MISREAD = 7.038531e-26


def padded(text: str) -> np.ndarray:
    return np.frombuffer(text.encode() + bytes(PAD), np.uint8)


def parsed(field: str) -> float:
    return kernels.parse_number(padded(field + "\n"), 0, len(field.encode()))


def written(value: float) -> str:
    out = np.full(kernels.NUMBER_BYTES, 0x3F, np.uint8)  # nothing may be written behind the longest
    stop = kernels.write_number(np.float32(value), out, 0)
    assert (out[stop:] == 0x3F).all()
    return out[:stop].tobytes().decode()


def assert_same_bits(first: np.float32, second: np.float32) -> None:
    assert first.dtype == second.dtype == np.float32
    assert first.view(np.uint32) == second.view(np.uint32)


@settings(max_examples=500, deadline=None)
@given(floats)
@example(0.0)
@example(-0.0)
@example(-99.0)
@example(np.float32(1e-10).item())
@example(BIGGEST)
@example(-BIGGEST)
@example(SMALLEST)
@example(np.float32(MISREAD).item())
@example(np.float32(9.999999e-5).item())
def test_every_number_survives(value):
    text = written(value)

    assert_same_bits(np.float32(parsed(text)), np.float32(value))
    assert_same_bits(np.float32(float(text)), np.float32(value))


@pytest.mark.parametrize("sign", [1, -1])
def test_numbers_round_every_power_of_two_survive(sign):
    powers = sign * np.float32(2.0) ** np.arange(-149, 128, dtype=np.float32)
    around = [np.nextafter(powers, np.float32(0)), powers, np.nextafter(powers, np.float32(sign * BIGGEST))]

    for value in np.concatenate(around):
        assert_same_bits(np.float32(parsed(written(value))), value)


@settings(max_examples=300, deadline=None)
@given(st.floats(-99, 99, width=32, allow_subnormal=False).filter(lambda value: abs(value) > 1e-20))
@example(np.float32(10.284534).item())  # to 9 digits 10.2845345
def test_as_few_digits_as_numpy_writes(value):
    def digits(text: str) -> int:
        return len(text.partition("e")[0].replace(".", "").strip("-0"))

    assert digits(written(value)) == digits(np.format_float_scientific(np.float32(value)))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-2.5, "-2.5"),
        (-0.0, "-0"),
        (-99, "-99"),
        (-120000, "-120000"),
        (-1 / 1024, "-0.0009765625"),
        (1.5e-20, "15e-21"),
        (2.0**100, "12676506e23"),
    ],
)
def test_how_numbers_look(value, text):
    assert written(value) == text


@settings(max_examples=500, deadline=None)
@given(st.from_regex(r"[+-]?([0-9]{1,25}\.?[0-9]{0,25}|\.[0-9]{1,25})([eE][+-]?[0-9]{1,4})?", fullmatch=True))
@example("1e9999")
@example("-1e-9999")
@example("0e999")
@example("0.00000000000000000000000000000000000000000000000001e50")
@example("100000000000000000000000000000000000000000000000000e-50")
@example(".5")
@example("5.")
def test_numbers_are_pythons_to_a_unit_in_the_last_place(text):
    with np.errstate(over="ignore"):
        found, expected = np.float32(parsed(text)), np.float32(float(text))

    assert np.signbit(found) == np.signbit(expected)
    assert found == expected or abs(found - expected) <= np.spacing(abs(expected))


@pytest.mark.parametrize("text", ["inf", "+inf", "-inf"])
def test_infinities(text):
    assert parsed(text) == float(text)


@pytest.mark.parametrize(
    "text",
    [
        "-",
        "+",
        ".",
        "-.",
        "e5",
        "1e",
        "1e+",
        "1e5.0",
        "1.2.3",
        "1_0",
        "nan",
        "0x1",
        "1,5",
        "--1",
        "infinity",
        "in",
        "\u0661",
    ],
)
def test_what_is_no_number(text):
    assert np.isnan(parsed(text))


def unigrams(lines: str, room: int, most_words: int) -> tuple[int, ...]:
    text = padded(lines)
    rows = Rows(np.empty((room, 1), np.int32), np.empty(room, np.float32), np.empty(room, np.float32))
    table = for_more_text(new_word_hash(most_words, 0), 0, text.size)
    return kernels.parse_unigrams(text, 0, table, 0, rows)


@pytest.mark.parametrize(
    ("lines", "room", "most_words", "expected"),
    [
        ("-1 a\n-2 b -3\n", 2, 2, (13, 2, 2, kernels.END_OF_TEXT)),
        ("-1 a\n-2 b -3\n", 1, 2, (5, 1, 1, kernels.ROWS_FULL)),
        ("-1 a\n-2 b -3\n", 2, 1, (5, 1, 1, kernels.TABLE_FULL)),
        ("-1 a\n \t\r\n-2 b\n", 2, 2, (5, 1, 1, kernels.BLANK_LINE)),
        ("-1 a\n \\end\\\n", 2, 2, (5, 1, 1, kernels.SECTION)),
        ("-1 a\n-1 a\n", 2, 2, (10, 2, 1, kernels.END_OF_TEXT)),
    ],
)
def test_where_the_reader_of_unigrams_stops(lines, room, most_words, expected):
    assert unigrams(lines, room, most_words) == expected

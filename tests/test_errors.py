"""Messages that a person can act on."""

from __future__ import annotations

import math
import pickle

import pytest

import windrow
from windrow.errors import (
    DataError,
    MissingPackageError,
    MissingWordError,
    OptionError,
    WindrowError,
    check_callable,
    check_range,
)


@pytest.mark.parametrize(
    ("value", "bounds", "interval"),
    [
        (0, {"low": 1}, r"\[1, inf\)"),
        (5, {"low": 1, "high": 4}, r"\[1, 4\]"),
        (0, {"low": 0, "high": 1, "low_open": True}, r"\(0, 1\]"),
        (1, {"low": 0, "high": 1, "high_open": True}, r"\[0, 1\)"),
        (math.nan, {"low": 0}, r"\[0, inf\)"),
    ],
)
def test_a_range_is_named_with_the_value(value: float, bounds: dict[str, float], interval: str) -> None:
    with pytest.raises(OptionError, match=rf"^rate = {value} is out of range; the allowed range is {interval}$"):
        check_range("rate", value, **bounds)


def test_ends_that_belong_to_the_range() -> None:
    check_range("rate", 1, 1, 4)
    check_range("rate", 4, 1, 4)


def test_a_missing_word_is_told_with_near_spellings() -> None:
    error = MissingWordError("qeen", ["king", "queen", "window"])
    assert str(error) == "the word 'qeen' is not in the vocabulary; did you mean 'queen'?"
    assert isinstance(error, KeyError)
    assert isinstance(error, WindrowError)
    assert str(MissingWordError("zzz", ["king"])) == "the word 'zzz' is not in the vocabulary"
    assert pickle.loads(pickle.dumps(error)).word == "qeen"


FORM = "; the same letters are there in another Unicode form, "


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        ("THE", ["a", "thee", "the", "The"], "; did you mean 'the', 'The'?"),
        ("straße", ["STRASSE"], "; did you mean 'STRASSE'?"),
        ("caf\xe9", ["cafe", "cafe\u0301"], FORM + r"NFD: 'cafe\u0301', not 'caf\xe9'"),
        ("cafe\u0301", ["cafe", "caf\xe9"], FORM + r"NFC: 'caf\xe9', not 'cafe\u0301'"),
        ("\ufb01sh", ["fish"], FORM + r"NFKC: 'fish', not '\ufb01sh'"),
        ("CAFE\u0301", ["caf\xe9"], "; did you mean 'caf\xe9'?"),
    ],
)
def test_a_missing_word_that_differs_in_case_or_unicode_form(word: str, known: list[str], hint: str) -> None:
    assert str(MissingWordError(word, known)) == f"the word {word!r} is not in the vocabulary{hint}"
    rare = [f"w{i}" for i in range(30_000)]
    assert str(MissingWordError(word, [*rare, *known])).endswith(hint)  # wherever it stands


def test_what_is_no_number_is_in_no_range() -> None:
    for value in ("3", None, [1], True):
        with pytest.raises(OptionError, match="must be a number"):
            check_range("rate", value, 0)  # type: ignore[arg-type]


def test_what_cannot_be_called_is_no_callback() -> None:
    check_callable("progress", print)
    check_callable("progress", None)
    for ask in (lambda: check_callable("progress", "bar"), lambda: windrow.Corpus.build(["a b"], progress="bar")):
        with pytest.raises(OptionError, match=r"^progress = 'bar' must be a function"):
            ask()


def test_errors_are_reached_from_the_package() -> None:
    assert windrow.WindrowError is windrow.errors.WindrowError


def test_what_a_file_or_a_column_is_called_adds_no_line() -> None:
    error = DataError("no column 'text' in a\nb.csv; there is: id\t\x1b[31mred\r\u2028, naïve 東京")
    assert str(error) == "no column 'text' in a\\nb.csv; there is: id\t\\x1b[31mred\\r\\u2028, naïve 東京"
    assert str(OptionError("fine")) == "fine"


@pytest.mark.parametrize(
    "error",
    [
        MissingPackageError("reading .zst needs backports.zstd", "zst"),
        MissingWordError("qeen", ["queen"]),
        DataError("a.txt: byte 0xff"),
        OptionError("rate = 2"),
    ],
)
def test_errors_go_from_process_to_process(error: WindrowError) -> None:
    """Whatever their constructors take."""
    there = pickle.loads(pickle.dumps(error))

    assert type(there) is type(error)
    assert (str(there), vars(there)) == (str(error), vars(error))

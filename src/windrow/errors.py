"""Errors that a user can act on: each message says what is wrong, where, and what to try."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from itertools import islice
from numbers import Integral
from typing import SupportsFloat

_SUGGEST_FROM = 20_000  # words


class WindrowError(Exception):
    """Base of every error that windrow raises on purpose; its text is one line meant for a person."""


class DataError(WindrowError):
    """A text, corpus or question file that cannot be used as it is."""


class FormatError(DataError):
    """A vector, model or corpus file that is malformed, truncated or of another kind."""


class OptionError(WindrowError, ValueError):
    """An option outside its range; the message names the option and the range."""


class NotFittedError(WindrowError, AttributeError):
    """A model was asked for what only training gives it."""


class MissingWordError(WindrowError, KeyError):
    """A word that the vocabulary does not hold; the message suggests near spellings."""

    def __init__(self, word: str, known_words: Iterable[str] = ()) -> None:
        super().__init__(word)
        self.word = word
        self._known_words = known_words

    def __str__(self) -> str:
        # The search is slow: it is made when the error is shown, among frequent words of about the same spelling.
        similar = filter(self._looks_alike, islice(self._known_words, _SUGGEST_FROM))
        near = difflib.get_close_matches(self.word, list(similar), n=3)
        hint = f"; did you mean {', '.join(map(repr, near))}?" if near else ""
        return f"the word {self.word!r} is not in the vocabulary{hint}"

    def _looks_alike(self, known: str) -> bool:
        """About as long, and with one end the same."""
        word = self.word
        return abs(len(known) - len(word)) <= 2 and (known[:1].lower() == word[:1].lower() or known[-1:] == word[-1:])


def check_range(
    name: str,
    value: float,
    low: float,
    high: float = float("inf"),
    *,
    low_open: bool = False,
    high_open: bool = False,
) -> None:
    """Raise OptionError unless ``low <= value <= high`` (strict at an end that is open; NaN never passes)."""
    if isinstance(value, bool | str) or not isinstance(value, SupportsFloat):
        raise OptionError(f"{name} = {value!r} must be a number")
    above = value > low if low_open else value >= low
    below = value < high if high_open else value <= high
    if not (above and below):
        first, last = (str(end) if isinstance(end, int) else f"{end:g}" for end in (low, high))
        left, right = "(" if low_open else "[", ")" if high_open or high == float("inf") else "]"
        interval = f"{left}{first}, {last}{right}"
        raise OptionError(f"{name} = {value!r} is out of range; the allowed range is {interval}")


def check_whole(name: str, value: object) -> int:
    """A whole number as an int; OptionError for anything else."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise OptionError(f"{name} = {value!r} must be a whole number")
    return int(value)

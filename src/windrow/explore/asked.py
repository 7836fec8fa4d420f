"""What the page asks: fields of a JSON object, each checked before a model sees it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from windrow.errors import DataError, OptionError, check_range, check_whole

LONGEST_WORD = 1_000  # characters
LONGEST_TEXT = 20_000  # characters, some 3,000 words: every kind of model answers in moments
_LABELS = {"top": "most frequent words", "count": "texts"}  # of fields that the page calls otherwise


class Asked:
    """The fields of a question; each method gives one, or raises a WindrowError that the page shows."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self._fields = fields

    @classmethod
    def from_json(cls, body: bytes) -> Asked:
        """The fields in the body of a request; DataError for anything but a JSON object."""
        try:
            fields = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise DataError("the request is no JSON") from error
        if not isinstance(fields, dict):
            raise DataError("the request must be a JSON object")
        return cls(fields)

    def word(self, name: str) -> str:
        """A word, or several with spaces between them: never empty."""
        return self._text(name, LONGEST_WORD, "type a word first")

    def text(self, name: str, empty: str | None = None) -> str:
        """A text; ``empty`` is what to say if there is none, None where that is allowed."""
        return self._text(name, LONGEST_TEXT, empty)

    def _text(self, name: str, longest: int, empty: str | None) -> str:
        value = self._fields.get(name, "")
        if not isinstance(value, str):
            raise OptionError(f"{name} must be text, not {type(value).__name__}")
        if len(value) > longest:
            raise OptionError(f"at most {longest:,} characters can be asked here, got {len(value):,}; shorten the text")
        if not value.isascii():
            value = value.encode("utf-8", "replace").decode()  # half of a surrogate pair is no character
        if not value.strip() and empty is not None:
            raise OptionError(empty)
        return value.strip()

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``."""
        return check_whole(_told(name), self._fields.get(name, default), low, high)

    def number(self, name: str, default: float, low: float, high: float) -> float:
        """A number from ``low`` to ``high``."""
        value = self._fields.get(name, default)
        check_range(_told(name), value, low, high)
        return float(value)

    def yes_or_no(self, name: str) -> bool:
        """Whether a box is checked; without the field, it is not."""
        value = self._fields.get(name, False)
        if not isinstance(value, bool):
            raise OptionError(f"{_told(name)} must be true or false, not {type(value).__name__}")
        return value

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """One of some names; without one the first."""
        value = self._fields.get(name, choices[0])
        if value not in choices:
            raise OptionError(f"{name} must be one of {', '.join(choices)}")
        return str(value)


def _told(name: str) -> str:
    """A field as the page calls it."""
    return _LABELS.get(name, name.replace("_", " "))


Answer = Callable[[Asked], dict[str, Any]]
Answers = dict[str, Answer]  # by the question

"""What the notebooks check answers to their exercises with."""

from __future__ import annotations

import reprlib
from collections.abc import Callable
from typing import Any

import numpy as np


def check(answer: Callable[..., Any], *cases: tuple[tuple[Any, ...], Any]) -> None:
    """Print in one line whether a function returns what it should: "right", or "not yet" and the first difference.

    Each case is the arguments, as a tuple, and the value to return. Numbers may differ by 1e-6 of their size.
    """
    for arguments, expected in cases:
        call = f"{answer.__name__}({', '.join(map(reprlib.repr, arguments))})"
        try:
            found = answer(*arguments)
        except Exception as error:  # whatever a student's first try raises
            print(f"not yet: {call} raises {type(error).__name__}: {error}")
            return
        if not _same(found, expected):
            print(f"not yet: {call} returns {_plain(found)}, and should return {_plain(expected)}")
            return
    print(f"right: {answer.__name__}")


def _same(found: Any, expected: Any) -> bool:
    """Whether two values are equal; numbers, also in lists and arrays, nearly."""
    if found is None or isinstance(expected, str):
        return bool(found == expected)
    try:
        one, two = np.asarray(found, float), np.asarray(expected, float)
    except (TypeError, ValueError):
        return bool(found == expected)
    return one.shape == two.shape and np.allclose(one, two, rtol=1e-6, atol=1e-9)


def _plain(value: Any) -> str:
    """A value in a few words, without the types of NumPy."""
    return reprlib.repr(np.round(value, 6).tolist() if isinstance(value, float | np.ndarray | np.generic) else value)

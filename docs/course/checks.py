"""What the notebooks check answers to their exercises with."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy as np


def check(answer: Callable[..., Any], *cases: tuple[tuple[Any, ...], Any]) -> None:
    """Print in one line whether a function returns what it should: "right", or "not yet" and the first difference.

    Each case is the arguments, as a tuple, and the value to return. Numbers may differ by a ten-thousandth, since
    models store theirs in single precision; arrays, lists and tuples are alike.
    """
    for arguments, expected in cases:
        call = f"{answer.__name__}({', '.join(map(_shown, arguments))})"
        try:
            found = answer(*arguments)
        except Exception as error:  # whatever a student's first try raises
            print(f"not yet: {call} raises {type(error).__name__}: {error}")
            return
        if not _same(_plain(found), _plain(expected)):
            print(f"not yet: {call} returns {_shown(found)}, and should return {_shown(expected)}")
            return
    print(f"right: {answer.__name__}")


def _plain(value: Any) -> Any:
    """A value with lists in place of arrays and tuples, and Python's own numbers."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    return list(map(_plain, value)) if isinstance(value, list | tuple) else value


def _same(found: Any, expected: Any) -> bool:
    if isinstance(found, list) and isinstance(expected, list):
        return len(found) == len(expected) and all(map(_same, found, expected))
    if isinstance(found, Real) and isinstance(expected, Real):
        return math.isclose(found, expected, rel_tol=1e-4, abs_tol=1e-9)
    return bool(found == expected)


def _shown(value: Any) -> str:
    """A value in a few words."""
    return str(value.__name__) if callable(value) else reprlib.repr(_rounded(_plain(value)))


def _rounded(value: Any) -> Any:
    if isinstance(value, list):
        return list(map(_rounded, value))
    return round(value, 6) if isinstance(value, float) else value

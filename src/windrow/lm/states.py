"""States of several texts that go on at once, as in beam search."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, overload

import numpy as np

from windrow.errors import OptionError


class States(Sequence[Any]):
    """Several states of a language model, taken by whatever NumPy takes as an index.

    Parameters
    ----------
    states : iterable of State
        What ``start``, ``advance`` or ``score_next`` of one model gave.

    Examples
    --------
    An index gives a state; what else NumPy takes as an index gives states, in any order and as often as wanted.

    >>> from windrow.lm.states import States
    >>> states = States(["state A", "state B"])
    >>> states[1], list(states[[1, 1, 0]])
    ('state B', ['state B', 'state B', 'state A'])
    """

    def __init__(self, states: Iterable[Any]) -> None:
        self._states = list(states)

    def __len__(self) -> int:
        return len(self._states)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: Any) -> States: ...
    def __getitem__(self, index: Any) -> Any:
        places = np.arange(len(self))[index]
        if places.ndim == 0:
            return self._states[places]
        return States(self._states[place] for place in places.tolist())

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._states == other._states

    __hash__ = None  # type: ignore[assignment]  # as lists have none

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} states)"


def check_lengths(states: Any, words: Any) -> None:
    """Raise OptionError unless there are several words, as many as there are states."""
    if isinstance(words, str) or not hasattr(words, "__len__"):
        raise OptionError(f"a word for each state is needed: several words or ids, not {str(words)[:40]!r}")
    if not hasattr(states, "__len__"):
        raise OptionError("several states are needed; give one as [state]")
    if len(states) != len(words):
        raise OptionError(f"each state needs a word: there are {len(states)} states and {len(words)} words")

"""What an n-gram model remembers of the words so far, as whole numbers; ``kernels.steps`` says which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from windrow.lm.next_word import check_state


class NGramState(bytes):
    """The cells of a state. States with equal ones are equal."""

    __slots__ = ()

    @property
    def cells(self) -> NDArray[np.int64]:
        """As whole numbers, read-only; an array of them makes a state again."""
        return np.frombuffer(self, np.int64)

    def __repr__(self) -> str:
        return f"NGramState({self.cells.tolist()})"


class NGramStates(Sequence[NGramState]):
    """Several states as rows of one array.

    Parameters
    ----------
    cells : array of int64, shape (states, cells of a state)
        Those of the states.

    Examples
    --------
    An index gives a state; what else NumPy takes as an index gives states, in any order and as often as wanted.

    >>> from windrow import NGramLM
    >>> model = NGramLM(2, "witten-bell").fit(["the cat sat", "the cat ran off"])
    >>> scores, states = model.score_next_batch([model.start()] * 2, ["the", "cat"])
    >>> states[0] == model.start(model.encode("the"))
    True
    >>> len(states[[1, 1, 0]])
    3
    """

    __slots__ = ("cells",)

    def __init__(self, cells: NDArray[np.int64]) -> None:
        self.cells = cells

    @classmethod
    def of(cls, states: Sequence[NGramState]) -> NGramStates:
        """States one by one as an array; OptionError for what is no state of an n-gram model."""
        if isinstance(states, cls):
            return states
        check_state({*map(type, states)} <= {NGramState} and len({*map(len, states)}) <= 1)
        cells = np.frombuffer(b"".join(states), np.int64)
        return cls(cells.reshape(len(states), -1) if len(states) else np.empty((0, 1), np.int64))

    def __len__(self) -> int:
        return len(self.cells)

    @overload
    def __getitem__(self, index: int) -> NGramState: ...
    @overload
    def __getitem__(self, index: Any) -> NGramStates: ...
    def __getitem__(self, index: Any) -> NGramState | NGramStates:
        found = self.cells[index]
        return NGramStates(found) if found.ndim == 2 else NGramState(found)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NGramStates) and np.array_equal(self.cells, other.cells)

    __hash__ = None  # type: ignore[assignment]  # as lists have none

    def __repr__(self) -> str:
        return f"NGramStates({len(self)} states)"

"""Recurrent cells: what a step does with the sums of its gates. A class and a row of ``CELLS`` each.

A cell works on one step of a batch and element by element; the matrix products, which all cells share, are in
recurrent_layer.py. What a step needs to go back again it leaves in the arrays that ``Steps`` holds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike

from windrow.kernels import recurrent as kernels
from windrow.nn.parameters import Array, Parameter


class Steps:
    """The arrays of ``steps`` steps in a row: gates, hidden states, and what a cell keeps besides.

    ``sums`` (steps, batch, gates * hidden); ``states`` (steps + 1, states, batch, hidden): before the first step, and
    after each, the hidden state first; ``previous`` (steps, states, batch, hidden): the states that a step started
    from, zero where it began anew. ``products`` (steps, batch, gates * hidden): what the hidden state gave the sums.
    """

    def __init__(self, cell: Cell, steps: int, batch: int, width: int, dtype: DTypeLike) -> None:
        self.sums = np.empty((steps, batch, cell.gates * width), dtype)
        self.products = np.empty_like(self.sums)
        self.states = np.zeros((steps + 1, cell.states, batch, width), dtype)
        self.previous = np.empty((steps, cell.states, batch, width), dtype)
        self.kept = np.empty((steps, batch, width), dtype) if cell.keeps else np.empty((steps, 0, 0), dtype)


class Cell(Protocol):
    """What a cell offers. ``gates`` sums of ``hidden`` numbers go into a step, ``states`` arrays come out."""

    gates: int
    states: int
    keeps: bool  # whether ``Steps.kept`` is needed
    splits_products: bool  # whether the gradients of products and sums differ

    def extra_parameters(self, width: int, dtype: DTypeLike) -> dict[str, Parameter]:
        """Parameters besides the weights and biases of the sums."""
        ...

    def forward(self, steps: Steps, step: int, extra: dict[str, Parameter]) -> None:
        """From sums, products and previous states to the states after the step."""
        ...

    def backward(self, steps: Steps, step: int, d_states: Array, extra: dict[str, Parameter]) -> None:
        """The gates become the gradients of their sums (and products those of the products, if they differ).

        ``d_states`` (states, batch, hidden): the gradient by the states after the step, then what of it goes to the
        states before other than through the products.
        """
        ...


class Elman:
    """h = f(W x + U h' + b) (Elman 1990), f one of tanh, the logistic function, and max(0, x)."""

    gates, states, keeps, splits_products = 1, 1, False, False

    def __init__(self, forward: Callable[..., None], backward: Callable[..., None]) -> None:
        self._forward, self._backward = forward, backward

    def extra_parameters(self, width: int, dtype: DTypeLike) -> dict[str, Parameter]:  # noqa: D102
        return {}

    def forward(self, steps: Steps, step: int, extra: dict[str, Parameter]) -> None:  # noqa: D102
        self._forward(steps.sums[step].ravel(), steps.products[step].ravel(), steps.states[step + 1, 0].ravel())

    def backward(self, steps: Steps, step: int, d_states: Array, extra: dict[str, Parameter]) -> None:  # noqa: D102
        self._backward(steps.sums[step].ravel(), d_states[0].ravel())
        d_states[0] = 0


class LSTM:
    """Long short-term memory with a forget gate, no peepholes (Hochreiter & Schmidhuber 1997; Gers et al. 2000)."""

    gates, states, keeps, splits_products = 4, 2, True, False

    def extra_parameters(self, width: int, dtype: DTypeLike) -> dict[str, Parameter]:  # noqa: D102
        return {}

    def forward(self, steps: Steps, step: int, extra: dict[str, Parameter]) -> None:  # noqa: D102
        hidden, cell = steps.states[step + 1]
        kernels.lstm_forward(
            steps.sums[step].ravel(),
            steps.products[step].ravel(),
            hidden.shape[1],
            steps.previous[step, 1].ravel(),
            cell.ravel(),
            steps.kept[step].ravel(),
            hidden.ravel(),
        )

    def backward(self, steps: Steps, step: int, d_states: Array, extra: dict[str, Parameter]) -> None:  # noqa: D102
        d_hidden, d_cell = d_states
        kernels.lstm_backward(
            steps.sums[step].ravel(),
            d_hidden.shape[1],
            steps.previous[step, 1].ravel(),
            steps.kept[step].ravel(),
            d_hidden.ravel(),
            d_cell.ravel(),
        )
        d_hidden[:] = 0


class GRU:
    """The gated recurrent unit (Cho et al. 2014), the reset gate after the product, as cuDNN and PyTorch have it."""

    gates, states, keeps, splits_products = 3, 1, False, True

    def __init__(self) -> None:
        self._zeros = np.zeros(0)

    def extra_parameters(self, width: int, dtype: DTypeLike) -> dict[str, Parameter]:  # noqa: D102
        return {"candidate_biases": Parameter(np.zeros(width, dtype))}

    def forward(self, steps: Steps, step: int, extra: dict[str, Parameter]) -> None:  # noqa: D102
        sums = steps.sums[step].ravel()
        if self._zeros.size < sums.size or self._zeros.dtype != sums.dtype:
            self._zeros = np.zeros_like(sums)
        hidden = steps.states[step + 1, 0]
        kernels.gru_forward(
            sums,
            steps.products[step].ravel(),
            hidden.shape[1],
            extra["candidate_biases"].value,
            steps.previous[step, 0].ravel(),
            self._zeros,
            hidden.ravel(),
        )

    def backward(self, steps: Steps, step: int, d_states: Array, extra: dict[str, Parameter]) -> None:  # noqa: D102
        width = d_states.shape[2]
        products = steps.products[step]
        previous = steps.previous[step, 0].ravel()
        kernels.gru_backward(steps.sums[step].ravel(), products.ravel(), width, previous, d_states[0].ravel())
        extra["candidate_biases"].add(products[:, 2 * width :].sum(axis=0))


def _elman(name: str) -> Callable[[], Any]:
    return lambda: Elman(getattr(kernels, f"{name}_forward"), getattr(kernels, f"{name}_backward"))


CELLS: dict[str, Callable[[], Any]] = {
    "elman": _elman("tanh"),
    "elman-sigmoid": _elman("logistic"),
    "elman-relu": _elman("relu"),
    "gru": GRU,
    "lstm": LSTM,
}

"""Recurrent cells: a row of ``CELLS`` each, and what ``kernels.py`` needs to know of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from windrow.nn.recurrent import kernels
from windrow.nn.recurrent.kernels import Gradients, Multiplier, Steps


@dataclass(frozen=True)
class Cell:
    """``gates`` sums of ``hidden`` numbers go into a step, ``states`` arrays come out, the hidden state first.

    ``forward`` and ``backward`` run all steps; ``squashes``: whether ``Steps.squashed`` is needed; ``splits_products``:
    whether the gradients of products and sums differ; ``extra``: the name of a parameter (hidden,) besides weights and
    biases, and the gate to whose products it is added.
    """

    forward: Callable[[Steps, NDArray[np.bool_], Multiplier], None]
    backward: Callable[[Steps, Gradients, Multiplier], None]
    gates: int = 1
    states: int = 1
    squashes: bool = False
    splits_products: bool = False
    extra: tuple[str, int] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return _cell, (next(name for name, cell in CELLS.items() if cell is self),)  # by name: kernels stay here

    def new_steps(self, steps: int, batch: int, width: int, dtype: DTypeLike) -> Steps:
        """Arrays for a number of steps; ``extra`` is still empty."""
        sums = np.empty((steps, batch, self.gates * width), dtype)
        return Steps(
            sums,
            np.empty_like(sums),
            np.zeros((steps + 1, self.states, batch, width), dtype),
            np.empty((steps, self.states, batch, width), dtype),
            np.empty((steps, batch if self.squashes else 0, width), dtype),
            np.empty(0, dtype),
            np.zeros(sums[0].size, dtype),
        )


# Elman 1990: h = f(W x + U h' + b). LSTM: with a forget gate, no peepholes (Hochreiter & Schmidhuber 1997; Gers et al.
# 2000). GRU: Cho et al. 2014, the reset gate after the product, as cuDNN and PyTorch have it.
CELLS = {
    "elman": Cell(kernels.tanh_run_forward, kernels.tanh_run_backward),
    "elman-sigmoid": Cell(kernels.logistic_run_forward, kernels.logistic_run_backward),
    "elman-relu": Cell(kernels.relu_run_forward, kernels.relu_run_backward),
    "gru": Cell(
        kernels.gru_run_forward, kernels.gru_run_backward, gates=3, splits_products=True, extra=("candidate_biases", 2)
    ),
    "lstm": Cell(kernels.lstm_run_forward, kernels.lstm_run_backward, gates=4, states=2, squashes=True),
}


def _cell(name: str) -> Cell:
    return CELLS[name]

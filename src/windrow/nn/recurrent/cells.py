"""Recurrent cells: a row of ``CELLS`` each, and what ``kernels.py`` needs to know of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from windrow.nn.recurrent import kernels
from windrow.nn.recurrent.kernels import Factor, Steps, Way


@dataclass(frozen=True)
class Cell:
    """``gates`` sums of ``hidden`` numbers go into a step, ``states`` arrays come out, the hidden state first.

    ``forward`` and ``backward`` walk all steps; ``keeps``: whether ``Steps.kept`` is needed; ``splits_products``:
    whether the gradients of products and sums differ; ``extra``: the name of a parameter (hidden,) besides weights and
    biases, and the gate to whose products it is added.
    """

    forward: Callable[[Steps, NDArray[np.bool_], Factor], None]
    backward: Callable[[Steps, Way, Factor], None]
    gates: int = 1
    states: int = 1
    keeps: bool = False
    splits_products: bool = False
    extra: tuple[str, int] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return _cell, (next(name for name, cell in CELLS.items() if cell is self),)  # by name: kernels stay here

    def room(self, steps: int, batch: int, width: int, dtype: DTypeLike) -> Steps:
        """Arrays for so many steps, without the cell's own parameter."""
        sums = np.empty((steps, batch, self.gates * width), dtype)
        return Steps(
            sums,
            np.empty_like(sums),
            np.zeros((steps + 1, self.states, batch, width), dtype),
            np.empty((steps, self.states, batch, width), dtype),
            np.empty((steps, batch if self.keeps else 0, width), dtype),
            np.empty(0, dtype),
            np.zeros(sums[0].size, dtype),
        )


# Elman 1990: h = f(W x + U h' + b). LSTM: with a forget gate, no peepholes (Hochreiter & Schmidhuber 1997; Gers et al.
# 2000). GRU: Cho et al. 2014, the reset gate after the product, as cuDNN and PyTorch have it.
CELLS = {
    "elman": Cell(kernels.tanh_go, kernels.tanh_go_back),
    "elman-sigmoid": Cell(kernels.logistic_go, kernels.logistic_go_back),
    "elman-relu": Cell(kernels.relu_go, kernels.relu_go_back),
    "gru": Cell(kernels.gru_go, kernels.gru_go_back, gates=3, splits_products=True, extra=("candidate_biases", 2)),
    "lstm": Cell(kernels.lstm_go, kernels.lstm_go_back, gates=4, states=2, keeps=True),
}


def _cell(name: str) -> Cell:
    return CELLS[name]

"""Dropout (Srivastava et al. 2014): in training every unit is silent now and then, so that none relies on another."""

from __future__ import annotations

import numpy as np

from windrow.errors import check_range
from windrow.nn.layers.layer import Backward, Layer
from windrow.nn.parameters import Array


class Dropout(Layer):
    """In training each number becomes 0 with probability ``rate`` and is divided by ``1 - rate`` otherwise.

    So its expectation stays what it is. Outside training the layer does nothing.

    Parameters
    ----------
    rate : float in [0, 1)
        The probability; 0.5 is usual for large hidden layers, less for inputs.
    rng : Generator or int, default None
        Draws which numbers; None: others in each run.
    """

    def __init__(self, rate: float, *, rng: np.random.Generator | int | None = None) -> None:
        check_range("dropout", rate, 0, 1, high_open=True)
        self.rate = rate
        self.rng = np.random.default_rng(rng)

    def forward(self, x: Array, training: bool = False) -> tuple[Array, Backward]:
        """What is kept of x, of its shape."""
        if not training or self.rate == 0:
            return x, lambda dy, need_dx=True: dy
        kept = self.rng.random(x.shape, dtype=np.float32) >= self.rate
        factors = kept * x.dtype.type(1 / (1 - self.rate))

        def backward(dy: Array, need_dx: bool = True) -> Array:
            dx: Array = dy * factors
            return dx

        return x * factors, backward

    def __repr__(self) -> str:
        return f"Dropout({self.rate})"

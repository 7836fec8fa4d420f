"""The layer in which every output sees every input."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from windrow.errors import DataError, check_whole
from windrow.estimator import OldName, takes_old_names
from windrow.nn.initializers import initial_weights
from windrow.nn.layers.layer import Backward, Layer
from windrow.nn.parameters import Array, Parameter
from windrow.numeric.blas import set_product


class Dense(Layer):
    """y = x @ weights + biases; x (rows, inputs), weights (inputs, outputs), biases (outputs,), y (rows, outputs).

    Parameters
    ----------
    inputs, outputs : int >= 1
        Columns of x and of y.
    initializer : {"normal", "scaled", "glorot", "he"}, default "scaled"
        The spread of the first weights, see SPREADS; biases start at 0.
    rng : Generator or int, default None
        Draws the weights. Layers of one network should be given the same Generator: two that are given the same number
        start alike.
    dtype : float32 or float64
        Of the parameters.
    """

    initialiser = OldName("initializer")

    @takes_old_names
    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        initializer: str = "scaled",
        rng: np.random.Generator | int | None = None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        for name, value in (("inputs", inputs), ("outputs", outputs)):
            check_whole(name, value, 1)
        weights = initial_weights(initializer, inputs, outputs, np.random.default_rng(rng))
        self.weights = Parameter(weights.astype(dtype), is_weight=True)
        self.biases = Parameter(np.zeros(outputs, dtype))

    @property
    def parameters(self) -> dict[str, Parameter]:
        """``weights`` and ``biases``."""
        return {"weights": self.weights, "biases": self.biases}

    def forward(self, x: Array, training: bool = False) -> tuple[Array, Backward]:
        """The sums (rows, outputs); DataError where x has not ``inputs`` columns."""
        weights, biases = self.weights, self.biases
        if x.ndim != 2 or x.shape[1] != len(weights.value):
            raise DataError(f"{self} takes (rows, {len(weights.value)}), but its input has the shape {x.shape}")
        dtype = weights.value.dtype
        x = x if x.dtype == dtype else x.astype(dtype)
        y = np.empty((len(x), len(biases.value)), dtype)
        set_product(y, x, weights.value)
        y += biases.value

        def backward(dy: Array, need_dx: bool = True) -> Array | None:
            dy = dy if dy.dtype == dtype else dy.astype(dtype)
            biases.add(dy.sum(axis=0))
            weights.add_product(x, dy)
            if not need_dx:
                return None
            dx = np.empty(x.shape, dtype)
            set_product(dx, dy, weights.value.T)
            return dx

        return y, backward

    def __repr__(self) -> str:
        inputs, outputs = self.weights.value.shape
        return f"Dense({inputs}, {outputs})"

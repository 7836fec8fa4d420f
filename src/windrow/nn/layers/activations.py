"""Activations: the functions between the sums of one layer and the inputs of the next.

Each derivative is written in terms of the output ``y``, which the forward pass has at hand.
"""

from __future__ import annotations

import numpy as np

from windrow.nn.layers.layer import Backward, Layer
from windrow.nn.parameters import Array


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), as a tanh, which never overflows."""
    y: Array = np.multiply(x, 0.5)
    np.tanh(y, out=y)
    y += 1
    y *= 0.5
    return y


def exponentials(x: Array) -> tuple[Array, Array, Array]:
    """Each row less its largest number, so that exp cannot overflow; the exponentials of that, and their sums."""
    shifted: Array = x - x.max(axis=-1, keepdims=True)
    powers: Array = np.exp(shifted)
    return shifted, powers, powers.sum(axis=-1, keepdims=True)


def softmax(x: Array) -> Array:
    """exp(x) / sum(exp(x)) for each row."""
    _, powers, sums = exponentials(x)
    powers /= sums
    return powers


class Linear(Layer):
    """y = x: no activation at all, for the outputs of a regression."""

    def forward(self, x: Array, training: bool = False) -> tuple[Array, Backward]:
        """The input as it is."""

        def backward(dy: Array, need_dx: bool = True) -> Array:
            return dy

        return x, backward


class Sigmoid(Layer):
    """y = 1 / (1 + exp(-x)), between 0 and 1; flat far from 0, where gradients vanish."""

    def forward(self, x: Array, training: bool = False) -> tuple[Array, Backward]:
        """The output, of the shape of x."""
        y = sigmoid(x)

        def backward(dy: Array, need_dx: bool = True) -> Array:
            dx: Array = y - y * y
            dx *= dy
            return dx

        return y, backward


class Tanh(Layer):
    """y = tanh(x), between -1 and 1: a sigmoid about 0."""

    def forward(self, x: Array, training: bool = False) -> tuple[Array, Backward]:
        """The output, of the shape of x."""
        y: Array = np.tanh(x)

        def backward(dy: Array, need_dx: bool = True) -> Array:
            dx: Array = dy * (1 - y * y)
            return dx

        return y, backward


class ReLU(Layer):
    """y = max(0, x): no flat part above 0, so gradients pass; a unit that is always below learns no more."""

    def forward(self, x: Array, training: bool = False) -> tuple[Array, Backward]:
        """The output, of the shape of x."""
        y: Array = np.maximum(x, 0)

        def backward(dy: Array, need_dx: bool = True) -> Array:
            dx: Array = dy * (y > 0)
            return dx

        return y, backward


class Softmax(Layer):
    """Each row becomes positive numbers that sum to 1. Before a log-likelihood leave it out: that loss holds it."""

    def forward(self, x: Array, training: bool = False) -> tuple[Array, Backward]:
        """The output, of the shape of x."""
        y = softmax(x)

        def backward(dy: Array, need_dx: bool = True) -> Array:
            # dy_i/dx_j = y_i (1[i = j] - y_j), so the product with dy needs no matrix.
            dx: Array = y * (dy - (dy * y).sum(axis=-1, keepdims=True))
            return dx

        return y, backward


ACTIVATIONS: dict[str, type[Layer]] = {
    "sigmoid": Sigmoid,
    "tanh": Tanh,
    "relu": ReLU,
    "softmax": Softmax,
    "linear": Linear,
}

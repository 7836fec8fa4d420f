"""Layers of several inputs, by which the paths of a graph join. Their ``backward`` gives a tuple."""

from __future__ import annotations

import numpy as np

from windrow.errors import DataError
from windrow.nn.layers.layer import Backward, Layer
from windrow.nn.parameters import Array


class Add(Layer):
    """The sum of its inputs, all of one shape: a skip connection, or direct connections beside a hidden layer."""

    def forward(self, *inputs: Array, training: bool = False) -> tuple[Array, Backward]:
        """The sum; DataError where shapes differ."""
        _check_same_shape(self, inputs)
        y = sum(inputs[1:], start=inputs[0])

        def backward(dy: Array, need_dx: bool = True) -> tuple[Array, ...]:
            return (dy,) * len(inputs)

        return y, backward


class Multiply(Layer):
    """The product of two inputs, number by number: a gate."""

    def forward(self, *inputs: Array, training: bool = False) -> tuple[Array, Backward]:
        """The product; DataError where shapes differ."""
        _check_same_shape(self, inputs)
        left, right = inputs

        def backward(dy: Array, need_dx: bool = True) -> tuple[Array, Array]:
            return dy * right, dy * left

        return left * right, backward


class Concatenate(Layer):
    """The columns of its inputs side by side."""

    def forward(self, *inputs: Array, training: bool = False) -> tuple[Array, Backward]:
        """(rows, sum of the columns); DataError where the numbers of rows differ."""
        if len({len(x) for x in inputs}) > 1:
            raise DataError(f"{self} got inputs of {', '.join(str(len(x)) for x in inputs)} rows")
        ends = np.cumsum([x.shape[1] for x in inputs])

        def backward(dy: Array, need_dx: bool = True) -> tuple[Array, ...]:
            return tuple(np.split(dy, ends[:-1], axis=1))

        return np.concatenate(inputs, axis=1), backward


def _check_same_shape(layer: Layer, inputs: tuple[Array, ...]) -> None:
    if len({x.shape for x in inputs}) > 1:
        raise DataError(f"{layer} got inputs of different shapes: {', '.join(str(x.shape) for x in inputs)}")

"""Gradients by central differences, slow and sure: the judge of every backward pass."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.errors import OptionError, WindrowError
from windrow.nn.layers.layer import Layer
from windrow.nn.losses import Loss
from windrow.nn.parameters import Array, Parameter, SparseParameter

# The error of a central difference, step**2, and its rounding, 1e-16 or 1e-7 / step, are both small.
_STEPS = {np.dtype(np.float64): 1e-5, np.dtype(np.float32): 2.0**-7}
_FLOOR = 1e-4  # gradients shorter than this are compared as if they had this length


class GradientError(WindrowError):
    """A backward pass that disagrees with central differences."""


def numeric_gradient(function: Callable[[], float], array: NDArray[np.float64]) -> NDArray[np.float64]:
    """The derivative of ``function()`` with respect to each element of ``array``, by central differences.

    Parameters
    ----------
    function : callable
        Reads ``array`` and returns a float.
    array : ndarray of float64
        Moved a little, element by element; in the end it is as it was. In float32 only about four digits of the
        derivative are right.

    Returns
    -------
    ndarray of float64
        In the shape of ``array``.

    Raises
    ------
    OptionError
        ``array`` is no array of float64 or float32, whole numbers cannot be moved a little; or it is read-only.

    Examples
    --------
    >>> import numpy as np
    >>> from windrow.nn import numeric_gradient
    >>> x = np.array([1.0, 2.0, 3.0])
    >>> numeric_gradient(lambda: float((x**2).sum()), x).round(6).tolist()
    [2.0, 4.0, 6.0]
    """
    if not isinstance(array, np.ndarray) or array.dtype not in _STEPS:
        found = f"an array of {array.dtype}" if isinstance(array, np.ndarray) else f"a {type(array).__name__}"
        raise OptionError(
            f"array must be an ndarray of float64, got {found}; try array.astype(float) in the function, too"
        )
    if not array.flags.writeable:
        raise OptionError("array is read-only, but its elements are moved; try array.copy() in the function, too")
    gradient, step = np.empty(array.shape), _STEPS[array.dtype]
    for index in np.ndindex(array.shape):
        kept = array[index]
        array[index] = kept + step
        high, above = float(array[index]), function()
        array[index] = kept - step
        gradient[index] = (above - function()) / (high - float(array[index]))  # the step as it was rounded
        array[index] = kept
    return gradient


def relative_error(found: Array, expected: Array) -> float:
    """``|found - expected| / (|found| + |expected|)``, by lengths."""
    lengths = float(np.linalg.norm(found) + np.linalg.norm(expected))
    return float(np.linalg.norm(found - expected)) / max(lengths, _FLOOR)


def check_gradients(
    layer: Layer,
    *inputs: Array,
    loss: Loss | None = None,
    targets: Array | None = None,
    tolerance: float = 1e-6,
    seed: int = 0,
) -> dict[str, float]:
    """The relative error of each gradient: of every parameter by name, and of each input of real numbers.

    Computed in float64, whatever the layer's dtype, in training mode, with the same units dropped each time; the layer
    and the inputs stay as they are. Keep away from kinks (a ReLU at 0), where central differences are wrong.

    Parameters
    ----------
    layer : Layer
        The layer, chain or graph to check.
    *inputs : ndarray
        What its ``forward`` takes. Whole numbers count as real ones unless they are ids, which have no gradient.
    loss : Loss, default None
        What is differentiated is ``loss(output, targets)``; without a loss, the output along a random direction.
    targets : ndarray, default None
        What the loss takes.
    tolerance : float, default 1e-6
        The greatest relative error: ``|found - expected| / (|found| + |expected|)``, by lengths.
    seed : int, default 0
        Of the random direction.

    Raises
    ------
    GradientError
        When an error is not below ``tolerance``.

    Examples
    --------
    >>> import numpy as np
    >>> from windrow.nn import Dense, check_gradients
    >>> errors = check_gradients(Dense(3, 2, rng=1), np.ones((4, 3)))
    >>> max(errors.values()) < 1e-6
    True
    """
    twin = _in_float64(layer)
    inputs = tuple(x.astype(np.float64) if np.issubdtype(x.dtype, np.floating) else x for x in inputs)
    output, backward = deepcopy(twin).forward(*inputs, training=True)
    direction = np.random.default_rng(seed).standard_normal(output.shape)
    # Whole numbers that get a gradient are real numbers to the layer; ids, as of words, get none, or whole zeros.
    is_real = [dx is not None and np.issubdtype(dx.dtype, np.floating) for dx in _each(backward(direction))]
    inputs = tuple(x.astype(np.float64) if real else x for x, real in zip(inputs, is_real, strict=True))

    def judge(output: Array) -> tuple[float, Array]:
        if loss is None:
            return float(np.vdot(output, direction)), direction
        if targets is None:
            raise OptionError("check_gradients with a loss needs targets; give targets=")
        return loss(output, targets)

    def cost() -> float:
        # A copy draws what the twin itself would draw, so every pass drops the same units.
        return judge(deepcopy(twin).forward(*inputs, training=True)[0])[0]

    numeric = {name: numeric_gradient(cost, parameter.value) for name, parameter in twin.parameters.items()}
    numeric |= {f"input{i}": numeric_gradient(cost, x) for i, x in enumerate(inputs) if x.dtype == np.float64}
    output, backward = twin.forward(*inputs, training=True)
    given = backward(judge(output)[1])
    found = {name: parameter.gradient for name, parameter in twin.parameters.items()}
    found |= {f"input{i}": dx for i, dx in enumerate(_each(given))}
    errors = {name: relative_error(found[name], expected) for name, expected in numeric.items()}
    for name, error in errors.items():
        if not error < tolerance:
            raise GradientError(f"the gradient of {name} in {layer} is off by {error:.1e}; correct its backward pass")
    return errors


def _each(gradients: Array | tuple[Array | None, ...] | None) -> tuple[Any, ...]:
    return gradients if isinstance(gradients, tuple) else (gradients,)


def _in_float64(layer: Layer) -> Layer:
    """A copy with its parameters in float64 and no gradients."""
    twin = deepcopy(layer)
    for parameter in twin.parameters.values():
        kind = SparseParameter if isinstance(parameter, SparseParameter) else Parameter
        vars(parameter).update(vars(kind(parameter.value.astype(np.float64))))
    return twin

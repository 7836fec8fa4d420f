"""Limits on the gradient, against steps that throw a network far away (Pascanu, Mikolov & Bengio 2013)."""

from __future__ import annotations

import numpy as np

from windrow.nn.parameters import Array, ParameterVector


def _gradients(parameters: ParameterVector) -> list[Array]:
    """The arrays that hold the gradient, to be changed in place."""
    return [parameters.dense_gradient, *(table.sparse_gradient()[1] for table in parameters.tables)]


def gradient_norm(parameters: ParameterVector) -> float:
    """The length of the whole gradient.

    Parameters
    ----------
    parameters : ParameterVector
        The parameters of a network, whose gradient has been computed.
    """
    return float(sum(np.vdot(gradient, gradient) for gradient in _gradients(parameters)) ** 0.5)


def clip_by_norm(parameters: ParameterVector, limit: float) -> float:
    """Shorten the whole gradient where it is longer than ``limit``, its direction kept; returns the length before.

    Parameters
    ----------
    parameters : ParameterVector
        The parameters of a network; their gradient is changed in place.
    limit : float > 0
        The greatest length.
    """
    norm = gradient_norm(parameters)
    if norm > limit:
        for gradient in _gradients(parameters):
            np.multiply(gradient, limit / norm, out=gradient)
    return norm


def clip_by_value(parameters: ParameterVector, limit: float) -> None:
    """Cut each element of the gradient to [-limit, limit]; its direction changes.

    Parameters
    ----------
    parameters : ParameterVector
        The parameters of a network; their gradient is changed in place.
    limit : float > 0
        The greatest absolute value.
    """
    for gradient in _gradients(parameters):
        np.clip(gradient, -limit, limit, out=gradient)

"""Limits on the gradient, against steps that throw a network far away (Pascanu, Mikolov & Bengio 2013)."""

from __future__ import annotations

from math import inf

import numpy as np

from windrow.nn.parameters import ParameterVector


def gradient_norm(parameters: ParameterVector) -> float:
    """The length of the whole gradient.

    Parameters
    ----------
    parameters : ParameterVector
        The parameters of a network, whose gradient has been computed.
    """
    return clip_by_norm(parameters, inf)


def clip_by_norm(parameters: ParameterVector, limit: float) -> float:
    """Shorten the whole gradient where it is longer than ``limit``, its direction kept; returns the length before.

    Parameters
    ----------
    parameters : ParameterVector
        The parameters of a network; their gradient is changed in place.
    limit : float > 0
        The greatest length.
    """
    gradients, square = parameters.gradient_arrays(), 0.0
    for gradient in gradients:
        square += np.vdot(gradient, gradient)
    norm = float(square**0.5)
    if norm > limit:
        for gradient in gradients:
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
    for gradient in parameters.gradient_arrays():
        np.clip(gradient, -limit, limit, out=gradient)

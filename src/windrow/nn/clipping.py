"""Limits on the gradient, against steps that throw a network far away (Pascanu, Mikolov & Bengio 2013)."""

from __future__ import annotations

from math import inf

import numpy as np

from windrow.nn.parameters import Gradient, ParameterVector


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
    return shorten(parameters.gather_gradient(), limit)


def clip_by_value(parameters: ParameterVector, limit: float) -> None:
    """Cut each element of the gradient to [-limit, limit]; its direction changes.

    Parameters
    ----------
    parameters : ParameterVector
        The parameters of a network; their gradient is changed in place.
    limit : float > 0
        The greatest absolute value.
    """
    cut(parameters.gather_gradient(), limit)


def shorten(gradient: Gradient, limit: float) -> float:
    """``clip_by_norm`` of a gradient that is gathered."""
    square = 0.0
    for array in (gradient.dense, *gradient.tables):
        square += np.vdot(array, array)
    norm = float(square**0.5)
    if norm > limit:
        for array in (gradient.dense, *gradient.tables):
            np.multiply(array, limit / norm, out=array)
    return norm


def cut(gradient: Gradient, limit: float) -> None:
    """``clip_by_value`` of a gradient that is gathered."""
    for array in (gradient.dense, *gradient.tables):
        np.clip(array, -limit, limit, out=array)

"""Costs of large weights. They depend on the weights only, so they are added once a batch, not once an example."""

from __future__ import annotations

import numpy as np

from windrow.errors import check_range
from windrow.nn.parameters import Parameter
from windrow.numeric.blas import add_scaled


class L2:
    """Adds strength / 2 * sum(w**2): every step shrinks each weight by the same share ("weight decay").

    The strength stands beside the mean loss of an example; a book's lambda, which stands beside the sum over n
    training examples, is strength = lambda / n.

    Parameters
    ----------
    strength : float >= 0
        The factor; 1e-5 to 1e-3 are usual.
    """

    def __init__(self, strength: float) -> None:
        check_range("l2", strength, 0)
        self.strength = strength

    def penalty(self, weights: Parameter) -> float:
        """What these weights cost."""
        return self.strength / 2 * float(np.vdot(weights.value, weights.value))

    def add_gradient(self, weights: Parameter) -> None:
        """Add the derivative of the penalty to the gradient of these weights."""
        add_scaled(weights.gradient, self.strength, weights.value)


class L1:
    """Adds strength * sum(abs(w)): every step moves each weight by the same amount towards 0, where many then stay.

    Parameters
    ----------
    strength : float >= 0
        The factor, beside the mean loss per example.
    """

    def __init__(self, strength: float) -> None:
        check_range("l1", strength, 0)
        self.strength = strength

    def penalty(self, weights: Parameter) -> float:
        """What these weights cost."""
        return self.strength * float(np.abs(weights.value).sum())

    def add_gradient(self, weights: Parameter) -> None:
        """Add the derivative of the penalty to the gradient of these weights; at a weight of 0 it is 0."""
        add_scaled(weights.gradient, self.strength, np.sign(weights.value))


Regularizer = L1 | L2
REGULARIZERS: dict[str, type[Regularizer]] = {"l1": L1, "l2": L2}
REGULARISERS = REGULARIZERS

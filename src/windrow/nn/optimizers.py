"""Optimizers: how a gradient becomes a step.

Each rule works number by number, so the same few lines serve all dense parameters at once, as one flat vector, and the
few rows of a table that a batch has read. The state of other rows is left unchanged: momentum
does not decay for a word that is not in the batch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from windrow.errors import OptionError, check_range
from windrow.nn.parameters import Array, Gradient, ParameterVector
from windrow.numeric.blas import add_scaled

_BLOCK = 2**16  # numbers updated at a time: each line of a rule finds them in the cache, not in memory


class Optimizer(ABC):
    """``start`` makes the state for some parameters, ``step`` moves them by the gradient they hold.

    A rule says in ``state_arrays`` how many arrays like the parameters it keeps, and moves in ``update``.
    """

    state_arrays = 0
    default_rate = 0.1

    def start(self, parameters: ParameterVector) -> None:
        """Forget all steps; states are zero, (state_arrays, ...) for the dense parameters and for each table."""
        self.steps = 0
        moved = [parameters.dense_values, *(table.value for table in parameters.tables)]
        self.states = [np.zeros((self.state_arrays, *values.shape), parameters.dtype) for values in moved]

    def step(self, parameters: ParameterVector, rate: float) -> None:
        """One step down. The gradient is used up: clear it before the next pass."""
        self.move(parameters, parameters.gather_gradient(), rate)

    def move(self, parameters: ParameterVector, gradient: Gradient, rate: float) -> None:
        """``step`` by a gradient that is gathered."""
        self.steps += 1
        dense_state, *table_states = self.states
        values = parameters.dense_values
        for start in range(0, len(values), _BLOCK):
            block = slice(start, start + _BLOCK)
            self.update(values[block], gradient.dense[block], dense_state[:, block], rate)
        for table, state, rows, sums in zip(
            parameters.tables, table_states, gradient.rows, gradient.tables, strict=True
        ):
            values, state_rows = table.value[rows], state[:, rows]
            self.update(values, sums, state_rows, rate)
            table.value[rows], state[:, rows] = values, state_rows

    @abstractmethod
    def update(self, values: Array, gradient: Array, state: Array, rate: float) -> None:
        """Change values and state in place; the gradient may be overwritten, which saves an array of its size."""


class SGD(Optimizer):
    """Straight down: x -= rate * g."""

    def update(self, values: Array, gradient: Array, state: Array, rate: float) -> None:  # noqa: D102
        add_scaled(values, -rate, gradient)


class Momentum(Optimizer):
    """Like a ball that rolls: v = momentum * v - rate * g; x += v. Source: Polyak 1964.

    Parameters
    ----------
    momentum : float in [0, 1), default 0.9
        How much of the last step goes on into the next.
    """

    state_arrays = 1
    default_rate = 0.01

    def __init__(self, momentum: float = 0.9) -> None:
        check_range("momentum", momentum, 0, 1, high_open=True)
        self.momentum = momentum

    def update(self, values: Array, gradient: Array, state: Array, rate: float) -> None:  # noqa: D102
        (velocity,) = state
        gradient *= rate
        velocity *= self.momentum
        velocity -= gradient
        values += velocity


class Nesterov(Momentum):
    """Momentum with the gradient of where the ball will be: v as there; x += momentum * v - rate * g.

    ``values`` hold that place ahead. Source: Nesterov 1983, in the form of Sutskever et al. 2013.

    Parameters
    ----------
    momentum : float in [0, 1), default 0.9
        How much of the last step goes on into the next.
    """

    def update(self, values: Array, gradient: Array, state: Array, rate: float) -> None:  # noqa: D102
        (velocity,) = state
        gradient *= rate
        velocity *= self.momentum
        velocity -= gradient
        values += self.momentum * velocity
        values -= gradient


class Adagrad(Optimizer):
    """Steps shrink with all gradients seen: s += g**2; x -= rate * g / (sqrt(s) + epsilon). Duchi et al. 2011.

    Parameters
    ----------
    epsilon : float, default 1e-8
        Keeps the division from blowing up where gradients are 0.
    """

    state_arrays = 1

    def __init__(self, epsilon: float = 1e-8) -> None:
        self.epsilon = epsilon

    def update(self, values: Array, gradient: Array, state: Array, rate: float) -> None:  # noqa: D102
        (squares,) = state
        squares += gradient * gradient
        gradient *= rate
        gradient /= np.sqrt(squares) + self.epsilon
        values -= gradient


class RMSProp(Optimizer):
    """Adagrad that forgets: s = decay * s + (1 - decay) * g**2. Tieleman & Hinton 2012, lecture 6e.

    Parameters
    ----------
    decay : float in [0, 1), default 0.9
        How much of the mean square stays in a step.
    epsilon : float, default 1e-8
        Keeps the division from blowing up where gradients are 0.
    """

    state_arrays = 1
    default_rate = 1e-3

    def __init__(self, decay: float = 0.9, epsilon: float = 1e-8) -> None:
        check_range("decay", decay, 0, 1, high_open=True)
        self.decay = decay
        self.epsilon = epsilon

    def update(self, values: Array, gradient: Array, state: Array, rate: float) -> None:  # noqa: D102
        (squares,) = state
        squares *= self.decay
        squares += (1 - self.decay) * gradient * gradient
        gradient *= rate
        gradient /= np.sqrt(squares) + self.epsilon
        values -= gradient


class Adam(Optimizer):
    """RMSProp of a gradient with momentum, both corrected for their start at 0. Kingma & Ba 2015, algorithm 1.

    Parameters
    ----------
    beta1, beta2 : float in [0, 1), default 0.9 and 0.999
        How much of the mean gradient, and of the mean square, stays in a step.
    epsilon : float, default 1e-8
        Keeps the division from blowing up where gradients are 0.
    """

    state_arrays = 2
    default_rate = 1e-3

    def __init__(self, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8) -> None:
        check_range("beta1", beta1, 0, 1, high_open=True)
        check_range("beta2", beta2, 0, 1, high_open=True)
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon

    def update(self, values: Array, gradient: Array, state: Array, rate: float) -> None:  # noqa: D102
        means, squares = state
        means += (1 - self.beta1) * (gradient - means)
        gradient *= gradient
        squares += (1 - self.beta2) * (gradient - squares)
        # What is still missing of an average over steps that began with 0 is beta**steps.
        deviations = np.divide(squares, 1 - self.beta2**self.steps, out=gradient)
        np.sqrt(deviations, out=deviations)
        deviations += self.epsilon
        step = np.divide(means, deviations, out=gradient)
        step *= rate / (1 - self.beta1**self.steps)
        values -= step


OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "adagrad": Adagrad,
    "rmsprop": RMSProp,
    "adam": Adam,
}


def find_optimizer(name: str, momentum: float = 0.9) -> Optimizer:
    """The optimizer of this name; ``momentum`` is for those that have it. OptionError for an unknown name."""
    if name not in OPTIMIZERS:
        raise OptionError(f"optimizer = {name!r} is not one of {', '.join(OPTIMIZERS)}")
    kind = OPTIMIZERS[name]
    return kind(momentum) if issubclass(kind, Momentum) else kind()


def least_bytes(numbers: int, optimizer: str | Optimizer) -> int:
    """What training so many float32 parameters holds at least: them, and a second copy at the start or the states."""
    rule = OPTIMIZERS[optimizer] if isinstance(optimizer, str) else optimizer
    return 4 * numbers * (1 + max(1, rule.state_arrays))

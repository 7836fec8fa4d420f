"""Losses: how wrong the outputs of a network are, and the derivative with respect to each of them.

Each is fused with the activation it belongs to: cross-entropy takes the sums that a sigmoid would get, the
log-likelihood those of a softmax. Apart, the two overflow (exp) or divide by 0 (1 / p); together the derivative is
simply ``probability - target``. The loss of a batch is the mean over its rows of the sum over the outputs.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from windrow.errors import DataError, OptionError
from windrow.nn.layers.activations import exponentials, sigmoid, softmax
from windrow.nn.parameters import Array


class Loss(Protocol):
    """Called with outputs and targets it returns the mean loss per row and its gradient with respect to the outputs."""

    takes_classes: bool  # targets are class numbers (rows,), not numbers like the outputs (rows, outputs)

    def __call__(self, outputs: Array, targets: Array) -> tuple[float, Array]:
        """The loss, and its gradient (rows, outputs)."""
        ...

    def predict(self, outputs: Array) -> Array:
        """What outputs say about the targets: estimates of them, or probabilities."""
        ...


class Quadratic:
    """Half the squared distance: 1/2 sum((output - target)**2). A saturated sigmoid below it learns slowly."""

    takes_classes = False

    def __call__(self, outputs: Array, targets: Array) -> tuple[float, Array]:  # noqa: D102
        targets = _in_shape(outputs, targets)
        errors = outputs - targets
        return float(np.vdot(errors, errors)) / (2 * len(errors)), errors / len(errors)

    def predict(self, outputs: Array) -> Array:
        """The outputs themselves."""
        return outputs


class CrossEntropy:
    """-sum(t log p + (1 - t) log(1 - p)) with p = sigmoid(output): each output is a yes-no question of its own.

    Targets t are 0, 1, or probabilities between.
    """

    takes_classes = False

    def __call__(self, outputs: Array, targets: Array) -> tuple[float, Array]:  # noqa: D102
        targets = _in_shape(outputs, targets)
        check_targets(self, targets, outputs.shape[-1])
        # log(1 + e^z) = max(z, 0) + log(1 + e^-|z|), where e^ never overflows.
        log_normalizers = np.maximum(outputs, 0) + np.log1p(np.exp(-np.abs(outputs)))
        loss = float(np.sum(log_normalizers - outputs * targets)) / len(outputs)
        return loss, (sigmoid(outputs) - targets) / len(outputs)

    def predict(self, outputs: Array) -> Array:
        """A probability for each output by itself."""
        return sigmoid(outputs)


class LogLikelihood:
    """-log p[target] with p = softmax(outputs): the row is one of the classes. Targets are class numbers (rows,)."""

    takes_classes = True

    def __call__(self, outputs: Array, targets: Array) -> tuple[float, Array]:  # noqa: D102
        targets = np.asarray(targets)
        if targets.shape != outputs.shape[:1]:
            raise DataError(f"targets {targets.shape} must be one class number for each of {len(outputs)} rows")
        check_targets(self, targets, outputs.shape[1])
        rows = np.arange(len(outputs))
        shifted, powers, normalizers = exponentials(outputs)
        loss = (np.log(normalizers[:, 0]) - shifted[rows, targets]).sum() / len(outputs)
        powers /= normalizers * len(outputs)
        powers[rows, targets] -= 1 / len(outputs)
        return float(loss), powers

    def predict(self, outputs: Array) -> Array:
        """Probabilities that sum to 1 in each row."""
        return softmax(outputs)


LOSSES: dict[str, type[Loss]] = {
    "quadratic": Quadratic,
    "cross-entropy": CrossEntropy,
    "log-likelihood": LogLikelihood,
}


def find_loss(name: str) -> Loss:
    """The loss of this name; OptionError for an unknown one."""
    if name not in LOSSES:
        raise OptionError(f"cost = {name!r} is not one of {', '.join(LOSSES)}")
    return LOSSES[name]()


def check_targets(loss: Loss, targets: Array, outputs: int) -> None:
    """Raise DataError for targets that the loss is not made for: no class numbers, no probabilities.

    Losses look at the targets of each batch; whoever trains calls this once for all data, before any step.
    """
    if loss.takes_classes:
        if not np.issubdtype(targets.dtype, np.integer):
            raise DataError(
                f"targets must be class numbers, whole numbers from 0, not {targets.dtype}; try astype(int)"
            )
        if targets.size and (targets.min() < 0 or targets.max() >= outputs):
            raise DataError(
                f"targets hold class numbers from {targets.min()} to {targets.max()}, but the network has {outputs} "
                "outputs"
            )
    elif isinstance(loss, CrossEntropy) and targets.size and not (targets.min() >= 0 and targets.max() <= 1):
        raise DataError(
            f"targets of cross-entropy are 0, 1 or between, not from {targets.min():g} to {targets.max():g}; "
            "write no as 0 and yes as 1"
        )


def _in_shape(outputs: Array, targets: Array) -> Array:
    """Targets as an array of numbers in the shape of the outputs; DataError for others."""
    targets = np.asarray(targets)
    if outputs.shape != targets.shape:
        raise DataError(f"targets have the shape {targets.shape}, but the outputs of the network {outputs.shape}")
    if targets.dtype.kind not in "biuf":
        raise DataError(f"targets must be numbers, not {targets.dtype}")
    return targets

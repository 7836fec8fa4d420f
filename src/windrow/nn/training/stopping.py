"""When to stop, and which parameters to go back to."""

from __future__ import annotations

from collections import deque
from math import inf, isfinite
from statistics import median
from typing import Any

import numpy as np

from windrow._renamed import warn_renamed_method
from windrow.errors import DataError, check_range
from windrow.nn.parameters import Array

RUNAWAY = 1000.0  # times what is normal
_BATCHES_SEEN = 1024  # of which the middle loss is looked at


class DivergedError(DataError):
    """Training ran away: a loss or a parameter is no finite number, or far from all that is reasonable."""


class EarlyStopping:
    """Training has ended when the score has not risen by more than ``min_improvement`` for ``patience`` epochs.

    Parameters
    ----------
    patience : float >= 1, default 10
        Epochs without a better score; inf: it never ends.
    min_improvement : float, default 0
        A score is better if it is higher by more than this.

    Attributes
    ----------
    best_values : ndarray or None
        The parameters of the best epoch, which training ends with, stopped or not.
    """

    def __init__(self, patience: float = 10, min_improvement: float = 0.0) -> None:
        if patience != inf:
            check_range("patience", patience, 1)
        self.patience = patience
        self.min_improvement = min_improvement
        self.best_score = -inf
        self.best_values: Array | None = None
        self.waited = 0

    def see(self, score: float, values: Array) -> None:
        """An epoch has ended with this score and these parameters."""
        if self.best_values is None or score > self.best_score + self.min_improvement:
            self.best_score, self.best_values, self.waited = score, values.copy(), 0
        else:
            self.waited += 1

    @property
    def has_ended(self) -> bool:
        """Whether the epochs seen so far are enough."""
        return self.waited >= self.patience

    def is_over(self, score: float, values: Array) -> bool:
        """The old name of ``see`` and ``has_ended`` together."""
        warn_renamed_method("EarlyStopping.is_over")
        self.see(score, values)
        return self.has_ended

    def restore(self, values: Array) -> None:
        """Put the parameters of the best epoch into ``values``."""
        if self.best_values is not None:
            values[:] = self.best_values


class LastGood:
    """The parameters of the last epoch whose loss was sound: finite, and at most twice the lowest so far.

    An epoch that has doubled the loss is already diverging, so its parameters are not kept.
    """

    def __init__(self, values: Array) -> None:
        self.values = values.copy()
        self.name = "the start"
        self.lowest = inf

    def keep(self, values: Array, epoch: int, loss: float) -> None:
        """An epoch has ended with these parameters and this mean loss."""
        if loss <= 2 * self.lowest:
            self.values[:] = values
            self.name = f"epoch {epoch}"
            self.lowest = min(self.lowest, loss)


class Divergence:
    """Tells a training that runs away from one that learns badly, before its numbers overflow, if they ever do.

    A loss of float32 may stand at 1e9 for hours without becoming infinite: a softmax with huge weights is wrong, but
    finite. So besides numbers that are not finite, two things count, both in terms of what this very training started
    with. The reference is the loss of the first batch, before any step, or ``baseline``, the loss of a model that knows
    nothing (all outputs 0), whichever is larger.

    - Of the last thousand batches of an epoch, more than half lose over 1000 times the reference. Learning lowers the
      loss; a rate that is too high, data out of scale or noise raise it severalfold for some batches, which the median
      does not see; for most batches to be a thousand times worse than ignorance takes parameters that have left.
    - The parameters are over 1000 times as long as at the start (or as a vector of length 1), and the median loss is no
      lower than the reference. Weights must grow where targets are large, but then the loss falls. This finds networks
      whose loss has a ceiling: saturated units give no gradient, so they stay wrong for ever.
    """

    def __init__(self, baseline: float, values: Array, reference: float | None = None) -> None:
        self.baseline = baseline
        self.reference = reference
        self._longest = RUNAWAY * max(1.0, _length(values))
        self._losses: deque[float] = deque(maxlen=_BATCHES_SEEN)
        self._seen = 0

    def start_epoch(self) -> None:
        """Forget the batches of the epoch before."""
        self._losses.clear()
        self._seen = 0

    def see(self, loss: float) -> None:
        """A batch had this mean loss; DivergedError when it or most of the last thousand are out of bounds."""
        if not isfinite(loss):
            raise DivergedError(f"the loss is {loss}")
        if self.reference is None:
            self.reference = max(loss, self.baseline)
        self._losses.append(loss)
        self._seen += 1
        if self._seen % _BATCHES_SEEN == 0:
            self._check_loss()

    def end_epoch(self, values: Array) -> None:
        """An epoch has ended with these parameters; DivergedError when they or its losses are out of bounds."""
        typical = self._check_loss()
        if not np.isfinite(values).all():
            raise DivergedError(f"the loss was {typical:g}, and a parameter is no finite number")
        if self.reference is not None and typical >= self.reference and _length(values) > self._longest:
            raise DivergedError(
                f"the parameters have grown more than {RUNAWAY:g}-fold, and the loss of {typical:g} is no lower than "
                f"at the start ({self.reference:g})"
            )

    def _check_loss(self) -> float:
        """The median loss of the last batches."""
        typical = median(self._losses) if self._losses else 0.0
        if self.reference is not None and typical > RUNAWAY * self.reference:
            raise DivergedError(
                f"the loss has run away to {typical:g}, more than {RUNAWAY:g} times that of the start "
                f"({self.reference:g})"
            )
        return typical


def _length(values: Array) -> float:
    squares: Any = np.square(values, dtype=np.float64).sum()
    return float(squares**0.5)

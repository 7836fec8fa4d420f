"""When to stop, and which parameters to keep."""

from __future__ import annotations

from math import inf

from windrow.errors import WindrowError, check_range
from windrow.nn.parameters import Array


class DivergedError(WindrowError):
    """Training ran away: the loss or a parameter is no finite number. The last good parameters are kept."""


class EarlyStopping:
    """Over when the score has not risen by more than ``min_improvement`` for ``patience`` epochs.

    Parameters
    ----------
    patience : float >= 1, default 10
        Epochs without a better score; inf: it is never over.
    min_improvement : float, default 0
        A score is better if it is higher by more than this.

    Attributes
    ----------
    best_values : ndarray or None
        The parameters of the best epoch, which training ends with, stopped or not.
    """

    def __init__(self, patience: int = 10, min_improvement: float = 0.0) -> None:
        check_range("patience", patience, 1)
        self.patience = patience
        self.min_improvement = min_improvement
        self.best_score = -inf
        self.best_values: Array | None = None
        self.waited = 0

    def is_over(self, score: float, values: Array) -> bool:
        """Whether to stop after an epoch that ended with this score and these parameters."""
        if self.best_values is None or score > self.best_score + self.min_improvement:
            self.best_score, self.best_values, self.waited = score, values.copy(), 0
        else:
            self.waited += 1
        return self.waited >= self.patience

    def restore(self, values: Array) -> None:
        """Put the parameters of the best epoch into ``values``."""
        if self.best_values is not None:
            values[:] = self.best_values


class LastGood:
    """The parameters of the last epoch whose loss was sound: finite, and at most twice the lowest so far.

    An epoch that has doubled the loss is on its way up already, and no place to return to.
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

"""Learning-rate schedules: which share of the learning rate an epoch gets.

A schedule is a function of the epoch (0 is the first) and of the scores so far, one per epoch, higher is better. It
keeps no state of its own, so it can be asked again, plotted, or resumed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, inf

from windrow.errors import OptionError

Schedule = Callable[[int, Sequence[float]], float]


@dataclass(frozen=True)
class Constant:
    """The learning rate itself, always."""

    def __call__(self, epoch: int, scores: Sequence[float]) -> float:  # noqa: D102
        return 1.0


@dataclass(frozen=True)
class Step:
    """Times ``factor`` after each ``every`` epochs.

    Parameters
    ----------
    every : int, default 10
        Epochs between two changes.
    factor : float, default 0.5
        What the rate is multiplied by.
    """

    every: int = 10
    factor: float = 0.5

    def __call__(self, epoch: int, scores: Sequence[float]) -> float:  # noqa: D102
        return float(self.factor ** (epoch // self.every))


@dataclass(frozen=True)
class Exponential:
    """exp(-decay * epoch).

    Parameters
    ----------
    decay : float, default 0.1
        The larger, the faster the rate falls.
    """

    decay: float = 0.1

    def __call__(self, epoch: int, scores: Sequence[float]) -> float:  # noqa: D102
        return exp(-self.decay * epoch)


@dataclass(frozen=True)
class Inverse:
    """1 / (1 + decay * epoch): falls slowly enough that the steps still sum to infinity (Robbins & Monro 1951).

    Parameters
    ----------
    decay : float, default 0.1
        The larger, the faster the rate falls.
    """

    decay: float = 0.1

    def __call__(self, epoch: int, scores: Sequence[float]) -> float:  # noqa: D102
        return 1 / (1 + self.decay * epoch)


@dataclass(frozen=True)
class Plateau:
    """Times ``factor`` whenever the score has not improved for ``patience`` epochs; never below ``lowest``.

    Parameters
    ----------
    patience : int, default 5
        Epochs without a better score before the rate falls.
    factor : float, default 0.5
        What the rate is multiplied by.
    lowest : float, default 1/128
        The least share of the learning rate.
    """

    patience: int = 5
    factor: float = 0.5
    lowest: float = 1 / 128

    def __call__(self, epoch: int, scores: Sequence[float]) -> float:  # noqa: D102
        best, waited, cuts = -inf, 0, 0
        for score in scores:
            waited = 0 if score > best else waited + 1
            best = max(best, score)
            if waited == self.patience:
                cuts, waited = cuts + 1, 0
        return max(self.lowest, self.factor**cuts)


SCHEDULES: dict[str, Callable[[], Schedule]] = {
    "constant": Constant,
    "step": Step,
    "exponential": Exponential,
    "inverse": Inverse,
    "plateau": Plateau,
}


def find_schedule(schedule: str | Schedule) -> Schedule:
    """The schedule of this name with its defaults; what is callable is taken as it is."""
    if callable(schedule):
        return schedule
    if schedule not in SCHEDULES:
        raise OptionError(f"schedule = {schedule!r} is neither callable nor one of {', '.join(SCHEDULES)}")
    return SCHEDULES[schedule]()

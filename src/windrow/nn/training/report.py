"""What a training says about itself: to callbacks, to progress bars, in ``history_``, and in a log of JSON lines."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from windrow.logger import logger

OLD_NAMES = {  # of attributes that windrow 0.1 had, each of some trainings
    "words": "examples",
    "tokens": "examples",
    "total_words": "total_examples",
    "total_tokens": "total_examples",
    "alpha": "learning_rate",
    "words_per_second": "per_second",
    "tokens_per_second": "per_second",
    "valid_perplexity": "score",
    "f1": "score",
}


@dataclass(frozen=True)
class Report:
    """How far a training is: an epoch has ended, or, for progress bars, some of it is done.

    Attributes
    ----------
    event : str
        "epoch": one has ended; "progress": within one.
    epoch : int
        The one that has ended or is running; 1 is the first.
    epochs : int
        At most.
    examples : int
        Trained on since training started: what the loss is a mean of, rows, words or tokens.
    total_examples : int
        Of all epochs.
    loss : float
        The mean since the epoch began, each example as it was met, without penalties.
    learning_rate : float
        Of the last step.
    seconds : float
        Of training since it started, also before a resumption, without judging and without compiling kernels.
    score : float or None
        Of data held back, in the unit that ``measure`` names; None within an epoch, and where there are no such data.
    measure : str or None
        What the score is: "accuracy", "r2", "f1", "perplexity".
    steps : int or None
        Of the optimizer since training started.
    gradient_norms : dict of str to float, or None
        The norm of the gradient of each layer, for those trainings that measure it.
    per_second : float
        Examples per second since training started.

    Examples
    --------
    >>> from windrow.nn import Report
    >>> report = Report("epoch", 1, 5, examples=300, total_examples=1500, loss=2.5, learning_rate=0.1, seconds=0.5)
    >>> report.per_second
    600.0
    """

    event: str
    epoch: int
    epochs: int
    examples: int
    total_examples: int
    loss: float
    learning_rate: float
    seconds: float
    score: float | None = None
    measure: str | None = None
    steps: int | None = None
    gradient_norms: dict[str, float] | None = None

    @property
    def per_second(self) -> float:
        """Examples a second since training started."""
        return self.examples / self.seconds if self.seconds > 0 else 0.0

    def to_json(self) -> dict[str, Any]:
        """All of it as plain JSON data: a row of ``history_``, a line of a log."""
        row = {**asdict(self), "per_second": self.per_second}
        return {name: value for name, value in row.items() if value is not None or name in ("score", "measure")}

    def __getattr__(self, name: str) -> Any:
        if name not in OLD_NAMES:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        import warnings

        new = OLD_NAMES[name]
        told = f"Report.{name} is now Report.{new}; the old name goes with windrow 0.3"
        warnings.warn(told, DeprecationWarning, stacklevel=2)
        return getattr(self, new)


Callback = Callable[[Report], object]


def call_all(callbacks: Sequence[Callback], report: Report) -> bool:
    """Log the report, and call every callback, also after one that asks to stop; whether one does, by what is true."""
    _log(report)
    answers = [callback(report) for callback in callbacks]
    return any(answers)


def facts_of(history: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """What a notebook shows of a training: its epochs, and the loss and score of the last one."""
    if not history:
        return {}
    last, kept = history[-1], kept_epoch(history)
    judged = {} if last.get("score") is None else {str(last.get("measure")): last["score"]}
    best = {} if kept is None else {"epoch kept": kept["epoch"]}
    return {"epochs trained": len(history), "last loss": last["loss"], **judged, **best}


def kept_epoch(history: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The row of the epoch whose parameters a model has: the best on data held back; None where nothing was judged."""
    judged = [row for row in history if isinstance(row.get("score"), int | float) and "measure" in row]
    if not judged:
        return None
    sign = 1 if judged[0]["measure"] == "perplexity" else -1  # the only measure that is better when lower
    return min(judged, key=lambda row: sign * row["score"])


def log_start(epoch: int, epochs: int, examples: int, unit: str = "examples") -> None:
    """Log that a training begins with an epoch, of so many at most, each of so many examples."""
    logger.info("training begins: epoch %d of %d, %s %s each", epoch, epochs, f"{examples:,}", unit)


def _log(report: Report) -> None:
    level = logging.INFO if report.event == "epoch" else logging.DEBUG
    if logger.isEnabledFor(level):
        judged = "" if report.score is None else f", {report.measure} {report.score:.4g}"
        logger.log(
            level,
            "epoch %d of %d%s: loss %.4g%s, learning rate %.3g, %s examples at %s per second",
            report.epoch,
            report.epochs,
            "" if report.event == "epoch" else " so far",
            report.loss,
            judged,
            report.learning_rate,
            f"{report.examples:,}",
            f"{report.per_second:,.0f}",
        )

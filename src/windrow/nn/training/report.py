"""What a training says about itself: to callbacks, to progress bars, in ``history_``, and in a log of JSON lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

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

    ``examples`` are what the loss is a mean of: rows, words, tokens. ``score`` judges data held back, in the unit that
    ``measure`` names; both are None where there are no such data, and within an epoch.
    """

    event: str  # "epoch": one has ended; "progress": within one
    epoch: int  # the one that has ended or is running; 1 is the first
    epochs: int  # at most
    examples: int  # trained on since training started
    total_examples: int  # of all epochs
    loss: float  # the mean since the epoch began, each example as it was met, without penalties
    learning_rate: float  # of the last step
    seconds: float  # of training since it started, without judging
    score: float | None = None
    measure: str | None = None  # what the score is: "accuracy", "perplexity", ...
    steps: int | None = None  # of the optimizer since training started
    gradient_norms: dict[str, float] | None = None  # of each layer, for those trainings that measure it

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
    """Call every callback, also after one that asks to stop; whether one does, by anything that is true."""
    answers = [callback(report) for callback in callbacks]
    return any(answers)

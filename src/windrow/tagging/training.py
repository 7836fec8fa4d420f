"""The training of a tagger: epochs of shuffled sentences, judged on sentences held back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from time import perf_counter
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from windrow.nn.clipping import clip_by_norm
from windrow.nn.optimizers import Optimizer
from windrow.nn.schedules import Schedule
from windrow.nn.training.stopping import DivergedError, EarlyStopping, LastGood
from windrow.tagging.lexicon import Lexicon
from windrow.tagging.network import TagNetwork
from windrow.tagging.outputs import Tags
from windrow.tagging.windows import windows_of

_REPORT_BATCHES = 16  # between two calls of ``progress``


@dataclass(frozen=True)
class Progress:
    """How things stand: after each epoch a row of ``history_``. ``loss`` is the mean of a token in this epoch."""

    epoch: int  # epochs completed
    epochs: int
    tokens: int  # trained on since the start
    total_tokens: int
    loss: float
    f1: float | None  # on the valid sentences; None where there are none
    learning_rate: float
    seconds: float  # of training, without judging

    @property
    def tokens_per_second(self) -> float:
        """Tokens trained on a second."""
        return self.tokens / self.seconds if self.seconds > 0 else 0.0

    def to_json(self) -> dict[str, Any]:
        """All of it as plain JSON data."""
        return {**asdict(self), "tokens_per_second": self.tokens_per_second}


Callback = Callable[[Progress], object]


@dataclass
class TagTrainer:
    """How to train; ``run`` does it once. The rate of an epoch is ``learning_rate`` times the schedule's share."""

    optimizer: Optimizer
    learning_rate: float
    schedule: Schedule
    batch_size: int  # sentences
    epochs: int
    clip_norm: float | None
    early_stopping: EarlyStopping
    rng: np.random.Generator

    def __post_init__(self) -> None:
        self.history: list[dict[str, Any]] = []
        self.tokens, self.seconds = 0, 0.0

    def run(
        self,
        network: TagNetwork,
        lexicon: Lexicon,
        sentences: Sequence[Sequence[str]],
        tags: Sequence[Tags],
        *,
        score: Callable[[], float] | None = None,
        callbacks: Sequence[Callback] = (),
        progress: Callback | None = None,
    ) -> None:
        """Train the network on sentences and their tags; ``history`` gets a row an epoch.

        With ``score`` the network ends with its best epoch and stops once the score has not risen for long. Raises
        DivergedError when the loss is no finite number any more, KeyboardInterrupt on Ctrl-C; then too the network
        has its best parameters, or the last sound ones where there is no score.
        """
        self.total_tokens = self.epochs * sum(map(len, sentences))
        values = network.parameters.values
        last_good = LastGood(values)
        self.optimizer.start(network.parameters)
        try:
            # Several small products a batch: threads would cost more than they give.
            with threadpool_limits(1), np.errstate(over="ignore", invalid="ignore"):
                for epoch in range(1, self.epochs + 1):
                    rate = self.learning_rate * self.schedule(epoch - 1, [row["f1"] or 0.0 for row in self.history])
                    loss = self._epoch(network, lexicon, sentences, tags, rate, progress)
                    last_good.keep(values, epoch, loss)
                    f1 = None if score is None else score()
                    report = self._report(epoch, loss, f1, rate)
                    self.history.append(report.to_json())
                    is_stale = f1 is not None and self.early_stopping.is_over(f1, values)
                    answers = [callback(report) for callback in callbacks]  # all are told, also of the last epoch
                    if is_stale or any(answer is True for answer in answers):
                        break
        except (DivergedError, KeyboardInterrupt) as error:
            values[:] = last_good.values
            kept = self._kept(last_good.name if self.early_stopping.best_values is None else None)
            if isinstance(error, KeyboardInterrupt):
                raise KeyboardInterrupt(f"training stopped in epoch {len(self.history) + 1}; {kept}") from None
            epoch = len(self.history) + 1
            raise DivergedError(
                f"training diverged at step {self.optimizer.steps} (epoch {epoch}): {error}; {kept}; "
                f"try learning_rate={rate / 10:g} or clip_norm=1"
            ) from None
        finally:
            self.early_stopping.restore(values)

    def _kept(self, sound: str | None) -> str:
        if sound is None:
            return f"the tagger has its best parameters so far (F1 {self.early_stopping.best_score:.4f})"
        return f"the tagger has the parameters of {sound}"

    def _epoch(
        self,
        network: TagNetwork,
        lexicon: Lexicon,
        sentences: Sequence[Sequence[str]],
        tags: Sequence[Tags],
        rate: float,
        progress: Callback | None,
    ) -> float:
        """All sentences once, in a new order; returns the mean loss of a token."""
        order = self.rng.permutation(len(sentences))
        parameters, window = network.parameters, network.hidden.window
        total, trained = 0.0, 0
        started = perf_counter()
        earlier = self.seconds
        for number, first in enumerate(range(0, len(order), self.batch_size), 1):
            batch = order[first : first + self.batch_size].tolist()
            windows = windows_of([sentences[i] for i in batch], lexicon, window)
            parameters.clear_gradients()
            loss = network.add_gradient(windows, np.concatenate([tags[i] for i in batch]))
            if not isfinite(loss):
                raise DivergedError(f"the loss is {loss}")
            if self.clip_norm is not None:
                clip_by_norm(parameters, self.clip_norm)
            self.optimizer.step(parameters, rate)
            total, trained = total + loss * len(windows), trained + len(windows)
            self.tokens, self.seconds = self.tokens + len(windows), earlier + perf_counter() - started
            if progress is not None and number % _REPORT_BATCHES == 0:
                progress(self._report(len(self.history), total / trained, None, rate))
        if not np.isfinite(parameters.values).all():
            raise DivergedError(f"the loss was {total / trained:g}, and a parameter is no finite number")
        return total / trained

    def _report(self, epoch: int, loss: float, f1: float | None, rate: float) -> Progress:
        return Progress(epoch, self.epochs, self.tokens, self.total_tokens, loss, f1, rate, self.seconds)

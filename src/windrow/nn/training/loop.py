"""The training loop of networks: epochs of batches, a step for each, judging, and what is kept when it ends.

What is trained is a Trainee; how, a Plan. A Training goes from a start or a checkpoint to an end, and ``Training.step``
is one step: forward and backward, clipping, the optimizer. Word vectors and text classifiers, whose threads share
tables without minibatches, have loops of their own: embeddings/training/loop.py and classification/epochs.py.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import nan
from os import PathLike
from typing import Any

import numpy as np

from windrow import interrupts
from windrow.nn.clipping import cut, shorten
from windrow.nn.optimizers import Optimizer
from windrow.nn.parameters import Array, ParameterVector
from windrow.nn.schedules import Schedule
from windrow.nn.training import checkpoint as checkpoints
from windrow.nn.training.keeping import Keeper
from windrow.nn.training.report import Callback, Report, call_all, log_start
from windrow.nn.training.stopping import DivergedError, Divergence, EarlyStopping, LastGood
from windrow.numeric.compiling import working_time
from windrow.numeric.threads import crew

_REPORT_SECONDS = 0.2  # between two calls of ``progress``


class Trainee(ABC):
    """What a loop trains: a network, its data, and how it learns from a part of them.

    ``examples``: how many an epoch has; ``parameters``: what the optimizer moves; ``measure``: what ``judge`` gives.
    ``baseline``: the mean loss of an example for a model that knows nothing, if that is known.
    """

    checkpoint_kind: str
    examples: int
    parameters: ParameterVector
    measure: str | None = None
    baseline: float = 0.0

    @abstractmethod
    def batches(self, epoch: int) -> Iterator[tuple[int, Any]]:
        """The batches of an epoch (1 is the first), each with the number of its examples."""

    @abstractmethod
    def learn(self, batch: Any, rate: float) -> float:
        """Add the gradient of the mean loss of a batch to that of the parameters; returns the summed loss.

        ``rate`` is for parts that take their steps by themselves.
        """

    def judge(self) -> float | None:
        """The score on data held back; None where there are none."""
        return None

    def rank(self, score: float) -> float:
        """The score as early stopping and schedules compare it: higher is better."""
        return score

    def gradient_norms(self) -> dict[str, float] | None:
        """The norm of each layer's gradient after an epoch, where that is measured; leaves gradients cleared."""
        return None

    def values(self) -> Array:
        """A copy of all parameters as one vector."""
        return self.parameters.values.copy()

    def set_values(self, values: Array) -> None:
        """Take parameters that ``values`` gave."""
        self.parameters.values[:] = values

    def state(self) -> dict[str, Any]:
        """What besides parameters the next epoch depends on, as plain data."""
        return {}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what ``state`` gave."""
        return


@dataclass
class Plan:
    """How to train.

    The rate of an epoch is ``learning_rate`` times what ``schedule`` says; without a schedule it falls in a line to 0
    at the end of the last epoch. ``clip_norm``: the longest gradient of a step; ``clip_value``: the largest number of
    it. ``stopping`` keeps the parameters of the best epoch. ``clip_name``: the parameter that errors advise to set.
    """

    optimizer: Optimizer
    learning_rate: float
    schedule: Schedule | None
    epochs: int
    clip_norm: float | None = None
    clip_value: float | None = None
    stopping: EarlyStopping | None = None
    workers: int | None = 1
    clip_name: str = "clip_norm"


class Training:
    """One training from its start, or from a checkpoint, to its end; ``history`` has the data of a Report per epoch.

    ``goes_on``: the optimizer has been with this trainee before, and keeps its state. ``retrains``: the model was
    trained before, and will come back as it was if this fails. ``epochs_before``: of the trainings that it continues;
    where draws depend on the number of the epoch, its first epoch draws as the next one of those would have.
    """

    def __init__(
        self,
        trainee: Trainee,
        plan: Plan,
        history: list[dict[str, Any]] | None = None,
        *,
        goes_on: bool = False,
        retrains: bool = False,
    ) -> None:
        self.trainee = trainee
        self.plan = plan
        self.history = [] if history is None else history
        self.retrains = retrains
        self.epochs_before = 0
        self._kept_epochs = 0  # of ``history``, how many the checkpoint has
        if not goes_on:
            plan.optimizer.start(trainee.parameters)
        values = trainee.values()
        self.last_good = LastGood(values)
        self.divergence = Divergence(trainee.baseline, values)

    def run(
        self,
        callbacks: Sequence[Callback] = (),
        progress: Callback | None = None,
        checkpoint: str | PathLike[str] | None = None,
        described: dict[str, Any] | None = None,
        checkpoint_every: int = 1,
    ) -> None:
        """Train the epochs that are left, until a callback returns something true.

        With ``checkpoint``, the state is kept there after every ``checkpoint_every`` epochs, and after the last one; 0:
        never. ``described``: plain data about model and data that ``restore`` compares. Raises DivergedError when
        training runs away, KeyboardInterrupt on Ctrl-C, both with what was kept. The trainee ends with the parameters
        of its best epoch, where epochs are judged; else with the last ones, or, when something was raised, the last
        sound ones.
        """
        callbacks, is_stopped = tuple(callbacks), False
        log_start(len(self.history) + 1, self.plan.epochs, self.trainee.examples)
        keeper = None
        if checkpoint is not None and checkpoint_every:
            keeper = Keeper(checkpoint, lambda path: checkpoints.save(self, path, described or {}))
        with interrupts.held(), crew(self.plan.workers), self._ending(checkpoint):
            while not self._is_over(is_stopped):
                with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # divergence is told in words
                    report = self._epoch(progress)
                    self._note(report)
                is_stopped = call_all(callbacks, report)
                is_due = self._is_over(is_stopped) or len(self.history) % (checkpoint_every or 1) == 0
                if keeper is not None and is_due and keeper.keep():
                    self._kept_epochs = len(self.history)

    def restore(self, path: str | PathLike[str], described: dict[str, Any]) -> None:
        """Go on from a checkpoint; DataError if it is of another configuration or other data."""
        checkpoints.restore(self, path, described)
        self._kept_epochs = len(self.history)

    def step(self, batch: Any, rate: float) -> float:
        """Learn from a batch; returns its summed loss."""
        plan, parameters = self.plan, self.trainee.parameters
        parameters.clear_gradients()
        loss = self.trainee.learn(batch, rate)
        gradient = parameters.gather_gradient()
        if plan.clip_value is not None:
            cut(gradient, plan.clip_value)
        if plan.clip_norm is not None:
            shorten(gradient, plan.clip_norm)
        plan.optimizer.move(parameters, gradient, rate)
        return loss

    def _epoch(self, progress: Callback | None) -> Report:
        """Train for an epoch, and judge what came of it."""
        trainee, epoch, divergence = self.trainee, len(self.history) + 1, self.divergence
        before = self.history[-1]["seconds"] if self.history else 0.0
        share, done, total, rate = self._share(epoch), 0, 0.0, nan
        started, reported = working_time(), 0.0
        divergence.start_epoch()
        for size, batch in trainee.batches(self.epochs_before + epoch):
            rate = self.plan.learning_rate * (self._falling(epoch, done) if share is None else share)
            loss = self.step(batch, rate)
            divergence.see(loss / size)
            total, done = total + loss, done + size
            interrupts.check()
            if progress is not None and (seconds := working_time() - started) >= reported + _REPORT_SECONDS:
                reported = seconds
                progress(self._report("progress", epoch, done, total / done, rate, before + seconds))
        seconds = before + working_time() - started
        divergence.end_epoch(trainee.values())
        norms, score = trainee.gradient_norms(), trainee.judge()
        return self._report("epoch", epoch, done, total / done, rate, seconds, score, norms)

    def _report(
        self,
        event: str,
        epoch: int,
        done: int,
        loss: float,
        rate: float,
        seconds: float,
        score: float | None = None,
        norms: dict[str, float] | None = None,
    ) -> Report:
        examples = self.trainee.examples
        return Report(
            event=event,
            epoch=epoch,
            epochs=self.plan.epochs,
            examples=examples * (epoch - 1) + done,
            total_examples=examples * self.plan.epochs,
            loss=float(loss),
            learning_rate=rate,
            seconds=seconds,
            score=score,
            measure=None if score is None else self.trainee.measure,
            steps=self.plan.optimizer.steps,
            gradient_norms=norms,
        )

    def _note(self, report: Report) -> None:
        """Keep what an epoch has come to."""
        self.history.append(report.to_json())
        self.last_good.keep(self.trainee.values(), report.epoch, report.loss)
        if self.plan.stopping is not None:
            self.plan.stopping.see(self._rank(self.history[-1]), self.trainee.values())

    def _is_over(self, is_stopped: bool) -> bool:
        stopping = self.plan.stopping
        return is_stopped or len(self.history) >= self.plan.epochs or (stopping is not None and stopping.has_ended)

    def _rank(self, row: dict[str, Any]) -> float:
        """What schedules and early stopping look at; higher is better."""
        score = row.get("score")
        return -row["loss"] if score is None else self.trainee.rank(score)

    def _share(self, epoch: int) -> float | None:
        """Which share of the learning rate an epoch gets; None where it falls from step to step."""
        schedule = self.plan.schedule
        return None if schedule is None else schedule(epoch - 1, [self._rank(row) for row in self.history])

    def _falling(self, epoch: int, done: int) -> float:
        return 1 - (epoch - 1 + done / self.trainee.examples) / self.plan.epochs

    @contextmanager
    def _ending(self, checkpoint: str | PathLike[str] | None) -> Iterator[None]:
        """However the training ends, restore the best usable parameters, and name them in the error message."""
        stopping = self.plan.stopping
        try:
            yield
        except (DivergedError, KeyboardInterrupt) as error:
            epoch = len(self.history) + 1
            self.trainee.set_values(self.last_good.values)
            kept = self._kept()
            if isinstance(error, KeyboardInterrupt):
                if checkpoint is not None:
                    kept = checkpoints.kept_in(checkpoint, self._kept_epochs)
                raise KeyboardInterrupt(f"training stopped in epoch {epoch}; {kept}") from error
            raise DivergedError(
                f"training diverged at step {self.plan.optimizer.steps} (epoch {epoch}): {error}; {kept}; "
                f"try learning_rate = {self.plan.learning_rate / 10:g} or {self.plan.clip_name} = 1"
            ) from None
        finally:
            if stopping is not None and stopping.best_values is not None:
                self.trainee.set_values(stopping.best_values)

    def _kept(self) -> str:
        if self.retrains:
            return "the model is as it was before"
        stopping = self.plan.stopping
        if stopping is not None and stopping.best_values is not None:
            return "the model has the parameters of its best epoch so far"
        return f"the model has the parameters of {self.last_good.name} again"

"""The training loop: epochs of mini-batches, forward, backward, step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from math import isfinite
from time import perf_counter
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from windrow.errors import check_range, check_whole
from windrow.nn.clipping import clip_by_norm, clip_by_value
from windrow.nn.examples import ExampleError, check_finite
from windrow.nn.losses import check_targets
from windrow.nn.network import Network
from windrow.nn.optimizers import SGD, Optimizer
from windrow.nn.parameters import Array
from windrow.nn.schedules import Constant, Schedule
from windrow.nn.training.stopping import DivergedError, EarlyStopping, LastGood

_ROWS_GATHERED = 1024  # rows copied from the shuffled data at a time, several batches


@dataclass(frozen=True)
class Report:
    """An epoch that has ended: what a row of the history says.

    Attributes
    ----------
    epoch : int
        1 is the first.
    steps : int
        Of the optimizer since training started.
    loss : float
        The mean over the examples, each as it was met, without penalties.
    score : float or None
        On data held back, higher is better; None where nobody asked.
    learning_rate : float
        In this epoch.
    seconds : float
        Of the steps, without scoring.
    gradient_norms : dict of str to float
        Of each layer, on the first thousand examples.
    """

    epoch: int
    steps: int
    loss: float
    score: float | None
    learning_rate: float
    seconds: float
    gradient_norms: dict[str, float]


Callback = Callable[[Report, Network], object]
Score = Callable[[Network], float]
Augmentation = Callable[[Array, np.random.Generator], Array]


@dataclass
class Trainer:
    """How to train; ``run`` does it. The optimizer and the random numbers go on from one run to the next.

    Parameters
    ----------
    optimizer : Optimizer, default SGD()
        How a gradient becomes a step.
    learning_rate : float > 0, default None
        Size of the steps; None: the optimizer's own.
    schedule : callable, default Constant()
        Which share of the learning rate an epoch gets.
    batch_size : int >= 1, default 32
        Rows per step.
    clip_norm, clip_value : float > 0, default None
        Limits on the gradient of a step: its length, or each element of it.
    early_stopping : EarlyStopping, default None
        When to stop, by the score; training then ends with the parameters of the best epoch.
    augment : callable, default None
        Gets about a thousand shuffled rows at a time and a Generator, and gives rows to train on in their place.
    callbacks : sequence of callable, default ()
        Called with (Report, Network) after each epoch; training stops when one returns True.
    rng : Generator
        Shuffles the rows, and augments them.
    """

    optimizer: Optimizer = field(default_factory=SGD)
    learning_rate: float | None = None
    schedule: Schedule = field(default_factory=Constant)
    batch_size: int = 32
    clip_norm: float | None = None
    clip_value: float | None = None
    early_stopping: EarlyStopping | None = None
    augment: Augmentation | None = None
    callbacks: Sequence[Callback] = ()
    rng: np.random.Generator = field(default_factory=np.random.default_rng)

    def __post_init__(self) -> None:
        check_range("batch_size", check_whole("batch_size", self.batch_size), 1)
        for name in ("learning_rate", "clip_norm", "clip_value"):
            if getattr(self, name) is not None:
                check_range(name, getattr(self, name), 0, low_open=True)
        self._network: Network | None = None
        self._steps = 0

    def run(
        self,
        network: Network,
        x: Array,
        targets: Array,
        epochs: int = 30,
        *,
        score: Score | None = None,
        history: list[dict[str, Any]] | None = None,
    ) -> list[dict[str, Any]]:
        """Train on x (rows, ...) and targets (rows, ...); returns ``history`` with a row added for each epoch.

        ``score`` judges the network after each epoch, higher is better; without it the schedule and early stopping
        look at the negative loss. The optimiser starts anew when the network is another than before. Raises DataError
        for data that do not fit, DivergedError when the loss is no finite number any more; the network then has its
        last good parameters.
        """
        check_range("epochs", check_whole("epochs", epochs), 1)
        _check_data(network, x, targets)
        if network is not self._network:
            self._network, self._steps = network, 0
            self.optimizer.start(network.parameters)
        history = [] if history is None else history
        values = network.parameters.values
        last_good = LastGood(values)
        with threadpool_limits(1):  # threads of two BLAS libraries, NumPy's and SciPy's, get in each other's way
            for epoch in range(len(history) + 1, len(history) + 1 + epochs):
                rate = self._rate(history)
                try:
                    report = self._epoch(network, x, targets, rate, epoch, score)
                except DivergedError as error:
                    values[:] = last_good.values
                    raise DivergedError(
                        f"training diverged at step {self._steps} (epoch {epoch}): {error}; the network has the "
                        f"parameters of {last_good.name} again; try learning_rate={rate / 10:g} or clip_norm=1"
                    ) from None
                last_good.keep(values, epoch, report.loss)
                history.append(asdict(report))
                if self._is_over(report, network):
                    break
        if self.early_stopping is not None:
            self.early_stopping.restore(values)
        return history

    def _epoch(
        self, network: Network, x: Array, targets: Array, rate: float, epoch: int, score: Score | None
    ) -> Report:
        """Train for an epoch and look at what came of it."""
        started = perf_counter()
        with np.errstate(over="ignore", invalid="ignore"):  # divergence is told in words
            loss = self._train_epoch(network, x, targets, rate)
            seconds = perf_counter() - started
            norms = gradient_norms(network, x[:_ROWS_GATHERED], targets[:_ROWS_GATHERED])
        judged = None if score is None else score(network)
        return Report(epoch, self._steps, loss, judged, rate, seconds, norms)

    def _rate(self, history: list[dict[str, Any]]) -> float:
        """The learning rate of the epoch after those of the history."""
        base = self.optimizer.default_rate if self.learning_rate is None else self.learning_rate
        return base * self.schedule(len(history), [_judgement(row["score"], row["loss"]) for row in history])

    def _train_epoch(self, network: Network, x: Array, targets: Array, rate: float) -> float:
        """All examples once, in a new order; returns their mean loss."""
        parameters, total = network.parameters, 0.0
        for batch, batch_targets in self._batches(x, targets):
            parameters.clear_gradients()
            loss = network.add_gradient(batch, batch_targets)
            self._steps += 1
            if not isfinite(loss):
                raise DivergedError(f"the loss is {loss}")
            total += loss * len(batch)
            if self.clip_value is not None:
                clip_by_value(parameters, self.clip_value)
            if self.clip_norm is not None:
                clip_by_norm(parameters, self.clip_norm)
            self.optimizer.step(parameters, rate)
        if not np.isfinite(parameters.values).all():
            raise DivergedError(f"the loss was {loss:g}, and a parameter is no finite number")
        return total / len(x)

    def _batches(self, x: Array, targets: Array) -> Iterator[tuple[Array, Array]]:
        """The shuffled examples, augmented, a batch at a time; the last batch may be smaller."""
        order = self.rng.permutation(len(x))
        gathered = self.batch_size * max(1, _ROWS_GATHERED // self.batch_size)
        for first in range(0, len(x), gathered):
            taken = order[first : first + gathered]
            rows, row_targets = x[taken], targets[taken]
            if self.augment is not None:
                rows = _checked_augmentation(self.augment(rows, self.rng), rows)
            for start in range(0, len(taken), self.batch_size):
                end = start + self.batch_size
                yield rows[start:end], row_targets[start:end]

    def _is_over(self, report: Report, network: Network) -> bool:
        answers = [callback(report, network) for callback in self.callbacks]  # all are told, also of the last epoch
        score = _judgement(report.score, report.loss)
        stopping = self.early_stopping
        is_stale = stopping is not None and stopping.is_over(score, network.parameters.values)
        return is_stale or any(answer is True for answer in answers)


def gradient_norms(network: Network, x: Array, targets: Array) -> dict[str, float]:
    """The length of the gradient of each layer on these examples, nothing dropped; clears gradients.

    Lengths that shrink or grow by a factor per layer are the vanishing and exploding gradients.

    Parameters
    ----------
    network : Network
        The network to look at.
    x : ndarray of shape (rows, ...)
        Inputs.
    targets : ndarray of shape (rows, ...)
        What the loss takes.
    """
    network.parameters.clear_gradients()
    network.add_gradient(x, targets, training=False)
    norms = network.parameters.norms()
    network.parameters.clear_gradients()
    return norms


def _judgement(score: float | None, loss: float) -> float:
    """What schedules and early stopping look at; higher is better."""
    return -loss if score is None else score


def _check_data(network: Network, x: Array, targets: Array) -> None:
    """Raise DataError now, and not at some step in the middle."""
    if len(x) == 0:
        raise ExampleError("there is no example to train on; give at least one")
    if len(x) != len(targets):
        raise ExampleError(f"there are {len(x)} examples but {len(targets)} targets; give one for each")
    check_finite("examples", x)
    check_finite("targets", targets)
    outputs = network.outputs(x[:1])
    check_targets(network.loss, targets, outputs.shape[1])
    network.loss(outputs, targets[:1])


def _checked_augmentation(augmented: Array, rows: Array) -> Array:
    if augmented.shape != rows.shape:
        raise ExampleError(
            f"the augmentation gave {augmented.shape} for rows of the shape {rows.shape}; keep the shape"
        )
    return augmented.astype(rows.dtype, copy=False)

"""Trainer: a Network and examples in arrays, as the training loop (loop.py) takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from os import PathLike
from typing import Any

import numpy as np

from windrow.bars import NOBODY, Listeners
from windrow.errors import OptionError, check_callable, check_range, check_whole
from windrow.nn.examples import ExampleError, check_finite
from windrow.nn.losses import check_targets
from windrow.nn.network import Network
from windrow.nn.optimizers import SGD, Optimizer
from windrow.nn.parameters import Array
from windrow.nn.schedules import Constant, Schedule
from windrow.nn.training.checkpoint import fingerprint, goes_on, restore_rng, rng_state
from windrow.nn.training.loop import Plan, Trainee, Training
from windrow.nn.training.report import Report
from windrow.nn.training.stopping import EarlyStopping

CHECKPOINT_KIND = "mlp-checkpoint"
_ROWS_GATHERED = 1024  # rows copied from the shuffled data at a time, several batches

Callback = Callable[[Report, Network], object]
Score = Callable[[Network], float]
Augmentation = Callable[[Array, np.random.Generator], Array]


@dataclass
class Trainer:
    """How to train; ``run`` does it. The optimizer and the random numbers go on from one run to the next.

    Parameters
    ----------
    optimizer
        How a gradient becomes a step.
    learning_rate
        None: the optimizer's own.
    schedule
        Which share of the learning rate an epoch gets.
    batch_size
        Rows in a step.
    clip_norm, clip_value
        Limits on the gradient of a step: its length, or each number of it.
    early_stopping
        When to stop, by the score; training then ends with the parameters of the best epoch.
    augment
        Gets about a thousand shuffled rows at a time and a Generator, and gives rows to train on in their place.
    callbacks
        Called with (Report, Network) after each epoch; training stops when one returns something true.
    rng
        Shuffles the rows, and augments them.
    measure
        What the score is called in reports.
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
    measure: str = "score"

    def __post_init__(self) -> None:
        check_whole("batch_size", self.batch_size, 1)
        for name in ("learning_rate", "clip_norm", "clip_value"):
            if getattr(self, name) is not None:
                check_range(name, getattr(self, name), 0, low_open=True)
        check_callable("augment", self.augment)
        check_callable("schedule", self.schedule)
        if not isinstance(self.callbacks, Sequence):
            raise OptionError(f"callbacks = {self.callbacks!r} must be a list of functions")
        for callback in self.callbacks:
            check_callable("a callback", callback)
        self._network: Network | None = None

    def run(
        self,
        network: Network,
        x: Array,
        targets: Array,
        epochs: int = 30,
        *,
        score: Score | None = None,
        history: list[dict[str, Any]] | None = None,
        retrains: bool = False,
        bar: Listeners = NOBODY,
        checkpoint: str | PathLike[str] | None = None,
        checkpoint_every: int = 1,
        resume: bool = False,
        described: dict[str, Any] | None = None,
        begin: Callable[[Training], object] | None = None,
    ) -> list[dict[str, Any]]:
        """Train on x (rows, ...) and targets (rows, ...); returns ``history`` with a row added for each epoch.

        ``score`` judges the network after each epoch, higher is better; without it the schedule and early stopping look
        at the negative loss. The optimizer starts again when the network is another than before. ``checkpoint``: a file
        that keeps the state after every ``checkpoint_every`` epochs, and after the last one (0: it is only read); with
        ``resume`` training goes on from there, if the file is there, until ``history`` has ``epochs`` rows;
        ``described`` is what must be the same then. ``retrains``: for messages, see Training. ``bar``
        listens beside the callbacks. ``begin`` is called with
        the Training before it starts. Raises DataError for data
        that do not fit, DivergedError when training runs away; the network then has its last good parameters.
        """
        check_whole("epochs", epochs, 1)
        check_callable("score", score)
        resume = goes_on(checkpoint, resume, checkpoint_every=checkpoint_every)
        x, targets = np.asarray(x), np.asarray(targets)
        _check_data(network, x, targets)
        continues = network is self._network
        history = [] if history is None else history
        plan = Plan(
            optimizer=self.optimizer,
            learning_rate=self.optimizer.default_rate if self.learning_rate is None else self.learning_rate,
            schedule=self.schedule,
            epochs=len(history) + epochs,
            clip_norm=self.clip_norm,
            clip_value=self.clip_value,
            stopping=self.early_stopping,
        )
        trainee = NetworkTrainee(self, network, x, targets, score)
        training = Training(trainee, plan, history, goes_on=continues, retrains=retrains)
        self._network = network
        if begin is not None:
            begin(training)
        if checkpoint is not None:
            described = {**(described or {}), "data": fingerprint(x, targets), "batch_size": int(self.batch_size)}
            if resume:
                training.restore(checkpoint, described)
        callbacks = [*bar.callbacks, *(_with_network(callback, network) for callback in self.callbacks)]
        training.run(callbacks, bar.progress, checkpoint, described, checkpoint_every)
        return history


class NetworkTrainee(Trainee):
    """A network and the rows that it is trained on."""

    checkpoint_kind = CHECKPOINT_KIND

    def __init__(self, trainer: Trainer, network: Network, x: Array, targets: Array, score: Score | None) -> None:
        self.trainer = trainer
        self.network = network
        self.x = x
        self.targets = targets
        self.score = score
        self.examples = len(x)
        self.parameters = network.parameters
        self.measure = trainer.measure
        some = targets[:_ROWS_GATHERED]
        self.baseline, _ = network.loss(np.zeros((len(some), *network.outputs(x[:1]).shape[1:])), some)

    def batches(self, epoch: int) -> Iterator[tuple[int, tuple[Array, Array]]]:
        """The shuffled examples, augmented; the last batch may be smaller."""
        rng, size, augment = self.trainer.rng, self.trainer.batch_size, self.trainer.augment
        order = rng.permutation(len(self.x))
        gathered = size * max(1, _ROWS_GATHERED // size)
        for first in range(0, len(order), gathered):
            taken = order[first : first + gathered]
            rows, targets = self.x[taken], self.targets[taken]
            if augment is not None:
                rows = _checked_augmentation(augment(rows, rng), rows)
            for start in range(0, len(taken), size):
                batch = rows[start : start + size]
                yield len(batch), (batch, targets[start : start + size])

    def learn(self, batch: tuple[Array, Array], rate: float) -> float:  # noqa: D102
        x, targets = batch
        return self.network.add_gradient(x, targets) * len(x)

    def judge(self) -> float | None:  # noqa: D102
        return None if self.score is None else self.score(self.network)

    def gradient_norms(self) -> dict[str, float]:  # noqa: D102
        return gradient_norms(self.network, self.x[:_ROWS_GATHERED], self.targets[:_ROWS_GATHERED])

    def state(self) -> dict[str, Any]:  # noqa: D102
        return {"rng": rng_state(self.trainer.rng)}

    def set_state(self, state: dict[str, Any]) -> None:  # noqa: D102
        restore_rng(self.trainer.rng, state["rng"])


def gradient_norms(network: Network, x: Array, targets: Array) -> dict[str, float]:
    """The norm of the gradient of each layer on these examples, nothing dropped; clears gradients.

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


def _with_network(callback: Callback, network: Network) -> Callable[[Report], object]:
    return lambda report: callback(report, network)


def _check_data(network: Network, x: Array, targets: Array) -> None:
    """Raise DataError now, and not at some step in the middle."""
    if len(x) == 0:
        raise ExampleError("there is no example to train on; give at least one")
    if len(x) != len(targets):
        raise ExampleError(f"there are {len(x)} examples but {len(targets)} targets; give one for each")
    check_finite("examples", x)
    check_finite("targets", targets)
    outputs = network.outputs(x[:1])
    check_targets(network.loss, targets, outputs.shape[-1])
    network.loss(outputs, targets[:1])


def _checked_augmentation(augmented: Array, rows: Array) -> Array:
    if augmented.shape != rows.shape:
        raise ExampleError(
            f"the augmentation gave {augmented.shape} for rows of the shape {rows.shape}; keep the shape"
        )
    return augmented.astype(rows.dtype, copy=False)

"""Training of neural language models: epochs of minibatches, validation, the best parameters kept, checkpoints."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from math import exp, isfinite, log, nan
from os import PathLike
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.errors import DataError, FormatError
from windrow.files import model_file
from windrow.lm.neural.network import NeuralNetwork
from windrow.lm.stream import BOS, Ids
from windrow.nn.clipping import clip_by_norm
from windrow.nn.optimizers import Optimizer
from windrow.nn.parameters import Array
from windrow.nn.regularisers import L2
from windrow.nn.schedules import Schedule
from windrow.nn.training.stopping import DivergedError, EarlyStopping, LastGood
from windrow.numeric.threads import crew

SCORED_ROWS = 1024  # at a time, when nothing is learned
_REPORT_SECONDS = 0.2
_TEXTS = {"text": "another text", "valid": "another text held back"}  # what differs beside parameters


@dataclass(frozen=True)
class Report:
    """How far training is: what progress and callbacks are given, and a line of the learning curve."""

    epoch: int  # 1 is the first
    words: int  # predicted since training started
    loss: float  # natural logarithm, the mean since the epoch began, each word as it was met
    valid_perplexity: float | None  # of the text held back; None within an epoch, and where there is no such text
    learning_rate: float
    seconds: float  # of training since it started, without validation
    words_per_second: float

    def to_json(self) -> dict[str, float | None]:
        """As plain data."""
        return asdict(self)


Callback = Callable[[Report], object]


@dataclass(frozen=True)
class Plan:
    """How to train. ``schedule`` None lets the rate fall in a line to 0 at the end of the last epoch.

    ``batch_size`` rows, or streams, a step; ``clip``: the longest gradient; ``patience``: epochs without a better
    validation.
    """

    optimizer: Optimizer
    learning_rate: float
    schedule: Schedule | None
    epochs: int
    batch_size: int
    clip: float | None
    l2: float
    patience: int | None
    seed: int
    workers: int


class NeuralTraining(ABC):
    """One training from its start, or from a checkpoint, to its end; ``history`` has a Report's data an epoch.

    A subclass says what ``batches`` an epoch has, and how to ``learn`` from one and ``score`` a text. ``words``: what
    an epoch predicts; ``valid``: a stream held back.
    """

    checkpoint_kind: str

    def __init__(self, network: NeuralNetwork, plan: Plan, words: int, valid: Ids | None) -> None:
        self.network = network
        self.plan = plan
        self.words = words
        self.valid = valid
        self.history: list[dict[str, Any]] = []
        self.regulariser = L2(plan.l2)
        self.stopping = EarlyStopping(plan.patience or plan.epochs)
        self.kept_epochs = 0  # of ``history``, how many the checkpoint has
        self.retrains = False  # a model that was trained before, which comes back if this fails
        plan.optimizer.start(network.body)
        self.last_good = LastGood(network.values())

    @abstractmethod
    def batches(self, epoch: int) -> Iterator[tuple[int, Any]]:
        """The batches of an epoch, each with how many words it predicts; they follow from the seed and the epoch."""

    @abstractmethod
    def learn(self, batch: Any, rate: float) -> float:
        """The summed loss of a batch; adds the gradient of its mean; a head that steps by itself does so."""

    @abstractmethod
    def score(self, stream: Ids) -> NDArray[np.float64]:
        """The natural-log probability of each symbol, 0 at ``<s>``; (symbols,)."""

    def run(
        self,
        callbacks: Sequence[Callback] = (),
        progress: Callback | None = None,
        checkpoint: str | PathLike[str] | None = None,
        described: dict[str, Any] | None = None,
    ) -> None:
        """Train the epochs that are left. With ``checkpoint``, the state is kept there after every one of them.

        ``described``: plain data about the model that ``restore`` compares. Raises DivergedError when the loss is no
        finite number; the network then has its last good parameters. KeyboardInterrupt says where the state is.
        """
        with crew(self.plan.workers), self._told(checkpoint):
            is_stopped = False  # by a callback; what resumes the training goes on
            while len(self.history) < self.plan.epochs and not self._is_over() and not is_stopped:
                report = self._epoch(progress)
                self.history.append(report.to_json())
                if report.valid_perplexity is not None:
                    self.stopping.is_over(-log(report.valid_perplexity), self.network.values())  # keeps the best
                answers = [callback(report) for callback in callbacks]  # all are told
                is_stopped = any(answer is True for answer in answers)
                if checkpoint is not None:
                    self.save(checkpoint, described or {})
        if self.valid is not None and self.stopping.best_values is not None:
            self.network.set_values(self.stopping.best_values)

    def _is_over(self) -> bool:
        """Whether validation has not become better for ``patience`` epochs."""
        return self.plan.patience is not None and self.stopping.waited >= self.plan.patience

    def _epoch(self, progress: Callback | None) -> Report:
        epoch = len(self.history) + 1
        try:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # divergence is told in words
                report = self._train_epoch(epoch, progress)
        except DivergedError as error:
            self.network.set_values(self.last_good.values)
            kept = "is as it was before" if self.retrains else f"has the parameters of {self.last_good.name} again"
            raise DivergedError(
                f"training diverged in epoch {epoch}: {error}; the model {kept}; "
                f"try learning_rate = {self.plan.learning_rate / 10:g} or clip = 1"
            ) from None
        self.last_good.keep(self.network.values(), epoch, report.loss)
        if self.valid is None:
            return report
        predicted = max(int((self.valid != BOS).sum()), 1)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            perplexity = exp(min(-self.score(self.valid).sum() / predicted, 700))
        return Report(**{**asdict(report), "valid_perplexity": perplexity})

    def _train_epoch(self, epoch: int, progress: Callback | None) -> Report:
        plan, words = self.plan, self.words
        self.network.seed(plan.seed, epoch)
        before = self.history[-1]["seconds"] if self.history else 0.0
        words_before, done, total, rate = words * (epoch - 1), 0, 0.0, nan
        started, reported = perf_counter(), 0.0
        for size, batch in self.batches(epoch):
            rate = self._rate(epoch, done / words)
            total += self._step(batch, rate)
            done += size
            seconds = perf_counter() - started
            if not isfinite(total):
                raise DivergedError(f"the loss at word {words_before + done:,} is {total}")
            if progress is not None and seconds >= reported + _REPORT_SECONDS:
                reported = seconds
                speed = (words_before + done) / (before + seconds)
                progress(Report(epoch, words_before + done, total / done, None, rate, before + seconds, speed))
        if not np.isfinite(self.network.values()).all():
            raise DivergedError(f"the loss was {total / words:g}, and a parameter is no finite number")
        seconds, words_so_far = before + perf_counter() - started, words_before + words
        return Report(epoch, words_so_far, total / words, None, rate, seconds, words_so_far / seconds)

    def _step(self, batch: Any, rate: float) -> float:
        """Learn from a batch; returns its summed loss."""
        network, plan = self.network, self.plan
        network.body.clear_gradients()
        loss = self.learn(batch, rate)
        if plan.l2:
            for parameter in network.body.weights:
                self.regulariser.add_gradient(parameter)
        if plan.clip is not None:
            clip_by_norm(network.body, plan.clip)
        plan.optimizer.step(network.body, rate)
        return loss

    def _rate(self, epoch: int, done: float) -> float:
        """The learning rate when this part of an epoch is done."""
        plan = self.plan
        if plan.schedule is None:
            return plan.learning_rate * (1 - (epoch - 1 + done) / plan.epochs)
        scores = [-log(row["valid_perplexity"]) if self.valid is not None else -row["loss"] for row in self.history]
        return plan.learning_rate * plan.schedule(epoch - 1, scores)

    # --- checkpoints

    def save(self, path: str | PathLike[str], described: dict[str, Any]) -> None:
        """Write everything that goes on: parameters, the optimiser's state, the best and the last good ones."""
        optimizer, stopping = self.plan.optimizer, self.stopping
        arrays: dict[str, Array] = {"values": self.network.values(), "last_good": self.last_good.values}
        if stopping.best_values is not None:
            arrays["best"] = stopping.best_values
        arrays |= {f"optimizer{number}": state for number, state in enumerate(optimizer.states)}
        config = {
            "model": described,
            "history": self.history,
            "steps": optimizer.steps,
            "best_score": stopping.best_score if isfinite(stopping.best_score) else None,
            "waited": stopping.waited,
            "last_good": self.last_good.name,
            "lowest": self.last_good.lowest if isfinite(self.last_good.lowest) else None,
        }
        model_file.save(path, self.checkpoint_kind, arrays, config)
        self.kept_epochs = len(self.history)

    def restore(self, path: str | PathLike[str], described: dict[str, Any]) -> None:
        """Go on from a checkpoint; DataError if it is of another configuration or text."""
        stored = model_file.load(path, self.checkpoint_kind)
        config, arrays = stored.config, stored.arrays
        model = config.get("model", {})  # that of an earlier version may lack a name
        different = [
            _TEXTS.get(name) or f"{name} = {model[name]!r}, not {value!r}"
            for name, value in sorted(described.items())
            if name in model and model[name] != value
        ]
        if different:
            raise DataError(
                f"{path} is of a training with {', '.join(different)}; go on with the same options and text, "
                "or delete it to start anew"
            )
        optimizer, stopping = self.plan.optimizer, self.stopping
        try:
            self.network.set_values(np.array(arrays["values"]))
            self.last_good.values = np.array(arrays["last_good"])
            for number, state in enumerate(optimizer.states):
                state[:] = arrays[f"optimizer{number}"]
            if config["best_score"] is not None:
                stopping.best_score = config["best_score"]
            if config["lowest"] is not None:
                self.last_good.lowest = config["lowest"]
            stopping.waited, self.last_good.name = config["waited"], config["last_good"]
            optimizer.steps, self.history = config["steps"], config["history"]
        except (KeyError, ValueError) as error:
            raise FormatError(
                f"{path} does not hold this training's state ({error}); delete it to start anew"
            ) from error
        stopping.best_values = np.array(arrays["best"]) if "best" in arrays else None
        self.kept_epochs = len(self.history)

    @contextmanager
    def _told(self, checkpoint: str | PathLike[str] | None) -> Iterator[None]:
        """Let an interrupt say what is kept."""
        try:
            yield
        except KeyboardInterrupt as error:
            if checkpoint is None or not self.kept_epochs:
                raise
            kept = f"{checkpoint} has the state after epoch {self.kept_epochs}"
            raise KeyboardInterrupt(f"{kept}, from which --resume (resume=True) goes on") from error

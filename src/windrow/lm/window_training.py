"""Training of a window language model: epochs of shuffled minibatches, validation, the best parameters kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from math import exp, isfinite, log, nan
from os import PathLike
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from windrow import storage
from windrow.errors import DataError, FormatError
from windrow.kernels.head_contexts import gather_contexts
from windrow.lm.stream import BOS, Ids
from windrow.lm.window_network import WindowNetwork
from windrow.nn.clipping import clip_by_norm
from windrow.nn.optimizers import Optimizer
from windrow.nn.parameters import Array
from windrow.nn.regularisers import L2
from windrow.nn.schedules import Schedule
from windrow.nn.stopping import DivergedError, EarlyStopping, LastGood

CHECKPOINT_KIND = "window-lm-checkpoint"
SCORED_ROWS = 1024  # at a time, when nothing is learned
_REPORT_SECONDS = 0.2


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

    ``batch_size`` rows a step; ``clip``: the longest gradient; ``patience``: epochs without a better validation.
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


def predicted_positions(stream: Ids) -> NDArray[Any]:
    """Where a symbol is predicted: everywhere but at ``<s>``."""
    positions = np.flatnonzero(stream != BOS)
    return positions.astype(np.int32) if len(stream) < 2**31 else positions


def score_positions(network: WindowNetwork, stream: Ids, window: int) -> NDArray[np.float64]:
    """The natural-log probability of each symbol of ``stream``, 0 at ``<s>``; (symbols,)."""
    log_probs, positions = np.zeros(len(stream)), predicted_positions(stream)
    for first in range(0, len(positions), SCORED_ROWS):
        batch = positions[first : first + SCORED_ROWS]
        contexts = np.empty((len(batch), window), np.int32)
        gather_contexts(stream, batch, BOS, contexts)
        log_probs[batch] = network.head.target_log_probs(network.hidden_rows(contexts), stream[batch])
    return log_probs


class WindowTraining:
    """One training from its start, or from a checkpoint, to its end; ``history`` has a Report's data an epoch."""

    def __init__(self, network: WindowNetwork, plan: Plan, stream: Ids, valid: Ids | None, window: int) -> None:
        self.network = network
        self.plan = plan
        self.stream = stream
        self.valid = valid
        self.window = window
        self.history: list[dict[str, Any]] = []
        self.positions = predicted_positions(stream)
        self.regulariser = L2(plan.l2)
        self.stopping = EarlyStopping(plan.patience or plan.epochs)
        self.is_over = False
        plan.optimizer.start(network.body)
        self.last_good = LastGood(network.values())

    def run(
        self,
        callbacks: Sequence[Callback] = (),
        progress: Callback | None = None,
        checkpoint: str | PathLike[str] | None = None,
        described: dict[str, Any] | None = None,
    ) -> None:
        """Train the epochs that are left. With ``checkpoint``, the state is kept there after every one of them.

        ``described``: plain data about the model that ``restore`` compares. Raises DivergedError when the loss is no
        finite number; the network then has its last good parameters.
        """
        with threadpool_limits(self.plan.workers):
            while len(self.history) < self.plan.epochs and not self.is_over:
                report = self._epoch(progress)
                self.history.append(report.to_json())
                self._judge(report)
                answers = [callback(report) for callback in callbacks]  # all are told
                self.is_over |= any(answer is True for answer in answers)
                if checkpoint is not None:
                    self.save(checkpoint, described or {})
        if self.valid is not None and self.stopping.best_values is not None:
            self.network.set_values(self.stopping.best_values)

    def _judge(self, report: Report) -> None:
        """Keep the parameters if they are the best so far; training may be over."""
        if report.valid_perplexity is not None:
            score, values = -log(report.valid_perplexity), self.network.values()
            self.is_over = self.stopping.is_over(score, values) and self.plan.patience is not None

    def _epoch(self, progress: Callback | None) -> Report:
        epoch = len(self.history) + 1
        try:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # divergence is told in words
                report = self._train_epoch(epoch, progress)
        except DivergedError as error:
            self.network.set_values(self.last_good.values)
            raise DivergedError(
                f"training diverged in epoch {epoch}: {error}; the model has the parameters of {self.last_good.name} "
                f"again; try learning_rate={self.plan.learning_rate / 10:g} or clip=1"
            ) from None
        self.last_good.keep(self.network.values(), epoch, report.loss)
        if self.valid is None:
            return report
        log_probs = score_positions(self.network, self.valid, self.window)
        perplexity = exp(min(-log_probs.sum() / max(len(predicted_positions(self.valid)), 1), 700))
        return Report(**{**asdict(report), "valid_perplexity": perplexity})

    def _train_epoch(self, epoch: int, progress: Callback | None) -> Report:
        """All words once, in a new order that follows from the seed and the epoch alone."""
        plan, seeds = self.plan, [self.plan.seed, epoch]
        self.network.rng, self.network.head.rng = (np.random.default_rng([*seeds, use]) for use in (1, 2))
        order = np.random.default_rng([*seeds, 0]).permutation(self.positions)
        before = self.history[-1]["seconds"] if self.history else 0.0
        words_before, total, started, reported = len(order) * (epoch - 1), 0.0, perf_counter(), 0.0
        rate = nan
        for first in range(0, len(order), plan.batch_size):
            rate = self._rate(epoch, first / len(order))
            total += self._step(order[first : first + plan.batch_size], rate)
            done, seconds = min(len(order), first + plan.batch_size), perf_counter() - started
            if not isfinite(total):
                raise DivergedError(f"the loss at word {words_before + done:,} is {total}")
            if progress is not None and seconds >= reported + _REPORT_SECONDS:
                reported = seconds
                words = words_before + done
                progress(Report(epoch, words, total / done, None, rate, before + seconds, words / (before + seconds)))
        if not np.isfinite(self.network.values()).all():
            raise DivergedError(f"the loss was {total / len(order):g}, and a parameter is no finite number")
        seconds, words = before + perf_counter() - started, words_before + len(order)
        return Report(epoch, words, total / len(order), None, rate, seconds, words / seconds)

    def _step(self, positions: NDArray[Any], rate: float) -> float:
        """Learn to predict the symbols at some positions; returns their summed loss."""
        network, plan = self.network, self.plan
        contexts = np.empty((len(positions), self.window), np.int32)
        gather_contexts(self.stream, positions, BOS, contexts)
        network.body.clear_gradients()
        loss = network.loss_and_gradient(contexts, self.stream[positions], rate=rate if network.apart else None)
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
            "is_over": self.is_over,
            "steps": optimizer.steps,
            "best_score": stopping.best_score if isfinite(stopping.best_score) else None,
            "waited": stopping.waited,
            "last_good": self.last_good.name,
            "lowest": self.last_good.lowest if isfinite(self.last_good.lowest) else None,
        }
        storage.save(path, CHECKPOINT_KIND, arrays, config)

    def restore(self, path: str | PathLike[str], described: dict[str, Any]) -> None:
        """Go on from a checkpoint; DataError if it is of another configuration or text."""
        stored = storage.load(path, CHECKPOINT_KIND)
        config, arrays = stored.config, stored.arrays
        different = sorted(name for name, value in described.items() if config["model"].get(name) != value)
        if different:
            raise DataError(
                f"{path} is of a training with another {', '.join(different)}; go on with the same options and text, "
                "or delete it to start anew"
            )
        optimizer, stopping = self.plan.optimizer, self.stopping
        try:
            self.network.set_values(np.array(arrays["values"]))
            self.last_good.values = np.array(arrays["last_good"])
            for number, state in enumerate(optimizer.states):
                state[:] = arrays[f"optimizer{number}"]
        except (KeyError, ValueError) as error:
            raise FormatError(f"{path} does not hold this model's arrays ({error}); delete it to start anew") from error
        stopping.best_values = np.array(arrays["best"]) if "best" in arrays else None
        if config["best_score"] is not None:
            stopping.best_score = config["best_score"]
        if config["lowest"] is not None:
            self.last_good.lowest = config["lowest"]
        stopping.waited, self.last_good.name = config["waited"], config["last_good"]
        optimizer.steps, self.history, self.is_over = config["steps"], config["history"], config["is_over"]

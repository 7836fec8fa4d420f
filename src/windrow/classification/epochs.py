"""The epochs of a training: texts in a new order in each, shared by the workers, and what is reported of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from windrow import interrupts
from windrow.bars import Listeners
from windrow.classification.training import Learning
from windrow.nn.training.report import Callback, Report, call_all, log_start
from windrow.nn.training.stopping import DivergedError
from windrow.numeric.compiling import working_time
from windrow.numeric.rng import RngState
from windrow.numeric.threads import crew, share

_TEXTS_AT_A_TIME = 4096


class Trained(Protocol):
    """The part of a TextClassifier that its epochs need."""

    seed: int
    epochs: int
    learning_rate: float
    workers: int
    callbacks: Sequence[Callback]
    history_: list[dict[str, Any]]
    vectors_: NDArray[np.float32]
    output_vectors_: NDArray[np.float32]


def train_epochs(model: Trained, learning: Learning, bar: Listeners, after: int = 0) -> None:
    """Train for ``model.epochs``; ``after``: that many were trained before, which reports and draws count."""
    texts, seconds = len(learning.texts), model.history_[-1]["seconds"] if after else 0.0
    progress, callbacks = bar.progress, [*bar.callbacks, *model.callbacks]
    log_start(after + 1, after + model.epochs, texts, "texts")
    with interrupts.held(), crew(model.workers):
        for epoch in range(after + 1, after + model.epochs + 1):
            order = np.random.default_rng([model.seed, epoch]).permutation(texts)
            started, summed = working_time(), 0.0
            for first in range(0, len(order), _TEXTS_AT_A_TIME):
                block = order[first : first + _TEXTS_AT_A_TIME]
                summed += _learn(model, learning, block, (epoch - 1) * texts + first, after * texts)
                interrupts.check()
                if progress is not None:
                    now = seconds + working_time() - started
                    progress(_report(model, "progress", epoch, first + len(block), texts, after, summed, now))
            seconds += working_time() - started
            model.output_vectors_ = learning.outputs
            _check_sound(model, epoch, summed)
            report = _report(model, "epoch", epoch, texts, texts, after, summed, seconds)
            model.history_.append(report.to_json())
            if call_all(callbacks, report):
                break
    model.vectors_ = learning.inputs()


def _learn(model: Trained, learning: Learning, block: NDArray[np.int64], before: int, skipped: int) -> float:
    """Train on some texts, shared by the workers; returns the summed loss."""
    fall = model.learning_rate / (len(learning.texts) * model.epochs)

    def train(first: int, last: int) -> float:
        state: RngState = (
            np.random.SeedSequence([model.seed, before + first]).generate_state(2, np.uint32).view(np.uint64)
        )
        rates = (model.learning_rate - fall * (before - skipped + first), fall)
        return learning.learn(block[first:last], rates, state)

    return float(sum(share(len(block), train)))


def _report(
    model: Trained, event: str, epoch: int, of_epoch: int, texts: int, after: int, summed: float, seconds: float
) -> Report:
    """``of_epoch``: how many of its texts an epoch has seen."""
    done = (epoch - 1) * texts + of_epoch
    return Report(
        event=event,
        epoch=epoch,
        epochs=after + model.epochs,
        examples=done,
        total_examples=texts * (after + model.epochs),
        loss=summed / max(of_epoch, 1),
        learning_rate=model.learning_rate * (1 - (done - after * texts) / (texts * model.epochs)),
        seconds=seconds,
    )


def _check_sound(model: Trained, epoch: int, loss: float) -> None:
    if not (np.isfinite(loss) and np.isfinite(model.output_vectors_).all()):
        raise DivergedError(
            f"training diverged in epoch {epoch}: the loss is {loss:g}; try learning_rate = "
            f"{model.learning_rate / 10:g}"
        )

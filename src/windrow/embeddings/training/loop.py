"""The training of word vectors from start to end: epochs, callbacks, checkpoints, and interrupts.

The words themselves are trained on in ``run.advance``; the folder's docstring leads on from there.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow import interrupts
from windrow.embeddings.steps.contract import TrainingStep
from windrow.embeddings.training.checkpoint import Checkpoint, damaged
from windrow.embeddings.training.progress import Callback, Progress
from windrow.embeddings.training.run import Run
from windrow.errors import OptionError
from windrow.nn.training.keeping import Keeper
from windrow.nn.training.report import call_all, log_start
from windrow.nn.training.stopping import RUNAWAY, DivergedError
from windrow.numeric.compiling import working_time

_SHORTEST_INTERVAL = 0.05  # seconds between two checkpoints: long enough for a worker to take a job


@dataclass
class VectorTraining:
    """The tables, the run over the corpus that trains them, and the record of its epochs."""

    table: NDArray[Any]  # input vectors, (words, stride)
    vector_size: int  # the rest of a row is padding
    layers: dict[str, TrainingStep]
    run: Run  # None in a model that was loaded
    epochs: int
    identity: dict[str, Any]  # parameters of the model and fingerprint of the corpus
    history: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    is_running: bool = False
    retrains: bool = False  # the model was trained before, and is to be as it was if this fails
    fits_blocks: bool = True  # see make_training; False only while an older checkpoint goes on
    started_from: Mapping[str, Any] | None = None  # fingerprints of what is known beside the text, see Start
    ties: str = "heap"  # of a Huffman tree
    texts: Sequence[str] = ()  # fingerprints of the corpora that the vocabulary counts
    stopped_at: NDArray[np.uint64] | None = None  # the state of the random numbers, where there is no run any more

    def __getstate__(self) -> dict[str, Any]:
        """For pickle: what was learned, without corpus and workers."""
        return {**self.__dict__, "run": None, "stopped_at": self.randomness()}

    def randomness(self) -> NDArray[np.uint64] | None:
        """The state of each worker's random numbers, (workers, numbers of a state)."""
        return self._drawn() if self._has_run() else self.stopped_at

    def _drawn(self) -> NDArray[np.uint64]:
        return np.stack([worker.randomness.save() for worker in self.run.workers])

    def _restore_draws(self, states: NDArray[np.uint64]) -> None:
        for worker, state in zip(self.run.workers, states, strict=True):
            worker.randomness.restore(state)

    def _has_run(self) -> bool:
        return self.run is not None

    def go_on_drawing(self, stopped_at: NDArray[np.uint64] | None) -> None:
        """Let the random numbers go on where they stopped in another training, if its workers were alike."""
        if stopped_at is not None and stopped_at.shape == self._drawn().shape:
            self._restore_draws(stopped_at)

    def train(
        self,
        callbacks: Iterable[Callback] = (),
        report_words: int | None = None,
        checkpoint: str | PathLike[str] | None = None,
        checkpoint_every: float | None = None,
        progress: Callback | None = None,
    ) -> None:
        """Train to the last epoch, or until a callback returns something true.

        On KeyboardInterrupt the jobs in progress are finished, the state is written to ``checkpoint`` if given, or
        elsewhere if that cannot be written, and the KeyboardInterrupt that is raised says what was kept.
        """
        keeper = None if checkpoint is None else Keeper(checkpoint, self.save)
        interval = math.inf
        if checkpoint is not None and checkpoint_every is not None:
            interval = max(checkpoint_every, _SHORTEST_INTERVAL)
        with interrupts.held():
            self._train(tuple(callbacks), report_words, keeper, interval, progress)

    def _train(
        self,
        callbacks: tuple[Callback, ...],
        report_words: int | None,
        keeper: Keeper | None,
        interval: float,
        progress: Callback | None,
    ) -> None:
        log_start(self.run.position.epoch + 1, self.epochs, self.run.jobs.words(), "words")
        deadline = time.monotonic() + interval
        stopped = False
        self.is_running = True
        try:
            while self.run.position.epoch < self.epochs and not stopped:
                interrupts.check()
                words_before = self.run.position.words
                self._advance(report_words, deadline, progress)
                stopped = self._call(callbacks, words_before, report_words)
                if keeper is not None and time.monotonic() >= deadline:
                    keeper.keep()
                    deadline = time.monotonic() + interval
        except KeyboardInterrupt:
            self.run.settle()
            kept = "the model is as it was before" if self.retrains else "the model has its vectors so far"
            if keeper is not None:
                kept = keeper.keep_at_last()
            done = self.run.position.words / self._total_words()
            raise KeyboardInterrupt(f"training stopped at {done:.1%}; {kept}") from None
        finally:
            self.is_running = False
            self.run.end()

    def report(self, event: str) -> Progress:
        """How far training has come, as callbacks get it."""
        position = self.run.position
        return Progress(
            event=event,
            epoch=position.epoch + 1,
            epochs=self.epochs,
            examples=position.words,
            total_examples=self._total_words(),
            loss=position.loss / max(1, position.kept_words),
            learning_rate=self.run.rate(),
            seconds=self.seconds,
        )

    def save(self, path: str | PathLike[str]) -> None:
        """Write a checkpoint, atomically; OptionError where the training was left behind by pickle or ``load``."""
        if not self._has_run():
            raise OptionError("a model that was loaded has no training to resume; to train on, see fit, continue_from")
        self._checkpoint().write(path)

    def restore(self, path: str | PathLike[str]) -> None:
        """Go on from what ``save`` wrote; FormatError if it was taken from another model or corpus."""
        kept = Checkpoint.read(path, now=self._checkpoint())
        if not kept.position.is_within(self.epochs, len(self.run.jobs)):
            raise damaged(path, "its position is out of range")
        for name, table in self._tables().items():
            table[:] = kept.tables[name]
        try:
            self._restore_draws(kept.randomness)
        except ValueError as error:
            raise damaged(path, error) from error
        self.run.position, self.seconds = kept.position, kept.seconds
        self.history[:] = kept.history

    def _checkpoint(self) -> Checkpoint:
        identity = {**self.identity, "fits_blocks": self.fits_blocks}
        if "hs" in self.layers and self.ties != "heap":
            identity["tree_ties"] = self.ties
        if self.started_from is not None:
            identity["started_from"] = dict(self.started_from)
        return Checkpoint(identity, self.run.position, self.history, self.seconds, self._tables(), self._drawn())

    def _tables(self) -> dict[str, NDArray[Any]]:
        """All parameters, by their names in a checkpoint."""
        outputs = {f"output_{name}": layer.parameters for name, layer in self.layers.items()}
        return {"input": self.table, **outputs}

    def _advance(self, report_words: int | None, deadline: float, progress: Callback | None) -> None:
        """Train up to the next event, and add the time it took to ``seconds``."""
        started, seconds_before = working_time(), self.seconds

        def report_progress() -> None:
            self.seconds = seconds_before + working_time() - started
            if progress is not None:
                progress(self.report("progress"))

        words_read = self.run.position.words
        next_report = (words_read // report_words + 1) * report_words if report_words else math.inf
        try:
            self.run.advance(next_report, deadline, report_progress)
        finally:
            self.seconds = seconds_before + working_time() - started
        self._check_divergence()

    def _check_divergence(self) -> None:
        """Raise DivergedError when a loss or a number of the tables is out of bounds.

        The loss alone does not tell: that of the block kernels ends at a score of 30, where vectors grow on.
        """
        reason = "" if math.isfinite(self.run.position.loss) else "the loss is not a finite number any more"
        for name, table in self._tables().items():
            largest = max(table.max(), -table.min())
            if not largest <= RUNAWAY and not reason:  # also NaN
                reason = f"a number of the {name.replace('_', ' ')} vectors has grown to {largest:g}"
        if reason:
            rate, is_block = self.run.schedule.alpha, self.identity.get("kernel") == "block"
            or_pair = " or kernel = 'pair'" if is_block else ""
            raise DivergedError(
                f"training diverged in epoch {self.run.position.epoch + 1} with alpha = {rate:g}: {reason}; try "
                f"alpha = {rate / 10:g}{or_pair}"
            )

    def _call(self, callbacks: tuple[Callback, ...], words_before: int, report_words: int | None) -> bool:
        """Call the callbacks for what has just been completed; whether one of them asks to stop."""
        stopped = False
        if report_words and words_before // report_words < self.run.position.words // report_words:
            stopped |= call_all(callbacks, self.report("progress"))
        if self.run.epoch_is_over():
            report = self.report("epoch")
            # Not appended: if a callback was interrupted here, the row is there already.
            self.history[self.run.position.epoch :] = [report.to_json()]
            stopped |= call_all(callbacks, report)
            self.run.start_next_epoch()
        return stopped

    def _total_words(self) -> int:
        return self.run.jobs.words() * self.epochs

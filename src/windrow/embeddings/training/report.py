"""Training from start to end: epochs, callbacks, checkpoints, and what happens when it is interrupted."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from os import PathLike, fspath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.steps.contract import OutputLayer
from windrow.embeddings.training.hogwild import Position, Run
from windrow.errors import DataError, FormatError
from windrow.files import model_file
from windrow.nn.training.checkpoint import START_AGAIN, with_new_names
from windrow.nn.training.report import Callback, Report, call_all

CHECKPOINT_KIND = "word2vec-checkpoint"
_SHORTEST_INTERVAL = 0.05  # seconds between two checkpoints: long enough for a worker to take a job


# What a callback gets: examples are raw words, the loss is the mean per trained center word over this epoch so far.
Progress = Report


@dataclass
class Training:
    """The tables, the run over the corpus that changes them, and the record of its epochs."""

    table: NDArray[Any]  # input vectors, (words, stride)
    vector_size: int  # the rest of a row is padding
    layers: dict[str, OutputLayer]
    run: Run
    epochs: int
    identity: dict[str, Any]  # of model and corpus: a checkpoint fits only what it was taken from
    history: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    is_running: bool = False

    def __getstate__(self) -> dict[str, Any]:
        """For pickle: what was learned, without the corpus and the workers."""
        return {**self.__dict__, "run": None}

    def train(
        self,
        callbacks: Iterable[Callback] = (),
        report_words: int | None = None,
        checkpoint: str | PathLike[str] | None = None,
        checkpoint_every: float | None = None,
        tick: Callback | None = None,
    ) -> None:
        """Train to the last epoch, or until a callback returns something true.

        On KeyboardInterrupt the jobs at work are finished, the state goes to ``checkpoint`` if given, and the
        exception that goes on says what was kept.
        """
        callbacks = tuple(callbacks)
        interval = math.inf
        if checkpoint is not None and checkpoint_every is not None:
            interval = max(checkpoint_every, _SHORTEST_INTERVAL)
        deadline = time.monotonic() + interval
        stopped = False
        self.is_running = True
        try:
            while self.run.position.epoch < self.epochs and not stopped:
                words_before = self.run.position.words
                self._advance(report_words, deadline, tick)
                stopped = self._report(callbacks, words_before, report_words)
                if checkpoint is not None and time.monotonic() >= deadline:
                    self.save(checkpoint)
                    deadline = time.monotonic() + interval
        except KeyboardInterrupt:
            self.run.settle()
            kept = "the model has its vectors so far"
            if checkpoint is not None:
                self.save(checkpoint)
                kept = f"its state is kept in {fspath(checkpoint)}; resume to go on from there"
            share = self.run.position.words / self._total_words()
            raise KeyboardInterrupt(f"training stopped at {share:.1%}; {kept}") from None
        finally:
            self.is_running = False

    def progress(self, event: str) -> Progress:
        """How things stand now."""
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
        """Write everything that the rest of the training depends on, atomically."""
        randomness = np.stack([worker.randomness.save() for worker in self.run.workers])
        config = {
            "identity": self.identity,
            "position": asdict(self.run.position),
            "history": self.history,
            "seconds": self.seconds,
        }
        model_file.save(path, CHECKPOINT_KIND, {**self._tables(), "randomness": randomness}, config)

    def restore(self, path: str | PathLike[str]) -> None:
        """Go on from what ``save`` wrote; FormatError if it was taken from another model or corpus."""
        stored = model_file.load(path, CHECKPOINT_KIND)
        kept, asked = stored.config["identity"], self.identity
        for name in asked:
            if kept.get(name) != asked[name]:
                raise FormatError(
                    f"the checkpoint {fspath(path)} was taken with {name} = {kept.get(name)!r}, this run has "
                    f"{asked[name]!r}; use the same options and corpus, or {START_AGAIN}"
                )
        try:
            position = Position(**stored.config["position"])
            history, seconds = list(map(with_new_names, stored.config["history"])), float(stored.config["seconds"])
            tables = {name: stored.arrays[name] for name in self._tables()}
            randomness = stored.arrays["randomness"]
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise FormatError(f"the checkpoint {fspath(path)} is damaged ({error}); {START_AGAIN}") from error
        shapes_agree = all(tables[name].shape == table.shape for name, table in self._tables().items())
        in_range = 0 <= position.epoch <= self.epochs and 0 <= position.job <= len(self.run.jobs)
        if not shapes_agree or not in_range or len(randomness) != len(self.run.workers):
            raise FormatError(f"the checkpoint {fspath(path)} is damaged (sizes disagree); {START_AGAIN}")
        for name, table in self._tables().items():
            model_file.check_finite(tables[name], name, path)
            table[:] = tables[name]
        for worker, saved in zip(self.run.workers, randomness, strict=True):
            worker.randomness.restore(saved)
        self.run.position, self.seconds = position, seconds
        self.history[:] = history

    def _tables(self) -> dict[str, NDArray[Any]]:
        """All parameters, by their names in a checkpoint."""
        outputs = {f"output_{name}": layer.parameters for name, layer in self.layers.items()}
        return {"input": self.table, **outputs}

    def _advance(self, report_words: int | None, deadline: float, tick: Callback | None) -> None:
        """Train up to the next event, adding to ``seconds`` what it took."""
        started, seconds_before = time.monotonic(), self.seconds

        def update() -> None:
            self.seconds = seconds_before + time.monotonic() - started
            if tick is not None:
                tick(self.progress("progress"))

        words_read = self.run.position.words
        next_report = (words_read // report_words + 1) * report_words if report_words else math.inf
        try:
            self.run.advance(next_report, deadline, update)
        finally:
            self.seconds = seconds_before + time.monotonic() - started
        if not math.isfinite(self.run.position.loss):
            raise DataError(
                f"training diverged in epoch {self.run.position.epoch + 1}: the loss is not a finite number any more; "
                "lower alpha"
            )

    def _report(self, callbacks: tuple[Callback, ...], words_before: int, report_words: int | None) -> bool:
        """Tell the callbacks what has just been completed; whether one of them asks to stop."""
        stopped = False
        if report_words and words_before // report_words < self.run.position.words // report_words:
            progress = self.progress("progress")
            stopped |= call_all(callbacks, progress)
        if self.run.epoch_is_over():
            progress = self.progress("epoch")
            self.history[self.run.position.epoch :] = [
                progress.to_json()
            ]  # not twice, if a callback was interrupted here
            stopped |= call_all(callbacks, progress)
            self.run.start_next_epoch()
        return stopped

    def _total_words(self) -> int:
        return self.run.jobs.words() * self.epochs

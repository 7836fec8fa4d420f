"""Workers: threads that take jobs and update the shared tables without locks (Hogwild, Niu et al. 2011)."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.kernels.contexts import Context, new_block
from windrow.embeddings.kernels.windows import Chunk
from windrow.embeddings.steps.combined import train_both_pairs
from windrow.embeddings.steps.contract import TrainingStep
from windrow.embeddings.training.draws import ChunkDrawer, Randomness
from windrow.embeddings.training.hot_rows import HotRows
from windrow.embeddings.training.jobs import Jobs, Schedule

_TICK_SECONDS = 0.2


class Worker:
    """What one thread trains with: its own scratch memory and random numbers, on tables that all threads share."""

    def __init__(
        self,
        drawer: ChunkDrawer,
        table: NDArray[Any],
        context: Context,
        layers: list[TrainingStep],
        kernel: str,
        randomness: Randomness,
        hot_rows: HotRows | None = None,
    ) -> None:
        self.randomness = randomness
        self._hot_rows = hot_rows
        self._drawer = drawer
        self._table = table.reshape(-1)
        self._context = context
        self._rate_type = table.dtype.type
        self._steps = self._pair_steps(layers) if kernel == "pair" else self._block_steps(layers)

    def train(self, job: Job) -> tuple[int, float]:
        """Update the tables; returns the number of center words and the summed loss."""
        chunk = self._drawer.draw(job.ids, job.starts, self.randomness)
        if self._hot_rows:
            self._hot_rows.copy()
            chunk = chunk._replace(rows=self._hot_rows.rows_of(chunk.words))
        loss = sum(float(step(chunk, self._rate_type(job.rate))) for step in self._steps)
        if self._hot_rows:
            self._hot_rows.merge()
        return chunk.words.size, loss

    def _pair_steps(self, layers: list[TrainingStep]) -> list[Callable[[Chunk, Any], float]]:
        state, table, context = self.randomness.state, self._table, self._context
        if len(layers) == 2:
            tree, noise = layers[0].pair_arguments(), layers[1].pair_arguments()
            return [lambda chunk, rate: train_both_pairs(chunk, table, context, rate, tree, noise, state)]
        bound = layers[0].pair_arguments()
        return [lambda chunk, rate: layers[0].train_pairs(chunk, table, context, rate, bound, state)]

    def _block_steps(self, layers: list[TrainingStep]) -> list[Callable[[Chunk, Any], float]]:
        """A function for each layer, which makes one pass over a chunk."""
        state, table, context = self.randomness.state, self._table, self._context
        block = new_block(self._context, self._table.dtype)

        def bind(layer: TrainingStep) -> Callable[[Chunk, Any], float]:
            bound = layer.block_arguments(len(block.row_weights))
            hot = self._hot_rows
            if hot:
                bound = hot.bind(layer, bound)

            def step(chunk: Chunk, rate: Any) -> float:
                draws = layer.draw(bound, -(-chunk.words.size // context.block_size), state)
                if hot and layer.words_are_rows:
                    chunk, draws = chunk._replace(words=chunk.rows), hot.rows_of(draws)
                return layer.train_blocks(chunk, table, context, block, rate, bound, draws)

            return step

        return [bind(layer) for layer in layers]


@dataclass
class Position:
    """How far a training run has come."""

    epoch: int = 0
    job: int = 0  # the next one of this epoch
    words: int = 0  # raw words read since training began, unknown and dropped ones included
    kept_words: int = 0  # center words trained on in this epoch
    loss: float = 0.0  # summed over this epoch


class Job(NamedTuple):
    """The tokens of a job, where its sentences start in them, and its learning rate."""

    ids: NDArray[np.int32]  # (tokens,)
    starts: NDArray[np.int64]  # (sentences + 1,)
    rate: float


class HasRandomness(Protocol):
    """What a checkpoint needs of a worker."""

    randomness: Randomness


@dataclass
class Run(ABC):
    """The jobs of a corpus, the workers, and the position that they share."""

    ids: NDArray[np.int32]
    starts: NDArray[np.int64]
    jobs: Jobs
    schedule: Schedule
    workers: Sequence[HasRandomness]
    position: Position = field(default_factory=Position)
    _idle: threading.Condition = field(default_factory=threading.Condition, repr=False)  # also guards the position
    _takes_at_work: int = field(default=0, repr=False)
    _stopping: bool = field(default=False, repr=False)

    def advance(self, words: float, deadline: float, tick: Callable[[], None]) -> None:
        """Train until the epoch ends, ``words`` raw words are read in all, or ``deadline`` (time.monotonic) is past.

        Every job that has begun is finished, also after KeyboardInterrupt, so that the position always agrees with what
        the tables have learned. ``tick`` is called from this thread a few times a second.
        """
        self._stopping = False
        loops = self._loops(lambda most: self._take_jobs(most, words, deadline))
        with ThreadPoolExecutor(len(loops)) as pool:
            try:
                pending = {pool.submit(loop) for loop in loops}
                while pending:
                    done, pending = wait(pending, timeout=_TICK_SECONDS, return_when=FIRST_EXCEPTION)
                    for future in done:
                        future.result()
                    tick()
            finally:
                self.settle()  # before the pool waits for its threads, which would go on to the end of the epoch

    def settle(self) -> None:
        """Give out no more jobs, and wait until those in progress are done.

        The pool cannot wait for a thread that was just being started when KeyboardInterrupt came: it does not know it.
        """
        self._stopping = True
        with self._idle:
            self._idle.wait_for(lambda: self._takes_at_work == 0)

    def epoch_is_over(self) -> bool:
        """Whether all jobs of this epoch are done."""
        return self.position.job == len(self.jobs)

    def start_next_epoch(self) -> None:
        """Start again at the first job."""
        # In one assignment, so that an interrupt leaves either the old position or the new one.
        self.position = Position(epoch=self.position.epoch + 1, words=self.position.words)

    def rate(self) -> float:
        """The learning rate of the next job."""
        return self.schedule.rate(self.position.epoch, self.jobs.fraction_before(self.position.job))

    @abstractmethod
    def _loops(self, take: Callable[[int], list[Job]]) -> list[Callable[[], None]]:
        """What the threads run: call ``take(most)`` for jobs until it gives none, and ``_finish`` after each call."""

    def _take_jobs(self, most: int, words: float, deadline: float) -> list[Job]:
        """The next jobs, ``most`` or fewer; none when it is time to stop."""
        with self._idle:
            position, jobs = self.position, self.jobs
            if self._stopping or self.epoch_is_over() or position.words >= words or time.monotonic() >= deadline:
                return []
            chosen = range(position.job, min(position.job + most, len(jobs)))
            rates = [self.schedule.rate(position.epoch, jobs.fraction_before(job)) for job in chosen]
            self._takes_at_work += 1
            position.job = chosen.stop
            position.words += int(jobs.bounds[chosen.stop] - jobs.bounds[chosen.start])
        return [self._job(job, rate) for job, rate in zip(chosen, rates, strict=True)]

    def _job(self, job: int, rate: float) -> Job:
        first, last = int(self.jobs.bounds[job]), int(self.jobs.bounds[job + 1])
        starts = self.starts[self.jobs.sentences[job] : self.jobs.sentence_ends[job] + 1]
        starts = np.clip(starts, first, last) - first  # the job may be a piece of one sentence
        return Job(self.ids[first:last], starts, rate)

    def _finish(self, kept_words: int, loss: float) -> None:
        """Mark the jobs of one ``take`` as done."""
        with self._idle:
            self.position.kept_words += kept_words
            self.position.loss += loss
            self._takes_at_work -= 1
            self._idle.notify_all()


@dataclass
class Hogwild(Run):
    """Each worker trains on its own, on tables that all share."""

    workers: Sequence[Worker]

    def _loops(self, take: Callable[[int], list[Job]]) -> list[Callable[[], None]]:
        return [lambda worker=worker: self._work(worker, take) for worker in self.workers]  # type: ignore[misc]

    def _work(self, worker: Worker, take: Callable[[int], list[Job]]) -> None:
        while jobs := take(1):
            kept_words, loss = 0, 0.0
            try:
                kept_words, loss = worker.train(*jobs)
            finally:
                self._finish(kept_words, loss)

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

from windrow.embeddings.kernels.contexts import Block, Context
from windrow.embeddings.kernels.windows import Chunk
from windrow.embeddings.steps.combined import train_both_pairs
from windrow.embeddings.steps.contract import Step
from windrow.embeddings.training.draws import ChunkDrawer, Randomness
from windrow.embeddings.training.hot_rows import HotRows
from windrow.embeddings.training.jobs import Jobs, Schedule
from windrow.numeric.simd import LANES
from windrow.numeric.tables import padded_width, zero_table

_TICK_SECONDS = 0.2


class Worker:
    """One thread's share of the machine: scratch memory and a source of random numbers; the tables are shared."""

    def __init__(
        self,
        drawer: ChunkDrawer,
        table: NDArray[Any],
        context: Context,
        layers: list[Step],
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
            self._hot_rows.fetch()
            chunk = chunk._replace(rows=self._hot_rows.move(chunk.words))
        loss = sum(float(step(chunk, self._rate_type(job.rate))) for step in self._steps)
        if self._hot_rows:
            self._hot_rows.give_back()
        return chunk.words.size, loss

    def _pair_steps(self, layers: list[Step]) -> list[Callable[[Chunk, Any], float]]:
        state, table, context = self.randomness.state, self._table, self._context
        if len(layers) == 2:
            tree, noise = layers[0].pair_layer(), layers[1].pair_layer()
            return [lambda chunk, rate: train_both_pairs(chunk, table, context, rate, tree, noise, state)]
        bound = layers[0].pair_layer()
        return [lambda chunk, rate: layers[0].train_pairs(chunk, table, context, rate, bound, state)]

    def _block_steps(self, layers: list[Step]) -> list[Callable[[Chunk, Any], float]]:
        """One pass over the chunk for each layer."""
        state, table, context = self.randomness.state, self._table, self._context
        block = new_block(self._context, self._table.dtype)

        def bind(layer: Step) -> Callable[[Chunk, Any], float]:
            bound = layer.block_layer(len(block.row_weights))
            hot = self._hot_rows
            if hot:
                bound = hot.bind(layer, bound)

            def step(chunk: Chunk, rate: Any) -> float:
                draws = layer.draw(bound, -(-chunk.words.size // context.block_size), state)
                if hot and layer.words_are_rows:
                    chunk, draws = chunk._replace(words=chunk.rows), hot.move(draws)
                return layer.train_blocks(chunk, table, context, block, rate, bound, draws)

            return step

        return [bind(layer) for layer in layers]


def new_block(context: Context, dtype: Any) -> Block:
    """Scratch for the largest block of a model; kernels read and write 16 numbers, and 4 rows, beyond the last."""
    neighbours = 2 * context.window if context.skipgram else 0
    rows = context.block_size + neighbours + LANES
    width = padded_width(neighbours + 1) if context.skipgram else 1
    pairs = context.block_size * width + 2 * LANES
    return Block(
        hidden=zero_table(rows, context.stride, dtype).reshape(-1),
        gradient=zero_table(rows, context.stride, dtype).reshape(-1),
        row_weights=np.zeros(rows + LANES, dtype),
        targets=np.zeros(context.block_size + LANES, np.int32),
        first_rows=np.zeros(context.block_size + LANES, np.int32),
        pair_counts=np.zeros(context.block_size, np.int32),
        gaps=np.zeros(context.block_size, np.int32),
        pair_weights=np.zeros(pairs, dtype),
        scores=np.zeros(pairs, dtype),
        around=zero_table(context.block_size + 2 * context.window + 1, context.stride, dtype).reshape(-1),
        width=width,
    )


@dataclass
class Position:
    """How far a training run has come."""

    epoch: int = 0
    job: int = 0  # the next one of this epoch
    words: int = 0  # raw words read since the start, unknown and dropped ones included
    kept_words: int = 0  # center words trained on in this epoch
    loss: float = 0.0  # summed over this epoch


class Job(NamedTuple):
    """The tokens of a job, where its sentences start in them, and its learning rate."""

    ids: NDArray[np.int32]  # (tokens,)
    starts: NDArray[np.int64]  # (sentences + 1,)
    rate: float


class HasRandomness(Protocol):
    """All that a checkpoint asks of a worker."""

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

        Every job that was begun is finished, also when KeyboardInterrupt arrives, so that the position always tells
        what the tables have seen. ``tick`` is called from this thread a few times a second.
        """
        self._stopping = False
        loops = self._loops(lambda jobs: self._take_jobs(jobs, words, deadline))
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
        """Hand out no more jobs, and wait until those at work are done.

        The pool does not do so by itself: KeyboardInterrupt while it starts a thread leaves that thread unknown to it.
        """
        self._stopping = True
        with self._idle:
            self._idle.wait_for(lambda: self._takes_at_work == 0)

    def epoch_is_over(self) -> bool:
        """Whether all jobs of this epoch are done."""
        return self.position.job == len(self.jobs)

    def start_next_epoch(self) -> None:
        """Begin again at the first job."""
        # One assignment: an interrupt finds the old position or the new one.
        self.position = Position(epoch=self.position.epoch + 1, words=self.position.words)

    def rate(self) -> float:
        """The learning rate of the next job."""
        return self.schedule.rate(self.position.epoch, self.jobs.share_before(self.position.job))

    @abstractmethod
    def _loops(self, take: Callable[[int], list[Job]]) -> list[Callable[[], None]]:
        """What the threads run: take jobs (at most so many) until there are none, and call ``_finish`` each time."""

    def _take_jobs(self, number: int, words: float, deadline: float) -> list[Job]:
        """The next jobs, none when it is time to stop."""
        with self._idle:
            position, jobs = self.position, self.jobs
            if self._stopping or self.epoch_is_over() or position.words >= words or time.monotonic() >= deadline:
                return []
            chosen = range(position.job, min(position.job + number, len(jobs)))
            rates = [self.schedule.rate(position.epoch, jobs.share_before(job)) for job in chosen]
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
        """Report the jobs taken together as done."""
        with self._idle:
            self.position.kept_words += kept_words
            self.position.loss += loss
            self._takes_at_work -= 1
            self._idle.notify_all()


@dataclass
class Hogwild(Run):
    """Each worker on its own, on tables that all share."""

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

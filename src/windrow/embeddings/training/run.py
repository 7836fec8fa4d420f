"""A run over a corpus: jobs of at most 10,000 words, the learning rate of each, and the threads that take them."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from windrow import interrupts
from windrow.numeric.rng import Randomness

JOB_WORDS = 10_000  # as in gensim: the learning rate changes from job to job
_PROGRESS_SECONDS = 0.2  # between two calls of ``progress``


@dataclass(frozen=True)
class Jobs:
    """One epoch, cut into jobs.

    Job j trains the tokens ``bounds[j]`` to ``bounds[j + 1] - 1``, of the sentences ``sentences[j]`` to
    ``sentence_ends[j] - 1``.
    """

    bounds: NDArray[np.int64]  # (jobs + 1,)
    sentences: NDArray[np.int64]  # (jobs,)
    sentence_ends: NDArray[np.int64]  # (jobs,)
    fractions: NDArray[np.float64]  # (jobs,): of the epoch's sentences, how much lies before the job, 0..1

    def __len__(self) -> int:
        return len(self.sentences)

    def fraction_before(self, job: int) -> float:
        """The fraction of the epoch before ``job``; 1 when all are done."""
        return float(self.fractions[job]) if job < len(self) else 1.0

    def words(self) -> int:
        """Raw words of an epoch."""
        return int(self.bounds[-1] - self.bounds[0])

    def part(self, first: int, last: int) -> Jobs:
        """The jobs from ``first`` to ``last - 1`` as an epoch of their own: of a text that begins with the first."""
        before, after = self.fraction_before(first), self.fraction_before(last)
        sentence = self.sentences[first] if first < last else 0
        return Jobs(
            self.bounds[first : last + 1] - self.bounds[first],
            self.sentences[first:last] - sentence,
            self.sentence_ends[first:last] - sentence,
            (self.fractions[first:last] - before) / ((after - before) or 1.0),
        )

    def cut(self, ids: NDArray[np.int32], starts: NDArray[np.int64], job: int, rate: float) -> Job:
        """A job of the text that was cut up: its tokens ``ids`` and the ``starts`` of its sentences."""
        first, last = int(self.bounds[job]), int(self.bounds[job + 1])
        inside = starts[self.sentences[job] : self.sentence_ends[job] + 1]
        return Job(ids[first:last], np.clip(inside, first, last) - first, rate)  # it may be a piece of one sentence


def plan_jobs(starts: NDArray[np.int64], limit: int = JOB_WORDS) -> Jobs:
    """Jobs of whole sentences, of at most ``limit`` raw words each; only a longer sentence is cut into several jobs.

    ``starts`` (sentences + 1,) are token positions. As in gensim the learning rate follows the number of sentences
    that are done, and here also the part of a sentence that is.
    """
    total = len(starts) - 1
    bounds, first, last, fractions = [int(starts[0])], [], [], []
    sentence = 0
    while sentence < total:
        end = int(np.searchsorted(starts, starts[sentence] + limit, side="right")) - 1
        if end > sentence:
            first.append(sentence)
            last.append(end)
            fractions.append(sentence / total)
            bounds.append(int(starts[end]))
            sentence = end
        else:
            start, stop = int(starts[sentence]), int(starts[sentence + 1])
            for piece in range(start, stop, limit):
                first.append(sentence)
                last.append(sentence + 1)
                fractions.append((sentence + (piece - start) / (stop - start)) / total)
                bounds.append(min(piece + limit, stop))
            sentence += 1
    return Jobs(
        bounds=np.array(bounds, np.int64),
        sentences=np.array(first, np.int64),
        sentence_ends=np.array(last, np.int64),
        fractions=np.array(fractions, np.float64),
    )


@dataclass(frozen=True)
class Schedule:
    """The learning rate: linear from ``alpha`` to ``min_alpha`` over all epochs, constant within a job."""

    alpha: float
    min_alpha: float
    epochs: int

    def rate(self, epoch: int, fraction: float) -> float:
        """The rate after ``epoch`` whole epochs and a ``fraction`` (0 to 1) of the next."""
        done = (epoch + fraction) / self.epochs
        return max(self.min_alpha, self.alpha - (self.alpha - self.min_alpha) * done)


@dataclass
class Position:
    """How far a training run has come."""

    epoch: int = 0
    job: int = 0  # the next one of this epoch
    words: int = 0  # raw words read since training began, unknown and dropped ones included
    kept_words: int = 0  # center words trained on in this epoch
    loss: float = 0.0  # summed over this epoch

    def is_within(self, epochs: int, jobs: int) -> bool:
        """Whether a training of so many epochs and jobs can be there."""
        counts = (self.epoch, self.job, self.words, self.kept_words)
        whole = all(isinstance(count, int) and count >= 0 for count in counts)
        return whole and self.epoch <= epochs and self.job <= jobs and isinstance(self.loss, int | float)


class Job(NamedTuple):
    """The tokens of a job, where its sentences start in them, and its learning rate."""

    ids: NDArray[np.int32]  # (tokens,)
    starts: NDArray[np.int64]  # (sentences + 1,)
    rate: float


class Epoch(Protocol):
    """What an epoch is cut into."""

    def __len__(self) -> int: ...

    def fraction_before(self, job: int) -> float:
        """The fraction of the epoch before ``job``, one of ``len(self)``; 1 when all are done."""

    def words(self) -> int:
        """Raw words of an epoch."""


class HasRandomness(Protocol):
    """What a checkpoint needs of a worker."""

    randomness: Randomness


@dataclass
class Run(ABC):
    """The jobs of a corpus, the workers, and how far they have come together."""

    jobs: Epoch
    schedule: Schedule
    workers: Sequence[HasRandomness]
    position: Position = field(default_factory=Position, kw_only=True)

    @abstractmethod
    def advance(self, words: float, deadline: float, progress: Callable[[], None]) -> None:
        """Train until the epoch ends, ``words`` raw words are read in all, or ``deadline`` (time.monotonic) is past.

        Afterwards, also after KeyboardInterrupt, the position agrees with what the tables have learned. ``progress`` is
        called from this thread a few times a second.
        """

    def settle(self) -> None:  # noqa: B027
        """Let the position agree with the tables, after an interrupt in ``advance``."""

    def end(self) -> None:  # noqa: B027
        """Called when there is nothing more to train."""

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


@dataclass
class ThreadedRun(Run):
    """A run of threads that take jobs from one list, and share the tables."""

    jobs: Jobs
    ids: NDArray[np.int32]
    starts: NDArray[np.int64]
    _idle: threading.Condition = field(default_factory=threading.Condition, repr=False, kw_only=True)  # of the position
    _takes_at_work: int = field(default=0, repr=False, kw_only=True)
    _stopping: bool = field(default=False, repr=False, kw_only=True)

    def advance(self, words: float, deadline: float, progress: Callable[[], None]) -> None:
        """Every job that has begun is finished."""
        self._stopping = False
        loops = self._loops(lambda most: self._take_jobs(most, words, deadline))
        with ThreadPoolExecutor(len(loops)) as pool:
            try:
                pending = {pool.submit(loop) for loop in loops}
                while pending:
                    done, pending = wait(pending, timeout=_PROGRESS_SECONDS, return_when=FIRST_EXCEPTION)
                    for future in done:
                        future.result()
                    progress()
                    interrupts.check()
            finally:
                self.settle()  # before the pool waits for its threads, which would go on to the end of the epoch

    def settle(self) -> None:
        """Give out no more jobs, and wait until those in progress are done.

        The pool cannot wait for a thread that was just being started when KeyboardInterrupt came: it does not know it.
        """
        self._stopping = True
        with self._idle:
            self._idle.wait_for(lambda: self._takes_at_work == 0)

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
        return [self.jobs.cut(self.ids, self.starts, job, rate) for job, rate in zip(chosen, rates, strict=True)]

    def _finish(self, kept_words: int, loss: float) -> None:
        """Mark the jobs of one ``take`` as done."""
        with self._idle:
            self.position.kept_words += kept_words
            self.position.loss += loss
            self._takes_at_work -= 1
            self._idle.notify_all()

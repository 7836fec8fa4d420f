"""One epoch as jobs of at most 10,000 words, and the learning rate of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

JOB_WORDS = 10_000  # as in gensim: the learning rate changes from job to job


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

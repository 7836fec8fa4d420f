"""A replica: what one worker of a cluster trains, on tables of its own and a part of the text."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.kernels.inputs import WordRows
from windrow.embeddings.training.draws import ChunkDrawer
from windrow.embeddings.training.exchanging import hot_orders, rows_exchanged
from windrow.embeddings.training.hogwild import Worker
from windrow.embeddings.training.options import TrainingOptions
from windrow.embeddings.training.run import Jobs
from windrow.numeric.tables import zero_table

Parts = list[NDArray[np.float32]]  # of each table


@dataclass(frozen=True)
class Setup:
    """What all replicas of a training are made from."""

    options: TrainingOptions  # ``workers`` are the replicas, ``block_size`` is chosen
    counts: NDArray[np.int64]  # of the words, see Start
    text_counts: NDArray[np.int64]
    rows: int  # of the input table
    rounds: int  # per epoch
    round_words: float  # words of the text that a replica reads in a round
    ties: str
    fits: bool
    rows_of_ids: NDArray[np.int32] | None
    shares: NDArray[np.float32] | None
    word_rows: WordRows | None


class Shard(NamedTuple):
    """The part of the text that one replica trains on."""

    ids: NDArray[np.int32]
    starts: NDArray[np.int64]  # (sentences + 1,)
    jobs: Jobs
    round_jobs: NDArray[np.int64]  # (rounds + 1,): the first job of each round

    def words_before(self, number: int) -> int:
        """How many words lie before round ``number``, counted from 0."""
        return int(self.jobs.bounds[self.round_jobs[number]])


class Replica:
    """Tables that one thread trains, and as they were when each row was last exchanged."""

    def __init__(self, setup: Setup, number: int, shard: Shard) -> None:
        options = setup.options
        word_rows, shares = setup.word_rows, setup.shares
        if word_rows is not None:  # kernels are compiled for arrays that may be written; those that came are not
            word_rows = WordRows(*map(np.array, word_rows))
        row_shares = None if shares is None or word_rows is None else np.array(shares)
        table = zero_table(setup.rows, options.vector_size)
        layers = list(options.layers(setup.counts, setup.ties, 0, setup.fits).values())
        drawer = ChunkDrawer.of(
            setup.text_counts,
            options.sample,
            options.window,
            options.weighting,
            setup.rows_of_ids,
            shares if word_rows is None else None,
        )
        self._setup, self._number, self._shard = setup, number, shard
        self._tables = [each[:, : options.vector_size] for each in (table, *(layer.parameters for layer in layers))]
        self._exchanged: Parts = []
        self._randomness = options.randomness()[number]
        self._schedule = options.schedule()
        word_updates = drawer.kept_counts(setup.text_counts) / max(1, setup.text_counts.sum())
        self._orders = hot_orders(word_updates.astype(np.float32), layers, word_rows)
        context = options.context(table.shape[1], 1)
        self._worker = Worker(
            drawer, table, context, layers, options.kernel, self._randomness, None, word_rows, row_shares
        )

    def load(self, tables: Parts, randomness: NDArray[np.uint64]) -> None:
        """Begin with these tables, which all replicas get, and this state of the random numbers."""
        for table, given in zip(self._tables, tables, strict=True):
            table[:] = given
        self._exchanged = [np.array(given) for given in tables]
        self._randomness.restore(randomness)

    def train(self, epoch: int, number: int) -> tuple[int, float]:
        """Train round ``number``, counted from 0; returns the center words and the summed loss."""
        kept_words, loss = 0, 0.0
        ids, starts, jobs, round_jobs = self._shard
        for job in range(round_jobs[number], round_jobs[number + 1]):
            rate = self._schedule.rate(epoch, jobs.fraction_before(job))
            kept, lost = self._worker.train(jobs.cut(ids, starts, job, rate))
            kept_words += kept
            loss += lost
        return kept_words, loss

    def changes(self, number: int) -> list[Parts]:
        """What has changed in the rows that are exchanged after this round: a part for each replica to combine."""
        parts: list[Parts] = [[] for _ in range(self._setup.options.workers)]
        for table, exchanged, rows in self._exchange(number):
            with np.errstate(all="ignore"):  # a training that diverges is noticed in the tables
                changes = table[rows] - exchanged[rows]
            for part, piece in zip(parts, np.array_split(changes, len(parts)), strict=True):
                part.append(piece)
        return parts

    def combine(self, number: int, *of_replicas: Parts) -> Parts:
        """The changes of all replicas in this one's part of the rows, as one change."""
        combined = []
        for order, pieces in zip(self._orders, zip(*of_replicas, strict=True), strict=True):
            count = rows_exchanged(number + 1, self._setup.rounds, len(order.rows))
            shares = order.shares(number + 1, count, self._setup.round_words, len(pieces))
            own = np.array_split(shares, len(pieces))[self._number]
            with np.errstate(all="ignore"):
                total = pieces[0].copy()
                for piece in pieces[1:]:  # in the order of the replicas, so that the bits are the same each time
                    total += piece
                total *= own[:, None]
            combined.append(total)
        return combined

    def apply(self, number: int, *combined: Parts) -> None:
        """Put what all parts were combined to into the rows, in place of this replica's own changes."""
        pieces_of_tables = zip(*combined, strict=True)
        for (table, exchanged, rows), pieces in zip(self._exchange(number), pieces_of_tables, strict=True):
            with np.errstate(all="ignore"):
                exchanged[rows] += np.concatenate(pieces)
            table[rows] = exchanged[rows]

    def tables(self) -> Parts:
        """The tables; after an exchange of all rows they are those of every replica."""
        return self._tables

    def randomness(self) -> NDArray[np.uint64]:
        """The state of the random numbers."""
        return self._randomness.save()

    def _exchange(self, number: int) -> list[tuple[NDArray[Any], NDArray[Any], NDArray[np.int32]]]:
        """Of each table: itself, as it was when its rows were last exchanged, and the rows to exchange now."""
        counts = [rows_exchanged(number + 1, self._setup.rounds, len(order.rows)) for order in self._orders]
        rows = [order.rows[:count] for order, count in zip(self._orders, counts, strict=True)]
        return list(zip(self._tables, self._exchanged, rows, strict=True))

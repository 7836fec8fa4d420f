"""A replica: what one worker of a cluster trains, on tables of its own and a part of the text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.kernels.inputs import WordRows
from windrow.embeddings.kernels.packed import Packed, add_packed, put_packed, take_changes
from windrow.embeddings.kernels.windows import ChunkDrawer
from windrow.embeddings.training.exchanging import hot_orders, rows_exchanged
from windrow.embeddings.training.hogwild import Worker
from windrow.embeddings.training.options import TrainingOptions
from windrow.embeddings.training.run import Jobs
from windrow.numeric.tables import zero_table

Parts = list[Packed]  # of the changes, one for each table


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
        self._tables = [table, *(layer.parameters for layer in layers)]
        self._exchanged: list[NDArray[np.float32]] = []  # (rows, dimensions): what all replicas have
        self._randomness = options.randomness()[number]
        self._schedule = options.schedule()
        word_updates = drawer.kept_counts(setup.text_counts) / max(1, setup.text_counts.sum())
        self._orders = hot_orders(word_updates.astype(np.float32), layers, word_rows)
        context = options.context(table.shape[1], 1)
        self._worker = Worker(
            drawer, table, context, layers, options.kernel, self._randomness, None, word_rows, row_shares
        )

    def load(self, tables: list[NDArray[np.float32]], randomness: NDArray[np.uint64]) -> None:
        """Begin with these tables, which all replicas get, and this state of the random numbers."""
        for table, given in zip(self._tables, tables, strict=True):
            table[:, : given.shape[1]] = given
        self._exchanged = [np.array(given) for given in tables]
        self._randomness.restore(randomness)

    def train(self, epoch: int, number: int, *combined: Parts) -> Any:
        """Train round ``number``, counted from 0, once the rows of the round before are what all replicas made of them.

        Returns the center words and the summed loss; and, where there are other replicas, what has changed in the rows
        that are exchanged after this round: a part for each replica to combine.
        """
        self._apply(number - 1, combined)
        kept_words, loss = 0, 0.0
        ids, starts, jobs, round_jobs = self._shard
        for job in range(round_jobs[number], round_jobs[number + 1]):
            rate = self._schedule.rate(epoch, jobs.fraction_before(job))
            kept, lost = self._worker.train(jobs.cut(ids, starts, job, rate))
            kept_words += kept
            loss += lost
        if self._setup.options.workers == 1:
            return kept_words, loss
        return (kept_words, loss), *self._changes(number)

    def _changes(self, number: int) -> list[Parts]:
        of_tables = []
        for table, exchanged, rows in self._exchange(number):
            changes = np.empty((len(rows), exchanged.shape[1]), np.float32)
            take_changes(table, exchanged, rows, changes)
            of_tables.append(Packed.of(changes).parts(self._setup.options.workers))
        return [list(parts) for parts in zip(*of_tables, strict=True)]

    def combine(self, number: int, *of_replicas: Parts) -> Parts:
        """The changes of all replicas in this one's part of the rows, as one change."""
        combined = []
        for order, pieces in zip(self._orders, zip(*of_replicas, strict=True), strict=True):
            count = rows_exchanged(number + 1, self._setup.rounds, len(order.rows))
            shares = order.shares(number + 1, count, self._setup.round_words, len(pieces))
            total = np.zeros((len(pieces[0].scales), self._setup.options.vector_size), np.float32)
            for piece in pieces:  # in the order of the replicas, so that the bits are the same each time
                add_packed(total, *piece)
            total *= np.array_split(shares, len(pieces))[self._number][:, None]
            combined.append(Packed.of(total))
        return combined

    def finish(self, number: int, *combined: Parts) -> tuple[list[NDArray[np.float32]], NDArray[np.uint64]]:
        """After an exchange of all rows: the tables, which the first replica gives for all; and the random numbers."""
        self._apply(number, combined)
        columns = self._setup.options.vector_size
        tables = [table[:, :columns] for table in self._tables] if self._number == 0 else []
        return tables, self._randomness.save()

    def _apply(self, number: int, combined: Sequence[Parts]) -> None:
        """Put what all parts were combined to into the rows, in place of this replica's own changes."""
        if not combined:
            return
        for (table, exchanged, rows), pieces in zip(self._exchange(number), zip(*combined, strict=True), strict=True):
            put_packed(table, exchanged, rows, *Packed.joined(list(pieces)))

    def _exchange(self, number: int) -> list[tuple[NDArray[Any], NDArray[Any], NDArray[np.int32]]]:
        """Of each table: itself, as it was when its rows were last exchanged, and the rows to exchange now."""
        counts = [rows_exchanged(number + 1, self._setup.rounds, len(order.rows)) for order in self._orders]
        rows = [order.rows[:count] for order, count in zip(self._orders, counts, strict=True)]
        return list(zip(self._tables, self._exchanged, rows, strict=True))

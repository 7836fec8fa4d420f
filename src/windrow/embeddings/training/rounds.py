"""Threads whose result does not depend on their speed: every round they train apart, then add up what they changed.

A round has five steps. Each worker draws what its jobs need, gathers copies of the rows that they will touch, trains
on the copies, and keeps the difference to the tables (delta); when all have done so, each adds all workers'
differences, in the order of the workers, to the rows of its shard (apply). Between the steps only arrays pass on, and
only ``apply`` reads those of others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.kernels.contexts import Context
from windrow.embeddings.kernels.shares import (
    add_rows,
    add_saturated_rows,
    gather_rows,
    number_rows,
    saturate,
    subtract_rows,
)
from windrow.embeddings.kernels.windows import Chunk
from windrow.embeddings.steps.contract import Step, TouchedRows
from windrow.embeddings.training.draws import ChunkDrawer, Randomness
from windrow.embeddings.training.hogwild import Job, Run, new_block
from windrow.embeddings.training.jobs import JOB_WORDS
from windrow.numeric.tables import zero_table

# Two workers' differences can be added as they are, if rounds are not too long. Those of more would together take too
# long a step on frequent rows: rounds are shorter then, and differences are scaled.
_PLAIN_SUMS = 2  # workers
_PAIR_ROUND = 5  # jobs a worker and round
_TOUCHES_REMEMBERED = 32.0  # updates after which a row has learned most of what a round can teach it


def job_words(workers: int) -> int:
    """The words of a job: with more than two workers a round has no more than one usual job in all."""
    return JOB_WORDS if workers <= _PLAIN_SUMS else max(1, JOB_WORDS // workers)


@dataclass
class Difference:
    """What a worker has changed in one table."""

    rows: NDArray[np.int32]
    touches: NDArray[np.float32]  # (rows,)
    changes: NDArray[Any]  # flat (rows * stride)


class _Copies:
    """Memory for copies of rows, kept from round to round."""

    def __init__(self, stride: int, dtype: Any) -> None:
        self._stride, self._dtype = stride, dtype
        self._memory = zero_table(0, stride, dtype).reshape(-1)

    def take(self, rows: int) -> NDArray[Any]:
        if self._memory.size < rows * self._stride:
            self._memory = zero_table(rows + rows // 4, self._stride, self._dtype).reshape(-1)
        return self._memory[: rows * self._stride]


class Share:
    """One worker's part of each round."""

    def __init__(
        self,
        drawer: ChunkDrawer,
        table: NDArray[Any],
        context: Context,
        layers: Sequence[Step],
        randomness: Randomness,
    ) -> None:
        self.randomness = randomness
        self.tables = [table, *(layer.parameters for layer in layers)]
        self._context, self._layers, self._drawer = context, layers, drawer
        self._block = new_block(context, table.dtype)
        self._bound = [layer.block_layer(len(self._block.row_weights)) for layer in layers]
        self._copies = [_Copies(context.stride, table.dtype) for _ in self.tables]
        self._chunks: list[Chunk] = []
        self._draws: list[list[NDArray[np.int32]]] = []  # by layer, then chunk
        self.differences: list[Difference] = []  # by table
        self.kept_words, self.loss = 0, 0.0

    def run(self, jobs: Sequence[Job]) -> None:
        """Draw, gather, train, delta; nothing where there are no jobs left."""
        self.differences, self.kept_words, self.loss = [], 0, 0.0
        if jobs:
            self.draw(jobs)
            shares = self.gather()
            self.train(shares, [job.rate for job in jobs])
            self.delta()

    def draw(self, jobs: Sequence[Job]) -> None:
        """The words of each job with their windows, and what the output layers draw for them."""
        self._chunks = [self._drawer.draw(job.ids, job.starts, self.randomness) for job in jobs]
        blocks = [-(-chunk.words.size // self._context.block_size) for chunk in self._chunks]
        state = self.randomness.state
        bound_layers = list(zip(self._layers, self._bound, strict=True))
        self._draws = [[layer.draw(bound, number, state) for number in blocks] for layer, bound in bound_layers]
        self.kept_words = sum(chunk.words.size for chunk in self._chunks)

    def gather(self) -> list[TouchedRows]:
        """Number the rows that will be touched, and copy them."""
        words = np.concatenate([chunk.words for chunk in self._chunks])
        slots = np.full(len(self.tables[0]), -1, np.int32)
        rows, visits, local = np.empty_like(words), np.zeros(len(words), np.float32), np.empty_like(words)
        known = number_rows(words, 1.0, slots, rows, visits, 0, local)
        rows, visits = rows[:known], visits[:known]
        ends = np.cumsum([chunk.words.size for chunk in self._chunks])
        parts = np.split(local, ends[:-1])
        self._chunks = [chunk._replace(words=part, rows=part) for chunk, part in zip(self._chunks, parts, strict=True)]
        shares = [
            layer.touched(bound, rows, visits, np.concatenate(draws))
            for layer, bound, draws in zip(self._layers, self._bound, self._draws, strict=True)
        ]
        numbered = [(rows, visits), *((share.rows, share.touches) for share in shares)]
        for table, copies, (its_rows, touches) in zip(self.tables, self._copies, numbered, strict=True):
            memory = copies.take(len(its_rows))
            gather_rows(table.reshape(-1), its_rows, memory, self._context.stride)
            self.differences.append(Difference(its_rows, touches, memory))
        return shares

    def train(self, shares: Sequence[TouchedRows], rates: Sequence[float]) -> None:
        """Train on the copies, job by job."""
        table, rate_type = self.differences[0].changes, self.tables[0].dtype.type
        for layer, share, draws, copies in zip(self._layers, shares, self._draws, self.differences[1:], strict=True):
            bound = share.layer._replace(table=copies.changes.reshape((*share.layer.table.shape[:-1], -1)))
            parts = np.split(share.draws, np.cumsum([len(drawn) for drawn in draws])[:-1])
            for chunk, rate, part in zip(self._chunks, rates, parts, strict=True):
                self.loss += layer.train_blocks(chunk, table, self._context, self._block, rate_type(rate), bound, part)

    def delta(self) -> None:
        """Leave in place of the copies what has changed in them."""
        for table, difference in zip(self.tables, self.differences, strict=True):
            subtract_rows(table.reshape(-1), difference.rows, difference.changes, self._context.stride)


def apply(tables: Sequence[NDArray[Any]], all_differences: Sequence[list[Difference]], shard: int, shards: int) -> None:
    """Add all workers' differences to the rows of one shard of each table, in the order of the workers."""
    for number, table in enumerate(tables):
        stride, flat = table.shape[1], table.reshape(-1)
        differences = [of_worker[number] for of_worker in all_differences if of_worker]
        if shards <= _PLAIN_SUMS:
            for one in differences:
                add_rows(flat, one.rows, one.changes, stride, shard, shards)
            continue
        all_touches, learned = np.zeros(len(table), np.float32), np.zeros(len(table), np.float32)
        memory = _TOUCHES_REMEMBERED
        for one in differences:
            saturate(one.rows, one.touches, memory, shard, shards, all_touches, learned)
        for one in differences:
            add_saturated_rows(
                flat, one.rows, one.changes, stride, memory, shard, shards, all_touches, learned
            )  # fmt: skip


@dataclass
class Rounds(Run):
    """A run in rounds: equal seeds and numbers of workers give equal bits."""

    workers: Sequence[Share]

    def _loops(self, take: Callable[[int], list[Job]]) -> list[Callable[[], None]]:
        return [lambda: self._go_round(take)]

    def _go_round(self, take: Callable[[int], list[Job]]) -> None:
        shards, each = len(self.workers), 1 if len(self.workers) > _PLAIN_SUMS else _PAIR_ROUND
        tables = self.workers[0].tables
        with ThreadPoolExecutor(shards) as pool:
            while jobs := take(shards * each):
                try:
                    parts = [jobs[worker * each : (worker + 1) * each] for worker in range(shards)]
                    list(pool.map(Share.run, self.workers, parts))
                    differences = [share.differences for share in self.workers]
                    list(pool.map(lambda shard: apply(tables, differences, shard, shards), range(shards)))  # noqa: B023
                finally:
                    kept_words = sum(share.kept_words for share in self.workers)
                    self._finish(kept_words, sum(share.loss for share in self.workers))

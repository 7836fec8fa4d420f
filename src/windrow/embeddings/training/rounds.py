"""Training in rounds: threads whose result does not depend on their speed.

::

    each worker             draw -> gather -> train -> subtract      random numbers, copies of rows, copy - table
    when all have done so   add_differences                          table += all workers' differences

Each worker draws what its jobs need, gathers copies of the rows that they will touch, trains on the copies, and
subtracts the rows of the tables. Then each worker adds the differences of all workers, in the order of the workers, to
the rows of its own shard. Only ``add_differences`` reads what other workers have written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.kernels.contexts import Context, new_block
from windrow.embeddings.kernels.inputs import WordRows, new_inputs, with_rows
from windrow.embeddings.kernels.shares import (
    add_rows,
    add_saturated_rows,
    gather_rows,
    number_lists,
    number_rows,
    saturate,
    subtract_rows,
)
from windrow.embeddings.kernels.windows import Chunk, ChunkDrawer
from windrow.embeddings.steps.contract import TouchedRows, TrainingStep
from windrow.embeddings.training.run import JOB_WORDS, Job, ThreadedRun
from windrow.numeric.rng import Randomness
from windrow.numeric.tables import zero_table

# Two workers' differences can be added as they are, if rounds are not too long. Those of more workers would together be
# too large a step for frequent rows: rounds are shorter then, and differences are scaled down. So they are with two
# workers where the vocabulary is small: a round teaches many rows all that it can, either worker alone gets there, and
# the sum goes twice as far. Bigrams over 5,000 words drawn by Zipf's law, skip-gram: a loss of 4.1 with sums as they
# are, 2.35 with short rounds, 2.33 with one worker.
_PLAIN_SUMS = 2  # workers
_LARGE_VOCABULARY = 20_000  # words
_PAIR_ROUND = 5  # jobs per worker in a round of two workers
_TOUCHES_REMEMBERED = 32.0  # updates after which a row has learned most of what a round can teach it


def adds_plainly(workers: int, vocabulary_size: int | None) -> bool:
    """Whether differences are added as they are, after long rounds, and not scaled down, after short ones.

    None: whatever the size of the vocabulary.
    """
    return workers <= _PLAIN_SUMS and (vocabulary_size is None or vocabulary_size >= _LARGE_VOCABULARY)


def job_words(workers: int, plain: bool) -> int:
    """The words per job: all jobs of a short round together are as long as one usual job."""
    return JOB_WORDS if plain else max(1, JOB_WORDS // workers)


class Difference(NamedTuple):
    """What a worker has changed in one table."""

    rows: NDArray[np.int32]
    touches: NDArray[np.float32]  # (rows,): how often each row was updated, about
    changes: NDArray[Any]  # flat (rows, stride)


class Result(NamedTuple):
    """The result of one worker's round; empty if there were no jobs left."""

    differences: Sequence[Difference] = ()  # one per table
    kept_words: int = 0
    loss: float = 0.0


class _Drawn(NamedTuple):
    """The words of a round's jobs with their windows, and what each output layer draws for them."""

    chunks: list[Chunk]  # one per job
    draws: list[list[NDArray[np.int32]]]  # by layer, then chunk


class _Gathered(NamedTuple):
    """Copies of the rows that a round touches, and chunks and layers in which words are numbered by these copies."""

    chunks: list[Chunk]
    word_rows: WordRows | None  # the copies of input rows that each word has, where it may have several
    layers: list[TouchedRows]
    copies: list[Difference]  # one per table; their ``changes`` hold the copies until the tables are subtracted


class _CopyMemory:
    """Memory for the copies of one table's rows, kept from round to round."""

    def __init__(self, stride: int, dtype: Any) -> None:
        self._stride, self._dtype = stride, dtype
        self._memory = zero_table(0, stride, dtype).reshape(-1)

    def take(self, rows: int) -> NDArray[Any]:
        if self._memory.size < rows * self._stride:
            self._memory = zero_table(rows + rows // 4, self._stride, self._dtype).reshape(-1)
        return self._memory[: rows * self._stride]


class RoundWorker:
    """One thread's part of each round."""

    def __init__(
        self,
        drawer: ChunkDrawer,
        table: NDArray[Any],
        context: Context,
        layers: Sequence[TrainingStep],
        randomness: Randomness,
        word_rows: WordRows | None = None,
        row_shares: NDArray[np.float32] | None = None,
    ) -> None:
        self.randomness = randomness
        self._word_rows, self._row_shares = word_rows, row_shares
        self.tables = [table, *(layer.parameters for layer in layers)]
        self._context, self._layers, self._drawer = context, layers, drawer
        self._block = new_block(context, table.dtype)
        self._bound = [layer.block_arguments(len(self._block.row_weights)) for layer in layers]
        self._memories = [_CopyMemory(context.stride, table.dtype) for _ in self.tables]

    def run(self, jobs: Sequence[Job]) -> Result:
        """Draw, gather, train, subtract."""
        if not jobs:
            return Result()
        drawn = self._draw(jobs)
        gathered = self._gather(drawn)
        loss = self._train(gathered, drawn, [job.rate for job in jobs])
        for table, copy in zip(self.tables, gathered.copies, strict=True):
            subtract_rows(table.reshape(-1), copy.rows, copy.changes, self._context.stride)
        return Result(gathered.copies, sum(chunk.words.size for chunk in drawn.chunks), loss)

    def _draw(self, jobs: Sequence[Job]) -> _Drawn:
        chunks = [self._drawer.draw(job.ids, job.starts, self.randomness) for job in jobs]
        blocks = [-(-chunk.words.size // self._context.block_size) for chunk in chunks]
        state = self.randomness.state
        draws = [
            [layer.draw(bound, number, state) for number in blocks]
            for layer, bound in zip(self._layers, self._bound, strict=True)
        ]
        return _Drawn(chunks, draws)

    def _gather(self, drawn: _Drawn) -> _Gathered:
        chunks, words, visits = self._number_words(drawn.chunks)
        layers = [
            layer.touched(bound, words, visits, np.concatenate(draws))
            for layer, bound, draws in zip(self._layers, self._bound, drawn.draws, strict=True)
        ]
        rows, touches, word_rows = words, visits, None
        if self._word_rows is not None:
            rows, touches, word_rows = self._number_inputs(self._word_rows, words, visits)
            chunks = [with_rows(chunk, word_rows) for chunk in chunks]
        touched = [(rows, touches), *((layer.rows, layer.touches) for layer in layers)]
        copies = []
        for table, memory, (its_rows, touches) in zip(self.tables, self._memories, touched, strict=True):
            copy = Difference(its_rows, touches, memory.take(len(its_rows)))
            gather_rows(table.reshape(-1), its_rows, copy.changes, self._context.stride)
            copies.append(copy)
        return _Gathered(chunks, word_rows, layers, copies)

    def _number_words(self, chunks: list[Chunk]) -> tuple[list[Chunk], NDArray[np.int32], NDArray[np.float32]]:
        """Chunks with their distinct words numbered as they first occur; those words, and how often each occurs."""
        words = np.concatenate([chunk.words for chunk in chunks])
        slots = np.full(self._drawer.vocabulary_size, -1, np.int32)
        rows, visits, local = np.empty_like(words), np.zeros(len(words), np.float32), np.empty_like(words)
        known = number_rows(words, 1.0, slots, rows, visits, 0, local)
        parts = np.split(local, np.cumsum([chunk.words.size for chunk in chunks])[:-1])
        numbered = [chunk._replace(words=part, rows=part) for chunk, part in zip(chunks, parts, strict=True)]
        return numbered, rows[:known], visits[:known]

    def _number_inputs(
        self, word_rows: WordRows, words: NDArray[np.int32], visits: NDArray[np.float32]
    ) -> tuple[NDArray[np.int32], NDArray[np.float32], WordRows]:
        """The input rows of these words, how often each is touched, and those of each word as numbers of copies."""
        total = int((word_rows.starts[words + 1] - word_rows.starts[words]).sum())
        slots, touches = np.full(len(self.tables[0]), -1, np.int32), np.zeros(total, np.float32)
        rows, local = np.empty(total, np.int32), WordRows(np.empty(total, np.int32), np.empty(len(words) + 1, np.int64))
        known = number_lists(
            words, visits, word_rows.starts, word_rows.rows, slots, rows, touches, local.starts, local.rows
        )
        return rows[:known], touches[:known], local

    def _train(self, gathered: _Gathered, drawn: _Drawn, rates: Sequence[float]) -> float:
        """Train on the copies, layer by layer and job by job; returns the summed loss."""
        copied, *outputs = gathered.copies
        table = copied.changes.reshape(-1, self._context.stride)
        shares = None if self._row_shares is None else self._row_shares[copied.rows]
        inputs = new_inputs(table, gathered.word_rows, self._context.block_size + 2 * self._context.window, shares)
        rate_type, loss = self.tables[0].dtype.type, 0.0
        for layer, local, draws, copy in zip(self._layers, gathered.layers, drawn.draws, outputs, strict=True):
            bound = local.layer._replace(table=copy.changes.reshape((*local.layer.table.shape[:-1], -1)))
            parts = np.split(local.draws, np.cumsum([len(drawn_here) for drawn_here in draws])[:-1])
            for chunk, rate, part in zip(gathered.chunks, rates, parts, strict=True):
                loss += layer.train_blocks(chunk, inputs, self._context, self._block, rate_type(rate), bound, part)
        return loss


def add_differences(
    tables: Sequence[NDArray[Any]],
    all_differences: Sequence[Sequence[Difference]],
    plain: bool,
    shard: int,
    shards: int,
) -> None:
    """Add all workers' differences to the rows of one shard of each table, in the order of the workers.

    As they are (``plain``), or scaled to what one worker would have learned from all touches of a row.
    """
    for number, table in enumerate(tables):
        stride, flat = table.shape[1], table.reshape(-1)
        differences = [of_worker[number] for of_worker in all_differences if of_worker]
        if plain:
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
class Rounds(ThreadedRun):
    """A run in rounds: equal seeds and numbers of workers give equal bits."""

    workers: Sequence[RoundWorker]
    plain: bool = True  # from adds_plainly

    def _loops(self, take: Callable[[int], list[Job]]) -> list[Callable[[], None]]:
        return [lambda: self._train_in_rounds(take)]

    def _train_in_rounds(self, take: Callable[[int], list[Job]]) -> None:
        shards, each = len(self.workers), _PAIR_ROUND if self.plain else 1
        with ThreadPoolExecutor(shards) as pool:
            while jobs := take(shards * each):
                kept_words, loss = 0, 0.0
                try:
                    parts = [jobs[worker * each : (worker + 1) * each] for worker in range(shards)]
                    results = list(pool.map(RoundWorker.run, self.workers, parts))
                    differences = [result.differences for result in results]
                    apply = partial(add_differences, self.workers[0].tables, differences, self.plain)
                    list(pool.map(apply, range(shards), [shards] * shards))
                    kept_words = sum(result.kept_words for result in results)
                    loss = sum(result.loss for result in results)
                finally:
                    self._finish(kept_words, loss)

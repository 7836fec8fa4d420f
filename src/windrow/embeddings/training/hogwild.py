"""Workers: threads that take jobs and update the shared tables without locks (Hogwild, Niu et al. 2011)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from windrow.embeddings.kernels.contexts import Context, new_block
from windrow.embeddings.kernels.inputs import WordRows, new_inputs, with_rows
from windrow.embeddings.kernels.windows import Chunk, ChunkDrawer
from windrow.embeddings.steps.combined import train_both_pairs
from windrow.embeddings.steps.contract import TrainingStep
from windrow.embeddings.training.hot_rows import HotRows
from windrow.embeddings.training.run import Job, ThreadedRun
from windrow.numeric.rng import Randomness


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
        word_rows: WordRows | None = None,
        row_shares: NDArray[Any] | None = None,
    ) -> None:
        self.randomness = randomness
        self._hot_rows = hot_rows
        self._drawer = drawer
        self._inputs = new_inputs(table, word_rows, context.block_size + 2 * context.window, row_shares)
        self._context = context
        self._rate_type = table.dtype.type
        self._passes = self._pair_passes(layers) if kernel == "pair" else self._block_passes(layers)

    def train(self, job: Job) -> tuple[int, float]:
        """Update the tables; returns the number of center words and the summed loss."""
        chunk = self._drawer.draw(job.ids, job.starts, self.randomness)
        if self._inputs.composed.size > 0:
            chunk = with_rows(chunk, self._inputs.word_rows)
        if self._hot_rows:
            self._hot_rows.copy()
            chunk = chunk._replace(rows=self._hot_rows.rows_of(chunk.words))
        loss = sum(float(train(chunk, self._rate_type(job.rate))) for train in self._passes)
        if self._hot_rows:
            self._hot_rows.merge()
        return chunk.words.size, loss

    def _pair_passes(self, layers: list[TrainingStep]) -> list[Callable[[Chunk, Any], float]]:
        state, inputs, context = self.randomness.state, self._inputs, self._context
        if len(layers) == 2:
            tree, noise = layers[0].pair_arguments(), layers[1].pair_arguments()
            return [lambda chunk, rate: train_both_pairs(chunk, inputs, context, rate, tree, noise, state)]
        bound = layers[0].pair_arguments()
        return [lambda chunk, rate: layers[0].train_pairs(chunk, inputs, context, rate, bound, state)]

    def _block_passes(self, layers: list[TrainingStep]) -> list[Callable[[Chunk, Any], float]]:
        """A function for each layer, which makes one pass over a chunk."""
        state, inputs, context = self.randomness.state, self._inputs, self._context
        block = new_block(context, inputs.table.dtype)

        def bind(layer: TrainingStep) -> Callable[[Chunk, Any], float]:
            bound = layer.block_arguments(len(block.row_weights))
            hot = self._hot_rows
            if hot:
                bound = hot.bind(layer, bound)

            def train(chunk: Chunk, rate: Any) -> float:
                draws = layer.draw(bound, -(-chunk.words.size // context.block_size), state)
                if hot and layer.words_are_rows:
                    chunk, draws = chunk._replace(words=chunk.rows), hot.rows_of(draws)
                return layer.train_blocks(chunk, inputs, context, block, rate, bound, draws)

            return train

        return [bind(layer) for layer in layers]


@dataclass
class Hogwild(ThreadedRun):
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

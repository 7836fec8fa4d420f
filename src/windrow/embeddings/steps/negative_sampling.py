"""Negative sampling (Mikolov et al. 2013): the observed word should score high, a few noise words low."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from windrow.embeddings.kernels.contexts import (
    Block,
    Context,
    gather_cbow,
    gather_skipgram,
    scatter_cbow,
    scatter_skipgram,
)
from windrow.embeddings.kernels.cumulative import cumulative_table, draw_cumulative
from windrow.embeddings.kernels.drivers import no_step, train_blocks, train_pairs
from windrow.embeddings.kernels.logistic import LOGISTIC_TABLE, update_pair, update_singles, update_windows
from windrow.embeddings.kernels.shares import number_rows
from windrow.embeddings.kernels.windows import Chunk
from windrow.embeddings.steps.contract import LayerOptions, LayerShare
from windrow.numeric.alias import alias_table, draw_alias
from windrow.numeric.jit import kernel
from windrow.numeric.products import Rows, Weights, multiply_rows, transpose
from windrow.numeric.rng import State
from windrow.numeric.simd import (
    LANES,
    add,
    broadcast,
    load,
    log,
    logistic,
    multiply,
    multiply_add,
    prefetch,
    store,
    total,
    zero,
)
from windrow.numeric.tables import zero_table
from windrow.outputs.noise import noise_probabilities

NOISE_SETS = 4  # a block; one set alone moves MEN and SimLex-999 further from gensim's (bench/README.md)

NOISE_TOUCHES = 10.0  # a noise word meets many rows at once


class PairLayer(NamedTuple):
    """What the update-by-update step reads: K noise words for every pair."""

    table: NDArray[Any]  # (words, stride)
    negative: int
    cumulative: NDArray[np.uint32]
    logistic_table: NDArray[np.float32]


class BlockLayer(NamedTuple):
    """What the block step reads, and its scratch for one set of noise words."""

    table: NDArray[Any]  # flat (words * stride)
    stride: int
    negative: int
    thresholds: NDArray[np.uint32]
    aliases: NDArray[np.int32]
    shared: int  # noise words a set
    noise: NDArray[Any]  # flat (shared * stride)
    noise_transposed: NDArray[Any]  # flat (stride * shared)
    noise_gradient: NDArray[Any]  # flat (shared * stride)
    errors: NDArray[Any]  # flat (rows of a set * shared)


@kernel
def pair_step(
    hidden: NDArray[Any],
    gradient: NDArray[Any],
    target_word: int,
    rate: float,
    layer: PairLayer,
    state: State,
) -> float:
    """The target word, then K noise words one by one; a noise word equal to the target is skipped, not redrawn."""
    loss = update_pair(hidden, gradient, layer.table, target_word, 1, rate, layer.logistic_table)
    for _ in range(layer.negative):
        noise_word = draw_cumulative(layer.cumulative, state)
        if noise_word != target_word:
            loss += update_pair(hidden, gradient, layer.table, noise_word, 0, rate, layer.logistic_table)
    return loss


@kernel(allocates=True)
def draw_noise(layer: BlockLayer, blocks: int, state: State) -> NDArray[np.int32]:
    """The noise words of this many blocks, (blocks * sets * shared,)."""
    noise_words = np.empty(blocks * NOISE_SETS * layer.shared, np.int32)
    for i in range(noise_words.size):
        noise_words[i] = draw_alias(layer.thresholds, layer.aliases, state)
    return noise_words


@kernel
def window_step(
    block: Block, rows: int, targets: int, rate: float, layer: BlockLayer, noise_words: NDArray[np.int32], number: int
) -> float:
    """The rows of block ``number`` against noise words, then each of its targets against all its rows."""
    loss = _reject_noise(block, rows, targets, rate, layer, noise_words, number)
    return loss + update_windows(block, targets, rate, layer.table, layer.stride)


@kernel
def single_step(
    block: Block, rows: int, targets: int, rate: float, layer: BlockLayer, noise_words: NDArray[np.int32], number: int
) -> float:
    """``window_step`` where no target has more than one row."""
    loss = _reject_noise(block, rows, targets, rate, layer, noise_words, number)
    return loss + update_singles(block, targets, rate, layer.table, layer.stride)


@kernel
def _reject_noise(
    block: Block, rows: int, targets: int, rate: float, layer: BlockLayer, noise_words: NDArray[np.int32], number: int
) -> float:
    """All rows against noise words that many of them share, as matrix products.

    Words that stand side by side must not be pushed away from the same noise words, or they grow alike: so there are
    several sets of noise words, dealt to the rows in turn.
    """
    stride, shared = layer.stride, layer.shared
    for target in range(targets):
        _prefetch_row(layer, block.targets[target])
    loss = 0.0
    set_rows = (rows + 4 * NOISE_SETS - 1) // (4 * NOISE_SETS) * 4  # those beyond the last row have weight 0
    noise = Rows(layer.noise, 0, stride, shared)
    noise_gradient = Rows(layer.noise_gradient, 0, stride, shared)
    for first in range(NOISE_SETS):
        start = (number * NOISE_SETS + first) * shared
        hidden = Rows(block.hidden, first * stride, NOISE_SETS * stride, set_rows)
        gradient = Rows(block.gradient, first * stride, NOISE_SETS * stride, set_rows)
        errors = Rows(layer.errors, 0, shared, set_rows)
        _copy_noise(layer, noise_words, start)
        transposed = Rows(layer.noise_transposed, 0, shared, stride)
        multiply_rows(Weights(hidden.data, hidden.start, hidden.distance, 1), transposed, errors, shared, False)
        loss += _scores_to_errors(layer, block.row_weights[first::NOISE_SETS], set_rows, rate)
        multiply_rows(Weights(layer.errors, 0, shared, 1), noise, gradient, stride, True)
        multiply_rows(Weights(layer.errors, 0, 1, shared), hidden, noise_gradient, stride, False)
        for t in range(shared):
            place = int(noise_words[start + t]) * stride
            for k in range(0, stride, LANES):
                updated = add(load(layer.table, place + k), load(layer.noise_gradient, t * stride + k))
                store(layer.table, place + k, updated)
    return loss


@kernel(inline=True)
def _prefetch_row(layer: BlockLayer, word: int) -> None:
    for k in range(0, layer.stride, LANES):
        prefetch(layer.table, int(word) * layer.stride + k)


@kernel(inline=True)
def _copy_noise(layer: BlockLayer, noise_words: NDArray[np.int32], start: int) -> None:
    """Copy the vectors of one set of noise words, by rows and by columns, and look ahead to the next set."""
    stride, shared = layer.stride, layer.shared
    for t in range(shared):
        place = int(noise_words[start + t]) * stride
        for k in range(0, stride, LANES):
            store(layer.noise, t * stride + k, load(layer.table, place + k))
    for t in range(start + shared, min(start + 2 * shared, noise_words.size)):
        _prefetch_row(layer, noise_words[t])
    transpose(Rows(layer.noise, 0, stride, shared), stride, layer.noise_transposed)


@kernel(inline=True)
def _scores_to_errors(layer: BlockLayer, row_weights: NDArray[Any], rows: int, rate: float) -> float:
    """Replace each score by rate * weight * (0 - logistic(score)); returns the weighted loss."""
    shared = layer.shared
    one = layer.table.dtype.type(1)
    loss = 0.0
    for row in range(rows):
        weight = layer.table.dtype.type(row_weights[row] * layer.negative / shared)
        log_likelihood = zero(layer.errors)
        for t in range(row * shared, (row + 1) * shared, LANES):
            rejected = logistic(multiply(broadcast(-one), load(layer.errors, t)))  # probability of label 0
            log_likelihood = add(log_likelihood, log(rejected))
            error = multiply_add(broadcast(one), rejected, broadcast(-one))
            store(layer.errors, t, multiply(broadcast(layer.table.dtype.type(rate * weight)), error))
        loss -= weight * total(log_likelihood)
    return loss


@kernel(allocates=True)
def _train_pairs(
    chunk: Chunk, table: NDArray[Any], context: Context, rate: float, layer: PairLayer, state: State
) -> float:
    return train_pairs(chunk, table, context, rate, pair_step, layer, no_step, layer, state)


@kernel
def _train_skipgram(
    chunk: Chunk,
    table: NDArray[Any],
    context: Context,
    block: Block,
    rate: float,
    layer: BlockLayer,
    draws: NDArray[np.int32],
) -> float:
    gather, scatter = gather_skipgram, scatter_skipgram
    return train_blocks(chunk, table, context, block, rate, gather, scatter, window_step, layer, draws)


@kernel
def _train_cbow(
    chunk: Chunk,
    table: NDArray[Any],
    context: Context,
    block: Block,
    rate: float,
    layer: BlockLayer,
    draws: NDArray[np.int32],
) -> float:
    return train_blocks(chunk, table, context, block, rate, gather_cbow, scatter_cbow, single_step, layer, draws)


class NegativeSampling:
    """Output vectors of all words, trained against noise words drawn from counts ** exponent.

    ``negative`` is K, the noise words a pair. In the block step a row meets ``shared`` of them, whatever its pairs,
    together with every fourth row of its block; each weighs K / shared, so that the expected gradient is the same.
    """

    words_are_rows = True

    def __init__(
        self,
        counts: NDArray[np.int64],
        vector_size: int,
        *,
        negative: int = 5,
        exponent: float = 0.75,
        shared: int = 16,
        private_rows: int = 0,
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.room = zero_table(len(counts) + private_rows, vector_size, dtype)
        self.parameters = self.room[: len(counts)]
        self.negative = negative
        self.shared = (shared + LANES - 1) // LANES * LANES
        self.cumulative = cumulative_table(counts, exponent)
        self.thresholds, self.aliases = alias_table(noise_probabilities(counts, exponent))

    @classmethod
    def build(
        cls, counts: NDArray[np.int64], vector_size: int, options: LayerOptions, dtype: DTypeLike = np.float32
    ) -> NegativeSampling:
        """The layer of a vocabulary with these counts, its parameters zero."""
        return cls(
            counts,
            vector_size,
            negative=options.negative,
            exponent=options.ns_exponent,
            shared=options.shared_negatives,
            private_rows=options.private_rows,
            dtype=dtype,
        )

    def pair_layer(self) -> PairLayer:
        """The arguments of the update-by-update step."""
        return PairLayer(self.parameters, self.negative, self.cumulative, LOGISTIC_TABLE)

    def block_layer(self, rows: int) -> BlockLayer:
        """The arguments of the block step with scratch for ``rows`` hidden rows."""
        stride, dtype = self.parameters.shape[1], self.parameters.dtype
        return BlockLayer(
            table=self.room.reshape(-1),
            stride=stride,
            negative=self.negative,
            thresholds=self.thresholds,
            aliases=self.aliases,
            shared=self.shared,
            noise=zero_table(self.shared, stride, dtype).reshape(-1),
            noise_transposed=zero_table(stride, self.shared, dtype).reshape(-1),
            noise_gradient=zero_table(self.shared, stride, dtype).reshape(-1),
            errors=zero_table(rows // NOISE_SETS + 4, self.shared, dtype).reshape(-1),
        )

    def hot_rows(self, number: int) -> int:
        """The first words are the most frequent."""
        return 0

    def with_copies(self, block_layer: BlockLayer, number: int, place: int) -> BlockLayer:
        """The same: the worker moves words and draws."""
        return block_layer

    def share(
        self, block_layer: BlockLayer, words: NDArray[np.int32], visits: NDArray[np.float32], draws: NDArray[np.int32]
    ) -> LayerShare:
        """The output vectors of these words and of the noise words drawn."""
        rows, touches = np.empty(len(words) + len(draws), np.int32), np.empty(len(words) + len(draws), np.float32)
        slots, local_draws = np.full(len(self.parameters), -1, np.int32), np.empty(len(draws), np.int32)
        rows[: len(words)], touches[: len(words)], slots[words] = words, visits, np.arange(len(words))
        known = number_rows(draws, NOISE_TOUCHES, slots, rows, touches, len(words), local_draws)
        return LayerShare(rows[:known], touches[:known], block_layer, local_draws)

    def log_distribution(self, hidden: NDArray[Any]) -> NDArray[Any]:
        """Log-probabilities of all words, (rows, words): the scores, normalised; hidden (rows, vector_size).

        Training never normalises: the scores estimate log p(word | hidden) up to the noise distribution.
        """
        scores = hidden @ self.parameters[:, : hidden.shape[1]].T
        normalised: NDArray[Any] = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
        return normalised

    draw = staticmethod(draw_noise)
    train_pairs = staticmethod(_train_pairs)
    train_skipgram = staticmethod(_train_skipgram)
    train_cbow = staticmethod(_train_cbow)

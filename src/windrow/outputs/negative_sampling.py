"""Negative sampling (Mikolov et al. 2013): the observed word should score high, a few noise words low."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from windrow.kernels._jit import kernel
from windrow.kernels.contexts import Block, Context
from windrow.kernels.drivers import no_step, train_blocks, train_pairs
from windrow.kernels.logistic import LOGISTIC_TABLE, update_pair, update_row
from windrow.kernels.products import Rows, add_product, multiply_rows
from windrow.kernels.rng import State
from windrow.kernels.simd import (
    LANES,
    add,
    broadcast,
    load,
    log,
    logistic,
    multiply,
    multiply_add,
    store,
    total,
    zero,
)
from windrow.kernels.tables import zero_table
from windrow.kernels.windows import Chunk
from windrow.outputs.layer import LayerOptions
from windrow.outputs.noise import (
    alias_table,
    cumulative_table,
    draw_alias,
    draw_cumulative,
    noise_probabilities,
)

NOISE_SETS = 4  # a block; one set alone moves MEN and SimLex-999 further from gensim's (bench/README.md)


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
    sets: int  # of noise words a block
    noise_words: NDArray[np.int32]  # (shared,)
    noise: NDArray[Any]  # flat (shared * stride)
    noise_transposed: NDArray[Any]  # flat (stride * shared)
    noise_gradient: NDArray[Any]  # flat (shared * stride)
    errors: NDArray[Any]  # flat (rows of a set * shared)
    scores: NDArray[Any]  # (pairs of one target)


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


@kernel
def block_step(block: Block, rows: int, targets: int, rate: float, layer: BlockLayer, state: State) -> float:
    """All targets against their rows, then the rows against noise words that many of them share, as matrix products.

    Words that stand side by side must not be pushed away from the same noise words, or they grow alike: so there are
    several sets of noise words, dealt to the rows in turn.
    """
    stride, shared = layer.stride, layer.noise_words.size
    loss = 0.0
    for target in range(targets):
        place = int(block.targets[target]) * stride
        loss += update_row(block, target, layer.table, place, 1, rate, layer.scores, stride)
    set_rows = (rows + 4 * layer.sets - 1) // (4 * layer.sets) * 4  # those beyond the last row have weight 0
    for first in range(layer.sets):
        _draw_noise(layer, state)
        hidden = Rows(block.hidden, first * stride, layer.sets * stride, set_rows)
        gradient = Rows(block.gradient, first * stride, layer.sets * stride, set_rows)
        noise = Rows(layer.noise, 0, stride, shared)
        noise_gradient = Rows(layer.noise_gradient, 0, stride, shared)
        multiply_rows(hidden, layer.noise_transposed, shared, layer.errors, stride)
        loss += _scores_to_errors(layer, block.row_weights[first :: layer.sets], set_rows, rate)
        add_product(gradient, layer.errors, shared, 1, noise, stride)
        add_product(noise_gradient, layer.errors, 1, shared, hidden, stride)
        for t in range(shared):
            place = int(layer.noise_words[t]) * stride
            for k in range(0, stride, LANES):
                updated = add(load(layer.table, place + k), load(layer.noise_gradient, t * stride + k))
                store(layer.table, place + k, updated)
    return loss


@kernel
def _draw_noise(layer: BlockLayer, state: State) -> None:
    """Draw the shared noise words and copy their vectors, by rows and by columns."""
    stride, shared = layer.stride, layer.noise_words.size
    for t in range(shared):
        layer.noise_words[t] = draw_alias(layer.thresholds, layer.aliases, state)
        place = int(layer.noise_words[t]) * stride
        for k in range(0, stride, LANES):
            store(layer.noise, t * stride + k, load(layer.table, place + k))
            store(layer.noise_gradient, t * stride + k, zero(layer.table))
    for k in range(stride):
        for t in range(shared):
            layer.noise_transposed[k * shared + t] = layer.noise[t * stride + k]


@kernel
def _scores_to_errors(layer: BlockLayer, row_weights: NDArray[Any], rows: int, rate: float) -> float:
    """Replace each score by rate * weight * (0 - logistic(score)); returns the weighted loss."""
    shared = layer.noise_words.size
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


@kernel
def _train_pairs(
    chunk: Chunk, table: NDArray[Any], context: Context, rate: float, layer: PairLayer, state: State
) -> float:
    return train_pairs(chunk, table, context, rate, pair_step, layer, no_step, layer, state)


@kernel
def _train_blocks(
    chunk: Chunk,
    table: NDArray[Any],
    context: Context,
    block: Block,
    rate: float,
    layer: BlockLayer,
    state: State,
) -> float:
    return train_blocks(chunk, table, context, block, rate, block_step, layer, state)


class NegativeSampling:
    """Output vectors of all words, trained against noise words drawn from counts ** exponent.

    ``negative`` is K, the noise words a pair. In the block step a row meets ``shared`` of them, whatever its pairs,
    together with every fourth row of its block; each weighs K / shared, so that the expected gradient is the same.
    """

    def __init__(
        self,
        counts: NDArray[np.int64],
        vector_size: int,
        *,
        negative: int = 5,
        exponent: float = 0.75,
        shared: int = 32,
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.parameters = zero_table(len(counts), vector_size, dtype)
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
            dtype=dtype,
        )

    def pair_layer(self) -> PairLayer:
        """The arguments of the update-by-update step."""
        return PairLayer(self.parameters, self.negative, self.cumulative, LOGISTIC_TABLE)

    def block_layer(self, rows: int, pairs: int) -> BlockLayer:
        """The arguments of the block step with scratch for ``rows`` hidden rows and ``pairs`` pairs a target."""
        stride, dtype = self.parameters.shape[1], self.parameters.dtype
        return BlockLayer(
            table=self.parameters.reshape(-1),
            stride=stride,
            negative=self.negative,
            thresholds=self.thresholds,
            aliases=self.aliases,
            sets=NOISE_SETS,
            noise_words=np.zeros(self.shared, np.int32),
            noise=np.zeros(self.shared * stride, dtype),
            noise_transposed=np.zeros(stride * self.shared, dtype),
            noise_gradient=np.zeros(self.shared * stride, dtype),
            errors=np.zeros(rows // NOISE_SETS * self.shared, dtype),
            scores=np.zeros(pairs, dtype),
        )

    def log_distribution(self, hidden: NDArray[Any]) -> NDArray[Any]:
        """Log-probabilities of all words, (rows, words): the scores, normalised; hidden (rows, vector_size).

        Training never normalises: the scores estimate log p(word | hidden) up to the noise distribution.
        """
        scores = hidden @ self.parameters[:, : hidden.shape[1]].T
        normalised: NDArray[Any] = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
        return normalised

    train_pairs = staticmethod(_train_pairs)
    train_blocks = staticmethod(_train_blocks)

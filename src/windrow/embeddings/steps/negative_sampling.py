"""Negative sampling (Mikolov et al. 2013): the observed word should score high, a few noise words low."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.kernels.contexts import Block, Context, rows_of, train_blocks
from windrow.embeddings.kernels.inputs import Inputs
from windrow.embeddings.kernels.pairs import (
    LOGISTIC_TABLE,
    cumulative_table,
    draw_cumulative,
    no_step,
    train_pairs,
    update_pair,
)
from windrow.embeddings.kernels.shares import number_rows
from windrow.embeddings.kernels.windows import Chunk
from windrow.embeddings.steps.contract import StepOptions, TouchedRows, TrainingStep
from windrow.numeric.jit import kernel
from windrow.numeric.products import Rows, Weights, multiply_rows, transpose
from windrow.numeric.rng import RngState, alias_table, draw_words
from windrow.numeric.row_scores import Outputs, score_rows, update_rows
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
    totals,
    zero,
)
from windrow.numeric.tables import zero_table
from windrow.outputs.kernels.noise import noise_errors
from windrow.outputs.noise import noise_probabilities

NOISE_SETS = 4  # per block; one set alone moves MEN and SimLex-999 further from gensim's (bench/README.md)

NOISE_TOUCHES = 10.0  # a noise word meets many rows at once

# Where noise words are as diverse as this many words drawn alike, a row's own target is so seldom among them that it
# may stay there: the score that is best for it falls by about log(1 + K / 300). With fewer words it is left out.
_DIVERSE = 300
# Twice the usual K / shared: with four times that skip-gram diverges on Wikipedia at a learning rate of 0.05.
_STALE_NOISE = 2 * 5 / 16
_LOG_2 = float(np.log(2))
_LARGEST_SCORE = 30.0  # where the logistic of numeric/simd.py ends

# Targets that are scored before any of them is updated: one waits for the other's arithmetic otherwise. Not more: a
# frequent word that is a target many times in a block takes too long a step then, and training may diverge.
TOGETHER = 4


class PairArguments(NamedTuple):
    """What the update-by-update step reads: K noise words for every pair."""

    table: NDArray[Any]  # (words, stride)
    negative: int
    cumulative: NDArray[np.uint32]
    logistic_table: NDArray[np.float32]


class BlockArguments(NamedTuple):
    """What the block step reads, and its scratch for one set of noise words."""

    table: NDArray[Any]  # flat (words * stride)
    stride: int
    negative: int
    thresholds: NDArray[np.uint32]
    aliases: NDArray[np.int32]
    shared: int  # noise words per set
    offsets: NDArray[Any]  # (shared,): zeros, and ones: negative sampling as a case of noise-contrastive estimation
    counts: NDArray[Any]
    noise: NDArray[Any]  # flat (shared * stride)
    noise_transposed: NDArray[Any]  # flat (stride * shared)
    noise_gradient: NDArray[Any]  # flat (shared * stride)
    errors: NDArray[Any]  # flat (rows of a set * shared)
    weights: NDArray[Any]  # (rows of a set,)
    own: NDArray[Any]  # flat (rows of a set * shared), zeros between two sets; empty: own targets stay among the noise
    first_places: NDArray[np.int32]  # by word: its last place in a set, -1 where it is not in it
    other_places: NDArray[np.int32]  # (shared,): the place before of the same word, or -1
    chances: NDArray[np.float64]  # by word: that a noise word is this one; empty as ``own``


@kernel
def pair_step(
    hidden: NDArray[Any],
    gradient: NDArray[Any],
    target_word: int,
    rate: float,
    layer: PairArguments,
    state: RngState,
) -> float:
    """The target word, then K noise words one by one; a noise word equal to the target is skipped, not redrawn."""
    loss = update_pair(hidden, gradient, layer.table, target_word, 1, rate, layer.logistic_table)
    for _ in range(layer.negative):
        noise_word = draw_cumulative(layer.cumulative, state)
        if noise_word != target_word:
            loss += update_pair(hidden, gradient, layer.table, noise_word, 0, rate, layer.logistic_table)
    return loss


@kernel
def block_step(
    block: Block,
    rows: int,
    targets: int,
    rate: float,
    layer: BlockArguments,
    noise_words: NDArray[np.int32],
    number: int,
) -> float:
    """The rows of block ``number`` against noise words, then each of its targets against all its rows."""
    loss = _reject_noise(block, rows, targets, rate, layer, noise_words, number)
    if layer.own.size > 0:
        loss -= _expected_own_loss(block, targets, layer)
    if block.width == 1:
        return loss + update_singles(block, targets, rate, layer.table, layer.stride)
    return loss + update_windows(block, targets, rate, layer.table, layer.stride)


@kernel
def _reject_noise(
    block: Block,
    rows: int,
    targets: int,
    rate: float,
    layer: BlockArguments,
    noise_words: NDArray[np.int32],
    number: int,
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
        for row in range(set_rows):
            layer.weights[row] = block.row_weights[first + row * NOISE_SETS] * layer.negative / shared
        if layer.own.size > 0:
            loss -= _find_own_targets(block, targets, layer, noise_words[start : start + shared], first)
        loss += noise_errors(layer.errors, layer.offsets, layer.counts, layer.weights[:set_rows], -rate)
        if layer.own.size > 0:
            _leave_out_own_targets(block, set_rows, layer, first)
        multiply_rows(Weights(layer.errors, 0, shared, 1), noise, gradient, stride, True)
        multiply_rows(Weights(layer.errors, 0, 1, shared), hidden, noise_gradient, stride, False)
        for t in range(shared):
            place = int(noise_words[start + t]) * stride
            for k in range(0, stride, LANES):
                updated = add(load(layer.table, place + k), load(layer.noise_gradient, t * stride + k))
                store(layer.table, place + k, updated)
    return loss


@kernel
def _find_own_targets(
    block: Block, targets: int, layer: BlockArguments, noise_words: NDArray[np.int32], first: int
) -> float:
    """Sum in ``layer.own`` the weights of those pairs of a row whose target is the noise word.

    ``layer.errors`` still has the scores. Returns what these pairs lose above log 2, see ``_expected_own_loss``.
    """
    for t in range(noise_words.size):
        layer.other_places[t] = layer.first_places[noise_words[t]]
        layer.first_places[noise_words[t]] = t
    loss = 0.0
    for target in range(targets):
        t = layer.first_places[block.targets[target]]
        while t >= 0:
            for pair in range(block.pair_counts[target]):
                row = block.first_rows[target] + pair + (pair >= block.gaps[target])
                if row % NOISE_SETS == first:
                    place = row // NOISE_SETS * noise_words.size + t
                    weight = block.pair_weights[target * block.width + pair]
                    layer.own[place] += weight
                    score = min(np.float64(layer.errors[place]), _LARGEST_SCORE)
                    loss += weight * (np.log1p(np.exp(score)) - _LOG_2)
            t = layer.other_places[t]
    for t in range(noise_words.size):
        layer.first_places[noise_words[t]] = -1
    return loss * layer.negative / layer.shared


@kernel
def _expected_own_loss(block: Block, targets: int, layer: BlockArguments) -> float:
    """What own targets would lose at a score of 0, by their chance to be drawn.

    Each one that was drawn and left out counts log 2 too much after ``_find_own_targets``. So the mean of the loss is
    that of the pair step, but how many were drawn does not move it where nothing is learned yet.
    """
    loss = 0.0
    for target in range(targets):
        place, chance = target * block.width, layer.chances[block.targets[target]] * layer.negative
        for pair in range(block.pair_counts[target]):
            loss += block.pair_weights[place + pair] * chance * _LOG_2
    return loss


@kernel
def _leave_out_own_targets(block: Block, set_rows: int, layer: BlockArguments, first: int) -> None:
    """Scale the errors down to the pairs whose target is another word, and ``layer.own`` back to 0."""
    for row in range(set_rows):
        weight = block.row_weights[first + row * NOISE_SETS]
        if weight > 0:
            for place in range(row * layer.shared, (row + 1) * layer.shared):
                layer.errors[place] *= 1 - layer.own[place] / weight
                layer.own[place] = 0


@kernel(inline=True)
def _prefetch_row(layer: BlockArguments, word: int) -> None:
    for k in range(0, layer.stride, LANES):
        prefetch(layer.table, int(word) * layer.stride + k)


@kernel(inline=True)
def _copy_noise(layer: BlockArguments, noise_words: NDArray[np.int32], start: int) -> None:
    """Copy the vectors of one set of noise words, by rows and by columns, and look ahead to the next set."""
    stride, shared = layer.stride, layer.shared
    for t in range(shared):
        place = int(noise_words[start + t]) * stride
        for k in range(0, stride, LANES):
            store(layer.noise, t * stride + k, load(layer.table, place + k))
    for t in range(start + shared, min(start + 2 * shared, noise_words.size)):
        _prefetch_row(layer, noise_words[t])
    transpose(Rows(layer.noise, 0, stride, shared), stride, layer.noise_transposed)


@kernel
def update_windows(block: Block, targets: int, rate: float, table: NDArray[Any], stride: int) -> float:
    """The output vector of each target should score high with all its rows; returns the weighted loss.

    Four targets at a time: all are scored before the first is updated. ``table`` is flat, one row per word.
    """
    loss = 0.0
    for first in range(0, targets, TOGETHER):
        last = min(targets, first + TOGETHER)
        for target in range(first, last):
            output = Outputs(table, block.targets, target, 1)
            score_rows(rows_of(block, target, stride), output, block.scores, target * block.width, 1, stride)
        for target in range(first, last):
            for place in range(target * block.width, target * block.width + block.pair_counts[target], LANES):
                loss += _scores_to_steps(block, place, rate)
        for target in range(first, last):
            output = Outputs(table, block.targets, target, 1)
            update_rows(rows_of(block, target, stride), output, block.scores, target * block.width, 1, stride)
    return loss


@kernel
def update_singles(block: Block, targets: int, rate: float, table: NDArray[Any], stride: int) -> float:
    """``update_windows`` where no target has more than one row: 16 targets are scored before the first is updated."""
    loss = 0.0
    for first in range(0, targets, LANES):
        last = min(targets, first + LANES)
        _score_singles(block, first, last, table, stride)
        loss += _scores_to_steps(block, first, rate)
        for target in range(first, last):
            step = broadcast(block.scores[target])
            row, place = int(block.first_rows[target]) * stride, int(block.targets[target]) * stride
            for k in range(0, stride, LANES):
                output = load(table, place + k)
                store(table, place + k, multiply_add(step, load(block.hidden, row + k), output))
                store(block.gradient, row + k, multiply_add(step, output, load(block.gradient, row + k)))
    return loss


@kernel(inline=True)
def _scores_to_steps(block: Block, place: int, rate: float) -> float:
    """Replace 16 scores by rate * weight * (1 - logistic(score)); returns their weighted loss."""
    one = block.scores.dtype.type(1)
    weights = load(block.pair_weights, place)
    probability = logistic(load(block.scores, place))
    error = multiply_add(broadcast(-one), probability, broadcast(one))
    store(block.scores, place, multiply(multiply(broadcast(block.scores.dtype.type(rate)), weights), error))
    log_likelihood: float = total(multiply(weights, log(probability)))
    return -log_likelihood


@kernel(inline=True)
def _score_singles(block: Block, first: int, last: int, table: NDArray[Any], stride: int) -> None:
    """Each target with its one row, four targets at a time."""
    for target in range(first, last, 4):  # those beyond the last have weight 0
        h0, h1 = int(block.first_rows[target]) * stride, int(block.first_rows[target + 1]) * stride
        h2, h3 = int(block.first_rows[target + 2]) * stride, int(block.first_rows[target + 3]) * stride
        o0, o1 = int(block.targets[target]) * stride, int(block.targets[target + 1]) * stride
        o2, o3 = int(block.targets[target + 2]) * stride, int(block.targets[target + 3]) * stride
        x0 = zero(table)
        x1 = zero(table)
        x2 = zero(table)
        x3 = zero(table)
        for k in range(0, stride, LANES):
            x0 = multiply_add(load(table, o0 + k), load(block.hidden, h0 + k), x0)
            x1 = multiply_add(load(table, o1 + k), load(block.hidden, h1 + k), x1)
            x2 = multiply_add(load(table, o2 + k), load(block.hidden, h2 + k), x2)
            x3 = multiply_add(load(table, o3 + k), load(block.hidden, h3 + k), x3)
        store(block.scores, target, totals(x0, x1, x2, x3))


@kernel(allocates=True)
def _train_pairs(
    chunk: Chunk, inputs: Inputs, context: Context, rate: float, layer: PairArguments, state: RngState
) -> float:
    return train_pairs(chunk, inputs, context, rate, pair_step, layer, no_step, layer, state)


@kernel
def _train_blocks(
    chunk: Chunk,
    inputs: Inputs,
    context: Context,
    block: Block,
    rate: float,
    layer: BlockArguments,
    draws: NDArray[np.int32],
) -> float:
    return train_blocks(chunk, inputs, context, block, rate, block_step, layer, draws)


class NegativeSamplingStep(TrainingStep):
    """Output vectors of all words, trained against noise words drawn from counts ** exponent.

    K noise words per pair (``negative``). In the block step a row meets ``shared`` of them, however many pairs it has,
    together with every fourth row of its block; each weighs K / shared, so that the expected gradient is the same.
    ``skips_targets``: they are so few that a row's own targets must be left out, as in the pair step.
    """

    def prepare(self, counts: NDArray[np.int64], options: StepOptions) -> int:
        """The noise distribution, as gensim draws from it and as an alias table."""
        self.negative = options.negative
        self.shared = (options.shared_negatives + LANES - 1) // LANES * LANES
        self.cumulative = cumulative_table(counts, options.ns_exponent)
        probabilities = noise_probabilities(counts, options.ns_exponent)
        self.thresholds, self.aliases = alias_table(probabilities)
        self._chances = probabilities
        self._chance_of_same = float(np.square(probabilities).sum())
        self.skips_targets = options.skips_targets and self._chance_of_same * _DIVERSE > 1
        return len(counts)

    def block_share(self, repetition: float, windows: float) -> float:
        """Noise words repeat too, and each one drawn meets a whole set of rows at once.

        A set is a quarter of the rows of a block, each with K noise words per pair.
        """
        repetition = max(repetition, self._chance_of_same * self.negative / NOISE_SETS)
        at_once = windows * self.negative / self.shared
        return min(super().block_share(repetition, windows), _STALE_NOISE / at_once)

    def pair_arguments(self) -> PairArguments:  # noqa: D102
        return PairArguments(self.parameters, self.negative, self.cumulative, LOGISTIC_TABLE)

    def block_arguments(self, rows: int) -> BlockArguments:  # noqa: D102
        stride, dtype, set_rows = self.parameters.shape[1], self.parameters.dtype, rows // NOISE_SETS + 4
        skips = int(self.skips_targets)
        return BlockArguments(
            table=self.storage.reshape(-1),
            stride=stride,
            negative=self.negative,
            thresholds=self.thresholds,
            aliases=self.aliases,
            shared=self.shared,
            offsets=np.zeros(self.shared, dtype),
            counts=np.ones(self.shared, dtype),
            noise=zero_table(self.shared, stride, dtype).reshape(-1),
            noise_transposed=zero_table(stride, self.shared, dtype).reshape(-1),
            noise_gradient=zero_table(self.shared, stride, dtype).reshape(-1),
            errors=zero_table(set_rows, self.shared, dtype).reshape(-1),
            weights=np.zeros(set_rows, dtype),
            own=np.zeros(skips * set_rows * self.shared, dtype),
            first_places=np.full(skips * len(self.parameters), -1, np.int32),
            other_places=np.zeros(skips * self.shared, np.int32),
            chances=self._chances[: skips * len(self._chances)],
        )

    def touched(
        self,
        block_arguments: BlockArguments,
        words: NDArray[np.int32],
        visits: NDArray[np.float32],
        draws: NDArray[np.int32],
    ) -> TouchedRows:
        """The output vectors of these words and of the noise words drawn."""
        rows, touches = np.empty(len(words) + len(draws), np.int32), np.zeros(len(words) + len(draws), np.float32)
        slots, local_draws = np.full(len(self.parameters), -1, np.int32), np.empty(len(draws), np.int32)
        rows[: len(words)], touches[: len(words)], slots[words] = words, visits, np.arange(len(words))
        known = number_rows(draws, NOISE_TOUCHES, slots, rows, touches, len(words), local_draws)
        if self.skips_targets:
            block_arguments = block_arguments._replace(chances=self._chances[rows[:known]])
        return TouchedRows(rows[:known], touches[:known], block_arguments, local_draws)

    @staticmethod
    def draw(block_arguments: BlockArguments, blocks: int, state: RngState, /) -> NDArray[np.int32]:
        """The noise words of this many blocks, (blocks * sets * shared,)."""
        noise_words = np.empty(blocks * NOISE_SETS * block_arguments.shared, np.int32)
        draw_words(block_arguments.thresholds, block_arguments.aliases, state, noise_words)
        return noise_words

    train_pairs = staticmethod(_train_pairs)
    train_blocks = staticmethod(_train_blocks)

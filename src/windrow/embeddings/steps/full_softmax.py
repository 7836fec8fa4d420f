"""Exact softmax over the whole vocabulary, as matrix products in slices of bounded size."""

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
from windrow.embeddings.kernels.drivers import draw_nothing, no_step, train_blocks, train_pairs
from windrow.embeddings.kernels.windows import Chunk
from windrow.embeddings.steps.contract import LayerOptions, LayerShare
from windrow.numeric.jit import kernel
from windrow.numeric.rng import State
from windrow.numeric.simd import LANES, add, broadcast, exp, load, maximum, store, subtract, total, zero
from windrow.numeric.tables import zero_table

_SCORES_HELD = 2**22  # numbers: the scores of a group of rows over the vocabulary stay below 16 MB in float32
_SLICE = 2048  # words a matrix product: its temporaries stay in the cache


class Layer(NamedTuple):
    """What both steps read, and their scratch."""

    table: NDArray[Any]  # (words, stride)
    errors: NDArray[Any]  # (rows of a group, words): scores, then probabilities, then errors
    lanes: NDArray[Any]  # (16,)


@kernel
def _scores_to_probabilities(scores: NDArray[Any], start: int, words: int, lanes: NDArray[Any]) -> float:
    """Normalise ``scores[start : start + words]`` in place; returns the log normaliser. ``lanes``: 16 of scratch."""
    whole = start + words // LANES * LANES
    highest = scores[start]
    for word in range(whole, start + words):
        highest = max(highest, scores[word])
    top = broadcast(highest)
    for word in range(start, whole, LANES):
        top = maximum(load(scores, word), top)
    store(lanes, 0, top)
    for lane in range(LANES):
        highest = max(highest, lanes[lane])
    mass = zero(scores)
    for word in range(start, whole, LANES):
        power = exp(subtract(load(scores, word), broadcast(highest)))
        mass = add(mass, power)
        store(scores, word, power)
    normaliser = np.float64(total(mass))
    for word in range(whole, start + words):
        scores[word] = np.exp(scores[word] - highest)
        normaliser += scores[word]
    for word in range(start, start + words):
        scores[word] /= scores.dtype.type(normaliser)
    log_normaliser: float = highest + np.log(normaliser)
    return log_normaliser


@kernel(allocates=True)
def _train_group(hidden: NDArray[Any], gradient: NDArray[Any], errors: NDArray[Any], table: NDArray[Any]) -> None:
    """Apply the errors (rows, words) of some rows: to the gradient of the rows, and to the output table."""
    for start in range(0, table.shape[0], _SLICE):
        outputs, slice_errors = (
            table[start : start + _SLICE],
            np.ascontiguousarray(errors[:, start : start + _SLICE]),
        )
        gradient += np.dot(slice_errors, outputs)
        outputs += np.dot(slice_errors.T, hidden)


@kernel
def pair_step(
    hidden: NDArray[Any], gradient: NDArray[Any], target_word: int, rate: float, layer: Layer, state: State
) -> float:
    """One hidden vector against all words: the softmax's error, exact."""
    scores = layer.errors[0]
    for word in range(scores.size):
        score = hidden.dtype.type(0)
        for k in range(hidden.size):
            score += hidden[k] * layer.table[word, k]
        scores[word] = score
    target_score = np.float64(scores[target_word])
    loss = _scores_to_probabilities(scores, 0, scores.size, layer.lanes) - target_score
    for word in range(scores.size):
        step = hidden.dtype.type(((word == target_word) - scores[word]) * rate)
        for k in range(hidden.size):
            gradient[k] += step * layer.table[word, k]
        for k in range(hidden.size):
            layer.table[word, k] += step * hidden[k]
    return loss


@kernel(allocates=True)
def block_step(
    block: Block, rows: int, targets: int, rate: float, layer: Layer, draws: NDArray[np.int32], number: int
) -> float:
    """All rows of a block against all words, in groups of rows whose scores fit the scratch."""
    words, stride = layer.table.shape
    hidden, gradient = block.hidden.reshape(-1, stride), block.gradient.reshape(-1, stride)
    loss = 0.0
    for first in range(0, rows, layer.errors.shape[0]):
        last = min(rows, first + layer.errors.shape[0])
        errors, flat = layer.errors[: last - first], layer.errors.reshape(-1)
        for start in range(0, words, _SLICE):
            errors[:, start : start + _SLICE] = np.dot(hidden[first:last], layer.table[start : start + _SLICE].T)
        # The loss of a pair is log normaliser - score of its target; scores are needed before they are overwritten.
        loss -= _add_at_targets(block, targets, first, errors, layer.table.dtype.type(0))
        for row in range(first, last):
            weight = block.row_weights[row]
            loss += weight * _scores_to_probabilities(flat, (row - first) * words, words, layer.lanes)
            errors[row - first] *= -layer.table.dtype.type(rate * weight)
        _add_at_targets(block, targets, first, errors, layer.table.dtype.type(rate))
        _train_group(hidden[first:last], gradient[first:last], errors, layer.table)
    return loss


@kernel
def _add_at_targets(block: Block, targets: int, first: int, values: NDArray[Any], step: float) -> float:
    """Add step * weight where a row meets its target; returns the sum of weight * value there. Row 0 is ``first``."""
    weighted = 0.0
    for target in range(targets):
        word = block.targets[target]
        for pair in range(block.pair_counts[target]):
            row = block.first_rows[target] + pair + (pair >= block.gaps[target]) - first
            if 0 <= row < values.shape[0]:
                weight = block.pair_weights[target * block.width + pair]
                weighted += weight * values[row, word]
                values[row, word] += step * weight
    return weighted


@kernel(allocates=True)
def _train_pairs(chunk: Chunk, table: NDArray[Any], context: Context, rate: float, layer: Layer, state: State) -> float:
    return train_pairs(chunk, table, context, rate, pair_step, layer, no_step, layer, state)


@kernel(allocates=True)
def _train_skipgram(
    chunk: Chunk,
    table: NDArray[Any],
    context: Context,
    block: Block,
    rate: float,
    layer: Layer,
    draws: NDArray[np.int32],
) -> float:
    gather, scatter = gather_skipgram, scatter_skipgram
    return train_blocks(chunk, table, context, block, rate, gather, scatter, block_step, layer, draws)


@kernel(allocates=True)
def _train_cbow(
    chunk: Chunk,
    table: NDArray[Any],
    context: Context,
    block: Block,
    rate: float,
    layer: Layer,
    draws: NDArray[np.int32],
) -> float:
    return train_blocks(chunk, table, context, block, rate, gather_cbow, scatter_cbow, block_step, layer, draws)


class FullSoftmax:
    """Output vectors of all words, each update over all of them: exact, and as slow as the vocabulary is long."""

    words_are_rows = True

    def __init__(self, counts: NDArray[np.int64], vector_size: int, *, dtype: DTypeLike = np.float32) -> None:
        self.room = self.parameters = zero_table(len(counts), vector_size, dtype)

    @classmethod
    def build(
        cls, counts: NDArray[np.int64], vector_size: int, options: LayerOptions, dtype: DTypeLike = np.float32
    ) -> FullSoftmax:
        """The layer of a vocabulary with these counts, its parameters zero."""
        return cls(counts, vector_size, dtype=dtype)

    def pair_layer(self) -> Layer:
        """The arguments of the update-by-update step."""
        return self._layer(1)

    def block_layer(self, rows: int) -> Layer:
        """The arguments of the block step, with scratch for the scores of a group of the ``rows`` hidden rows."""
        return self._layer(min(rows, max(1, _SCORES_HELD // len(self.parameters))))

    def _layer(self, rows: int) -> Layer:
        dtype = self.parameters.dtype
        return Layer(self.parameters, np.empty((rows, len(self.parameters)), dtype), np.empty(LANES, dtype))

    def hot_rows(self, number: int) -> int:
        """Every update touches every row: the first are as good as others."""
        return 0

    def with_copies(self, block_layer: Layer, number: int, place: int) -> Layer:
        """The same; a sum over the vocabulary must not meet a word twice, so it gets no copies (see Word2Vec)."""
        return block_layer

    def share(
        self, block_layer: Layer, words: NDArray[np.int32], visits: NDArray[np.float32], draws: NDArray[np.int32]
    ) -> LayerShare:
        """The whole table, these words first: every update touches every row."""
        others = np.setdiff1d(np.arange(len(self.parameters), dtype=np.int32), words, assume_unique=True)
        rows = np.concatenate([words, others])
        return LayerShare(rows, np.full(len(rows), visits.sum(), np.float32), block_layer, draws)

    def log_distribution(self, hidden: NDArray[Any]) -> NDArray[Any]:
        """Exact log-probabilities of all words, (rows, words); hidden (rows, vector_size)."""
        scores = hidden @ self.parameters[:, : hidden.shape[1]].T
        normalised: NDArray[Any] = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
        return normalised

    draw = staticmethod(draw_nothing)
    train_pairs = staticmethod(_train_pairs)
    train_skipgram = staticmethod(_train_skipgram)
    train_cbow = staticmethod(_train_cbow)

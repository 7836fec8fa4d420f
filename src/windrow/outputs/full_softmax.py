"""Exact softmax over the whole vocabulary, as matrix products in slices of bounded size."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from windrow.kernels._jit import kernel
from windrow.kernels.contexts import Block, Context
from windrow.kernels.drivers import no_step, train_blocks, train_pairs
from windrow.kernels.rng import State
from windrow.kernels.tables import zero_table
from windrow.kernels.windows import Chunk
from windrow.outputs.layer import LayerOptions

_SCORES_HELD = 2**22  # numbers: the scores of a group of rows over the vocabulary stay below 16 MB in float32
_SLICE = 2048  # words a matrix product: its temporaries stay in the cache


class Layer(NamedTuple):
    """What both steps read, and their scratch."""

    table: NDArray[Any]  # (words, stride)
    errors: NDArray[Any]  # (rows of a group, words): scores, then probabilities, then errors


@kernel
def _scores_to_probabilities(scores: NDArray[Any]) -> float:
    """Normalise a row of scores in place; returns the log of the normaliser."""
    highest = scores.max()
    normaliser = 0.0
    for word in range(scores.size):
        scores[word] = np.exp(scores[word] - highest)
        normaliser += scores[word]
    for word in range(scores.size):
        scores[word] /= normaliser
    log_normaliser: float = highest + np.log(normaliser)
    return log_normaliser


@kernel
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
    loss = _scores_to_probabilities(scores) - target_score
    for word in range(scores.size):
        step = hidden.dtype.type(((word == target_word) - scores[word]) * rate)
        for k in range(hidden.size):
            gradient[k] += step * layer.table[word, k]
        for k in range(hidden.size):
            layer.table[word, k] += step * hidden[k]
    return loss


@kernel
def block_step(block: Block, rows: int, targets: int, rate: float, layer: Layer, state: State) -> float:
    """All rows of a block against all words, in groups of rows whose scores fit the scratch."""
    stride = layer.table.shape[1]
    hidden, gradient = block.hidden.reshape(-1, stride), block.gradient.reshape(-1, stride)
    width = block.pair_rows.size // block.targets.size
    loss = 0.0
    for first in range(0, rows, layer.errors.shape[0]):
        last = min(rows, first + layer.errors.shape[0])
        errors = layer.errors[: last - first]
        for start in range(0, layer.table.shape[0], _SLICE):
            errors[:, start : start + _SLICE] = np.dot(hidden[first:last], layer.table[start : start + _SLICE].T)
        # The loss of a pair is log normaliser - score of its target; scores are needed before they are overwritten.
        for target in range(targets):
            for place in range(target * width, target * width + block.pair_counts[target]):
                row = block.pair_rows[place]
                if first <= row < last:
                    loss -= block.pair_weights[place] * errors[row - first, block.targets[target]]
        for row in range(first, last):
            loss += block.row_weights[row] * _scores_to_probabilities(errors[row - first])
            errors[row - first] *= -layer.table.dtype.type(rate * block.row_weights[row])
        for target in range(targets):
            for place in range(target * width, target * width + block.pair_counts[target]):
                row = block.pair_rows[place]
                if first <= row < last:
                    errors[row - first, block.targets[target]] += rate * block.pair_weights[place]
        _train_group(hidden[first:last], gradient[first:last], errors, layer.table)
    return loss


@kernel
def _train_pairs(chunk: Chunk, table: NDArray[Any], context: Context, rate: float, layer: Layer, state: State) -> float:
    return train_pairs(chunk, table, context, rate, pair_step, layer, no_step, layer, state)


@kernel
def _train_blocks(
    chunk: Chunk, table: NDArray[Any], context: Context, block: Block, rate: float, layer: Layer, state: State
) -> float:
    return train_blocks(chunk, table, context, block, rate, block_step, layer, state)


class FullSoftmax:
    """Output vectors of all words, each update over all of them: exact, and as slow as the vocabulary is long."""

    def __init__(self, counts: NDArray[np.int64], vector_size: int, *, dtype: DTypeLike = np.float32) -> None:
        self.parameters = zero_table(len(counts), vector_size, dtype)

    @classmethod
    def build(
        cls, counts: NDArray[np.int64], vector_size: int, options: LayerOptions, dtype: DTypeLike = np.float32
    ) -> FullSoftmax:
        """The layer of a vocabulary with these counts, its parameters zero."""
        return cls(counts, vector_size, dtype=dtype)

    def pair_layer(self) -> Layer:
        """The arguments of the update-by-update step."""
        return self._layer(1)

    def block_layer(self, rows: int, pairs: int) -> Layer:
        """The arguments of the block step, with scratch for the scores of a group of the ``rows`` hidden rows."""
        return self._layer(min(rows, max(1, _SCORES_HELD // len(self.parameters))))

    def _layer(self, rows: int) -> Layer:
        return Layer(self.parameters, np.empty((rows, len(self.parameters)), self.parameters.dtype))

    def log_distribution(self, hidden: NDArray[Any]) -> NDArray[Any]:
        """Exact log-probabilities of all words, (rows, words); hidden (rows, vector_size)."""
        scores = hidden @ self.parameters[:, : hidden.shape[1]].T
        normalised: NDArray[Any] = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
        return normalised

    train_pairs = staticmethod(_train_pairs)
    train_blocks = staticmethod(_train_blocks)

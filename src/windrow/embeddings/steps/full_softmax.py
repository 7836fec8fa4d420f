"""Exact softmax over the whole vocabulary, as matrix products in slices of bounded size."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.kernels.contexts import Block, Context, train_blocks
from windrow.embeddings.kernels.inputs import Inputs
from windrow.embeddings.kernels.pairs import no_step, train_pairs
from windrow.embeddings.kernels.windows import Chunk
from windrow.embeddings.steps.contract import TouchedRows, TrainingStep
from windrow.numeric.jit import kernel
from windrow.numeric.rng import RngState
from windrow.outputs.kernels.softmax import normalize_row

_SCORES_HELD = 2**22  # numbers: the scores of a group of rows over the vocabulary stay below 16 MB in float32
_SLICE = 2048  # words per matrix product: its temporaries stay in the cache


class Layer(NamedTuple):
    """What both steps read, and their scratch."""

    table: NDArray[Any]  # (words, stride)
    biases: NDArray[Any]  # (words,): zeros, because word2vec's softmax has none
    errors: NDArray[Any]  # (rows of a group, words): scores, then probabilities, then errors


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
    hidden: NDArray[Any], gradient: NDArray[Any], target_word: int, rate: float, layer: Layer, state: RngState
) -> float:
    """One hidden vector against all words: the softmax's error, exact."""
    scores = layer.errors[0]
    for word in range(scores.size):
        score = hidden.dtype.type(0)
        for k in range(hidden.size):
            score += hidden[k] * layer.table[word, k]
        scores[word] = score
    target_score = np.float64(scores[target_word])
    loss = normalize_row(scores, 0, scores.size, layer.biases) - target_score
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
        # The loss of a pair is log normalizer - score of its target; scores are needed before they are overwritten.
        loss -= _add_at_targets(block, targets, first, errors, layer.table.dtype.type(0))
        for row in range(first, last):
            weight = block.row_weights[row]
            loss += weight * normalize_row(flat, (row - first) * words, words, layer.biases)
            errors[row - first] *= -layer.table.dtype.type(rate * weight)
        _add_at_targets(block, targets, first, errors, layer.table.dtype.type(rate))
        _train_group(hidden[first:last], gradient[first:last], errors, layer.table)
    return loss


@kernel
def _add_at_targets(block: Block, targets: int, first: int, values: NDArray[Any], step: float) -> float:
    """Add step * weight to ``values[row - first, word]`` for each pair of a row and its target word.

    Only for the rows that ``values`` holds, those from ``first`` on. Returns the sum of weight * value before that.
    """
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
def _train_pairs(chunk: Chunk, inputs: Inputs, context: Context, rate: float, layer: Layer, state: RngState) -> float:
    return train_pairs(chunk, inputs, context, rate, pair_step, layer, no_step, layer, state)


@kernel(allocates=True)
def _train_blocks(
    chunk: Chunk,
    inputs: Inputs,
    context: Context,
    block: Block,
    rate: float,
    layer: Layer,
    draws: NDArray[np.int32],
) -> float:
    return train_blocks(chunk, inputs, context, block, rate, block_step, layer, draws)


class FullSoftmaxStep(TrainingStep):
    """Output vectors of all words, each update over all of them: exact, and as slow as the vocabulary is long.

    ``first_hot_row`` and ``with_copies`` stay as they are: a sum over the vocabulary must not meet a word twice, and
    so no worker gets copies (see Word2Vec).
    """

    # Runs of 5, 7 and 10 equal words were seen to diverge from about 16 on, at alpha = 0.05: where each pair of a word
    # with itself takes its probability from all others, the next block, of another word, is as far off again.
    most_updates = 12.0

    def block_share(self, repetition: float, windows: float) -> float:
        """Less than other layers: each pair of a block updates all words, not the few that it has drawn."""
        return super().block_share(2 * repetition * max(1.0, windows), 1.0)

    def pair_arguments(self) -> Layer:  # noqa: D102
        return self._layer(1)

    def block_arguments(self, rows: int) -> Layer:  # noqa: D102
        return self._layer(min(rows, max(1, _SCORES_HELD // len(self.parameters))))

    def _layer(self, rows: int) -> Layer:
        words, dtype = len(self.parameters), self.parameters.dtype
        return Layer(self.parameters, np.zeros(words, dtype), np.empty((rows, words), dtype))

    def touched(
        self, block_arguments: Layer, words: NDArray[np.int32], visits: NDArray[np.float32], draws: NDArray[np.int32]
    ) -> TouchedRows:
        """The whole table, these words first: every update touches every row."""
        others = np.setdiff1d(np.arange(len(self.parameters), dtype=np.int32), words, assume_unique=True)
        rows = np.concatenate([words, others])
        return TouchedRows(rows, np.full(len(rows), visits.sum(), np.float32), block_arguments, draws)

    train_pairs = staticmethod(_train_pairs)
    train_blocks = staticmethod(_train_blocks)

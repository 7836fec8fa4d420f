"""One output row against the hidden rows paired with it: the step that negative sampling and Huffman paths share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.kernels.contexts import Block
from windrow.numeric.jit import kernel
from windrow.numeric.products import Outputs, PairRows, score_pairs, update_pairs
from windrow.numeric.simd import (
    LANES,
    broadcast,
    load,
    log,
    logistic,
    multiply,
    multiply_add,
    store,
    total,
    totals,
    zero,
)

# word2vec's logistic: 1,000 entries over [-6, 6). Its index factor is the C integer division 1000 / 6 / 2 = 83, not
# 83.33, so entries are slightly off; models trained by word2vec.c and gensim carry that, and `pair` reproduces it.
MAX_LOGIT = 6
_TABLE_SIZE = 1000
_TABLE_FACTOR = np.float32(_TABLE_SIZE // MAX_LOGIT // 2)
_LOGITS = (np.arange(_TABLE_SIZE, dtype=np.float32) / np.float32(_TABLE_SIZE) * 2 - 1) * np.float32(MAX_LOGIT)
_POWERS = np.exp(_LOGITS.astype(np.float64)).astype(np.float32)
LOGISTIC_TABLE = (_POWERS / (_POWERS + 1)).astype(np.float32)


# Targets that are scored before any of them is updated: one waits for the other's arithmetic otherwise. Not more: a
# frequent word that is a target many times in a block takes too long a step then, and training may diverge.
TOGETHER = 4


@kernel
def update_pair(
    hidden: NDArray[Any],
    gradient: NDArray[Any],
    table: NDArray[Any],
    row: int,
    label: int,
    rate: float,
    logistic_table: NDArray[np.float32],
) -> float:
    """One update of word2vec: output row ``row`` should score high (label 1) or low (0); returns the loss.

    ``gradient`` collects what ``hidden`` will get, with the row's value before its own update. Scores beyond
    +-6 update nothing, as in gensim.
    """
    dot = 0.0  # in float64: a score beside a step of the logistic table falls to the right side more often
    for k in range(hidden.size):
        dot += np.float64(hidden[k]) * np.float64(table[row, k])
    score = hidden.dtype.type(dot)
    loss: float = np.log1p(np.exp(-dot if label else dot))
    if not -MAX_LOGIT < score < MAX_LOGIT:  # so that NaN is not looked up either
        return loss
    probability = logistic_table[int((score + MAX_LOGIT) * _TABLE_FACTOR)]
    step = (hidden.dtype.type(label) - probability) * rate
    for k in range(hidden.size):
        gradient[k] += step * table[row, k]
    for k in range(hidden.size):
        table[row, k] += step * hidden[k]
    return loss


@kernel
def update_windows(block: Block, targets: int, rate: float, table: NDArray[Any], stride: int) -> float:
    """The output vector of each target should score high with all its rows; returns the weighted loss.

    Four targets at a time: all are scored before the first is updated. ``table`` is flat, a row a word.
    """
    loss = 0.0
    for first in range(0, targets, TOGETHER):
        last = min(targets, first + TOGETHER)
        for target in range(first, last):
            output = Outputs(table, block.targets, target, 1)
            score_pairs(rows_of(block, target, stride), output, block.scores, target * block.width, 1, stride)
        for target in range(first, last):
            for place in range(target * block.width, target * block.width + block.pair_counts[target], LANES):
                loss += _scores_to_errors(block, place, rate)
        for target in range(first, last):
            output = Outputs(table, block.targets, target, 1)
            update_pairs(rows_of(block, target, stride), output, block.scores, target * block.width, 1, stride)
    return loss


@kernel
def update_singles(block: Block, targets: int, rate: float, table: NDArray[Any], stride: int) -> float:
    """``update_windows`` where no target has more than one row: 16 targets are scored before the first is updated."""
    loss = 0.0
    for first in range(0, targets, LANES):
        last = min(targets, first + LANES)
        _score_singles(block, first, last, table, stride)
        loss += _scores_to_errors(block, first, rate)
        for target in range(first, last):
            step = broadcast(block.scores[target])
            row, place = int(block.first_rows[target]) * stride, int(block.targets[target]) * stride
            for k in range(0, stride, LANES):
                output = load(table, place + k)
                store(table, place + k, multiply_add(step, load(block.hidden, row + k), output))
                store(block.gradient, row + k, multiply_add(step, output, load(block.gradient, row + k)))
    return loss


@kernel(inline=True)
def rows_of(block: Block, target: int, stride: int) -> PairRows:
    """The rows that are to predict a target."""
    start = int(block.first_rows[target]) * stride
    return PairRows(block.hidden, block.gradient, start, int(block.gaps[target]), int(block.pair_counts[target]))


@kernel(inline=True)
def _scores_to_errors(block: Block, place: int, rate: float) -> float:
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

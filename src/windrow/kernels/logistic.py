"""One output row against the hidden rows paired with it: the step that negative sampling and Huffman paths share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.kernels._jit import kernel
from windrow.kernels.contexts import Block
from windrow.kernels.simd import (
    LANES,
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

# word2vec's logistic: 1,000 entries over [-6, 6). Its index factor is the C integer division 1000 / 6 / 2 = 83, not
# 83.33, so entries are slightly off; models trained by word2vec.c and gensim carry that, and `pair` reproduces it.
MAX_LOGIT = 6
_TABLE_SIZE = 1000
_TABLE_FACTOR = np.float32(_TABLE_SIZE // MAX_LOGIT // 2)
_LOGITS = (np.arange(_TABLE_SIZE, dtype=np.float32) / np.float32(_TABLE_SIZE) * 2 - 1) * np.float32(MAX_LOGIT)
_POWERS = np.exp(_LOGITS.astype(np.float64)).astype(np.float32)
LOGISTIC_TABLE = (_POWERS / (_POWERS + 1)).astype(np.float32)


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
def update_row(
    block: Block,
    target: int,
    table: NDArray[Any],
    place: int,
    label: int,
    rate: float,
    scores: NDArray[Any],
    stride: int,
) -> float:
    """The output row at ``table[place:]`` against all hidden rows paired with ``target``; returns the weighted loss.

    The gradients of the hidden rows see the output row as it was; the output row gets the sum of its updates.
    ``scores`` is scratch for one number a pair, rounded up to 16.
    """
    first = target * (block.pair_rows.size // block.targets.size)
    pairs = (block.pair_counts[target] + 3) // 4 * 4
    for pair in range(0, pairs, 4):
        h0 = int(block.pair_rows[first + pair]) * stride
        h1 = int(block.pair_rows[first + pair + 1]) * stride
        h2 = int(block.pair_rows[first + pair + 2]) * stride
        h3 = int(block.pair_rows[first + pair + 3]) * stride
        x0 = zero(table)
        x1 = zero(table)
        x2 = zero(table)
        x3 = zero(table)
        for k in range(0, stride, LANES):
            output = load(table, place + k)
            x0 = multiply_add(output, load(block.hidden, h0 + k), x0)
            x1 = multiply_add(output, load(block.hidden, h1 + k), x1)
            x2 = multiply_add(output, load(block.hidden, h2 + k), x2)
            x3 = multiply_add(output, load(block.hidden, h3 + k), x3)
        scores[pair] = total(x0)
        scores[pair + 1] = total(x1)
        scores[pair + 2] = total(x2)
        scores[pair + 3] = total(x3)
    one = table.dtype.type(1)
    sign = one if label else -one
    loss = 0.0
    for pair in range(0, pairs, LANES):
        weights = load(block.pair_weights, first + pair)
        probability = logistic(multiply(broadcast(sign), load(scores, pair)))  # of the label
        loss -= total(multiply(weights, log(probability)))
        error = multiply_add(broadcast(-one), probability, broadcast(one))
        store(scores, pair, multiply(multiply(broadcast(table.dtype.type(sign * rate)), weights), error))
    for k in range(0, stride, LANES):
        output = load(table, place + k)
        updated = output
        for pair in range(block.pair_counts[target]):
            hidden = int(block.pair_rows[first + pair]) * stride + k
            step = broadcast(scores[pair])
            updated = multiply_add(step, load(block.hidden, hidden), updated)
            store(block.gradient, hidden, multiply_add(step, output, load(block.gradient, hidden)))
        store(table, place + k, updated)
    return loss

"""Training update by update, as word2vec.c and gensim do, down to their tables: what ``kernel="pair"`` runs.

An output layer binds its step to ``train_pairs`` in a few lines. The driver takes the step as an argument and is
inlined into the layer's entry point, because Numba keeps a function on disk only if no function is passed to it at run
time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.kernels.contexts import Context, combine_window, spread_gradient
from windrow.embeddings.kernels.inputs import Inputs, add_changes, compose_words
from windrow.embeddings.kernels.windows import Chunk
from windrow.numeric.jit import kernel
from windrow.numeric.rng import RngState, linear_congruential
from windrow.outputs.noise import noise_weights

# word2vec's logistic: 1,000 entries over [-6, 6). Its index factor is the C integer division 1000 / 6 / 2 = 83, not
# 83.33, so entries are slightly off; models trained by word2vec.c and gensim carry that, and `pair` reproduces it.
MAX_LOGIT = 6
_TABLE_SIZE = 1000
_TABLE_FACTOR = np.float32(_TABLE_SIZE // MAX_LOGIT // 2)
_LOGITS = (np.arange(_TABLE_SIZE, dtype=np.float32) / np.float32(_TABLE_SIZE) * 2 - 1) * np.float32(MAX_LOGIT)
_POWERS = np.exp(_LOGITS.astype(np.float64)).astype(np.float32)
LOGISTIC_TABLE = (_POWERS / (_POWERS + 1)).astype(np.float32)

_CUMULATIVE_END = 2**31 - 1  # gensim's scale of its cumulative table


@kernel(inline=True, allocates=True)
def train_pairs(
    chunk: Chunk,
    inputs: Inputs,
    context: Context,
    learning_rate: float,
    first_step: Callable[..., float],
    first_layer: Any,
    second_step: Callable[..., float],
    second_layer: Any,
    state: RngState,
) -> float:
    """Train on a chunk update by update; returns the summed loss.

    Each example goes through both steps in turn, with the hidden vector computed again for the second:
    ``step(hidden, gradient, target_word, learning_rate, layer, state)``.
    """
    dtype = inputs.table.dtype
    hidden, gradient = np.empty(context.stride, dtype), np.empty(context.stride, dtype)
    loss = 0.0
    for center in range(chunk.words.size):
        left, right = chunk.left[center], chunk.right[center]
        examples = right - left if context.skipgram else 1
        for example in range(examples):
            rate = learning_rate
            if context.skipgram:  # each context position is an example of its own
                if left + example == center:
                    continue
                rate *= chunk.distance_weights[context.window + left + example - center]
            loss += _learn(
                chunk, center, example, inputs, context, hidden, gradient, rate, first_step, first_layer, state
            )  # fmt: skip
            loss += _learn(
                chunk, center, example, inputs, context, hidden, gradient, rate, second_step, second_layer, state
            )  # fmt: skip
    return loss


@kernel(inline=True)
def _learn(
    chunk: Chunk,
    center: int,
    example: int,
    inputs: Inputs,
    context: Context,
    hidden: NDArray[Any],
    gradient: NDArray[Any],
    rate: float,
    step: Callable[..., float],
    layer: Any,
    state: RngState,
) -> float:
    gradient[:] = 0
    left, right, is_composed = chunk.left[center], chunk.right[center], inputs.composed.size > 0
    source = inputs.composed if is_composed else inputs.table
    changed = inputs.changes if is_composed else inputs.table
    words = 0
    if is_composed:
        first, last = (left + example, left + example + 1) if context.skipgram else (left, right)
        words = compose_words(chunk, first, last, inputs, context.stride, context.skipgram)
    place = int(chunk.rows[left + example]) * context.stride
    if context.skipgram:
        hidden[:] = source[place : place + context.stride]
    else:
        combine_window(chunk, center, left, right, source, context, hidden, 0)
    loss = step(hidden, gradient, chunk.words[center], rate, layer, state)
    if context.skipgram:
        if chunk.shares.size > 0:
            gradient *= chunk.shares[left + example]
        changed[place : place + context.stride] += gradient
    else:
        spread_gradient(chunk, center, left, right, changed, context, gradient, 0)
    if is_composed:
        add_changes(words, inputs, context.stride)
    return loss


@kernel
def no_step(
    hidden: NDArray[Any], gradient: NDArray[Any], target_word: int, rate: float, layer: Any, state: RngState
) -> float:
    """The second step of a model with one output layer."""
    return 0.0


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
    dot = 0.0  # in float64: a score near the boundary of two table entries is more often rounded to the right one
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


def cumulative_table(counts: NDArray[np.int64], exponent: float) -> NDArray[np.uint32]:
    """gensim's noise distribution, cumulative and scaled to 2**31 - 1, summed word by word; shape (words,)."""
    weights = noise_weights(counts, exponent)
    # Sums in gensim's order, one word at a time, so that the rounded entries are the same.
    cumulative = np.cumsum(weights)
    table: NDArray[np.uint32] = np.round(cumulative / cumulative[-1] * _CUMULATIVE_END).astype(np.uint32)
    return table


@kernel
def draw_cumulative(table: NDArray[np.uint32], state: RngState) -> Any:
    """One noise word as gensim draws it: the first whose cumulative count reaches 32 random bits, modulo the end."""
    sought = np.uint32(linear_congruential(state) % np.uint64(table[-1]))
    low, high = 0, table.size
    while low < high:
        middle = (low + high) // 2
        if table[middle] < sought:
            low = middle + 1
        else:
            high = middle
    return low

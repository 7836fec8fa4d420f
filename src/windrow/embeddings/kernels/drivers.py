"""The two loops over a chunk. An output layer binds its step to them in a few lines, and so is compiled with them.

A driver takes the step as an argument and is inlined into the layer's entry point, because Numba keeps a function on
disk only if no function object is passed to it at run time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.kernels.contexts import Block, Context, combine_window, prefetch_words, spread_gradient
from windrow.embeddings.kernels.windows import Chunk
from windrow.numeric.jit import kernel
from windrow.numeric.rng import State


@kernel(inline=True)
def train_blocks(
    chunk: Chunk,
    table: NDArray[Any],
    context: Context,
    block: Block,
    learning_rate: float,
    gather: Callable[..., Any],
    scatter: Callable[..., None],
    step: Callable[..., float],
    layer: Any,
    draws: NDArray[np.int32],
) -> float:
    """Train on a chunk, ``context.block_size`` centers at a time; returns the summed loss.

    ``gather`` and ``scatter`` are those of skip-gram or of CBOW (contexts.py).
    ``step(block, rows, targets, learning_rate, layer, draws, number)`` updates the layer's own table and adds to
    ``block.gradient``; ``draws`` is what the layer has drawn for the whole chunk, ``number`` counts the blocks.
    ``table`` is the flat input table.
    """
    loss = 0.0
    for number in range((chunk.words.size + context.block_size - 1) // context.block_size):
        start = number * context.block_size
        stop = min(chunk.words.size, start + context.block_size)
        prefetch_words(chunk, stop + context.window, context.block_size, table, context)
        rows = gather(chunk, start, stop, table, context, block)
        loss += step(block, rows, stop - start, learning_rate, layer, draws, number)
        scatter(chunk, start, rows, table, context, block)
    return loss


@kernel(inline=True, allocates=True)
def train_pairs(
    chunk: Chunk,
    table: NDArray[Any],
    context: Context,
    learning_rate: float,
    first_step: Callable[..., float],
    first_layer: Any,
    second_step: Callable[..., float],
    second_layer: Any,
    state: State,
) -> float:
    """Train on a chunk update by update, as word2vec.c and gensim do; returns the summed loss.

    Each example goes through both steps in turn, the hidden vector computed afresh for the second:
    ``step(hidden, gradient, target_word, learning_rate, layer, state)``. ``table`` is the flat input table.
    """
    hidden = np.empty(context.stride, table.dtype)
    gradient = np.empty(context.stride, table.dtype)
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
                chunk, center, example, table, context, hidden, gradient, rate, first_step, first_layer, state
            )
            loss += _learn(
                chunk,
                center,
                example,
                table,
                context,
                hidden,
                gradient,
                rate,
                second_step,
                second_layer,
                state,
            )
    return loss


@kernel(inline=True)
def _learn(
    chunk: Chunk,
    center: int,
    example: int,
    table: NDArray[Any],
    context: Context,
    hidden: NDArray[Any],
    gradient: NDArray[Any],
    rate: float,
    step: Callable[..., float],
    layer: Any,
    state: State,
) -> float:
    gradient[:] = 0
    place = int(chunk.rows[chunk.left[center] + example]) * context.stride
    if context.skipgram:
        hidden[:] = table[place : place + context.stride]
    else:
        combine_window(chunk, center, chunk.left[center], chunk.right[center], table, context, hidden, 0)
    loss = step(hidden, gradient, chunk.words[center], rate, layer, state)
    if context.skipgram:
        table[place : place + context.stride] += gradient
    else:
        spread_gradient(chunk, center, chunk.left[center], chunk.right[center], table, context, gradient, 0)
    return loss


@kernel
def no_step(
    hidden: NDArray[Any], gradient: NDArray[Any], target_word: int, rate: float, layer: Any, state: State
) -> float:
    """The second step of a model with one output layer."""
    return 0.0


@kernel(allocates=True)
def draw_nothing(layer: Any, blocks: int, state: State) -> NDArray[np.int32]:
    """The draws of a layer without randomness."""
    return np.empty(0, np.int32)

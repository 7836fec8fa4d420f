"""From windows to hidden rows and back: what makes a model skip-gram or CBOW.

Skip-gram predicts the center word from each context word: a hidden row is the input vector of one context word.
CBOW predicts it from all of them: a hidden row is the weighted mean (or sum) of their input vectors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.kernels.windows import Chunk
from windrow.numeric.jit import kernel
from windrow.numeric.row_scores import PairRows
from windrow.numeric.simd import (
    LANES,
    add,
    broadcast,
    first_lanes,
    load,
    multiply,
    multiply_add,
    prefetch,
    store,
    subtract,
    zero,
)


class Context(NamedTuple):
    """How hidden rows are made: skip-gram or CBOW (mean or sum), and the sizes that follow."""

    skipgram: bool
    mean: bool
    uniform: bool  # all words of a window weigh 1
    window: int
    stride: int
    block_size: int


class Block(NamedTuple):
    """Hidden rows of some center words, and which rows are to predict which target word.

    Target t is predicted by ``pair_counts[t]`` consecutive rows from ``first_rows[t]`` on, the row ``gaps[t]`` places
    further left out, with the weights ``pair_weights[t * width :]``. ``width`` is 1 (at most one row a target) or a
    multiple of 16, and then the weights beyond the count are 0. ``row_weights`` sums the pair weights of a row.
    ``hidden`` and ``gradient`` are flat, (rows, stride); ``gradient`` holds what is to be added to the rows. There is
    room for 16 rows beyond the last.
    """

    hidden: NDArray[Any]
    gradient: NDArray[Any]
    row_weights: NDArray[Any]
    targets: NDArray[np.int32]
    first_rows: NDArray[np.int32]
    pair_counts: NDArray[np.int32]
    gaps: NDArray[np.int32]
    pair_weights: NDArray[Any]
    scores: NDArray[Any]  # scratch, a number a pair
    around: NDArray[Any]  # scratch of CBOW, flat (words around a block + 1, stride)
    width: int


@kernel
def prefetch_words(chunk: Chunk, start: int, number: int, table: NDArray[Any], context: Context) -> None:
    """Bring the input vectors of the next ``number`` words near: most are far, and the block at work takes a while."""
    for position in range(start, min(chunk.words.size, start + number)):
        source = int(chunk.rows[position]) * context.stride
        for k in range(0, context.stride, LANES):
            prefetch(table, source + k)


@kernel
def gather_skipgram(chunk: Chunk, start: int, stop: int, table: NDArray[Any], context: Context, block: Block) -> Any:
    """Hidden rows for the centers ``start`` to ``stop``: the input vectors of all words around. Returns their count."""
    stride = context.stride
    first = max(0, start - context.window)
    last = min(chunk.words.size, stop + context.window)
    for row in range(last - first):
        source, place = int(chunk.rows[first + row]) * stride, row * stride
        for k in range(0, stride, LANES):
            store(block.hidden, place + k, load(table, source + k))
            store(block.gradient, place + k, zero(table))
    block.row_weights[:] = 0
    for center in range(start, stop):
        target, left, right = center - start, chunk.left[center], chunk.right[center]
        block.targets[target] = chunk.words[center]
        block.first_rows[target] = left - first
        block.pair_counts[target] = right - left - 1
        block.gaps[target] = center - left  # a word does not predict itself
        _weigh_window(block, target, left - first, right - left, chunk.distance_weights, context.window)
    return last - first


@kernel
def _weigh_window(block: Block, target: int, row: int, rows: int, distance_weights: NDArray[Any], window: int) -> None:
    """The weights of a target's pairs, and what they add to the weights of the ``rows`` rows from ``row`` on."""
    gap, place = int(block.gaps[target]), target * block.width
    for i in range(0, rows, LANES):
        weights = first_lanes(load(distance_weights, window - gap + i), rows - i)
        store(block.row_weights, row + i, add(load(block.row_weights, row + i), weights))
    for i in range(0, gap, LANES):
        store(block.pair_weights, place + i, load(distance_weights, window - gap + i))
    after = rows - gap - 1
    for i in range(0, block.width - gap, LANES):
        weights = load(distance_weights, window + 1 + min(i, window))  # nothing is left of those beyond the window
        store(block.pair_weights, place + gap + i, first_lanes(weights, after - i))


@kernel
def scatter_skipgram(chunk: Chunk, start: int, rows: int, table: NDArray[Any], context: Context, block: Block) -> None:
    """Add each row's gradient to the input vector it came from."""
    stride = context.stride
    first = max(0, start - context.window)
    for row in range(rows):
        target, place = int(chunk.rows[first + row]) * stride, row * stride
        for k in range(0, stride, LANES):
            store(table, target + k, add(load(table, target + k), load(block.gradient, place + k)))


@kernel
def gather_cbow(chunk: Chunk, start: int, stop: int, table: NDArray[Any], context: Context, block: Block) -> Any:
    """Hidden rows for the centers ``start`` to ``stop``: the mean or sum of each window. Returns their count."""
    block.row_weights[:] = 0
    for center in range(start, stop):
        target = center - start
        block.targets[target] = chunk.words[center]
        block.first_rows[target] = target
        block.pair_counts[target] = 1 if chunk.right[center] - chunk.left[center] > 1 else 0
        block.gaps[target] = 1
        block.pair_weights[target] = block.pair_counts[target]
        block.row_weights[target] = block.pair_counts[target]
        for k in range(0, context.stride, LANES):
            store(block.gradient, target * context.stride + k, zero(table))
    store(block.pair_weights, stop - start, zero(table))
    if context.uniform:
        _subtract_prefix_sums(chunk, start, stop, table, context, block)
    else:
        for center in range(start, stop):
            left, right, place = chunk.left[center], chunk.right[center], (center - start) * context.stride
            combine_window(chunk, center, left, right, table, context, block.hidden, place)
    return stop - start


@kernel
def _subtract_prefix_sums(
    chunk: Chunk, start: int, stop: int, table: NDArray[Any], context: Context, block: Block
) -> None:
    """Each window's mean or sum as a difference of prefix sums: the cost does not grow with the window."""
    stride, sums = context.stride, block.around
    first, last = max(0, start - context.window), min(chunk.words.size, stop + context.window)
    for k in range(0, stride, LANES):
        store(sums, k, zero(table))
    for row in range(last - first):
        source, place = int(chunk.rows[first + row]) * stride, row * stride
        for k in range(0, stride, LANES):
            store(sums, place + stride + k, add(load(sums, place + k), load(table, source + k)))
    for center in range(start, stop):
        left, right = (chunk.left[center] - first) * stride, (chunk.right[center] - first) * stride
        own, place = int(chunk.rows[center]) * stride, (center - start) * stride
        count = max(1, chunk.right[center] - chunk.left[center] - 1)
        scale = broadcast(table.dtype.type(1 / count if context.mean else 1))
        for k in range(0, stride, LANES):
            window_sum = subtract(subtract(load(sums, right + k), load(sums, left + k)), load(table, own + k))
            store(block.hidden, place + k, multiply(scale, window_sum))


@kernel
def scatter_cbow(chunk: Chunk, start: int, rows: int, table: NDArray[Any], context: Context, block: Block) -> None:
    """Add each center's gradient to the input vectors of its window."""
    if context.uniform:
        _add_differences(chunk, start, rows, table, context, block)
    else:
        for row in range(rows):
            center = start + row
            left, right = chunk.left[center], chunk.right[center]
            spread_gradient(chunk, center, left, right, table, context, block.gradient, row * context.stride)


@kernel
def _add_differences(chunk: Chunk, start: int, rows: int, table: NDArray[Any], context: Context, block: Block) -> None:
    """``spread_gradient`` for all windows at once: +g where a window begins, -g behind its end, then a running sum."""
    stride, differences, gradient = context.stride, block.around, block.gradient
    first, last = max(0, start - context.window), min(chunk.words.size, start + rows + context.window)
    for place in range(0, (last - first + 1) * stride, LANES):
        store(differences, place, zero(table))
    for row in range(rows):
        left, right = chunk.left[start + row], chunk.right[start + row]
        count, place = right - left - 1, row * stride
        scale = broadcast(table.dtype.type((1 if context.mean else 1 / max(1, count)) if count > 0 else 0))
        begin, end = (left - first) * stride, (right - first) * stride
        for k in range(0, stride, LANES):
            change = multiply(scale, load(gradient, place + k))
            store(gradient, place + k, change)
            store(differences, begin + k, add(load(differences, begin + k), change))
            store(differences, end + k, subtract(load(differences, end + k), change))
    for position in range(first, last):
        target, place = int(chunk.rows[position]) * stride, (position - first) * stride
        own = (position - start) * stride  # a center gets nothing from its own window
        is_center = 0 <= position - start < rows
        for k in range(0, stride, LANES):
            change = load(differences, place + k)
            store(differences, place + stride + k, add(load(differences, place + stride + k), change))
            if is_center:
                change = subtract(change, load(gradient, own + k))
            store(table, target + k, add(load(table, target + k), change))


@kernel
def _weight_sum(chunk: Chunk, center: int, left: int, right: int, context: Context) -> Any:
    weight_sum = chunk.distance_weights.dtype.type(0)
    for position in range(left, right):
        if position != center:
            weight_sum += chunk.distance_weights[context.window + position - center]
    return weight_sum


@kernel
def combine_window(
    chunk: Chunk,
    center: int,
    left: int,
    right: int,
    table: NDArray[Any],
    context: Context,
    hidden: NDArray[Any],
    place: int,
) -> None:
    """``hidden[place:]`` = the weighted mean or sum of the input vectors at ``left`` to ``right`` but ``center``."""
    for k in range(0, context.stride, LANES):
        store(hidden, place + k, zero(table))
    for position in range(left, right):
        if position != center:
            weight = broadcast(chunk.distance_weights[context.window + position - center])
            source = int(chunk.rows[position]) * context.stride
            for k in range(0, context.stride, LANES):
                store(hidden, place + k, multiply_add(weight, load(table, source + k), load(hidden, place + k)))
    if context.mean and right - left > 1:
        scale = broadcast(table.dtype.type(1) / _weight_sum(chunk, center, left, right, context))
        for k in range(0, context.stride, LANES):
            store(hidden, place + k, multiply(scale, load(hidden, place + k)))


@kernel
def spread_gradient(
    chunk: Chunk,
    center: int,
    left: int,
    right: int,
    table: NDArray[Any],
    context: Context,
    gradient: NDArray[Any],
    place: int,
) -> None:
    """Add ``gradient[place:]`` to the input vectors of the window.

    As in word2vec.c and gensim the mean's gradient is not divided by the number of context words, and gensim divides
    the sum's: each is the true gradient times that number or over it (Irsoy, Benton & Stratos 2021 discuss it).
    """
    count = right - left - 1
    if count < 1:
        return
    one = table.dtype.type(1)
    scale = count / _weight_sum(chunk, center, left, right, context) if context.mean else one / count
    for position in range(left, right):
        if position != center:
            weight = broadcast(table.dtype.type(scale * chunk.distance_weights[context.window + position - center]))
            target = int(chunk.rows[position]) * context.stride
            for k in range(0, context.stride, LANES):
                update = multiply_add(weight, load(gradient, place + k), load(table, target + k))
                store(table, target + k, update)


@kernel(inline=True)
def train_blocks(
    chunk: Chunk,
    table: NDArray[Any],
    context: Context,
    block: Block,
    learning_rate: float,
    step: Callable[..., float],
    layer: Any,
    draws: NDArray[np.int32],
) -> float:
    """Train on a chunk, ``context.block_size`` centers at a time; returns the summed loss. ``table`` is flat.

    ``step(block, rows, targets, learning_rate, layer, draws, number)`` updates the layer's own table and adds to
    ``block.gradient``; ``draws`` is what the layer has drawn for the whole chunk, ``number`` counts the blocks. A layer
    binds its step in a few lines: as in pairs.py, the driver is inlined so that the compiled whole can be kept on disk.
    """
    loss = 0.0
    for number in range((chunk.words.size + context.block_size - 1) // context.block_size):
        start = number * context.block_size
        stop = min(chunk.words.size, start + context.block_size)
        prefetch_words(chunk, stop + context.window, context.block_size, table, context)
        if context.skipgram:
            rows = gather_skipgram(chunk, start, stop, table, context, block)
        else:
            rows = gather_cbow(chunk, start, stop, table, context, block)
        loss += step(block, rows, stop - start, learning_rate, layer, draws, number)
        if context.skipgram:
            scatter_skipgram(chunk, start, rows, table, context, block)
        else:
            scatter_cbow(chunk, start, rows, table, context, block)
    return loss


@kernel(inline=True)
def rows_of(block: Block, target: int, stride: int) -> PairRows:
    """The rows that are to predict a target."""
    start = int(block.first_rows[target]) * stride
    return PairRows(block.hidden, block.gradient, start, int(block.gaps[target]), int(block.pair_counts[target]))

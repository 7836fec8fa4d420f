"""From windows to hidden rows and back: what makes a model skip-gram or CBOW.

Skip-gram predicts the center word from each context word: a hidden row is the input vector of one context word.
CBOW predicts it from all of them: a hidden row is the weighted mean (or sum) of their input vectors.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.kernels._jit import kernel
from windrow.kernels.simd import LANES, add, broadcast, load, multiply, multiply_add, store, zero
from windrow.kernels.windows import Chunk


class Context(NamedTuple):
    """How hidden rows are made: skip-gram or CBOW (mean or sum), and the sizes that follow."""

    skipgram: bool
    mean: bool
    window: int
    stride: int
    block_size: int


class Block(NamedTuple):
    """Hidden rows of some center words, and which row is to predict which target word.

    Target t is predicted by the rows ``pair_rows[t * width : t * width + pair_counts[t]]``, ``width`` being a multiple
    of 16; the places up to the next multiple of 16 hold row 0 with weight 0. ``row_weights`` sums the pair weights of
    a row. ``hidden`` and ``gradient`` are flat, (rows, stride); ``gradient`` holds what is to be added to the rows.
    There is room for a multiple of 16 rows; those beyond the last have weight 0.
    """

    hidden: NDArray[Any]
    gradient: NDArray[Any]
    row_weights: NDArray[Any]
    targets: NDArray[np.int32]
    pair_counts: NDArray[np.int32]
    pair_rows: NDArray[np.int32]
    pair_weights: NDArray[Any]


@kernel
def _add_pair(block: Block, target: int, width: int, row: int, weight: float) -> None:
    place = target * width + block.pair_counts[target]
    block.pair_rows[place] = row
    block.pair_weights[place] = weight
    block.row_weights[row] += weight
    block.pair_counts[target] += 1


@kernel
def _close_pairs(block: Block, target: int, width: int) -> None:
    """Fill the pairs of a target up to a multiple of 16 with pairs of weight 0."""
    count = block.pair_counts[target]
    for place in range(target * width + count, target * width + (count + LANES - 1) // LANES * LANES):
        block.pair_rows[place] = 0
        block.pair_weights[place] = 0


@kernel
def gather_skipgram(chunk: Chunk, start: int, stop: int, table: NDArray[Any], context: Context, block: Block) -> Any:
    """Hidden rows for the centers ``start`` to ``stop``: the input vectors of all words around. Returns their count."""
    stride, width = context.stride, block.pair_rows.size // context.block_size
    first = max(0, start - context.window)
    last = min(chunk.words.size, stop + context.window)
    for row in range(last - first):
        source, place = int(chunk.words[first + row]) * stride, row * stride
        for k in range(0, stride, LANES):
            store(block.hidden, place + k, load(table, source + k))
            store(block.gradient, place + k, zero(table))
    block.row_weights[:] = 0
    for center in range(start, stop):
        target = center - start
        block.targets[target] = chunk.words[center]
        block.pair_counts[target] = 0
        for position in range(chunk.left[center], chunk.right[center]):
            if position != center:
                weight = chunk.distance_weights[abs(position - center)]
                _add_pair(block, target, width, position - first, weight)
        _close_pairs(block, target, width)
    return last - first


@kernel
def scatter_skipgram(chunk: Chunk, start: int, rows: int, table: NDArray[Any], context: Context, block: Block) -> None:
    """Add each row's gradient to the input vector it came from."""
    stride = context.stride
    first = max(0, start - context.window)
    for row in range(rows):
        target, place = int(chunk.words[first + row]) * stride, row * stride
        for k in range(0, stride, LANES):
            store(table, target + k, add(load(table, target + k), load(block.gradient, place + k)))


@kernel
def gather_cbow(chunk: Chunk, start: int, stop: int, table: NDArray[Any], context: Context, block: Block) -> Any:
    """Hidden rows for the centers ``start`` to ``stop``: the mean or sum of each window. Returns their count."""
    width = block.pair_rows.size // context.block_size
    block.row_weights[:] = 0
    for center in range(start, stop):
        target = center - start
        block.targets[target] = chunk.words[center]
        block.pair_counts[target] = 0
        left, right = chunk.left[center], chunk.right[center]
        combine_window(chunk, center, left, right, table, context, block.hidden, target * context.stride)
        for k in range(0, context.stride, LANES):
            store(block.gradient, target * context.stride + k, zero(table))
        if right - left > 1:
            _add_pair(block, target, width, target, 1)
        _close_pairs(block, target, width)
    return stop - start


@kernel
def scatter_cbow(chunk: Chunk, start: int, rows: int, table: NDArray[Any], context: Context, block: Block) -> None:
    """Add each center's gradient to the input vectors of its window."""
    for row in range(rows):
        center = start + row
        left, right = chunk.left[center], chunk.right[center]
        spread_gradient(chunk, center, left, right, table, context, block.gradient, row * context.stride)


@kernel
def _weight_sum(chunk: Chunk, center: int, left: int, right: int) -> Any:
    weight_sum = chunk.distance_weights.dtype.type(0)
    for position in range(left, right):
        if position != center:
            weight_sum += chunk.distance_weights[abs(position - center)]
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
            weight = broadcast(chunk.distance_weights[abs(position - center)])
            source = int(chunk.words[position]) * context.stride
            for k in range(0, context.stride, LANES):
                store(hidden, place + k, multiply_add(weight, load(table, source + k), load(hidden, place + k)))
    if context.mean and right - left > 1:
        scale = broadcast(table.dtype.type(1) / _weight_sum(chunk, center, left, right))
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
    scale = count / _weight_sum(chunk, center, left, right) if context.mean else one / count
    for position in range(left, right):
        if position != center:
            weight = broadcast(table.dtype.type(scale * chunk.distance_weights[abs(position - center)]))
            target = int(chunk.words[position]) * context.stride
            for k in range(0, context.stride, LANES):
                update = multiply_add(weight, load(gradient, place + k), load(table, target + k))
                store(table, target + k, update)

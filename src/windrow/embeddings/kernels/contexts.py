"""From windows to hidden rows and back: what makes a model skip-gram or CBOW.

Skip-gram predicts the center word from each context word: a hidden row is the input vector of one context word.
CBOW predicts it from all of them: a hidden row is the weighted mean (or sum) of their input vectors.

``train_blocks``, near the end, is the loop of a training by blocks: gather the hidden rows of a block, let the output
layer learn from them, scatter their gradients. The loop update by update is in pairs.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.kernels.inputs import Inputs, add_changes, compose_words
from windrow.embeddings.kernels.windows import Chunk
from windrow.numeric.jit import kernel
from windrow.numeric.row_scores import TargetRows
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
from windrow.numeric.tables import padded_width, zero_table, zero_tables_apart


class Context(NamedTuple):
    """How hidden rows are made from the words of a window."""

    skipgram: bool  # else CBOW
    mean: bool  # of CBOW: the mean of a window, else the sum
    uniform: bool  # all words of a window have weight 1
    window: int  # the largest distance of a context word from its center
    stride: int  # numbers per row of a table, padding included
    block_size: int  # center words per block


class Block(NamedTuple):
    """The hidden rows of a block of center words (the targets), and which rows predict which target.

    Skip-gram, window 2, the text "a b c d" with the targets b and c; row r is the input vector of word r::

        row              0  1  2  3
        target 0 is b    x  .  x  x     first_rows 0, gaps 1, pair_counts 3
        target 1 is c    x  x  .  x     first_rows 0, gaps 2, pair_counts 3

    Each x is a pair with a weight; a target's own row, ``gaps`` rows after its first, is left out. With CBOW row t is
    the mean or sum of the window of target t: first_rows t, pair_counts 1 (0 for an empty window), gaps 1 (no row).

    All arrays are larger than this by 16 rows or numbers, because kernels read and write whole vectors.
    """

    hidden: NDArray[Any]  # flat (rows, stride)
    gradient: NDArray[Any]  # flat (rows, stride): what is to be added to the input vectors behind each row
    row_weights: NDArray[Any]  # (rows,): the sum of the weights of a row's pairs
    targets: NDArray[np.int32]  # (targets,): the words to predict
    first_rows: NDArray[np.int32]  # (targets,)
    pair_counts: NDArray[np.int32]  # (targets,)
    gaps: NDArray[np.int32]  # (targets,)
    pair_weights: NDArray[Any]  # flat (targets, width): the weights of a target's pairs, then zeros
    scores: NDArray[Any]  # flat (targets, width), scratch
    around: NDArray[Any]  # flat (words around a block + 1, stride), scratch of CBOW
    width: int  # 1 where a target has at most one row, else a multiple of 16


def new_block(context: Context, dtype: Any) -> Block:
    """Arrays for the largest block of a model."""
    neighbors = 2 * context.window if context.skipgram else 0
    rows = context.block_size + neighbors + LANES
    width = padded_width(neighbors + 1) if context.skipgram else 1
    pairs = context.block_size * width + 2 * LANES
    hidden, gradient = zero_tables_apart(rows, context.stride, dtype)
    return Block(
        hidden=hidden.reshape(-1),
        gradient=gradient.reshape(-1),
        row_weights=np.zeros(rows + LANES, dtype),
        targets=np.zeros(context.block_size + LANES, np.int32),
        first_rows=np.zeros(context.block_size + LANES, np.int32),
        pair_counts=np.zeros(context.block_size, np.int32),
        gaps=np.zeros(context.block_size, np.int32),
        pair_weights=np.zeros(pairs, dtype),
        scores=np.zeros(pairs, dtype),
        around=zero_table(context.block_size + 2 * context.window + 1, context.stride, dtype).reshape(-1),
        width=width,
    )


@kernel
def prefetch_words(chunk: Chunk, start: int, number: int, table: NDArray[Any], context: Context) -> None:
    """Prefetch the input vectors of ``number`` words from ``start`` on, while the block before them is trained."""
    for position in range(start, min(chunk.words.size, start + number)):
        source = int(chunk.rows[position]) * context.stride
        for k in range(0, context.stride, LANES):
            prefetch(table, source + k)


@kernel
def gather_skipgram(chunk: Chunk, start: int, stop: int, table: NDArray[Any], context: Context, block: Block) -> Any:
    """Hidden rows for centers ``start`` to ``stop - 1``: the input vectors of the words around. Returns how many."""
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
    """Write the weights of a target's pairs, and add them to those of its rows, ``rows`` from ``row`` on."""
    gap, place = int(block.gaps[target]), target * block.width
    for i in range(0, rows, LANES):
        weights = first_lanes(load(distance_weights, window - gap + i), rows - i)
        store(block.row_weights, row + i, add(load(block.row_weights, row + i), weights))
    for i in range(0, gap, LANES):
        store(block.pair_weights, place + i, load(distance_weights, window - gap + i))
    after = rows - gap - 1
    for i in range(0, block.width - gap, LANES):
        weights = load(distance_weights, window + 1 + min(i, window))  # beyond the window all lanes are set to 0
        store(block.pair_weights, place + gap + i, first_lanes(weights, after - i))


@kernel
def scatter_skipgram(chunk: Chunk, start: int, rows: int, table: NDArray[Any], context: Context, block: Block) -> None:
    """Add the gradient of each row to the input vector that it is a copy of."""
    stride, is_part = context.stride, chunk.shares.size > 0
    first = max(0, start - context.window)
    for row in range(rows):
        target, place = int(chunk.rows[first + row]) * stride, row * stride
        if is_part:
            _scale(block.gradient, place, stride, chunk.shares[first + row])
        for k in range(0, stride, LANES):
            store(table, target + k, add(load(table, target + k), load(block.gradient, place + k)))


@kernel(inline=True)
def _scale(gradient: NDArray[Any], place: int, stride: int, share: Any) -> None:
    """Multiply one row of a gradient."""
    factor = broadcast(gradient.dtype.type(share))
    for k in range(place, place + stride, LANES):
        store(gradient, k, multiply(factor, load(gradient, k)))


@kernel
def gather_cbow(chunk: Chunk, start: int, stop: int, table: NDArray[Any], context: Context, block: Block) -> Any:
    """Hidden rows for centers ``start`` to ``stop - 1``: the mean or sum of each window. Returns how many."""
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
    """Each window's mean or sum as a difference of two prefix sums: the cost does not grow with the window.

    With ``sums[i]`` the sum of the input vectors before position i of the block, a window from ``left`` to
    ``right - 1`` has the sum ``sums[right] - sums[left] - (the center's own vector)``.
    """
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
        count = max(1, _rows_around(chunk, center))
        scale = broadcast(table.dtype.type(1 / count if context.mean else 1))
        for k in range(0, stride, LANES):
            window_sum = subtract(subtract(load(sums, right + k), load(sums, left + k)), load(table, own + k))
            store(block.hidden, place + k, multiply(scale, window_sum))


@kernel
def scatter_cbow(chunk: Chunk, start: int, rows: int, table: NDArray[Any], context: Context, block: Block) -> None:
    """Add each center's gradient to the input vectors of its window."""
    if context.uniform:
        _add_window_gradients(chunk, start, rows, table, context, block)
    else:
        for row in range(rows):
            center = start + row
            left, right = chunk.left[center], chunk.right[center]
            spread_gradient(chunk, center, left, right, table, context, block.gradient, row * context.stride)


@kernel
def _add_window_gradients(
    chunk: Chunk, start: int, rows: int, table: NDArray[Any], context: Context, block: Block
) -> None:
    """``spread_gradient`` for all windows of a block at once: the cost does not grow with the window.

    Every word of a window gets its gradient g: +g is noted where the window begins, -g behind its end, and the running
    sum of these notes is what each word gets. A center is no part of its own window. Centers 1 and 2, window size 1::

        position        0      1      2      3      4
        window of 1    +g1                  -g1
        window of 2           +g2                  -g2
        running sum     g1    g1+g2  g1+g2   g2     0
        own gradient           g1     g2
        added           g1     g2     g1     g2
    """
    first, last = max(0, start - context.window), min(chunk.words.size, start + rows + context.window)
    _note_window_bounds(chunk, start, rows, first, last, table, context, block)
    _add_running_sums(chunk, start, rows, first, last, table, context, block)


@kernel
def _note_window_bounds(
    chunk: Chunk, start: int, rows: int, first: int, last: int, table: NDArray[Any], context: Context, block: Block
) -> None:
    """Scale the gradients, and note +g and -g of each window in ``block.around``, where row 0 is position ``first``."""
    stride, differences, gradient = context.stride, block.around, block.gradient
    for place in range(0, (last - first + 1) * stride, LANES):
        store(differences, place, zero(table))
    for row in range(rows):
        left, right = chunk.left[start + row], chunk.right[start + row]
        count, place = _rows_around(chunk, start + row), row * stride
        scale = broadcast(table.dtype.type((1 if context.mean else 1 / max(1, count)) if count > 0 else 0))
        begin, end = (left - first) * stride, (right - first) * stride
        for k in range(0, stride, LANES):
            change = multiply(scale, load(gradient, place + k))
            store(gradient, place + k, change)
            store(differences, begin + k, add(load(differences, begin + k), change))
            store(differences, end + k, subtract(load(differences, end + k), change))


@kernel
def _add_running_sums(
    chunk: Chunk, start: int, rows: int, first: int, last: int, table: NDArray[Any], context: Context, block: Block
) -> None:
    """Add to each input vector the running sum of the noted gradients, less its own where it is a center."""
    stride, differences, gradient = context.stride, block.around, block.gradient
    is_part = chunk.shares.size > 0
    for position in range(first, last):
        share = broadcast(table.dtype.type(chunk.shares[position] if is_part else 1))
        target, place = int(chunk.rows[position]) * stride, (position - first) * stride
        own = (position - start) * stride
        is_center = 0 <= position - start < rows
        for k in range(0, stride, LANES):
            change = load(differences, place + k)
            store(differences, place + stride + k, add(load(differences, place + stride + k), change))
            if is_center:
                change = subtract(change, load(gradient, own + k))
            if is_part:
                change = multiply(share, change)
            store(table, target + k, add(load(table, target + k), change))


@kernel(inline=True)
def _rows_around(chunk: Chunk, center: int) -> Any:
    """How many input rows the words of a window have together, its center left out."""
    before = chunk.rows_before
    return before[chunk.right[center]] - before[chunk.left[center]] - (before[center + 1] - before[center])


@kernel
def _weight_sum(chunk: Chunk, center: int, left: int, right: int, context: Context) -> Any:
    """The weights of the input rows of a window together."""
    number_type = chunk.distance_weights.dtype.type
    weight_sum = number_type(0)
    for position in range(left, right):
        if position != center:
            rows = number_type(chunk.rows_before[position + 1] - chunk.rows_before[position])
            weight_sum += chunk.distance_weights[context.window + position - center] * rows
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
    """``hidden[place:]`` = the weighted mean or sum of the input vectors of a window, its center left out."""
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


@kernel(inline=True)
def share_of(chunk: Chunk, position: int) -> Any:
    """The part of its updates that the input vector at a position takes."""
    return chunk.shares[position] if chunk.shares.size > 0 else chunk.shares.dtype.type(1)


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
    """Add ``gradient[place:]`` to the input vectors of the window, as word2vec.c and gensim do.

    With n context rows of weight 1 the true gradient of each is g / n for a mean and g for a sum. They add g for a
    mean, and gensim adds g / n for a sum (Irsoy, Benton & Stratos 2021 discuss it).
    """
    count = _rows_around(chunk, center)
    if count < 1:
        return
    one = table.dtype.type(1)
    scale = count / _weight_sum(chunk, center, left, right, context) if context.mean else one / count
    for position in range(left, right):
        if position != center:
            weight = broadcast(
                table.dtype.type(
                    scale * chunk.distance_weights[context.window + position - center] * share_of(chunk, position)
                )
            )
            target = int(chunk.rows[position]) * context.stride
            for k in range(0, context.stride, LANES):
                update = multiply_add(weight, load(gradient, place + k), load(table, target + k))
                store(table, target + k, update)


@kernel(inline=True)
def train_blocks(
    chunk: Chunk,
    inputs: Inputs,
    context: Context,
    block: Block,
    learning_rate: float,
    step: Callable[..., float],
    layer: Any,
    draws: NDArray[np.int32],
) -> float:
    """Train on a chunk, ``context.block_size`` centers at a time; returns the summed loss.

    ``step(block, rows, targets, learning_rate, layer, draws, number)`` updates the layer's own table and adds to
    ``block.gradient``; ``draws`` is what the layer has drawn for the whole chunk, ``number`` counts the blocks. A layer
    binds its step in a few lines: as in pairs.py, the driver is inlined so that the compiled whole can be kept on disk.
    """
    loss, words, is_composed = 0.0, 0, inputs.composed.size > 0
    source = inputs.composed if is_composed else inputs.table
    changed = inputs.changes if is_composed else inputs.table
    for number in range((chunk.words.size + context.block_size - 1) // context.block_size):
        start = number * context.block_size
        stop = min(chunk.words.size, start + context.block_size)
        if is_composed:
            first, last = max(0, start - context.window), min(chunk.words.size, stop + context.window)
            words = compose_words(chunk, first, last, inputs, context.stride, context.skipgram)
        else:
            prefetch_words(chunk, stop + context.window, context.block_size, source, context)
        if context.skipgram:
            rows = gather_skipgram(chunk, start, stop, source, context, block)
        else:
            rows = gather_cbow(chunk, start, stop, source, context, block)
        loss += step(block, rows, stop - start, learning_rate, layer, draws, number)
        if context.skipgram:
            scatter_skipgram(chunk, start, rows, changed, context, block)
        else:
            scatter_cbow(chunk, start, rows, changed, context, block)
        if is_composed:
            add_changes(words, inputs, context.stride)
    return loss


@kernel(inline=True)
def rows_of(block: Block, target: int, stride: int) -> TargetRows:
    """The rows that are to predict a target."""
    start = int(block.first_rows[target]) * stride
    return TargetRows(block.hidden, block.gradient, start, int(block.gaps[target]), int(block.pair_counts[target]))

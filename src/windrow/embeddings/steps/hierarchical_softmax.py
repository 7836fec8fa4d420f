"""Hierarchical softmax (Morin & Bengio 2005): a word's probability is that of its path through a Huffman tree."""

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
from windrow.embeddings.kernels.logistic import LOGISTIC_TABLE, rows_of, update_pair
from windrow.embeddings.kernels.shares import number_paths
from windrow.embeddings.kernels.windows import Chunk
from windrow.embeddings.steps.contract import LayerOptions, LayerShare
from windrow.numeric.jit import kernel
from windrow.numeric.products import Outputs, score_pairs, update_pairs
from windrow.numeric.rng import State
from windrow.numeric.simd import (
    LANES,
    add,
    broadcast,
    first_lanes,
    load,
    log,
    logistic,
    multiply,
    multiply_add,
    prefetch,
    store,
    total,
    totals,
    zero,
)
from windrow.numeric.tables import padded_width, zero_table
from windrow.outputs.tree import HuffmanTree, huffman_tree

_NEAR_NODES = 2048  # of the root: in the second-level cache
GROUP = 4  # targets with one row that are scored before any of them is updated


class PairLayer(NamedTuple):
    """What the update-by-update step reads."""

    table: NDArray[Any]  # (inner nodes, stride)
    tree: HuffmanTree
    logistic_table: NDArray[np.float32]


class BlockLayer(NamedTuple):
    """What the block step reads, and its scratch for the paths of a group of targets.

    Word w has the places ``starts[w]`` to ``starts[w + 1]`` of ``nodes`` and ``signs``; 16 places follow the last.
    """

    table: NDArray[Any]  # flat (inner nodes * stride)
    stride: int
    starts: NDArray[np.int64]  # (words + 1,)
    nodes: NDArray[np.int32]
    signs: NDArray[Any]  # 1 for the left turn, -1 for the right one
    near: int  # the nodes from here on are in the second-level cache
    width: int  # the longest path, rounded up
    errors: NDArray[Any]  # flat (rows of one target * width): scores, then errors


@kernel
def pair_step(
    hidden: NDArray[Any],
    gradient: NDArray[Any],
    target_word: int,
    rate: float,
    layer: PairLayer,
    state: State,
) -> float:
    """A logistic regression at each inner node of the target's path; label 1 means the left turn, code 0."""
    loss = 0.0
    for place in range(layer.tree.starts[target_word], layer.tree.starts[target_word + 1]):
        node, label = layer.tree.nodes[place], 1 - int(layer.tree.codes[place])
        loss += update_pair(hidden, gradient, layer.table, node, label, rate, layer.logistic_table)
    return loss


@kernel
def window_step(
    block: Block, rows: int, targets: int, rate: float, layer: BlockLayer, draws: NDArray[np.int32], number: int
) -> float:
    """The path of each target in turn against all rows that are to predict it."""
    loss = 0.0
    _prefetch_turns(block, targets, layer)
    for target in range(targets):
        _prefetch_path(layer, block.targets[min(target + 2, targets - 1)])
        if block.pair_counts[target] > 0:
            loss += _walk_with_rows(block, target, rate, layer)
    return loss


@kernel
def single_step(
    block: Block, rows: int, targets: int, rate: float, layer: BlockLayer, draws: NDArray[np.int32], number: int
) -> float:
    """The path of each target against its one row, four targets at a time."""
    loss = 0.0
    _prefetch_turns(block, targets, layer)
    for first in range(0, targets, GROUP):
        last = min(targets, first + GROUP)
        for target in range(last, min(targets, last + GROUP)):
            _prefetch_path(layer, block.targets[target])
        loss += _walk_with_single_rows(block, first, last, rate, layer)
    return loss


@kernel(inline=True)
def _prefetch_turns(block: Block, targets: int, layer: BlockLayer) -> None:
    for target in range(targets):
        prefetch(layer.nodes, layer.starts[block.targets[target]])
        prefetch(layer.signs, layer.starts[block.targets[target]])


@kernel(inline=True)
def _prefetch_path(layer: BlockLayer, word: int) -> None:
    """The nodes far from the root: the last and most frequent ones of the table are always near."""
    first, place = layer.starts[word], layer.starts[word + 1] - 1
    while place >= first and layer.nodes[place] < layer.near:
        node = int(layer.nodes[place]) * layer.stride
        for k in range(0, layer.stride, LANES):
            prefetch(layer.table, node + k)
        place -= 1


@kernel(inline=True)
def _scores_to_errors(layer: BlockLayer, score: int, first: int, nodes: int, weight: float, rate: float) -> Any:
    """Replace the scores of a row by rate * weight * sign * (1 - probability of the turn); returns log-likelihoods."""
    dtype = layer.table.dtype.type
    log_likelihood = zero(layer.errors)
    for node in range(0, nodes, LANES):
        signs = first_lanes(load(layer.signs, first + node), nodes - node)  # 0 beyond the path
        probability = logistic(multiply(signs, load(layer.errors, score + node)))
        log_likelihood = multiply_add(multiply(signs, signs), log(probability), log_likelihood)
        error = multiply_add(broadcast(-dtype(1)), probability, broadcast(dtype(1)))
        store(layer.errors, score + node, multiply(multiply(broadcast(dtype(rate * weight)), signs), error))
    return multiply(broadcast(dtype(weight)), log_likelihood)


@kernel(inline=True)
def _walk_with_rows(block: Block, target: int, rate: float, layer: BlockLayer) -> float:
    """All nodes of a path against all rows of a window."""
    width, word = layer.width, block.targets[target]
    first, nodes = layer.starts[word], layer.starts[word + 1] - layer.starts[word]
    rows, path = rows_of(block, target, layer.stride), Outputs(layer.table, layer.nodes, first, nodes)
    score_pairs(rows, path, layer.errors, 0, width, layer.stride)
    log_likelihood = zero(layer.errors)
    for pair in range((rows.number + 1) // 2 * 2):  # one beyond the last has weight 0
        weight = block.pair_weights[target * block.width + pair]
        log_likelihood = add(log_likelihood, _scores_to_errors(layer, pair * width, first, nodes, weight, rate))
    update_pairs(rows, path, layer.errors, 0, width, layer.stride)
    loss: float = -total(log_likelihood)
    return loss


@kernel(inline=True)
def _walk_with_single_rows(block: Block, first: int, last: int, rate: float, layer: BlockLayer) -> float:
    """The paths of some targets, each with its own row: all scores, then all updates."""
    for target in range(first, last):
        _score_path(block, target, layer, (target - first) * layer.width)
    log_likelihood = zero(layer.errors)
    for target in range(first, last):
        word, weight = block.targets[target], block.pair_weights[target]
        start, nodes = layer.starts[word], layer.starts[word + 1] - layer.starts[word]
        errors = (target - first) * layer.width
        log_likelihood = add(log_likelihood, _scores_to_errors(layer, errors, start, nodes, weight, rate))
    for target in range(first, last):
        if block.pair_counts[target] > 0:
            _update_path(block, target, layer, (target - first) * layer.width)
    loss: float = -total(log_likelihood)
    return loss


@kernel(inline=True)
def _score_path(block: Block, target: int, layer: BlockLayer, score: int) -> None:
    """The scores of one row at all nodes of a path, four at a time."""
    table, stride, word = layer.table, layer.stride, block.targets[target]
    row, start = int(block.first_rows[target]) * stride, layer.starts[word]
    for node in range(0, layer.starts[word + 1] - start, 4):
        n0, n1 = int(layer.nodes[start + node]) * stride, int(layer.nodes[start + node + 1]) * stride
        n2, n3 = int(layer.nodes[start + node + 2]) * stride, int(layer.nodes[start + node + 3]) * stride
        x0 = zero(table)
        x1 = zero(table)
        x2 = zero(table)
        x3 = zero(table)
        for k in range(0, stride, LANES):
            hidden = load(block.hidden, row + k)
            x0 = multiply_add(hidden, load(table, n0 + k), x0)
            x1 = multiply_add(hidden, load(table, n1 + k), x1)
            x2 = multiply_add(hidden, load(table, n2 + k), x2)
            x3 = multiply_add(hidden, load(table, n3 + k), x3)
        store(layer.errors, score + node, totals(x0, x1, x2, x3))


@kernel(inline=True)
def _update_path(block: Block, target: int, layer: BlockLayer, error: int) -> None:
    """One row and the nodes of a path learn from each other, 32 dimensions at a time."""
    table, stride, word = layer.table, layer.stride, block.targets[target]
    row, start = int(block.first_rows[target]) * stride, layer.starts[word]
    nodes = layer.starts[word + 1] - start
    k = 0
    while k + 2 * LANES <= stride:
        h0, h1 = load(block.hidden, row + k), load(block.hidden, row + k + LANES)
        g0, g1 = load(block.gradient, row + k), load(block.gradient, row + k + LANES)
        for node in range(nodes):
            place, step = int(layer.nodes[start + node]) * stride + k, broadcast(layer.errors[error + node])
            n0, n1 = load(table, place), load(table, place + LANES)
            g0 = multiply_add(step, n0, g0)
            g1 = multiply_add(step, n1, g1)
            store(table, place, multiply_add(step, h0, n0))
            store(table, place + LANES, multiply_add(step, h1, n1))
        store(block.gradient, row + k, g0)
        store(block.gradient, row + k + LANES, g1)
        k += 2 * LANES
    if k < stride:
        h0, g0 = load(block.hidden, row + k), load(block.gradient, row + k)
        for node in range(nodes):
            place, step = int(layer.nodes[start + node]) * stride + k, broadcast(layer.errors[error + node])
            n0 = load(table, place)
            g0 = multiply_add(step, n0, g0)
            store(table, place, multiply_add(step, h0, n0))
        store(block.gradient, row + k, g0)


@kernel(allocates=True)
def _train_pairs(
    chunk: Chunk, table: NDArray[Any], context: Context, rate: float, layer: PairLayer, state: State
) -> float:
    return train_pairs(chunk, table, context, rate, pair_step, layer, no_step, layer, state)


@kernel
def _train_skipgram(
    chunk: Chunk,
    table: NDArray[Any],
    context: Context,
    block: Block,
    rate: float,
    layer: BlockLayer,
    draws: NDArray[np.int32],
) -> float:
    gather, scatter = gather_skipgram, scatter_skipgram
    return train_blocks(chunk, table, context, block, rate, gather, scatter, window_step, layer, draws)


@kernel
def _train_cbow(
    chunk: Chunk,
    table: NDArray[Any],
    context: Context,
    block: Block,
    rate: float,
    layer: BlockLayer,
    draws: NDArray[np.int32],
) -> float:
    return train_blocks(chunk, table, context, block, rate, gather_cbow, scatter_cbow, single_step, layer, draws)


class HierarchicalSoftmax:
    """A vector for each inner node of the vocabulary's Huffman tree; the cost of a word is the length of its path."""

    words_are_rows = False

    def __init__(
        self,
        counts: NDArray[np.int64],
        vector_size: int,
        *,
        private_rows: int = 0,
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.tree = huffman_tree(counts)
        nodes = max(len(counts) - 1, 1)
        self.room = zero_table(nodes + private_rows, vector_size, dtype)
        self.parameters = self.room[:nodes]

    @classmethod
    def build(
        cls, counts: NDArray[np.int64], vector_size: int, options: LayerOptions, dtype: DTypeLike = np.float32
    ) -> HierarchicalSoftmax:
        """The layer of a vocabulary with these counts, its parameters zero."""
        return cls(counts, vector_size, private_rows=options.private_rows, dtype=dtype)

    def pair_layer(self) -> PairLayer:
        """The arguments of the update-by-update step."""
        return PairLayer(self.parameters, self.tree, LOGISTIC_TABLE)

    def block_layer(self, rows: int) -> BlockLayer:
        """The arguments of the block step with scratch for ``rows`` rows that predict one target."""
        stride, dtype = self.room.shape[1], self.room.dtype
        width = padded_width(int(np.diff(self.tree.starts).max(initial=0)))
        return BlockLayer(
            table=self.room.reshape(-1),
            stride=stride,
            starts=self.tree.starts,
            nodes=np.append(self.tree.nodes, np.zeros(LANES, np.int32)),
            signs=np.append(1 - 2 * self.tree.codes.astype(dtype), np.zeros(LANES, dtype)),
            near=len(self.parameters) - _NEAR_NODES,
            width=width,
            errors=np.zeros((rows + GROUP) * width + LANES, dtype),
        )

    def hot_rows(self, number: int) -> int:
        """The last nodes are the nearest to the root."""
        return len(self.parameters) - number

    def with_copies(self, block_layer: BlockLayer, number: int, place: int) -> BlockLayer:
        """Paths that lead over the copies."""
        first, nodes = self.hot_rows(number), block_layer.nodes
        moved = np.where(nodes >= first, nodes + np.int32(place - first), nodes)
        return block_layer._replace(nodes=moved)

    def share(
        self, block_layer: BlockLayer, words: NDArray[np.int32], visits: NDArray[np.float32], draws: NDArray[np.int32]
    ) -> LayerShare:
        """The inner nodes on the paths of these words."""
        turns = int((block_layer.starts[words + 1] - block_layer.starts[words]).sum())
        rows, touches = np.empty(turns, np.int32), np.empty(turns, np.float32)
        slots, starts = np.full(len(self.parameters), -1, np.int32), np.empty(len(words) + 1, np.int64)
        nodes = np.zeros(turns + LANES, np.int32)
        signs = np.zeros(turns + LANES, block_layer.signs.dtype)
        source, target = block_layer[2:5], (starts, nodes, signs)
        known = number_paths(words, visits, *source, slots, rows, touches, *target)
        layer = block_layer._replace(starts=starts, nodes=nodes, signs=signs)
        return LayerShare(rows[:known], touches[:known], layer, draws)

    def log_distribution(self, hidden: NDArray[Any]) -> NDArray[Any]:
        """Exact log-probabilities of all words, (rows, words); hidden (rows, vector_size)."""
        words = len(self.tree.starts) - 1
        log_probabilities = np.zeros((len(hidden), words), hidden.dtype)
        if words < 2:
            return log_probabilities  # one word has all the mass, and no path
        scores = hidden @ self.parameters[:, : hidden.shape[1]].T  # (rows, inner nodes)
        signs = 1 - 2 * self.tree.codes.astype(hidden.dtype)
        turns = -np.logaddexp(0, -signs * scores[:, self.tree.nodes])  # (rows, sum of path lengths)
        return np.add.reduceat(turns, self.tree.starts[:-1], axis=1)

    draw = staticmethod(draw_nothing)
    train_pairs = staticmethod(_train_pairs)
    train_skipgram = staticmethod(_train_skipgram)
    train_cbow = staticmethod(_train_cbow)

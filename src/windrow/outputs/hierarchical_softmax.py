"""Hierarchical softmax (Morin & Bengio 2005): a word's probability is that of its path through a Huffman tree."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from windrow.kernels._jit import kernel
from windrow.kernels.contexts import (
    Block,
    Context,
    gather_cbow,
    gather_skipgram,
    scatter_cbow,
    scatter_skipgram,
)
from windrow.kernels.drivers import draw_nothing, no_step, train_blocks, train_pairs
from windrow.kernels.logistic import LOGISTIC_TABLE, rows_of, update_pair
from windrow.kernels.products import Outputs, score_pairs, update_pairs
from windrow.kernels.rng import State
from windrow.kernels.shares import number_paths
from windrow.kernels.simd import (
    LANES,
    add,
    broadcast,
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
from windrow.kernels.tables import padded_width, zero_table
from windrow.kernels.windows import Chunk
from windrow.outputs.huffman import HuffmanTree, huffman_tree
from windrow.outputs.layer import LayerOptions, LayerShare

_NEAR_NODES = 2048  # of the root: in the second-level cache
GROUP = 4  # targets with one row that are scored before any of them is updated


class PairLayer(NamedTuple):
    """What the update-by-update step reads."""

    table: NDArray[Any]  # (inner nodes, stride)
    tree: HuffmanTree
    logistic_table: NDArray[np.float32]


class BlockLayer(NamedTuple):
    """What the block step reads, and its scratch for one path; ``width`` is the longest path, rounded up."""

    table: NDArray[Any]  # flat (inner nodes * stride)
    stride: int
    starts: NDArray[np.int64]  # (words + 1,): where the path of each word starts in ``turns``
    turns: NDArray[np.int32]  # (sum of path lengths,): 2 * node + code, so that both come in one cache line
    near: int  # the nodes from here on are in the second-level cache
    width: int
    # For each of a group of targets, ``width`` numbers:
    signs: NDArray[Any]  # 1 for the left turn, -1 for the right one, 0 beyond the path
    places: NDArray[np.int64]  # where the vectors of the path's nodes lie
    lengths: NDArray[np.int64]  # (group,)
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
        prefetch(layer.turns, layer.starts[block.targets[target]])


@kernel(inline=True)
def _prefetch_path(layer: BlockLayer, word: int) -> None:
    """The nodes far from the root: the last and most frequent ones of the table are always near."""
    near = layer.near * layer.stride
    first = layer.starts[word]
    place = layer.starts[word + 1] - 1
    while place >= first and (layer.turns[place] >> 1) * layer.stride < near:
        node = int(layer.turns[place] >> 1) * layer.stride
        for k in range(0, layer.stride, LANES):
            prefetch(layer.table, node + k)
        place -= 1


@kernel(inline=True)
def _lay_path(layer: BlockLayer, word: int, start: int) -> Any:
    """Where the vectors of a path's nodes lie, and the label of each as a sign. Returns the length of the path."""
    first = layer.starts[word]
    nodes = layer.starts[word + 1] - first
    for node in range(nodes):
        turn = layer.turns[first + node]
        layer.places[start + node] = int(turn >> 1) * layer.stride
        layer.signs[start + node] = 1 - 2 * (turn & 1)
    for node in range(nodes, nodes + 7):  # up to eight at a time are scored
        layer.places[start + node] = layer.places[start + nodes - 1]
    store(layer.signs, start + nodes, zero(layer.signs))
    return nodes


@kernel(inline=True)
def _scores_to_errors(layer: BlockLayer, score: int, sign: int, nodes: int, weight: float, rate: float) -> Any:
    """Replace the scores of a row by rate * weight * sign * (1 - probability of the turn); returns log-likelihoods."""
    dtype = layer.table.dtype.type
    log_likelihood = zero(layer.errors)
    for node in range(0, nodes, LANES):
        signs = load(layer.signs, sign + node)
        probability = logistic(multiply(signs, load(layer.errors, score + node)))
        log_likelihood = multiply_add(multiply(signs, signs), log(probability), log_likelihood)
        error = multiply_add(broadcast(-dtype(1)), probability, broadcast(dtype(1)))
        store(layer.errors, score + node, multiply(multiply(broadcast(dtype(rate * weight)), signs), error))
    return multiply(broadcast(dtype(weight)), log_likelihood)


@kernel(inline=True)
def _walk_with_rows(block: Block, target: int, rate: float, layer: BlockLayer) -> float:
    """All nodes of a path against all rows of a window."""
    width, nodes = layer.width, _lay_path(layer, block.targets[target], 0)
    rows, path = rows_of(block, target, layer.stride), Outputs(layer.table, layer.places, 0, nodes)
    score_pairs(rows, path, layer.errors, 0, width, layer.stride)
    log_likelihood = zero(layer.errors)
    for pair in range((rows.number + 1) // 2 * 2):  # one beyond the last has weight 0
        weight = block.pair_weights[target * block.width + pair]
        log_likelihood = add(log_likelihood, _scores_to_errors(layer, pair * width, 0, nodes, weight, rate))
    update_pairs(rows, path, layer.errors, 0, width, layer.stride)
    loss: float = -total(log_likelihood)
    return loss


@kernel(inline=True)
def _walk_with_single_rows(block: Block, first: int, last: int, rate: float, layer: BlockLayer) -> float:
    """The paths of some targets, each with its own row: all scores, then all updates."""
    for target in range(first, last):
        start = (target - first) * layer.width
        nodes = _lay_path(layer, block.targets[target], start)
        layer.lengths[target - first] = nodes if block.pair_counts[target] > 0 else 0
        _score_path(block, target, layer, start, nodes)
    log_likelihood = zero(layer.errors)
    for target in range(first, last):
        start, nodes = (target - first) * layer.width, layer.lengths[target - first]
        weight = block.pair_weights[target]
        log_likelihood = add(log_likelihood, _scores_to_errors(layer, start, start, nodes, weight, rate))
    for target in range(first, last):
        _update_path(block, target, layer, (target - first) * layer.width, layer.lengths[target - first])
    loss: float = -total(log_likelihood)
    return loss


@kernel(inline=True)
def _score_path(block: Block, target: int, layer: BlockLayer, start: int, nodes: int) -> None:
    """The scores of one row at all nodes of a path, four at a time."""
    table, row = layer.table, int(block.first_rows[target]) * layer.stride
    for node in range(start, start + nodes, 4):
        n0, n1 = layer.places[node], layer.places[node + 1]
        n2, n3 = layer.places[node + 2], layer.places[node + 3]
        x0 = zero(table)
        x1 = zero(table)
        x2 = zero(table)
        x3 = zero(table)
        for k in range(0, layer.stride, LANES):
            hidden = load(block.hidden, row + k)
            x0 = multiply_add(hidden, load(table, n0 + k), x0)
            x1 = multiply_add(hidden, load(table, n1 + k), x1)
            x2 = multiply_add(hidden, load(table, n2 + k), x2)
            x3 = multiply_add(hidden, load(table, n3 + k), x3)
        store(layer.errors, node, totals(x0, x1, x2, x3))


@kernel(inline=True)
def _update_path(block: Block, target: int, layer: BlockLayer, start: int, nodes: int) -> None:
    """One row and the nodes of a path learn from each other, 32 dimensions at a time."""
    table, row = layer.table, int(block.first_rows[target]) * layer.stride
    k = 0
    while k + 2 * LANES <= layer.stride:
        h0, h1 = load(block.hidden, row + k), load(block.hidden, row + k + LANES)
        g0, g1 = load(block.gradient, row + k), load(block.gradient, row + k + LANES)
        for node in range(start, start + nodes):
            place, step = layer.places[node] + k, broadcast(layer.errors[node])
            n0, n1 = load(table, place), load(table, place + LANES)
            g0 = multiply_add(step, n0, g0)
            g1 = multiply_add(step, n1, g1)
            store(table, place, multiply_add(step, h0, n0))
            store(table, place + LANES, multiply_add(step, h1, n1))
        store(block.gradient, row + k, g0)
        store(block.gradient, row + k + LANES, g1)
        k += 2 * LANES
    if k < layer.stride:
        h0, g0 = load(block.hidden, row + k), load(block.gradient, row + k)
        for node in range(start, start + nodes):
            place, step = layer.places[node] + k, broadcast(layer.errors[node])
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
        stride, dtype = self.parameters.shape[1], self.parameters.dtype
        width = padded_width(int(np.diff(self.tree.starts).max()) + 7)
        return BlockLayer(
            table=self.room.reshape(-1),
            stride=stride,
            starts=self.tree.starts,
            turns=2 * self.tree.nodes + self.tree.codes,
            near=len(self.parameters) - _NEAR_NODES,
            width=width,
            signs=np.zeros(GROUP * width + LANES, dtype),
            places=np.zeros(GROUP * width, np.int64),
            lengths=np.zeros(GROUP, np.int64),
            errors=np.zeros((rows + GROUP) * width + LANES, dtype),
        )

    def hot_rows(self, number: int) -> int:
        """The last nodes are the nearest to the root."""
        return len(self.parameters) - number

    def with_copies(self, block_layer: BlockLayer, number: int, place: int) -> BlockLayer:
        """Paths that lead over the copies."""
        first = self.hot_rows(number)
        nodes, codes = block_layer.turns >> 1, block_layer.turns & 1
        turns = 2 * np.where(nodes >= first, nodes - first + place, nodes) + codes
        return block_layer._replace(turns=turns.astype(np.int32))

    def share(
        self, block_layer: BlockLayer, words: NDArray[np.int32], visits: NDArray[np.float32], draws: NDArray[np.int32]
    ) -> LayerShare:
        """The inner nodes on the paths of these words."""
        turns = int((block_layer.starts[words + 1] - block_layer.starts[words]).sum())
        nodes, touches = np.empty(turns, np.int32), np.empty(turns, np.float32)
        slots = np.full(len(self.parameters), -1, np.int32)
        starts, local_turns = np.empty(len(words) + 1, np.int64), np.empty(turns, np.int32)
        known = number_paths(
            words, visits, block_layer.starts, block_layer.turns, slots, nodes, touches, starts, local_turns
        )
        layer = block_layer._replace(starts=starts, turns=local_turns)
        return LayerShare(nodes[:known], touches[:known], layer, draws)

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

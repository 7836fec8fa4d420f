"""Hierarchical softmax (Morin & Bengio 2005): a word's probability is that of its path through a Huffman tree."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from windrow.kernels._jit import kernel
from windrow.kernels.contexts import Block, Context
from windrow.kernels.drivers import no_step, train_blocks, train_pairs
from windrow.kernels.logistic import LOGISTIC_TABLE, update_pair, update_row
from windrow.kernels.rng import State
from windrow.kernels.tables import zero_table
from windrow.kernels.windows import Chunk
from windrow.outputs.huffman import HuffmanTree, huffman_tree
from windrow.outputs.layer import LayerOptions


class PairLayer(NamedTuple):
    """What the update-by-update step reads."""

    table: NDArray[Any]  # (inner nodes, stride)
    tree: HuffmanTree
    logistic_table: NDArray[np.float32]


class BlockLayer(NamedTuple):
    """What the block step reads, and its scratch."""

    table: NDArray[Any]  # flat (inner nodes * stride)
    stride: int
    tree: HuffmanTree
    scores: NDArray[Any]  # (pairs of one target)


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
def block_step(block: Block, rows: int, targets: int, rate: float, layer: BlockLayer, state: State) -> float:
    """The path of each target against all rows that are to predict it."""
    loss = 0.0
    for target in range(targets):
        word = block.targets[target]
        for path_place in range(layer.tree.starts[word], layer.tree.starts[word + 1]):
            place = int(layer.tree.nodes[path_place]) * layer.stride
            label = 1 - int(layer.tree.codes[path_place])
            loss += update_row(block, target, layer.table, place, label, rate, layer.scores, layer.stride)
    return loss


@kernel
def _train_pairs(
    chunk: Chunk, table: NDArray[Any], context: Context, rate: float, layer: PairLayer, state: State
) -> float:
    return train_pairs(chunk, table, context, rate, pair_step, layer, no_step, layer, state)


@kernel
def _train_blocks(
    chunk: Chunk,
    table: NDArray[Any],
    context: Context,
    block: Block,
    rate: float,
    layer: BlockLayer,
    state: State,
) -> float:
    return train_blocks(chunk, table, context, block, rate, block_step, layer, state)


class HierarchicalSoftmax:
    """A vector for each inner node of the vocabulary's Huffman tree; the cost of a word is the length of its path."""

    def __init__(self, counts: NDArray[np.int64], vector_size: int, *, dtype: DTypeLike = np.float32) -> None:
        self.tree = huffman_tree(counts)
        self.parameters = zero_table(max(len(counts) - 1, 1), vector_size, dtype)

    @classmethod
    def build(
        cls, counts: NDArray[np.int64], vector_size: int, options: LayerOptions, dtype: DTypeLike = np.float32
    ) -> HierarchicalSoftmax:
        """The layer of a vocabulary with these counts, its parameters zero."""
        return cls(counts, vector_size, dtype=dtype)

    def pair_layer(self) -> PairLayer:
        """The arguments of the update-by-update step."""
        return PairLayer(self.parameters, self.tree, LOGISTIC_TABLE)

    def block_layer(self, rows: int, pairs: int) -> BlockLayer:
        """The arguments of the block step with scratch for ``pairs`` pairs a target."""
        scores = np.zeros(pairs, self.parameters.dtype)
        return BlockLayer(self.parameters.reshape(-1), self.parameters.shape[1], self.tree, scores)

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

    train_pairs = staticmethod(_train_pairs)
    train_blocks = staticmethod(_train_blocks)

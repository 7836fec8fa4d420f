"""Hierarchical softmax (Morin & Bengio 2005): a word's probability is that of its path through a Huffman tree."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.kernels.contexts import Block, Context, rows_of, train_blocks
from windrow.embeddings.kernels.inputs import Inputs
from windrow.embeddings.kernels.pairs import LOGISTIC_TABLE, no_step, train_pairs, update_pair
from windrow.embeddings.kernels.shares import number_paths
from windrow.embeddings.kernels.windows import Chunk
from windrow.embeddings.steps.contract import StepOptions, TouchedRows, TrainingStep
from windrow.numeric.jit import kernel
from windrow.numeric.rng import RngState
from windrow.numeric.row_scores import Outputs, score_rows, update_rows
from windrow.numeric.simd import LANES, add, broadcast, multiply, prefetch, total, zero
from windrow.numeric.tables import zero_table
from windrow.outputs.kernels.paths import PathRows, Paths, learn_along_paths, prefetch_path, scores_to_errors
from windrow.outputs.tree import huffman_tree, lay_paths

GROUP = 4  # targets of CBOW that are scored before any of them is updated


class PairArguments(NamedTuple):
    """What the update-by-update step reads."""

    table: NDArray[Any]  # (inner nodes, stride)
    paths: Paths
    logistic_table: NDArray[np.float32]


class BlockArguments(NamedTuple):
    """What the block step reads, and its scratch for the paths of one target's rows, or of a group of targets."""

    table: NDArray[Any]  # flat (inner nodes * stride)
    paths: Paths
    errors: NDArray[Any]  # flat (rows * width): scores, then errors


@kernel
def pair_step(
    hidden: NDArray[Any],
    gradient: NDArray[Any],
    target_word: int,
    rate: float,
    layer: PairArguments,
    state: RngState,
) -> float:
    """A logistic regression at each inner node of the target's path; label 1 means the left turn."""
    loss = 0.0
    for place in range(layer.paths.starts[target_word], layer.paths.starts[target_word + 1]):
        node, label = layer.paths.nodes[place], int(layer.paths.signs[place] > 0)
        loss += update_pair(hidden, gradient, layer.table, node, label, rate, layer.logistic_table)
    return loss


@kernel
def _single_step(
    block: Block, rows: int, targets: int, rate: float, layer: BlockArguments, draws: NDArray[np.int32], number: int
) -> float:
    """The path of each target against its one row."""
    _prefetch_turns(block, targets, layer.paths)
    path_rows = PathRows(block.targets, block.first_rows, block.pair_weights, block.hidden, block.gradient)
    return learn_along_paths(path_rows, targets, GROUP, rate, 1.0, layer.table, layer.paths, layer.errors)


@kernel
def _window_step(
    block: Block, rows: int, targets: int, rate: float, layer: BlockArguments, draws: NDArray[np.int32], number: int
) -> float:
    """The path of each target against all rows of its window; the path after the next is fetched meanwhile."""
    loss = 0.0
    _prefetch_turns(block, targets, layer.paths)
    for target in range(targets):
        prefetch_path(layer.table, layer.paths, block.targets[min(target + 2, targets - 1)])
        if block.pair_counts[target] > 0:
            loss += _walk_window(block, target, rate, layer)
    return loss


@kernel(inline=True)
def _prefetch_turns(block: Block, targets: int, paths: Paths) -> None:
    for target in range(targets):
        prefetch(paths.nodes, paths.starts[block.targets[target]])
        prefetch(paths.signs, paths.starts[block.targets[target]])


@kernel(inline=True)
def _walk_window(block: Block, target: int, rate: float, layer: BlockArguments) -> float:
    """All nodes of a path against all rows of a window."""
    table, paths, errors, word = layer.table, layer.paths, layer.errors, block.targets[target]
    rows = rows_of(block, target, paths.stride)
    path = Outputs(table, paths.nodes, paths.starts[word], paths.starts[word + 1] - paths.starts[word])
    score_rows(rows, path, errors, 0, paths.width, paths.stride)
    log_likelihood = zero(errors)
    for pair in range((rows.number + 1) // 2 * 2):  # one beyond the last has weight 0
        weight = block.pair_weights[target * block.width + pair]
        turns = scores_to_errors(paths, word, errors, pair * paths.width, errors.dtype.type(rate * weight))
        log_likelihood = add(log_likelihood, multiply(broadcast(weight), turns))
    update_rows(rows, path, errors, 0, paths.width, paths.stride)
    loss: float = -total(log_likelihood)
    return loss


@kernel(allocates=True)
def _train_pairs(
    chunk: Chunk, inputs: Inputs, context: Context, rate: float, layer: PairArguments, state: RngState
) -> float:
    return train_pairs(chunk, inputs, context, rate, pair_step, layer, no_step, layer, state)


@kernel
def _train_blocks(
    chunk: Chunk,
    inputs: Inputs,
    context: Context,
    block: Block,
    rate: float,
    layer: BlockArguments,
    draws: NDArray[np.int32],
) -> float:
    if block.width == 1:
        return train_blocks(chunk, inputs, context, block, rate, _single_step, layer, draws)
    return train_blocks(chunk, inputs, context, block, rate, _window_step, layer, draws)


class HierarchicalSoftmaxStep(TrainingStep):
    """A vector for each inner node of the vocabulary's Huffman tree; the cost of a word is the length of its path."""

    words_are_rows = False

    def prepare(self, counts: NDArray[np.int64], options: StepOptions) -> int:
        """The tree, whose inner nodes are the rows of the table."""
        self.tree = huffman_tree(counts, options.ties)
        return max(len(counts) - 1, 1)

    def pair_arguments(self) -> PairArguments:  # noqa: D102
        return PairArguments(self.parameters, self._paths(), LOGISTIC_TABLE)

    def block_arguments(self, rows: int) -> BlockArguments:  # noqa: D102
        paths = self._paths()
        errors = zero_table(1, (rows + GROUP) * paths.width + LANES, self.storage.dtype)[0]
        return BlockArguments(self.storage.reshape(-1), paths, errors)

    def _paths(self) -> Paths:
        return lay_paths(self.tree, self.storage.shape[1], self.storage.dtype)

    def first_hot_row(self, number: int) -> int:
        """The last nodes are the nearest to the root."""
        return len(self.parameters) - number

    def with_copies(self, block_arguments: BlockArguments, number: int, place: int) -> BlockArguments:
        """Paths that lead over the copies."""
        first, nodes = self.first_hot_row(number), block_arguments.paths.nodes
        moved = np.where(nodes >= first, nodes + np.int32(place - first), nodes)
        return block_arguments._replace(paths=block_arguments.paths._replace(nodes=moved))

    def touched(
        self,
        block_arguments: BlockArguments,
        words: NDArray[np.int32],
        visits: NDArray[np.float32],
        draws: NDArray[np.int32],
    ) -> TouchedRows:
        """The inner nodes on the paths of these words."""
        paths = block_arguments.paths
        turns = int((paths.starts[words + 1] - paths.starts[words]).sum())
        local = paths._replace(
            starts=np.empty(len(words) + 1, np.int64),
            nodes=np.zeros(turns + LANES, np.int32),
            signs=np.zeros(turns + LANES, paths.signs.dtype),
        )
        slots = np.full(len(self.parameters), -1, np.int32)
        rows, touches = np.empty(turns, np.int32), np.zeros(turns, np.float32)
        known = number_paths(words, visits, paths, slots, rows, touches, local)
        return TouchedRows(rows[:known], touches[:known], block_arguments._replace(paths=local), draws)

    train_pairs = staticmethod(_train_pairs)
    train_blocks = staticmethod(_train_blocks)

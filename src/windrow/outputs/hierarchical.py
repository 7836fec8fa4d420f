"""Hierarchical softmax (Morin & Bengio 2005): a word's probability is that of its path through a Huffman tree."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from windrow.nn.parameters import Array, Parameter, Table
from windrow.nn.sparse import WordTable
from windrow.numeric.blas import set_product
from windrow.numeric.simd import LANES
from windrow.numeric.tables import padded_width
from windrow.outputs.contract import EXCLUDED, Head, Targets
from windrow.outputs.kernels.paths import Paths, Step, number_nodes, path_log_probs, sum_paths, walk_paths
from windrow.outputs.tree import HuffmanTree, huffman_tree


class HierarchicalHead(Head):
    """A logistic regression at every inner node of the Huffman tree; a row costs the length of its target's path.

    ``nodes`` is a Table (words - 1, stride): the weights of a node, its bias in column ``hidden_size``, zeros up to a
    multiple of 16. Hidden rows get a 1 in that column.
    """

    has_sgd_step = True

    def build(self, tied: Parameter | Table | None) -> None:
        """The tree, and its nodes: at first every turn is as frequent as in the text."""
        tree = huffman_tree(self.counts)
        self.stride = padded_width(self.hidden_size + 1)
        inner = max(self.words - 1, 1)
        nodes = np.zeros((inner, self.stride), self.dtype)
        nodes[:, : self.hidden_size] = self._initial_weights(inner, self.hidden_size)
        nodes[:, self.hidden_size] = _turn_log_odds(tree, self.counts, inner)
        self.nodes = WordTable(nodes)
        self._paths = Paths(
            tree.starts,
            np.append(tree.nodes, np.zeros(LANES, np.int32)),
            np.append(1 - 2 * tree.codes.astype(self.dtype), np.zeros(LANES, self.dtype)),
            self.stride,
        )
        longest = int(np.diff(tree.starts).max(initial=0))
        self._scores = np.zeros(padded_width(longest) + LANES, self.dtype)
        self._slots = np.full(inner, -1, np.int32)
        self._own_slots = np.arange(inner, dtype=np.int32)

    @property
    def parameters(self) -> dict[str, Parameter | Table]:
        """``nodes``."""
        return {"nodes": self.nodes}

    def loss_and_gradient(self, hidden: Array, targets: Targets, d_hidden: Array, scale: float = 1.0) -> float:  # noqa: D102
        paths = self._paths
        steps = int((paths.starts[targets + 1] - paths.starts[targets]).sum())
        touched = np.empty(min(steps, len(self._slots)), np.int32)
        known = number_nodes(targets, paths, self._slots, touched)
        sums = np.zeros((known, self.stride), self.dtype)
        loss = self._walk(hidden, targets, d_hidden, Step(sums.reshape(-1), self._slots, scale), scale)
        self._slots[touched[:known]] = -1
        self.nodes.add_rows(touched[:known], sums)
        return loss

    def sgd_step(self, hidden: Array, targets: Targets, d_hidden: Array, rate: float, scale: float = 1.0) -> float:  # noqa: D102
        step = Step(self.nodes.value.reshape(-1), self._own_slots, -rate * scale)
        return self._walk(hidden, targets, d_hidden, step, scale)

    def _walk(self, hidden: Array, targets: Targets, d_hidden: Array, step: Step, scale: float) -> float:
        rows = self._with_ones(hidden)
        gradient = np.empty_like(rows)
        table = self.nodes.value.reshape(-1)
        loss = walk_paths(rows.reshape(-1), gradient.reshape(-1), targets, table, self._paths, self._scores, step)
        np.multiply(gradient[:, : self.hidden_size], np.asarray(scale, self.dtype), out=d_hidden)
        return float(loss)

    def target_log_probs(self, hidden: Array, targets: Targets) -> NDArray[np.float64]:  # noqa: D102
        log_probs, rows = np.empty(len(hidden)), self._with_ones(hidden)
        table = self.nodes.value.reshape(-1)
        path_log_probs(rows.reshape(-1), targets, table, self._paths, self._scores, log_probs)
        return log_probs

    def log_distribution(self, hidden: Array) -> Array:  # noqa: D102
        distribution = np.zeros((len(hidden), self.words), self.dtype)
        if self.words < 2:
            return distribution  # one word has all the mass, and no path
        scores, lefts = np.empty((1, len(self._slots)), self.dtype), np.empty(len(self._slots), self.dtype)
        for row, log_probs in zip(self._with_ones(hidden), distribution, strict=True):
            set_product(scores, row.reshape(1, -1), self.nodes.value.T)
            sum_paths(scores[0], self._paths, lefts, log_probs)
        return distribution

    def _with_ones(self, hidden: Array) -> Array:
        """The rows padded to ``stride``, with a 1 for the bias."""
        rows = np.zeros((len(hidden), self.stride), self.dtype)
        rows[:, : self.hidden_size] = hidden
        rows[:, self.hidden_size] = 1
        return rows


def _turn_log_odds(tree: HuffmanTree, counts: NDArray[np.int64], inner: int) -> NDArray[np.float64]:
    """log(words below to the left / to the right) of each node, by their counts; EXCLUDED for what never occurs."""
    below = np.repeat(counts, np.diff(tree.starts))
    left, right = (np.bincount(tree.nodes[tree.codes == code], below[tree.codes == code], inner) for code in (0, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        log_odds = np.log(left) - np.log(right)
    clipped: NDArray[np.float64] = np.clip(np.nan_to_num(log_odds, nan=0.0), EXCLUDED, -EXCLUDED)
    return clipped

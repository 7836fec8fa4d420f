"""Hierarchical softmax (Morin & Bengio 2005): a word's probability is that of its path through a Huffman tree."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from windrow.nn.parameters import Array, Parameter, SparseParameter, WordParameter
from windrow.numeric.blas import set_row_product
from windrow.numeric.simd import LANES
from windrow.numeric.tables import padded_width
from windrow.outputs.contract import EXCLUDED, OutputLayer, Targets
from windrow.outputs.kernels.paths import (
    NodeGradients,
    PathRows,
    collect_along_paths,
    learn_along_paths,
    number_nodes,
    path_log_probs,
    sum_paths,
)
from windrow.outputs.tree import HuffmanTree, huffman_tree, lay_paths


class HierarchicalSoftmax(OutputLayer):
    """A logistic regression at every inner node of the Huffman tree; a row costs the length of its target's path.

    ``nodes`` is a SparseParameter (words - 1, stride): the weights of a node, its bias in column ``hidden_size``,
    zeros up to a multiple of 16. Hidden rows get a 1 in that column.
    """

    has_sgd_step = True

    def build(self, tied: Parameter | SparseParameter | None) -> None:
        """The tree, and its nodes: at first every turn is as frequent as in the text."""
        tree = huffman_tree(self.counts)
        self.stride = padded_width(self.hidden_size + 1)
        inner = max(self.words - 1, 1)
        nodes = np.zeros((inner, self.stride), self.dtype)
        nodes[:, : self.hidden_size] = self._initial_weights(inner, self.hidden_size)
        nodes[:, self.hidden_size] = _turn_log_odds(tree, self.counts, inner)
        self.nodes = WordParameter(nodes)
        self._paths = lay_paths(tree, self.stride, self.dtype)
        # Of training, which one thread does; what is asked makes its own.
        self._slots = np.full(inner, -1, np.int32)
        self._numbered = np.zeros_like(self._paths.nodes)

    @property
    def parameters(self) -> dict[str, Parameter | SparseParameter]:
        """``nodes``."""
        return {"nodes": self.nodes}

    def loss_and_gradient(self, hidden: Array, targets: Targets, d_hidden: Array, scale: float = 1.0) -> float:  # noqa: D102
        starts = self._paths.starts
        steps = int((starts[targets + 1] - starts[targets]).sum())
        touched = np.empty(min(steps, len(self._slots)), np.int32)
        known = number_nodes(targets, self._paths, self._slots, touched, self._numbered)
        self._slots[touched[:known]] = -1
        sums = np.zeros((known, self.stride), self.dtype)
        gradients = NodeGradients(sums.reshape(-1), self._numbered, -scale)
        rows, table = self._rows(hidden, targets), self.nodes.value.reshape(-1)
        loss = collect_along_paths(rows, len(targets), table, self._paths, self._new_scores(), gradients)
        self.nodes.add_rows(touched[:known], sums)
        self._give(rows, d_hidden, scale)
        return float(loss)

    def sgd_step(self, hidden: Array, targets: Targets, d_hidden: Array, rate: float, scale: float = 1.0) -> float:  # noqa: D102
        rows, table = self._rows(hidden, targets), self.nodes.value.reshape(-1)
        loss = learn_along_paths(rows, len(targets), 1, 1.0, rate * scale, table, self._paths, self._new_scores())
        self._give(rows, d_hidden, scale)
        return float(loss)

    def _rows(self, hidden: Array, targets: Targets) -> PathRows:
        """Each target with its row, the gradients 0."""
        inputs = self._with_ones(hidden).reshape(-1)
        first_rows, weights = np.arange(len(hidden), dtype=np.int32), np.ones(len(hidden), self.dtype)
        return PathRows(targets, first_rows, weights, inputs, np.zeros_like(inputs))

    def _give(self, rows: PathRows, d_hidden: Array, scale: float) -> None:
        """From the gradients of the log-probabilities to those of the loss."""
        gradient = rows.gradient.reshape(-1, self.stride)
        np.multiply(gradient[:, : self.hidden_size], np.asarray(-scale, self.dtype), out=d_hidden)

    def target_log_probs(self, hidden: Array, targets: Targets) -> NDArray[np.float64]:  # noqa: D102
        log_probs, inputs = np.empty(len(hidden)), self._with_ones(hidden)
        table = self.nodes.value.reshape(-1)
        path_log_probs(inputs.reshape(-1), targets, table, self._paths, self._new_scores(), log_probs)
        return log_probs

    def distribution(self, hidden: Array) -> NDArray[np.float64]:  # noqa: D102
        log_probs = np.zeros(self.words, self.dtype)
        if self.words > 1:  # one word has all the mass, and no path
            scores, lefts = np.empty((2, len(self.nodes.value)), self.dtype)
            set_row_product(scores, self._with_ones(hidden[None])[0], self.nodes.value)
            sum_paths(scores, self._paths, lefts, log_probs)
        probabilities: NDArray[np.float64] = np.exp(log_probs.astype(np.float64))
        probabilities /= probabilities.sum()
        return probabilities

    def _new_scores(self) -> Array:
        """Memory for the scores along a path."""
        return np.zeros(self._paths.width + LANES, self.dtype)

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

"""Two-level softmaxes: a distribution over frequent words and clusters of the others, and one within each cluster."""

from __future__ import annotations

from abc import abstractmethod
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from windrow.machine import check_memory
from windrow.nn.parameters import Array, Parameter, SparseParameter
from windrow.numeric.blas import add_product
from windrow.outputs.contract import OutputLayer, Targets
from windrow.outputs.tiled_softmax import Scores, TiledSoftmax


class ClusteredSoftmax(OutputLayer):
    """p(w | h) = p(w | h) at the root for the most frequent words, p(cluster | h) p(w | cluster, h) for the others.

    Words are ranked by falling count. Those of a rank below ``bounds[0]`` are the root's own; cluster c has the ranks
    from ``bounds[c]`` to ``bounds[c + 1]``. A cluster may see a projection of the hidden row to fewer dimensions.
    """

    @abstractmethod
    def find_bounds(self) -> list[int]:
        """``bounds``, rising, from the number of the root's own words to that of all words."""

    def dimensions(self, cluster: int) -> int:
        """Of the projection that a cluster sees; ``hidden_size`` for the hidden row itself."""
        return self.hidden_size

    def build(self, tied: Parameter | SparseParameter | None) -> None:
        """``root`` scores, and for each cluster its scores and its projection."""
        self.order = np.argsort(-self.counts, kind="stable")
        self.ranks = np.empty(self.words, np.int32)
        self.ranks[self.order] = np.arange(self.words)
        self.bounds = self.find_bounds()
        self.clusters = list(pairwise(self.bounds))
        counts, own = self.counts[self.order], self.bounds[0]
        sums = np.array([counts[first:last].sum() for first, last in self.clusters], np.int64)
        self._named: dict[str, Parameter | SparseParameter] = {}
        self._root = self._layer("root", np.concatenate([counts[:own], sums]), self.hidden_size)
        self._layers: list[tuple[Parameter, Parameter]] = []
        self._projections: list[Parameter | None] = []
        for number, (first, last) in enumerate(self.clusters):
            dimensions = self.dimensions(number)
            self._layers.append(self._layer(f"cluster{number + 1}", counts[first:last], dimensions))
            self._projections.append(None)
            if dimensions < self.hidden_size:
                needed = 8 * dimensions * self.hidden_size
                check_memory(needed, f"{dimensions:,} x {self.hidden_size:,} weights", "lower hidden_size")
                # Wide enough that the products keep the size of the hidden numbers.
                weights = self.rng.standard_normal((dimensions, self.hidden_size)) / np.sqrt(self.hidden_size)
                projection = Parameter(weights.astype(self.dtype), is_weight=True)
                self._projections[-1] = self._named[f"cluster{number + 1}_projection"] = projection
        self._softmax = TiledSoftmax()

    def _layer(self, name: str, counts: NDArray[np.int64], dimensions: int) -> tuple[Parameter, Parameter]:
        weights = Parameter(self._initial_weights(len(counts), dimensions), is_weight=True)
        biases = Parameter(self.unigram_biases(counts))
        self._named |= {f"{name}_weights": weights, f"{name}_biases": biases}
        return weights, biases

    @property
    def parameters(self) -> dict[str, Parameter | SparseParameter]:
        """``root_weights``, ``root_biases``; ``cluster1_weights``, ``cluster1_biases``, ``cluster1_projection``, ..."""
        return self._named

    def loss_and_gradient(self, hidden: Array, targets: Targets, d_hidden: Array, scale: float = 1.0) -> float:  # noqa: D102
        ranks = self.ranks[targets]
        loss = self._softmax.loss_and_gradient(
            _values(self._root), hidden, self._root_targets(ranks), d_hidden, _gradients(self._root), scale=scale
        )
        for cluster, rows in self._members(ranks):
            layer, projection = self._layers[cluster], self._projections[cluster]
            inputs, local = self._inputs(hidden[rows], cluster), ranks[rows] - np.int32(self.clusters[cluster][0])
            d_inputs = np.empty_like(inputs)
            loss += self._softmax.loss_and_gradient(
                _values(layer), inputs, local, d_inputs, _gradients(layer), scale=scale
            )
            if projection is None:
                d_hidden[rows] += d_inputs
            else:
                add_product(projection.gradient, d_inputs.T, hidden[rows])
                part = np.zeros((len(rows), self.hidden_size), self.dtype)
                add_product(part, d_inputs, projection.value)
                d_hidden[rows] += part
        return loss

    def target_log_probs(self, hidden: Array, targets: Targets) -> NDArray[np.float64]:  # noqa: D102
        ranks = self.ranks[targets]
        log_probs = self._softmax.target_log_probs(_values(self._root), hidden, self._root_targets(ranks))
        for cluster, rows in self._members(ranks):
            inputs, local = self._inputs(hidden[rows], cluster), ranks[rows] - np.int32(self.clusters[cluster][0])
            log_probs[rows] += self._softmax.target_log_probs(_values(self._layers[cluster]), inputs, local)
        return log_probs

    def distribution(self, hidden: Array) -> NDArray[np.float64]:  # noqa: D102
        probabilities, own = np.empty(self.words), self.bounds[0]
        at_root = self._softmax.distribution(_values(self._root), hidden)
        probabilities[self.order[:own]] = at_root[:own]
        for cluster, (first, last) in enumerate(self.clusters):
            inputs = self._inputs(hidden[None], cluster)[0]
            within = self._softmax.distribution(_values(self._layers[cluster]), inputs)
            probabilities[self.order[first:last]] = at_root[own + cluster] * within
        return probabilities

    def _root_targets(self, ranks: Targets) -> Targets:
        """The place at the root of each word: its own, or that of its cluster."""
        own = self.bounds[0]
        clusters = np.searchsorted(self.bounds, ranks, "right") - 1
        return np.where(ranks < own, ranks, own + clusters).astype(np.int32)

    def _members(self, ranks: Targets) -> list[tuple[int, NDArray[np.int64]]]:
        """Each cluster that holds a target, and the rows whose targets it holds."""
        clusters = np.searchsorted(self.bounds, ranks, "right") - 1  # -1: the root's own
        by_cluster = np.argsort(clusters, kind="stable")
        present, starts = np.unique(clusters[by_cluster], return_index=True)
        parts = np.split(by_cluster, starts[1:])
        return [(int(cluster), rows) for cluster, rows in zip(present, parts, strict=False) if cluster >= 0]

    def _inputs(self, hidden: Array, cluster: int) -> Array:
        """What the cluster sees of hidden rows."""
        projection = self._projections[cluster]
        if projection is None:
            return hidden
        inputs = np.zeros((len(hidden), len(projection.value)), self.dtype)
        add_product(inputs, hidden, projection.value.T)
        return inputs


class AdaptiveSoftmax(ClusteredSoftmax):
    """Adaptive softmax (Grave et al. 2017): few clusters of rare words, each with fewer dimensions than the one before.

    The ranks at which they begin are ``cutoffs``; by default a twentieth and a fifth of the vocabulary.
    """

    def find_bounds(self) -> list[int]:  # noqa: D102
        cutoffs = self.options.cutoffs or (self.words // 20, self.words // 5)
        return [*sorted({min(max(cutoff, 1), self.words) for cutoff in cutoffs} - {self.words}), self.words]

    def dimensions(self, cluster: int) -> int:  # noqa: D102
        return max(1, round(self.hidden_size / self.options.shrink ** (cluster + 1)))


class ClassSoftmax(ClusteredSoftmax):
    """Classes of about equal frequency (Goodman 2001; Mikolov et al. 2011): every word is in one, none at the root.

    ``classes`` of them, by default the square root of the vocabulary; fewer where frequent words fill classes alone.
    """

    def find_bounds(self) -> list[int]:  # noqa: D102
        classes = self.options.classes or max(1, round(self.words**0.5))
        # As in rnnlm: by the square roots of the frequencies, which keeps classes of rare words short.
        weights = np.sqrt(self.counts[self.order].astype(np.float64))
        before = np.concatenate([[0.0], np.cumsum(weights)[:-1]]) / max(weights.sum(), 1.0)
        numbers = np.minimum((before * classes).astype(np.int64), classes - 1)
        return [*np.flatnonzero(np.diff(numbers, prepend=-1)).tolist(), self.words]


def _values(layer: tuple[Parameter, Parameter]) -> Scores:
    return Scores(layer[0].value, layer[1].value)


def _gradients(layer: tuple[Parameter, Parameter]) -> Scores:
    return Scores(layer[0].gradient, layer[1].gradient)

"""The full softmax: a weight vector and a bias for every word."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from windrow.nn.parameters import Array, Parameter, SparseParameter
from windrow.outputs.contract import OutputLayer, Targets
from windrow.outputs.tiled_softmax import Scores, TiledSoftmax


class FullSoftmax(OutputLayer):
    """p(w | h) = exp(h @ weights[w] + biases[w]) / Z; 6 * words * hidden_size operations per row of training."""

    can_tie = True
    has_sgd_step = True

    def build(self, tied: Parameter | SparseParameter | None) -> None:
        """``weights`` (words, hidden_size) and ``biases`` (words,)."""
        self.is_tied = tied is not None
        assert not isinstance(tied, SparseParameter)  # every pass reads all rows
        self.weights: Parameter | SparseParameter = tied or Parameter(
            self._initial_weights(self.words, self.hidden_size), is_weight=True
        )
        self.biases: Parameter | SparseParameter = Parameter(self.unigram_biases())
        self._softmax = TiledSoftmax()

    @property
    def parameters(self) -> dict[str, Parameter | SparseParameter]:
        """``weights``, unless tied, and ``biases``."""
        return {"biases": self.biases} if self.is_tied else {"weights": self.weights, "biases": self.biases}

    def loss_and_gradient(self, hidden: Array, targets: Targets, d_hidden: Array, scale: float = 1.0) -> float:  # noqa: D102
        scores, into = self.scores, Scores(self.weights.gradient, self.biases.gradient)
        return self._softmax.loss_and_gradient(scores, hidden, targets, d_hidden, into, scale=scale)

    def sgd_step(self, hidden: Array, targets: Targets, d_hidden: Array, rate: float, scale: float = 1.0) -> float:  # noqa: D102
        return self._softmax.loss_and_gradient(
            self.scores, hidden, targets, d_hidden, self.scores, scale=scale, factor=-rate
        )

    def target_log_probs(self, hidden: Array, targets: Targets) -> NDArray[np.float64]:  # noqa: D102
        return self._softmax.target_log_probs(self.scores, hidden, targets)

    def distribution(self, hidden: Array) -> NDArray[np.float64]:  # noqa: D102
        return self._softmax.distribution(self.scores, hidden)

    @property
    def scores(self) -> Scores:
        """The parameters as the softmax takes them."""
        return Scores(self.weights.value, self.biases.value)

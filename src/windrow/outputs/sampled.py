"""Noise-contrastive estimation: tell the target from noise words, which are shared by all rows of a block."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.nn.parameters import Array, Parameter, SparseParameter, WordParameter
from windrow.numeric.blas import add_product, set_product
from windrow.numeric.rng import alias_table, draw_words
from windrow.numeric.rows import add_to_rows
from windrow.numeric.tables import padded_width
from windrow.outputs.contract import Targets
from windrow.outputs.kernels.noise import add_target_rows, noise_errors, sampled_softmax_errors, target_errors
from windrow.outputs.kernels.softmax import score_targets
from windrow.outputs.noise import noise_probabilities
from windrow.outputs.softmax import FullSoftmax
from windrow.outputs.tiled_softmax import Scores, TiledSoftmax


class Noise(NamedTuple):
    """Distinct words, rising, and how often each was drawn."""

    words: NDArray[np.int32]  # (n,)
    counts: NDArray[np.int64]  # (n,)


class _Gradients(NamedTuple):
    """With respect to weights and scores of the noise words, and of each row's target, which may repeat."""

    noise_weights: Array  # (n, hidden_size)
    noise_scores: Array  # (n, 1)
    target_weights: Array  # (rows, hidden_size)
    target_scores: Array  # (rows, 1)


class NoiseContrastive(FullSoftmax):
    """The parameters of a full softmax, trained against ``noise_words`` draws per block instead of all words.

    "nce" (Gutmann & Hyvärinen 2010; Mnih & Teh 2012): is this word the target or one of the k draws? The odds are
    exp(score) / (k q(word)), so scores come out as log-probabilities, about normalized (``quick_log_probs``).
    "sampled-softmax" (Bengio & Senécal 2008; Botev, Zheng & Barber 2017): the softmax, whose normalizer is the target's
    power plus an unbiased estimate, from the draws, of those of all other words. ``target_log_probs`` and
    ``distribution`` normalize over all words, exactly.
    """

    is_sparse = True

    def build(self, tied: Parameter | SparseParameter | None) -> None:
        """``weights``, a SparseParameter (words, hidden_size), and ``biases``, a SparseParameter (words, 1)."""
        self.is_tied = tied is not None
        self.weights = tied or WordParameter(self._initial_weights(self.words, self.hidden_size))
        self.biases = WordParameter(self.unigram_biases().reshape(-1, 1))
        noise = noise_probabilities(self.counts, self.options.noise_power)
        self._log_noise = np.log(np.maximum(noise, 1e-300)).astype(self.dtype)
        self._alias = alias_table(noise)
        self._slots = np.full(self.words, -1, np.int32)
        self._softmax = TiledSoftmax()

    def draw_noise(self) -> Noise:
        """The noise words of one block, by the layer's ``rng``."""
        words = np.empty(self.options.noise_words, np.int32)
        state = self.rng.integers(0, 2**64, 1, np.uint64)
        draw_words(*self._alias, state, words)
        return Noise(*np.unique(words, return_counts=True))

    def loss_and_gradient(self, hidden: Array, targets: Targets, d_hidden: Array, scale: float = 1.0) -> float:  # noqa: D102
        return self.loss_against(self.draw_noise(), hidden, targets, d_hidden, scale)

    def loss_against(self, noise: Noise, hidden: Array, targets: Targets, d_hidden: Array, scale: float = 1.0) -> float:
        """``loss_and_gradient`` with these noise words."""
        loss, found = self._pass(noise, hidden, targets, d_hidden, scale)
        for parameter, by_noise, by_targets in self._with_gradients(found):
            parameter.add_rows(noise.words, by_noise)
            parameter.add_rows(targets, by_targets)
        return loss

    def sgd_step(self, hidden: Array, targets: Targets, d_hidden: Array, rate: float, scale: float = 1.0) -> float:  # noqa: D102
        noise = self.draw_noise()
        loss, found = self._pass(noise, hidden, targets, d_hidden, scale)
        for parameter, by_noise, by_targets in self._with_gradients(found):
            add_to_rows(parameter.value, noise.words, by_noise, -rate)
            add_to_rows(parameter.value, targets, by_targets, -rate)
        return loss

    def _with_gradients(self, found: _Gradients) -> tuple[tuple[Parameter | SparseParameter, Array, Array], ...]:
        """Each parameter with its gradients in the rows of the noise words and of the targets."""
        return (
            (self.weights, found.noise_weights, found.target_weights),
            (self.biases, found.noise_scores, found.target_scores),
        )

    def _pass(
        self, noise: Noise, hidden: Array, targets: Targets, d_hidden: Array, scale: float
    ) -> tuple[float, _Gradients]:
        """The loss and the gradients with respect to the parameters; sets ``d_hidden``."""
        n = padded_width(len(noise.words))  # the words beyond the last are the first again, and count 0
        words = np.concatenate([noise.words, np.full(n - len(noise.words), noise.words[0], np.int32)])
        counts = np.concatenate([noise.counts, np.zeros(n - len(noise.counts), np.int64)])
        draws, biases = self.options.noise_words, self.biases.value.reshape(-1)
        expected = self._log_noise + self.dtype.type(np.log(draws))  # log(k q) of every word
        weights, scores = self.weights.value.take(words, axis=0), np.empty((len(hidden), n), self.dtype)
        set_product(scores, hidden, weights.T)
        target_logits = np.empty(len(hidden), self.dtype)
        score_targets(hidden, self.weights.value, biases, targets, target_logits)
        offsets = biases[words] - expected[words]
        if self.options.objective == "nce":
            target_logits -= expected[targets]
            ones = np.ones(len(hidden), self.dtype)
            loss = noise_errors(scores.reshape(-1), offsets, counts.astype(self.dtype), ones, scale)
            loss += target_errors(target_logits, scale)
        else:
            with np.errstate(divide="ignore"):
                offsets += np.log(counts).astype(self.dtype)
            self._slots[noise.words] = np.arange(len(noise.words))
            flat, zeros = scores.reshape(-1), np.zeros_like(offsets)
            loss = sampled_softmax_errors(flat, offsets, zeros, self._slots, targets, target_logits, scale)
            self._slots[noise.words] = -1
        d_hidden.fill(0)
        add_product(d_hidden, scores, weights)
        add_target_rows(d_hidden, self.weights.value, targets, target_logits)
        d_weights = np.zeros_like(weights)
        add_product(d_weights, scores.T, hidden)
        known, errors = len(noise.words), target_logits.reshape(-1, 1)
        d_scores = scores.sum(axis=0).reshape(-1, 1)
        return loss, _Gradients(d_weights[:known], d_scores[:known], errors * hidden, errors)

    def quick_log_probs(self, hidden: Array, targets: Targets) -> NDArray[np.float64]:
        """The scores of the targets taken as log-probabilities, (rows,): about right after training with "nce"."""
        scores = np.empty(len(hidden), self.dtype)
        score_targets(hidden, *self.scores, targets, scores)
        return scores.astype(np.float64)

    @property
    def scores(self) -> Scores:
        """The parameters as the softmax takes them."""
        return Scores(self.weights.value, self.biases.value.reshape(-1))

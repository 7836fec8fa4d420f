"""What the trainings of neural language models share: a network, the text it learns from, a text that judges it."""

from __future__ import annotations

from abc import abstractmethod
from math import exp, log

import numpy as np
from numpy.typing import NDArray

from windrow.lm.neural.network import NeuralNetwork
from windrow.lm.stream import Ids
from windrow.lm.symbols import BOS
from windrow.nn.parameters import Array
from windrow.nn.regularizers import L2
from windrow.nn.training.loop import Trainee

SCORED_ROWS = 1024  # at a time, when nothing is learned


class LMTrainee(Trainee):
    """A network that learns to predict the words of a text, and is judged on another one by its perplexity.

    A subclass says what batches an epoch has, adds the gradient of one, and scores a text. ``examples``: the words that
    an epoch predicts; ``valid``: a stream held back, or None.
    """

    measure = "perplexity"

    def __init__(self, network: NeuralNetwork, words: int, valid: Ids | None, *, seed: int, l2: float) -> None:
        self.network = network
        self.examples = words
        self.valid = valid
        self.seed = seed
        self.regularizer = L2(l2) if l2 else None
        self.parameters = network.body
        self.baseline = log(max(network.head.words, 2))

    @abstractmethod
    def score(self, stream: Ids) -> NDArray[np.float64]:
        """The natural-log probability of each symbol, 0 at ``<s>``; (symbols,)."""

    def judge(self) -> float | None:  # noqa: D102
        if self.valid is None:
            return None
        predicted = max(int((self.valid != BOS).sum()), 1)
        return exp(min(-self.score(self.valid).sum() / predicted, 700))

    def rank(self, score: float) -> float:
        """The log-likelihood of a word."""
        return -log(score)

    def values(self) -> Array:  # noqa: D102
        return self.network.values()

    def set_values(self, values: Array) -> None:  # noqa: D102
        self.network.set_values(values)

    def add_penalties(self) -> None:
        """Add the gradient of the L2 penalty, if there is one."""
        if self.regularizer is not None:
            for parameter in self.parameters.weights:
                self.regularizer.add_gradient(parameter)

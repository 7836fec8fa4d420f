"""What the networks of language models share: an output layer, parameters as one vector, and how they are trained."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from math import exp, log

import numpy as np
from numpy.typing import NDArray

from windrow.lm.stream import Ids
from windrow.lm.symbols import BOS
from windrow.nn.layers import Dropout
from windrow.nn.parameters import Array, Parameter, ParameterVector, SparseParameter
from windrow.nn.regularizers import L2
from windrow.nn.training.loop import Trainee
from windrow.outputs.contract import OutputLayer
from windrow.outputs.quantized import QuantizedSoftmax

SCORED_ROWS = 1024  # at a time, when nothing is learned


class NeuralNetwork:
    """Word ids to hidden rows, by layers of windrow.nn, to distributions over the words, by an output layer.

    ``embeddings`` (words, embedding_size), the word vectors, are a SparseParameter, or what a head is tied to;
    ``layers``: the parameters above them, by name. An optimizer moves the ParameterVector ``body``. That holds all
    parameters or, where the ``head_learns`` by itself (plain gradient descent, without an array for its gradient), all
    but the head's, which are in ``output`` then.
    """

    def __init__(
        self,
        embeddings: Parameter | SparseParameter,
        layers: Mapping[str, Parameter | SparseParameter],
        head: OutputLayer,
        *,
        dropouts: Sequence[Dropout] = (),
        head_learns: bool = False,
    ) -> None:
        self.embeddings = embeddings
        self.head = head
        self.dropouts = list(dropouts)
        self._below = {"embeddings.vectors": embeddings, **layers}
        self._gather(head_learns)

    def _gather(self, head_learns: bool) -> None:
        self.head_learns = head_learns
        output = {f"output.{name}": parameter for name, parameter in self.head.parameters.items()}
        self.named: Mapping[str, Parameter | SparseParameter] = {**self._below, **output}
        self.body = ParameterVector(self._below if head_learns else self.named)
        self.output = ParameterVector(output) if head_learns else self.body

    def seed(self, *seeds: int) -> None:
        """Draw what is dropped and the noise words from generators of these seeds from now on."""
        dropped, self.head.rng = (np.random.default_rng([*seeds, use]) for use in (1, 2))
        for layer in self.dropouts:
            layer.rng = dropped

    @property
    def is_quantized(self) -> bool:
        """Whether ``quantize`` was called."""
        return isinstance(self.head, QuantizedSoftmax)

    def quantize(self) -> None:
        """Make the output weights 8-bit numbers: less to read and to store, and no more training."""
        self.head = QuantizedSoftmax.of(self.head)
        self._gather(head_learns=False)

    @property
    def arrays(self) -> dict[str, Array]:
        """All that a file must hold, by name; to be read and written in place."""
        parameters = {name: parameter.value for name, parameter in self.named.items()}
        return {**parameters, **{f"output.{name}": array for name, array in self.head.arrays.items()}}

    def take(self, other: NeuralNetwork) -> None:
        """Become equal to a network of the same shape."""
        for name, array in self.arrays.items():
            array[:] = other.arrays[name]

    def values(self) -> Array:
        """A copy of all parameters as one vector."""
        return np.concatenate([self.body.values, self.output.values]) if self.head_learns else self.body.values.copy()

    def set_values(self, values: Array) -> None:
        """Take the parameters that ``values`` gave."""
        size = len(self.body.values)
        self.body.values[:] = values[:size]
        if self.head_learns:
            self.output.values[:] = values[size:]

    def head_loss(self, hidden: Array, targets: Ids, rate: float) -> tuple[float, Array]:
        """The summed loss of a batch, and the gradient of its mean with respect to the hidden rows.

        Adds that with respect to the head's parameters to their gradients, or, where the ``head_learns``, moves them.
        """
        d_hidden, scale = np.empty_like(hidden), 1 / len(targets)
        if self.head_learns:
            return self.head.sgd_step(hidden, targets, d_hidden, rate, scale), d_hidden
        return self.head.loss_and_gradient(hidden, targets, d_hidden, scale), d_hidden


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

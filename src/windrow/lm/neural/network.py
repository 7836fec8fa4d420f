"""What the networks of language models share: word vectors, an output layer, dropout, all parameters as one vector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.nn.parameters import Array, Parameter, ParameterVector, Table
from windrow.nn.sparse import add_word_rows
from windrow.outputs.contract import OutputLayer
from windrow.outputs.quantized import QuantizedSoftmax

Ids = NDArray[np.int32]


class NeuralNetwork:
    """Word ids to hidden rows to distributions over the words.

    ``embeddings`` (words, embedding_size) is a Table, or what a head is tied to. All parameters, those of ``layers``
    (by name) included, are in the ParameterVector ``body``; or, ``apart``, those of the head in ``output`` with no
    gradient, because the head takes its steps by itself.
    """

    def __init__(
        self,
        embeddings: Parameter | Table,
        layers: Mapping[str, Parameter | Table],
        head: OutputLayer,
        *,
        dropout: float = 0.0,
        apart: bool = False,
    ) -> None:
        self.embeddings = embeddings
        self.head = head
        self.dropout = dropout
        self.rng = np.random.default_rng(0)
        self._below = {"embeddings.vectors": embeddings, **layers}
        self._gather(apart)

    def _gather(self, apart: bool) -> None:
        self.apart = apart
        output = {f"output.{name}": parameter for name, parameter in self.head.parameters.items()}
        self.named: Mapping[str, Parameter | Table] = {**self._below, **output}
        self.body = ParameterVector(self._below if apart else self.named)
        self.output = ParameterVector(output) if apart else self.body

    @property
    def is_quantised(self) -> bool:
        """Whether ``quantise`` was called."""
        return isinstance(self.head, QuantizedSoftmax)

    def quantise(self) -> None:
        """Make the output weights 8-bit numbers: less to read and to store, and no more training."""
        self.head = QuantizedSoftmax.of(self.head)
        self._gather(apart=False)

    @property
    def arrays(self) -> dict[str, Array]:
        """All that a file must hold, by name; to be read and written in place."""
        parameters = {name: parameter.value for name, parameter in self.named.items()}
        return {**parameters, **{f"output.{name}": array for name, array in self.head.arrays.items()}}

    def values(self) -> Array:
        """A copy of all parameters as one vector."""
        return np.concatenate([self.body.values, self.output.values]) if self.apart else self.body.values.copy()

    def set_values(self, values: Array) -> None:
        """Take the parameters that ``values`` gave."""
        size = len(self.body.values)
        self.body.values[:] = values[:size]
        if self.apart:
            self.output.values[:] = values[size:]

    def look_up(self, ids: Ids) -> Array:
        """The vectors of words, (words, embedding_size)."""
        rows: Array = self.embeddings.value.take(ids, axis=0)
        return rows

    def scatter(self, ids: Ids, gradients: Array) -> None:
        """Hand the gradients of looked-up words (words, embedding_size) to the rows of the embeddings."""
        add_word_rows(self.embeddings, ids, gradients)

    def head_loss(self, hidden: Array, targets: Ids, rate: float | None) -> tuple[float, Array]:
        """The summed loss of a batch, and the gradient of its mean by the hidden rows.

        Adds that by the parameters to their gradients; with a ``rate`` the head takes its step at once instead.
        """
        d_hidden, scale = np.empty_like(hidden), 1 / len(targets)
        if rate is None:
            return self.head.loss_and_gradient(hidden, targets, d_hidden, scale), d_hidden
        return self.head.sgd_step(hidden, targets, d_hidden, rate, scale), d_hidden

    def kept(self, shape: tuple[int, ...]) -> Array | None:
        """0 for what is dropped, 1 / (1 - dropout) for the rest, so that expectations stay; None without dropout."""
        if self.dropout == 0:
            return None
        dtype = self.embeddings.value.dtype
        kept: Any = self.rng.random(shape, dtype=np.float32) >= self.dropout
        return np.asarray(kept * dtype.type(1 / (1 - self.dropout)))

"""The network of Bengio et al. 2003: vectors of the words before, a hidden layer of tanh, an output layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.kernels.heads import sum_equal_rows
from windrow.lm.heads.head import Head
from windrow.lm.heads.products import set_product_of_rows, set_product_transposed
from windrow.nn.parameters import Array, Parameter, ParameterVector, Table

Ids = NDArray[np.int32]


class WindowNetwork:
    """Contexts (rows, window) of word ids to distributions over the words.

    x = the vectors of the context words side by side, (rows, window * embedding_size); h = tanh(x @ W + b); the head
    sees h, or with ``direct`` h and x side by side. ``embeddings`` is a Table, or the Parameter that a head is tied to.
    All parameters are in the ParameterVector ``body``; or, ``apart``, those of the head in ``output`` with no gradient,
    because the head takes its steps by itself.
    """

    def __init__(
        self,
        embeddings: Parameter | Table,
        hidden_weights: Array,
        head: Head,
        *,
        direct: bool = False,
        dropout: float = 0.0,
        apart: bool = False,
    ) -> None:
        self.embeddings = embeddings
        self.weights = Parameter(hidden_weights, is_weight=True)
        self.biases = Parameter(np.zeros(hidden_weights.shape[1], hidden_weights.dtype))
        self.head = head
        self.direct = direct
        self.dropout = dropout
        self.apart = apart
        self.rng = np.random.default_rng(0)
        self._slots = np.full(len(embeddings.value), -1, np.int32)
        body = {"embeddings.vectors": embeddings, "hidden.weights": self.weights, "hidden.biases": self.biases}
        output = {f"output.{name}": parameter for name, parameter in head.parameters.items()}
        self.named: Mapping[str, Parameter | Table] = {**body, **output}
        self.body = ParameterVector(body if apart else self.named)
        self.output = ParameterVector(output) if apart else self.body

    def values(self) -> Array:
        """A copy of all parameters as one vector."""
        return np.concatenate([self.body.values, self.output.values]) if self.apart else self.body.values.copy()

    def set_values(self, values: Array) -> None:
        """Take the parameters that ``values`` gave."""
        size = len(self.body.values)
        self.body.values[:] = values[:size]
        if self.apart:
            self.output.values[:] = values[size:]

    def hidden_rows(self, contexts: Ids) -> Array:
        """What the head sees, nothing dropped; (rows, hidden_size of the head)."""
        x = self._look_up(contexts)
        h = self._activate(x)
        return np.concatenate([h, x], axis=1) if self.direct else h

    def loss_and_gradient(self, contexts: Ids, targets: Ids, *, rate: float | None = None) -> float:
        """The summed loss of a batch; adds the gradient of its mean to the parameters' gradients.

        With a ``rate`` the head takes its step of gradient descent at once; only the body then has a gradient.
        """
        x = self._look_up(contexts)
        x_kept = self._drop(x)
        h = self._activate(x)
        h_kept, activations = self._kept(h.shape), h
        if h_kept is not None:
            h = h * h_kept
        hidden = np.concatenate([h, x], axis=1) if self.direct else h
        d_hidden, scale = np.empty_like(hidden), 1 / len(contexts)
        if rate is None:
            loss = self.head.loss_and_gradient(hidden, targets, d_hidden, scale)
        else:
            loss = self.head.sgd_step(hidden, targets, d_hidden, rate, scale)
        dh = d_hidden[:, : h.shape[1]]
        if h_kept is not None:
            dh = dh * h_kept
        dh = np.ascontiguousarray(dh * (1 - activations * activations))
        self.weights.add_product(x, dh)
        self.biases.add(dh.sum(axis=0))
        dx = np.empty_like(x)
        set_product_transposed(dx, dh, self.weights.value)
        if self.direct:
            dx += d_hidden[:, h.shape[1] :]
        if x_kept is not None:
            dx *= x_kept
        self._scatter(contexts.reshape(-1), dx.reshape(contexts.size, -1))
        return loss

    def _look_up(self, contexts: Ids) -> Array:
        rows: Array = self.embeddings.value.take(contexts.reshape(-1), axis=0)
        return rows.reshape(len(contexts), -1)

    def _activate(self, x: Array) -> Array:
        h = np.empty((len(x), self.weights.value.shape[1]), x.dtype)
        set_product_of_rows(h, x, self.weights.value)
        h += self.biases.value
        np.tanh(h, out=h)
        return h

    def _drop(self, x: Array) -> Array | None:
        """Drop numbers of x in place; returns their factors."""
        kept = self._kept(x.shape)
        if kept is not None:
            x *= kept
        return kept

    def _kept(self, shape: tuple[int, ...]) -> Array | None:
        """0 for what is dropped, 1 / (1 - dropout) for the rest, so that expectations stay; None without dropout."""
        if self.dropout == 0:
            return None
        dtype = self.weights.value.dtype
        kept: Any = self.rng.random(shape, dtype=np.float32) >= self.dropout
        return np.asarray(kept * dtype.type(1 / (1 - self.dropout)))

    def _scatter(self, ids: Ids, gradients: Array) -> None:
        """Hand the gradients of the context words to the rows of the embeddings."""
        distinct, sums = np.empty(len(ids), np.int32), np.empty_like(gradients)
        known = sum_equal_rows(ids, gradients, self._slots, distinct, sums)
        if isinstance(self.embeddings, Table):
            self.embeddings.add_rows(distinct[:known], sums[:known])
        else:
            self.embeddings.gradient[distinct[:known]] += sums[:known]

"""The network of Bengio et al. 2003: vectors of the words before, a hidden layer of tanh, an output layer."""

from __future__ import annotations

import numpy as np

from windrow.lm.neural.network import Ids, NeuralNetwork
from windrow.nn.parameters import Array, Parameter, Table
from windrow.numeric.blas import add_product, set_product
from windrow.outputs.contract import Head


class WindowNetwork(NeuralNetwork):
    """Contexts (rows, window) of word ids to distributions over the words.

    x = the vectors of the context words side by side, (rows, window * embedding_size); h = tanh(x @ W + b); the head
    sees h, or with ``direct`` h and x side by side.
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
        self.weights = Parameter(hidden_weights, is_weight=True)
        self.biases = Parameter(np.zeros(hidden_weights.shape[1], hidden_weights.dtype))
        self.direct = direct
        layers = {"hidden.weights": self.weights, "hidden.biases": self.biases}
        super().__init__(embeddings, layers, head, dropout=dropout, apart=apart)

    def hidden_rows(self, contexts: Ids) -> Array:
        """What the head sees, nothing dropped; (rows, hidden_size of the head)."""
        x = self._inputs(contexts)
        h = self._activate(x)
        return np.concatenate([h, x], axis=1) if self.direct else h

    def loss_and_gradient(self, contexts: Ids, targets: Ids, *, rate: float | None = None) -> float:
        """The summed loss of a batch; adds the gradient of its mean to the parameters' gradients.

        With a ``rate`` the head takes its step of gradient descent at once; only the body then has a gradient.
        """
        x = self._inputs(contexts)
        x_kept = self.kept(x.shape)
        if x_kept is not None:
            x *= x_kept
        h = self._activate(x)
        h_kept, activations = self.kept(h.shape), h
        if h_kept is not None:
            h = h * h_kept
        hidden = np.concatenate([h, x], axis=1) if self.direct else h
        loss, d_hidden = self.head_loss(hidden, targets, rate)
        dh = d_hidden[:, : h.shape[1]]
        if h_kept is not None:
            dh = dh * h_kept
        dh = np.ascontiguousarray(dh * (1 - activations * activations))
        add_product(self.weights.gradient, x.T, dh)
        self.biases.add(dh.sum(axis=0))
        dx = np.empty_like(x)
        set_product(dx, dh, self.weights.value.T)
        if self.direct:
            dx += d_hidden[:, h.shape[1] :]
        if x_kept is not None:
            dx *= x_kept
        self.scatter(contexts.reshape(-1), dx.reshape(contexts.size, -1))
        return loss

    def _inputs(self, contexts: Ids) -> Array:
        return self.look_up(contexts.reshape(-1)).reshape(len(contexts), -1)

    def _activate(self, x: Array) -> Array:
        h = np.empty((len(x), self.weights.value.shape[1]), x.dtype)
        set_product(h, x, self.weights.value)
        h += self.biases.value
        np.tanh(h, out=h)
        return h

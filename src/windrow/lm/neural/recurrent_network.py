"""The network of a recurrent language model: word vectors, recurrent layers one upon another, an output layer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from windrow.lm.neural.network import Ids, NeuralNetwork
from windrow.nn.parameters import Array, Parameter, Table
from windrow.nn.recurrent.layer import RecurrentLayer
from windrow.outputs.contract import OutputLayer

States = tuple[Array, ...]  # of each layer (states of its cell, streams, hidden_size)
Begins = NDArray[np.bool_]


class RecurrentNetwork(NeuralNetwork):
    """Streams of word ids (steps, streams) to distributions over the words.

    The first layer sees the word vectors, each other one the hidden states of the one below, the head those of the
    last. ``dropout`` is of word vectors and of what every layer hands up, never of what a layer hands on to its next
    step (Zaremba, Sutskever & Vinyals 2014).
    """

    def __init__(
        self,
        embeddings: Parameter | Table,
        layers: Sequence[RecurrentLayer],
        head: OutputLayer,
        *,
        dropout: float = 0.0,
        apart: bool = False,
    ) -> None:
        self.layers = layers
        named = {f"layer{n}.{name}": part for n, layer in enumerate(layers) for name, part in layer.parameters.items()}
        super().__init__(embeddings, named, head, dropout=dropout, apart=apart)

    def zero_states(self, streams: int) -> States:
        """The states before anything was read."""
        return tuple(layer.zero_state(streams) for layer in self.layers)

    def hidden_states(self, ids: Ids, states: States, begins: Begins | None = None) -> tuple[Array, States]:
        """What the head sees after each step, (steps, streams, hidden_size), nothing dropped, and the last states.

        ``begins`` (steps, streams): where a stream forgets everything, before the step.
        """
        x, last = self._inputs(ids), []
        for layer, state in zip(self.layers, states, strict=True):
            x, state_after, _ = layer.forward(x, state, begins)
            last.append(state_after)
        return x, tuple(last)

    def loss_and_gradient(
        self, ids: Ids, targets: Ids, states: States, begins: Begins | None = None, *, rate: float | None = None
    ) -> tuple[float, States]:
        """The summed loss of some steps, and the states after them; adds the gradient of the mean.

        ``targets`` (steps, streams): what follows each id. Backpropagation ends at ``states``. With a ``rate`` the head
        takes its step of gradient descent at once; only the body then has a gradient.
        """
        x = self._inputs(ids)
        x, kept = self._drop(x)
        backs, masks, last = [], [kept], []
        for layer, state in zip(self.layers, states, strict=True):
            x, state_after, back = layer.forward(x, state, begins)
            x, kept = self._drop(x)
            backs.append(back)
            masks.append(kept)
            last.append(state_after)
        rows = np.ascontiguousarray(x).reshape(ids.size, -1)
        loss, d_rows = self.head_loss(rows, targets.reshape(-1), rate)
        gradient = d_rows.reshape(x.shape)
        while backs:
            gradient = backs.pop()(_masked(gradient, masks.pop()))
        gradient = _masked(gradient, masks.pop())
        self.scatter(ids.reshape(-1), gradient.reshape(ids.size, -1))
        return loss, tuple(last)

    def _inputs(self, ids: Ids) -> Array:
        return self.look_up(ids.reshape(-1)).reshape(*ids.shape, -1)

    def _drop(self, x: Array) -> tuple[Array, Array | None]:
        kept = self.kept(x.shape)
        return _masked(x, kept), kept


def _masked(x: Array, kept: Array | None) -> Array:
    return x if kept is None else x * kept

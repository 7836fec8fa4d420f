"""The network of a recurrent language model: word vectors, recurrent layers one upon another, an output layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from windrow.lm.neural.network import Ids, NeuralNetwork
from windrow.nn.layers import Dropout, Embedding
from windrow.nn.parameters import Array, Parameter, SparseParameter
from windrow.nn.recurrent.layer import RecurrentLayer
from windrow.outputs.contract import OutputLayer

States = tuple[Array, ...]  # of each layer (states of its cell, streams, hidden_size)
Begins = NDArray[np.bool_]
Backward = Callable[[Array], Array]


class RecurrentNetwork(NeuralNetwork):
    """Streams of word ids (steps, streams) to distributions over the words.

        ids -> Embedding -> Dropout -> RecurrentLayer -> Dropout -> RecurrentLayer -> Dropout -> head

    Nothing is dropped of what a layer hands on to its own next step (Zaremba, Sutskever & Vinyals 2014).
    """

    def __init__(
        self,
        embeddings: Parameter | SparseParameter,
        layers: Sequence[RecurrentLayer],
        head: OutputLayer,
        *,
        dropout: float = 0.0,
        head_learns: bool = False,
    ) -> None:
        self.look_up = Embedding.of(embeddings)
        self.layers = layers
        dropouts = [Dropout(dropout) for _ in range(len(layers) + 1)] if dropout else []
        named = {f"layer{n}.{name}": part for n, layer in enumerate(layers) for name, part in layer.parameters.items()}
        super().__init__(embeddings, named, head, dropouts=dropouts, head_learns=head_learns)

    def zero_states(self, streams: int) -> States:
        """The states before anything was read."""
        return tuple(layer.zero_state(streams) for layer in self.layers)

    def hidden_states(self, ids: Ids, states: States, begins: Begins | None = None) -> tuple[Array, States]:
        """What the head sees after each step, (steps, streams, hidden_size), nothing dropped, and the last states.

        ``begins`` (steps, streams): where a stream forgets everything, before the step.
        """
        x, last = self.look_up.forward(ids.reshape(-1, 1))[0].reshape(*ids.shape, -1), []
        for layer, state in zip(self.layers, states, strict=True):
            x, state_after, _ = layer.forward(x, state, begins)
            last.append(state_after)
        return x, tuple(last)

    def loss_and_gradient(
        self, ids: Ids, targets: Ids, states: States, begins: Begins | None = None, rate: float = 0.0
    ) -> tuple[float, States]:
        """The summed loss of some steps, and the states after them; adds the gradient of the mean.

        ``targets`` (steps, streams): what follows each id. Backpropagation ends at ``states``. ``rate`` is the head's,
        where the ``head_learns``.
        """
        x, look_up_backward = self.look_up.forward(ids.reshape(-1, 1))
        x = x.reshape(*ids.shape, -1)
        backwards: list[Backward] = []
        last = []
        if self.dropouts:
            x = self._drop(0, x, backwards)
        for number, (layer, state) in enumerate(zip(self.layers, states, strict=True), 1):
            x, state_after, backward = layer.forward(x, state, begins)
            last.append(state_after)
            backwards.append(backward)
            if self.dropouts:
                x = self._drop(number, x, backwards)
        rows = np.ascontiguousarray(x).reshape(ids.size, -1)
        loss, d_rows = self.head_loss(rows, targets.reshape(-1), rate)
        gradient = d_rows.reshape(x.shape)
        for backward in reversed(backwards):
            gradient = backward(gradient)
        look_up_backward(gradient.reshape(ids.size, -1))
        return loss, tuple(last)

    def _drop(self, number: int, x: Array, backwards: list[Backward]) -> Array:
        """What this dropout leaves of x; its backward pass becomes the last of ``backwards``."""
        x, backward = self.dropouts[number].forward(x, training=True)
        backwards.append(backward)
        return x

"""The common network: one layer after another."""

from __future__ import annotations

from collections.abc import Sequence

from windrow.nn.layers.layer import Backward, Layer, named_parameters
from windrow.nn.parameters import Array, Parameter, SparseParameter


class Chain(Layer):
    """Layers in a row, each taking the output of the one before; itself a layer. Backward goes the same way back.

    Parameters
    ----------
    layers : sequence of Layer
        The layers, from input to output.

    Examples
    --------
    >>> from windrow.nn import Chain, Dense, Tanh
    >>> chain = Chain([Dense(4, 3, rng=1), Tanh(), Dense(3, 2, rng=2)])
    >>> list(chain.parameters)
    ['dense1.weights', 'dense1.biases', 'dense2.weights', 'dense2.biases']
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers = list(layers)
        learning = [number for number, layer in enumerate(self.layers) if layer.parameters]
        self._first_learning = learning[0] if learning else len(self.layers)

    @property
    def parameters(self) -> dict[str, Parameter | SparseParameter]:
        """Those of all layers, named as ``dense1.weights``."""
        return named_parameters(self.layers)

    def forward(self, x: Array, training: bool = False) -> tuple[Array, Backward]:
        """The output of the last layer."""
        backwards = []
        for layer in self.layers:
            x, backward = layer.forward(x, training=training)
            backwards.append(backward)

        def backward_all(dy: Array, need_dx: bool = True) -> Array:
            lowest = 0 if need_dx else self._first_learning  # below it nobody asks
            for number in reversed(range(lowest, len(backwards))):
                dy = backwards[number](dy, need_dx or number > lowest)
            return dy

        return x, backward_all

    def __repr__(self) -> str:
        return f"Chain([{', '.join(map(repr, self.layers))}])"

"""A network: a layer (a chain or graph of them), the loss of its outputs, and one flat vector of parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.errors import DataError
from windrow.estimator import OldName, takes_old_names
from windrow.nn.layers.layer import Layer
from windrow.nn.losses import Loss
from windrow.nn.parameters import Array, ParameterVector
from windrow.nn.regularizers import Regularizer

_ROWS_AT_ONCE = 4096  # when nothing is learned: the hidden rows of a large set stay small


class Network:
    """What training changes and what it is judged by.

    Parameters
    ----------
    layer : Layer
        A layer, chain or graph, from inputs (rows, ...) to outputs (rows, outputs).
    loss : Loss
        Judges outputs by targets.
    regularizers : sequence of L1 and L2, default ()
        Added to the loss, for the weights.

    Attributes
    ----------
    parameters : ParameterVector
        The parameters of ``layer``, views of one vector.

    Examples
    --------
    >>> import numpy as np
    >>> from windrow.nn import Dense, LogLikelihood, Network
    >>> network = Network(Dense(3, 2, rng=1), LogLikelihood())
    >>> network.predict(np.zeros((1, 3), np.float32)).tolist()
    [[0.5, 0.5]]
    """

    regularisers = OldName("regularizers")

    @takes_old_names
    def __init__(self, layer: Layer, loss: Loss, regularizers: Sequence[Regularizer] = ()) -> None:
        self.layer = layer
        self.loss = loss
        self.regularizers = tuple(regularizers)
        self.parameters = ParameterVector(layer.parameters)

    def add_gradient(self, x: Array, targets: Array, *, training: bool = True) -> float:
        """Add the gradient of the cost, regularizers included; returns the mean loss alone."""
        outputs, backward = self.layer.forward(x, training=training)
        loss, d_outputs = self.loss(outputs, targets)
        backward(d_outputs, need_dx=False)
        for regularizer in self.regularizers:
            for parameter in self.parameters.weights:
                regularizer.add_gradient(parameter)
        return loss

    def outputs(self, x: Array) -> Array:
        """The outputs (rows, outputs), nothing dropped."""
        pieces = [self.layer.forward(x[i : i + _ROWS_AT_ONCE])[0] for i in range(0, len(x), _ROWS_AT_ONCE)]
        return np.concatenate(pieces)

    def predict(self, x: Array) -> Array:
        """What the outputs say: probabilities or estimates, (rows, outputs)."""
        return self.loss.predict(self.outputs(x))

    def penalty(self) -> float:
        """What the regularizers add to the loss."""
        return sum((r.penalty(p) for r in self.regularizers for p in self.parameters.weights), start=0.0)

    def loss_and_grad(self, theta: NDArray[np.float64], x: Array, targets: Array) -> tuple[float, NDArray[np.float64]]:
        """The cost at the parameters ``theta`` (n,), and its gradient (n,), for scipy.optimize.minimize(jac=True).

        The cost is the mean loss and the penalties, nothing dropped: a line search needs a function. The network keeps
        ``theta`` as its parameters. Build the layers in float64: optimizers of second order tell float32 from noise.
        """
        parameters = self.parameters
        if theta.shape != parameters.values.shape:
            raise DataError(f"theta has the shape {theta.shape}, but the network {len(parameters.values)} parameters")
        parameters.values[:] = theta
        parameters.clear_gradients()
        loss = self.add_gradient(x, targets, training=False)
        return loss + self.penalty(), parameters.gradient().astype(np.float64)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "parameters"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.parameters = ParameterVector(self.layer.parameters)  # a copy of a view is no view: join them again

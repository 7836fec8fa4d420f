"""A recurrent layer: steps of a cell in a row, and the way back through them (backpropagation through time).

Products of all steps at once are SciPy's, those of a step are NumPy's: see ``blas_threads``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import DTypeLike, NDArray

from windrow.errors import OptionError
from windrow.lm.cells import CELLS, Cell, Steps
from windrow.lm.heads.products import set_product_of_rows, set_product_transposed
from windrow.nn.parameters import Array, Parameter

Backward = Callable[[Array], Array]


class RecurrentLayer:
    """``hidden_size`` units of a cell, for a batch of streams; inputs (steps, batch, inputs).

    Parameters: ``input_weights`` (inputs, gates * hidden_size), absent when ``inputs`` is None: the inputs are then the
    sums themselves; ``recurrent_weights`` (hidden_size, gates * hidden_size), ``biases`` (gates * hidden_size,), and
    what the cell needs besides. All start uniform in +-1 / sqrt(hidden_size), biases at 0 (that of an LSTM's forget
    gate at 1, Jozefowicz et al. 2015).
    """

    def __init__(
        self,
        inputs: int | None,
        hidden_size: int,
        cell: str = "lstm",
        *,
        rng: np.random.Generator | int | None = None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        if cell not in CELLS:
            raise OptionError(f"cell = {cell!r} is unknown; choose from {', '.join(CELLS)}")
        self.cell: Cell = CELLS[cell]()
        self.hidden_size = hidden_size
        self.dtype = np.dtype(dtype)
        generator = np.random.default_rng(rng)
        columns = self.cell.gates * hidden_size

        def uniform(rows: int) -> Array:
            reach = hidden_size**-0.5
            return generator.uniform(-reach, reach, (rows, columns)).astype(dtype)

        self.input_weights = None if inputs is None else Parameter(uniform(inputs), is_weight=True)
        self.recurrent_weights = Parameter(uniform(hidden_size), is_weight=True)
        self.biases = Parameter(np.zeros(columns, dtype))
        if cell == "lstm":
            self.biases.value[hidden_size : 2 * hidden_size] = 1
        self.extra = self.cell.extra_parameters(hidden_size, dtype)
        self._steps: Steps | None = None

    @property
    def parameters(self) -> dict[str, Parameter]:
        """By name."""
        inputs = {} if self.input_weights is None else {"input_weights": self.input_weights}
        return {**inputs, "recurrent_weights": self.recurrent_weights, "biases": self.biases, **self.extra}

    def zero_state(self, batch: int) -> Array:
        """The state before anything was read, (states, batch, hidden_size)."""
        return np.zeros((self.cell.states, batch, self.hidden_size), self.dtype)

    def forward(self, x: Array, state: Array, begins: NDArray[np.bool_] | None = None) -> tuple[Array, Array, Backward]:
        """Hidden states (steps, batch, hidden_size), the last state, and the way back.

        ``begins`` (steps, batch): where a stream starts from nothing. The way back takes the gradient by the hidden
        states, adds to those of the parameters and gives that by the inputs; nothing goes back to ``state``, which
        truncates backpropagation to these steps. The arrays given are reused by the next call.
        """
        steps = self._room(len(x), x.shape[1])
        width = self.hidden_size
        if self.input_weights is None:
            steps.sums[:] = x
        else:
            rows = np.ascontiguousarray(x).reshape(-1, x.shape[2])
            set_product_of_rows(steps.sums.reshape(-1, steps.sums.shape[2]), rows, self.input_weights.value)
        steps.sums += self.biases.value
        steps.states[0] = state
        for step in range(len(x)):
            previous = steps.previous[step]
            previous[:] = steps.states[step]
            if begins is not None and begins[step].any():
                previous[:, begins[step]] = 0
            np.dot(previous[0], self.recurrent_weights.value, out=steps.products[step])
            self.cell.forward(steps, step, self.extra)
        hidden = steps.states[1:, 0]

        def backward(d_hidden: Array) -> Array:
            d_states = self.zero_state(x.shape[1])
            through = np.empty((x.shape[1], width), self.dtype)
            back_weights = np.ascontiguousarray(self.recurrent_weights.value.T)
            errors = steps.products if self.cell.splits_products else steps.sums
            for step in reversed(range(len(x))):
                d_states[0] += d_hidden[step]
                self.cell.backward(steps, step, d_states, self.extra)
                d_states[0] += np.dot(errors[step], back_weights, out=through)
                if begins is not None and begins[step].any():
                    d_states[:, begins[step]] = 0
            return self._finish(x, steps, errors)

        return hidden, steps.states[-1].copy(), backward

    def _finish(self, x: Array, steps: Steps, errors: Array) -> Array:
        """Gradients of the parameters, all steps at once, and of the inputs."""
        d_sums = steps.sums.reshape(-1, steps.sums.shape[2])
        previous = np.ascontiguousarray(steps.previous[:, 0]).reshape(-1, self.hidden_size)
        self.recurrent_weights.add_product(previous, errors.reshape(d_sums.shape))
        self.biases.add(d_sums.sum(axis=0))
        if self.input_weights is None:
            return steps.sums
        self.input_weights.add_product(np.ascontiguousarray(x).reshape(len(d_sums), -1), d_sums)
        d_inputs = np.empty(x.shape, self.dtype)
        set_product_transposed(d_inputs.reshape(len(d_sums), -1), d_sums, self.input_weights.value)
        return d_inputs

    def _room(self, steps: int, batch: int) -> Steps:
        """Arrays for so many steps; those of the last call if they fit."""
        if self._steps is None or self._steps.sums.shape[:2] != (steps, batch):
            self._steps = Steps(self.cell, steps, batch, self.hidden_size, self.dtype)
        return self._steps

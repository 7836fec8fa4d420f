"""A recurrent layer: steps of a cell in a row, and the way back through them (backpropagation through time).

Streams do not bear on one another: each thread of a crew has a part of the batch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from windrow.errors import OptionError
from windrow.nn.parameters import Array, Parameter
from windrow.nn.recurrent.cells import CELLS
from windrow.nn.recurrent.kernels import Factor, Steps, Way
from windrow.numeric.blas import add_product, set_product
from windrow.numeric.products import LEAST_ROWS, PANEL, panels_of
from windrow.numeric.threads import share

Backward = Callable[[Array], Array]

_LEAST_STREAMS = LEAST_ROWS  # a thread
_LEAST_STEPS = 4


class _Part(NamedTuple):
    """Some streams of a batch."""

    streams: slice
    x: Array  # (steps * streams, inputs), or the sums (steps * streams, gates * hidden_size)
    begins: NDArray[np.bool_]  # (steps, streams)
    steps: Steps
    gradients: dict[str, Array]  # by the parameters, as far as these streams go


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
        self.cell = CELLS[cell]
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
        self.extra = None if self.cell.extra is None else Parameter(np.zeros(hidden_size, dtype))
        self._rooms: dict[int, Steps] = {}  # by the first stream of a part: arrays of the last call

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_rooms": {}}  # of no worth to a copy

    @property
    def parameters(self) -> dict[str, Parameter]:
        """By name."""
        named = {"recurrent_weights": self.recurrent_weights, "biases": self.biases}
        if self.input_weights is not None:
            named = {"input_weights": self.input_weights, **named}
        if self.cell.extra is not None and self.extra is not None:
            named[self.cell.extra[0]] = self.extra
        return named

    def zero_state(self, batch: int) -> Array:
        """The state before anything was read, (states, batch, hidden_size)."""
        return np.zeros((self.cell.states, batch, self.hidden_size), self.dtype)

    def forward(self, x: Array, state: Array, begins: NDArray[np.bool_] | None = None) -> tuple[Array, Array, Backward]:
        """Hidden states (steps, batch, hidden_size), the last state, and the way back.

        ``begins`` (steps, batch): where a stream starts from nothing. The way back takes the gradient by the hidden
        states, adds to those of the parameters and gives that by the inputs; nothing goes back to ``state``, which
        truncates backpropagation to these steps. It must be taken before the next call.
        """
        if begins is None:
            begins = np.zeros(x.shape[:2], np.bool_)
        weights = _factor(self.recurrent_weights.value, begins)
        parts = share(
            x.shape[1],
            lambda first, last: self._go(self._part(x, begins, slice(first, last)), state, weights),
            _LEAST_STREAMS,
        )

        def backward(d_hidden: Array) -> Array:
            weights = _factor(np.ascontiguousarray(self.recurrent_weights.value.T), begins)
            d_inputs = share(
                len(parts), lambda first, last: [self._go_back(part, d_hidden, weights) for part in parts[first:last]]
            )
            for part in parts[1:]:
                for name, parameter in self.parameters.items():
                    parameter.add(part.gradients[name])
            return np.concatenate([array for arrays in d_inputs for array in arrays], axis=1)

        hidden = np.concatenate([part.steps.states[1:, 0] for part in parts], axis=1)
        return hidden, np.concatenate([part.steps.states[-1] for part in parts], axis=1), backward

    def _part(self, x: Array, begins: NDArray[np.bool_], streams: slice) -> _Part:
        begins = np.ascontiguousarray(begins[:, streams])
        steps = self._rooms.get(streams.start)
        if steps is None or steps.sums.shape[:2] != begins.shape:
            steps = self.cell.room(len(begins), begins.shape[1], self.hidden_size, self.dtype)
            self._rooms[streams.start] = steps
        rows = np.ascontiguousarray(x[:, streams]).reshape(begins.size, -1)
        steps = steps if self.extra is None else steps._replace(extra=self.extra.value)
        return _Part(streams, rows, begins, steps, {})

    def _go(self, part: _Part, state: Array, weights: Factor) -> _Part:
        sums = part.steps.sums.reshape(len(part.x), -1)
        if self.input_weights is None:
            sums[:] = part.x
        else:
            set_product(sums, part.x, self.input_weights.value)
        sums += self.biases.value
        part.steps.states[0] = state[:, part.streams]
        self.cell.forward(part.steps, part.begins, _with_room(weights, part.begins))
        return part

    def _go_back(self, part: _Part, d_hidden: Array, weights: Factor) -> Array:
        """The gradients by the inputs (steps, streams, inputs); those by the parameters go to the part."""
        steps, streams = part.steps, part.begins.shape[1]
        errors = steps.products if self.cell.splits_products else steps.sums
        d_states = self.zero_state(streams)
        own = np.ascontiguousarray(d_hidden[:, part.streams])
        way = Way(part.begins, own, d_states, np.empty_like(d_states[0]), errors)
        self.cell.backward(steps, way, _with_room(weights, part.begins))
        self._add_gradients(part, errors)
        if self.input_weights is None:
            return steps.sums
        d_inputs = np.empty_like(part.x)
        set_product(d_inputs, steps.sums.reshape(len(part.x), -1), self.input_weights.value.T)
        return d_inputs.reshape(*part.begins.shape, -1)

    def _add_gradients(self, part: _Part, errors: Array) -> None:
        """All steps at once; those of the first part straight to the parameters."""
        for name, parameter in self.parameters.items():
            is_first = part.streams.start == 0
            part.gradients[name] = parameter.gradient if is_first else np.zeros_like(parameter.value)
        previous = np.ascontiguousarray(part.steps.previous[:, 0]).reshape(len(part.x), -1)
        d_sums, d_products = (array.reshape(len(part.x), -1) for array in (part.steps.sums, errors))
        add_product(part.gradients["recurrent_weights"], previous.T, d_products)
        part.gradients["biases"] += d_sums.sum(axis=0)
        if self.input_weights is not None:
            add_product(part.gradients["input_weights"], part.x.T, d_sums)
        if self.cell.extra is not None:
            name, gate = self.cell.extra
            first = gate * self.hidden_size
            part.gradients[name] += d_products[:, first : first + self.hidden_size].sum(axis=0)


def _factor(matrix: Array, begins: NDArray[np.bool_]) -> Factor:
    """A matrix for so many products: panels pay where rows of several streams are multiplied many times."""
    steps, streams = begins.shape
    pays = steps >= _LEAST_STEPS and streams >= LEAST_ROWS
    panels = panels_of(matrix if pays else matrix[:, :0])
    return Factor(matrix, panels, np.empty((0, 0), matrix.dtype))


def _with_room(factor: Factor, begins: NDArray[np.bool_]) -> Factor:
    return factor._replace(room=np.empty((begins.shape[1], PANEL * len(factor.panels)), factor.matrix.dtype))

"""A recurrent layer: consecutive steps of a cell, and the backward pass through them (backpropagation through time).

Streams do not bear on one another: each thread of a crew has a part of the batch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from windrow.errors import OptionError
from windrow.nn.parameters import Array, Parameter
from windrow.nn.recurrent.cells import CELLS
from windrow.nn.recurrent.kernels import Gradients, Multiplier, Steps
from windrow.numeric.blas import add_product, set_product
from windrow.numeric.products import LEAST_ROWS, PANEL, panels_of
from windrow.numeric.threads import Scratch, share

Backward = Callable[[Array], Array]

_LEAST_STREAMS = LEAST_ROWS  # per thread
_LEAST_STEPS = 4


class _Part(NamedTuple):
    """Some streams of a batch, which one thread has."""

    streams: slice
    x: Array  # (steps * streams, inputs), or the sums (steps * streams, gates * hidden_size)
    begins: NDArray[np.bool_]  # (steps, streams)
    steps: Steps


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
        self._scratch = Scratch()  # by the first stream of a part: arrays of the last call

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
        """Hidden states (steps, batch, hidden_size), the last state, and the backward pass.

        ``begins`` (steps, batch): where a stream starts from zero. The backward pass takes the gradient with respect to
        the hidden states, adds to those of the parameters and gives that with respect to the inputs; nothing goes back
        to ``state``, which truncates backpropagation to these steps. Call it before the next ``forward`` of its thread.
        """
        if begins is None:
            begins = np.zeros(x.shape[:2], np.bool_)
        weights = _multiplier(self.recurrent_weights.value, begins)
        kept = self._scratch.kept  # the crew works for this thread

        def run(first: int, last: int) -> _Part:
            return self._run(self._part(x, begins, slice(first, last), kept), state, weights)

        parts = _share_streams(x.shape[1], run)

        def backward(d_hidden: Array) -> Array:
            weights = _multiplier(np.ascontiguousarray(self.recurrent_weights.value.T), begins)
            if len(parts) == 1:
                return self._run_backward(parts[0], d_hidden, weights)[0]
            runs = share(
                len(parts),
                lambda first, last: [self._run_backward(part, d_hidden, weights) for part in parts[first:last]],
            )
            passed = [one for run in runs for one in run]
            for _, gradients in passed[1:]:
                for name, parameter in self.parameters.items():
                    parameter.add(gradients[name])
            return np.concatenate([d_inputs for d_inputs, _ in passed], axis=1)

        if len(parts) == 1:
            steps = parts[0].steps
            return steps.states[1:, 0].copy(), steps.states[-1].copy(), backward
        hidden = np.concatenate([part.steps.states[1:, 0] for part in parts], axis=1)
        return hidden, np.concatenate([part.steps.states[-1] for part in parts], axis=1), backward

    def _part(self, x: Array, begins: NDArray[np.bool_], streams: slice, kept: dict[int, Steps]) -> _Part:
        begins = np.ascontiguousarray(begins[:, streams])
        steps = kept.get(streams.start)
        if steps is None or steps.sums.shape[:2] != begins.shape:
            steps = self.cell.new_steps(len(begins), begins.shape[1], self.hidden_size, self.dtype)
            kept[streams.start] = steps
        rows = np.ascontiguousarray(x[:, streams]).reshape(begins.size, -1)
        steps = steps if self.extra is None else steps._replace(extra=self.extra.value)
        return _Part(streams, rows, begins, steps)

    def _run(self, part: _Part, state: Array, weights: Multiplier) -> _Part:
        sums, factor = part.steps.sums.reshape(len(part.x), -1), _with_scratch(weights, part.begins)
        if self.input_weights is None:
            sums[:] = part.x
        else:
            set_product(sums, part.x, self.input_weights.value)
        sums += self.biases.value
        part.steps.states[0] = state[:, part.streams]
        self.cell.forward(part.steps, part.begins, factor)
        return part

    def _run_backward(self, part: _Part, d_hidden: Array, weights: Multiplier) -> tuple[Array, dict[str, Array]]:
        """The gradient with respect to the inputs (steps, streams, inputs), and what ``_add_gradients`` gives."""
        steps = part.steps  # from here on ``sums`` hold gates, and after the cell's backward pass gradients of sums
        d_products = steps.products if self.cell.splits_products else steps.sums
        d_states = self.zero_state(part.begins.shape[1])
        own = np.ascontiguousarray(d_hidden[:, part.streams])
        arrays = Gradients(part.begins, own, d_states, np.empty_like(d_states[0]), d_products)
        self.cell.backward(steps, arrays, _with_scratch(weights, part.begins))
        gradients = self._add_gradients(part, d_products.reshape(len(part.x), -1))
        if self.input_weights is None:
            return steps.sums, gradients
        d_inputs = np.empty_like(part.x)
        set_product(d_inputs, steps.sums.reshape(len(part.x), -1), self.input_weights.value.T)
        return d_inputs.reshape(*part.begins.shape, -1), gradients

    def _add_gradients(self, part: _Part, d_products: Array) -> dict[str, Array]:
        """Add those of the parameters, of all steps at once, to theirs, or to zeros for all parts but the first."""
        is_first = part.streams.start == 0
        gradients = {
            name: parameter.gradient if is_first else np.zeros_like(parameter.value)
            for name, parameter in self.parameters.items()
        }
        previous = np.ascontiguousarray(part.steps.previous[:, 0]).reshape(len(part.x), -1)
        d_sums = part.steps.sums.reshape(len(part.x), -1)
        add_product(gradients["recurrent_weights"], previous.T, d_products)
        gradients["biases"] += d_sums.sum(axis=0)
        if self.input_weights is not None:
            add_product(gradients["input_weights"], part.x.T, d_sums)
        if self.cell.extra is not None:
            name, gate = self.cell.extra
            first = gate * self.hidden_size
            gradients[name] += d_products[:, first : first + self.hidden_size].sum(axis=0)
        return gradients


def _share_streams(streams: int, run: Callable[[int, int], _Part]) -> list[_Part]:
    """The parts of a batch, one per thread."""
    return [run(0, streams)] if streams < 2 * _LEAST_STREAMS else share(streams, run, _LEAST_STREAMS)


def _multiplier(matrix: Array, begins: NDArray[np.bool_]) -> Multiplier:
    """A matrix for many products: panels pay where rows of several streams are multiplied many times."""
    steps, streams = begins.shape
    pays = steps >= _LEAST_STEPS and streams >= LEAST_ROWS
    panels = panels_of(matrix) if pays else np.empty((0, len(matrix), PANEL), matrix.dtype)
    return Multiplier(matrix, panels, np.empty((0, 0), matrix.dtype))


def _with_scratch(factor: Multiplier, begins: NDArray[np.bool_]) -> Multiplier:
    return factor._replace(scratch=np.empty((begins.shape[1], PANEL * len(factor.panels)), factor.matrix.dtype))

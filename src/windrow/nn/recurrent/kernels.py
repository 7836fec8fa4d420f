"""Recurrent cells: what one step computes, and the loops through many steps, forward and backward in time.

A cell is a pair of kernels. With h' the hidden state before the step, W and U the input and recurrent weights:

    forward(steps, step)             sums = W x + b (made outside, for all steps at once), products = U h'
                                     -> gates (in place of the sums), states after the step
    backward(steps, step, d_states)  gradient with respect to the states after the step
                                     -> gradients with respect to the sums (in place of the gates) and, where they
                                        differ, the products; d_states becomes the gradient with respect to the states
                                        before the step, but for what flows through the products, which the loop adds
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.numeric.jit import kernel
from windrow.numeric.products import multiply_panels
from windrow.numeric.simd import LANES, add, load, logistic, store, tanh

Array = NDArray[Any]


class Steps(NamedTuple):
    """The arrays of consecutive steps of a batch of streams, where a cell leaves what its backward pass needs."""

    sums: Array  # (steps, batch, gates * hidden): W x + b, then the gates, then the gradients of the sums
    products: Array  # the same shape: U h'
    states: Array  # (steps + 1, states, batch, hidden): before the first step and after each; the hidden one first
    previous: Array  # (steps, states, batch, hidden): the states before each step, zero where a stream begins
    squashed: Array  # (steps, batch, hidden): tanh of the memory of an LSTM; (steps, 0, hidden) for other cells
    extra: Array  # flat: parameters besides weights and biases
    zeros: Array  # (batch * gates * hidden,)


class Multiplier(NamedTuple):
    """The matrix (inner, columns) that hidden states, or gradients on their way back, are multiplied by."""

    matrix: Array
    panels: Array  # ``panels_of`` it, or none where they would not pay
    scratch: Array  # (batch, 32 * panels)


class Gradients(NamedTuple):
    """What the loop backward needs besides the steps."""

    begins: NDArray[np.bool_]  # (steps, batch)
    d_hidden: Array  # (steps, batch, hidden): with respect to the hidden states, as the layer above gives it
    d_states: Array  # (states, batch, hidden) zero
    d_previous: Array  # (batch, hidden) scratch
    d_products: Array  # where the gradients of the products are: ``products`` or ``sums`` of the steps


# --- many steps


@kernel(inline=True, allocates=True)
def run_forward(
    steps: Steps, begins: NDArray[np.bool_], weights: Multiplier, forward: Callable[[Steps, int], None]
) -> None:
    """All steps; ``begins`` (steps, batch): where a stream starts from zero; weights (hidden, gates * hidden)."""
    for step in range(begins.shape[0]):
        steps.previous[step] = steps.states[step]
        for stream in range(begins.shape[1]):
            if begins[step, stream]:
                steps.previous[step, :, stream] = 0
        _multiply(steps.previous[step, 0], weights, steps.products[step])
        forward(steps, step)


@kernel(inline=True, allocates=True)
def run_backward(
    steps: Steps, gradients: Gradients, weights: Multiplier, backward: Callable[[Steps, int, Array], None]
) -> None:
    """All steps, the last one first; the sums become their gradients; weights (gates * hidden, hidden)."""
    begins, d_states = gradients.begins, gradients.d_states
    for back in range(begins.shape[0]):
        step = begins.shape[0] - 1 - back
        d_states[0] += gradients.d_hidden[step]
        backward(steps, step, d_states)
        _multiply(gradients.d_products[step], weights, gradients.d_previous)
        d_states[0] += gradients.d_previous
        for stream in range(begins.shape[1]):
            if begins[step, stream]:
                d_states[:, stream] = 0


@kernel(allocates=True)
def _multiply(x: Array, factor: Multiplier, target: Array) -> None:
    """``target = x @ factor.matrix``."""
    if len(factor.panels) == 0:
        np.dot(x, factor.matrix, target)
    else:
        multiply_panels(x.ravel(), factor.panels.ravel(), len(x), len(factor.panels), factor.scratch.ravel())
        target[:] = factor.scratch[:, : target.shape[1]]


# --- what cells share


class Columns(NamedTuple):
    """``size`` columns from ``first`` on of an array (rows, width) that is given flat."""

    rows: int
    width: int
    first: int
    size: int


@kernel
def add_logistic(sums: Array, addend: Array, columns: Columns) -> None:
    """``sums = 1 / (1 + exp(-(sums + addend)))`` in some columns."""
    for row in range(columns.rows):
        start = row * columns.width + columns.first
        whole = start + columns.size // LANES * LANES
        for i in range(start, whole, LANES):
            store(sums, i, logistic(add(load(sums, i), load(addend, i))))
        for i in range(whole, start + columns.size):
            sums[i] = 1 / (1 + np.exp(-(sums[i] + addend[i])))


@kernel
def add_tanh(sums: Array, addend: Array, columns: Columns) -> None:
    """``sums = tanh(sums + addend)`` in some columns."""
    for row in range(columns.rows):
        start = row * columns.width + columns.first
        whole = start + columns.size // LANES * LANES
        for i in range(start, whole, LANES):
            store(sums, i, tanh(add(load(sums, i), load(addend, i))))
        for i in range(whole, start + columns.size):
            sums[i] = np.tanh(sums[i] + addend[i])


# --- Elman's cell: h = f(sums), f one of three functions


@kernel(allocates=True)
def logistic_forward(steps: Steps, step: int) -> None:
    """h = logistic(sums)."""
    sums, products = steps.sums[step].ravel(), steps.products[step].ravel()
    add_logistic(sums, products, Columns(1, sums.size, 0, sums.size))
    steps.states[step + 1, 0] = steps.sums[step]


@kernel(allocates=True)
def logistic_backward(steps: Steps, step: int, d_states: Array) -> None:
    """The derivative of the logistic function is h (1 - h)."""
    gates, d_hidden = steps.sums[step].ravel(), d_states[0].ravel()
    for i in range(gates.size):
        gates[i] = d_hidden[i] * gates[i] * (1 - gates[i])
        d_hidden[i] = 0


@kernel(allocates=True)
def tanh_forward(steps: Steps, step: int) -> None:
    """h = tanh(sums)."""
    sums, products = steps.sums[step].ravel(), steps.products[step].ravel()
    add_tanh(sums, products, Columns(1, sums.size, 0, sums.size))
    steps.states[step + 1, 0] = steps.sums[step]


@kernel(allocates=True)
def tanh_backward(steps: Steps, step: int, d_states: Array) -> None:
    """The derivative of tanh is 1 - h**2."""
    gates, d_hidden = steps.sums[step].ravel(), d_states[0].ravel()
    for i in range(gates.size):
        gates[i] = d_hidden[i] * (1 - gates[i] * gates[i])
        d_hidden[i] = 0


@kernel(allocates=True)
def relu_forward(steps: Steps, step: int) -> None:
    """h = max(0, sums)."""
    sums, products = steps.sums[step].ravel(), steps.products[step].ravel()
    for i in range(sums.size):
        sums[i] = max(sums[i] + products[i], sums.dtype.type(0))
    steps.states[step + 1, 0] = steps.sums[step]


@kernel(allocates=True)
def relu_backward(steps: Steps, step: int, d_states: Array) -> None:
    """The derivative of max(0, x) is 1 where x > 0."""
    gates, d_hidden = steps.sums[step].ravel(), d_states[0].ravel()
    for i in range(gates.size):
        gates[i] = d_hidden[i] if gates[i] > 0 else gates.dtype.type(0)
        d_hidden[i] = 0


# --- gated cells


@kernel(allocates=True)
def lstm_forward(steps: Steps, step: int) -> None:
    """Gates i, f, o (logistic) and g (tanh): c = f c' + i g; h = o tanh(c); tanh(c) is kept for the backward pass."""
    width = steps.states.shape[3]
    sums, products, squashed = steps.sums[step].ravel(), steps.products[step].ravel(), steps.squashed[step].ravel()
    hidden, cell = steps.states[step + 1, 0].ravel(), steps.states[step + 1, 1].ravel()
    previous_cell, rows = steps.previous[step, 1].ravel(), hidden.size // width
    add_logistic(sums, products, Columns(rows, 4 * width, 0, 3 * width))
    add_tanh(sums, products, Columns(rows, 4 * width, 3 * width, width))
    for row in range(rows):
        gates, at = 4 * width * row, width * row
        for k in range(width):
            remembered = sums[gates + width + k] * previous_cell[at + k]
            cell[at + k] = remembered + sums[gates + k] * sums[gates + 3 * width + k]
            squashed[at + k] = 0
    add_tanh(squashed, cell, Columns(rows, width, 0, width))
    for row in range(rows):
        gates, at = 4 * width * row, width * row
        for k in range(width):
            hidden[at + k] = sums[gates + 2 * width + k] * squashed[at + k]


@kernel(allocates=True)
def lstm_backward(steps: Steps, step: int, d_states: Array) -> None:
    """The gradient with respect to c is the sum of what comes from the step after and from h.

    Each gate is read into a name of its own before its gradient, with respect to its sum, is written over it.
    """
    width = steps.states.shape[3]
    gates, squashed = steps.sums[step].ravel(), steps.squashed[step].ravel()
    previous_cell = steps.previous[step, 1].ravel()
    d_hidden, d_cell = d_states[0].ravel(), d_states[1].ravel()
    for row in range(d_hidden.size // width):
        first, at = 4 * width * row, width * row
        for k in range(width):
            i, f = gates[first + k], gates[first + width + k]
            o, g = gates[first + 2 * width + k], gates[first + 3 * width + k]
            dh, tanh_c = d_hidden[at + k], squashed[at + k]
            dc = d_cell[at + k] + dh * o * (1 - tanh_c * tanh_c)
            gates[first + k] = dc * g * i * (1 - i)
            gates[first + width + k] = dc * previous_cell[at + k] * f * (1 - f)
            gates[first + 2 * width + k] = dh * tanh_c * o * (1 - o)
            gates[first + 3 * width + k] = dc * i * (1 - g * g)
            d_cell[at + k] = dc * f
            d_hidden[at + k] = 0


@kernel(allocates=True)
def gru_forward(steps: Steps, step: int) -> None:
    """Gates r, z (logistic), n = tanh(x + r (U h' + b)); h = (1 - z) n + z h'.

    The products of n become U h' + b, for the backward pass; b is ``extra``.
    """
    width = steps.states.shape[3]
    sums, products = steps.sums[step].ravel(), steps.products[step].ravel()
    hidden, previous = steps.states[step + 1, 0].ravel(), steps.previous[step, 0].ravel()
    rows = hidden.size // width
    add_logistic(sums, products, Columns(rows, 3 * width, 0, 2 * width))
    for row in range(rows):
        gates = 3 * width * row
        n = gates + 2 * width
        for k in range(width):
            products[n + k] += steps.extra[k]
            sums[n + k] += sums[gates + k] * products[n + k]
    add_tanh(sums, steps.zeros, Columns(rows, 3 * width, 2 * width, width))
    for row in range(rows):
        gates, at = 3 * width * row, width * row
        for k in range(width):
            z = sums[gates + width + k]
            hidden[at + k] = (1 - z) * sums[gates + 2 * width + k] + z * previous[at + k]


@kernel(allocates=True)
def gru_backward(steps: Steps, step: int, d_states: Array) -> None:
    """Products become the gradients of U h' (+ b); ``d_states`` what goes straight to h', without U."""
    width = steps.states.shape[3]
    gates, products = steps.sums[step].ravel(), steps.products[step].ravel()
    d_hidden, previous = d_states[0].ravel(), steps.previous[step, 0].ravel()
    for row in range(d_hidden.size // width):
        first, at = 3 * width * row, width * row
        for k in range(width):
            r, z, n = gates[first + k], gates[first + width + k], gates[first + 2 * width + k]
            dh = d_hidden[at + k]
            dn = dh * (1 - z) * (1 - n * n)
            dr = dn * products[first + 2 * width + k] * r * (1 - r)
            dz = dh * (previous[at + k] - n) * z * (1 - z)
            gates[first + k] = products[first + k] = dr
            gates[first + width + k] = products[first + width + k] = dz
            gates[first + 2 * width + k] = dn
            products[first + 2 * width + k] = dn * r
            d_hidden[at + k] = dh * z


# --- each cell with its loops, which Numba keeps on disk because no function object is passed to them at run time


@kernel(allocates=True)
def tanh_run_forward(steps: Steps, begins: NDArray[np.bool_], weights: Multiplier) -> None:
    """See ``run_forward``."""
    run_forward(steps, begins, weights, tanh_forward)


@kernel(allocates=True)
def tanh_run_backward(steps: Steps, gradients: Gradients, weights: Multiplier) -> None:
    """See ``run_backward``."""
    run_backward(steps, gradients, weights, tanh_backward)


@kernel(allocates=True)
def logistic_run_forward(steps: Steps, begins: NDArray[np.bool_], weights: Multiplier) -> None:
    """See ``run_forward``."""
    run_forward(steps, begins, weights, logistic_forward)


@kernel(allocates=True)
def logistic_run_backward(steps: Steps, gradients: Gradients, weights: Multiplier) -> None:
    """See ``run_backward``."""
    run_backward(steps, gradients, weights, logistic_backward)


@kernel(allocates=True)
def relu_run_forward(steps: Steps, begins: NDArray[np.bool_], weights: Multiplier) -> None:
    """See ``run_forward``."""
    run_forward(steps, begins, weights, relu_forward)


@kernel(allocates=True)
def relu_run_backward(steps: Steps, gradients: Gradients, weights: Multiplier) -> None:
    """See ``run_backward``."""
    run_backward(steps, gradients, weights, relu_backward)


@kernel(allocates=True)
def lstm_run_forward(steps: Steps, begins: NDArray[np.bool_], weights: Multiplier) -> None:
    """See ``run_forward``."""
    run_forward(steps, begins, weights, lstm_forward)


@kernel(allocates=True)
def lstm_run_backward(steps: Steps, gradients: Gradients, weights: Multiplier) -> None:
    """See ``run_backward``."""
    run_backward(steps, gradients, weights, lstm_backward)


@kernel(allocates=True)
def gru_run_forward(steps: Steps, begins: NDArray[np.bool_], weights: Multiplier) -> None:
    """See ``run_forward``."""
    run_forward(steps, begins, weights, gru_forward)


@kernel(allocates=True)
def gru_run_backward(steps: Steps, gradients: Gradients, weights: Multiplier) -> None:
    """See ``run_backward``."""
    run_backward(steps, gradients, weights, gru_backward)

"""Recurrent cells: what a step does with the sums of its gates, and the way through many steps and back.

A cell is a pair ``forward(steps, step)``, from sums, products and previous states to the gates and the states after the
step, and ``backward(steps, step, d_states)``: the gates become the gradients of their sums, and the products those of
the products where they differ. ``d_states`` (states, batch, hidden) comes in as the gradient by the states after the
step and goes out as what of it goes to those before other than through the products. The products of all steps but the
recurrent ones are made outside.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.numeric.jit import kernel
from windrow.numeric.products import multiply_panels
from windrow.numeric.simd import LANES, add, broadcast, load, logistic, multiply, multiply_add, store

Array = NDArray[Any]


class Steps(NamedTuple):
    """The arrays of ``steps`` steps in a row of a batch of streams, where a cell leaves what it needs to go back."""

    sums: Array  # (steps, batch, gates * hidden): what inputs and biases give, then the gates, then their gradients
    products: Array  # the same shape: what the hidden state gives to the sums
    states: Array  # (steps + 1, states, batch, hidden): before the first step and after each; the hidden one first
    previous: Array  # (steps, states, batch, hidden): what a step started from, zero where it began anew
    kept: Array  # (steps, batch, hidden); (steps, 0, hidden) where the cell keeps nothing besides
    extra: Array  # flat: parameters besides weights and biases
    zeros: Array  # (batch * gates * hidden,)


class Factor(NamedTuple):
    """The matrix (inner, columns) by which hidden states, or gradients on their way back, are multiplied."""

    matrix: Array
    panels: Array  # ``panels_of`` it, or none where they would not pay
    room: Array  # (batch, 32 * panels)


class Way(NamedTuple):
    """What the way back needs besides the steps."""

    begins: NDArray[np.bool_]  # (steps, batch)
    d_hidden: Array  # (steps, batch, hidden): the gradient by the hidden states
    d_states: Array  # (states, batch, hidden) zero
    through: Array  # (batch, hidden) scratch
    errors: Array  # the gradients of the products: ``products`` or ``sums`` of the steps


# --- many steps


@kernel(inline=True, allocates=True)
def go(steps: Steps, begins: NDArray[np.bool_], weights: Factor, forward: Callable[[Steps, int], None]) -> None:
    """All steps; ``begins`` (steps, batch): where a stream starts from nothing; weights (hidden, gates * hidden)."""
    for step in range(begins.shape[0]):
        steps.previous[step] = steps.states[step]
        for stream in range(begins.shape[1]):
            if begins[step, stream]:
                steps.previous[step, :, stream] = 0
        _multiply(steps.previous[step, 0], weights, steps.products[step])
        forward(steps, step)


@kernel(inline=True, allocates=True)
def go_back(steps: Steps, way: Way, weights: Factor, backward: Callable[[Steps, int, Array], None]) -> None:
    """All steps back, so that the sums become their gradients; weights (gates * hidden, hidden)."""
    for back in range(way.begins.shape[0]):
        step = way.begins.shape[0] - 1 - back
        way.d_states[0] += way.d_hidden[step]
        backward(steps, step, way.d_states)
        _multiply(way.errors[step], weights, way.through)
        way.d_states[0] += way.through
        for stream in range(way.begins.shape[1]):
            if way.begins[step, stream]:
                way.d_states[:, stream] = 0


@kernel(allocates=True)
def _multiply(x: Array, factor: Factor, target: Array) -> None:
    """``target = x @ factor.matrix``."""
    if len(factor.panels) == 0:
        np.dot(x, factor.matrix, target)
    else:
        multiply_panels(x.ravel(), factor.panels.ravel(), len(x), len(factor.panels), factor.room.ravel())
        target[:] = factor.room[:, : target.shape[1]]


# --- what cells share


@kernel
def add_logistic(sums: Array, addend: Array, start: int, size: int) -> None:
    """``sums = 1 / (1 + exp(-(sums + addend)))`` from ``start`` on."""
    whole = start + size // LANES * LANES
    for i in range(start, whole, LANES):
        store(sums, i, logistic(add(load(sums, i), load(addend, i))))
    for i in range(whole, start + size):
        sums[i] = 1 / (1 + np.exp(-(sums[i] + addend[i])))


@kernel
def add_tanh(sums: Array, addend: Array, start: int, size: int) -> None:
    """``sums = tanh(sums + addend)`` from ``start`` on, as 2 / (1 + exp(-2 x)) - 1."""
    two, minus_one = broadcast(sums.dtype.type(2)), broadcast(sums.dtype.type(-1))
    whole = start + size // LANES * LANES
    for i in range(start, whole, LANES):
        x = add(load(sums, i), load(addend, i))
        store(sums, i, multiply_add(two, logistic(multiply(two, x)), minus_one))
    for i in range(whole, start + size):
        sums[i] = np.tanh(sums[i] + addend[i])


# --- Elman's cell: h = f(sums), f one of three functions


@kernel(allocates=True)
def logistic_forward(steps: Steps, step: int) -> None:
    """h = logistic(sums)."""
    sums, products = steps.sums[step].ravel(), steps.products[step].ravel()
    add_logistic(sums, products, 0, sums.size)
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
    add_tanh(sums, products, 0, sums.size)
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
    """Gates i, f, o (logistic) and g (tanh): c = f c' + i g; h = o tanh(c); tanh(c) is kept for the way back."""
    width = steps.states.shape[3]
    sums, products, squashed = steps.sums[step].ravel(), steps.products[step].ravel(), steps.kept[step].ravel()
    hidden, cell = steps.states[step + 1, 0].ravel(), steps.states[step + 1, 1].ravel()
    previous_cell = steps.previous[step, 1].ravel()
    for row in range(hidden.size // width):
        gates, at = 4 * width * row, width * row
        add_logistic(sums, products, gates, 3 * width)
        add_tanh(sums, products, gates + 3 * width, width)
        for k in range(width):
            remembered = sums[gates + width + k] * previous_cell[at + k]
            cell[at + k] = remembered + sums[gates + k] * sums[gates + 3 * width + k]
            squashed[at + k] = 0
        add_tanh(squashed, cell, at, width)
        for k in range(width):
            hidden[at + k] = sums[gates + 2 * width + k] * squashed[at + k]


@kernel(allocates=True)
def lstm_backward(steps: Steps, step: int, d_states: Array) -> None:
    """The gradient by c collects what comes from the step after and from h."""
    width = steps.states.shape[3]
    gates, squashed, previous_cell = steps.sums[step].ravel(), steps.kept[step].ravel(), steps.previous[step, 1].ravel()
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

    The products of n become U h' + b, for the way back; b is ``extra``.
    """
    width = steps.states.shape[3]
    sums, products = steps.sums[step].ravel(), steps.products[step].ravel()
    hidden, previous = steps.states[step + 1, 0].ravel(), steps.previous[step, 0].ravel()
    for row in range(hidden.size // width):
        gates, at = 3 * width * row, width * row
        n = gates + 2 * width
        add_logistic(sums, products, gates, 2 * width)
        for k in range(width):
            products[n + k] += steps.extra[k]
            sums[n + k] += sums[gates + k] * products[n + k]
        add_tanh(sums, steps.zeros, n, width)
        for k in range(width):
            z = sums[gates + width + k]
            hidden[at + k] = (1 - z) * sums[n + k] + z * previous[at + k]


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
def tanh_go(steps: Steps, begins: NDArray[np.bool_], weights: Factor) -> None:
    """See ``go``."""
    go(steps, begins, weights, tanh_forward)


@kernel(allocates=True)
def tanh_go_back(steps: Steps, way: Way, weights: Factor) -> None:
    """See ``go_back``."""
    go_back(steps, way, weights, tanh_backward)


@kernel(allocates=True)
def logistic_go(steps: Steps, begins: NDArray[np.bool_], weights: Factor) -> None:
    """See ``go``."""
    go(steps, begins, weights, logistic_forward)


@kernel(allocates=True)
def logistic_go_back(steps: Steps, way: Way, weights: Factor) -> None:
    """See ``go_back``."""
    go_back(steps, way, weights, logistic_backward)


@kernel(allocates=True)
def relu_go(steps: Steps, begins: NDArray[np.bool_], weights: Factor) -> None:
    """See ``go``."""
    go(steps, begins, weights, relu_forward)


@kernel(allocates=True)
def relu_go_back(steps: Steps, way: Way, weights: Factor) -> None:
    """See ``go_back``."""
    go_back(steps, way, weights, relu_backward)


@kernel(allocates=True)
def lstm_go(steps: Steps, begins: NDArray[np.bool_], weights: Factor) -> None:
    """See ``go``."""
    go(steps, begins, weights, lstm_forward)


@kernel(allocates=True)
def lstm_go_back(steps: Steps, way: Way, weights: Factor) -> None:
    """See ``go_back``."""
    go_back(steps, way, weights, lstm_backward)


@kernel(allocates=True)
def gru_go(steps: Steps, begins: NDArray[np.bool_], weights: Factor) -> None:
    """See ``go``."""
    go(steps, begins, weights, gru_forward)


@kernel(allocates=True)
def gru_go_back(steps: Steps, way: Way, weights: Factor) -> None:
    """See ``go_back``."""
    go_back(steps, way, weights, gru_backward)

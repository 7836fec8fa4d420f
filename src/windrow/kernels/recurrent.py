"""One step of a recurrent cell for a batch, element by element; the matrix products are made outside.

``sums`` (batch * gates * hidden,) come in as what the input and the biases give and go out as the activated gates;
``recurrent`` is what the hidden state of the step before gives to them. Going back, the gates become the gradients of
their sums. Arrays are flat and distinct; states are (batch * hidden,).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.kernels._jit import kernel
from windrow.kernels.simd import LANES, add, broadcast, load, logistic, multiply, multiply_add, store

Flat = NDArray[Any]


@kernel
def add_logistic(sums: Flat, addend: Flat, start: int, size: int) -> None:
    """``sums = 1 / (1 + exp(-(sums + addend)))`` from ``start`` on."""
    whole = start + size // LANES * LANES
    for i in range(start, whole, LANES):
        store(sums, i, logistic(add(load(sums, i), load(addend, i))))
    for i in range(whole, start + size):
        sums[i] = 1 / (1 + np.exp(-(sums[i] + addend[i])))


@kernel
def add_tanh(sums: Flat, addend: Flat, start: int, size: int) -> None:
    """``sums = tanh(sums + addend)`` from ``start`` on, as 2 / (1 + exp(-2 x)) - 1."""
    two, minus_one = broadcast(sums.dtype.type(2)), broadcast(sums.dtype.type(-1))
    whole = start + size // LANES * LANES
    for i in range(start, whole, LANES):
        x = add(load(sums, i), load(addend, i))
        store(sums, i, multiply_add(two, logistic(multiply(two, x)), minus_one))
    for i in range(whole, start + size):
        sums[i] = np.tanh(sums[i] + addend[i])


@kernel
def logistic_forward(sums: Flat, recurrent: Flat, hidden: Flat) -> None:
    """Elman's cell: h = logistic(sums)."""
    add_logistic(sums, recurrent, 0, sums.size)
    for i in range(hidden.size):
        hidden[i] = sums[i]


@kernel
def logistic_backward(gates: Flat, d_hidden: Flat) -> None:
    """The derivative of the logistic function is h (1 - h)."""
    for i in range(gates.size):
        gates[i] = d_hidden[i] * gates[i] * (1 - gates[i])


@kernel
def tanh_forward(sums: Flat, recurrent: Flat, hidden: Flat) -> None:
    """Elman's cell: h = tanh(sums)."""
    add_tanh(sums, recurrent, 0, sums.size)
    for i in range(hidden.size):
        hidden[i] = sums[i]


@kernel
def tanh_backward(gates: Flat, d_hidden: Flat) -> None:
    """The derivative of tanh is 1 - h**2."""
    for i in range(gates.size):
        gates[i] = d_hidden[i] * (1 - gates[i] * gates[i])


@kernel
def relu_forward(sums: Flat, recurrent: Flat, hidden: Flat) -> None:
    """Elman's cell: h = max(0, sums)."""
    for i in range(sums.size):
        x = sums[i] + recurrent[i]
        sums[i] = max(x, sums.dtype.type(0))
        hidden[i] = sums[i]


@kernel
def relu_backward(gates: Flat, d_hidden: Flat) -> None:
    """The derivative of max(0, x) is 1 where x > 0."""
    for i in range(gates.size):
        gates[i] = d_hidden[i] if gates[i] > 0 else gates.dtype.type(0)


@kernel
def lstm_forward(
    sums: Flat, recurrent: Flat, width: int, previous_cell: Flat, cell: Flat, squashed: Flat, hidden: Flat
) -> None:
    """Gates i, f, o (logistic) and g (tanh): c = f c' + i g; h = o tanh(c). ``squashed``: tanh(c), for the way back."""
    for row in range(hidden.size // width):
        gates, at = 4 * width * row, width * row
        add_logistic(sums, recurrent, gates, 3 * width)
        add_tanh(sums, recurrent, gates + 3 * width, width)
        for k in range(width):
            kept = sums[gates + width + k] * previous_cell[at + k]
            cell[at + k] = kept + sums[gates + k] * sums[gates + 3 * width + k]
            squashed[at + k] = 0
        add_tanh(squashed, cell, at, width)
        for k in range(width):
            hidden[at + k] = sums[gates + 2 * width + k] * squashed[at + k]


@kernel
def lstm_backward(gates: Flat, width: int, previous_cell: Flat, squashed: Flat, d_hidden: Flat, d_cell: Flat) -> None:
    """``d_cell``: the gradient by c from the step after, then that by c' for the step before."""
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


@kernel
def gru_forward(
    sums: Flat, recurrent: Flat, width: int, candidate_biases: Flat, previous: Flat, zeros: Flat, hidden: Flat
) -> None:
    """Gates r, z (logistic), n = tanh(x + r (U h' + b)); h = (1 - z) n + z h'.

    ``recurrent`` of n goes out as U h' + b, for the way back; ``zeros``: as long as ``recurrent``.
    """
    for row in range(hidden.size // width):
        gates, at = 3 * width * row, width * row
        n = gates + 2 * width
        add_logistic(sums, recurrent, gates, 2 * width)
        for k in range(width):
            recurrent[n + k] += candidate_biases[k]
            sums[n + k] += sums[gates + k] * recurrent[n + k]
        add_tanh(sums, zeros, n, width)
        for k in range(width):
            z = sums[gates + width + k]
            hidden[at + k] = (1 - z) * sums[n + k] + z * previous[at + k]


@kernel
def gru_backward(gates: Flat, recurrent: Flat, width: int, previous: Flat, d_hidden: Flat) -> None:
    """``recurrent`` becomes the gradient of U h' (+ b); ``d_hidden`` what goes straight to h', without U."""
    for row in range(d_hidden.size // width):
        first, at = 3 * width * row, width * row
        for k in range(width):
            r, z, n = gates[first + k], gates[first + width + k], gates[first + 2 * width + k]
            dh = d_hidden[at + k]
            dn = dh * (1 - z) * (1 - n * n)
            dr = dn * recurrent[first + 2 * width + k] * r * (1 - r)
            dz = dh * (previous[at + k] - n) * z * (1 - z)
            gates[first + k] = recurrent[first + k] = dr
            gates[first + width + k] = recurrent[first + width + k] = dz
            gates[first + 2 * width + k] = dn
            recurrent[first + 2 * width + k] = dn * r
            d_hidden[at + k] = dh * z

"""How weights start. Every initializer draws (inputs, outputs) normal numbers and differs in their spread."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from windrow.errors import OptionError
from windrow.machine import check_memory

# inputs, outputs -> standard deviation of the weights
SPREADS: dict[str, Callable[[int, int], float]] = {
    # Sums of many inputs are large, sigmoids saturate, learning is slow: kept to show just that.
    "normal": lambda inputs, outputs: 1.0,
    # A sum of n_in terms keeps the size of one (LeCun et al. 1998, "Efficient BackProp", 4.6).
    "scaled": lambda inputs, outputs: 1 / sqrt(inputs),
    # A compromise between keeping sums forward and gradients backward (Glorot & Bengio 2010, eq. 12).
    "glorot": lambda inputs, outputs: sqrt(2 / (inputs + outputs)),
    # ReLU silences half of its inputs; twice the variance makes up for it (He et al. 2015, eq. 10).
    "he": lambda inputs, outputs: sqrt(2 / inputs),
}


def initial_weights(name: str, inputs: int, outputs: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Normal random weights, (inputs, outputs), of the spread that a name of SPREADS stands for.

    Parameters
    ----------
    name : {"normal", "scaled", "glorot", "he"}
        The spread: 1, 1 / sqrt(inputs), sqrt(2 / (inputs + outputs)), sqrt(2 / inputs).
    inputs, outputs : int
        Numbers that each output sums, and outputs.
    rng : Generator
        Draws the weights.

    Raises
    ------
    OptionError
        For an unknown name, and for more weights than memory has room for.
    """
    if name not in SPREADS:
        raise OptionError(f"initializer = {name!r} is not one of {', '.join(SPREADS)}")
    check_memory(8 * inputs * outputs, f"{inputs:,} x {outputs:,} weights", "make the layer smaller")
    return rng.normal(0, SPREADS[name](inputs, outputs), (inputs, outputs))

"""Random number generators with an explicit state: an array of one uint64, changed in place."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.numeric.jit import kernel

State = NDArray[np.uint64]  # (1,)

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_LCG_FACTOR = np.uint64(25214903917)
_LCG_INCREMENT = np.uint64(11)
_LCG_MASK = np.uint64(2**48 - 1)
_S16, _S27, _S30, _S31, _S32 = np.uint64(16), np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(32)


@kernel
def split_mix(state: State) -> Any:
    """The next 64 random bits: SplitMix64 (Steele, Lea & Flood 2014)."""
    state[0] += _GOLDEN
    bits = state[0]
    bits = (bits ^ (bits >> _S30)) * _MIX_1
    bits = (bits ^ (bits >> _S27)) * _MIX_2
    return bits ^ (bits >> _S31)


@kernel
def linear_congruential(state: State) -> Any:
    """The next 32 random bits of word2vec's 48-bit generator, as gensim uses it: the value before the step."""
    bits = state[0] >> _S16
    state[0] = (state[0] * _LCG_FACTOR + _LCG_INCREMENT) & _LCG_MASK
    return bits


@kernel
def fill_split_mix(state: State, draws: NDArray[np.uint32]) -> None:
    """Fill ``draws`` with uniform 32-bit integers from SplitMix64."""
    for i in range(draws.size):
        draws[i] = split_mix(state) >> _S32


@kernel
def fill_linear_congruential(state: State, draws: NDArray[np.uint32]) -> None:
    """Fill ``draws`` with uniform 32-bit integers from word2vec's generator."""
    for i in range(draws.size):
        draws[i] = linear_congruential(state)

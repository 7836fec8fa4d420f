"""The noise of negative sampling: counts to a power, for words 0.75 (Mikolov et al. 2013), for classes 0.5."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def noise_probabilities(counts: NDArray[np.int64], exponent: float) -> NDArray[np.float64]:
    """``counts ** exponent``, normalized; shape (words,)."""
    weights = noise_weights(counts, exponent)
    probabilities: NDArray[np.float64] = weights / weights.sum()
    return probabilities


def noise_weights(counts: NDArray[np.int64], exponent: float) -> NDArray[np.float64]:
    """``counts ** exponent``; a word that does not occur weighs nothing, whatever the exponent."""
    weights: NDArray[np.float64] = np.maximum(counts, 1).astype(np.float64) ** exponent
    return np.where(counts > 0, weights, 0.0)

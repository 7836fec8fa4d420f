"""Weights of a linear mixture by the EM algorithm."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from windrow.errors import DataError

Floats = NDArray[np.float64]

_MOST_STEPS = 1000
_LEAST_GAIN = 1e-9  # in log10 probability per token; below it EM stops


def em_weights(
    log10_probs: Floats, weights: Floats, report: Callable[[float], object] = lambda done: None
) -> tuple[Floats, list[float]]:
    """Fit the weights of a linear mixture by the EM algorithm (Dempster, Laird & Rubin 1977).

    Each step computes w_i <- mean over tokens of w_i p_i / (sum over j of w_j p_j).

    Parameters
    ----------
    log10_probs : array of float64, shape (models, tokens)
        The log10 probability that each model gives each token. Tokens that are impossible in all of them are left out.
    weights : array of float64, shape (models,)
        Where to start; a weight of 0 stays 0.
    report : callable
        Called before each step with how many there were, as a share of the most that are made.

    Returns
    -------
    weights : array of float64, shape (models,)
    history : list of float
        The mean log10 probability per token before each step, and at the end.

    Raises
    ------
    DataError
        All tokens are impossible.
    """
    best = log10_probs.max(axis=0, initial=-np.inf, where=weights[:, None] > 0)
    possible = best > -np.inf
    if not possible.any():
        raise DataError("no token of the held-out text has a probability above 0 under any model")
    best = best[possible]
    relative = 10 ** (log10_probs[:, possible] - best)  # to that of the best model, so that nothing underflows
    gains: list[float] = []
    for step in range(_MOST_STEPS):
        report(step / _MOST_STEPS)
        shares = weights[:, None] * relative  # (models, tokens)
        totals = shares.sum(axis=0)
        gains.append(float((best + np.log10(totals)).mean()))
        if len(gains) > 1 and gains[-1] - gains[-2] < _LEAST_GAIN:
            break
        weights = (shares / totals).mean(axis=1)
    return weights, gains

"""Do the probabilities after each context sum to 1? Files of other programs may say otherwise; they can be made to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from windrow.lm.ngram.backing_off import (
    NOTHING,
    Float64s,
    backed_off,
    contexts_of,
    masses_after_contexts,
    no_suffixes,
    own_suffixes,
    powers,
    with_new_backoffs,
)
from windrow.lm.ngram.levels import BackoffModel, Level
from windrow.lm.symbols import BOS


def sums_of_contexts(model: BackoffModel) -> Float64s:
    """The sums of the probabilities of all words, one after each context, in any order; not of stupid back-off."""
    predicted = np.ones(len(model.vocabulary), np.bool_)
    predicted[BOS] = False
    return np.concatenate(masses_after_contexts(model.levels, predicted))


def normalized(model: BackoffModel) -> BackoffModel:
    """The model with probabilities that sum to 1 after every context.

    Back-off weights are computed again. Probabilities stay where that is enough; those stored after a context are
    divided by their sum where it is above 1, or where nothing is left to back off to. So are those without context.
    The model must not be one of stupid back-off.
    """
    levels: list[Level] = []
    suffixes = no_suffixes()
    for given in model.levels:
        level = _without_start(given)
        of_contexts, suffixes = suffixes, own_suffixes(levels, level, suffixes)
        if not levels:
            levels.append(_divided(level, np.ones(1, np.bool_)))
            continue
        contexts, size = contexts_of(level.starts), levels[-1].words.size
        lower = backed_off(levels, contexts, of_contexts, suffixes)
        lower_left = 1 - np.bincount(contexts, powers(lower), size)
        level = _divided(level, lower_left <= NOTHING)
        levels[-1] = with_new_backoffs(levels[-1], level, lower, np.ones(size, np.bool_))
        levels.append(level)
    return BackoffModel(model.vocabulary, levels)


def _without_start(level: Level) -> Level:
    """The level without probabilities of <s>, which is never predicted."""
    if not (starting := level.words == BOS).any():
        return level
    return level._replace(log10_probs=np.where(starting, -np.inf, level.log10_probs).astype(level.log10_probs.dtype))


def _divided(level: Level, whole: NDArray[np.bool_]) -> Level:
    """Probabilities divided by their sum after each context where that is above 1, or where it is to be 1: ``whole``.

    They stay where they sum to 0.
    """
    contexts = contexts_of(level.starts)
    sums = np.bincount(contexts, powers(level.log10_probs), level.starts.size - 1)
    changes = (sums > 1) | (whole & (sums > 0))
    logs = np.where(changes, np.log10(np.where(changes, sums, 1)), 0)
    return level._replace(log10_probs=(level.log10_probs - logs[contexts]).astype(level.log10_probs.dtype))

"""Entropy pruning: leave out the n-grams whose removal changes a back-off model least.

Source: Stolcke, "Entropy-based pruning of backoff language models" (1998).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from windrow.errors import OptionError, check_range
from windrow.lm.ngram.backing_off import (
    Float64s,
    Suffixes,
    backed_off,
    contexts_of,
    no_suffixes,
    own_suffixes,
    powers,
    with_new_backoffs,
)
from windrow.lm.ngram.estimation import kept_starts
from windrow.lm.ngram.levels import BackoffModel, Level
from windrow.lm.symbols import BOS, EOS


def entropy_prune(model: BackoffModel, threshold: float) -> BackoffModel:
    """Leave out the n-grams whose removal, each by itself, would raise the perplexity by less than ``threshold``.

    Perplexity is that of the model on itself, and the threshold is relative: 1e-7 means by a factor of 1 + 1e-7. An
    n-gram is kept if a longer one that is kept begins with it. Probabilities stay; back-off weights are computed again
    where something has changed, so that every distribution sums to 1 as before. Contexts are weighted by their
    probability in the model, and ``<s>`` by that of ``</s>``.
    Raises OptionError for stupid back-off, whose scores have no entropy, and for a threshold below 0.
    """
    check_range("threshold", threshold, 0)
    if model.unseen_backoff != 0:
        raise OptionError("entropy pruning needs probabilities that sum to one, which stupid back-off does not have")
    lowers = _lower_log10_probs(model.levels)
    all_kept = _kept(model.levels, lowers, threshold)
    levels = [_compacted(model.levels[0], all_kept[0], np.ones(1, np.bool_))]
    suffixes = [own_suffixes([], levels[0], no_suffixes())]
    for k in range(2, model.order + 1):
        kept, contexts = all_kept[k - 1], all_kept[k - 2]
        level = _compacted(model.levels[k - 1], kept, contexts)
        suffixes.append(own_suffixes(levels, level, suffixes[-1]))
        lower = _lower(levels, level, suffixes[-2], suffixes[-1])
        changed = np.diff(level.starts) != np.diff(model.levels[k - 1].starts)[contexts]
        changed[contexts_of(level.starts)[lower != lowers[k - 1][kept]]] = True
        levels[-1] = with_new_backoffs(levels[-1], level, lower, changed)
        levels.append(level)
    return BackoffModel(model.vocabulary, levels, model.unseen_backoff)


# --- probabilities after the shorter context


def _lower(levels: list[Level], level: Level, of_contexts: Suffixes, suffixes: Suffixes) -> Float64s:
    """log10 p(w | h') of each n-gram (h w), where h' is h without its first word; by backing off."""
    return backed_off(levels, contexts_of(level.starts), of_contexts, suffixes)


def _lower_log10_probs(levels: list[Level]) -> list[Float64s]:
    """``_lower`` of every level; an empty array for the first."""
    lowers = [np.empty(0)]
    suffixes = own_suffixes([], levels[0], no_suffixes())
    for k in range(2, len(levels) + 1):
        of_contexts, suffixes = suffixes, own_suffixes(levels[: k - 1], levels[k - 1], suffixes)
        lowers.append(_lower(levels[: k - 1], levels[k - 1], of_contexts, suffixes))
    return lowers


# --- which n-grams are kept


def _kept(levels: list[Level], lowers: list[Float64s], threshold: float) -> list[NDArray[np.bool_]]:
    """Which n-grams of each order are kept, decided from the highest order down; all unigrams are."""
    log10_marginals = _log10_marginals(levels)
    all_kept: list[NDArray[np.bool_]] = []
    is_context = np.zeros(levels[-1].words.size, np.bool_)
    for k in range(len(levels), 1, -1):
        level, below = levels[k - 1], levels[k - 2]
        kept = is_context | (_perplexity_changes(level, below, lowers[k - 1], log10_marginals[k - 2]) >= threshold)
        all_kept.insert(0, kept)
        is_context = np.zeros(below.words.size, np.bool_)
        is_context[contexts_of(level.starts)[kept]] = True
    return [np.ones(levels[0].words.size, np.bool_), *all_kept]


def _log10_marginals(levels: list[Level]) -> list[Float64s]:
    """log10 of the probability of each whole n-gram, the product of those of its words; below the highest order."""
    marginals = [levels[0].log10_probs.astype(np.float64)]
    marginals[0][BOS] = marginals[0][EOS] if np.isfinite(marginals[0][EOS]) else 0
    for level in levels[1:-1]:
        marginals.append(marginals[-1][contexts_of(level.starts)] + level.log10_probs)
    return marginals


def _perplexity_changes(level: Level, below: Level, lower: Float64s, log10_marginals: Float64s) -> Float64s:
    """The relative rise of the perplexity without each n-gram, exp(D(p || p')) - 1 (section 3)."""
    assert below.log10_backoffs is not None
    contexts = contexts_of(level.starts)
    p, q = powers(level.log10_probs), powers(lower)
    alpha = powers(below.log10_backoffs)
    unseen_lower = np.maximum(1 - np.bincount(contexts, q, below.words.size), 0)
    unseen = alpha * unseen_lower
    with np.errstate(divide="ignore", invalid="ignore"):
        new_alpha = (unseen[contexts] + p) / (unseen_lower[contexts] + q)
        loss_of_seen = np.where(p > 0, p * np.log(p / (q * new_alpha)), 0)
        loss_of_unseen = np.where(unseen[contexts] > 0, unseen[contexts] * np.log(alpha[contexts] / new_alpha), 0)
    changes: Float64s = np.expm1(powers(log10_marginals)[contexts] * (loss_of_seen + loss_of_unseen))
    return changes


# --- the model without the others


def _compacted(level: Level, kept: NDArray[np.bool_], contexts: NDArray[np.bool_]) -> Level:
    return Level(
        kept_starts(level.starts, kept, contexts),
        level.words[kept],
        level.log10_probs[kept],
        None if level.log10_backoffs is None else level.log10_backoffs[kept],
    )

"""Entropy pruning: leave out the n-grams whose removal changes a back-off model least.

Source: Stolcke, "Entropy-based pruning of backoff language models" (1998).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.errors import OptionError, check_range
from windrow.lm.ngram.estimation import kept_starts
from windrow.lm.ngram.kernels.bisect import find_children
from windrow.lm.ngram.levels import BackoffModel, Int32s, Level
from windrow.lm.symbols import BOS, EOS

Float64s = NDArray[np.float64]
Suffixes = list[Int32s]  # [m]: the place of each n-gram's last m words among the m-grams, -1 if not stored


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
    suffixes = [_unigram_suffixes(levels[0])]
    for k in range(2, model.order + 1):
        kept, contexts = all_kept[k - 1], all_kept[k - 2]
        level = _compacted(model.levels[k - 1], kept, contexts)
        suffixes.append(_suffixes(levels, level, suffixes[-1]))
        lower = _lower(levels, level, suffixes[-2], suffixes[-1])
        changed = np.diff(level.starts) != np.diff(model.levels[k - 1].starts)[contexts]
        changed[_contexts(level)[lower != lowers[k - 1][kept]]] = True
        levels[-1] = _with_new_backoffs(levels[-1], level, lower, changed)
        levels.append(level)
    return BackoffModel(model.vocabulary, levels, model.unseen_backoff)


# --- probabilities after the shorter context


def _contexts(level: Level) -> NDArray[np.intp]:
    """The place of the context of each n-gram, (n,)."""
    return np.repeat(np.arange(level.starts.size - 1), np.diff(level.starts))


def _unigram_suffixes(level: Level) -> Suffixes:
    return [np.zeros(level.words.size, np.int32), level.words]


def _suffixes(levels: list[Level], level: Level, of_contexts: Suffixes) -> Suffixes:
    """The suffixes of the n-grams of ``level``, from the levels below and the suffixes of their contexts."""
    contexts = _contexts(level)
    found = [np.zeros(level.words.size, np.int32)]
    for below, suffixes in zip(levels, of_contexts, strict=False):
        places = np.empty(level.words.size, np.int32)
        find_children(below.starts, below.words, suffixes[contexts], level.words, places)
        found.append(places)
    return [*found, np.arange(level.words.size, dtype=np.int32)]


def _lower(levels: list[Level], level: Level, of_contexts: Suffixes, suffixes: Suffixes) -> Float64s:
    """log10 p(w | h') of each n-gram (h w), where h' is h without its first word; by backing off."""
    contexts = _contexts(level)
    log10_probs = np.zeros(level.words.size)
    missing = np.ones(level.words.size, np.bool_)
    for length in range(len(levels), 0, -1):
        places = suffixes[length]
        found = missing & (places >= 0)
        log10_probs[found] += levels[length - 1].log10_probs[places[found]]
        missing &= ~found
        if not missing.any():  # at the latest at the unigrams, which are all stored
            break
        context_places = of_contexts[length - 1][contexts[missing]]
        backoffs = levels[length - 2].log10_backoffs
        assert backoffs is not None
        log10_probs[missing] += np.where(context_places >= 0, backoffs[context_places], 0)
    return log10_probs


def _lower_log10_probs(levels: list[Level]) -> list[Float64s]:
    """``_lower`` of every level; an empty array for the first."""
    lowers = [np.empty(0)]
    suffixes = _unigram_suffixes(levels[0])
    for k in range(2, len(levels) + 1):
        of_contexts, suffixes = suffixes, _suffixes(levels[: k - 1], levels[k - 1], suffixes)
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
        is_context[_contexts(level)[kept]] = True
    return [np.ones(levels[0].words.size, np.bool_), *all_kept]


def _log10_marginals(levels: list[Level]) -> list[Float64s]:
    """log10 of the probability of each whole n-gram, the product of those of its words; below the highest order."""
    marginals = [levels[0].log10_probs.astype(np.float64)]
    marginals[0][BOS] = marginals[0][EOS] if np.isfinite(marginals[0][EOS]) else 0
    for level in levels[1:-1]:
        marginals.append(marginals[-1][_contexts(level)] + level.log10_probs)
    return marginals


def _perplexity_changes(level: Level, below: Level, lower: Float64s, log10_marginals: Float64s) -> Float64s:
    """The relative rise of the perplexity without each n-gram, exp(D(p || p')) - 1 (section 3)."""
    assert below.log10_backoffs is not None
    contexts = _contexts(level)
    p, q = _power(level.log10_probs), _power(lower)
    alpha = _power(below.log10_backoffs)
    unseen_lower = np.maximum(1 - np.bincount(contexts, q, below.words.size), 0)
    unseen = alpha * unseen_lower
    with np.errstate(divide="ignore", invalid="ignore"):
        new_alpha = (unseen[contexts] + p) / (unseen_lower[contexts] + q)
        loss_of_seen = np.where(p > 0, p * np.log(p / (q * new_alpha)), 0)
        loss_of_unseen = np.where(unseen[contexts] > 0, unseen[contexts] * np.log(alpha[contexts] / new_alpha), 0)
    changes: Float64s = np.expm1(_power(log10_marginals)[contexts] * (loss_of_seen + loss_of_unseen))
    return changes


def _power(log10_values: NDArray[Any]) -> Float64s:
    powers: Float64s = 10.0 ** log10_values.astype(np.float64)
    return powers


# --- the model without the others


def _compacted(level: Level, kept: NDArray[np.bool_], contexts: NDArray[np.bool_]) -> Level:
    return Level(
        kept_starts(level.starts, kept, contexts),
        level.words[kept],
        level.log10_probs[kept],
        None if level.log10_backoffs is None else level.log10_backoffs[kept],
    )


def _with_new_backoffs(below: Level, level: Level, lower: Float64s, changed: NDArray[np.bool_]) -> Level:
    """Back-offs of changed contexts: (1 - sum of p(w | h)) / (1 - sum of p(w | h')), over the w stored after h."""
    assert below.log10_backoffs is not None
    contexts, size = _contexts(level), below.words.size
    left = np.maximum(1 - np.bincount(contexts, _power(level.log10_probs), size), 0)
    lower_left = 1 - np.bincount(contexts, _power(lower), size)
    with np.errstate(divide="ignore", invalid="ignore"):
        # Where every word is stored, the back-off is never used.
        backoffs = np.where(lower_left > 1e-12, np.log10(left / lower_left), 0)
    kept = below.log10_backoffs
    return below._replace(log10_backoffs=np.where(changed, backoffs, kept).astype(kept.dtype))

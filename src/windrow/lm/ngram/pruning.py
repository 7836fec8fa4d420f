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

_HIGHEST = 1e308  # threshold


def entropy_prune(model: BackoffModel, threshold: float) -> BackoffModel:
    """Leave out the n-grams whose removal, each by itself, would raise the perplexity by less than ``threshold``.

    Perplexity is that of the model on itself, and the threshold is relative: 1e-7 means by a factor of 1 + 1e-7. An
    n-gram is kept if a longer one that is kept begins with it. Probabilities stay; back-off weights are computed again
    where something has changed, so that every distribution sums to 1 as before. Contexts are weighted by their
    probability in the model, and ``<s>`` by that of ``</s>``.
    Raises OptionError for stupid back-off, whose scores have no entropy, and for a threshold below 0.
    """
    check_range("threshold", threshold, 0)
    return EntropyPruning(model).at(threshold)


def of_lower_order(model: BackoffModel, order: int) -> BackoffModel:
    """The model without n-grams of more words; its probabilities after shorter contexts stay as they are."""
    levels = model.levels[:order]
    levels[-1] = levels[-1]._replace(log10_backoffs=None)
    return BackoffModel(model.vocabulary, levels, model.unseen_backoff)


class EntropyPruning:
    """A model with what each n-gram is worth, so that it can be pruned by several thresholds, or to a size.

    Raises OptionError for stupid back-off, whose scores have no entropy.
    """

    def __init__(self, model: BackoffModel) -> None:
        if model.unseen_backoff != 0:
            raise OptionError("entropy pruning needs probabilities that sum to 1, which stupid back-off does not have")
        self._model = model
        self._lowers = _lower_log10_probs(model.levels)
        self._needed = _needed(model.levels, self._lowers)
        self._falling = np.sort(np.concatenate([np.empty(0), *self._needed]))[::-1]

    @property
    def most_ngrams(self) -> int:
        """How many n-grams there are before pruning, words included."""
        return sum(self._model.sizes)

    @property
    def least_ngrams(self) -> int:
        """How many n-grams no threshold leaves out: the words."""
        return self._model.sizes[0]

    def threshold_for(self, ngrams: int) -> float:
        """The lowest threshold that leaves at most so many n-grams, words included; at least ``least_ngrams``.

        N-grams that are worth the same go together.
        """
        longer = ngrams - self.least_ngrams
        if longer >= self._falling.size:
            return 0.0
        # What is worth as much as the first one too many goes, too.
        return float(np.nextafter(self._falling[longer], np.inf))

    def at(self, threshold: float) -> BackoffModel:
        """The model pruned by a threshold, see ``entropy_prune``."""
        model = self._model
        all_kept = [np.ones(model.sizes[0], np.bool_), *(needed >= threshold for needed in self._needed)]
        levels = [_compacted(model.levels[0], all_kept[0], np.ones(1, np.bool_))]
        suffixes = [own_suffixes([], levels[0], no_suffixes())]
        for k in range(2, model.order + 1):
            kept, contexts = all_kept[k - 1], all_kept[k - 2]
            level = _compacted(model.levels[k - 1], kept, contexts)
            suffixes.append(own_suffixes(levels, level, suffixes[-1]))
            lower = _lower(levels, level, suffixes[-2], suffixes[-1])
            changed = np.diff(level.starts) != np.diff(model.levels[k - 1].starts)[contexts]
            changed[contexts_of(level.starts)[lower != self._lowers[k - 1][kept]]] = True
            levels[-1] = with_new_backoffs(levels[-1], level, lower, changed)
            levels.append(level)
        return BackoffModel(model.vocabulary, levels)


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


def _needed(levels: list[Level], lowers: list[Float64s]) -> list[Float64s]:
    """For each n-gram from order 2 up, the threshold up to which it is kept: by itself, or as a context of others."""
    log10_marginals = _log10_marginals(levels)
    needed: list[Float64s] = []
    as_context = np.zeros(levels[-1].words.size)
    for k in range(len(levels), 1, -1):
        level, below = levels[k - 1], levels[k - 2]
        changes = _perplexity_changes(level, below, lowers[k - 1], log10_marginals[k - 2])
        needed.insert(0, np.maximum(as_context, changes))
        as_context = np.zeros(below.words.size)
        np.maximum.at(as_context, contexts_of(level.starts), needed[0])
    return needed


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
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        new_alpha = (unseen[contexts] + p) / (unseen_lower[contexts] + q)
        loss_of_seen = np.where(p > 0, p * np.log(p / (q * new_alpha)), 0)
        loss_of_unseen = np.where(unseen[contexts] > 0, unseen[contexts] * np.log(alpha[contexts] / new_alpha), 0)
        changes: Float64s = np.expm1(powers(log10_marginals)[contexts] * (loss_of_seen + loss_of_unseen))
    # Without bound where nothing else gives the word a probability; never below 0, but for rounding.
    return np.clip(np.nan_to_num(changes, nan=_HIGHEST), 0, _HIGHEST)


# --- the model without the others


def _compacted(level: Level, kept: NDArray[np.bool_], contexts: NDArray[np.bool_]) -> Level:
    return Level(
        kept_starts(level.starts, kept, contexts),
        level.words[kept],
        level.log10_probs[kept],
        None if level.log10_backoffs is None else level.log10_backoffs[kept],
    )

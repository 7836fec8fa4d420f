"""Probabilities by backing off, of all n-grams of an order at once, and the back-off weights with which they sum to 1.

N-grams are looked up in the levels of a model, which may be another model than theirs: the suffixes of an n-gram are
found from those of its context, so that each costs one look-up per order.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.lm.ngram.kernels.bisect import find_children
from windrow.lm.ngram.levels import Int32s, Level

NOTHING = 1e-12  # Less of a probability is rounding.

Float64s = NDArray[np.float64]
Suffixes = list[Int32s]  # [m]: the place of each n-gram's last m words among the m-grams of a model, -1 if not stored


def no_suffixes() -> Suffixes:
    """Those of the empty context."""
    return [np.zeros(1, np.int32)]


def contexts_of(starts: Int32s) -> NDArray[np.intp]:
    """The place of the context of each n-gram, (n,)."""
    return np.repeat(np.arange(starts.size - 1), np.diff(starts))


def suffixes_of(levels: Sequence[Level], contexts: NDArray[np.intp], words: Int32s, of_contexts: Suffixes) -> Suffixes:
    """The suffixes of n-grams in a model, as long as it stores any, by their last words and those of their contexts."""
    found = [np.zeros(words.size, np.int32)]
    for level, suffixes in zip(levels, of_contexts, strict=False):
        places = np.empty(words.size, np.int32)
        find_children(level.starts, level.words, suffixes[contexts], words, places)
        found.append(places)
    return found


def own_suffixes(levels: Sequence[Level], level: Level, of_contexts: Suffixes) -> Suffixes:
    """Those of the n-grams of ``level`` in their own model, whose ``levels`` below it are given; themselves last."""
    shorter = suffixes_of(levels, contexts_of(level.starts), level.words, of_contexts)
    return [*shorter, np.arange(level.words.size, dtype=np.int32)]


def backed_off(
    levels: Sequence[Level], contexts: NDArray[np.intp], of_contexts: Suffixes, suffixes: Suffixes
) -> Float64s:
    """log10 p of the last word of each n-gram after at most ``len(levels) - 1`` words before it, (n,)."""
    log10_probs = np.zeros(contexts.size)
    missing = np.arange(contexts.size)
    for length in range(len(levels), 0, -1):
        places = suffixes[length][missing]
        found = places >= 0
        log10_probs[missing[found]] += levels[length - 1].log10_probs[places[found]]
        missing = missing[~found]
        if not missing.size:  # at the latest at the unigrams, which are all stored
            break
        context_places = of_contexts[length - 1][contexts[missing]]
        stored = context_places >= 0
        backoffs = levels[length - 2].log10_backoffs
        assert backoffs is not None
        log10_probs[missing[stored]] += backoffs[context_places[stored]]
    return log10_probs


def masses_after_contexts(levels: Sequence[Level], words: NDArray[np.bool_]) -> list[Float64s]:
    """The probability that one of some words is next, after each context: ``found[m]`` for those of m words.

    After h it is the sum of p(w | h) over those of the words that are stored after h, and backoff(h) times what the
    others have after h', which is h without its first word.

    Parameters
    ----------
    levels : sequence of Level
        Those of a model without ``unseen_backoff``.
    words : array of bool, shape (words,)
        Which words are meant.
    """
    found = [np.array([powers(levels[0].log10_probs)[words].sum()])]
    suffixes = own_suffixes([], levels[0], no_suffixes())
    for below, level in pairwise(levels):
        of_contexts, suffixes = suffixes, own_suffixes(levels[: len(found)], level, suffixes)
        contexts, size = contexts_of(level.starts), below.words.size
        lower = backed_off(levels[: len(found)], contexts, of_contexts, suffixes)
        meant = words[level.words]
        stored = np.bincount(contexts, powers(level.log10_probs) * meant, size)
        others = _of_shorter_contexts(found, of_contexts) - np.bincount(contexts, powers(lower) * meant, size)
        has_others = others > NOTHING
        assert below.log10_backoffs is not None
        found.append(stored + np.where(has_others, others, 0) * powers(np.where(has_others, below.log10_backoffs, 0)))
    return found


def _of_shorter_contexts(masses: Sequence[Float64s], of_contexts: Suffixes) -> Float64s:
    """The mass after the longest suffix of each context that is stored, without the context itself."""
    shorter = np.full(of_contexts[-1].size, masses[0][0])
    for length in range(1, len(masses)):
        places = of_contexts[length]
        is_stored = places >= 0
        shorter[is_stored] = masses[length][places[is_stored]]
    return shorter


def with_new_backoffs(below: Level, level: Level, lower: Float64s, changed: NDArray[np.bool_]) -> Level:
    """Back-offs of changed contexts: (1 - sum of p(w | h)) / (1 - sum of p(w | h')), over the w stored after h.

    ``lower``: log10 p(w | h') of the n-grams of ``level``, whose contexts are those of ``below``.
    """
    assert below.log10_backoffs is not None
    contexts, size = contexts_of(level.starts), below.words.size
    left = np.maximum(1 - np.bincount(contexts, powers(level.log10_probs), size), 0)
    lower_left = 1 - np.bincount(contexts, powers(lower), size)
    with np.errstate(divide="ignore", invalid="ignore"):
        # Where every word is stored, the back-off is never used.
        backoffs = np.where(lower_left > NOTHING, np.log10(left / lower_left), 0)
    kept = below.log10_backoffs
    return below._replace(log10_backoffs=np.where(changed, backoffs, kept).astype(kept.dtype))


def powers(log10_values: NDArray[Any]) -> Float64s:
    """10 to the power of each."""
    found: Float64s = 10.0 ** log10_values.astype(np.float64)
    return found

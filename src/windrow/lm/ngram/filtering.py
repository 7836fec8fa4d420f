"""A model of fewer words: those left out become ``<unk>``, which gets their probability.

Where a word w and the words before it, h, stay, p(w | h) stays, too. After h, ``<unk>`` has the probability of all
words left out and its own, so that distributions sum to 1 as before. Where such a word is stored after h, so is
``<unk>`` now; elsewhere backing off gives it just that, since what the words left out have after h is backoff(h) times
what they have after the shorter context.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from windrow.errors import OptionError
from windrow.lm.ngram.backing_off import Float64s, contexts_of, masses_after_contexts
from windrow.lm.ngram.estimation import kept_vocabulary
from windrow.lm.ngram.levels import BackoffModel, Int32s, Level, gram_keys
from windrow.lm.symbols import BOS, EOS, UNK


def filter_words(model: BackoffModel, kept: NDArray[np.bool_]) -> BackoffModel:
    """The model of the words that are kept, (words,) bool, and of ``<unk>``, ``<s>``, ``</s>``.

    Raises OptionError for stupid back-off.
    """
    if model.unseen_backoff != 0:
        raise OptionError(
            "the probability of words left out goes to <unk>, but the scores of stupid back-off are no probabilities; "
            "train a model of these words"
        )
    kept = kept.copy()
    kept[[UNK, BOS, EOS]] = True
    unknown = ~kept
    unknown[UNK] = True
    masses = masses_after_contexts(model.levels, unknown)
    new_ids = np.cumsum(kept, dtype=np.int32) - np.int32(1)
    levels: list[Level] = []
    contexts = np.zeros(1, np.int32)  # of the new n-grams of the order below: their places in the model, -1 for none
    for level, mass in zip(model.levels, masses, strict=True):
        new, contexts = _filtered(level, contexts, kept, new_ids, mass)
        levels.append(new)
    return BackoffModel(kept_vocabulary(model.vocabulary, kept), levels)


def _filtered(
    level: Level, contexts: Int32s, kept_words: NDArray[np.bool_], new_ids: Int32s, mass: Float64s
) -> tuple[Level, Int32s]:
    """The n-grams of an order that stay, with those of ``<unk>``; and the places that they had, -1 for new ones."""
    new_contexts = np.full(level.starts.size - 1, -1, np.int32)
    is_old = contexts >= 0
    new_contexts[contexts[is_old]] = np.flatnonzero(is_old)
    of_grams = new_contexts[contexts_of(level.starts)]
    stays = (of_grams >= 0) & kept_words[level.words]
    kept = np.flatnonzero(stays).astype(np.int32)
    lacking = np.unique(of_grams[(of_grams >= 0) & ~kept_words[level.words]])
    having = of_grams[kept[level.words[kept] == UNK]]
    added = np.setdiff1d(lacking, having).astype(np.int32)
    all_contexts = np.concatenate([of_grams[kept], added])
    all_words = np.concatenate([new_ids[level.words[kept]], np.full(added.size, UNK, np.int32)])
    keys = gram_keys(all_contexts, all_words)
    order = np.argsort(keys)
    keys, places = keys[order], np.concatenate([kept, np.full(added.size, -1, np.int32)])[order]
    words, of_new = keys.astype(np.int32), (keys >> 32).astype(np.int32)
    probs = level.log10_probs[places]
    with np.errstate(divide="ignore"):
        probs[words == UNK] = np.log10(mass[contexts[of_new[words == UNK]]])
    starts = np.searchsorted(of_new, np.arange(contexts.size + 1)).astype(np.int32)
    backoffs = None
    if level.log10_backoffs is not None:
        backoffs = np.where(places < 0, 0, level.log10_backoffs[places]).astype(level.log10_backoffs.dtype)
    return Level(starts, words, probs, backoffs), places

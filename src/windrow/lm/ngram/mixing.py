"""A linear mixture of back-off models as one back-off model (static interpolation).

Source: Stolcke, "SRILM, an extensible language modeling toolkit" (2002), section 3: the n-grams are those of all
models, the probability of each is the weighted sum of what the models give its last word after the others, and
back-off weights are computed again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import Vocabulary
from windrow.lm.ngram.backing_off import (
    Float64s,
    Suffixes,
    backed_off,
    contexts_of,
    no_suffixes,
    own_suffixes,
    powers,
    suffixes_of,
    with_new_backoffs,
)
from windrow.lm.ngram.levels import BackoffModel, Int32s, Level, gram_keys
from windrow.lm.symbols import BOS


class Part(NamedTuple):
    """One of the models of a mixture, and what the mixture's words are to it."""

    weight: float
    model: BackoffModel
    ids: Int32s  # (words of the mixture,): the id of each in the model; several words may share one
    shares: Float64s  # (words of the mixture,): how much of that id's probability the word has


class _NGrams(NamedTuple):
    """The n-grams of an order, as in ``Level``."""

    starts: Int32s
    words: Int32s


def mix(parts: Sequence[Part], vocabulary: Vocabulary) -> BackoffModel:
    """The mixture of models, each of which sums to 1, over a vocabulary that has all their words."""
    order = max(part.model.order for part in parts)
    levels: list[Level] = []
    own = no_suffixes()
    found = [no_suffixes() for _ in parts]  # of the n-grams of the mixture, in each model
    for k, ngrams in enumerate(_union(parts, vocabulary), 1):
        probs = np.zeros(ngrams.words.size)
        for number, part in enumerate(parts):
            part_probs, found[number] = _probs(part, k, ngrams, found[number])
            probs += part.weight * part_probs
        level = _level(ngrams, probs, has_backoffs=k < order)
        of_contexts, own = own, own_suffixes(levels, level, own)
        if levels:
            lower = backed_off(levels, contexts_of(level.starts), of_contexts, own)
            levels[-1] = with_new_backoffs(levels[-1], level, lower, np.ones(levels[-1].words.size, np.bool_))
        levels.append(level)
    return BackoffModel(vocabulary, levels)


def _union(parts: Sequence[Part], vocabulary: Vocabulary) -> Iterator[_NGrams]:
    """The n-grams of all models, order by order; every word of the vocabulary is one of order 1."""
    new_ids = [vocabulary.encode(part.model.vocabulary.words) for part in parts]
    below = [np.zeros(1, np.int32) for _ in parts]  # places in the union of each model's n-grams of the order below
    contexts = 1
    for k in range(1, max(part.model.order for part in parts) + 1):
        levels = [part.model.levels[k - 1] if k <= part.model.order else None for part in parts]
        keys = [
            np.empty(0, np.int64) if level is None else gram_keys(places[contexts_of(level.starts)], ids[level.words])
            for level, places, ids in zip(levels, below, new_ids, strict=True)
        ]
        union = np.unique(np.concatenate(keys))
        below = [np.searchsorted(union, own_keys).astype(np.int32) for own_keys in keys]
        starts = np.searchsorted(union, np.arange(contexts + 1, dtype=np.int64) << 32).astype(np.int32)
        contexts = union.size
        yield _NGrams(starts, union.astype(np.int32))  # the lower half of a key is the word


def _probs(part: Part, k: int, ngrams: _NGrams, of_contexts: Suffixes) -> tuple[Float64s, Suffixes]:
    """What a model gives the last word of each k-gram after the others, and the suffixes of the k-grams in it."""
    contexts = contexts_of(ngrams.starts)
    suffixes = suffixes_of(part.model.levels, contexts, part.ids[ngrams.words], of_contexts)
    log10_probs = backed_off(part.model.levels[:k], contexts, of_contexts, suffixes)
    return powers(log10_probs) * part.shares[ngrams.words], suffixes


def _level(ngrams: _NGrams, probs: NDArray[np.float64], *, has_backoffs: bool) -> Level:
    """The n-grams with their probabilities, and back-off weights of 1."""
    probs[ngrams.words == BOS] = 0  # it is never predicted
    with np.errstate(divide="ignore"):
        log10_probs = np.log10(probs).astype(np.float32)
    return Level(*ngrams, log10_probs, np.zeros(probs.size, np.float32) if has_backoffs else None)

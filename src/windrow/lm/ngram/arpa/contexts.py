"""Contexts that an ARPA file lacks: other programs prune an n-gram and keep longer ones that begin with it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from windrow.lm.ngram.kernels.bisect import find_children
from windrow.lm.ngram.levels import Int32s, Level, gram_keys


def places_of(levels: Sequence[Level], grams: Int32s) -> Int32s:
    """The place of each n-gram, (n, k), among those of its order, -1 where it is not stored; 0 for k = 0."""
    if grams.shape[1] == 0:
        return np.zeros(len(grams), np.int32)
    places = np.ascontiguousarray(grams[:, 0])
    for level, words in zip(levels[1:], grams.T[1:], strict=False):
        contexts, places = places, np.empty(len(grams), np.int32)
        find_children(level.starts, level.words, contexts, np.ascontiguousarray(words), places)
    return places


def add_missing(levels: list[Level], grams: Int32s) -> NDArray[np.int64]:
    """Add n-grams of the highest of ``levels``, (n, k), and the contexts they need, unless they are stored.

    Each gets the probability that the model had for it by backing off, and the back-off weight 1, so that no
    probability changes. Returns the places of the highest level before which n-grams were added, rising.
    """
    before = np.empty(0, np.int64)
    for k in range(2, len(levels) + 1):
        candidates = np.unique(grams[:, :k], axis=0)  # sorted like the levels
        before = _insert(levels, candidates[places_of(levels, candidates) < 0])
    return before


def _insert(levels: list[Level], grams: Int32s) -> NDArray[np.int64]:
    """Insert sorted n-grams, (n, k), whose contexts are stored, into their level; the places they are put before.

    For example ``b a``, put before place 2 among the bigrams a a, a b and b b; it has no trigrams yet::

        words               a b | b    becomes   a b | a b
        starts              0 2 3                0 2 4
        starts of trigrams  0 1 1 4              0 1 1 1 4
    """
    k = grams.shape[1]
    level, contexts, words = levels[k - 1], places_of(levels, grams[:, :-1]), grams[:, -1]
    assert level.log10_backoffs is not None
    sizes = np.diff(level.starts)
    stored_contexts = np.repeat(np.arange(sizes.size, dtype=np.int32), sizes)
    before = np.searchsorted(gram_keys(stored_contexts, level.words), gram_keys(contexts, words))
    inserted_earlier = np.searchsorted(contexts, np.arange(level.starts.size)).astype(np.int32)
    levels[k - 1] = Level(
        level.starts + inserted_earlier,
        np.insert(level.words, before, words),
        np.insert(level.log10_probs, before, _backed_off(levels[: k - 1], grams)),
        np.insert(level.log10_backoffs, before, 0),
    )
    if k < len(levels):
        next_starts = levels[k].starts
        levels[k] = levels[k]._replace(starts=np.insert(next_starts, before, next_starts[before]))
    return before


def _backed_off(levels: Sequence[Level], grams: Int32s) -> NDArray[np.float64]:
    """log10 p of the last words of n-grams that are not stored, by ``levels``, which are all the orders below theirs.

    The sum of the back-offs of ever shorter contexts, 0 for one that is not stored, down to the longest stored suffix.
    """
    total, open_rows = np.zeros(len(grams)), np.arange(len(grams))  # rows whose suffix is not found yet
    for k in range(len(levels), 0, -1):
        level, suffixes_and_contexts = levels[k - 1], grams[open_rows, -k - 1 :]
        contexts = places_of(levels, suffixes_and_contexts[:, :-1])
        suffixes = places_of(levels, suffixes_and_contexts[:, 1:])
        assert level.log10_backoffs is not None
        total[open_rows] += np.where(contexts < 0, 0, level.log10_backoffs[contexts])
        found = suffixes >= 0
        total[open_rows[found]] += level.log10_probs[suffixes[found]]
        open_rows = open_rows[~found]
    return total

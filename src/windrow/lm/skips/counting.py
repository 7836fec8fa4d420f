"""Count windows as n-grams, so that all that n-gram models have works with them.

The k-grams of a window are its last k symbols, and those are counted. A trie of n-grams also has a place for each
context and suffix of an n-gram, here other stretches of the window: of (a c d) besides d, (c d) and (a c d) itself also
a, c and (a c), which need not be the end of any window. Such n-grams have the count 0, and so the probability that the
shorter context gives: that they are there changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from windrow.bars import OnProgress
from windrow.corpus import Vocabulary
from windrow.errors import DataError
from windrow.lm.ngram.counting import bits_of, check_size, check_stream, number_grams
from windrow.lm.ngram.kernels.counts import Ranks
from windrow.lm.ngram.levels import CountLevel, NGramCounts
from windrow.lm.ngram.merging import read_only
from windrow.lm.skips.windows import window_blocks
from windrow.lm.stream import Ids
from windrow.lm.symbols import BOS
from windrow.machine import check_memory

_SYMBOL_BYTES = 36  # per symbol of the windows: itself, a key, two ranks, and an n-gram


def count_windows(
    stream: Ids, vocabulary: Vocabulary, places: Sequence[int], progress: OnProgress | None = None
) -> NGramCounts:
    """The counts of the windows of a stream, in which ``<s>`` stands before every sentence; ``places`` ascend.

    Raises DataError for more than 2**31 - 1 symbols of all windows together, or sentences too short for the places;
    OptionError where memory does not suffice.
    """
    check_stream(stream, len(vocabulary))
    order = len(places) + 1
    text = _separated(stream, places)
    ranks, separators = text.copy(), slice(None, None, order + 1)
    ranks[separators] = -1  # no n-gram goes from one window to the next
    keys = np.empty(text.size, np.int64)
    levels = [_words(stream, len(vocabulary))]
    for k in range(2, order + 1):
        below = Ranks(read_only(ranks), 1, 0)
        ranks = np.empty(text.size if k < order else 0, np.int32)
        contexts, bits = len(levels[-1].words), bits_of(len(vocabulary))
        level = CountLevel(
            *number_grams(read_only(text), below, Ranks(ranks, 1, 0), keys, contexts, bits, 0, knows_suffixes=k > 2)
        )
        levels.append(level if k == order else level._replace(counts=_at_ends(ranks, order, len(level.words))))
        if progress is not None:
            progress("counting", k / order)
    return NGramCounts(vocabulary, levels, has_unseen=True)


def _separated(stream: Ids, places: Sequence[int]) -> Ids:
    """The windows one after another, ``<s>`` before each; DataError where all are shorter than the places."""
    width = len(places) + 2
    check_size(stream.size * width)
    check_memory(_SYMBOL_BYTES * stream.size * width, f"the windows of {stream.size:,} symbols", "give less text")
    windows = np.full((stream.size, width), BOS, np.int32)
    for part, block in window_blocks(stream, places):
        windows[part, 1:] = block
    if len(places) > 1 and (windows[:, 2] == BOS).all():  # of (<s> <s> a) only (<s> a) is an n-gram
        raise DataError(
            f"places = {tuple(places)}: no sentence has a word {places[-2]} places before another; try nearer ones"
        )
    return windows.reshape(-1)


def _words(stream: Ids, size: int) -> CountLevel:
    counts = np.bincount(stream, minlength=size)
    counts[BOS] = 0
    starts, words = np.array([0, size], np.int32), np.arange(size, dtype=np.int32)
    return CountLevel(starts, words, np.zeros(size, np.int32), counts)


def _at_ends(ranks: NDArray[np.int32], order: int, size: int) -> NDArray[np.int32]:
    """How often each n-gram ends a window, from the ranks of all symbols."""
    ends = ranks[order :: order + 1]
    return np.bincount(ends[ends >= 0], minlength=size).astype(np.int32)

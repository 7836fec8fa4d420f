"""The words that a job trains on: known words, subsampled, each with its window.

``ChunkDrawer.draw`` makes a chunk, by the small passes above it; what is random comes from the worker's ``Randomness``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.numeric.jit import kernel
from windrow.numeric.rng import Randomness
from windrow.numeric.simd import LANES

_ALL_BITS = 2**32 - 1
_STRETCHES = 256  # of a text that are looked at, to see how often words are repeated nearby
_LEAST_COUNT = 1e-280  # below which a division by it overflows; no word would be kept
ALL_TAKE_ALL = np.empty(0, np.float32)  # for ``shares``


class Chunk(NamedTuple):
    """The words that a job trains on, and the window around each.

    The context of the word at position i is the words at positions ``left[i]`` to ``right[i] - 1`` without i itself.
    The one at position j has the weight ``distance_weights[window + j - i]``.
    """

    words: NDArray[np.int32]  # (positions,): the words to predict
    rows: NDArray[np.int32]  # (positions,): the row of each word's input vector, its id unless a worker has a copy
    # (positions + 1,): the rows of the words before each position together; a word has one, with sub-words more
    rows_before: NDArray[np.int64]
    left: NDArray[np.int32]  # (positions,)
    right: NDArray[np.int32]  # (positions,)
    distance_weights: NDArray[Any]  # (2 * window + 1 + 16,): 0 for the center, and 16 zeros at the end
    # (positions,): the part of its updates that the input vector takes, 0 where it is frozen; or (0,): all take all
    shares: NDArray[np.float32]


# --- passes over one chunk


@kernel
def keep_known(
    ids: NDArray[np.int32],
    starts: NDArray[np.int64],
    vocabulary_size: int,
    words: NDArray[np.int32],
    word_starts: NDArray[np.int32],
) -> Any:
    """Copy the ids from 0 to ``vocabulary_size - 1`` to ``words``, and return how many they are.

    ``starts`` (sentences + 1,) are the positions in ``ids`` at which sentences start; ``word_starts`` gets those in
    ``words``.
    """
    kept = 0
    for sentence in range(starts.size - 1):
        word_starts[sentence] = kept
        for position in range(starts[sentence], starts[sentence + 1]):
            word = ids[position]
            if 0 <= word < vocabulary_size:
                words[kept] = word
                kept += 1
    word_starts[starts.size - 1] = kept
    return kept


@kernel
def subsample(
    words: NDArray[np.int32],
    word_starts: NDArray[np.int32],
    keep_thresholds: NDArray[np.uint32],
    draws: NDArray[np.uint32],
) -> Any:
    """Drop frequent words in place: a word stays if its draw is at most its threshold. Returns how many stay."""
    kept = 0
    start = word_starts[0]
    for sentence in range(word_starts.size - 1):
        stop = word_starts[sentence + 1]
        word_starts[sentence] = kept
        for position in range(start, stop):
            if keep_thresholds[words[position]] >= draws[position]:
                words[kept] = words[position]
                kept += 1
        start = stop
    word_starts[word_starts.size - 1] = kept
    return kept


@kernel
def lay_windows(
    word_starts: NDArray[np.int32],
    reaches: NDArray[np.int32],
    left: NDArray[np.int32],
    right: NDArray[np.int32],
) -> None:
    """The bounds of each word's window: up to its reach on both sides, within its sentence."""
    for sentence in range(word_starts.size - 1):
        start, stop = word_starts[sentence], word_starts[sentence + 1]
        for position in range(start, stop):
            left[position] = max(start, position - reaches[position])
            right[position] = min(stop, position + reaches[position] + 1)


# --- all of them together


def keep_thresholds(counts: NDArray[np.int64], sample: float) -> NDArray[np.uint32]:
    """Subsampling thresholds, shape (words,): a word is kept when 32 random bits are at most its threshold.

    A word with count c is kept with probability min(1, (sqrt(c / t) + 1) * t / c), where t = sample * sum of counts.
    This is the formula of word2vec.c, which keeps more than the one printed in Mikolov et al. 2013.
    """
    threshold_count = max(sample * counts.sum(), _LEAST_COUNT)
    seen = np.maximum(counts, 1)  # a special word may have no count
    probabilities = (np.sqrt(seen / threshold_count) + 1) * (threshold_count / seen)
    thresholds: NDArray[np.uint32] = (np.minimum(probabilities, 1.0) * _ALL_BITS).astype(np.uint32)
    return thresholds


def distance_weights(weighting: str, window: int, dtype: Any = np.float32) -> NDArray[Any]:
    """The weights of a window's words from left to right: entry ``window + offset``, 0 for the center (offset 0).

    A context word at distance d has the weight 1 (``none``), (window + 1 - d) / window (``linear``) or 1 / d
    (``harmonic``, Pennington et al. 2014). ``shrink`` is 1 too: it draws a window size for each center instead, so that
    on average a word counts as with ``linear``.
    """
    distances = np.arange(1, window + 1)
    weights = {
        "shrink": np.ones(window),
        "none": np.ones(window),
        "linear": (window + 1 - distances) / window,
        "harmonic": 1 / distances,
    }[weighting]
    # Zeros at the end, because kernels read 16 numbers at a time.
    return np.concatenate([weights[::-1], [0], weights, np.zeros(LANES)]).astype(dtype)


@dataclass(frozen=True)
class ChunkDrawer:
    """Turns the raw ids of a job into the chunk that kernels train on."""

    vocabulary_size: int
    thresholds: NDArray[np.uint32] | None  # of subsampling; None: keep all words
    window: int
    shrink: bool  # draw a window size from 1 to ``window`` for each center
    weights: NDArray[Any]  # from distance_weights
    rows_of_ids: NDArray[np.int32] | None = None  # the row of each id of the text, and -1 for id -1; None: the id
    shares: NDArray[np.float32] | None = None  # (words,), see Chunk; None: all vectors take all updates

    @classmethod
    def of(
        cls,
        counts: NDArray[np.int64],
        sample: float,
        window: int,
        weighting: str,
        rows_of_ids: NDArray[np.int32] | None = None,
        shares: NDArray[np.float32] | None = None,
    ) -> ChunkDrawer:
        """A drawer for words with these counts in the text; ``weighting``: see ``distance_weights``."""
        thresholds = keep_thresholds(counts, sample) if sample > 0 else None
        weights = distance_weights(weighting, window)
        return cls(len(counts), thresholds, window, weighting == "shrink", weights, rows_of_ids, shares)

    def kept_counts(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """How many of each word subsampling keeps, on average."""
        kept: Any = 1.0 if self.thresholds is None else (self.thresholds + 1.0) / 2**32
        return np.asarray(counts * kept, np.float64)

    def repetition(self, ids: NDArray[np.int32], counts: NDArray[np.int64], words: int) -> float:
        """The chance that two of so many words in a row, after subsampling, are equal: over places all through it."""
        kept = self.kept_counts(np.ones(len(counts), np.int64))
        stretch = min(len(ids), int(words * max(counts.sum(), 1) / max(self.kept_counts(counts).sum(), 1)))
        equal = pairs = 0.0
        for place in np.linspace(0, len(ids) - stretch, _STRETCHES).astype(np.int64):
            rows = ids[place : place + stretch]
            rows = rows if self.rows_of_ids is None else self.rows_of_ids[rows]
            rows = rows[(rows >= 0) & (rows < len(counts))]
            weights = kept[rows]
            of_words, own = np.bincount(np.unique(rows, return_inverse=True)[1], weights), weights @ weights
            equal += float(of_words @ of_words - own)
            pairs += float(weights.sum() ** 2 - own)
        return equal / pairs if pairs > 0 else 0.0

    def pairs_per_center(self) -> float:
        """The weights of a window together, on average over window sizes, within a long sentence."""
        mean_size = (self.window + 1) / 2 if self.shrink else self.window
        return float(self.weights.sum()) * mean_size / self.window

    def draw(self, ids: NDArray[np.int32], starts: NDArray[np.int64], randomness: Randomness) -> Chunk:
        """Known words, subsampled, each with its window; ``starts`` (sentences + 1,) are positions in ``ids``."""
        randomness.start_job()
        if self.rows_of_ids is not None:
            ids = self.rows_of_ids[ids]
            ids.setflags(write=False)  # as a corpus has them: kernels are compiled for that
        words, word_starts = np.empty(ids.size, np.int32), np.empty(starts.size, np.int32)
        count = keep_known(ids, starts, self.vocabulary_size, words, word_starts)
        if self.thresholds is not None:
            count = subsample(words, word_starts, self.thresholds, randomness.draws(count))
        reaches = randomness.up_to(self.window, count) if self.shrink else np.full(count, self.window, np.int32)
        left, right = np.empty(count, np.int32), np.empty(count, np.int32)
        lay_windows(word_starts, reaches, left, right)
        shares = ALL_TAKE_ALL if self.shares is None else self.shares[words[:count]]
        return Chunk(words[:count], words[:count], np.arange(count + 1), left, right, self.weights, shares)

"""The words that a job trains on: known words, subsampled, each with its window. Small passes over one chunk."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.numeric.jit import kernel


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
def draw_reaches(draws: NDArray[np.uint32], window: int, reaches: NDArray[np.int32]) -> None:
    """Window sizes, uniform from 1 to ``window``, each from 32 random bits: floor(bits * window / 2**32) + 1."""
    for i in range(reaches.size):
        reaches[i] = 1 + np.int32((np.uint64(draws[i]) * np.uint64(window)) >> np.uint64(32))


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

"""What a job of word2vec sees: known words, sub-sampled, each with its window. Five small passes over one chunk."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.numeric.jit import kernel


class Chunk(NamedTuple):
    """The words that a job trains on, and the window around each.

    The context of the word at position i is positions ``left[i]`` to ``right[i] - 1`` without i itself, each with the
    weight ``distance_weights[window + j - i]``, which is 0 for i itself; 16 zeros follow the last.
    """

    words: NDArray[np.int32]  # (positions,): what an output layer is to predict
    rows: NDArray[np.int32]  # (positions,): where the input vector of each word is, usually the words again
    left: NDArray[np.int32]  # (positions,)
    right: NDArray[np.int32]  # (positions,)
    distance_weights: NDArray[Any]  # (2 * window + 1 + 16,)


@kernel
def keep_known(
    ids: NDArray[np.int32],
    starts: NDArray[np.int64],
    vocabulary_size: int,
    words: NDArray[np.int32],
    word_starts: NDArray[np.int32],
) -> Any:
    """Copy the ids below ``vocabulary_size`` to ``words``; sentence bounds move to ``word_starts``. Returns the count.

    ``starts`` (sentences + 1,) are positions in ``ids``; a negative id is an unknown word.
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
    """Drop frequent words in place: a word stays unless its threshold is below its draw. Returns the count."""
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
    """Window sizes, uniform in 1 to ``window``, from 32 random bits each."""
    for i in range(reaches.size):
        reaches[i] = 1 + np.int32((np.uint64(draws[i]) * np.uint64(window)) >> np.uint64(32))


@kernel
def lay_windows(
    word_starts: NDArray[np.int32],
    reaches: NDArray[np.int32],
    left: NDArray[np.int32],
    right: NDArray[np.int32],
) -> None:
    """The bounds of each word's window: its reach to both sides, clipped to its sentence."""
    for sentence in range(word_starts.size - 1):
        start, stop = word_starts[sentence], word_starts[sentence + 1]
        for position in range(start, stop):
            left[position] = max(start, position - reaches[position])
            right[position] = min(stop, position + reaches[position] + 1)

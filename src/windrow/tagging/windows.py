"""A block of sentences as the network takes it: distinct tokens, and where each stands in padded text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from windrow.tagging.lexicon import Lexicon


@dataclass(frozen=True)
class Windows:
    """Sentences with half a window of padding at both ends of each, as numbers.

    Each token that occurs has one row in ``words`` (its word's id, (distinct,)) and ``features`` (distinct, slots);
    ``places`` (positions,) holds these rows' numbers in the order of the padded text, ``centers`` (tokens,) the
    positions that are no padding, ``starts`` (sentences + 1,) the first token of each sentence.
    """

    words: NDArray[np.int32]
    features: NDArray[np.int32]
    places: NDArray[np.int32]
    centers: NDArray[np.int32]
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.centers)


def windows_of(sentences: Sequence[Sequence[str]], lexicon: Lexicon, window: int) -> Windows:
    """The windows of ``window`` tokens around each token of some sentences."""
    distinct: dict[str, int] = {}
    # Rows 0 and 1 are the padding before and behind a sentence.
    numbers = [distinct.setdefault(token, len(distinct) + 2) for sentence in sentences for token in sentence]
    rows = np.concatenate([lexicon.padding, lexicon.rows(distinct)])
    half = window // 2
    lengths = np.array([len(sentence) for sentence in sentences], np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    sentence_of = np.repeat(np.arange(len(sentences)), lengths)
    centers = np.arange(len(numbers)) + half * (2 * sentence_of + 1)
    places = np.zeros(len(numbers) + 2 * half * len(sentences), np.int32)
    ends = starts[1:] + half * (2 * np.arange(len(sentences)) + 1)
    for k in range(half):
        places[ends + k] = 1
    places[centers] = numbers
    return Windows(rows[:, 0], rows[:, 1:], places, centers.astype(np.int32), starts)

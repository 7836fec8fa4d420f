"""The vectors of sentences from their definition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray


def known_words(sentences: Sequence[str], ids: Mapping[str, int]) -> tuple[list[list[int]], list[list[str]]]:
    """The ids of the words of each sentence that have one, and those that have none."""
    found, unknown = list[list[int]](), list[list[str]]()
    for sentence in sentences:
        found.append([ids[word] for word in sentence.split() if word in ids])
        unknown.append([word for word in sentence.split() if word not in ids])
    return found, unknown


def weighted_sums(
    sentences: Sequence[Sequence[int]], rows: NDArray[np.float32], weights: Sequence[float], shares: Sequence[float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The sum of weight * row, and of shares, over the words of each sentence."""
    sums, divisors = np.zeros((len(sentences), rows.shape[1])), np.zeros(len(sentences))
    for number, sentence in enumerate(sentences):
        for word in sentence:
            for column in range(rows.shape[1]):
                sums[number, column] += float(weights[word]) * float(rows[word, column])
            divisors[number] += shares[word]
    return sums, divisors


def mean(words: Sequence[str], vectors: Mapping[str, NDArray[np.float64]], weights: Mapping[str, float],
         shares: Mapping[str, float], size: int) -> NDArray[np.float64]:  # fmt: skip
    """The sum of weight * vector over the words that have a vector, divided by the sum of their shares."""
    total, divisor = np.zeros(size), 0.0
    for word in words:
        if word in vectors:
            total += weights[word] * vectors[word]
            divisor += shares[word]
    return total / divisor if divisor else total

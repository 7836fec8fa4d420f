"""What stands near what, and how much more often than by chance, from the definitions."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from tests.naive.rng import split_mix
from tests.naive.windows import Sentences


def keep(sentences: Sentences, thresholds: Sequence[int], seed: int) -> Sentences:
    """Known words whose draw is not above their threshold. Draw i of SplitMix64 belongs to position i of the text."""
    draws, kept = split_mix(seed), []
    for sentence in sentences:
        drawn = [(word, next(draws) >> 32) for word in sentence]
        kept.append([word for word, draw in drawn if 0 <= word < len(thresholds) and draw <= thresholds[word]])
    return kept


def counts(sentences: Sentences, weights: Sequence[Fraction], words: int, contexts: int) -> NDArray[np.float64]:
    """Sums of ``weights[distance]`` over all pairs of positions of a sentence; (words, contexts)."""
    sums = [[Fraction(0)] * contexts for _ in range(words)]
    for sentence in sentences:
        for i, word in enumerate(sentence):
            for j, context in enumerate(sentence):
                if i != j and abs(i - j) < len(weights) and context < contexts:
                    sums[word][context] += weights[abs(i - j)]
    return np.array([[float(one) for one in row] for row in sums])


def ppmi(counts: NDArray[np.float64], exponent: float, shift: float) -> NDArray[np.float64]:
    """max(0, log P(context | word) / P(context) / shift), with P(context) of counts ** exponent; (words, contexts)."""
    contexts = counts.shape[1]
    smoothed = np.array([row.sum() ** exponent if row.any() else 0 for row in counts[:contexts]])
    of_contexts = smoothed / smoothed.sum()
    found = np.zeros(counts.shape)
    for word, row in enumerate(counts):
        for context, count in enumerate(row):
            if count > 0:
                found[word, context] = max(0, np.log(count / row.sum() / of_contexts[context] / shift))
    return found

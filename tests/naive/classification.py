"""A text classifier from its definition: features by fastText's hashes, and one text after the other, in float64."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from windrow.corpus.subwords import SENTENCE_END, hash_ngram, subword_ids

FACTOR, WORD = 116049371, 2**64

Vectors = NDArray[np.float64]


def signed(bits: int) -> int:
    """32 bits as the number that C's int32_t has."""
    return bits - 2**32 if bits >= 2**31 else bits


def word_ngram_buckets(words: Sequence[str], longest: int, buckets: int) -> list[int]:
    """The buckets of n-grams of 2 to ``longest`` words, as ``Dictionary::addWordNgrams`` computes them."""
    found = []
    for first in range(len(words)):
        bits = signed(hash_ngram(words[first])) % WORD
        for word in words[first + 1 : first + longest]:
            bits = (bits * FACTOR + signed(hash_ngram(word))) % WORD
            found.append(bits % buckets)
    return found


def features(
    text: Sequence[str], known: Sequence[str], word_ngrams: int, min_n: int, max_n: int, buckets: int
) -> list[str | int]:
    """The known words of a text, as strings, and its n-grams, as buckets."""
    words = [*text, SENTENCE_END]
    found: list[str | int] = []
    for word in words:
        found += [word] if word in known else []
        found += subword_ids(word, max(min_n, 1), max_n, buckets) if max_n else []
    return found + word_ngram_buckets(words, word_ngrams, buckets)


def logistic(score: float) -> float:
    return float(1 / (1 + np.exp(-score)))


def ask(is_true: bool, row: int, rate: float, outputs: Vectors, hidden: Vectors, gradient: Vectors) -> float:
    """A yes-or-no question: minus the logarithm of the probability of the right answer."""
    probability = logistic(float(outputs[row] @ hidden))
    error = rate * (is_true - probability)
    gradient += error * outputs[row]
    outputs[row] += error * hidden
    return float(-np.log(probability if is_true else 1 - probability))


def choose(target: int, rate: float, outputs: Vectors, hidden: Vectors, gradient: Vectors) -> float:
    """A softmax over all classes."""
    scores = outputs @ hidden
    probabilities = np.exp(scores) / np.exp(scores).sum()
    errors = rate * ((np.arange(len(scores)) == target) - probabilities)
    gradient += errors @ outputs
    outputs += np.outer(errors, hidden)
    return float(-np.log(probabilities[target]))


def train_text(rows: Sequence[int], inputs: Vectors, step: Callable[[Vectors, Vectors], float]) -> float:
    """One step: ``step(hidden, gradient)`` moves the outputs and adds to the gradient; returns its loss."""
    hidden, gradient = inputs[list(rows)].mean(axis=0), np.zeros(inputs.shape[1])
    loss = step(hidden, gradient)
    for row in rows:  # a feature may come twice
        inputs[row] += gradient / len(rows)
    return loss

"""Arithmetic of the softmax that is no matrix product: the highest score, exponentials, normalizing, target words.

A score is a product of a hidden row and a weight vector. The bias of the word is added where the score is read, which
saves a pass over the scores; who has no biases, or has added them, gives zeros.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.numeric.jit import kernel
from windrow.numeric.simd import LANES, add, broadcast, exp, largest, load, maximum, store, total, zero

_CLAMPED = 1.9e-35  # just above exp(-80), which ``exp`` gives for all that is less


@kernel(inline=True)
def highest_score(scores: NDArray[Any], start: int, words: int, biases: NDArray[Any]) -> Any:
    """The highest ``scores[start + w] + biases[w]`` of ``words`` words."""
    whole = words // LANES * LANES
    highest = scores[start] + biases[0]
    top = broadcast(highest)
    for word in range(0, whole, LANES):
        top = maximum(add(load(scores, start + word), load(biases, word)), top)
    highest = max(highest, largest(top))
    for word in range(whole, words):
        highest = max(highest, scores[start + word] + biases[word])
    return highest


@kernel(inline=True)
def exponentiate_row(scores: NDArray[Any], start: int, words: int, biases: NDArray[Any], reference: Any) -> float:
    """``scores[start + w] = exp(scores[start + w] + biases[w] - reference)`` in place; returns their sum."""
    whole = words // LANES * LANES
    shift, powers = broadcast(-reference), zero(scores)
    for word in range(0, whole, LANES):
        power = exp(add(add(load(scores, start + word), load(biases, word)), shift))
        powers = add(powers, power)
        store(scores, start + word, power)
    rest = 0.0
    for word in range(whole, words):
        scores[start + word] = np.exp(scores[start + word] + biases[word] - reference)
        rest += scores[start + word]
    power_sum: float = total(powers) + rest
    return power_sum


@kernel
def exponentiate(
    scores: NDArray[Any], words: int, biases: NDArray[Any], references: NDArray[Any], sums: NDArray[np.float64]
) -> None:
    """``exponentiate_row`` of each row of ``scores``, flat (rows * words,); adds the sum of each row to ``sums``.

    biases (words,); references and sums (rows,).
    """
    for row in range(references.size):
        sums[row] += exponentiate_row(scores, row * words, words, biases, references[row])


@kernel
def raise_to_highest(scores: NDArray[Any], words: int, biases: NDArray[Any], highest: NDArray[Any]) -> None:
    """Raise ``highest[r]`` to the highest score of its row; scores flat, (rows * words,)."""
    for row in range(highest.size):
        highest[row] = max(highest[row], highest_score(scores, row * words, words, biases))


@kernel
def normalize_row(scores: NDArray[Any], start: int, words: int, biases: NDArray[Any]) -> float:
    """The softmax of ``words`` scores from ``start`` on, in place; returns the logarithm of their normalizer."""
    highest = highest_score(scores, start, words, biases)
    normalizer = exponentiate_row(scores, start, words, biases, highest)
    for word in range(start, start + words):
        scores[word] /= scores.dtype.type(normalizer)
    log_normalizer: float = highest + np.log(normalizer)
    return log_normalizer


@kernel
def fill_probabilities(scores: NDArray[Any], biases: NDArray[Any], probabilities: NDArray[np.float64]) -> None:
    """The softmax of one row of scores (words,), which is used up, summed in float64.

    Words whose score is more than 80 below the highest have the probability 0.
    """
    exponentiate_row(scores, 0, scores.size, biases, highest_score(scores, 0, scores.size, biases))
    normalizer = 0.0
    for word in range(scores.size):
        power = np.float64(scores[word])
        probabilities[word] = power if power > _CLAMPED else 0.0
        normalizer += probabilities[word]
    for word in range(scores.size):
        probabilities[word] /= normalizer


@kernel
def score_targets(
    hidden: NDArray[Any],
    weights: NDArray[Any],
    biases: NDArray[Any],
    targets: NDArray[np.int32],
    scores: NDArray[Any],
) -> None:
    """``scores[r]`` = hidden row r @ weights of its target + bias."""
    for row in range(targets.size):
        word, score = targets[row], biases[targets[row]]
        for k in range(hidden.shape[1]):
            score += hidden[row, k] * weights[word, k]
        scores[row] = score


@kernel
def finish_gradient(
    d_hidden: NDArray[Any],
    weights: NDArray[Any],
    targets: NDArray[np.int32],
    sums: NDArray[np.float64],
    scale: float,
) -> None:
    """From the sum over words of power * weights to ``scale`` times the gradient: normalized, less the target's."""
    dtype = d_hidden.dtype.type
    for row in range(targets.size):
        word, share, whole = targets[row], dtype(scale / sums[row]), dtype(scale)
        for k in range(d_hidden.shape[1]):
            d_hidden[row, k] = d_hidden[row, k] * share - whole * weights[word, k]


@kernel
def scale_rows(rows: NDArray[Any], sums: NDArray[np.float64], factor: float, scaled: NDArray[Any]) -> None:
    """``scaled[r] = rows[r] * factor / sums[r]``."""
    for row in range(sums.size):
        share = rows.dtype.type(factor / sums[row])
        for k in range(rows.shape[1]):
            scaled[row, k] = rows[row, k] * share


@kernel
def add_at_targets(
    weights: NDArray[Any], biases: NDArray[Any], targets: NDArray[np.int32], hidden: NDArray[Any], factor: float
) -> None:
    """``factor`` times each hidden row to the weights of its target, ``factor`` to its bias."""
    step = hidden.dtype.type(factor)
    for row in range(targets.size):
        word = targets[row]
        biases[word] += step
        for k in range(hidden.shape[1]):
            weights[word, k] += step * hidden[row, k]

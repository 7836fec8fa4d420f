"""Arithmetic of the output layers of language models that is no matrix product: exponentials, targets, rows summed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.numeric.jit import kernel
from windrow.numeric.simd import LANES, add, broadcast, exp, load, maximum, store, total, zero

_CLAMPED = 1.9e-35  # just above exp(-80), which ``exp`` gives for all that is less


@kernel
def exponentiate(
    scores: NDArray[Any], words: int, biases: NDArray[Any], references: NDArray[Any], sums: NDArray[np.float64]
) -> None:
    """``scores[r, w] = exp(scores[r, w] + biases[w] - references[r])`` in place; adds to the sum of each row.

    ``scores`` is flat, (rows * words,); biases (words,); references and sums (rows,).
    """
    whole = words // LANES * LANES
    for row in range(references.size):
        start, reference = row * words, references[row]
        shift, mass = broadcast(-reference), zero(scores)
        for word in range(0, whole, LANES):
            power = exp(add(add(load(scores, start + word), load(biases, word)), shift))
            mass = add(mass, power)
            store(scores, start + word, power)
        rest = 0.0
        for word in range(whole, words):
            scores[start + word] = np.exp(scores[start + word] + biases[word] - reference)
            rest += scores[start + word]
        sums[row] += total(mass) + rest


@kernel
def raise_to_highest(scores: NDArray[Any], words: int, biases: NDArray[Any], highest: NDArray[Any]) -> None:
    """Raise ``highest[r]`` to the highest ``scores[r, w] + biases[w]`` of its row; scores flat, (rows * words,)."""
    for row in range(highest.size):
        for word in range(words):
            highest[row] = max(highest[row], scores[row * words + word] + biases[word])


@kernel(inline=True)
def _highest(scores: NDArray[Any], start: int, words: int, lanes: NDArray[Any]) -> Any:
    """The highest of ``words`` scores; ``lanes``: 16 numbers of scratch."""
    highest = scores[start]
    whole = words // LANES * LANES
    top = broadcast(highest)
    for word in range(start, start + whole, LANES):
        top = maximum(load(scores, word), top)
    store(lanes, 0, top)
    for lane in range(LANES):
        highest = max(highest, lanes[lane])
    for word in range(start + whole, start + words):
        highest = max(highest, scores[word])
    return highest


@kernel
def log_normalise(scores: NDArray[Any], words: int, lanes: NDArray[Any]) -> None:
    """Take from each row of ``scores``, flat (rows * words,), the logarithm of its sum of exponentials.

    ``lanes``: 16 numbers of scratch.
    """
    whole = words // LANES * LANES
    for start in range(0, scores.size, words):
        highest = _highest(scores, start, words, lanes)
        mass, rest, shift = zero(scores), 0.0, broadcast(-highest)
        for word in range(start, start + whole, LANES):
            mass = add(mass, exp(add(load(scores, word), shift)))
        for word in range(start + whole, start + words):
            rest += np.exp(scores[word] - highest)
        normaliser = scores.dtype.type(highest + np.log(total(mass) + rest))
        for word in range(start, start + words):
            scores[word] -= normaliser


@kernel
def normalise(scores: NDArray[Any], lanes: NDArray[Any], probabilities: NDArray[np.float64]) -> None:
    """The exponentials of ``scores`` (words,), divided by their sum; below e**-80 of the largest they count as 0.

    Uses ``scores`` up; ``lanes``: 16 numbers of scratch.
    """
    whole = scores.size // LANES * LANES
    highest = _highest(scores, 0, scores.size, lanes)
    mass, shift = 0.0, broadcast(-highest)
    for word in range(0, whole, LANES):
        store(scores, word, exp(add(load(scores, word), shift)))
    for word in range(whole, scores.size):
        scores[word] = np.exp(scores[word] - highest)
    for word in range(scores.size):
        power = np.float64(scores[word])
        probabilities[word] = power if power > _CLAMPED else 0.0
        mass += probabilities[word]
    for word in range(scores.size):
        probabilities[word] /= mass


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
    """From the sum over words of power * weights to ``scale`` times the gradient: normalised, less the target's."""
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

"""Noise words shared by a block of hidden rows: the losses of telling them from targets, and their derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.numeric.jit import kernel
from windrow.numeric.simd import (
    LANES,
    add,
    broadcast,
    load,
    log,
    logistic,
    maximum,
    multiply,
    multiply_add,
    store,
    total,
    zero,
)
from windrow.outputs.kernels.softmax import exponentiate_row, highest_score

_NO_CHANCE = np.exp(-60.0)  # a power so far below the highest, which is 1


@kernel
def noise_errors(
    scores: NDArray[Any], offsets: NDArray[Any], counts: NDArray[Any], weights: NDArray[Any], scale: float
) -> float:
    """Each noise word should be told from a target: the loss is -log(1 - logistic(score + offset)).

    Replaces the scores, flat (rows * n,), by ``scale`` times the derivatives of the loss, which is returned. n is a
    multiple of 16; noise word j counts ``counts[j]`` times, row r ``weights[r]`` times. The offset of noise-contrastive
    estimation is -log(k q(word)), that of negative sampling 0.
    """
    n, dtype, loss = offsets.size, scores.dtype.type, 0.0
    one, minus_one = broadcast(dtype(1)), broadcast(dtype(-1))
    for row in range(weights.size):
        step, log_likelihood = broadcast(dtype(scale * weights[row])), zero(scores)
        for j in range(0, n, LANES):
            place = row * n + j
            rejected = logistic(multiply(minus_one, add(load(scores, place), load(offsets, j))))
            number = load(counts, j)
            log_likelihood = multiply_add(number, log(rejected), log_likelihood)
            store(scores, place, multiply(multiply(step, number), multiply_add(minus_one, rejected, one)))
        loss -= weights[row] * total(log_likelihood)
    return loss


@kernel
def target_errors(logits: NDArray[Any], scale: float) -> float:
    """``noise_errors`` for the targets' own logits (rows,), which noise-contrastive estimation wants high."""
    loss = 0.0
    for row in range(logits.size):
        # log1p(e^-x) by the larger exponent, which cannot overflow.
        logit = np.float64(logits[row])
        power = np.exp(-abs(logit))
        loss += np.log1p(power) + max(-logit, 0.0)
        logits[row] = logits.dtype.type(-scale * (power if logit >= 0 else 1.0) / (1 + power))
    return loss


@kernel
def sampled_softmax_errors(
    scores: NDArray[Any],
    offsets: NDArray[Any],
    no_biases: NDArray[Any],
    slots: NDArray[np.int32],
    targets: NDArray[np.int32],
    target_logits: NDArray[Any],
    scale: float,
) -> float:
    """A softmax over the target and those noise words that are not the target; errors as in ``noise_errors``.

    ``slots[w]`` is the place of word w among the noise words, -1 where it is none of them. ``target_logits`` (rows,)
    become the derivatives with respect to the targets' scores. ``no_biases``: n zeros.
    """
    n, dtype, loss = offsets.size, scores.dtype.type, 0.0
    for row in range(targets.size):
        start, hit = row * n, slots[targets[row]]
        for j in range(0, n, LANES):
            store(scores, start + j, add(load(scores, start + j), load(offsets, j)))
        if hit >= 0:
            scores[start + hit] = dtype(-1e30)
        highest = max(target_logits[row], highest_score(scores, start, n, no_biases))
        target_power = np.exp(np.float64(target_logits[row] - highest))
        normalizer = exponentiate_row(scores, start, n, no_biases, highest) + target_power
        share = broadcast(dtype(scale / normalizer))
        for j in range(0, n, LANES):
            # Words without a chance get exactly 0: numbers near the smallest make products a hundred times slower.
            power = maximum(add(load(scores, start + j), broadcast(dtype(-_NO_CHANCE))), zero(scores))
            store(scores, start + j, multiply(share, power))
        loss += np.log(normalizer) - np.float64(target_logits[row] - highest)
        target_logits[row] = dtype(scale * (target_power / normalizer - 1))
    return loss


@kernel
def add_target_rows(
    d_hidden: NDArray[Any], weights: NDArray[Any], targets: NDArray[np.int32], errors: NDArray[Any]
) -> None:
    """``d_hidden[r] += errors[r] * weights[target of r]``."""
    for row in range(targets.size):
        word, error = targets[row], errors[row]
        for k in range(d_hidden.shape[1]):
            d_hidden[row, k] += error * weights[word, k]

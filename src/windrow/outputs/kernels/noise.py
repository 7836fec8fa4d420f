"""Noise words shared by a block of hidden rows: draws, and what the scores against them are wrong by."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.numeric.jit import kernel
from windrow.numeric.simd import (
    LANES,
    add,
    broadcast,
    exp,
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

_S32 = np.uint64(32)
_LOW_32 = np.uint64(2**32 - 1)

_LOWEST = -60.0  # of a score below the highest, as an exponent


@kernel
def noise_errors(
    scores: NDArray[Any], offsets: NDArray[Any], counts: NDArray[Any], target_logits: NDArray[Any], scale: float
) -> float:
    """Noise-contrastive estimation: from scores to ``scale`` times the loss's derivatives, in place; returns the loss.

    ``scores`` flat, (rows * n,), n a multiple of 16; a logit is a score and its offset (n,), and counts ``counts`` (n,)
    times. ``target_logits`` (rows,) become the derivatives by the targets' scores.
    """
    n, dtype = offsets.size, scores.dtype.type
    one, loss = broadcast(dtype(1)), 0.0
    minus, share = broadcast(dtype(-1)), broadcast(dtype(scale))
    for row in range(target_logits.size):
        log_likelihood = zero(scores)
        for j in range(0, n, LANES):
            place = row * n + j
            rejected = logistic(multiply(minus, add(load(scores, place), load(offsets, j))))
            number = load(counts, j)
            log_likelihood = multiply_add(number, log(rejected), log_likelihood)
            store(scores, place, multiply(multiply(share, number), multiply_add(minus, rejected, one)))
        # log1p(e^-x) by the larger exponent, which cannot overflow.
        logit = np.float64(target_logits[row])
        power = np.exp(-abs(logit))
        loss += np.log1p(power) + max(-logit, 0.0) - total(log_likelihood)
        target_logits[row] = dtype(-scale * (power if logit >= 0 else 1.0) / (1 + power))
    return loss


@kernel
def sampled_softmax_errors(
    scores: NDArray[Any],
    offsets: NDArray[Any],
    slots: NDArray[np.int32],
    targets: NDArray[np.int32],
    target_logits: NDArray[Any],
    scale: float,
    lanes: NDArray[Any],
) -> float:
    """As ``noise_errors``, for a softmax over the target and those noise words that are not the target.

    ``slots[w]`` is the place of word w among the noise words, -1 where it is none of them. ``lanes``: 16 of scratch.
    """
    n, dtype, loss = offsets.size, scores.dtype.type, 0.0
    lowest = broadcast(dtype(_LOWEST))
    nothing = multiply(broadcast(dtype(-1)), exp(lowest))
    for row in range(targets.size):
        start, highest = row * n, target_logits[row]
        for j in range(0, n, LANES):
            store(scores, start + j, add(load(scores, start + j), load(offsets, j)))
        hit = slots[targets[row]]
        if hit >= 0:
            scores[start + hit] = dtype(-1e30)
        top = broadcast(highest)
        for j in range(0, n, LANES):
            top = maximum(load(scores, start + j), top)
        store(lanes, 0, top)
        for lane in range(LANES):
            highest = max(highest, lanes[lane])
        mass, shift = zero(scores), broadcast(-highest)
        for j in range(0, n, LANES):
            # Words without a chance get exactly 0: numbers near the smallest make products a hundred times slower.
            power = add(exp(maximum(add(load(scores, start + j), shift), lowest)), nothing)
            mass = add(mass, power)
            store(scores, start + j, power)
        target_power = np.exp(np.float64(target_logits[row] - highest))
        normaliser = np.float64(total(mass)) + target_power
        share = broadcast(dtype(scale / normaliser))
        for j in range(0, n, LANES):
            store(scores, start + j, multiply(share, load(scores, start + j)))
        loss += np.log(normaliser) - np.float64(target_logits[row] - highest)
        target_logits[row] = dtype(scale * (target_power / normaliser - 1))
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

"""Errors of noise words against the losses as they are defined, and against differences of these."""

from __future__ import annotations

import numpy as np
import pytest

from windrow.outputs.kernels.noise import noise_errors, sampled_softmax_errors, target_errors

ROWS, NOISE_WORDS, SCALE = 3, 32, 0.25

both = pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-13)])


def random_numbers(*shapes: tuple[int, ...], dtype: type[np.floating]) -> list[np.ndarray]:
    dice = np.random.default_rng(len(shapes))
    return [(dice.standard_normal(shape) * 3).astype(dtype) for shape in shapes]


@both
def test_noise_is_told_from_targets(dtype, tolerance):
    scores, offsets = random_numbers((ROWS, NOISE_WORDS), (NOISE_WORDS,), dtype=dtype)
    counts, weights = np.arange(NOISE_WORDS).astype(dtype) % 4, np.array([0.5, 0, 2], dtype)
    probabilities = 1 / (1 + np.exp(-(scores + offsets).astype(np.float64)))
    losses = -weights[:, None] * counts * np.log1p(-probabilities)
    expected = SCALE * weights[:, None] * counts * probabilities

    loss = noise_errors(scores.reshape(-1), offsets, counts, weights, SCALE)

    assert loss == pytest.approx(losses.sum(), rel=tolerance)
    assert scores == pytest.approx(expected, rel=100 * tolerance, abs=tolerance)


@both
def test_targets_are_told_from_noise(dtype, tolerance):
    logits = np.array([0, 0.5, -3, 90, -90], dtype)
    wide = logits.astype(np.float64)

    loss = target_errors(logits, SCALE)

    assert loss == pytest.approx(np.logaddexp(0, -wide).sum(), rel=1e-12)
    assert logits == pytest.approx(-SCALE / (1 + np.exp(wide)), rel=tolerance)


@both
@pytest.mark.parametrize("shift", [0, 500])  # far beyond what exp can take
def test_a_softmax_over_the_target_and_the_noise(dtype, tolerance, shift):
    scores, offsets, target_logits = random_numbers((ROWS, NOISE_WORDS), (NOISE_WORDS,), (ROWS,), dtype=dtype)
    scores, target_logits = scores + dtype(shift), target_logits + dtype(shift)
    scores[2, 5] = shift - 200
    targets, slots = np.array([7, 8, 9], np.int32), np.full(10, -1, np.int32)
    slots[8] = 4  # the second target is the fifth noise word, which is left out of its sum
    logits = np.concatenate([target_logits[:, None], scores + offsets], axis=1).astype(np.float64)
    logits[1, 1 + 4] = -np.inf
    log_probs = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    expected = SCALE * np.exp(log_probs)
    expected[:, 0] -= SCALE

    loss = sampled_softmax_errors(
        scores.reshape(-1), offsets, np.zeros(NOISE_WORDS, dtype), slots, targets, target_logits, SCALE
    )

    # A score of 500 in float32 is known to 3e-5.
    room = 1 if shift == 0 else 30
    assert loss == pytest.approx(-log_probs[:, 0].sum(), rel=10 * room * tolerance)
    assert scores == pytest.approx(expected[:, 1:], rel=100 * room * tolerance, abs=room * tolerance)
    assert target_logits == pytest.approx(expected[:, 0], rel=100 * room * tolerance, abs=room * tolerance)
    assert scores[1, 4] == scores[2, 5] == 0

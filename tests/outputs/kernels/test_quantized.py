"""Products with 8-bit numbers against NumPy in float64."""

from __future__ import annotations

import numpy as np
import pytest

from windrow.numeric.simd import LANES
from windrow.outputs.kernels.quantized import score_codes


@pytest.mark.parametrize(("words", "stride"), [(16, 16), (48, 208)])
def test_scores_of_codes(words, stride):
    dice = np.random.default_rng(words)
    codes = dice.integers(-128, 128, (words, stride)).astype(np.int8)
    hidden, scales, biases = (dice.standard_normal(size).astype(np.float32) for size in (stride, words, words))
    scores = np.full(words + LANES, np.nan, np.float32)

    score_codes(hidden, codes.reshape(-1), scales, biases, scores)

    expected = codes.astype(np.float64) @ hidden * scales + biases
    assert scores[:words] == pytest.approx(expected, rel=1e-5, abs=1e-3)

"""Output weights of 8 bits: as the softmax they come from, to the rounding of the weights."""

from __future__ import annotations

import numpy as np
import pytest

from tests.outputs.cases import SIZES, random_block, random_layer
from windrow.errors import OptionError
from windrow.outputs.quantized import QuantizedSoftmax


@pytest.mark.parametrize("name", ["softmax", "nce"])
@pytest.mark.parametrize("words", SIZES)
def test_a_quantized_layer_is_the_softmax_of_its_codes(name, words):
    layer = random_layer(name, words, 21, dtype=np.float32)
    block = random_block(layer)

    quantized = QuantizedSoftmax.of(layer)

    codes, scales, biases = (quantized.arrays[part].astype(np.float64) for part in ("codes", "scales", "biases"))
    weights = layer.scores.weights
    assert (np.abs(weights - codes * scales[:, None]) <= 0.51 * scales[:, None]).all()
    logits = block.hidden.astype(np.float64) @ (codes * scales[:, None]).T + biases
    expected = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    targets = expected[np.arange(len(logits)), block.targets]
    assert quantized.target_log_probs(*block) == pytest.approx(targets, abs=1e-4)
    for row, log_probs in zip(block.hidden, expected, strict=True):
        probabilities = quantized.distribution(row)
        assert probabilities == pytest.approx(np.exp(log_probs), rel=1e-4, abs=1e-12)
        assert probabilities.sum() == pytest.approx(1, abs=1e-9)
        assert (probabilities[layer.counts == 0] == 0).all()


def test_weights_of_zero():
    layer = random_layer("softmax", 50, dtype=np.float32)
    layer.weights.value[3] = 0

    quantized = QuantizedSoftmax.of(layer)

    assert (quantized.arrays["codes"][3] == 0).all()
    assert np.isfinite(quantized.arrays["scales"]).all()


@pytest.mark.parametrize("name", ["hierarchical", "classes", "adaptive"])
def test_only_a_full_softmax_has_such_weights(name):
    with pytest.raises(OptionError, match="softmax"):
        QuantizedSoftmax.of(random_layer(name))


def test_it_cannot_be_trained():
    layer = QuantizedSoftmax.of(random_layer("softmax", dtype=np.float32))
    block = random_block(layer)

    with pytest.raises(OptionError, match="cannot be trained"):
        layer.loss_and_gradient(*block, np.empty_like(block.hidden))

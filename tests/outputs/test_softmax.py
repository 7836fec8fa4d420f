from __future__ import annotations

import numpy as np
import pytest

from tests.outputs.cases import random_block, random_layer
from windrow.errors import OptionError
from windrow.nn.parameters import Parameter
from windrow.outputs.tiled_softmax import Scores, TiledSoftmax


def definition(scores: Scores, block) -> tuple[float, list[np.ndarray]]:
    """The loss and its gradients by rows, weights and biases, with every number at once, in float64."""
    hidden, weights, biases = (array.astype(np.float64) for array in (block.hidden, *scores))
    logits = hidden @ weights.T + biases
    log_probs = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    errors, rows = np.exp(log_probs), np.arange(len(hidden))
    errors[rows, block.targets] -= 1
    return -log_probs[rows, block.targets].sum(), [errors @ weights, errors.T @ hidden, errors.sum(axis=0)]


@pytest.mark.parametrize(("tile", "powers_held"), [(1000, 1 << 20), (64, 1 << 20), (37, 5000), (700, 1)])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 3e-6), (np.float64, 1e-12)])
def test_tiles_and_groups_of_any_size(tile, powers_held, dtype, tolerance):
    layer = random_layer("softmax", 700, 13, dtype=dtype)
    block, softmax = random_block(layer, rows=33), TiledSoftmax(tile, powers_held)
    scores = Scores(layer.weights.value, layer.biases.value)
    d_hidden, into = np.empty_like(block.hidden), Scores(*map(np.zeros_like, scores))

    loss = softmax.loss_and_gradient(scores, *block, d_hidden, into, scale=0.5, factor=-2.0)

    expected, (by_hidden, by_weights, by_biases) = definition(scores, block)
    assert loss == pytest.approx(expected, rel=tolerance)
    for found, wanted in ((d_hidden, 0.5 * by_hidden), (into.weights, -by_weights), (into.biases, -by_biases)):
        assert np.abs(found - wanted).max() < 10 * tolerance * np.abs(wanted).max()
    assert softmax.target_log_probs(scores, *block).sum() == pytest.approx(-expected, rel=tolerance)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_targets_that_are_next_to_impossible(dtype):
    """Their scores are no reference for the others: e^200 is no float32."""
    layer = random_layer("softmax", 700, 13, dtype=dtype)
    block = random_block(layer, rows=33)
    block.hidden[::3] *= 100
    scores, softmax, d_hidden = (
        Scores(layer.weights.value, layer.biases.value),
        TiledSoftmax(64),
        np.empty_like(block.hidden),
    )
    into = Scores(*map(np.zeros_like, scores))

    loss = softmax.loss_and_gradient(scores, *block, d_hidden, into)

    expected, (by_hidden, by_weights, _) = definition(scores, block)
    log_probs = softmax.target_log_probs(scores, *block)
    assert log_probs.min() < -100
    assert loss == pytest.approx(expected, rel=1e-5)
    assert -log_probs.sum() == pytest.approx(expected, rel=1e-5)
    assert np.abs(d_hidden - by_hidden).max() < 1e-4 * np.abs(by_hidden).max()
    assert np.abs(into.weights - by_weights).max() < 1e-4 * np.abs(by_weights).max()


@pytest.mark.parametrize("name", ["softmax", "nce"])
def test_tied_weights_get_the_gradient(name):
    free = random_layer(name, 50)
    block = random_block(free)
    shared = Parameter(free.weights.value.copy())
    tied = random_layer(name, 50, tied=shared)
    tied.biases.value[:] = free.biases.value

    assert "weights" not in tied.parameters
    losses = []
    for layer in (free, tied):
        layer.rng = np.random.default_rng(5)
        losses.append(layer.loss_and_gradient(*block, np.empty_like(block.hidden)))
    assert losses[0] == losses[1]
    assert shared.gradient == pytest.approx(free.weights.gradient, rel=1e-12, abs=1e-15)


def test_what_cannot_be_tied():
    with pytest.raises(OptionError, match="no weights per word"):
        random_layer("hierarchical", 50, tied=Parameter(np.zeros((50, 7))))
    with pytest.raises(OptionError, match=r"\(50, 8\).*\(50, 7\)"):
        random_layer("softmax", 50, tied=Parameter(np.zeros((50, 8))))

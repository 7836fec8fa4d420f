"""Each output layer against its definition, one word at a time."""

from __future__ import annotations

import numpy as np
import pytest

from tests.naive import outputs as naive
from tests.naive.tree import heapq_paths
from tests.outputs.cases import log_distributions, random_block, random_layer
from windrow.outputs.noise import noise_probabilities


def finite(log_probs):
    """Words that never occur have the probability 0, and not e**-10000."""
    found = np.array(log_probs)
    return np.where(found < -1000, -np.inf, found)


def by_rank(layer, log_probs):
    """From the order of the ranks to that of the words."""
    words = np.empty(len(log_probs))
    words[layer.order] = log_probs
    return words


def test_full_softmax():
    layer = random_layer("softmax", 700)
    block = random_block(layer, rows=5)

    expected = [naive.softmax_log_probs(h, layer.weights.value, layer.biases.value) for h in block.hidden]

    assert log_distributions(layer, block.hidden) == pytest.approx(finite(expected), rel=1e-11)


def test_hierarchical_softmax():
    layer = random_layer("hierarchical", 50)
    block = random_block(layer, rows=5)
    paths = heapq_paths(layer.counts.tolist())

    expected = [[naive.path_log_prob(h, layer.nodes.value, path) for path in paths] for h in block.hidden]

    assert log_distributions(layer, block.hidden) == pytest.approx(finite(expected), rel=1e-11)


@pytest.mark.parametrize("name", ["classes", "adaptive"])
def test_clusters(name):
    layer = random_layer(name, 50, 9)
    block = random_block(layer, rows=5)
    value = {parameter_name: parameter.value for parameter_name, parameter in layer.parameters.items()}
    clusters = [
        (value.get(f"cluster{n}_projection"), value[f"cluster{n}_weights"], value[f"cluster{n}_biases"])
        for n in range(1, len(layer.clusters) + 1)
    ]
    root = value["root_weights"], value["root_biases"]

    expected = [by_rank(layer, naive.clustered_log_probs(h, root, clusters)) for h in block.hidden]

    assert len(clusters) > 1
    assert log_distributions(layer, block.hidden) == pytest.approx(finite(expected), rel=1e-11)


@pytest.mark.parametrize("power", [1.0, 0.5])
@pytest.mark.parametrize(
    ("objective", "naive_loss"),
    [("nce", naive.noise_contrastive_loss), ("sampled-softmax", naive.sampled_softmax_loss)],
)
def test_noise(objective, naive_loss, power):
    layer = random_layer("nce", 50, objective=objective, noise_power=power)
    block = random_block(layer, rows=6)
    noise = layer.draw_noise()
    drawn = np.repeat(noise.words, noise.counts).tolist()
    probabilities = noise_probabilities(layer.counts, power)

    loss = layer.loss_against(noise, *block, np.empty_like(block.hidden))

    scores = block.hidden @ layer.weights.value.T + layer.biases.value[:, 0]
    expected = [
        naive_loss(row, int(target), drawn, probabilities, 20)
        for row, target in zip(scores, block.targets, strict=True)
    ]
    assert len(drawn) == 20
    assert loss == pytest.approx(sum(expected), rel=1e-10)

"""Each output layer against its definition, one word at a time."""

from __future__ import annotations

import numpy as np
import pytest

from tests.naive import outputs as naive
from tests.naive.tree import heapq_paths
from tests.outputs.cases import random_block, random_head
from windrow.outputs.noise import noise_probabilities


def by_rank(head, log_probs):
    """From the order of the ranks to that of the words."""
    words = np.empty(len(log_probs))
    words[head.order] = log_probs
    return words


def test_full_softmax():
    head = random_head("softmax", 700)
    block = random_block(head, rows=5)

    expected = [naive.softmax_log_probs(h, head.weights.value, head.biases.value) for h in block.hidden]

    assert head.log_distribution(block.hidden) == pytest.approx(np.array(expected), rel=1e-12)


def test_hierarchical_softmax():
    head = random_head("hierarchical", 50)
    block = random_block(head, rows=5)
    paths = heapq_paths(head.counts.tolist())

    expected = [[naive.path_log_prob(h, head.nodes.value, path) for path in paths] for h in block.hidden]

    assert head.log_distribution(block.hidden) == pytest.approx(np.array(expected), rel=1e-12)


@pytest.mark.parametrize("name", ["classes", "adaptive"])
def test_clusters(name):
    head = random_head(name, 50, 9)
    block = random_block(head, rows=5)
    value = {parameter_name: parameter.value for parameter_name, parameter in head.parameters.items()}
    clusters = [
        (value.get(f"cluster{n}_projection"), value[f"cluster{n}_weights"], value[f"cluster{n}_biases"])
        for n in range(1, len(head.clusters) + 1)
    ]
    root = value["root_weights"], value["root_biases"]

    expected = [by_rank(head, naive.clustered_log_probs(h, root, clusters)) for h in block.hidden]

    assert len(clusters) > 1
    assert head.log_distribution(block.hidden) == pytest.approx(np.array(expected), rel=1e-12)


@pytest.mark.parametrize("power", [1.0, 0.5])
@pytest.mark.parametrize(
    ("objective", "naive_loss"),
    [("nce", naive.noise_contrastive_loss), ("sampled-softmax", naive.sampled_softmax_loss)],
)
def test_noise(objective, naive_loss, power):
    head = random_head("nce", 50, objective=objective, noise_power=power)
    block = random_block(head, rows=6)
    noise = head.draw_noise()
    drawn = np.repeat(noise.words, noise.counts).tolist()
    probabilities = noise_probabilities(head.counts, power)

    loss = head.loss_against(noise, *block, np.empty_like(block.hidden))

    scores = block.hidden @ head.weights.value.T + head.biases.value[:, 0]
    expected = [
        naive_loss(row, int(target), drawn, probabilities, 20)
        for row, target in zip(scores, block.targets, strict=True)
    ]
    assert len(drawn) == 20
    assert loss == pytest.approx(sum(expected), rel=1e-10)

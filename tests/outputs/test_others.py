"""What only one of the output layers has."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.outputs.cases import random_block, random_counts, random_layer
from windrow.outputs import output_layer
from windrow.outputs.contract import OutputOptions


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["classes", "adaptive"]),
    st.lists(st.integers(0, 1000), min_size=1, max_size=60).filter(any),
    st.lists(st.integers(1, 80), max_size=3, unique=True).map(sorted),
    st.integers(0, 9),
)
def test_clusters_part_the_vocabulary(name, counts, cutoffs, classes):
    options = OutputOptions(cutoffs=tuple(cutoffs), classes=classes)
    layer = output_layer(name)(np.array(counts, np.int64), 8, np.random.default_rng(0), np.float64, options)

    ranks = [*range(layer.bounds[0]), *(rank for first, last in layer.clusters for rank in range(first, last))]
    assert ranks == list(range(len(counts)))
    assert all(first < last for first, last in layer.clusters)
    assert sorted(layer.order) == ranks
    distribution = layer.distribution(np.zeros(8))
    assert distribution == pytest.approx(np.array(counts) / sum(counts), abs=1e-9)


def test_cutoffs_and_dimensions_of_the_adaptive_softmax():
    layer = random_layer("adaptive", 100, 32, cutoffs=(10, 40), shrink=4.0)

    shapes = {name: parameter.value.shape for name, parameter in layer.parameters.items()}
    assert shapes["root_weights"] == (12, 32)  # ten words and two clusters
    assert shapes["cluster1_weights"] == (30, 8)
    assert shapes["cluster2_weights"] == (60, 2)
    assert shapes["cluster2_projection"] == (2, 32)


def test_frequent_words_are_in_small_classes():
    layer = random_layer("classes", 700, classes=20)

    sizes = [last - first for first, last in layer.clusters]
    assert 10 < len(sizes) <= 20
    assert sizes[0] < sizes[-1]
    assert layer.bounds[0] == 0


def test_noise_words_are_drawn_as_often_as_they_should_be():
    layer = random_layer("nce", 30, noise_words=2000, noise_power=0.5)
    drawn = np.zeros(30)
    for _ in range(50):
        noise = layer.draw_noise()
        assert noise.counts.sum() == 2000
        drawn[noise.words] += noise.counts

    expected = np.sqrt(layer.counts) / np.sqrt(layer.counts).sum() * 100_000
    assert (np.abs(drawn - expected) <= 5 * np.sqrt(expected)).all()  # five standard deviations
    assert drawn[1] == 0  # it never occurs


@pytest.mark.parametrize("objective", ["nce", "sampled-softmax"])
def test_noise_trains_towards_the_full_softmax(objective):
    """With all rows equal the best scores are known: the frequencies of the targets."""
    counts = random_counts(np.random.default_rng(2), 12)
    layer = output_layer("nce")(counts, 3, np.random.default_rng(0), np.float64, OutputOptions(objective=objective))
    layer.biases.value[counts > 0] = 0
    targets = np.repeat(np.arange(12, dtype=np.int32), counts % 50)
    wanted = np.bincount(targets, minlength=12) / len(targets)
    hidden = np.zeros((len(targets), 3))
    for step in range(400):
        layer.sgd_step(hidden, targets, np.empty_like(hidden), rate=2.0 / (1 + step / 40), scale=1 / len(targets) * 8)

    # Words that are no target sink without end, those with many come out as frequent as they are.
    assert layer.distribution(hidden[0]) == pytest.approx(wanted, abs=0.03)
    if objective == "nce":
        frequent = np.flatnonzero(wanted > 0.05).astype(np.int32)
        quick = layer.quick_log_probs(hidden[: len(frequent)], frequent)
        assert quick == pytest.approx(layer.target_log_probs(hidden[: len(frequent)], frequent), abs=0.3)


def test_the_same_noise_for_the_same_generator():
    layer = random_layer("nce", 50)
    block = random_block(layer)
    losses = []
    for seed in (7, 7, 8):
        layer.rng = np.random.default_rng(seed)
        losses.append(layer.loss_and_gradient(*block, np.empty_like(block.hidden)))

    assert losses[0] == losses[1] != losses[2]

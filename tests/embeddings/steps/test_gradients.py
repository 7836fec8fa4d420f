"""The update that a shipped kernel makes is minus the gradient of the loss that it returns, by central differences."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.embeddings.steps.cases import MODES, Model, random_text
from tests.naive.windows import Text
from windrow.embeddings.steps import STEPS

COUNTS = [90, 40, 40, 25, 12, 9, 9, 4, 3, 2, 1]
Train = Callable[[float], float]  # from a learning rate to the loss


def numerical_gradient(model: Model, train: Train) -> list[NDArray[np.floating]]:
    """Of the loss with respect to the input vectors and the layer's parameters; nothing is learned meanwhile."""
    difference = 1e-5
    gradients = []
    for table in (model.inputs, *model.outputs):
        gradient = np.zeros(table.shape)
        for place in np.ndindex(table.shape):
            value = table[place]
            table[place] = value + difference
            above = train(0)
            table[place] = value - difference
            gradient[place] = (above - train(0)) / (2 * difference)
            table[place] = value
        gradients.append(gradient)
    return gradients


def gradient_by_training(model: Model, train: Train) -> list[NDArray[np.floating]]:
    """From the parameters after one step uphill and after one downhill.

    An update sees what the ones before it changed; the difference of the two steps frees it of that, to order rate**2.
    """
    rate = 1e-6
    start = model.parameters()
    train(-rate)
    uphill = model.parameters()
    model.set_parameters(start)
    train(rate)
    downhill = model.parameters()
    model.set_parameters(start)
    return [(above - below) / (2 * rate) for above, below in zip(uphill, downhill, strict=True)]


def relative_error(value: NDArray[np.floating], reference: NDArray[np.floating]) -> float:
    return float(np.abs(value - reference).max() / np.abs(reference).max())


def equal_windows(generator: np.random.Generator, window: int) -> Text:
    """Three sentences in which the context of every word is all the rest."""
    text = random_text(generator, len(COUNTS), [window + 1] * 3, window)
    for center in range(len(text.words)):
        first = center // (window + 1) * (window + 1)
        text.windows[center] = [j for j in range(first, first + window + 1) if j != center]
    return text


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", STEPS)
def test_block_kernel(name, mode):
    window = 3
    model = Model(name, MODES[mode], counts=COUNTS, vector_size=5, window=window, block_size=5)
    text = equal_windows(np.random.default_rng(11), window)
    # CBOW multiplies the gradient of a mean by the number of context words, and divides that of a sum by it.
    scale = {"skipgram": 1, "cbow-mean": window, "cbow-sum": 1 / window}[mode]

    def train(rate: float) -> float:
        return model.train_blocks(text, rate)

    inputs, outputs = gradient_by_training(model, train)
    true_inputs, true_outputs = numerical_gradient(model, train)

    assert relative_error(inputs, scale * true_inputs) < 1e-6
    assert relative_error(outputs, true_outputs) < 1e-6


@pytest.mark.parametrize("name", STEPS)
def test_block_kernel_with_sentences_of_all_lengths(name):
    model = Model(name, MODES["skipgram"], counts=COUNTS, vector_size=17, window=2, block_size=64)
    text = random_text(np.random.default_rng(5), len(COUNTS), [0, 6, 1, 2, 7], 2)

    def train(rate: float) -> float:
        return model.train_blocks(text, rate)

    for gradient, reference in zip(gradient_by_training(model, train), numerical_gradient(model, train), strict=True):
        assert relative_error(gradient, reference) < 1e-6


@pytest.mark.parametrize("mode", MODES)
def test_pair_kernel_of_the_softmax(mode):
    """The other layers' pair kernels look the logistic up in word2vec's coarse table: no gradient of anything."""
    window = 2
    model = Model("softmax", MODES[mode], counts=COUNTS, vector_size=5, window=window)
    text = equal_windows(np.random.default_rng(12), window)
    scale = {"skipgram": 1, "cbow-mean": window, "cbow-sum": 1 / window}[mode]
    if MODES[mode].skipgram:
        text.weights = [0.0, 1.0, 1.0]  # the rate carries the weight, and the loss of a pair does not

    def train(rate: float) -> float:
        return model.train_pairs(text, rate)

    inputs, outputs = gradient_by_training(model, train)
    true_inputs, true_outputs = numerical_gradient(model, train)

    assert relative_error(inputs, scale * true_inputs) < 1e-6
    assert relative_error(outputs, true_outputs) < 1e-6

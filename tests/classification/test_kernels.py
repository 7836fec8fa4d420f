"""Steps of training: equal to their definition in float64, and gradients of the loss that they return."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.naive import classification as naive
from windrow.classification.kernels.rows import Rows, add_rows, sum_rows
from windrow.classification.kernels.steps import Batch, Scratch, Tables, train_texts, tree_probabilities
from windrow.classification.losses import loss_of
from windrow.numeric.tables import padded_width
from windrow.outputs.tree import huffman_tree

CLASSES, DIM = 5, 6
COUNTS = np.array([7, 3, 9, 1, 2])
TEXTS = [[3, 8, 3], [1], [], [9, 0, 4, 4, 4]]  # rows of features, of which some come twice
LABELS = [[2], [0], [1], [4]]
RATES = (0.3, 0.05)


def as_rows(lists: list[list[int]]) -> Rows:
    starts = np.concatenate([[0], np.cumsum([len(one) for one in lists])]).astype(np.int64)
    return Rows(np.array([one for each in lists for one in each], np.int32), starts)


def tables(loss: str) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    return rng.normal(size=(10, DIM)), rng.normal(size=(CLASSES - (loss == "hs"), DIM))


def padded(table: Any, rows: int = 0) -> Any:
    """A table with zeros around it, as kernels take it."""
    wide = np.zeros((len(table) + rows, padded_width(table.shape[1])))
    wide[: len(table), : table.shape[1]] = table
    return wide


def train(loss: str, inputs: Any, outputs: Any, texts: Any = TEXTS, labels: Any = LABELS, rates: Any = RATES) -> float:
    """Texts from the last to the first, so that no number of a text is its place; the tables are changed."""
    order = np.arange(len(texts))[::-1].copy()
    return step(loss_of(loss, COUNTS, 2), inputs, outputs, Batch(order, as_rows(texts), order), labels, rates)


def step(loss: Any, inputs: Any, outputs: Any, batch: Batch, labels: Any, rates: Any, seed: int = 0) -> float:
    wide = padded(inputs), padded(outputs, -len(outputs) % 4)
    width = wide[0].shape[1]
    tables = Tables(wide[0].reshape(-1), wide[1].reshape(-1), width, len(outputs))
    scores = padded_width(len(outputs))
    scratch = Scratch(np.empty(width), np.empty(width), np.empty(scores), np.zeros(scores))
    summed = train_texts(batch, as_rows(labels), tables, loss, rates, scratch, np.array([seed], np.uint64))
    for table, learned in zip((inputs, outputs), wide, strict=True):
        assert not learned[len(table) :].any()
        assert not learned[:, table.shape[1] :].any()
        table[:] = learned[: len(table), : table.shape[1]]
    return summed


def alone(text: list[int]) -> Batch:
    return Batch(np.zeros(1, np.int64), as_rows([text]), np.zeros(1, np.int64))


def naive_step(loss: str, labels: list[int], rate: float, outputs: Any) -> Any:
    tree = huffman_tree(COUNTS)

    def step(hidden: Any, gradient: Any) -> float:
        if loss == "softmax":
            return naive.choose(labels[0], rate, outputs, hidden, gradient)
        if loss == "hs":
            places = range(tree.starts[labels[0]], tree.starts[labels[0] + 1])
            asked = [(tree.codes[place] == 1, tree.nodes[place]) for place in places]
        else:
            asked = [(row in labels, row) for row in range(CLASSES)]
        return sum(naive.ask(is_true, row, rate, outputs, hidden, gradient) for is_true, row in asked)

    return step


@pytest.mark.parametrize("loss", ["softmax", "hs", "ova"])
def test_steps_are_those_of_the_definition(loss: str) -> None:
    labels = [[2], [0, 3, 0], [1], [4, 1]] if loss == "ova" else LABELS
    inputs, outputs = tables(loss)
    inputs_2, outputs_2 = inputs.copy(), outputs.copy()

    summed = train(loss, inputs, outputs, labels=labels)

    expected = 0.0
    for i, text in enumerate(range(len(TEXTS) - 1, -1, -1)):
        if TEXTS[text]:
            move = naive_step(loss, labels[text], RATES[0] - i * RATES[1], outputs_2)
            expected += naive.train_text(TEXTS[text], inputs_2, move)
    assert summed == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(inputs, inputs_2, rtol=0, atol=1e-12)
    np.testing.assert_allclose(outputs, outputs_2, rtol=0, atol=1e-12)


@pytest.mark.parametrize("loss", ["softmax", "hs", "ns", "ova"])
def test_steps_go_down_the_gradient_of_the_loss(loss: str) -> None:
    """Central differences through the kernel itself, whose drawn classes are the same each time."""
    text, label, tiny, rate = [[3, 8, 5]], [[2]], 1e-5, 1e-6

    def loss_at(inputs: Any, outputs: Any) -> float:
        return train(loss, inputs.copy(), outputs.copy(), text, label, (0.0, 0.0))

    inputs, outputs = tables(loss)
    moved = inputs.copy(), outputs.copy()
    train(loss, *moved, text, label, (rate, 0.0))
    for which, (before, after) in enumerate(zip((inputs, outputs), moved, strict=True)):
        for place in np.ndindex(before.shape):
            ends = []
            for sign in (1, -1):
                pair = [inputs.copy(), outputs.copy()]
                pair[which][place] += sign * tiny
                ends.append(loss_at(*pair))
            gradient = (ends[0] - ends[1]) / (2 * tiny)
            assert (before[place] - after[place]) / rate == pytest.approx(gradient, rel=1e-4, abs=1e-6)


def test_one_of_several_labels_is_drawn() -> None:
    drawn = set()
    for state in range(40):
        inputs, outputs = tables("softmax")
        before = outputs.copy()
        step(loss_of("softmax", COUNTS, 2), inputs, outputs, alone([3]), [[1, 4]], (0.1, 0.0), state)
        towards = (outputs - before) @ inputs[3]
        drawn.add(int(towards.argmax()))
    assert drawn == {1, 4}


def test_noise_is_never_the_class_itself() -> None:
    """With two classes each draw is the other one, so that what is asked is known."""
    inputs, outputs = tables("ns")
    outputs, counts = outputs[:2].copy(), np.array([9, 1])
    inputs_2, outputs_2 = inputs.copy(), outputs.copy()

    summed = step(loss_of("ns", counts, 3), inputs, outputs, alone([3, 5]), [[0]], (0.2, 0.0))

    def four_questions(hidden: Any, gradient: Any) -> float:
        asked = [(True, 0), (False, 1), (False, 1), (False, 1)]
        return sum(naive.ask(is_true, row, 0.2, outputs_2, hidden, gradient) for is_true, row in asked)

    assert summed == pytest.approx(naive.train_text([3, 5], inputs_2, four_questions), rel=1e-12)
    np.testing.assert_allclose(inputs, inputs_2, atol=1e-12)


@pytest.mark.parametrize("dim", [1, 6, 16, 50, 64, 83])
def test_sums_of_rows(dim: int) -> None:
    """Of widths below 16, at it, and between its multiples; nothing is added twice."""
    inputs = np.random.default_rng(4).normal(size=(10, dim))
    sums = np.zeros((len(TEXTS), dim))

    sum_rows(as_rows(TEXTS), inputs.reshape(-1), dim, sums.reshape(-1))

    expected = [inputs[text].sum(axis=0) for text in TEXTS]
    np.testing.assert_allclose(sums, expected, atol=1e-14)
    add_rows(np.array([3, 3, 8], np.int32), 1, 3, inputs.reshape(-1), dim, 0.5, sums.reshape(-1), dim)
    np.testing.assert_allclose(sums[1], expected[1] + (inputs[3] + inputs[8]) / 2, atol=1e-14)


@pytest.mark.parametrize("classes", [1, 4, 17, 37])
@pytest.mark.parametrize("loss", ["softmax", "ova"])
def test_any_number_of_classes(loss: str, classes: int) -> None:
    """Whole tiles and parts of them, of one row of 16 numbers and of several."""
    rng, dim = np.random.default_rng(classes), 40
    inputs, outputs, target = rng.normal(size=(3, dim)), rng.normal(size=(classes, dim)), classes - 1
    inputs_2, outputs_2 = inputs.copy(), outputs.copy()

    summed = step(loss_of(loss, np.ones(classes), 1), inputs, outputs, alone([2, 0]), [[target]], (0.2, 0.0))

    def move(hidden: Any, gradient: Any) -> float:
        if loss == "softmax":
            return naive.choose(target, 0.2, outputs_2, hidden, gradient)
        return sum(naive.ask(row == target, row, 0.2, outputs_2, hidden, gradient) for row in range(classes))

    assert summed == pytest.approx(naive.train_text([2, 0], inputs_2, move), rel=1e-12, abs=1e-12)
    np.testing.assert_allclose(inputs, inputs_2, atol=1e-12)
    np.testing.assert_allclose(outputs, outputs_2, atol=1e-12)


def test_probabilities_of_a_tree_sum_to_1() -> None:
    scores, probabilities = np.random.default_rng(1).normal(size=(3, CLASSES - 1)), np.empty((3, CLASSES))

    tree_probabilities(scores, loss_of("hs", COUNTS, 1).tree, probabilities)

    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-12)
    tree = huffman_tree(COUNTS)
    places = range(tree.starts[3], tree.starts[4])
    sides = [scores[1, tree.nodes[place]] * (1 if tree.codes[place] else -1) for place in places]
    assert probabilities[1, 3] == pytest.approx(np.prod([naive.logistic(side) for side in sides]), rel=1e-12)

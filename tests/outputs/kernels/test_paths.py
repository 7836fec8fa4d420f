"""Walks along paths against the definition, one node at a time."""

from __future__ import annotations

import numpy as np
import pytest

from tests.naive import steps as naive
from windrow.numeric.simd import LANES
from windrow.outputs.kernels.paths import (
    NodeGradients,
    PathRows,
    Paths,
    collect_along_paths,
    learn_along_paths,
    number_nodes,
    path_log_probs,
    sum_paths,
)

STRIDE = 48  # 32 dimensions at once, and the 16 that remain
CODES = [[(1, 0), (0, 0)], [(1, 0), (0, 1)], [(1, 1)]]  # words 0 and 1 below node 0, word 2 right of the root, node 1

both = pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-13)])


def two_level_paths(dtype: type[np.floating]) -> Paths:
    nodes, signs = [1, 0, 1, 0, 1], [1, 1, 1, -1, -1]
    pad = [0] * LANES
    starts = np.array([0, 2, 4, 5])
    return Paths(starts, np.array(nodes + pad, np.int32), np.array(signs + pad, dtype), STRIDE, LANES, 1)


def random_rows(targets: list[int], dtype: type[np.floating]) -> tuple[PathRows, np.ndarray]:
    """Rows in another order than their targets, one of which counts nothing; and a table of two nodes."""
    dice, number = np.random.default_rng(len(targets)), len(targets)
    first_rows, weights = dice.permutation(number).astype(np.int32), dice.random(number).astype(dtype)
    weights[number // 2] = 0
    hidden, gradient, table = (dice.standard_normal((n, STRIDE)).astype(dtype) / 4 for n in (number, number, 2))
    rows = PathRows(np.array(targets, np.int32), first_rows, weights, hidden.reshape(-1), gradient.reshape(-1))
    return rows, table


def naive_walk(rows: PathRows, table: np.ndarray, rate: float, group: int) -> tuple[np.ndarray, np.ndarray, float]:
    """The gradient of the rows, the table and the loss that there should be."""
    hidden, outputs = rows.hidden.reshape(-1, STRIDE).astype(np.float64), table.astype(np.float64)
    targets = [
        (int(word), [(int(row), float(weight))])
        for word, row, weight in zip(rows.targets, rows.first_rows, rows.weights, strict=True)
    ]
    by_row = dict(enumerate(hidden))
    added, loss = naive.hierarchical_softmax_block(by_row, targets, rate, outputs, CODES, group)
    return rows.gradient.reshape(-1, STRIDE) + list(added.values()), outputs, loss


@both
@pytest.mark.parametrize("group", [1, 4])
def test_rows_and_nodes_learn(group, dtype, tolerance):
    paths, (rows, table) = two_level_paths(dtype), random_rows([1, 0, 2, 2, 1, 0, 0, 2, 1], dtype)
    gradient, outputs, expected = naive_walk(rows, table, 0.25, group)
    flat, scratch = table.reshape(-1), np.full(group * paths.width + LANES, np.nan, dtype)

    loss = learn_along_paths(rows, 9, group, 0.25, 1.0, flat, paths, scratch)

    assert loss == pytest.approx(expected, rel=tolerance)
    assert rows.gradient.reshape(-1, STRIDE) == pytest.approx(gradient, rel=tolerance, abs=tolerance)
    assert table == pytest.approx(outputs, rel=tolerance, abs=tolerance)


@both
def test_gradients_of_nodes_are_collected(dtype, tolerance):
    """All rows see the same nodes; the gradients come in the order in which the nodes are first seen."""
    paths, (rows, table) = two_level_paths(dtype), random_rows([2, 1, 2], dtype)
    before, flat, scratch = table.copy(), table.reshape(-1), np.zeros(2 * LANES, dtype)
    slots, touched, numbered = np.full(2, -1, np.int32), np.empty(2, np.int32), np.zeros_like(paths.nodes)
    expected = np.zeros((2, STRIDE))
    for word, row, weight in zip(rows.targets, rows.first_rows, rows.weights, strict=True):
        single = table.astype(np.float64)
        hidden = {0: rows.hidden.reshape(-1, STRIDE)[row].astype(np.float64)}
        naive.hierarchical_softmax_block(hidden, [(int(word), [(0, float(weight))])], 1.0, single, CODES, 1)
        expected += single - table

    known = number_nodes(rows.targets, paths, slots, touched, numbered)
    sums = np.zeros((known, STRIDE), dtype)
    collect_along_paths(rows, 3, flat, paths, scratch, NodeGradients(sums.reshape(-1), numbered, 2.0))

    assert touched.tolist() == [1, 0]
    assert sums == pytest.approx(2 * expected[touched], rel=100 * tolerance, abs=10 * tolerance)
    assert np.array_equal(table, before)


@both
def test_probabilities_of_paths(dtype, tolerance):
    paths = two_level_paths(dtype)
    rows, table = random_rows([1, 0, 2], dtype)
    hidden = rows.hidden.reshape(-1, STRIDE)
    left = 1 / (1 + np.exp(-(hidden.astype(np.float64) @ table.T)))  # (rows, nodes)
    expected = np.log(np.stack([left[:, 1] * left[:, 0], left[:, 1] * (1 - left[:, 0]), 1 - left[:, 1]], axis=1))

    found = np.empty((3, 3), dtype)
    for row, scores in enumerate(hidden @ table.T):
        sum_paths(scores, paths, np.empty(2, dtype), found[row])
    log_probs = np.empty(3)
    path_log_probs(rows.hidden, rows.targets, table.reshape(-1), paths, np.zeros(2 * LANES, dtype), log_probs)

    assert found == pytest.approx(expected, rel=10 * tolerance, abs=tolerance)
    assert log_probs == pytest.approx(expected[np.arange(3), rows.targets], rel=10 * tolerance, abs=tolerance)


def test_nodes_on_paths_are_numbered():
    paths, touched = two_level_paths(np.float64), np.empty(2, np.int32)
    slots, numbered = np.full(2, -1, np.int32), np.full(5 + LANES, -7, np.int32)

    assert number_nodes(np.array([2, 2], np.int32), paths, slots, touched, numbered) == 1
    assert (touched[0], slots.tolist()) == (1, [-1, 0])
    assert numbered[:5].tolist() == [-7, -7, -7, -7, 0]
    assert number_nodes(np.array([1], np.int32), paths, slots * 0 - 1, touched, numbered) == 2
    assert touched.tolist() == [1, 0]
    assert numbered[:5].tolist() == [-7, -7, 0, 1, 0]

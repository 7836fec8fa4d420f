"""The kernels of the output layers of language models against NumPy; the layers themselves: tests/lm/heads."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.naive.outputs import contexts as naive_contexts
from windrow.lm.neural.kernels import gather_contexts
from windrow.numeric.alias import alias_table, draw_words
from windrow.numeric.rows import add_to_rows, sum_equal_rows
from windrow.numeric.simd import LANES
from windrow.outputs.kernels.paths import Paths, number_nodes, path_log_probs, sum_paths
from windrow.outputs.kernels.softmax import exponentiate, log_normalise, normalise, raise_to_highest

both = pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-13)])
widths = pytest.mark.parametrize("words", [1, 15, 16, 35])


def random_scores(words: int, dtype: type[np.floating]) -> np.ndarray:
    return (np.random.default_rng(words).standard_normal((3, words)) * 5).astype(dtype)


@both
@widths
def test_exponentials_and_their_sums(words, dtype, tolerance):
    scores, biases = random_scores(words, dtype), random_scores(words, dtype)[0]
    references, sums = np.array([0, 3, -2], dtype), np.ones(3)
    expected = np.exp((scores + biases).astype(np.float64) - references[:, None])

    exponentiate(scores.reshape(-1), words, biases, references, sums)

    assert scores == pytest.approx(expected, rel=10 * tolerance)
    assert sums == pytest.approx(1 + expected.sum(axis=1), rel=tolerance)


@both
@widths
def test_log_normalise(words, dtype, tolerance):
    scores = random_scores(words, dtype)
    scores[1] += 300  # beyond what exp can take
    expected = scores - np.logaddexp.reduce(scores.astype(np.float64), axis=1, keepdims=True)

    log_normalise(scores.reshape(-1), words, np.empty(LANES, dtype))

    assert scores == pytest.approx(expected, rel=tolerance, abs=100 * tolerance)


@both
@widths
def test_normalise(words, dtype, tolerance):
    scores = random_scores(words, dtype)[0] + dtype(300)
    scores[-1] = 300 - 95
    powers = np.exp(scores.astype(np.float64) - scores.max().astype(np.float64))
    powers[powers < np.exp(-80)] = 0
    probabilities = np.full(words, np.nan)

    normalise(scores, np.empty(LANES, dtype), probabilities)

    assert probabilities == pytest.approx(powers / powers.sum(), rel=100 * tolerance)


@widths
def test_the_highest_score(words):
    scores, biases = random_scores(words, np.float64), random_scores(words, np.float64)[2]
    highest = np.array([-np.inf, 1e9, -np.inf])
    expected = np.maximum(highest, (scores + biases).max(axis=1))

    raise_to_highest(scores.reshape(-1), words, biases, highest)

    assert np.array_equal(highest, expected)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 9), max_size=30))
def test_rows_of_equal_ids_are_summed(ids):
    rows = np.random.default_rng(0).standard_normal((len(ids), 3))
    slots, distinct, sums = np.full(10, -1, np.int32), np.empty(len(ids), np.int32), np.empty((len(ids), 3))

    known = sum_equal_rows(np.array(ids, np.int32), rows, slots, distinct, sums)

    assert distinct[:known].tolist() == list(dict.fromkeys(ids))
    for word, total in zip(distinct[:known], sums, strict=False):
        assert total == pytest.approx(rows[np.array(ids) == word].sum(axis=0))
    assert (slots == -1).all()


def test_rows_are_added_where_numbers_repeat():
    table, rows = np.zeros((4, 2)), np.arange(6.0).reshape(3, 2)

    add_to_rows(table, np.array([2, 0, 2], np.int32), rows, -2.0)

    assert table.tolist() == [[-4, -6], [0, 0], [-8, -12], [0, 0]]


def test_draws_follow_the_alias_table():
    probabilities = np.array([0.5, 0.0, 0.2, 0.3])
    words = np.empty(20_000, np.int32)

    draw_words(*alias_table(probabilities), np.array([3], np.uint64), words)

    expected = probabilities * len(words)
    assert (np.abs(np.bincount(words, minlength=4) - expected) <= 5 * np.sqrt(expected)).all()


def two_level_paths(dtype: type[np.floating]) -> Paths:
    """Words 0 and 1 below node 0, word 2 right of the root, node 1."""
    nodes, signs = [1, 0, 1, 0, 1], [1, 1, 1, -1, -1]
    pad = [0] * LANES
    return Paths(np.array([0, 2, 4, 5]), np.array(nodes + pad, np.int32), np.array(signs + pad, dtype), LANES)


@both
def test_paths(dtype, tolerance):
    paths = two_level_paths(dtype)
    dice = np.random.default_rng(0)
    table, hidden = dice.standard_normal((2, LANES)).astype(dtype), dice.standard_normal((3, LANES)).astype(dtype)
    left = 1 / (1 + np.exp(-(hidden.astype(np.float64) @ table.T)))  # (rows, nodes)
    expected = np.log(np.stack([left[:, 1] * left[:, 0], left[:, 1] * (1 - left[:, 0]), 1 - left[:, 1]], axis=1))

    found = np.empty((3, 3), dtype)
    for row, scores in enumerate(hidden @ table.T):
        sum_paths(scores, paths, np.empty(2, dtype), found[row])
    targets, log_probs = np.array([1, 0, 2], np.int32), np.empty(3)
    path_log_probs(hidden.reshape(-1), targets, table.reshape(-1), paths, np.zeros(2 * LANES, dtype), log_probs)

    assert found == pytest.approx(expected, rel=10 * tolerance, abs=tolerance)
    assert log_probs == pytest.approx(expected[np.arange(3), targets], rel=10 * tolerance, abs=tolerance)


def test_nodes_on_paths_are_numbered():
    slots, touched = np.full(2, -1, np.int32), np.empty(2, np.int32)

    assert number_nodes(np.array([2, 2], np.int32), two_level_paths(np.float64), slots, touched) == 1
    assert (touched[0], slots.tolist()) == (1, [-1, 0])
    assert number_nodes(np.array([1], np.int32), two_level_paths(np.float64), slots * 0 - 1, touched) == 2
    assert touched.tolist() == [1, 0]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from([1, 1, 2, 5, 6, 7]), min_size=1, max_size=20), st.integers(1, 5), st.data())
def test_contexts_end_where_the_sentence_begins(symbols, window, data):
    positions = data.draw(st.lists(st.integers(0, len(symbols) - 1), max_size=8))
    found = np.full((len(positions), window), -9, np.int32)

    gather_contexts(np.array(symbols, np.int32), np.array(positions, np.int32), 1, found)

    assert found.tolist() == naive_contexts(symbols, positions, window, 1)

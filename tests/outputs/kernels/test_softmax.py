"""The kernels of the output layers of language models against NumPy; the layers themselves: tests/lm/layers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.naive.outputs import contexts as naive_contexts
from windrow.lm.neural.kernels import gather_contexts
from windrow.numeric.rng import alias_table, draw_words
from windrow.numeric.rows import add_to_rows, sum_equal_rows
from windrow.outputs.kernels.softmax import exponentiate, fill_probabilities, normalize_row, raise_to_highest

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
def test_normalize_row(words, dtype, tolerance):
    scores, biases = random_scores(words, dtype), random_scores(words, dtype)[2]
    scores[1] += 300  # beyond what exp can take
    logits, before = (scores[1] + biases).astype(np.float64), scores.copy()
    expected = np.logaddexp.reduce(logits)

    log_normalizer = normalize_row(scores.reshape(-1), words, words, biases)

    assert log_normalizer == pytest.approx(expected, rel=tolerance)
    assert scores[1] == pytest.approx(np.exp(logits - expected), rel=1000 * tolerance, abs=tolerance)
    assert np.array_equal(scores[[0, 2]], before[[0, 2]])


@both
@widths
def test_fill_probabilities(words, dtype, tolerance):
    scores = random_scores(words, dtype)[0] + dtype(300)
    scores[-1] = 300 - 95
    powers = np.exp(scores.astype(np.float64) - scores.max().astype(np.float64))
    powers[powers < np.exp(-80)] = 0
    probabilities = np.full(words, np.nan)

    fill_probabilities(scores, np.zeros(words, dtype), probabilities)

    assert probabilities == pytest.approx(powers / powers.sum(), rel=100 * tolerance)
    assert probabilities.sum() == pytest.approx(1, abs=1e-14)


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


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from([1, 1, 2, 5, 6, 7]), min_size=1, max_size=20), st.integers(1, 5), st.data())
def test_contexts_end_where_the_sentence_begins(symbols, window, data):
    positions = data.draw(st.lists(st.integers(0, len(symbols) - 1), max_size=8))
    found = np.full((len(positions), window), -9, np.int32)

    gather_contexts(np.array(symbols, np.int32), np.array(positions, np.int32), 1, found)

    assert found.tolist() == naive_contexts(symbols, positions, window, 1)

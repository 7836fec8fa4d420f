from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.naive.neighbors import best_answers
from windrow.evaluation.kernels.neighbors import Best, keep_best, keep_best_ratios, keep_best_sums, no_answers, ranked

# Few values, so that scores are often equal; sums, products and quotients of the finite ones are exact.
some_scores = st.sampled_from([-2.0, -0.5, 0.0, 0.5, 1.0, 4.0, np.inf, -np.inf, np.nan])
some_cosines = st.sampled_from([0.0, 0.25, 0.5, 1.0])


@st.composite
def tables(draw: st.DrawFn, numbers: st.SearchStrategy[float]) -> np.ndarray:
    """A few lines of scores; some are longer than a vector of the machine."""
    lines, rows = draw(st.integers(1, 4)), draw(st.integers(1, 40))
    return np.array(draw(st.lists(numbers, min_size=lines * rows, max_size=lines * rows)), np.float32).reshape(
        lines, -1
    )


def answers_of(best: Best) -> list[list[tuple[int, float]]]:
    found = ranked(best)
    pairs = [list(zip(rows.tolist(), scores.tolist(), strict=True)) for scores, rows in zip(*found, strict=True)]
    for line in pairs:  # places that are left are at the end, and marked
        filled = sum(row >= 0 for row, _ in line)
        assert line[filled:] == [(-1, -np.inf)] * (len(line) - filled)
    return [[(row, score) for row, score in line if row >= 0] for line in pairs]


@settings(max_examples=150, deadline=None)
@given(tables(some_scores), st.integers(0, 45), st.integers(1, 41), st.data())
def test_keep_best(products, count, tile, data):
    rows = products.shape[1]
    norms = np.array(data.draw(st.lists(st.sampled_from([0.5, 1, 2]), min_size=rows, max_size=rows)), np.float32)
    best = no_answers(len(products), count)

    for start in range(0, rows, tile):
        part = slice(start, start + tile)
        keep_best(np.ascontiguousarray(products[:, part]), norms[part], start, best)

    assert answers_of(best) == [best_answers((line / norms).tolist(), count) for line in products]


@pytest.mark.parametrize("method", ["3cosadd", "3cosmul"])
@settings(max_examples=60, deadline=None)
@given(tables(some_cosines), st.integers(1, 9), st.integers(1, 41), st.data())
def test_keep_best_of_questions(method, cosines, count, tile, data):
    word = st.integers(0, len(cosines) - 1)
    questions = data.draw(st.lists(st.tuples(word, word, word), min_size=1, max_size=4))
    offer = keep_best_sums if method == "3cosadd" else keep_best_ratios
    best = no_answers(len(questions), count)

    for start in range(0, cosines.shape[1], tile):
        tile_cosines = np.ascontiguousarray(cosines[:, start : start + tile])
        offer(tile_cosines, np.array(questions, np.int64), start, best)

    for (a, b, c), found in zip(questions, answers_of(best), strict=True):
        if method == "3cosadd":
            scores = cosines[b] - cosines[a] + cosines[c]
        else:
            scores = cosines[b] * cosines[c] / (cosines[a] + np.float32(1e-6))
        assert found == best_answers(scores.tolist(), count)


def test_many_answers_of_many_scores():
    generator = np.random.default_rng(3)
    products = generator.integers(-50, 50, (2, 300)).astype(np.float32)  # many ties
    norms = np.ones(300, np.float32)
    best = no_answers(2, 100)

    for start in range(0, 300, 70):
        part = slice(start, start + 70)
        keep_best(np.ascontiguousarray(products[:, part]), norms[part], start, best)

    assert answers_of(best) == [best_answers(line.tolist(), 100) for line in products]

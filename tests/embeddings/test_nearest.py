"""Both ways to the nearest rows against a full sort, on numbers whose products and quotients are exact."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.naive.neighbors import best_answers
from windrow.embeddings import nearest as module
from windrow.embeddings.nearest import best_rows, nearest


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 700), st.integers(1, 30), st.sampled_from([3, 1000]), st.integers(0, 1000))
def test_best_rows(size: int, count: int, spread: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    scores = generator.integers(-spread, spread, size).astype(np.float32)
    for odd in (np.nan, -np.inf, np.inf):
        scores[generator.random(size) < generator.choice([0, 0.02, 0.9])] = odd

    rows = best_rows(scores, count)

    assert rows.tolist() == [row for row, _ in best_answers(scores.tolist(), count)]


@pytest.mark.parametrize("step", [1, 10])
def test_best_rows_beside_a_run_of_nan(step: int) -> None:
    scores = np.arange(640, dtype=np.float32)
    scores[3 : 3 + 64 * step : step] = np.nan
    assert best_rows(scores, 4).tolist() == [639, 638, 637, 636]


@pytest.fixture(params=["at once", "tiles"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Sets how the rows are found, in pieces of a size."""

    def choose(piece: int) -> None:
        sizes = {
            "_FEW_SCORES": 1 << 60 if request.param == "at once" else 0,
            "_TILE_QUERIES": piece,
            "_TILE_SCORES": 2 * piece * piece + 1,
        }
        for name, size in sizes.items():
            monkeypatch.setattr(module, name, size)

    return choose


@pytest.mark.parametrize("count", [1, 4, 50, 60])
@pytest.mark.parametrize("piece", [1, 3, 8, 100])
def test_nearest(way: Any, count: int, piece: int) -> None:
    way(piece)
    generator = np.random.default_rng(piece)
    queries = generator.integers(-2, 3, (8, 3)).astype(np.float32)
    vectors = generator.integers(-2, 3, (50, 3)).astype(np.float32)
    norms = generator.choice([0.5, 1, 2], 50).astype(np.float32)
    vectors[7] = np.nan

    found = list(nearest(queries, vectors, norms, count))

    for query, (rows, scores) in zip(queries, found, strict=True):
        expected = best_answers((vectors @ query / norms).tolist(), count)
        assert list(zip(rows.tolist(), scores.tolist(), strict=True)) == expected
    assert len(found) == 8

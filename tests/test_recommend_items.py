"""The example that recommends items from sessions: it finds the structure that its sessions were made with."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest

EXAMPLE = Path(__file__).parents[1] / "examples" / "recommend_items.py"


@pytest.fixture(scope="module")
def names():
    return runpy.run_path(str(EXAMPLE))


def test_recommends_far_more_than_what_is_popular(names, capsys):
    found = names["main"](["--items", "500", "--sessions", "4000"])

    assert found["nearest vectors"] > 0.5  # 0.8 at best: of the sessions' last events one in five is any item
    assert found["nearest vectors"] > 2 * found["most popular"]
    assert "the next item is among 10 in" in capsys.readouterr().out


def test_sessions_walk_on_rings(names):
    sessions = names["make_sessions"](5_000, 2_000)
    seen_before = names["recall"]([[str(item) for item in row] for row in sessions.events], sessions.next_items)
    counts = np.sort(np.bincount(sessions.events.ravel(), minlength=5_000))[::-1]

    assert sessions.events.shape == (2_000, 10)
    assert len(np.unique(sessions.events)) > 4_000  # strays visit every ring
    assert 0 < seen_before < 0.5  # a walk comes back now and then
    assert counts[:50].sum() > 10 * counts[2_500:2_550].sum()  # some rings are visited far more often


def test_recall_counts_what_was_found(names):
    assert names["recall"]([["1", "2"], ["3"], ["4"]], np.array([2, 3, 5])) == pytest.approx(2 / 3)


def test_the_yardstick_is_the_most_frequent(names):
    events = np.array([[3, 3, 3, 1, 1, 2]])

    assert names["most_popular"](events, 2) == [["3", "1", "2", "0"]] * 2

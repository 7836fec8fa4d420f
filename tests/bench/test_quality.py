from __future__ import annotations

import math

import pytest

from quality import seed_noise, table
from scores import HEADINGS


def seeds(*values: float) -> list[dict[str, float]]:
    return [dict.fromkeys(HEADINGS, value) for value in values]


def test_noise_is_the_pooled_standard_deviation() -> None:
    # Sums of squares 2 and 6 (means 2 and 5), with 2 and 2 degrees of freedom.
    assert seed_noise([1, 2, 3], [5 - math.sqrt(3), 5, 5 + math.sqrt(3)]) == pytest.approx(math.sqrt(8 / 4))
    assert seed_noise([1, 2, 3], [7]) == 1
    assert seed_noise([1], [2]) is None


@pytest.mark.parametrize(("ours", "is_below"), [(0.479, True), (0.481, False), (0.6, False)])
def test_below_is_under_the_mean_by_more_than_the_noise(ours: float, is_below: bool) -> None:
    # Both sides vary by 0.02 around their means, so the noise is 0.02 and the bound 0.48.
    results = {"mode": {"gensim": seeds(0.48, 0.50, 0.52), "windrow": seeds(ours - 0.02, ours, ours + 0.02)}}
    lines = table(results).splitlines()
    assert ("**below**" in lines[4]) is is_below
    assert lines[5] == "| | noise | 2.0 | 0.020 | 0.020 | 0.020 |"


def test_one_seed_gives_no_verdict() -> None:
    lines = table({"mode": {"gensim": seeds(0.5), "windrow": seeds(0.1)}}).splitlines()
    assert lines[4].startswith("| | difference | -40.0 | -0.400 |")
    assert lines[5] == "| | noise | unknown | unknown | unknown | unknown |"

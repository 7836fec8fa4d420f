"""Buckets of perplexity: percentiles by their definition, files that are none."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from windrow.errors import DataError, FormatError, OptionError
from windrow.lm.buckets import PerplexityBuckets, model_identity

CONTENT = {
    "format": "windrow perplexity buckets",
    "version": 1,
    "buckets": ["low", "high"],
    "cutoffs": [7],
    "percentiles": None,
    "model": {},
}


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(1, 1e9), min_size=4, max_size=40, unique=True), st.integers(1, 49), st.integers(51, 99))
@example([4.0, 1.0, 3.0, 2.0], 25, 75)
def test_cutoffs_are_the_lowest_that_hold_their_share(sample: list[float], low: int, high: int) -> None:
    try:
        buckets = PerplexityBuckets.fit(sample, (low, high))
    except DataError:
        assert len(sample) * (high - low) <= 100  # both percentiles may fall on one line
        return
    for cutoff, percentile in zip(buckets.cutoffs, (low, high), strict=True):
        within = [value for value in sample if value <= cutoff]
        assert cutoff in sample
        assert 100 * len(within) >= percentile * len(sample) > 100 * (len(within) - 1)
    names = [
        "head" if value <= buckets.cutoffs[0] else "middle" if value <= buckets.cutoffs[1] else "tail"
        for value in sample
    ]
    assert buckets.names_of(sample) == names


def test_infinite_ones_are_the_tail_and_none_is_none() -> None:
    buckets = PerplexityBuckets.fit([1, 2, math.inf, math.nan, math.nan], (50,), ("a", "b"))
    assert buckets.cutoffs == (2.0,)
    assert buckets.names_of([2, 2.1, math.inf, math.nan]) == ["a", "b", "b", None]
    assert buckets.names_of([]) == []


@pytest.mark.parametrize(
    ("sample", "percentiles", "error", "told"),
    [
        ([], (50,), DataError, "the sample has no line with a perplexity"),
        ([math.nan], (50,), DataError, "the sample has no line with a perplexity"),
        ([3, 3, 3], (30, 60), DataError, "percentiles 30,60 of the sample are the perplexities 3,3"),
        ([1, math.inf], (30, 60), DataError, "is infinite; give a model with smoothing"),
        ([1, 2], (60, 30), OptionError, "percentiles = 60,30 must be between 0 and 100"),
        ([1, 2], (0, 30), OptionError, "percentiles = 0,30 must be"),
        ([1, 2], (30, 100), OptionError, "percentiles = 30,100 must be"),
        ([1, 2], (30, math.nan), OptionError, "percentiles = 30,nan must be"),
        ([1, 2], (), OptionError, "percentiles =  must be"),
        ([1, 2, 3], (10, 60, 90), OptionError, "names = head,middle,tail must be 4 different names"),
    ],
)
def test_samples_that_are_none(sample: list[float], percentiles: Any, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        PerplexityBuckets.fit(sample, percentiles)


@pytest.mark.parametrize("cutoffs", [(), (2, 2), (3, 2), (math.inf, 3), (-1, 2)])
def test_cutoffs_that_are_none(cutoffs: tuple[float, ...]) -> None:
    with pytest.raises(OptionError, match=r"cutoffs = .* must be numbers, each above"):
        PerplexityBuckets(cutoffs)


def test_a_file_holds_all(tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(b"a model")
    buckets = PerplexityBuckets((1.5, 1e300), ("é", "b", "c"), (30.0, 60.0), model_identity(tmp_path / "model"))

    buckets.save(tmp_path / "b.json")

    assert PerplexityBuckets.load(tmp_path / "b.json") == buckets
    assert model_identity("-") == {}
    (tmp_path / "edited.json").write_text(json.dumps(CONTENT))
    assert PerplexityBuckets.load(tmp_path / "edited.json") == PerplexityBuckets((7.0,), ("low", "high"))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is no file of perplexity buckets; make one with `windrow lm buckets`"),
        (b"\xff\xfe{", "is no file of"),
        (b"[" * 100_000, "is no file of"),
        (b"[1]", "is no file of"),
        (b"{}", "is no file of"),
        ({"version": 2}, "is of version 2; update windrow"),
        ({"cutoffs": ["7"]}, "is damaged: its fields"),
        ({"cutoffs": [True]}, "is damaged: its fields"),
        ({"cutoffs": 7}, "is damaged: its fields"),
        ({"cutoffs": [10**400]}, "is damaged"),
        ({"cutoffs": [7, 3], "buckets": ["a", "b", "c"]}, "cutoffs = 7,3 must be"),
        ({"buckets": ["a"]}, "names = a must be 2"),
        ({"buckets": ["a", "a"]}, "names = a,a must be 2"),
        ({"buckets": None}, "names =  must be 2"),
        ({"model": None}, "is damaged: its fields"),
        ({"percentiles": "30"}, "is damaged: its fields"),
    ],
)
def test_files_that_are_none(tmp_path: Path, content: Any, told: str) -> None:
    path = tmp_path / "b.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps({**CONTENT, **content}).encode())
    with pytest.raises(FormatError, match=told) as caught:
        PerplexityBuckets.load(path)
    assert str(caught.value).startswith(str(path))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(DataError, match="cannot read"):
            PerplexityBuckets.load(path)
        with pytest.raises(DataError, match="cannot read"):
            model_identity(path)

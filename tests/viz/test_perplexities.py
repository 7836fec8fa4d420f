from __future__ import annotations

import math
from pathlib import Path

import pytest

from windrow.errors import OptionError
from windrow.viz import plot_perplexities


def test_lines_are_the_numbers_by_rising_order() -> None:
    (axes,) = plot_perplexities({"one $x$": {3: 5.0, 1: 20.0, 2: math.inf}, "two": {1: 30.0}}, lowest=2.5).axes
    one, two, lowest = axes.lines
    assert list(zip(*map(list, one.get_data()), strict=True)) == [(1, 20.0), (3, 5.0)]
    assert list(zip(*map(list, two.get_data()), strict=True)) == [(1, 30.0)]
    assert list(lowest.get_ydata()) == [2.5, 2.5]
    assert axes.get_yscale() == "log"
    assert list(axes.get_xticks()) == [1, 3]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("order (words of an n-gram)", "perplexity")
    names = axes.get_legend().get_texts()
    assert [text.get_text() for text in names] == ["one $x$", "two", "lowest possible, 2.5"]
    assert not names[0].get_parse_math()


def test_a_line_without_finite_numbers_is_told_of() -> None:
    (axes,) = plot_perplexities({"MLE": {2: math.inf, 3: 1e300}, "other": {2: 7.0}}).axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["MLE: infinite", "other"]


def test_it_is_written_and_more_lines_than_colors_are_drawn(tmp_path: Path) -> None:
    path = tmp_path / "p.svg"
    plot_perplexities({f"line {number}": {1: 2.0 + number} for number in range(20)}, path=path)
    assert b"line 19" in path.read_bytes()


@pytest.mark.parametrize(
    ("perplexities", "options", "told"),
    [
        ({}, {}, "no perplexity is finite"),
        ({"a": {1: math.inf}}, {}, "no perplexity is finite"),
        ({"a": {1: 0.5}}, {}, "the perplexity of 'a' at order 1 = 0.5 is out of range"),
        ({"a": {1: math.nan}}, {}, "the perplexity of 'a' at order 1"),
        ({"a": {0: 5.0}}, {}, "an order of 'a' = 0 is out of range"),
        ({"a": {1: 5.0}}, {"lowest": 0.9}, "lowest = 0.9 is out of range"),
        ({"a": {1: 5.0}}, {"path": "p.txt"}, "must end in one of"),
    ],
)
def test_what_cannot_be_drawn(perplexities: dict, options: dict, told: str) -> None:
    with pytest.raises(OptionError, match=told):
        plot_perplexities(perplexities, **options)

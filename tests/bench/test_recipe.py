"""bench/recipe.py: halves, scores and differences with their errors."""

from __future__ import annotations

import math
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

import recipe
from data import QUESTIONS
from recipe import FAVORING, HELD_BACK, PLAIN, RECIPE, WHOLE, Answers, Difference, answers, difference
from windrow import WordVectors


def right(*given: int, groups: list[int] | None = None) -> Answers:
    each = np.arange(len(given)) if groups is None else np.array(groups)
    return Answers(np.array(given, float), None, each, np.arange(len(given)) % 2 == 1)


def test_halves_do_not_depend_on_order_or_case() -> None:
    pairs = [(f"a{number}", f"b{number}") for number in range(400)]
    held = [recipe.is_held_back(*pair) for pair in pairs]
    assert held == [recipe.is_held_back(second.upper(), first) for first, second in pairs]
    assert 150 < sum(held) < 250


def test_scores_are_accuracies_and_rank_correlations() -> None:
    dice = np.random.default_rng(1)
    cosines, human = dice.normal(size=30), dice.integers(0, 6, 30).astype(float)  # with ties
    given = Answers(cosines, human, np.arange(30), cosines > 0)
    assert given.score() == pytest.approx(spearmanr(cosines, human).statistic)
    some = given.of(HELD_BACK)
    assert some.score() == pytest.approx(spearmanr(cosines[cosines > 0], human[cosines > 0]).statistic)
    assert right(1, 0, 0, 1, 1).score() == 0.6


def test_the_error_over_items_is_that_of_a_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of accuracies the bootstrap has a closed form: the deviation of the paired differences, over the root of n."""
    monkeypatch.setattr(recipe, "RESAMPLES", 4000)
    before, after = right(*[0, 0, 1, 1] * 10), right(*[1, 0, 1, 0] * 4, *[1] * 24)
    gains = after.given - before.given
    found = difference([before], [after])
    assert found.mean == pytest.approx(gains.mean())
    assert found.of_seeds == 0
    assert found.of_items == pytest.approx(gains.std() / math.sqrt(40), rel=0.05)
    pairs = sorted([*range(20)] * 2)  # each two items are drawn together
    paired = difference([before._replace(groups=np.array(pairs))], [after._replace(groups=np.array(pairs))])
    assert paired.of_items == pytest.approx(gains.reshape(20, 2).mean(axis=1).std() / math.sqrt(20), rel=0.05)


def test_the_error_over_seeds_is_that_of_their_differences() -> None:
    before = [right(0, 0, 1, 0), right(0, 0, 0, 0), right(1, 0, 0, 0)]
    after = [right(1, 1, 1, 0), right(1, 0, 0, 0), right(1, 0, 1, 0)]
    found = difference(before, after)
    assert found.mean == mean([0.5, 0.25, 0.25])
    assert found.of_seeds == pytest.approx(stdev([0.5, 0.25, 0.25]) / math.sqrt(3))
    assert found.standard_error == pytest.approx(math.hypot(found.of_items, found.of_seeds))


def test_the_lists_and_what_is_known_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe, "FEWEST", 1)
    monkeypatch.setattr(recipe, "FREQUENT", 5)
    monkeypatch.setattr(recipe, "FIRST_VERB", 1)
    (tmp_path / "analogy").mkdir()
    (tmp_path / "wordsim").mkdir()
    asked = ": capital\nA B C D\nA B C Z\n: gram1\nB A D C\nA B C E\n: gram2\nA B C F\n"
    (tmp_path / QUESTIONS).write_text(asked)
    for name in recipe.NAMES:
        (tmp_path / "wordsim" / f"{name}.tsv").write_text("a\tB\t9\na\td\t2\na\tf\t1\na\tz\t3\n")
    table = np.array([[1, 0], [1, 1], [3, 0], [3, 2], [-9, 9], [0, -1]], np.float32)
    found = answers(WordVectors(list("abcdef"), table, np.array([900, 800, 700, 600, 500, 50])), tmp_path)
    items = {name: len(given.given) for name, given in found.items()}
    assert items == {
        "analogies": 3, "analogies, semantic": 1, "analogies, grammar": 2, "analogies with rarer words": 1,
        **{f"{name}{rest}": count for name in recipe.NAMES.values() for rest, count in (("", 2), (", all words", 3))},
        "SimLex, verbs": 2, "MEN, rare words": 1,
    }  # fmt: skip
    # Of unit vectors b - a + c points to (1, 1), nearest to d, and a - b + d to (1.1, -0.2), nearest to c.
    assert [found[name].score() for name in ("analogies, semantic", "analogies, grammar")] == [1, 0.5]
    np.testing.assert_allclose(found["MEN, all words"].given, [math.sqrt(0.5), 3 / math.sqrt(13), 0], atol=1e-7)
    assert found["MEN, all words"].human is not None
    assert found["MEN, all words"].human.tolist() == [9, 2, 1]


def row(gain: Difference) -> dict[str, Any]:
    """A list whose differences are all the same."""
    side = {"score": 0.2, WHOLE: gain._asdict(), HELD_BACK: gain._asdict()}
    return {"items": 1500, PLAIN: {"score": 0.3}, RECIPE: side, FAVORING: side}


def test_the_table_marks_what_lies_below_by_two_errors() -> None:
    gains = {"MEN": Difference(-0.1, 0.03, 0.04), "analogies": Difference(-0.101, 0.03, 0.04)}
    results = {name: row(gain) for name, gain in gains.items()}
    rows = recipe.table(results, {PLAIN: 1.2, RECIPE: 3.4, FAVORING: 5.6}).splitlines()[2:]
    cells = " | 0.200 | -0.100 ± 0.050 | -0.100 ± 0.050"
    assert rows[0] == f"| MEN | 1,500 | 0.300{2 * cells} |"
    cells = " | 20.0 | -10.1 ± 5.0 **below** | -10.1 ± 5.0 **below**"
    assert rows[1] == f"| analogies | 1,500 | 30.0{2 * cells} |"
    assert rows[2] == "| processor seconds | | 1 | 3 | | | 6 | | |"

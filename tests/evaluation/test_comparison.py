"""Differences of scores: paired resamples, by hand and by SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from windrow.errors import DataError, OptionError
from windrow.evaluation import AnalogyResult, SimilarityResult, compare_results, evaluate_similarity
from windrow.evaluation.analogy import Question, SectionResult
from windrow.evaluation.similarity import JudgedPair

RNG = np.random.default_rng(8)
HUMAN = RNG.integers(0, 10, 60) / 2
COSINES = [HUMAN / 10 + noise * RNG.normal(size=60) for noise in (0.3, 0.6)]


def judged(cosines, rows=range(60)) -> SimilarityResult:
    pairs = tuple(JudgedPair(f"a{row}", f"b{row}", float(HUMAN[row]), float(cosines[row])) for row in rows)
    return SimilarityResult(0, 0, 0, 0, len(pairs), 0, pairs)


def test_differences_of_correlations_are_scipys_over_the_common_pairs() -> None:
    [found] = compare_results(judged(COSINES[0], range(50)), judged(COSINES[1], range(5, 60)))
    common = slice(5, 50)
    scores = [stats.spearmanr(HUMAN[common], one[common]).statistic for one in COSINES]
    assert (found.items, found.a, found.b) == (45, pytest.approx(scores[0]), pytest.approx(scores[1]))
    assert found.difference == pytest.approx(scores[1] - scores[0])
    theirs = stats.bootstrap(
        (HUMAN[common], COSINES[0][common], COSINES[1][common]),
        lambda human, one, other: stats.spearmanr(human, other).statistic - stats.spearmanr(human, one).statistic,
        paired=True,
        vectorized=False,
        n_resamples=1000,
        method="percentile",
        random_state=np.random.default_rng(2),
    )
    assert found.standard_error == pytest.approx(theirs.standard_error, rel=0.1)
    assert found.interval == pytest.approx(tuple(theirs.confidence_interval), abs=theirs.standard_error / 4)


def question(number: int, shown: int = 0) -> Question:
    return f"a{shown}", f"b{shown}", f"c{number}", f"d{number}"


def answers(name: str, right: set[int], asked=range(40)) -> SectionResult:
    questions = {number: question(number) for number in asked}
    return SectionResult(
        name,
        tuple(one for number, one in questions.items() if number in right),
        tuple(one for number, one in questions.items() if number not in right),
        0,
    )


def test_differences_of_analogies_by_section() -> None:
    a = AnalogyResult((answers("x", set(range(10))), answers("y", {0, 1})))
    b = AnalogyResult((answers("x", set(range(25))), answers("y", {0, 1}), answers("z", {3})))
    [found] = compare_results(a, b)
    assert (found.items, found.a, found.b) == (80, 12 / 80, 27 / 80)
    assert list(found.sections) == ["x", "y"]
    x, y = found.sections.values()
    assert (x.a, x.b, x.more_than_noise, found.more_than_noise) == (10 / 40, 25 / 40, True, True)
    # 15 of 40 questions were gained: a draw is binomial.
    assert x.standard_error == pytest.approx(np.sqrt(15 / 40 * 25 / 40 / 40), rel=0.1)
    assert x.interval == pytest.approx(stats.binom.ppf([0.025, 0.975], 40, 15 / 40) / 40, abs=0.026)
    assert (y.difference, y.interval, y.standard_error, y.more_than_noise) == (0, (0, 0), 0, False)
    assert found.to_json()["sections"]["x"]["difference"] == pytest.approx(15 / 40)
    [lost] = compare_results(b, a)
    assert (lost.difference, lost.more_than_noise) == (-found.difference, True)
    assert "sections" not in x.to_json()


def test_gains_and_losses_that_cancel_out_are_noise() -> None:
    a, b = (AnalogyResult((answers("x", right),)) for right in (set(range(0, 12)), set(range(10, 23))))
    [found] = compare_results(a, b)
    assert found.difference == pytest.approx(1 / 40)
    assert found.interval[0] < 0 < found.interval[1]
    assert not found.more_than_noise


def test_questions_for_one_pair_are_drawn_together() -> None:
    """Eight questions for each of five pairs tell no more than five questions."""
    many = [question(number, shown) for number in range(5) for shown in range(8)]
    wrong = AnalogyResult((SectionResult("x", (), tuple(many), 0),))
    right = AnalogyResult((SectionResult("x", tuple(many[:16]), tuple(many[16:]), 0),))
    [found] = compare_results(wrong, right)
    assert found.difference == pytest.approx(0.4)
    assert found.standard_error == pytest.approx(np.sqrt(0.4 * 0.6 / 5), rel=0.1)


def test_what_cannot_be_compared() -> None:
    analogies = AnalogyResult((answers("x", {1}),))
    with pytest.raises(OptionError, match="two kinds, AnalogyResult and SimilarityResult"):
        compare_results(analogies, judged(COSINES[0]))
    with pytest.raises(DataError, match="both models can answer 0 items"):
        compare_results(analogies, AnalogyResult((answers("other", {1}),)))
    with pytest.raises(DataError, match="both models can answer 1 items"):
        compare_results(judged(COSINES[0], range(5)), judged(COSINES[0], range(4, 9)))
    with pytest.raises(DataError, match="a correlation of the common pairs is not defined"):
        compare_results(judged(np.ones(60)), judged(COSINES[0]))


def test_a_result_keeps_its_pairs() -> None:
    pairs = [("a", "b", 3), ("a", "x", 2), ("b", "c", 1)]
    vectors = np.array([[1, 0], [1, 1], [0, 1]], np.float32)
    result = evaluate_similarity([*pairs, ("a", "c", 0)], list("abc"), vectors)
    assert [pair[:3] for pair in result.judged] == [("a", "b", 3), ("b", "c", 1), ("a", "c", 0)]
    assert [pair.cosine for pair in result.judged] == pytest.approx([0.5**0.5, 0.5**0.5, 0])
    assert len(evaluate_similarity(pairs, list("abc"), vectors, dummy4unknown=True).judged) == 3

"""Percentile bootstrap: each resample by hand, and SciPy's intervals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tests.naive.bootstrap import repeated
from windrow.evaluation import bootstrap
from windrow.evaluation.bootstrap import mean_interval, means_of_groups, pearson_of, resampled, spearman_of

RNG = np.random.default_rng(5)
SCORES = RNG.integers(0, 7, 40) / 2  # with many ties
COSINES = np.round(SCORES / 9 + RNG.normal(size=40), 1)


@pytest.mark.parametrize(("ours", "theirs"), [(spearman_of, stats.spearmanr), (pearson_of, stats.pearsonr)])
def test_correlations_of_each_resample_equal_scipys(ours, theirs) -> None:
    weights = bootstrap._draw(np.random.default_rng(1), 60, 40)
    assert (weights.sum(axis=1) == 40).all()
    expected = [theirs(repeated(SCORES, row), repeated(COSINES, row)).statistic for row in weights]
    np.testing.assert_allclose(ours(SCORES, COSINES)(weights), expected, atol=1e-12)


@pytest.mark.parametrize("scale", [1e300, 1e-300])
@pytest.mark.parametrize("correlation", [spearman_of, pearson_of])
def test_correlations_of_scores_of_any_size(correlation, scale: float) -> None:
    found = [resampled(correlation(SCORES * factor, COSINES), 40, resamples=50) for factor in (1.0, scale)]
    np.testing.assert_allclose(*found, rtol=1e-9)


def test_means_of_groups_repeat_whole_groups() -> None:
    values, groups = [1.0, 0, 1, 1, 0.5, 0], ["a", "b", "a", "c", "b", "b"]
    statistic, items = means_of_groups(values, groups)
    assert items == 3
    for drawn in ([1, 1, 1], [3, 0, 0], [0, 2, 1]):
        by_hand = [value for value, group in zip(values, groups, strict=True) for _ in range(drawn["abc".index(group)])]
        assert statistic(np.array([drawn], float))[0] == pytest.approx(np.mean(by_hand))


@pytest.mark.parametrize("correlation", [spearman_of, pearson_of])
def test_intervals_of_correlations_are_those_of_scipy(correlation) -> None:
    of_columns = {spearman_of: stats.spearmanr, pearson_of: stats.pearsonr}[correlation]
    theirs = stats.bootstrap(
        (SCORES, COSINES),
        lambda x, y: of_columns(x, y).statistic,
        paired=True,
        vectorized=False,
        n_resamples=1500,
        method="percentile",
        random_state=np.random.default_rng(2),
    )
    ours = bootstrap.interval_of(resampled(correlation(SCORES, COSINES), 40, resamples=6000))
    assert ours == pytest.approx(tuple(theirs.confidence_interval), abs=4 * theirs.standard_error / 25)


def test_the_interval_of_a_share_is_that_of_the_binomial_distribution() -> None:
    """Resamples of zeros and ones are draws of a binomial distribution, whose quantiles are known."""
    right = [1.0] * 60 + [0.0] * 140
    expected = stats.binom.ppf([0.025, 0.975], 200, 0.3) / 200
    assert mean_interval(right, range(200)) == pytest.approx(expected, abs=0.011)
    # Of 40 groups of 5 that are right or wrong together there are 40 draws, and the interval is wider.
    expected = stats.binom.ppf([0.025, 0.975], 40, 0.3) / 40
    assert mean_interval(right, [place // 5 for place in range(200)]) == pytest.approx(expected, abs=0.026)


def test_resamples_are_the_same_every_time_whatever_fits_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = resampled(lambda weights: weights[:, 0], 7, resamples=90)
    monkeypatch.setattr(bootstrap, "_MOST_WEIGHTS", 7 * 13)
    np.testing.assert_array_equal(resampled(lambda weights: weights[:, 0], 7, resamples=90), whole)


def test_resamples_in_which_a_side_is_constant_are_left_out() -> None:
    found = resampled(spearman_of(np.array([1.0, 2.0]), np.array([0.3, 0.1])), 2)
    assert 0.3 < np.isnan(found).mean() < 0.7
    assert set(found[~np.isnan(found)]) == {-1.0}
    assert bootstrap.interval_of(found) == (-1, -1)
    assert bootstrap.interval_of(np.array([np.nan])) is None
    assert mean_interval([], []) is None

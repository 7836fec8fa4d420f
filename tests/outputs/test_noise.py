from __future__ import annotations

import numpy as np
import pytest
from gensim.models import Word2Vec
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from tests.naive.noise import alias_draw, alias_probabilities, cumulative_draw
from tests.naive.rng import linear_congruential, split_mix
from windrow.embeddings.kernels.pairs import cumulative_table, draw_cumulative
from windrow.numeric.rng import alias_table, draw_words
from windrow.outputs.noise import noise_probabilities

COUNTS = np.array([9000, 2500, 2500, 800, 300, 120, 40, 40, 13, 5, 2, 1])
DRAWS = 50_000
EXPONENTS = [0.75, 0.5, 0.0, 1.0]

counts_of_words = st.lists(st.integers(1, 10**7), min_size=1, max_size=60).map(np.array)


def powers(exponent: float) -> np.ndarray:
    weights = np.array([float(count) ** exponent for count in COUNTS])
    return weights / weights.sum()


def p_value(draws: list[int], exponent: float) -> float:
    """That the draws come from counts ** exponent; words expected fewer than 5 times are counted as one."""
    expected, observed = powers(exponent) * DRAWS, np.bincount(draws, minlength=len(COUNTS))
    rare = expected < 5
    grouped = [[*values[~rare], values[rare].sum()] if rare.any() else values for values in (observed, expected)]
    return chisquare(*grouped).pvalue


@settings(max_examples=100, deadline=None)
@given(counts_of_words, st.sampled_from([*EXPONENTS, -0.5]))
def test_alias_table_stands_for_the_noise_distribution(counts, exponent):
    thresholds, aliases = alias_table(noise_probabilities(counts, exponent))

    table = [float(p) for p in alias_probabilities(thresholds.tolist(), aliases.tolist())]
    assert sum(table) == pytest.approx(1, rel=1e-12)
    # Each of the places that a word has a share of is cut to a multiple of 2**-32.
    np.testing.assert_allclose(table, noise_probabilities(counts, exponent), rtol=0, atol=2**-31)


def test_noise_probabilities_are_powers():
    for exponent in EXPONENTS:
        np.testing.assert_allclose(noise_probabilities(COUNTS, exponent), powers(exponent), rtol=1e-14)


@pytest.mark.parametrize("words", [1, 2, 3, 500])
def test_draws_are_the_naive_ones(words):
    counts = np.random.default_rng(words).integers(1, 1000, words)
    thresholds, aliases = alias_table(noise_probabilities(counts, 0.75))
    bits, state = split_mix(5), np.array([5], np.uint64)
    expected = [alias_draw(thresholds.tolist(), aliases.tolist(), bits) for _ in range(200)]
    drawn = np.empty(200, np.int32)
    draw_words(thresholds, aliases, state, drawn)
    assert drawn.tolist() == expected

    table = cumulative_table(counts, 0.75)
    draws, state = linear_congruential(5), np.array([5], np.uint64)
    expected = [cumulative_draw(table.tolist(), draws) for _ in range(200)]
    assert [int(draw_cumulative(table, state)) for _ in range(200)] == expected


@pytest.mark.parametrize("exponent", EXPONENTS)
def test_alias_draws_follow_the_distribution(exponent):
    thresholds, aliases = alias_table(noise_probabilities(COUNTS, exponent))
    drawn = np.empty(DRAWS, np.int32)
    draw_words(thresholds, aliases, np.array([20], np.uint64), drawn)
    draws = drawn.tolist()

    assert p_value(draws, exponent) > 1e-4
    assert p_value(draws, exponent + 0.1) < 1e-6
    assert p_value(draws, exponent - 0.1) < 1e-6


@pytest.mark.parametrize("exponent", EXPONENTS)
def test_cumulative_draws_follow_the_distribution(exponent):
    table, state = cumulative_table(COUNTS, exponent), np.array([21], np.uint64)
    draws = [int(draw_cumulative(table, state)) for _ in range(DRAWS)]

    assert p_value(draws, exponent) > 1e-4
    assert p_value(draws, exponent + 0.1) < 1e-6


@pytest.mark.parametrize("exponent", [*EXPONENTS, -0.25])
def test_cumulative_table_is_gensims(exponent):
    generator = np.random.default_rng(6)
    words = [f"w{number}" for number in np.minimum(generator.geometric(0.01, 5000), 500)]
    model = Word2Vec(min_count=1, ns_exponent=exponent)
    model.build_vocab([words])
    counts = np.array([model.wv.get_vecattr(word, "count") for word in model.wv.index_to_key])

    table = cumulative_table(counts, exponent)

    assert len(table) > 300
    np.testing.assert_array_equal(table, model.cum_table)

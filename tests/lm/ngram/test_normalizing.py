"""Sums of probabilities after contexts against distributions word by word, and models that are made to sum to one."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lm.ngram.models import BOS, as_levels, as_naive, distribution, random_model, seeds
from tests.naive import smoothing as naive
from tests.naive.backoff import Backoff
from windrow.lm.ngram.backing_off import masses_after_contexts
from windrow.lm.ngram.levels import Level
from windrow.lm.ngram.normalizing import normalized, sums_of_contexts


@settings(max_examples=40, deadline=None)
@given(seeds, st.integers(1, 4), st.booleans())
def test_masses_are_those_of_the_words_one_by_one(seed, order, closed):
    dice = np.random.default_rng(seed)
    model, by_definition = random_model(dice, order, 9, closed=closed)
    words = dice.random(9) < 0.5
    words[BOS] = False

    found = masses_after_contexts(model.levels, words)

    assert len(found) == order
    for length, masses in enumerate(found):
        contexts = [()] if not length else sorted(gram for gram in by_definition.probs if len(gram) == length)
        expected = [
            sum(10 ** by_definition.log10_prob(context, word)[0] for word in np.flatnonzero(words).tolist())
            for context in contexts
        ]
        np.testing.assert_allclose(masses, expected, rtol=1e-4, atol=1e-9)  # back-offs of 32 bits to the fourth power


def in_double_precision(level: Level) -> Level:
    """What is left to back off to may be a small difference of numbers near 1."""
    backoffs = None if level.log10_backoffs is None else level.log10_backoffs.astype(np.float64)
    return level._replace(log10_probs=level.log10_probs.astype(np.float64), log10_backoffs=backoffs)


@settings(max_examples=40, deadline=None)
@given(seeds, st.integers(1, 4), st.booleans())
def test_normalized_by_the_definition(seed, order, closed):
    model, _ = random_model(np.random.default_rng(seed), order, 7, closed=closed)
    model.levels = [in_double_precision(level) for level in model.levels]
    by_definition = as_naive(model)

    found = normalized(model)

    expected = naive.normalized(by_definition, 7)
    mended = as_naive(found)
    assert mended.probs.keys() == expected.probs.keys()
    for gram, prob in expected.probs.items():
        assert 10 ** mended.probs[gram] == pytest.approx(10**prob, rel=1e-9), gram
    np.testing.assert_allclose(sums_of_contexts(found), 1, atol=1e-7)
    for context in [(), *mended.backoffs, *product(range(2, 4), repeat=order)]:
        assert distribution(found, context).sum() == pytest.approx(1, abs=1e-7), context


def test_a_sound_model_stays_as_it_is():
    model, _ = random_model(np.random.default_rng(4), 3, 9)
    sound = normalized(model)
    again = normalized(sound)
    for before, after in zip(sound.levels, again.levels, strict=True):
        np.testing.assert_allclose(10**before.log10_probs, 10**after.log10_probs, rtol=1e-6)


def test_where_every_word_is_stored_there_is_nothing_to_back_off_to():
    probs = {(0,): -0.5, (1,): -99.0, (2,): -0.5, (3,): -0.4, (3, 0): -0.7, (3, 2): -0.7, (3, 3): -0.7}
    found = normalized(as_levels(Backoff(2, probs, {(word,): -0.1 for word in range(4)}), 4))
    np.testing.assert_allclose(distribution(found, [3]), [1 / 3, 0, 1 / 3, 1 / 3], rtol=1e-6)

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from windrow.errors import OptionError
from windrow.generators import random_generator
from windrow.lm.sampling import draw_word, largest, nucleus, penalize, repeating_words


class Extreme(np.random.Generator):
    """Draws the largest number below 1."""

    def __init__(self) -> None:
        super().__init__(np.random.PCG64(0))

    def random(self) -> float:
        return float(np.nextafter(1, 0))


def test_words_without_probability_are_never_drawn():
    """The largest draw times the sum of the smallest numbers there are is rounded up to the sum itself."""
    probs = np.array([1e-323, 5e-324, 0.0])
    assert Extreme().random() * probs.sum() == probs.sum()

    assert draw_word(probs, Extreme()) == 1
    assert draw_word(np.array([1 / 3, 2 / 3 - 1e-9, 1e-9, 0.0]), Extreme()) == 2


def test_weights_need_not_sum_to_one():
    rng = np.random.default_rng(3)

    counts = np.bincount([draw_word(np.array([3.0, 0.0, 1.0]), rng) for _ in range(2000)])

    assert counts[1] == 0
    assert chisquare(counts[[0, 2]], [1500, 500]).pvalue > 0.01


def test_the_probabilities_of_the_model_stay_as_they_are():
    probs = np.array([0.1, 0.2, 0.3, 0.4])

    found = penalize(probs, [1, 2, 1], repetition_penalty=2.0, no_repeat_ngram_size=2, never=[3])

    # After 1 another 2 would repeat "1 2".
    assert found.tolist() == pytest.approx([0.1, 0.04, 0.0, 0.0])
    assert probs.tolist() == [0.1, 0.2, 0.3, 0.4]


@given(st.lists(st.integers(0, 3), max_size=12), st.integers(1, 4))
def test_repeating_words_are_those_that_complete_a_known_ngram(ids, size):
    known = {tuple(ids[place : place + size]) for place in range(len(ids) - size + 1)}
    expected = {word for word in range(4) if len(ids) >= size - 1 and (*ids[len(ids) - size + 1 :], word) in known}

    assert set(repeating_words(ids, size)) == expected


weights = st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.25]) | st.floats(0, 1), min_size=1, max_size=40)


@given(weights, st.integers(1, 45))
@settings(max_examples=100, deadline=None)
def test_the_largest(values, count):
    expected = sorted(range(len(values)), key=lambda place: (-values[place], place))[:count]

    assert largest(np.array(values), count).tolist() == expected


@pytest.mark.parametrize("mass", [0.0, 0.01, 0.5, 0.9, 0.999, 0.9999999])
@pytest.mark.parametrize("power", [0, 0.5, 1.5])
def test_a_nucleus_among_many_words(mass, power):
    values = np.random.default_rng(1).permutation(1.0 / np.arange(1, 6001) ** power)

    places = nucleus(values, mass)

    ranked = sorted(range(6000), key=lambda place: (-values[place], place))
    assert places.tolist() == ranked[: len(places)]
    needed = mass * values.sum()
    assert values[places].sum() >= needed * (1 - 1e-12)
    assert len(places) == 1 or values[places[:-1]].sum() < needed * (1 + 1e-12)


def test_seeds():
    rng = np.random.default_rng(3)

    assert random_generator(rng) is rng
    assert random_generator(3).random() == np.random.default_rng(3).random()
    with pytest.raises(OptionError, match="seed = -1"):
        random_generator(-1)

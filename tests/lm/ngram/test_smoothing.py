"""Discounts and weights against closed forms and a naive EM, and errors that name the order and the way out."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lm.ngram.test_estimation import SIZE, counts_of, possible_order, sentences
from tests.naive import smoothing as naive
from windrow.errors import DataError, OptionError
from windrow.lm.ngram import SMOOTHING_NAMES
from windrow.lm.ngram.estimation import estimate
from windrow.lm.ngram.settings import DISCOUNTING
from windrow.lm.ngram.smoothing import SMOOTHINGS, Evidence, Options, fit_weights


def evidence(*frequencies: int, order: int = 2, **options: object) -> Evidence:
    t = np.zeros(9, np.int64)
    t[1 : len(frequencies) + 1] = frequencies
    return Evidence(order, t, 100, Options(**options))


def discounts(name: str, *frequencies: int, **options: object) -> list[float]:
    return SMOOTHINGS[name].rule(evidence(*frequencies, **options)).discounts.tolist()


def test_the_command_line_offers_the_registry():
    assert tuple(SMOOTHINGS) == SMOOTHING_NAMES


def test_discounts_worked_out_by_hand():
    # y = 40 / (40 + 2 * 20) = 1/2; 1 - 2 y 20/40, 2 - 3 y 10/20, 3 - 4 y 5/10
    assert discounts("modified-kneser-ney", 40, 20, 10, 5) == pytest.approx([0, 0.5, 1.25, 2])
    assert discounts("kneser-ney", 40, 20) == pytest.approx([0, 0.5])
    assert discounts("absolute", 40, 30) == pytest.approx([0, 0.4])


@pytest.mark.parametrize("name", DISCOUNTING)
def test_discounts_to_fall_back_to(name: str) -> None:
    """They are taken as they are, by a method with one discount, too; but not where discounts can be estimated."""
    given = {"discount_fallback": True, "fallback_discounts": (0.4, 0.9, 1.2)}
    assert discounts(name, 5, **given) == [0, 0.4, 0.9, 1.2]
    assert discounts(name, 5, discount_fallback=True) in ([0, 0.5], [0, 0.5, 1, 1.5])
    enough = [1000, 300, 130, 70, 45, 30, 20, 15]
    assert discounts(name, *enough, **given) == discounts(name, *enough)


def test_good_turing_discounts_leave_the_mass_of_what_was_seen_once():
    """Katz 1987: the discounts are proportional to Good-Turing's, and together they take n1 events."""
    t = [1000, 300, 130, 70, 45, 30, 20, 15]

    taken = discounts("katz", *t)

    assert taken[8] == 0
    assert sum(n * d for n, d in zip(t[:7], taken[1:8], strict=True)) == pytest.approx(1000)
    good_turing = [r - (r + 1) * t[r] / t[r - 1] for r in range(1, 8)]
    ratios = np.array(taken[1:8]) / good_turing
    np.testing.assert_allclose(ratios, ratios[0])


def test_katz_takes_the_highest_cutoff_that_makes_sense():
    taken = discounts("katz", 1000, 300, 130, 0, 10)  # nothing occurs four times: 3 would have all taken from it
    assert len(taken) == 4
    assert 0 < taken[1] < 1
    assert 0 < taken[2] < 2
    assert taken[3] == 0


@pytest.mark.parametrize(
    ("name", "frequencies", "message"),
    [
        ("modified-kneser-ney", (0, 3, 2, 1), r"no 2-gram has the \(adjusted\) count 1"),
        ("modified-kneser-ney", (9, 3, 0, 1), r"no 2-gram has the \(adjusted\) count 3"),
        ("modified-kneser-ney", (9, 3, 30, 1), r"the 2-gram discount of the \(adjusted\) count 2 would be -16"),
        ("kneser-ney", (9, 0), r"no 2-gram has the \(adjusted\) count 2"),
        ("absolute", (0, 4), r"no 2-gram has the \(adjusted\) count 1"),
        ("katz", (9, 9, 9), "2-gram counts give no Good-Turing discounts, with any cut-off from 2 to 7"),
    ],
)
def test_text_too_small_for_discounts(name, frequencies, message):
    with pytest.raises(DataError, match=message) as caught:
        discounts(name, *frequencies)
    assert str(caught.value).endswith("try discount_fallback = True or smoothing = 'witten-bell'")
    assert "\n" not in str(caught.value)

    fallback = [0, 0.5, 1, 1.5] if name == "modified-kneser-ney" else [0, 0.5]
    assert discounts(name, *frequencies, discount_fallback=True) == fallback


def test_an_estimate_names_the_order_that_is_too_small():
    texts = [[3, 4, 3, 5], [3, 3, 4, 5, 6]]
    with pytest.raises(DataError, match="no 2-gram has"):
        estimate(counts_of(texts, 3), discounts=[[0.5], None, None])
    with pytest.raises(DataError, match="no 3-gram has"):
        estimate(counts_of(texts, 3), discounts=[[0.5], [0.5], None])
    assert estimate(counts_of(texts, 3), discounts=[[0.5], [0.5, 1], [0.5, 1, 1.5]]).order == 3


@settings(max_examples=30, deadline=None)
@given(sentences, sentences, st.integers(1, 4), st.booleans())
def test_weights_are_those_of_naive_em(texts, other_texts, order, leaves_out):
    order = min(possible_order(texts, order), possible_order(other_texts, order))
    text, other = naive.Text(texts, order, SIZE), naive.Text(other_texts, order, SIZE)

    if leaves_out:
        weights, expected = fit_weights(counts_of(texts, order), 7, rounds=6), naive.fit_weights(text, rounds=6)
    else:
        weights = fit_weights(counts_of(texts, order), 7, counts_of(other_texts, order), rounds=6)
        expected = naive.fit_weights(text, other, rounds=6)

    np.testing.assert_allclose(weights, expected, atol=1e-5)


def test_fitted_weights_are_used_and_better_than_others():
    dice = np.random.default_rng(1)
    follower = {3: [4, 4, 5], 4: [3, 5, 6], 5: [3, 3, 3], 6: [7, 5, 4], 7: [7, 7, 3]}
    texts, heldout = ([[3] for _ in range(20)] for _ in range(2))
    for text in [*texts, *heldout]:
        for _ in range(8):
            text.append(int(dice.choice(follower[text[-1]])) if dice.random() < 0.8 else int(dice.integers(3, 8)))

    def cross_entropy(**options: object) -> float:
        model = naive.Naive(naive.Text(texts, 2, SIZE), naive.jelinek_mercer, **options)
        symbols = [[naive.BOS, *text, naive.EOS] for text in heldout]
        return -sum(np.log(model.prob(b, (a,))) for text in symbols for a, b in pairwise(text))

    best = fit_weights(counts_of(texts, 2), 7, counts_of(heldout, 2))
    fitted = estimate(counts_of(texts, 2), "jelinek-mercer", heldout=counts_of(heldout, 2))
    given = estimate(counts_of(texts, 2), "jelinek-mercer", weights=best)
    np.testing.assert_array_equal(fitted.levels[1].log10_probs, given.levels[1].log10_probs)
    for step in (-0.05, 0.05):  # the weight of order 1 is almost 0, where the rounds come slowly
        assert cross_entropy(weights=best) < cross_entropy(weights=[best[0], best[1] + step])


def test_heldout_counts_of_other_words_or_orders():
    texts = [[3, 4, 3, 5], [3, 3, 4, 5, 6]]
    with pytest.raises(OptionError, match="same vocabulary"):
        estimate(counts_of(texts, 3), "jelinek-mercer", heldout=counts_of(texts, 2))

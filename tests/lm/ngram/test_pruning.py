"""Entropy pruning against the divergence summed word by word, and distributions that sum to one."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.lm.ngram.models import as_naive, distribution
from tests.lm.ngram.test_estimation import PROBABILITIES, SIZE, counts_of, possible_order, sentences
from tests.naive.smoothing import perplexity_change, prune_by_entropy
from windrow.errors import OptionError
from windrow.lm.ngram.estimation import estimate
from windrow.lm.ngram.levels import BackoffModel
from windrow.lm.ngram.pruning import EntropyPruning, entropy_prune, of_lower_order


def model_of(texts, order, name="witten-bell", **options) -> BackoffModel:
    return estimate(counts_of(texts, order), name, dtype=np.float64, discount_fallback=True, **options)


@settings(max_examples=40, deadline=None)
@given(
    sentences,
    st.integers(1, 4),
    st.sampled_from([0, 1e-6, 1e-4, 1e-3, 0.01, 0.1, 10]),
    st.sampled_from([("witten-bell", True), ("witten-bell", False), ("modified-kneser-ney", True), ("katz", False)]),
)
def test_what_goes_and_the_backoffs_of_what_stays(texts, order, threshold, method):
    name, interpolate = method
    model = model_of(texts, possible_order(texts, order), name, interpolate=interpolate)

    pruned = entropy_prune(model, threshold)

    expected, margin = prune_by_entropy(as_naive(model), SIZE, threshold)
    assume(margin > 1e-12)  # else rounding decides
    found = as_naive(pruned)
    assert found.probs == expected.probs
    assert found.backoffs.keys() == expected.backoffs.keys()
    for context, backoff in expected.backoffs.items():
        assert 10 ** found.backoffs[context] == pytest.approx(10**backoff, rel=1e-7, abs=1e-12), context
    for context in [(), *found.backoffs, (7, 3, 7)]:
        if context[-1:] != (2,):
            assert abs(distribution(pruned, context).sum() - 1) < 1e-9
            by_definition = found.distribution(list(context), SIZE)
            np.testing.assert_allclose(distribution(pruned, context), by_definition, rtol=1e-9)


@pytest.mark.parametrize("name", PROBABILITIES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sums_stay_one(name, dtype):
    dice = np.random.default_rng(2)
    texts = [(dice.zipf(1.4, 12) % 5 + 3).tolist() for _ in range(50)]
    options = {"delta": 0.3, "discount_fallback": True, "dtype": dtype}
    model = estimate(counts_of(texts, 4), name, **options)

    sizes = [entropy_prune(model, threshold).sizes for threshold in (0, 1e-4, 1e-3, 1e-2)]
    pruned = entropy_prune(model, 1e-3)

    assert all(
        more >= fewer for larger, smaller in pairwise(sizes) for more, fewer in zip(larger, smaller, strict=True)
    )
    assert sum(pruned.sizes) < sum(model.sizes)
    assert pruned.levels[1].log10_probs.dtype == dtype
    naive = as_naive(pruned)
    for context in naive.probs:
        assert context[:-1] == () or context[:-1] in naive.probs
        if context[-1] != 2:
            assert abs(distribution(pruned, context).sum() - 1) < (1e-9 if dtype == np.float64 else 1e-5)


def test_nothing_goes_at_zero_and_the_model_is_left_alone():
    model = model_of([[3, 4, 3, 5], [3, 3, 4, 5, 6]], 3)
    before = as_naive(model)

    same = entropy_prune(model, 0)
    unigrams = entropy_prune(model, 1e300)

    assert as_naive(same) == before == as_naive(model)
    assert unigrams.sizes == [SIZE, 0, 0]
    assert (unigrams.levels[0].log10_backoffs == 0).all()


@pytest.mark.parametrize("threshold", [-1e-9, math.nan, "x"])
def test_thresholds_out_of_range(threshold):
    with pytest.raises(OptionError, match="threshold"):
        entropy_prune(model_of([[3, 4]], 2), threshold)


def test_scores_have_no_entropy():
    with pytest.raises(OptionError, match="stupid back-off"):
        entropy_prune(model_of([[3, 4]], 2, "stupid-backoff"), 0.1)


@settings(max_examples=25, deadline=None)
@given(sentences, st.integers(1, 3), st.data())
def test_the_lowest_threshold_that_fits(texts, order, data):
    """Among all thresholds at which an n-gram would go."""
    model = model_of(texts, possible_order(texts, order))
    naive = as_naive(model)
    pruning = EntropyPruning(model)
    most = data.draw(st.integers(SIZE, sum(model.sizes) + 1))

    threshold = pruning.threshold_for(most)

    assert sum(pruning.at(threshold).sizes) <= most
    changes = [perplexity_change(naive, SIZE, gram) for gram in naive.probs if len(gram) > 1]
    for lower in [0.0, *(change * (1 - 1e-9) - 1e-15 for change in changes)]:
        if 0 <= lower < threshold * (1 - 1e-6):
            assert len(prune_by_entropy(naive, SIZE, lower)[0].probs) > most


def test_a_word_that_nothing_else_predicts_goes_last():
    levels = model_of([[3, 4, 3, 5]] * 3, 2).levels
    levels[0].log10_probs[4] = -np.inf
    model = BackoffModel(model_of([[3, 4]], 2).vocabulary, levels)
    pruning = EntropyPruning(model)
    last = pruning.at(pruning.threshold_for(SIZE + 1)).levels[1]
    assert last.words.tolist() == [4]
    assert pruning.at(pruning.threshold_for(SIZE)).sizes == [SIZE, 0]


@pytest.mark.parametrize("order", [1, 2, 3])
def test_lower_orders_keep_their_distributions(order):
    model = model_of([[3, 4, 3, 5], [3, 3, 4, 5, 6]], 3)
    shorter = of_lower_order(model, order)
    assert shorter.sizes == model.sizes[:order]
    for context in [(), (3,), (3, 4), (1, 3)]:
        seen = context[len(context) - order + 1 :] if order > 1 else ()
        np.testing.assert_allclose(distribution(shorter, context), distribution(model, seen))

"""Models of fewer words: those that stay keep their probabilities, ``<unk>`` has what the others had."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lm.ngram.models import BOS, as_naive, distribution, random_model, seeds
from windrow.errors import OptionError
from windrow.lm.ngram.filtering import filter_words
from windrow.lm.ngram.levels import BackoffModel
from windrow.lm.symbols import UNK

WORDS = 9


@settings(max_examples=80, deadline=None)
@given(seeds, st.integers(1, 4), st.booleans())
def test_marginals_of_the_distributions(seed, order, closed):
    dice = np.random.default_rng(seed)
    model, by_definition = random_model(dice, order, WORDS, closed=closed)
    kept = dice.random(WORDS) < 0.6

    found = filter_words(model, kept)

    kept[:3] = True
    new_ids = np.cumsum(kept) - 1
    assert found.vocabulary.words == [word for word, stays in zip(model.vocabulary.words, kept, strict=True) if stays]
    naive = as_naive(found)
    old_ids = np.flatnonzero(kept)
    contexts = {gram[:length] for gram in by_definition.probs for length in range(order) if kept[list(gram)].all()}
    contexts |= {tuple(dice.choice(old_ids[old_ids != BOS], length).tolist()) for length in range(order)}
    for context in contexts:
        before = by_definition.distribution(list(context), WORDS)
        after = distribution(found, new_ids[list(context)])
        expected = before[kept]
        expected[UNK] = before[~kept].sum() + before[UNK]
        np.testing.assert_allclose(after, expected, rtol=1e-4, atol=1e-9)
        np.testing.assert_allclose(naive.distribution(new_ids[list(context)].tolist(), int(kept.sum())), after)


def test_numbers_of_what_stays_are_the_same_bits():
    model, _ = random_model(np.random.default_rng(8), 3, WORDS)
    kept = np.arange(WORDS) != 4
    before, after = as_naive(model), as_naive(filter_words(model, kept))
    renamed = {gram: tuple(word - (word > 4) for word in gram) for gram in before.probs if 4 not in gram}
    assert renamed
    for gram, new in renamed.items():
        assert UNK in gram[-1:] or after.probs[new] == before.probs[gram]
        assert after.backoffs.get(new) == before.backoffs.get(gram)


def test_scores_without_sums_are_refused():
    model, _ = random_model(np.random.default_rng(1), 2, WORDS)
    with pytest.raises(OptionError, match="stupid back-off"):
        filter_words(BackoffModel(model.vocabulary, model.levels, -0.4), np.ones(WORDS, np.bool_))

"""What unigrams leave over: equal parts for words that the vocabulary lacks, or all of it for words not seen."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.lm.ngram.models import distribution
from tests.lm.ngram.test_estimation import (
    SIZE,
    check_model,
    contexts_of,
    counts_of,
    options_for,
    possible_order,
    sentences,
)
from tests.naive import smoothing as naive
from windrow import NGramLM
from windrow.errors import DataError, OptionError
from windrow.lm.ngram.estimation import estimate
from windrow.lm.ngram.settings import FALLING_BACK, LEAVING
from windrow.lm.ngram.smoothing import SMOOTHINGS
from windrow.lm.symbols import UNK

prunings = st.sampled_from([(), (0, 1), (1,)])


def estimated(name: str, texts: list[list[int]], order: int, **options: Any) -> Any:
    return estimate(counts_of(texts, order), name, dtype=np.float64, discount_fallback=True, **options)


@pytest.mark.parametrize("name", LEAVING)
@settings(max_examples=15, deadline=None)
@given(sentences, st.integers(1, 3), st.integers(1, 20), st.booleans(), prunings)
def test_parts_for_more_words(name, texts, order, pad, interpolate, prune):
    order = possible_order(texts, order)
    interpolate = interpolate or not SMOOTHINGS[name].backs_off
    options = {"delta": 0.3, "interpolate": interpolate, **options_for(name, order)}
    text = naive.Text(texts, order, SIZE, prune=prune[:order])

    model = estimated(name, texts, order, vocab_pad=pad, prune=prune[:order], **options)

    check_model(model, naive.METHODS[name](text, fallback=True, pad=pad, **options), sums_to_one=False)
    missing = max(pad - len(text.words), 0)  # words, each as probable as <unk>, which does not occur in these texts
    for context in contexts_of(text):
        found = distribution(model, context)
        assert found.sum() + missing * found[UNK] == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("name", FALLING_BACK)
@settings(max_examples=15, deadline=None)
@given(sentences, st.integers(1, 3), st.booleans(), prunings)
@example([[0, 3, 4], [0, 0, 3], [4, 3, 0, 3, 3]], 2, True, ())  # an unknown word in the text
@example([[0, 3, 4], [0, 0, 3], [4, 3, 0, 3, 3]], 2, False, ())
def test_all_of_it_for_words_not_seen(name, texts, order, interpolate, prune):
    """Words 3 to 7 are the vocabulary, of which texts seldom have all."""
    order = possible_order(texts, order)
    interpolate = interpolate and name != "katz"
    text = naive.Text(texts, order, SIZE, prune=prune[:order])

    model = estimated(name, texts, order, interpolate_unigrams=False, interpolate=interpolate, prune=prune[:order])

    truth = naive.METHODS[name](text, fallback=True, interpolate=interpolate, only_unseen=True)
    check_model(model, truth, sums_to_one=True)


def test_closed_forms():
    """Counts 5 (the), 3 (cat), 2 (</s>) and 1 (dog); discounts 0.5, 1, 1.5; 5 words with <unk>."""
    given = {"discounts": [[0.5, 1, 1.5]]}
    text = ["the the the cat cat the", "the cat dog"]
    left_over = (1.5 + 1.5 + 1 + 0.5) / 11

    def found(**options: Any) -> list[float]:
        model = NGramLM(1, "absolute", **given, **options).fit(text)
        by_word = dict(zip(model.vocabulary.words, model.next_word_distribution([]), strict=True))
        return [by_word[word] for word in ("the", "cat", "</s>", "dog", "<unk>")]

    alone = [3.5 / 11, 1.5 / 11, 1 / 11, 0.5 / 11, 0]
    assert found() == pytest.approx([p + left_over / 5 for p in alone], rel=1e-6)
    assert found(vocab_pad=5) == found(vocab_pad=4) == found()
    assert found(vocab_pad=1000) == pytest.approx([p + left_over / 1000 for p in alone], rel=1e-6)
    assert found(interpolate_unigrams=False) == pytest.approx([*alone[:4], left_over], rel=1e-6)
    kept = [p * (1 - 0.1) / (1 - left_over) for p in alone[:4]]
    assert found(interpolate_unigrams=False, unk_mass=0.1) == pytest.approx([*kept, 0.1], rel=1e-6)


def test_fixed_words_that_do_not_occur_share_it_with_unknown_ones():
    words = ["the", "cat", "zebra", "lion"]
    model = NGramLM(1, "witten-bell", interpolate_unigrams=False).fit(["the cat the"], fixed_vocab=words)
    found = dict(zip(model.vocabulary.words, model.next_word_distribution([]), strict=True))
    assert [found[word] for word in ("the", "cat", "</s>")] == pytest.approx([2 / 7, 1 / 7, 1 / 7])
    assert [found[word] for word in ("zebra", "lion", "<unk>")] == pytest.approx([1 / 7] * 3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"vocab_pad": -1}, "vocab_pad = -1 is out of range"),
        ({"vocab_pad": 2.5}, "vocab_pad = 2.5 must be a whole number"),
        ({"vocab_pad": 9, "unk_mass": 0.1}, "unk_mass and vocab_pad both set the probability of unknown words"),
        (
            {"vocab_pad": 9, "open_vocabulary": False},
            "vocab_pad is about unknown words, which a closed vocab",
        ),
        (
            {"interpolate_unigrams": False, "open_vocabulary": False},
            "interpolate_unigrams = False is about unknown wor",
        ),
        ({"interpolate_unigrams": False, "vocab_pad": 9}, "vocab_pad makes parts for every word, which needs interpol"),
    ],
)
def test_what_does_not_go_together(options, said):
    with pytest.raises(OptionError, match=f"^{re.escape(said)}"):
        estimate(counts_of([[3, 4]], 1), "witten-bell", **options)


def test_a_mass_of_unknown_words_that_have_everything_already():
    """All that the discount leaves of the other word is 0, which no factor raises."""
    options = {"discounts": [[1.0, 2.0]], "interpolate_unigrams": False, "unk_mass": 0.1, "eos": False}
    with pytest.raises(DataError, match="unk_mass leaves the rest to other words"):
        NGramLM(1, "absolute", **options).fit(["a", "a"])

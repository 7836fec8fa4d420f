"""Features of texts: the same as their definition has them, hash by hash."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.naive import classification as naive
from windrow.classification.features import Features, Ngrams
from windrow.classification.numbered import Numbered
from windrow.corpus.subwords import SENTENCE_END

TEXTS = [["the", "old", "man", "the", "boat"], ["été", "日本", "the"], [], ["old", "old"]]
WORDS = st.lists(st.sampled_from(["a", "bb", "été", "日本語", "x" * 9, "new", SENTENCE_END]), max_size=8)


def rows_of(features: Features, texts: list[list[str]]) -> list[list[int]]:
    found = features.read(Numbered.of_lists(texts)).rows(np.arange(len(texts)))
    return [found.ids[a:b].tolist() for a, b in zip(found.starts[:-1], found.starts[1:], strict=True)]


def naive_rows(features: Features, text: list[str], ngrams: Ngrams) -> list[int]:
    """Rows of the naive features that training has seen."""
    seen = {bucket: len(features.words) + place for place, bucket in enumerate(features.seen_buckets.tolist())}
    row_of = {**seen, **{word: row for row, word in enumerate(features.words)}}
    found = naive.features(text, features.words, ngrams.word_ngrams, ngrams.min_n, ngrams.max_n, ngrams.buckets)
    return [row_of[feature] for feature in found if feature in row_of]


@pytest.mark.parametrize("ngrams", [Ngrams(1, 0, 0, 7), Ngrams(3, 0, 0, 50), Ngrams(1, 2, 4, 50), Ngrams(2, 0, 3, 997)])
@pytest.mark.parametrize("min_count", [1, 2])
def test_every_feature_of_the_training_has_a_row(ngrams: Ngrams, min_count: int) -> None:
    features = Features.learn(Numbered.of_lists(TEXTS), ngrams, min_count)
    counts = Counter(word for text in TEXTS for word in [*text, SENTENCE_END])

    assert set(features.words) == {word for word, count in counts.items() if count >= min_count}
    for text, rows in zip(TEXTS, rows_of(features, TEXTS), strict=True):
        assert sorted(rows) == sorted(naive_rows(features, text, ngrams))
        found = naive.features(text, features.words, ngrams.word_ngrams, ngrams.min_n, ngrams.max_n, ngrams.buckets)
        assert len(rows) == len(found)  # nothing of the training text is left out
    used = {row for rows in rows_of(features, TEXTS) for row in rows}
    assert used == set(range(len(features)))  # no row is for nothing


@pytest.mark.parametrize("ngrams", [Ngrams(1, 0, 0, 7), Ngrams(2, 0, 0, 10_007), Ngrams(1, 3, 4, 10_007)])
def test_a_text_is_known_by_any_feature_but_its_end(ngrams: Ngrams) -> None:
    features = Features.learn(Numbered.of_lists(TEXTS), ngrams, 1)
    others = [["old"], [], ["xyz", "wxyz"], ["older"], ["new", "boat"]]
    naive_known = [naive_rows(features, text, ngrams) != naive_rows(features, [], ngrams) for text in others]

    found = features.are_known(Numbered.of_lists(others)).tolist()
    assert found == naive_known == [True, False, False, ngrams.max_n > 0, True]
    cut = Features([SENTENCE_END], ngrams, features.seen_buckets)  # n-grams stay where the words do not
    assert cut.are_known(Numbered.of_lists([["the", "boat"]])).tolist() == [ngrams.are_used]


@given(train=st.lists(WORDS, min_size=1, max_size=4), other=st.lists(WORDS, max_size=4), longest=st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_features_of_any_text(train: list[list[str]], other: list[list[str]], longest: int) -> None:
    """Also of words that are new, which have n-grams that may be known."""
    ngrams = Ngrams(longest, 2, 3, 61)
    features = Features.learn(Numbered.of_lists(train), ngrams, 1)

    vectors = np.random.default_rng(1).normal(size=(len(features), 17)).astype(np.float32)
    means = list(features.read(Numbered.of_lists(other)).mean_vectors(vectors, 3))
    for number, (text, rows) in enumerate(zip(other, rows_of(features, other), strict=True)):
        expected = naive_rows(features, text, ngrams)
        assert sorted(rows) == sorted(expected)
        np.testing.assert_allclose(means[number // 3][number % 3], vectors[expected].mean(axis=0), atol=1e-5)


def test_texts_are_taken_in_any_order() -> None:
    features = Features.learn(Numbered.of_lists(TEXTS), Ngrams(2, 0, 0, 100), 1)
    texts, whole = features.read(Numbered.of_lists(TEXTS)), rows_of(features, TEXTS)

    found = texts.rows(np.array([3, 0]))

    assert [found.ids[a:b].tolist() for a, b in zip(found.starts[:-1], found.starts[1:], strict=True)] == [
        whole[3],
        whole[0],
    ]


def test_hashes_of_word_ngrams_are_known_numbers() -> None:
    """Computed by hand from the bytes: FNV-1a of "a" is 0xe40c292c, negative as an int32_t."""
    assert naive.word_ngram_buckets(["a", "a"], 2, 2**64) == [
        ((0xE40C292C - 2**32) * 116049371 + 0xE40C292C - 2**32) % 2**64
    ]

from __future__ import annotations

from itertools import accumulate, chain, pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.naive import windows as naive
from windrow.embeddings.kernels.windows import keep_known, lay_windows, subsample

UNKNOWN = -1
draws_32 = st.integers(0, 2**32 - 1)


def ragged(words: st.SearchStrategy[int]) -> st.SearchStrategy[list[list[int]]]:
    return st.lists(st.lists(words, max_size=9), max_size=6)


def starts_of(sentences: naive.Sentences, dtype: type[np.integer]) -> np.ndarray:
    return np.array([0, *accumulate(map(len, sentences))], dtype)


def split(words: np.ndarray, starts: np.ndarray) -> naive.Sentences:
    return [words[a:b].tolist() for a, b in pairwise(starts)]


@settings(max_examples=60, deadline=None)
@given(ragged(st.integers(UNKNOWN, 12)), st.integers(0, 12))
def test_keep_known(sentences, vocabulary_size):
    ids, starts = np.array(list(chain(*sentences)), np.int32), starts_of(sentences, np.int64)
    words, word_starts = np.empty(len(ids), np.int32), np.empty(len(starts), np.int32)

    count = keep_known(ids, starts, vocabulary_size, words, word_starts)

    expected = naive.keep_known(sentences, vocabulary_size)
    assert count == sum(map(len, expected)) == word_starts[-1]
    assert split(words, word_starts) == expected


@settings(max_examples=60, deadline=None)
@given(ragged(st.integers(0, 3)), st.lists(draws_32, min_size=4, max_size=4), st.data())
def test_subsample(sentences, thresholds, data):
    size = sum(map(len, sentences))
    # A draw that equals a threshold keeps the word: let it happen.
    draws = data.draw(st.lists(st.one_of(draws_32, st.sampled_from(thresholds)), min_size=size, max_size=size))
    words, word_starts = np.array(list(chain(*sentences)), np.int32), starts_of(sentences, np.int32)

    count = subsample(words, word_starts, np.array(thresholds, np.uint32), np.array(draws, np.uint32))

    expected = naive.subsample(sentences, thresholds, iter(draws))
    assert count == sum(map(len, expected)) == word_starts[-1]
    assert split(words, word_starts) == expected


@settings(max_examples=60, deadline=None)
@given(ragged(st.integers(0, 3)), st.integers(1, 8), st.data())
def test_lay_windows(sentences, window, data):
    size = sum(map(len, sentences))
    reaches = data.draw(st.lists(st.integers(1, window), min_size=size, max_size=size))
    left, right = np.empty(size, np.int32), np.empty(size, np.int32)

    lay_windows(starts_of(sentences, np.int32), np.array(reaches, np.int32), left, right)

    text = naive.lay_windows(sentences, reaches, [])
    for center in range(size):
        assert [j for j in range(left[center], right[center]) if j != center] == text.windows[center]
        assert left[center] <= center < right[center]

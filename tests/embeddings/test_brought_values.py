"""What is given to a table of word vectors and is of another type: taken rightly, or refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from windrow import WordVectors
from windrow.errors import OptionError

pytestmark = pytest.mark.filterwarnings("error")
WORDS = ["cat", "kitten", "dog"]
VECTORS = np.array([[1, 0], [3, 4], [0, 1]], np.float32)


@pytest.fixture
def wv() -> WordVectors:
    return WordVectors(WORDS, VECTORS)


@pytest.mark.parametrize(
    ("words", "vectors", "counts", "said"),
    [
        (set(WORDS), VECTORS, None, "words must be a list of str, not a set"),
        ("abc", VECTORS, None, "words must be a list of str, not a str"),
        (WORDS, VECTORS.astype(complex), None, "vectors must hold real numbers, not complex"),
        (WORDS, np.ma.masked_equal(VECTORS, VECTORS[1, 0]), None, r"vectors is masked at \[1, 0\]"),
        (WORDS, VECTORS, np.ma.array([1, 2, 3], mask=[0, 0, 1]), r"counts is masked at \[2\]"),
        (WORDS, VECTORS, [1.5, 2, 3], "counts must hold whole numbers only"),
        (WORDS, VECTORS, [1, -2, 3], "counts must not be negative, got -2"),
    ],
)
def test_tables_that_would_not_be_what_was_given(words: Any, vectors: Any, counts: Any, said: str) -> None:
    with pytest.raises(OptionError, match=said):
        WordVectors(words, vectors, counts)


def test_words_of_numpy_are_plain_strings() -> None:
    assert {type(word) for word in WordVectors(np.array(WORDS), VECTORS).index_to_key} == {str}


def test_whole_counts_in_floating_point_are_taken() -> None:
    assert WordVectors(WORDS, VECTORS, np.array([3.0, 2.0, 1.0])).counts.tolist() == [3, 2, 1]


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda wv: wv.most_similar(True), "a key must be a word or a row number, got bool"),
        (lambda wv: wv[[True, False, True]], "a key must be a word or a row number, got bool"),
        (lambda wv: wv.most_similar_batch("cat"), "queries = 'cat' must be a list of words"),
        (lambda wv: wv.subset("cat"), "words must be a list of str"),
        (lambda wv: wv.subset({"cat", "dog"}), "words must be a list of str"),
        (lambda wv: wv.add_vectors({"a", "b"}, VECTORS[:2]), "words must be a list of str"),
        (lambda wv: wv.__setitem__("cat", [np.nan, 1]), "^a vector holds a number that is not finite"),
        (lambda wv: wv.similar_by_vector(np.ma.array([1, 2], mask=[1, 0])), r"masked at \[0\]"),
        (lambda wv: wv.__setitem__("cat", np.array([1j, 1])), "vectors must hold real numbers"),
        (lambda wv: wv.__setitem__(["cat", 0], VECTORS[:2]), "occurs twice"),
    ],
)
def test_keys_and_values_of_another_kind(ask: Callable[[WordVectors], Any], said: str, wv: WordVectors) -> None:
    with pytest.raises(OptionError, match=said):
        ask(wv)
    assert np.array_equal(wv.vectors, VECTORS)


def test_arrays_and_generators_of_keys(wv: WordVectors) -> None:
    expected = wv.most_similar_batch(["cat", "dog"])
    assert wv.most_similar_batch(np.array(["cat", "dog"])) == expected
    assert wv.most_similar_batch(np.array([0, 2])) == expected == wv.most_similar_batch([0, 2])
    assert wv.subset(word for word in ("dog", "cat")).index_to_key == ["dog", "cat"]

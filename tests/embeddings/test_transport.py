"""Word Mover's Distance against closed forms and its naive twin, the best of all pairings."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.naive.transport import cheapest_pairing
from windrow.embeddings.vectors import WordVectors

WORDS = [f"w{i}" for i in range(9)]
VECTORS = np.random.default_rng(3).normal(size=(9, 4)).astype(np.float32)
WV = WordVectors(WORDS, VECTORS)
document = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 5).flatmap(lambda n: st.tuples(*[st.lists(st.sampled_from(WORDS), min_size=n, max_size=n)] * 2)))
def test_documents_of_equal_length_are_paired_word_by_word(documents: tuple[list[str], list[str]]) -> None:
    points = [[VECTORS[WORDS.index(word)].tolist() for word in words] for words in documents]
    assert WV.wmdistance(*documents, norm=False) == pytest.approx(cheapest_pairing(*points), abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(document, document, document)
def test_it_is_a_metric_of_shares(one: list[str], two: list[str], three: list[str]) -> None:
    there = WV.wmdistance(one, two)
    assert there == pytest.approx(WV.wmdistance(two, one), abs=1e-6)
    assert there == pytest.approx(WV.wmdistance(one * 3, two * 2), abs=1e-6)  # shares, not counts
    assert there <= WV.wmdistance(one, three) + WV.wmdistance(three, two) + 1e-6
    assert WV.wmdistance(one, one[::-1]) == 0


def test_a_single_word_is_reached_by_all_mass() -> None:
    distances = [float(np.linalg.norm(VECTORS[row] - VECTORS[0])) for row in (1, 2)]
    moved = WV.wmdistance(["w1", "w2", "w2"], ["w0", "nobody"], norm=False)
    assert moved == pytest.approx((distances[0] + 2 * distances[1]) / 3, abs=1e-6)


def test_unit_vectors_are_the_usual_ones() -> None:
    assert WV.wmdistance(["w1"], ["w2"]) == pytest.approx(math.sqrt(2 * WV.distance("w1", "w2")), abs=1e-6)


def test_documents_without_known_words_are_infinitely_far() -> None:
    assert WV.wmdistance(["nobody"], ["w1"]) == math.inf
    assert WV.wmdistance(["w1"], []) == math.inf


def test_equal_vectors_of_other_words_cost_nothing() -> None:
    """gensim says infinity, because its solver cannot take a matrix of zeros."""
    assert WordVectors(["a", "b"], np.ones((2, 3), np.float32)).wmdistance(["a"], ["b"]) == 0

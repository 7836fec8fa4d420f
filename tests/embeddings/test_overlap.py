"""Common neighbors of two models: by hand, and by the queries of each."""

from __future__ import annotations

import numpy as np
import pytest

from windrow.embeddings import WordVectors, neighbor_overlap
from windrow.errors import DataError, OptionError


def table(seed: int, words: list[str], size: int = 6) -> WordVectors:
    return WordVectors(words, np.random.default_rng(seed).normal(size=(len(words), size)).astype(np.float32))


def test_neighbors_are_those_of_queries_among_the_common_words() -> None:
    words = [f"w{number}" for number in range(40)]
    a, b = table(1, [*words, "only a"]), table(2, ["only b", *words[::-1]], 9)
    found = neighbor_overlap(a, b, k=7)
    a, b = a.subset(words), b.subset(words)
    overlaps = []
    for one in found.words:
        near = [[word for word, _ in model.most_similar(one.word, topn=7)] for model in (a, b)]
        assert [list(one.a), list(one.b)] == near
        overlaps.append(len(set(near[0]) & set(near[1])) / 7)
    assert [one.word for one in found.words] == words
    assert found.overlap == pytest.approx(np.mean(overlaps))
    assert found.jaccard == pytest.approx(np.mean([7 * one / (14 - 7 * one) for one in overlaps]))
    assert [one.overlap for one in found.changed] == sorted(overlaps)
    for value, interval in ((found.overlap, found.overlap_interval), (found.jaccard, found.jaccard_interval)):
        assert interval is not None
        assert interval[0] < value < interval[1]
    assert found.to_json()["words"] == 40


def test_a_model_agrees_with_itself_turned_and_scaled() -> None:
    a = table(1, list("abcdefgh"))
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(6, 6)))[0]
    b = WordVectors(list("abcdefgh"), (5 * a.vectors @ turn).astype(np.float32))
    found = neighbor_overlap(a, b, k=3)
    assert (found.overlap, found.jaccard, found.overlap_interval) == (1, 1, (1, 1))
    assert neighbor_overlap(a, b, k=3, top=5).to_json()["words"] == 5


def test_what_cannot_be_compared() -> None:
    a = table(1, list("abc"))
    with pytest.raises(DataError, match="the models have 2 words in common; lists of 2 neighbors need more than 2"):
        neighbor_overlap(a, table(2, list("xab")), k=2)
    for wrong in ({"k": 0}, {"top": 1}):
        with pytest.raises(OptionError, match=r"(k|top) = [01]"):
            neighbor_overlap(a, a, **wrong)
    with pytest.raises(OptionError, match="the vector of 'a' holds a number that is not finite"):
        neighbor_overlap(a, WordVectors(list("abc"), np.full((3, 2), np.nan, np.float32)), k=1)

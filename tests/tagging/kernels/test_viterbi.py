"""Chains of tags against all paths, one by one."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from tests.naive import tagging as naive
from windrow.tagging.kernels.viterbi import add_marginals, add_path, best_paths, log_normalizers

LENGTHS = [3, 0, 1, 4]
STARTS = np.concatenate([[0], np.cumsum(LENGTHS)])
TAGS = 3


@pytest.fixture(params=[np.float32, np.float64])
def chains(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    scores = rng.normal(0, 2, (STARTS[-1], TAGS)).astype(request.param)
    transitions = rng.normal(0, 2, (TAGS + 2, TAGS)).astype(request.param)
    transitions[1, 2] = -1e4  # forbidden
    return scores, transitions


def sentences(scores: np.ndarray) -> list[np.ndarray]:
    return [scores[a:b] for a, b in pairwise(STARTS) if a < b]


def forward_backward(scores: np.ndarray, transitions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    alpha, marginals = np.empty(scores.shape), np.empty(scores.shape)
    normalizers, pairs = np.empty(len(LENGTHS)), np.zeros(transitions.shape)
    log_normalizers(scores, STARTS, transitions, alpha, normalizers)
    add_marginals(scores, STARTS, transitions, alpha, normalizers, marginals, pairs)
    return normalizers, marginals, pairs


def test_the_best_path_is_the_best_of_all(chains: tuple[np.ndarray, np.ndarray]) -> None:
    scores, transitions = chains
    path = np.zeros(len(scores), np.int32)
    best_paths(scores, STARTS, transitions, np.empty(scores.shape), np.zeros(scores.shape, np.int32), path)
    expected: list[int] = []
    for sentence in sentences(scores):
        paths = naive.all_paths(sentence, transitions)
        expected += max(paths, key=paths.__getitem__)
    assert path.tolist() == expected


def test_normalisers_and_marginals_are_sums_over_all_paths(chains: tuple[np.ndarray, np.ndarray]) -> None:
    scores, transitions = chains
    normalizers, marginals, pairs = forward_backward(scores, transitions)
    assert normalizers[1] == 0  # of the sentence without tokens
    expected, tag_rows, expected_pairs = [], [], np.zeros(transitions.shape)
    for sentence in sentences(scores):
        expected.append(naive.log_normaliser(sentence, transitions))
        rows = np.zeros(sentence.shape)
        for path, score in naive.all_paths(sentence, transitions).items():
            probability = np.exp(score - expected[-1])
            rows[np.arange(len(path)), path] += probability
            np.add.at(expected_pairs, ([TAGS, *path[:-1]], path), probability)
            expected_pairs[TAGS + 1, path[-1]] += probability
        tag_rows.append(rows)
    tolerance = 1e-5 if scores.dtype == np.float32 else 1e-12
    np.testing.assert_allclose(normalizers[[0, 2, 3]], expected, rtol=tolerance)
    np.testing.assert_allclose(marginals, np.concatenate(tag_rows), atol=tolerance)
    np.testing.assert_allclose(pairs, expected_pairs, atol=tolerance)
    assert pairs[1, 2] == 0


def test_scores_as_large_as_they_come(chains: tuple[np.ndarray, np.ndarray]) -> None:
    scores, transitions = chains
    shifted = scores.astype(np.float64) + 5000
    normalizers, marginals, _ = forward_backward(shifted, transitions)
    plain, plain_marginals, _ = forward_backward(scores.astype(np.float64), transitions)
    np.testing.assert_allclose(normalizers - 5000 * np.array(LENGTHS), plain, rtol=1e-9)
    np.testing.assert_allclose(marginals, plain_marginals, atol=1e-9)


def test_a_path_is_counted_and_scored(chains: tuple[np.ndarray, np.ndarray]) -> None:
    scores, transitions = chains
    path = np.array([2, 0, 1, 1, 0, 0, 2, 1], np.int32)
    marginals, pairs = np.zeros(scores.shape), np.zeros(transitions.shape)
    total = add_path(scores, STARTS, transitions, path, -2.0, marginals, pairs)
    parts = [(2, 0, 1), (1,), (0, 0, 2, 1)]
    expected = sum(naive.path_score(s, transitions, p) for s, p in zip(sentences(scores), parts, strict=True))
    assert total == pytest.approx(expected, rel=1e-5)
    np.testing.assert_array_equal(marginals, -2 * np.eye(TAGS)[path])
    assert pairs.sum() == -2 * (len(path) + len(parts))
    assert pairs[TAGS].tolist() == [-2, -2, -2]  # begins with each once
    assert pairs[TAGS + 1].tolist() == [0, -6, 0]
    assert pairs[0, 2] == pairs[2, 0] == -2

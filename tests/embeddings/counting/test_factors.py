"""The factors of a matrix of counts, beside NumPy's."""

from __future__ import annotations

import numpy as np
import pytest

from tests.embeddings.counting.cases import as_text, dense, expected, plan_of
from tests.naive import cooccurrence as naive
from windrow.embeddings.counting import matrix as matrices
from windrow.embeddings.counting.factors import PPMI, word_factors
from windrow.embeddings.counting.matrix import count_cooccurrences
from windrow.errors import DataError, OptionError
from windrow.numeric.threads import crew

WORDS, CONTEXTS = 90, 70


@pytest.fixture(params=[1 << 16, 100], ids=["one block", "blocks"])
def counts(request, monkeypatch):
    monkeypatch.setattr(matrices, "LARGEST_BLOCK", request.param)
    monkeypatch.setattr(matrices, "SMALLEST_BLOCK", 1)
    dice = np.random.default_rng(2)
    sentences = [(dice.zipf(1.3, 20) % (WORDS - 1)).tolist() for _ in range(120)]  # the last word does not occur
    plan = plan_of([2**32 - 1] * WORDS, CONTEXTS, "linear", 3)
    matrix = count_cooccurrences(as_text(sentences), plan, None, None, lambda done: None)
    assert (len(matrix.blocks) > 1) == (request.param == 100)
    return matrix, expected(sentences, plan, "linear")


@pytest.mark.parametrize(("exponent", "shift"), [(0.75, 1.0), (1.0, 1.5), (0.0, 4.0)])
def test_ppmi_and_its_transpose_are_as_defined(counts, exponent, shift):
    matrix, defined = counts
    ppmi, wanted = PPMI.of(matrix, exponent, shift), naive.ppmi(defined, exponent, shift)
    identity = np.eye(CONTEXTS, dtype=np.float32)
    np.testing.assert_allclose(ppmi.times(identity), wanted, atol=2e-6)
    np.testing.assert_allclose(ppmi.contexts_times(identity), wanted[:CONTEXTS], atol=2e-6)
    np.testing.assert_allclose(ppmi.transposed_times(identity), wanted[:CONTEXTS].T, atol=2e-6)
    assert (wanted > 0).sum() > 100


@pytest.mark.parametrize("exponent", [0.0, 0.25, 1.0])
def test_vectors_are_those_of_numpy(counts, exponent):
    """Up to turns of each dimension's sign; words beyond the contexts are projected by the same factors."""
    matrix, defined = counts
    wanted = naive.ppmi(defined, 0.75, 1.0)
    left, values, right = np.linalg.svd(wanted[:CONTEXTS])
    vectors = wanted @ right[:6].T * values[:6] ** (exponent - 1)
    np.testing.assert_allclose(vectors[:CONTEXTS], left[:, :6] * values[:6] ** exponent, atol=1e-10)

    found, found_values = word_factors(PPMI.of(matrix, 0.75, 1.0), 6, exponent, 8, 1, lambda done: None)

    np.testing.assert_allclose(found_values, values[:6], rtol=1e-5)
    signs = np.sign((found * vectors).sum(axis=0))
    np.testing.assert_allclose(found * signs, vectors, atol=2e-4 * np.abs(vectors).max())
    assert not found[-1].any()  # a word that has no counts


def test_a_subspace_narrower_than_the_matrix_comes_near(monkeypatch):
    """More iterations come nearer to the best approximation of rank 4, which is NumPy's."""
    monkeypatch.setattr("windrow.embeddings.counting.factors._MORE_COLUMNS", 4)
    dice = np.random.default_rng(8)
    sentences = [(dice.zipf(1.2, 20) % 200).tolist() for _ in range(200)]
    matrix = count_cooccurrences(as_text(sentences), plan_of([2**32 - 1] * 200, 200, "none", 2), None, None, print)
    best = np.linalg.svd(naive.ppmi(dense(matrix), 0.75, 1.0), compute_uv=False)[:4]
    errors = []
    for iterations in (1, 4, 16):
        values = word_factors(PPMI.of(matrix, 0.75, 1.0), 4, 0.0, iterations, 1, lambda done: None)[1]
        assert (values <= best * (1 + 1e-6)).all()
        errors.append(np.abs(values - best).max())
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.03 * best[3]


def test_threads_change_no_bit(counts):
    found = []
    for threads in (1, 3):
        with crew(threads):
            found.append(word_factors(PPMI.of(counts[0], 0.75, 1.0), 5, 0.25, 3, 7, lambda done: None)[0])
    np.testing.assert_array_equal(*found)


def test_a_size_above_the_rank():
    """Words a and b stand near each other only, so that the matrix has rank 2 among 4 words."""
    sentences = [[0, 1]] * 4 + [[2]] * 2 + [[3]]
    matrix = count_cooccurrences(as_text(sentences), plan_of([2**32 - 1] * 4, 4, "none", 2), None, None, print)
    ppmi = PPMI.of(matrix, 1.0, 1.0)
    with pytest.raises(OptionError, match="vector_size = 3 is above the rank of the matrix of 4 context words, 2; set"):
        word_factors(ppmi, 3, 0.5, 2, 1, lambda done: None)


def test_a_shift_that_leaves_nothing(counts):
    with pytest.raises(OptionError, match="no two words stand near each other more often than shift asks for; lower"):
        word_factors(PPMI.of(counts[0], 0.75, 1e5), 3, 0.5, 2, 1, lambda done: None)


def test_nothing_near_anything():
    matrix = count_cooccurrences(as_text([[0], [1]]), plan_of([2**32 - 1] * 2, 2, "none", 2), None, None, print)
    with pytest.raises(DataError, match="no two words stand near each other"):
        PPMI.of(matrix, 0.75, 1.0)

from __future__ import annotations

import numpy as np
import pytest

from tests.naive.steps import logistic, word2vec_logistic
from windrow.embeddings.kernels.pairs import LOGISTIC_TABLE, MAX_LOGIT, update_pair


def updated(score: float, label: int, dtype: type[np.floating]) -> tuple[float, float, float]:
    """One number against one number, so that their product is the score: the changes of both, and the loss."""
    hidden, table, gradient = np.array([2], dtype), np.array([[9], [score / 2]], dtype), np.zeros(1, dtype)
    loss = update_pair(hidden, gradient, table, 1, label, dtype(0.5), LOGISTIC_TABLE)
    assert table[0, 0] == 9
    assert hidden[0] == 2
    return float(gradient[0]), float(table[1, 0]) - float(dtype(score / 2)), loss


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.parametrize("score", [-5.9999, -3.3, -0.01, 0.0, 0.3, 4.2, 5.9999])
def test_update_follows_the_table(score, label, dtype):
    gradient, change, loss = updated(score, label, dtype)

    error = 0.5 * (label - word2vec_logistic(score, dtype))
    assert gradient == pytest.approx(error * score / 2, abs=1e-6)
    assert change == pytest.approx(error * 2, abs=1e-6)
    assert loss == pytest.approx(-np.log(logistic(score if label else -score)), rel=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("score", [6.0, -6.0, 20.0, -20.0])
def test_scores_beyond_six_update_nothing(score, dtype):
    gradient, change, loss = updated(score, 1, dtype)

    assert gradient == change == 0
    assert loss == pytest.approx(np.log1p(np.exp(-score)), rel=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_score_that_is_no_number_is_not_looked_up(dtype):
    """NaN lies on neither side of 6, and as an index it would point outside the table."""
    gradient, _, loss = updated(np.nan, 1, dtype)

    assert gradient == 0
    assert np.isnan(loss)


def test_table_of_word2vec():
    """word2vec.c: ``expTable[i] = exp((i / 1000 * 2 - 1) * 6); expTable[i] /= expTable[i] + 1`` in C's floats."""
    logits = (np.arange(1000) / 1000 * 2 - 1) * MAX_LOGIT

    assert LOGISTIC_TABLE.dtype == np.float32
    np.testing.assert_allclose(LOGISTIC_TABLE, 1 / (1 + np.exp(-logits)), rtol=1e-6)
    # The index factor 83 in place of 83.33 puts a score of 0 at entry 498: a probability of 0.494.
    assert word2vec_logistic(0.0, np.float64) == LOGISTIC_TABLE[498] == pytest.approx(0.494, abs=1e-4)

from __future__ import annotations

import numpy as np
import pytest

from tests.naive.steps import Targets, logistic, negative_sampling_block, word2vec_logistic
from windrow.embeddings.kernels.contexts import Block, Context, new_block
from windrow.embeddings.kernels.logistic import (
    LOGISTIC_TABLE,
    MAX_LOGIT,
    TOGETHER,
    update_pair,
    update_singles,
    update_windows,
)
from windrow.numeric.simd import LANES


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


STRIDE, WORDS, RATE = 32, 9, 0.25
ROUNDING = {np.float32: 2e-5, np.float64: 1e-13}
every_type = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def random_block(dtype: type[np.floating], skipgram: bool, targets: int) -> tuple[Block, Targets]:
    """Rows and targets without any text, and the same for the naive twin; scratch as an earlier block may leave it."""
    generator = np.random.default_rng(targets)
    block = new_block(Context(skipgram, True, False, 10, STRIDE, max(targets, 20)), dtype)
    block.hidden[:] = generator.standard_normal(block.hidden.size) / 4
    block.gradient[:] = generator.standard_normal(block.gradient.size)
    block.scores[:] = 3
    naive_targets: Targets = []
    for target in range(targets):
        word, count = int(generator.integers(WORDS)), int(generator.integers(0, 21 if skipgram else 2))
        first, gap = int(generator.integers(0, 19)), int(generator.integers(0, count + 1))
        rows = [row for row in range(first, first + count + 1) if row != first + gap][:count]
        if not skipgram:  # the gap is behind the one row
            gap, rows = 1, [first] * count
        weights = generator.random(count).astype(dtype)
        block.targets[target], block.first_rows[target] = word, first
        block.pair_counts[target], block.gaps[target] = count, gap
        block.pair_weights[target * block.width : target * block.width + count] = weights
        naive_targets.append((word, [(row, float(weight)) for row, weight in zip(rows, weights, strict=True)]))
    return block, naive_targets


def compare(block: Block, targets: Targets, dtype: type[np.floating], update, group: int) -> None:
    table = (np.random.default_rng(2).standard_normal((WORDS, STRIDE)) / 4).astype(dtype)
    hidden, gradient = (flat.reshape(-1, STRIDE).astype(np.float64) for flat in (block.hidden, block.gradient))
    outputs = table.astype(np.float64)
    change, expected = negative_sampling_block(dict(enumerate(hidden)), targets, RATE, outputs, [], 0, group)

    loss = update(block, len(targets), dtype(RATE), table.reshape(-1), STRIDE)

    assert loss == pytest.approx(expected, rel=ROUNDING[dtype])
    np.testing.assert_allclose(table, outputs, rtol=0, atol=ROUNDING[dtype])
    np.testing.assert_allclose(
        block.gradient.reshape(-1, STRIDE), gradient + list(change.values()), rtol=0, atol=ROUNDING[dtype]
    )
    np.testing.assert_array_equal(block.hidden.reshape(-1, STRIDE), hidden)


@every_type
@pytest.mark.parametrize("targets", [1, 3, 4, 5, 20])
def test_update_windows(dtype, targets):
    """Windows of up to 20 rows: more than 12 that learn at once, and more than one vector of errors."""
    block, naive_targets = random_block(dtype, True, targets)

    compare(block, naive_targets, dtype, update_windows, TOGETHER)


@every_type
@pytest.mark.parametrize("targets", [1, 3, 16, 17, 35])
def test_update_singles(dtype, targets):
    block, naive_targets = random_block(dtype, False, targets)
    assert block.width == 1

    compare(block, naive_targets, dtype, update_singles, LANES)


@every_type
@pytest.mark.parametrize("skipgram", [True, False])
def test_one_pair_by_hand(dtype, skipgram):
    """A score of 0: the loss is log 2 and the error 1/2, whatever else lies in the scratch."""
    block = new_block(Context(skipgram, True, False, 1, 16, 1), dtype)
    table = np.zeros(3 * 16, dtype)
    block.hidden[16 : 2 * 16] = np.arange(16)
    block.targets[0], block.first_rows[0], block.pair_counts[0], block.gaps[0] = 2, 1, 1, 1
    block.pair_weights[0], block.scores[:] = 0.5, -4

    loss = (update_windows if skipgram else update_singles)(block, 1, dtype(0.25), table, 16)

    assert loss == pytest.approx(0.5 * np.log(2), rel=1e-6)
    np.testing.assert_allclose(table[32:], 0.25 * 0.5 * 0.5 * np.arange(16), rtol=1e-6)
    assert not table[:32].any()
    assert not block.gradient.any()  # the output vector was zero

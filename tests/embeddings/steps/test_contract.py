"""What every registered training step must hold to."""

from __future__ import annotations

import numpy as np
import pytest

from tests.embeddings.steps.cases import MODES, Model, naive_log_prob, random_text
from tests.naive.word2vec import combine_window, window_weights
from windrow.embeddings.steps import STEPS, step_type
from windrow.embeddings.steps.contract import StepOptions

COUNTS = [70, 31, 31, 12, 7, 7, 7, 2, 1]
LENGTHS = [6, 0, 1, 9, 2]
NORMALISED = [name for name in STEPS if name != "ns"]  # trained on the log-likelihood itself

every_step = pytest.mark.parametrize("name", STEPS)
every_mode = pytest.mark.parametrize("mode", MODES)
both_kernels = pytest.mark.parametrize("kernel", ["train_blocks", "train_pairs"])


@pytest.fixture
def text():
    return random_text(np.random.default_rng(1), len(COUNTS), LENGTHS, window=3)


@every_step
def test_fresh_parameters_are_zero(name):
    layer = step_type(name)(np.array(COUNTS), 20, StepOptions(private_rows=3))

    assert layer.parameters.dtype == np.float32
    assert layer.parameters.shape[0] in (len(COUNTS), len(COUNTS) - 1)
    assert layer.parameters.shape[1] == 32
    assert not layer.parameters.any()
    assert len(layer.storage) == len(layer.parameters) + 3
    assert np.shares_memory(layer.storage, layer.parameters)


@pytest.mark.parametrize("name", NORMALISED)
@every_mode
@both_kernels
def test_loss_is_the_negative_log_likelihood(name, mode, kernel, text):
    if kernel == "train_pairs":
        text.weights = [0.0, 1.0, 1.0, 1.0]  # there a weight changes the rate, not the loss
    model = Model(name, MODES[mode], counts=COUNTS)
    expected = 0.0
    for center, word in enumerate(text.words):
        if MODES[mode].skipgram:
            examples = [(model.inputs[text.words[j]], w) for j, w in window_weights(text, center).items()]
        elif text.windows[center] or kernel == "train_pairs":  # gensim trains on a zero vector where none is
            examples = [(combine_window(text, center, model.inputs, MODES[mode]), 1.0)]
        else:
            examples = []
        expected -= sum(weight * naive_log_prob(model, hidden, word) for hidden, weight in examples)

    assert getattr(model, kernel)(text, rate=0) == pytest.approx(expected, rel=1e-12)


@every_step
@every_mode
@both_kernels
def test_training_lowers_the_loss(name, mode, kernel, text):
    model = Model(name, MODES[mode], counts=COUNTS)
    train = getattr(model, kernel)
    losses = [train(text, rate=0)]
    for seed in range(1, 4):
        for _ in range(5):
            train(text, rate=0.05, seed=seed)
        losses.append(train(text, rate=0))  # the same noise words each time

    assert losses[0] > losses[1] > losses[2] > losses[3] > 0


@every_step
@every_mode
@both_kernels
def test_nothing_is_learned_at_rate_zero(name, mode, kernel, text):
    model = Model(name, MODES[mode], counts=COUNTS)
    before = model.parameters()

    getattr(model, kernel)(text, rate=0)

    for table, old in zip(model.parameters(), before, strict=True):
        np.testing.assert_array_equal(table, old)


@every_step
@both_kernels
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equal_states_give_equal_bits(name, kernel, dtype, text):
    first, second, other = (Model(name, MODES["skipgram"], counts=COUNTS, dtype=dtype) for _ in range(3))
    losses = [getattr(first, kernel)(text, 0.05, seed=2**40), getattr(second, kernel)(text, 0.05, seed=2**40)]
    getattr(other, kernel)(text, 0.05, seed=2**40 + 1234567)

    assert losses[0] == losses[1]
    for one, two in zip(first.parameters(), second.parameters(), strict=True):
        np.testing.assert_array_equal(one, two)
    draws_noise = not np.array_equal(first.inputs, other.inputs)
    assert draws_noise == (name == "ns")


@every_step
@every_mode
@both_kernels
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("vector_size", [1, 7, 17])
def test_pad_stays_zero(name, mode, kernel, dtype, vector_size, text):
    model = Model(name, MODES[mode], counts=COUNTS, vector_size=vector_size, dtype=dtype)
    for _ in range(3):
        getattr(model, kernel)(text, 0.1)

    for table in (model.table, model.layers[0].parameters):
        assert table.shape[1] % 16 == 0
        assert not table[:, vector_size:].any()


@every_step
@every_mode
@both_kernels
@pytest.mark.parametrize("lengths", [[], [0, 0]], ids=["no sentences", "empty sentences"])
def test_text_without_words(name, mode, kernel, lengths):
    model = Model(name, MODES[mode], counts=COUNTS)
    before = model.parameters()
    empty = random_text(np.random.default_rng(1), len(COUNTS), lengths, window=3)

    assert getattr(model, kernel)(empty, 0.1) == 0
    for table, old in zip(model.parameters(), before, strict=True):
        np.testing.assert_array_equal(table, old)


@every_step
@every_mode
def test_words_without_context_teach_a_block_nothing(name, mode):
    model = Model(name, MODES[mode], counts=COUNTS)
    before = model.parameters()
    lonely = random_text(np.random.default_rng(1), len(COUNTS), [1] * 6, window=3)

    assert model.train_blocks(lonely, 0.1) == 0
    for table, old in zip(model.parameters(), before, strict=True):
        np.testing.assert_array_equal(table, old)


@every_step
@both_kernels
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_parameters_that_are_not_numbers_reach_the_loss(name, kernel, dtype, text):
    """Training stops when the loss is not finite: a kernel that clamps NaN away would train on unnoticed."""
    model = Model(name, MODES["skipgram"], counts=COUNTS, dtype=dtype)
    model.inputs[text.words[0]] = np.nan

    assert not np.isfinite(getattr(model, kernel)(text, 0.05))

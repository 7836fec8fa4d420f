"""What every registered output layer keeps to."""

from __future__ import annotations

import numpy as np
import pytest

from tests.outputs.cases import SIZES, random_block, random_counts, random_head
from windrow.errors import OptionError
from windrow.nn.gradients import numeric_gradient
from windrow.nn.parameters import ParameterVector
from windrow.outputs import HEADS, head_type
from windrow.outputs.contract import Head, HeadOptions

names = pytest.mark.parametrize("name", HEADS)
names_of_steppers = pytest.mark.parametrize("name", [name for name in HEADS if head_type(name).has_sgd_step])
losses = [*((name, {}) for name in HEADS), ("nce", {"objective": "sampled-softmax"})]


def loss_of(head: Head, block, d_hidden=None, scale: float = 1.0) -> float:
    """The loss; NCE always against the same noise words."""
    head.rng = np.random.default_rng(5)
    return head.loss_and_gradient(*block, np.empty_like(block.hidden) if d_hidden is None else d_hidden, scale)


def gradients(head: Head, block, scale: float = 1.0) -> dict[str, np.ndarray]:
    """By the parameters and by the hidden rows."""
    for parameter in head.parameters.values():
        parameter.clear_gradient()
    d_hidden = np.full_like(block.hidden, np.nan)  # it is written, not added to
    loss_of(head, block, d_hidden, scale)
    return {**{name: p.gradient.copy() for name, p in head.parameters.items()}, "hidden": d_hidden}


def relative_error(found: np.ndarray, expected: np.ndarray) -> float:
    return np.abs(found - expected).max() / max(np.abs(expected).max(), 1e-3)


@names
@pytest.mark.parametrize("words", SIZES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_distribution_sums_to_one_and_holds_the_targets(name, words, dtype):
    head = random_head(name, words, dtype=dtype)
    block = random_block(head)

    distribution = head.log_distribution(block.hidden)

    tolerance = 2e-5 if dtype is np.float32 else 1e-11
    assert distribution.shape == (len(block.hidden), words)
    assert np.abs(np.exp(distribution.astype(np.float64)).sum(axis=1) - 1).max() < tolerance
    targets = np.take_along_axis(distribution, block.targets[:, None], axis=1)[:, 0]
    assert head.target_log_probs(*block) == pytest.approx(targets, rel=tolerance, abs=tolerance)
    one = head.distribution(block.hidden[0])
    assert one == pytest.approx(np.exp(distribution[0].astype(np.float64)), rel=10 * tolerance, abs=1e-30)
    assert one.sum() == pytest.approx(1, abs=1e-12)
    never = head.counts == 0
    assert (one[never] == 0).all()
    assert never.any() == (words > 2)
    assert (np.exp(distribution[:, never]) < 1e-12).all()


@names
def test_an_untrained_head_gives_the_unigram_distribution(name):
    counts = random_counts(np.random.default_rng(3), 60)
    head = head_type(name)(counts, 5, np.random.default_rng(4), np.float64, HeadOptions())

    distribution = np.exp(head.log_distribution(np.zeros((1, 5))))[0]

    assert distribution == pytest.approx(counts / counts.sum(), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("name", "options"), losses)
@pytest.mark.parametrize("words", [2, 3, 21])
def test_gradients_are_those_of_the_loss(name, options, words):
    head = random_head(name, words, 5, **options)
    block = random_block(head, rows=9)

    found = gradients(head, block, scale=0.5)

    arrays = {**{name: p.value for name, p in head.parameters.items()}, "hidden": block.hidden}
    for array_name, array in arrays.items():
        expected = 0.5 * numeric_gradient(lambda: loss_of(head, block), array)
        if name == "hierarchical" and array_name == "nodes":
            found[array_name], expected = found[array_name][:, :6], expected[:, :6]
        assert relative_error(found[array_name], expected) < 1e-6, array_name


@names
def test_gradients_add_up(name):
    head = random_head(name, 700)
    block = random_block(head)
    once = gradients(head, block)
    loss_of(head, block)

    for array_name, parameter in head.parameters.items():
        assert parameter.gradient == pytest.approx(2 * once[array_name], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", [name for name in HEADS if name != "nce"])  # which trains another loss
def test_the_loss_is_minus_the_log_probability(name):
    head = random_head(name, 700)
    block = random_block(head)

    assert loss_of(head, block) == pytest.approx(-head.target_log_probs(*block).sum(), rel=1e-9)


@names
def test_float32_agrees_with_float64(name):
    heads = [random_head(name, 700, dtype=dtype) for dtype in (np.float32, np.float64)]
    block = random_block(heads[0])
    for single, double in zip(*(head.parameters.values() for head in heads), strict=True):
        double.value[:] = single.value
    wide = block._replace(hidden=block.hidden.astype(np.float64))

    assert loss_of(heads[0], block) == pytest.approx(loss_of(heads[1], wide), rel=1e-5)
    single, double = gradients(heads[0], block), gradients(heads[1], wide)
    for array_name, expected in double.items():
        assert relative_error(single[array_name], expected) < 1e-5


@names
def test_parameters_can_live_in_a_vector(name):
    head = random_head(name)
    block = random_block(head)
    before = head.log_distribution(block.hidden).copy()
    vector = ParameterVector(head.parameters)

    assert np.array_equal(head.log_distribution(block.hidden), before)
    loss_of(head, block)
    vector.values -= 0.05 / len(block.targets) * vector.gradient()
    after = random_head(name)
    for moved, parameter in zip(head.parameters.values(), after.parameters.values(), strict=True):
        parameter.value[:] = moved.value
    assert head.target_log_probs(*block).sum() > before[np.arange(len(block.targets)), block.targets].sum()
    assert np.array_equal(head.log_distribution(block.hidden), after.log_distribution(block.hidden))


@names_of_steppers
def test_a_step_of_gradient_descent(name):
    """Of a block of one row, in which nothing can see what the row before it has changed."""
    head, stepped = random_head(name), random_head(name)
    block = random_block(head, rows=1)
    found, d_hidden = gradients(head, block, scale=0.5), np.empty_like(block.hidden)

    stepped.rng = np.random.default_rng(5)
    stepped.sgd_step(*block, d_hidden, rate=0.3, scale=0.5)

    assert d_hidden == pytest.approx(found["hidden"], rel=1e-9, abs=1e-12)
    for array_name, parameter in head.parameters.items():
        expected = parameter.value - 0.3 * found[array_name]
        assert stepped.parameters[array_name].value == pytest.approx(expected, rel=1e-9, abs=1e-12)


@names
def test_steps_lower_the_loss(name):
    head = random_head(name, 700, dtype=np.float32)
    block = random_block(head, rows=64)
    before = -head.target_log_probs(*block).mean()
    for _ in range(60):
        if head.has_sgd_step:
            head.sgd_step(*block, np.empty_like(block.hidden), rate=0.5, scale=1 / 64)
        else:
            found = gradients(head, block, scale=1 / 64)
            for array_name, parameter in head.parameters.items():
                parameter.value -= 0.5 * found[array_name]

    assert -head.target_log_probs(*block).mean() < before - 0.5


@names
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nan_is_not_hidden(name, dtype):
    """A kernel that clamps NaN away would train on unnoticed."""
    head = random_head(name, dtype=dtype)
    block = random_block(head)
    block.hidden[3, 2] = np.nan

    assert np.isnan(loss_of(head, block))


@names
def test_no_rows(name):
    head = random_head(name)
    hidden = np.empty((0, 7))

    assert head.loss_and_gradient(hidden, np.empty(0, np.int32), hidden.copy()) == 0
    assert head.target_log_probs(hidden, np.empty(0, np.int32)).shape == (0,)
    assert head.log_distribution(hidden).shape == (0, 50)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"objective": "hinge"}, "objective = 'hinge'"),
        ({"noise_words": 0}, "noise_words = 0"),
        ({"classes": -1}, "classes = -1"),
        ({"shrink": 0.5}, "shrink = 0.5"),
        ({"cutoffs": (20, 10)}, "cutoffs = (20, 10)"),
        ({"cutoffs": (0, 10)}, "cutoffs = (0, 10)"),
        ({"noise_power": -1.0}, "noise_power = -1.0"),
    ],
)
def test_options_out_of_range(options, said):
    with pytest.raises(OptionError) as caught:
        random_head("softmax", **options)
    assert str(caught.value).startswith(said)


def test_an_unknown_head():
    with pytest.raises(OptionError, match=r"output = 'hard'.*hierarchical"):
        head_type("hard")

"""What every registered output layer keeps to."""

from __future__ import annotations

import numpy as np
import pytest

from tests.outputs.cases import SIZES, log_distributions, random_block, random_counts, random_layer
from windrow.errors import OptionError
from windrow.nn.gradients import numeric_gradient
from windrow.nn.parameters import ParameterVector
from windrow.outputs import OUTPUT_LAYERS, output_layer
from windrow.outputs.contract import OutputLayer, OutputOptions

names = pytest.mark.parametrize("name", OUTPUT_LAYERS)
names_of_steppers = pytest.mark.parametrize("name", [name for name in OUTPUT_LAYERS if output_layer(name).has_sgd_step])
losses = [*((name, {}) for name in OUTPUT_LAYERS), ("nce", {"objective": "sampled-softmax"})]


def loss_of(layer: OutputLayer, block, d_hidden=None, scale: float = 1.0) -> float:
    """The loss; NCE always against the same noise words."""
    layer.rng = np.random.default_rng(5)
    return layer.loss_and_gradient(*block, np.empty_like(block.hidden) if d_hidden is None else d_hidden, scale)


def gradients(layer: OutputLayer, block, scale: float = 1.0) -> dict[str, np.ndarray]:
    """By the parameters and by the hidden rows."""
    for parameter in layer.parameters.values():
        parameter.clear_gradient()
    d_hidden = np.full_like(block.hidden, np.nan)  # it is written, not added to
    loss_of(layer, block, d_hidden, scale)
    return {**{name: p.gradient.copy() for name, p in layer.parameters.items()}, "hidden": d_hidden}


def relative_error(found: np.ndarray, expected: np.ndarray) -> float:
    return np.abs(found - expected).max() / max(np.abs(expected).max(), 1e-3)


@names
@pytest.mark.parametrize("words", SIZES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_distribution_sums_to_one_and_holds_the_targets(name, words, dtype):
    layer = random_layer(name, words, dtype=dtype)
    block = random_block(layer)

    distributions = np.array([layer.distribution(row) for row in block.hidden])

    tolerance = 2e-5 if dtype is np.float32 else 1e-11
    assert distributions.shape == (len(block.hidden), words)
    assert distributions.sum(axis=1) == pytest.approx(1, abs=1e-12)
    targets = np.take_along_axis(distributions, block.targets[:, None], axis=1)[:, 0]
    assert layer.target_log_probs(*block) == pytest.approx(np.log(targets), rel=tolerance, abs=tolerance)
    never = layer.counts == 0
    assert (distributions[:, never] == 0).all()
    assert never.any() == (words > 2)


@names
def test_an_untrained_layer_gives_the_unigram_distribution(name):
    counts = random_counts(np.random.default_rng(3), 60)
    layer = output_layer(name)(counts, 5, np.random.default_rng(4), np.float64, OutputOptions())

    distribution = layer.distribution(np.zeros(5))

    assert distribution == pytest.approx(counts / counts.sum(), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("name", "options"), losses)
@pytest.mark.parametrize("words", [2, 3, 21])
def test_gradients_are_those_of_the_loss(name, options, words):
    layer = random_layer(name, words, 5, **options)
    block = random_block(layer, rows=9)

    found = gradients(layer, block, scale=0.5)

    arrays = {**{name: p.value for name, p in layer.parameters.items()}, "hidden": block.hidden}
    for array_name, array in arrays.items():
        expected = 0.5 * numeric_gradient(lambda: loss_of(layer, block), array)
        if name == "hierarchical" and array_name == "nodes":
            found[array_name], expected = found[array_name][:, :6], expected[:, :6]
        assert relative_error(found[array_name], expected) < 1e-6, array_name


@names
def test_gradients_add_up(name):
    layer = random_layer(name, 700)
    block = random_block(layer)
    once = gradients(layer, block)
    loss_of(layer, block)

    for array_name, parameter in layer.parameters.items():
        assert parameter.gradient == pytest.approx(2 * once[array_name], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", [name for name in OUTPUT_LAYERS if name != "nce"])  # which trains another loss
def test_the_loss_is_minus_the_log_probability(name):
    layer = random_layer(name, 700)
    block = random_block(layer)

    assert loss_of(layer, block) == pytest.approx(-layer.target_log_probs(*block).sum(), rel=1e-9)


@names
def test_float32_agrees_with_float64(name):
    layers = [random_layer(name, 700, dtype=dtype) for dtype in (np.float32, np.float64)]
    block = random_block(layers[0])
    for single, double in zip(*(layer.parameters.values() for layer in layers), strict=True):
        double.value[:] = single.value
    wide = block._replace(hidden=block.hidden.astype(np.float64))

    assert loss_of(layers[0], block) == pytest.approx(loss_of(layers[1], wide), rel=1e-5)
    single, double = gradients(layers[0], block), gradients(layers[1], wide)
    for array_name, expected in double.items():
        assert relative_error(single[array_name], expected) < 1e-5


@names
def test_parameters_can_live_in_a_vector(name):
    layer = random_layer(name)
    block = random_block(layer)
    before = log_distributions(layer, block.hidden)
    vector = ParameterVector(layer.parameters)

    # BLAS sums a product with one row in an order that depends on where the numbers lie.
    assert log_distributions(layer, block.hidden) == pytest.approx(before, rel=1e-13)
    loss_of(layer, block)
    vector.values -= 0.05 / len(block.targets) * vector.gradient()
    after = random_layer(name)
    for moved, parameter in zip(layer.parameters.values(), after.parameters.values(), strict=True):
        parameter.value[:] = moved.value
    assert layer.target_log_probs(*block).sum() > before[np.arange(len(block.targets)), block.targets].sum()
    assert log_distributions(after, block.hidden) == pytest.approx(log_distributions(layer, block.hidden), rel=1e-13)


@names_of_steppers
def test_a_step_of_gradient_descent(name):
    """Of a block of one row, in which nothing can see what the row before it has changed."""
    layer, stepped = random_layer(name), random_layer(name)
    block = random_block(layer, rows=1)
    found, d_hidden = gradients(layer, block, scale=0.5), np.empty_like(block.hidden)

    stepped.rng = np.random.default_rng(5)
    stepped.sgd_step(*block, d_hidden, rate=0.3, scale=0.5)

    assert d_hidden == pytest.approx(found["hidden"], rel=1e-9, abs=1e-12)
    for array_name, parameter in layer.parameters.items():
        expected = parameter.value - 0.3 * found[array_name]
        assert stepped.parameters[array_name].value == pytest.approx(expected, rel=1e-9, abs=1e-12)


@names
def test_steps_lower_the_loss(name):
    layer = random_layer(name, 700, dtype=np.float32)
    block = random_block(layer, rows=64)
    before = -layer.target_log_probs(*block).mean()
    for _ in range(60):
        if layer.has_sgd_step:
            layer.sgd_step(*block, np.empty_like(block.hidden), rate=0.5, scale=1 / 64)
        else:
            found = gradients(layer, block, scale=1 / 64)
            for array_name, parameter in layer.parameters.items():
                parameter.value -= 0.5 * found[array_name]

    assert -layer.target_log_probs(*block).mean() < before - 0.5


@names
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nan_is_not_hidden(name, dtype):
    """A kernel that clamps NaN away would train on unnoticed."""
    layer = random_layer(name, dtype=dtype)
    block = random_block(layer)
    block.hidden[3, 2] = np.nan

    assert np.isnan(loss_of(layer, block))


@names
def test_no_rows(name):
    layer = random_layer(name)
    hidden = np.empty((0, 7))

    assert layer.loss_and_gradient(hidden, np.empty(0, np.int32), hidden.copy()) == 0
    assert layer.target_log_probs(hidden, np.empty(0, np.int32)).shape == (0,)


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
        random_layer("softmax", **options)
    assert str(caught.value).startswith(said)


def test_an_unknown_layer():
    with pytest.raises(OptionError, match=r"output_layer = 'hard'.*hierarchical"):
        output_layer("hard")

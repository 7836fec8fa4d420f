from __future__ import annotations

import numpy as np
import pytest

from tests.naive import recurrent as naive
from windrow.errors import OptionError
from windrow.nn.gradients import numeric_gradient, relative_error
from windrow.nn.recurrent.cells import CELLS
from windrow.nn.recurrent.layer import RecurrentLayer

STEPS, BATCH = 4, 3
BATCHES = [1, 3, 4, 7, 9]  # products go by panels from 4 streams on, 8 or 4 at a time
# Sizes that fill no vector of 16 numbers, exactly one, and one with a rest.
SIZES = [5, 16, 19]


def example(cell, hidden_size, inputs=7, dtype=np.float64, seed=0, batch=BATCH):
    generator = np.random.default_rng(seed)
    layer = RecurrentLayer(inputs, hidden_size, cell, rng=generator, dtype=dtype)
    for parameter in layer.parameters.values():
        parameter.value[:] = generator.normal(0, 0.6, parameter.value.shape)
    columns = inputs or layer.cell.gates * hidden_size
    x = generator.normal(0, 1, (STEPS, batch, columns)).astype(dtype)
    state = generator.normal(0, 0.5, layer.zero_state(batch).shape).astype(dtype)
    begins = np.zeros((STEPS, batch), bool)
    begins[0, -1] = begins[2, 0] = True
    return layer, x, state, begins


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("hidden_size", SIZES)
@pytest.mark.parametrize("inputs", [7, None])
@pytest.mark.parametrize("batch", BATCHES)
def test_equals_the_definition(cell, hidden_size, inputs, batch):
    layer, x, state, begins = example(cell, hidden_size, inputs, batch=batch)
    values = {name: parameter.value for name, parameter in layer.parameters.items()}

    hidden, last, _ = layer.forward(x, state, begins)

    expected, expected_last = naive.run(cell, values, x, state, begins)
    np.testing.assert_allclose(hidden, expected, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(last, expected_last, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_float32_is_as_exact_as_its_numbers(cell):
    layer, x, state, begins = example(cell, 19, dtype=np.float32)
    values = {name: parameter.value.astype(np.float64) for name, parameter in layer.parameters.items()}

    hidden, _, _ = layer.forward(x, state, begins)

    expected, _ = naive.run(cell, values, x.astype(np.float64), state.astype(np.float64), begins)
    assert hidden.dtype == np.float32
    np.testing.assert_allclose(hidden, expected, rtol=2e-5, atol=2e-6)


def backpropagated(layer, x, state, begins):
    """A scalar function of the hidden states, and every array that it depends on with the gradient found by backward.

    The layer keeps what it makes for the next call, so the gradients are copies.
    """
    direction = np.random.default_rng(1).normal(0, 1, (*x.shape[:2], state.shape[-1]))

    def along() -> float:
        return float(np.vdot(layer.forward(x, state, begins)[0], direction))

    dx = layer.forward(x, state, begins)[2](direction).copy()
    found = {name: (parameter.value, parameter.gradient.copy()) for name, parameter in layer.parameters.items()}
    return along, {**found, "x": (x, dx)}


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("inputs", "batch"), [(7, 3), (None, 3), (7, 5)])
def test_gradients_equal_central_differences(cell, inputs, batch):
    along, gradients = backpropagated(*example(cell, 5, inputs, batch=batch))

    for name, (array, found) in gradients.items():
        expected = numeric_gradient(along, array)
        assert relative_error(found, expected) < 1e-6, name
        assert np.abs(expected).max() > 0.01


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("hidden_size", [16, 17])
@pytest.mark.parametrize(("inputs", "batch"), [(7, 3), (None, 3), (7, 5)])
def test_gradients_of_large_layers_along_random_lines(cell, hidden_size, inputs, batch):
    along, gradients = backpropagated(*example(cell, hidden_size, inputs, batch=batch))
    dice, step = np.random.default_rng(2), 1e-5

    for name, (array, found) in gradients.items():
        start = array.copy()
        for _ in range(4):
            line = dice.normal(0, 1, array.shape)
            line /= np.linalg.norm(line)
            array[...] = start + step * line
            above = along()
            array[...] = start - step * line
            slope = (above - along()) / (2 * step)
            array[...] = start
            assert np.vdot(found, line) == pytest.approx(slope, rel=1e-6, abs=1e-8 * np.linalg.norm(found)), name


@pytest.mark.parametrize("cell", CELLS)
def test_parts_of_a_sequence_give_what_the_whole_gives(cell):
    layer, x, state, begins = example(cell, 6)
    whole = layer.forward(x, state, begins)[0].copy()

    first, middle, _ = layer.forward(x[:1], state, begins[:1])
    first = first.copy()
    rest, _, _ = layer.forward(x[1:], middle, begins[1:])

    np.testing.assert_array_equal(np.concatenate([first, rest]), whole)


@pytest.mark.parametrize("cell", CELLS)
def test_what_begins_anew_forgets_the_state(cell):
    layer, x, state, _ = example(cell, 6)
    begins = np.zeros((STEPS, BATCH), bool)
    begins[0] = True

    forgotten = layer.forward(x, state, begins)[0].copy()

    np.testing.assert_array_equal(forgotten, layer.forward(x, layer.zero_state(BATCH))[0])


def test_gradients_add_up_over_passes():
    layer, x, state, begins = example("lstm", 5)
    direction = np.ones((STEPS, BATCH, 5))
    layer.forward(x, state, begins)[2](direction)
    once = layer.recurrent_weights.gradient.copy()

    layer.forward(x, state, begins)[2](direction)

    np.testing.assert_allclose(layer.recurrent_weights.gradient, 2 * once)


def test_an_unknown_cell_is_refused():
    with pytest.raises(OptionError, match="cell = 'rnn' is unknown; choose from elman"):
        RecurrentLayer(3, 4, "rnn")

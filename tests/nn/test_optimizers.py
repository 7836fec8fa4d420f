from __future__ import annotations

import numpy as np
import pytest

from tests.naive import networks as naive
from windrow.errors import OptionError
from windrow.nn import OPTIMIZERS, SGD, Adam, Embedding, Momentum, Nesterov, Parameter, ParameterVector, RMSProp
from windrow.nn.optimizers import find_optimizer

STARTS = np.array([3.0, -1.0, 0.5])
CURVATURES = np.array([1.0, 4.0, 0.2])


def bowl_path(optimizer, rate, steps, dtype=np.float64):
    """Where the optimizer goes in the bowl sum(curvature / 2 * x**2), (steps, 3)."""
    parameters = ParameterVector({"bowl.x": Parameter(STARTS.astype(dtype))})
    optimizer.start(parameters)
    path = []
    for _ in range(steps):
        parameters.clear_gradients()
        parameters.dense[0].add(CURVATURES * parameters.values)
        optimizer.step(parameters, rate)
        path.append(parameters.values.copy())
    return np.array(path)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_paths_are_those_of_the_papers(name):
    found = bowl_path(OPTIMIZERS[name](), 0.05, 12)
    for i, (start, curvature) in enumerate(zip(STARTS, CURVATURES, strict=True)):
        expected = naive.OPTIMIZERS[name](start, lambda x, c=curvature: c * x, 0.05, 12)
        np.testing.assert_allclose(found[:, i], expected, rtol=1e-10)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_finds_the_bottom_of_a_bowl(name):
    rate = {"adagrad": 1.0, "rmsprop": 0.01, "adam": 0.1}.get(name, 0.1)
    path = bowl_path(OPTIMIZERS[name](), rate, 600, np.float32)
    assert path.dtype == np.float32
    assert np.abs(path[-1]).max() < 0.02


def test_sgd_shrinks_a_bowl_by_a_constant_factor():
    path = bowl_path(SGD(), 0.1, 20)
    np.testing.assert_allclose(path[-1], STARTS * (1 - 0.1 * CURVATURES) ** 20)


def test_the_first_step_of_adam_has_the_length_of_the_rate_whatever_the_gradient():
    np.testing.assert_allclose(bowl_path(Adam(), 0.01, 1)[0], STARTS - 0.01 * np.sign(STARTS))


def test_momentum_nears_a_speed_ten_times_that_of_sgd_down_a_slope():
    parameters = ParameterVector({"slope.x": Parameter(np.zeros(1))})
    optimizer = Momentum(0.9)
    optimizer.start(parameters)
    for _ in range(200):
        parameters.dense_gradient[:] = 1
        before = parameters.values.copy()
        optimizer.step(parameters, 0.01)
    np.testing.assert_allclose(parameters.values - before, -0.1)  # rate / (1 - momentum)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_vector_in_blocks_moves_as_a_whole(name, monkeypatch):
    whole = bowl_path(OPTIMIZERS[name](), 0.05, 5)
    monkeypatch.setattr("windrow.nn.optimizers._BLOCK", 2)  # of three numbers
    np.testing.assert_array_equal(bowl_path(OPTIMIZERS[name](), 0.05, 5), whole)


@pytest.mark.parametrize("kind", [Momentum, Nesterov])
def test_without_momentum_it_is_sgd(kind):
    np.testing.assert_allclose(bowl_path(kind(0.0), 0.1, 5), bowl_path(SGD(), 0.1, 5))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_rows_of_a_table_move_like_dense_numbers_and_others_stay(name):
    table = Embedding(5, 2, rng=1, dtype=np.float64)
    before = table.vectors.value.copy()
    dense = Parameter(before[[1, 4]].copy())
    parameters = ParameterVector({"a.vectors": table.vectors, "b.rows": dense})
    optimizer = OPTIMIZERS[name]()
    optimizer.start(parameters)
    for step in range(4):
        parameters.clear_gradients()
        gradient = np.random.default_rng(step).normal(size=(2, 2))
        dense.add(gradient)
        table.vectors.add_rows(np.array([4, 1, 4]), np.vstack([gradient[1] - 1, gradient[0], [1, 1]]))
        optimizer.step(parameters, 0.1)
    np.testing.assert_allclose(table.vectors.value[[1, 4]], dense.value)
    np.testing.assert_array_equal(table.vectors.value[[0, 2, 3]], before[[0, 2, 3]])


def test_the_state_of_a_row_waits_until_the_row_occurs_again():
    table = Embedding(3, 1, rng=1, dtype=np.float64).vectors
    parameters = ParameterVector({"a.vectors": table})
    optimizer = Momentum(0.9)
    optimizer.start(parameters)
    moves = []
    for row in (0, 2, 0):
        before = table.value.copy()
        parameters.clear_gradients()
        table.add_rows(np.array([row]), np.ones((1, 1)))
        optimizer.step(parameters, 1.0)
        moves.append((table.value - before).ravel())
    np.testing.assert_allclose(moves, [[-1, 0, 0], [0, 0, -1], [-1.9, 0, 0]], atol=1e-12)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_table_that_no_pass_has_read_stays(name):
    table = Embedding(3, 2, rng=1).vectors
    before = table.value.copy()
    optimizer, parameters = OPTIMIZERS[name](), ParameterVector({"a.vectors": table})
    optimizer.start(parameters)
    optimizer.step(parameters, 0.1)
    np.testing.assert_array_equal(table.value, before)


def test_starting_again_forgets_the_steps():
    optimizer = Adam()
    np.testing.assert_array_equal(bowl_path(optimizer, 0.1, 5), bowl_path(optimizer, 0.1, 5))


def test_names_and_ranges_are_checked():
    assert find_optimizer("nesterov", momentum=0.5).momentum == 0.5
    with pytest.raises(OptionError, match="'lion' is not one of sgd, momentum, nesterov, adagrad, rmsprop, adam"):
        find_optimizer("lion")
    for build in (lambda: Momentum(1.0), lambda: RMSProp(decay=-0.1), lambda: Adam(beta2=1)):
        with pytest.raises(OptionError, match="out of range"):
            build()

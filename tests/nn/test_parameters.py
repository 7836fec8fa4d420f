from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow.errors import DataError
from windrow.nn import (
    Chain,
    Dense,
    Embedding,
    Parameter,
    ParameterVector,
    SparseParameter,
    Tanh,
    clip_by_norm,
    clip_by_value,
    gradient_norm,
)
from windrow.nn.parameters import WordParameter

RNG = np.random.default_rng(5)


def words_to_outputs(dtype=np.float64) -> Chain:
    return Chain([Embedding(9, 2, rng=1, dtype=dtype), Dense(4, 3, rng=2, dtype=dtype), Tanh()])


def with_gradients() -> ParameterVector:
    chain = words_to_outputs()
    parameters = ParameterVector(chain.parameters)
    y, backward = chain.forward(np.array([[3, 3], [8, 1]]))
    backward(np.ones_like(y))
    return parameters


def test_parameters_are_views_of_the_vector_tables_last():
    chain = words_to_outputs()
    before = {name: parameter.value.copy() for name, parameter in chain.parameters.items()}
    parameters = ParameterVector(chain.parameters)
    in_order = ["dense1.weights", "dense1.biases", "embedding1.vectors"]
    np.testing.assert_array_equal(parameters.values, np.concatenate([before[name].ravel() for name in in_order]))
    parameters.values[:] = np.arange(33)
    assert chain.layers[1].weights.value.tolist() == np.arange(12).reshape(4, 3).tolist()
    assert chain.layers[0].vectors.value[-1].tolist() == [31, 32]
    assert parameters.dense_values.size == 15


def test_the_gradient_vector_holds_those_of_all_parameters():
    parameters = with_gradients()
    named = parameters.named
    in_order = ["dense1.weights", "dense1.biases", "embedding1.vectors"]
    expected = np.concatenate([named[name].gradient.ravel() for name in in_order])
    assert expected[15:].reshape(9, 2).any(axis=1).nonzero()[0].tolist() == [1, 3, 8]
    np.testing.assert_array_equal(parameters.gradient(), expected)
    lengths = parameters.norms()
    assert list(lengths) == ["embedding1", "dense1"]
    assert lengths["dense1"] == pytest.approx(np.linalg.norm(expected[:15]))
    assert lengths["embedding1"] == pytest.approx(np.linalg.norm(expected[15:]))
    parameters.clear_gradients()
    assert not parameters.gradient().any()


def test_a_cleared_gradient_is_zero_whatever_its_array_holds():
    """Clearing writes nothing: the first product overwrites, and what no pass has reached is zeroed when asked for."""
    reached, unreached = Parameter(np.ones((2, 3), np.float32)), Parameter(np.ones(4, np.float32))
    parameters = ParameterVector({"a.weights": reached, "b.biases": unreached})
    a, b = RNG.normal(size=(5, 2)).astype(np.float32), RNG.normal(size=(5, 3)).astype(np.float32)
    for passes in (1, 2):
        parameters.dense_gradient[:] = np.nan
        parameters.clear_gradients()
        for _ in range(passes):
            reached.add_product(a, b)
        np.testing.assert_allclose(reached.gradient, passes * a.T @ b, rtol=1e-5)
        np.testing.assert_array_equal(parameters.dense_gradient[6:], 0)


@given(st.lists(st.integers(0, 6), max_size=20), st.integers(1, 4))
@settings(max_examples=50, deadline=None)
def test_a_sparse_gradient_is_the_dense_one_without_zero_rows(rows, parts):
    table = SparseParameter(np.zeros((7, 2)))
    gradients = RNG.integers(1, 9, size=(len(rows), 2)).astype(float)
    expected = np.zeros((7, 2))
    np.add.at(expected, rows, gradients)
    for part in range(parts):  # several passes
        table.add_rows(np.array(rows[part::parts], int), gradients[part::parts])
    found_rows, found = table.sparse_gradient()
    assert found_rows.tolist() == sorted(set(rows))
    np.testing.assert_array_equal(found, expected[found_rows])
    np.testing.assert_array_equal(table.gradient, expected)


@pytest.mark.parametrize("kind", [SparseParameter, WordParameter])
def test_a_sparse_gradient_that_was_read_is_changed_in_place_and_added_to(kind):
    table = kind(np.zeros((7, 2)))
    table.add_rows(np.array([5, 2, 5], np.int32), np.array([[1.0, 2], [3, 4], [5, 6]]))
    table.sparse_gradient()[1][:] *= 10
    rows, gradients = table.sparse_gradient()
    assert dict(zip(rows.tolist(), gradients.tolist(), strict=True)) == {5: [60, 80], 2: [30, 40]}
    table.add_rows(np.array([4, 2], np.int32), np.array([[7.0, 8], [9, 10]]))
    rows, gradients = table.sparse_gradient()
    assert dict(zip(rows.tolist(), gradients.tolist(), strict=True)) == {5: [60, 80], 2: [39, 50], 4: [7, 8]}
    table.clear_gradient()
    assert not table.gradient.any()


def test_norm_clipping_keeps_the_direction_and_shortens_only():
    parameters = with_gradients()
    before = parameters.gradient()
    norm = gradient_norm(parameters)
    assert norm == pytest.approx(np.linalg.norm(before))
    assert clip_by_norm(parameters, 2 * norm) == norm
    np.testing.assert_array_equal(parameters.gradient(), before)
    assert clip_by_norm(parameters, 0.5) == norm
    np.testing.assert_allclose(parameters.gradient(), before * 0.5 / norm)


def test_value_clipping_cuts_each_number():
    parameters = with_gradients()
    before = parameters.gradient()
    clip_by_value(parameters, 0.1)
    assert (np.abs(before) > 0.1).any()
    np.testing.assert_array_equal(parameters.gradient(), np.clip(before, -0.1, 0.1))


def test_a_network_without_parameters_or_of_two_dtypes_is_refused():
    with pytest.raises(DataError, match="no parameters to train"):
        ParameterVector(Chain([Tanh()]).parameters)
    mixed = Chain([Dense(2, 2), Dense(2, 2, dtype=np.float64)])
    with pytest.raises(DataError, match="mix float32 and float64"):
        ParameterVector(mixed.parameters)

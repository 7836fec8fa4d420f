from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from tests.naive import networks as naive
from windrow.errors import DataError, OptionError
from windrow.nn import (
    ACTIVATIONS,
    SPREADS,
    Add,
    Chain,
    Concatenate,
    Dense,
    Dropout,
    Embedding,
    GradientError,
    Multiply,
    ReLU,
    check_gradients,
    initial_weights,
    numeric_gradient,
)
from windrow.nn.layers.activations import sigmoid, softmax

RNG = np.random.default_rng(7)
X = RNG.normal(size=(5, 4))
IDS = np.array([[3, 1], [3, 3], [0, 5]])

LAYERS = {
    "dense": (Dense(4, 3, rng=1), [X]),
    "dropout": (Dropout(0.4, rng=2), [X]),
    "embedding": (Embedding(6, 3, rng=3), [IDS]),
    "add": (Add(), [X, X + 1, X * 2]),
    "multiply": (Multiply(), [X, X + 1]),
    "concatenate": (Concatenate(), [X, X[:, :2], X]),
    "chain": (Chain([Dense(4, 3, rng=4), ACTIVATIONS["tanh"](), Dropout(0.3, rng=5), Dense(3, 2, rng=6)]), [X]),
    **{name: (kind(), [X]) for name, kind in ACTIVATIONS.items()},
}


@pytest.mark.parametrize("name", LAYERS)
def test_backward_is_the_derivative_of_forward(name):
    layer, inputs = LAYERS[name]
    errors = check_gradients(layer, *inputs)
    assert set(errors) == {*layer.parameters, *(f"input{i}" for i, x in enumerate(inputs) if x is not IDS)}
    assert max(errors.values()) < 1e-6


@pytest.mark.parametrize("name", LAYERS)
def test_float32_stays_float32(name):
    layer, inputs = LAYERS[name]
    y, backward = layer.forward(*(x if x is IDS else x.astype(np.float32) for x in inputs), training=True)
    assert y.dtype == np.float32
    given_back = backward(y)
    for dx in given_back if isinstance(given_back, tuple) else (given_back,):
        assert dx is None or dx.dtype == np.float32


def test_dense_is_its_definition():
    layer = Dense(4, 3, rng=0, dtype=np.float64)
    layer.biases.value[:] = [1, -2, 3]
    expected = naive.dense(X.tolist(), layer.weights.value.tolist(), [1, -2, 3])
    np.testing.assert_allclose(layer.forward(X)[0], expected)


def test_gradients_add_up_over_passes_and_need_no_dx():
    layer = Dense(4, 3, rng=0, dtype=np.float64)
    _, backward = layer.forward(X)
    dy = np.ones((5, 3))
    assert backward(dy, need_dx=False) is None
    once = layer.weights.gradient.copy()
    np.testing.assert_allclose(once, X.T @ dy)
    backward(dy)
    np.testing.assert_allclose(layer.weights.gradient, 2 * once)
    np.testing.assert_allclose(layer.biases.gradient, [10, 10, 10])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_their_definitions(name):
    found, _ = ACTIVATIONS[name]().forward(X)
    np.testing.assert_allclose(found, [naive.ACTIVATIONS[name](row) for row in X.tolist()], rtol=1e-12)


@given(st.lists(st.floats(-1e4, 1e4), min_size=2, max_size=6))
@settings(max_examples=100, deadline=None)
def test_sigmoid_and_softmax_are_scipys_however_large_the_sums(numbers):
    row = np.array([numbers])
    np.testing.assert_allclose(sigmoid(row), special.expit(row), rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(softmax(row), special.softmax(row, axis=1), rtol=1e-9, atol=1e-300)


def test_an_embedding_is_a_dense_layer_on_one_hot_rows():
    layer = Embedding(6, 3, rng=3, dtype=np.float64)
    one_hot = np.eye(6)[IDS]  # (rows, window, words)
    y, backward = layer.forward(IDS)
    np.testing.assert_allclose(y, (one_hot @ layer.vectors.value).reshape(3, 6))
    dy = RNG.normal(size=y.shape)
    backward(dy)
    rows, gradient = layer.vectors.sparse_gradient()
    assert rows.tolist() == [0, 1, 3, 5]  # word 3 occurs three times and has one row
    dense = np.einsum("rwv,rwd->vd", one_hot, dy.reshape(3, 2, 3))
    np.testing.assert_allclose(gradient, dense[rows])
    np.testing.assert_allclose(layer.vectors.gradient, dense)


def test_dropout_keeps_the_expectation_and_does_nothing_outside_training():
    x = np.ones((200, 100), np.float32)
    layer = Dropout(0.25, rng=0)
    y, backward = layer.forward(x, training=True)
    assert set(np.unique(y).tolist()) == {0.0, float(np.float32(1 / 0.75))}
    assert abs((y == 0).mean() - 0.25) < 0.01  # 4.6 standard deviations
    np.testing.assert_array_equal(backward(x), y)  # the same units
    assert (layer.forward(x, training=True)[0] != y).any()
    assert layer.forward(x)[0] is x


@pytest.mark.parametrize("name", SPREADS)
def test_initializers_have_the_spread_of_their_papers(name):
    weights = initial_weights(name, 300, 500, np.random.default_rng(0))
    variance = {"normal": 1, "scaled": 1 / 300, "glorot": 2 / 800, "he": 2 / 300}[name]
    assert weights.shape == (300, 500)
    assert abs(weights.mean()) < 4 * (variance / weights.size) ** 0.5
    assert weights.var() == pytest.approx(variance, rel=0.02)


def test_the_scaled_initializer_keeps_sums_at_the_size_of_an_input_and_the_normal_one_does_not():
    x = np.random.default_rng(1).normal(size=(200, 400)).astype(np.float32)
    spreads = {name: Dense(400, 300, initializer=name, rng=2).forward(x)[0].std() for name in ("scaled", "normal")}
    assert spreads["scaled"] == pytest.approx(1, rel=0.05)
    assert spreads["normal"] == pytest.approx(20, rel=0.05)


# --- what is wrong is named


def test_check_gradients_names_a_wrong_gradient():
    class Wrong(ReLU):
        def forward(self, x, training=False):
            y, backward = super().forward(x)
            return y, lambda dy, need_dx=True: 1.001 * backward(dy)

    assert check_gradients(Chain([Dense(4, 3, rng=1), ReLU()]), X)
    with pytest.raises(GradientError, match=r"dense1\.weights in Chain\(\[Dense\(4, 3\), Wrong\(\)\]\) is off by 5"):
        check_gradients(Chain([Dense(4, 3, rng=1), Wrong()]), X)


def test_check_gradients_leaves_the_layer_as_it_is():
    layer = Dense(4, 3, rng=1)
    before = layer.weights.value.copy()
    check_gradients(layer, X)
    np.testing.assert_array_equal(layer.weights.value, before)
    assert layer.weights.value.dtype == np.float32
    assert not layer.weights.gradient.any()


def test_numeric_gradient_of_a_cubic():
    x = np.array([[1.0, -2.0], [0.0, 3.0]])
    np.testing.assert_allclose(numeric_gradient(lambda: float((x**3).sum()), x), 3 * x**2, atol=1e-8)


@pytest.mark.parametrize(
    ("layer", "inputs", "message"),
    [
        (Dense(4, 3), [X[:, :2]], r"Dense\(4, 3\) takes \(rows, 4\), but its input has the shape \(5, 2\)"),
        (Dense(4, 3), [X[0]], r"Dense\(4, 3\) takes \(rows, 4\), but its input has the shape \(4,\)"),
        (Chain([Dense(4, 3), Dense(2, 1)]), [X], r"Dense\(2, 1\) takes .* \(5, 3\)"),
        (Embedding(6, 3), [IDS + 1], "word ids from 1 to 6"),
        (Embedding(6, 3), [IDS - 1], "word ids from -1 to 4"),
        (Embedding(6, 3), [X], "takes word ids .* float64"),
        (Add(), [X, X[:, :2]], r"Add\(\) got inputs of different shapes: \(5, 4\), \(5, 2\)"),
        (Multiply(), [X, X[:1]], r"Multiply\(\) got inputs of different shapes"),
        (Concatenate(), [X, X[:1]], r"Concatenate\(\) got inputs of 5, 1 rows"),
    ],
)
def test_shapes_that_disagree_are_named(layer, inputs, message):
    with pytest.raises(DataError, match=message):
        layer.forward(*inputs)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Dense(0, 3), "inputs = 0 is out of range"),
        (lambda: Dense(2, 1.5), "outputs = 1.5 must be a whole number"),
        (lambda: Dense(2, 1, initializer="xavier"), "'xavier' is not one of normal, scaled, glorot, he"),
        (lambda: Dropout(1), r"dropout = 1 is out of range; the allowed range is \[0, 1\)"),
        (lambda: Embedding(6, -1), "dim = -1 is out of range"),
    ],
)
def test_bad_options_are_named(build, message):
    with pytest.raises(OptionError, match=message):
        build()


def test_given_vectors_are_copied_and_must_have_the_shape_of_the_layer():
    vectors = RNG.normal(size=(6, 3)).astype(np.float32)
    layer = Embedding(6, 3, vectors=vectors)
    np.testing.assert_array_equal(layer.vectors.value, vectors)
    assert not np.shares_memory(layer.vectors.value, vectors)
    with pytest.raises(DataError, match=r"shape \(6, 3\), not \(6, 4\)"):
        Embedding(6, 4, vectors=vectors)

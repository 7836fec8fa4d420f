from __future__ import annotations

import pickle

import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize
from sklearn.linear_model import LogisticRegression, Ridge

from tests.naive import networks as naive
from windrow.errors import DataError, OptionError
from windrow.nn import (
    L1,
    L2,
    LOSSES,
    REGULARIZERS,
    Chain,
    CrossEntropy,
    Dense,
    Dropout,
    Embedding,
    Linear,
    LogLikelihood,
    Network,
    Parameter,
    Quadratic,
    Sigmoid,
    Tanh,
    gradient_norms,
    numeric_gradient,
)

RNG = np.random.default_rng(2)
X = RNG.normal(size=(8, 3))
CLASSES = np.array([0, 1, 1, 0, 1, 0, 0, 1])


def small_network(loss=None, regularizers=(), dtype=np.float64, layers=()) -> Network:
    hidden = Dense(3, 4, rng=1, dtype=dtype)
    return Network(
        Chain([hidden, Tanh(), *layers, Dense(4, 2, rng=2, dtype=dtype)]), loss or LogLikelihood(), regularizers
    )


@pytest.mark.parametrize("cost", ["quadratic", "cross-entropy"])
def test_gradients_are_those_of_backpropagation_example_by_example(cost):
    layers = [Dense(3, 4, rng=1, dtype=np.float64), Sigmoid(), Dense(4, 2, rng=2, dtype=np.float64)]
    network = Network(Chain([*layers, Sigmoid()] if cost == "quadratic" else layers), LOSSES[cost]())
    dense = [layers[0], layers[2]]
    weights, biases = [d.weights.value.tolist() for d in dense], [d.biases.value.tolist() for d in dense]
    targets = np.eye(2)[CLASSES]
    network.add_gradient(X, targets)
    sums = None
    for x, y in zip(X.tolist(), targets.tolist(), strict=True):
        parts = [
            np.array(g) for pair in zip(*naive.backpropagate(x, y, weights, biases, cost), strict=True) for g in pair
        ]
        sums = parts if sums is None else [a + b for a, b in zip(sums, parts, strict=True)]
    for parameter, total in zip(network.parameters.dense, sums, strict=True):
        np.testing.assert_allclose(parameter.gradient, total / len(X))


@pytest.mark.parametrize("regularizers", [(), (L2(0.3),), (L1(0.2), L2(0.1))], ids=["none", "l2", "l1+l2"])
def test_the_flat_gradient_is_the_derivative_of_the_flat_cost(regularizers):
    network = small_network(regularizers=regularizers)
    theta = RNG.normal(size=network.parameters.values.shape)
    cost, gradient = network.loss_and_grad(theta, X, CLASSES)
    assert cost == pytest.approx(network.loss(network.outputs(X), CLASSES)[0] + network.penalty())
    numeric = approx_fprime(theta, lambda t: network.loss_and_grad(t, X, CLASSES)[0], 1e-6)
    np.testing.assert_allclose(gradient, numeric, atol=1e-5)


def test_the_flat_gradient_is_that_of_the_layers():
    network = small_network()
    theta = RNG.normal(size=network.parameters.values.shape)
    _, gradient = network.loss_and_grad(theta, X, CLASSES)
    network.parameters.clear_gradients()
    network.add_gradient(X, CLASSES)
    by_layer = [p.gradient.ravel() for layer in network.layer.layers for p in layer.parameters.values()]
    np.testing.assert_array_equal(gradient, np.concatenate(by_layer))


def test_the_flat_gradient_holds_tables():
    ids = np.array([[2, 0], [2, 2]])
    layers = [Embedding(4, 2, rng=1, dtype=np.float64), Dense(4, 2, rng=2, dtype=np.float64)]
    network = Network(Chain(layers), LogLikelihood())
    theta = network.parameters.values.copy()
    _, gradient = network.loss_and_grad(theta, ids, np.array([0, 1]))
    numeric = numeric_gradient(lambda: network.loss_and_grad(theta, ids, np.array([0, 1]))[0], theta)
    np.testing.assert_allclose(gradient, numeric, atol=1e-9)


def test_the_flat_cost_is_a_function_though_units_are_dropped_in_training():
    network = small_network(layers=[Dropout(0.5, rng=1)])
    theta = network.parameters.values.copy()
    first, second = (network.loss_and_grad(theta, X, CLASSES) for _ in range(2))
    assert first[0] == second[0]
    np.testing.assert_array_equal(first[1], second[1])
    assert len({network.add_gradient(X, CLASSES) for _ in range(4)}) > 1


@pytest.mark.parametrize("method", ["L-BFGS-B", "Newton-CG"])
def test_scipy_trains_a_ridge_regression(method):
    y = X @ [1.0, -2.0, 0.5] + 3 + RNG.normal(size=8)
    network = Network(Chain([Dense(3, 1, rng=1, dtype=np.float64), Linear()]), Quadratic(), [L2(0.1)])
    start = network.parameters.values.copy()
    minimize(network.loss_and_grad, start, args=(X, y[:, None]), jac=True, method=method, tol=1e-10)
    ridge = Ridge(alpha=0.1 * len(X)).fit(X, y)  # the sum of squared errors there, their mean here
    np.testing.assert_allclose(network.parameters.values, [*ridge.coef_, ridge.intercept_], rtol=1e-4)


def test_scipy_trains_a_logistic_regression():
    network = Network(Dense(3, 1, rng=1, dtype=np.float64), CrossEntropy(), [L2(0.05)])
    start = network.parameters.values.copy()
    minimize(network.loss_and_grad, start, args=(X, CLASSES[:, None].astype(float)), jac=True, tol=1e-12)
    regression = LogisticRegression(C=1 / (0.05 * len(X)), tol=1e-10).fit(X, CLASSES)
    np.testing.assert_allclose(network.parameters.values[:3], regression.coef_[0], rtol=1e-4)
    np.testing.assert_allclose(network.predict(X)[:, 0], regression.predict_proba(X)[:, 1], rtol=1e-4)


def test_scipy_trains_xor():
    """Which no network without a hidden layer can learn."""
    x, y = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
    network = Network(
        Chain([Dense(2, 3, rng=1, dtype=np.float64), Tanh(), Dense(3, 2, rng=2, dtype=np.float64)]), LogLikelihood()
    )
    result = minimize(network.loss_and_grad, network.parameters.values.copy(), args=(x, y), jac=True, method="L-BFGS-B")
    assert result.fun < 1e-3
    assert network.predict(x).argmax(axis=1).tolist() == y.tolist()


@pytest.mark.parametrize("name", REGULARIZERS)
def test_penalties_are_their_formulas_and_their_gradients_derivatives(name):
    weights = Parameter(np.array([[1.0, -2.0], [0.5, 3.0]]), is_weight=True)
    regularizer = REGULARIZERS[name](0.3)
    assert regularizer.penalty(weights) == pytest.approx({"l1": 0.3 * 6.5, "l2": 0.15 * 14.25}[name])
    regularizer.add_gradient(weights)
    numeric = numeric_gradient(lambda: regularizer.penalty(weights), weights.value)
    np.testing.assert_allclose(weights.gradient, numeric, rtol=1e-8)


def test_l1_leaves_a_weight_of_zero_where_it_is():
    weights = Parameter(np.zeros((2, 2)), is_weight=True)
    L1(0.3).add_gradient(weights)
    assert not weights.gradient.any()


@pytest.mark.parametrize("copies", [1, 5])
def test_penalties_are_added_once_a_batch_and_to_no_bias(copies):
    """A batch that repeats its examples has the same mean loss: its gradient must not change by a regularizer."""
    network = small_network(regularizers=[L2(0.7)])
    plain = small_network()
    for n in (network, plain):
        n.add_gradient(np.tile(X, (copies, 1)), np.tile(CLASSES, copies))
    for name, parameter in network.parameters.named.items():
        difference = parameter.gradient - plain.parameters.named[name].gradient
        expected = 0.7 * parameter.value if name.endswith("weights") else 0 * parameter.value
        np.testing.assert_allclose(difference, expected, atol=1e-12)


def test_gradient_norms_show_vanishing_gradients():
    """Sigmoids pass on a quarter at most: of four layers the first has the least to learn from."""
    layers = [layer for i in range(4) for layer in (Dense(3, 3, rng=i, dtype=np.float64), Sigmoid())]
    norms = gradient_norms(Network(Chain(layers), Quadratic()), X, RNG.random((8, 3)))
    assert list(norms) == ["dense1", "dense2", "dense3", "dense4"]
    assert list(norms.values()) == sorted(norms.values())


def test_a_pickled_network_predicts_the_same_and_can_be_trained():
    network = small_network(dtype=np.float32)
    copy = pickle.loads(pickle.dumps(network))
    np.testing.assert_array_equal(copy.predict(X), network.predict(X))
    copy.parameters.values[:] = 0
    assert not copy.layer.layers[0].weights.value.any()
    assert network.parameters.values.any()


def test_what_does_not_fit_is_refused():
    with pytest.raises(DataError, match=r"theta has the shape \(3,\), but the network 26 parameters"):
        small_network().loss_and_grad(np.zeros(3), X, CLASSES)
    with pytest.raises(OptionError, match="l2 = -1 is out of range"):
        L2(-1)

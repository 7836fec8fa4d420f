from __future__ import annotations

import numpy as np
import pytest
from scipy import special
from sklearn import metrics

from tests.naive import networks as naive
from windrow.errors import DataError, OptionError
from windrow.nn import (
    LOSSES,
    Chain,
    CrossEntropy,
    Dense,
    LogLikelihood,
    Network,
    Quadratic,
    Sigmoid,
    Softmax,
    Trainer,
    check_gradients,
)
from windrow.nn.losses import check_targets, find_loss

RNG = np.random.default_rng(11)
OUTPUTS = RNG.normal(size=(6, 4)) * 2
CLASSES = np.array([2, 0, 3, 3, 1, 0])
ONE_HOT = np.eye(4)[CLASSES]


def targets_for(name):
    return CLASSES if LOSSES[name]().takes_classes else ONE_HOT


@pytest.mark.parametrize("name", LOSSES)
def test_losses_are_their_definitions(name):
    found, _ = LOSSES[name]()(OUTPUTS, targets_for(name))
    assert found == pytest.approx(naive.LOSSES[name](OUTPUTS.tolist(), targets_for(name).tolist()), rel=1e-12)


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_are_derivatives(name):
    errors = check_gradients(Chain([]), OUTPUTS, loss=LOSSES[name](), targets=targets_for(name))
    assert errors.keys() == {"input0"}


def test_losses_are_those_of_scikit_learn():
    squared = metrics.mean_squared_error(ONE_HOT, OUTPUTS)
    assert Quadratic()(OUTPUTS, ONE_HOT)[0] == pytest.approx(squared * 4 / 2)  # a mean over 4 outputs there, no half
    probabilities = special.softmax(OUTPUTS, axis=1)
    assert LogLikelihood()(OUTPUTS, CLASSES)[0] == pytest.approx(metrics.log_loss(CLASSES, probabilities))
    column = OUTPUTS[:, :1]
    labels = (CLASSES == 0).astype(float)
    expected = metrics.log_loss(labels, special.expit(column[:, 0]))
    assert CrossEntropy()(column, labels[:, None])[0] == pytest.approx(expected)


@pytest.mark.parametrize(("fused", "activation"), [(CrossEntropy, Sigmoid), (LogLikelihood, Softmax)])
def test_the_fused_gradient_is_that_of_loss_and_activation_apart(fused, activation):
    _, found = fused()(OUTPUTS, CLASSES if fused is LogLikelihood else ONE_HOT)
    p, backward = activation().forward(OUTPUTS)
    d_loss = -ONE_HOT / p if fused is LogLikelihood else (p - ONE_HOT) / (p * (1 - p))
    np.testing.assert_allclose(found, backward(d_loss) / len(OUTPUTS), rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sums_of_any_size_give_finite_losses(dtype):
    """A wrong output of 10,000 costs 10,000, a right one nothing."""
    sums = np.array([[1e4, -1e4], [1e4, -1e4]], dtype)
    for loss, targets, expected in (
        (CrossEntropy(), np.array([[1, 0], [0, 1]], dtype), 1e4),  # two questions answered wrong, of two rows
        (LogLikelihood(), np.array([0, 1]), 1e4),
    ):
        value, gradient = loss(sums, targets)
        assert value == pytest.approx(expected)
        assert np.isfinite(gradient).all()
        assert gradient.dtype == dtype


def test_a_saturated_sigmoid_learns_slowly_by_the_quadratic_cost_only():
    """Nielsen 2015, chapter 3: the gradient of cross-entropy is the error; the quadratic one has the slope in it."""
    sums = np.array([[8.0]])  # says 0.9997, and 0 is right
    wrong = np.array([[0.0]])
    a, backward = Sigmoid().forward(sums)
    quadratic = backward(Quadratic()(a, wrong)[1])
    _, cross_entropy = CrossEntropy()(sums, wrong)
    assert cross_entropy[0, 0] == pytest.approx(0.99966, abs=1e-5)
    assert quadratic[0, 0] == pytest.approx(cross_entropy[0, 0] ** 2 * (1 - cross_entropy[0, 0]))


@pytest.mark.parametrize("name", LOSSES)
def test_targets_of_another_shape_are_refused(name):
    wrong = CLASSES[:3] if LOSSES[name]().takes_classes else ONE_HOT[:, :3]
    with pytest.raises(DataError, match="targets"):
        LOSSES[name]()(OUTPUTS, wrong)


@pytest.mark.parametrize("wrong", [[0, 4], [-1, 2]])
def test_class_numbers_without_an_output_are_refused(wrong):
    with pytest.raises(DataError, match=f"from {wrong[0]} to {wrong[1]}, but the network has 4 outputs"):
        check_targets(LogLikelihood(), np.array(wrong), 4)


@pytest.mark.parametrize(
    ("loss", "targets", "said"),
    [
        (LogLikelihood, np.array([0, -1]), "from -1 to 0, but the network has 4 outputs"),
        (LogLikelihood, np.array([0, 4]), "from 0 to 4, but the network has 4 outputs"),
        (LogLikelihood, np.array([0.0, 1.0]), "whole numbers from 0, not float64; try astype"),
        (LogLikelihood, np.array([True, False]), "whole numbers from 0, not bool; try astype"),
        (CrossEntropy, np.array([[1, -1, 0, 0], [0, 0, 0, 1]]), "0, 1 or between, not from -1 to 1"),
        (CrossEntropy, np.array([[0, 1, 2, 3], [0, 0, 0, 1.0]]), "0, 1 or between, not from 0 to 3"),
        (CrossEntropy, np.full((2, 4), np.nan), "0, 1 or between, not from nan to nan"),
    ],
)
def test_targets_out_of_range_are_refused_by_every_loss(loss, targets, said):
    network = Network(Dense(3, 4, rng=1), loss())
    asks = (
        lambda: loss()(OUTPUTS[:2], targets),
        lambda: network.add_gradient(np.ones((2, 3), np.float32), targets),
        lambda: network.loss_and_grad(np.zeros(16), np.ones((2, 3), np.float32), targets),
        lambda: Trainer(rng=np.random.default_rng(0)).run(network, np.ones((2, 3), np.float32), targets, 1),
    )
    for ask in asks if not np.isnan(targets).any() else asks[:3]:
        with pytest.raises(DataError, match=said):
            ask()


@pytest.mark.parametrize("name", LOSSES)
def test_targets_that_are_no_numbers_are_refused(name):
    with pytest.raises(DataError, match="targets must be"):
        LOSSES[name]()(OUTPUTS, targets_for(name).astype(str))


@pytest.mark.parametrize("callbacks", [print, [print, 3]])
def test_a_trainer_refuses_what_is_no_callback(callbacks):
    with pytest.raises(OptionError, match=r"must be a list of functions|a callback = 3 must be a function"):
        Trainer(callbacks=callbacks)


@pytest.mark.parametrize("name", LOSSES)
def test_targets_in_lists_are_targets(name):
    targets = targets_for(name)
    assert LOSSES[name]()(OUTPUTS, targets.tolist())[0] == LOSSES[name]()(OUTPUTS, targets)[0]


def test_a_trainer_takes_lists():
    network = Network(Dense(3, 4, rng=1), LogLikelihood())
    history = Trainer(rng=np.random.default_rng(0)).run(network, [[1, 2, 3], [3, 2, 1]], [0, 3], 2)
    assert len(history) == 2


def test_an_unknown_cost_is_named_with_the_known():
    with pytest.raises(OptionError, match="'hinge' is not one of quadratic, cross-entropy, log-likelihood"):
        find_loss("hinge")

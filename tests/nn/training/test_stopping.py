"""When a training has run away, and when it only learns badly."""

from __future__ import annotations

import numpy as np
import pytest

from windrow import MLPClassifier, MLPRegressor
from windrow.nn import (
    OPTIMIZERS,
    Adam,
    Chain,
    Dense,
    DivergedError,
    LogLikelihood,
    Network,
    Quadratic,
    Sigmoid,
    Trainer,
)
from windrow.nn.training.stopping import RUNAWAY, Divergence

START = np.ones(4)
DICE = np.random.default_rng(0)
X = DICE.normal(size=(64, 3)).astype(np.float32)


def watched(losses: list[float], values: np.ndarray = START, **options: float) -> None:
    """An epoch with these losses of batches."""
    divergence = Divergence(options.get("baseline", 0.0), START)
    divergence.start_epoch()
    for loss in losses:
        divergence.see(loss)
    divergence.end_epoch(values)


@pytest.mark.parametrize("loss", [np.nan, np.inf, -np.inf])
def test_a_loss_that_is_not_finite(loss):
    with pytest.raises(DivergedError, match=f"the loss is {loss}"):
        watched([1.0, loss])


def test_a_parameter_that_is_not_finite():
    with pytest.raises(DivergedError, match="a parameter is no finite number"):
        watched([1.0], np.array([1.0, np.nan]))


def test_a_finite_loss_that_has_run_away():
    with pytest.raises(DivergedError, match=r"the loss has run away to 2001, more than 1000 times .* start \(2\)"):
        watched([2.0, *[2001.0] * 5])


def test_a_long_epoch_is_not_awaited():
    divergence = Divergence(0.0, START)
    with pytest.raises(DivergedError, match="run away"):
        for _ in range(10_000):
            divergence.see(1.0 if divergence.reference is None else 1e9)


@pytest.mark.parametrize("losses", [
    [2.0, 2e6, 2.0, 2.0],  # one bad batch of many
    [2.0, *[1999.0] * 9],
    [0.001, *[0.9] * 9],
])  # fmt: skip
def test_losses_that_are_only_bad(losses):
    watched(losses, baseline=0.01)


def test_a_first_batch_that_was_lucky_does_not_count():
    """A regression may begin with a batch of zeros: what ignorance costs is the measure then."""
    watched([0.0, *[0.9] * 9], baseline=0.5)
    with pytest.raises(DivergedError):
        watched([0.0, *[0.9] * 9])


def test_parameters_that_have_run_away_count_where_the_loss_has_a_ceiling():
    far = START * (RUNAWAY + 1)
    with pytest.raises(DivergedError, match=r"the parameters have grown more than 1000-fold, and the loss of 2 is no "):
        watched([2.0, 2.0, 2.1], far)
    watched([2.0, 1.0, 0.9], far)  # large targets need large weights, and the loss falls
    watched([2.0, 2.0, 2.1], START * 900)


# --- in training


def test_a_softmax_whose_loss_stays_finite():
    """A huge step leaves a loss of millions, which no test for NaN would find."""
    network = Network(Dense(3, 3, rng=1), LogLikelihood())
    classes = DICE.integers(0, 3, 64)
    before = network.parameters.values.copy()
    trainer = Trainer(learning_rate=1e6, batch_size=8, rng=np.random.default_rng(0))
    with pytest.raises(DivergedError, match=r"epoch 1\): the loss has run away .* try learning_rate = 100000 or"):
        trainer.run(network, X, classes, 5)
    np.testing.assert_array_equal(network.parameters.values, before)


def test_a_saturated_network():
    network = Network(Chain([Dense(3, 4, rng=1), Sigmoid(), Dense(4, 2, rng=2), Sigmoid()]), Quadratic())
    targets = np.eye(2, dtype=np.float32)[DICE.integers(0, 2, 64)]
    trainer = Trainer(learning_rate=1e6, batch_size=8, rng=np.random.default_rng(0))
    with pytest.raises(DivergedError, match="the parameters have grown more than 1000-fold"):
        trainer.run(network, X, targets, 20)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_ordinary_training_never_diverges(name, scale):
    """Defaults, targets of any size, labels that are noise, batches of one, a network that knows the answer already."""
    noise = DICE.integers(0, 3, 64)
    MLPClassifier(8, optimizer=name, epochs=5, random_state=0).fit(X, noise)
    MLPClassifier(8, optimizer=name, epochs=3, batch_size=1, random_state=0).fit(X, noise)
    sparse = np.where(DICE.random(64) < 0.1, scale, 0.0)  # most batches have nothing to learn
    options = {"optimizer": name, "epochs": 5, "batch_size": 2, "random_state": 0, "clip_norm": 1.0}
    MLPRegressor(8, **options).fit(X, sparse)
    known = Network(Dense(3, 1, rng=1), Quadratic())
    answers = known.predict(X) * np.float32(1.0)
    Trainer(optimizer=Adam(), batch_size=8, rng=np.random.default_rng(0)).run(known, X, answers, 50)

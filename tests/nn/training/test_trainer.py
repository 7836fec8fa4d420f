from __future__ import annotations

from itertools import count

import numpy as np
import pytest

from windrow.errors import DataError, OptionError
from windrow.nn import (
    OPTIMIZERS,
    SGD,
    Adam,
    Chain,
    Dense,
    DivergedError,
    EarlyStopping,
    LogLikelihood,
    Network,
    Quadratic,
    Step,
    Tanh,
    Trainer,
    gradient_norms,
)
from windrow.nn.training.stopping import LastGood
from windrow.nn.training.trainer import NetworkTrainee

XOR = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
XOR_CLASSES = np.array([0, 1, 1, 0])


def xor_network(seed=1) -> Network:
    rng = np.random.default_rng(seed)
    return Network(Chain([Dense(2, 8, rng=rng), Tanh(), Dense(8, 2, rng=rng)]), LogLikelihood())


def line(rows=50) -> tuple[Network, np.ndarray, np.ndarray]:
    x = np.random.default_rng(3).normal(size=(rows, 2)).astype(np.float32)
    return Network(Dense(2, 1, rng=1), Quadratic()), x, x @ np.array([[2.0], [-1.0]], np.float32)


def trainer(**options) -> Trainer:
    return Trainer(**{"rng": np.random.default_rng(0), "batch_size": 10, **options})


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_learns_xor(name):
    rate = {"sgd": 0.5, "momentum": 0.1, "nesterov": 0.1, "adagrad": 0.5, "rmsprop": 0.02, "adam": 0.05}[name]
    network = xor_network()
    history = trainer(optimizer=OPTIMIZERS[name](), learning_rate=rate, batch_size=4).run(
        network, XOR, XOR_CLASSES, 200
    )
    assert history[-1]["loss"] < 0.05 < history[0]["loss"]
    assert network.predict(XOR).argmax(axis=1).tolist() == XOR_CLASSES.tolist()


def test_one_step_on_all_examples_is_a_step_down_the_gradient():
    network, x, y = line()
    _, gradient = network.loss_and_grad(network.parameters.values.astype(float), x, y)
    before = network.parameters.values.copy()
    trainer(learning_rate=0.1, batch_size=50).run(network, x, y, 1)
    np.testing.assert_allclose(network.parameters.values, before - 0.1 * gradient, rtol=1e-5)


@pytest.mark.parametrize("batch_size", [1, 7, 50, 3000])
def test_an_epoch_is_every_example_once_in_batches(batch_size):
    x = np.arange(2500, dtype=np.float32)[:, None]
    network = Network(Dense(1, 1), Quadratic())
    trainee = NetworkTrainee(trainer(batch_size=batch_size), network, x, x + 0.5, None)
    batches = [batch for _, batch in trainee.batches(1)]
    np.testing.assert_array_equal(np.sort(np.concatenate([b for b, _ in batches]), axis=0), x)
    for rows, targets in batches:
        np.testing.assert_array_equal(targets, rows + 0.5)
    assert [len(rows) for rows, _ in batches[:-1]] == [batch_size] * (len(batches) - 1)
    order = np.concatenate([rows for rows, _ in batches])
    assert (order != x).any()


def test_equal_seeds_give_equal_bits():
    networks = [xor_network(), xor_network()]
    for network in networks:
        trainer(batch_size=2).run(network, XOR, XOR_CLASSES, 20)
    np.testing.assert_array_equal(networks[0].parameters.values, networks[1].parameters.values)


def test_the_history_says_what_happened():
    network, x, y = line()
    told = []
    run = trainer(learning_rate=0.1, schedule=Step(every=1, factor=0.5), callbacks=[lambda *told_: told.append(told_)])
    history = run.run(network, x, y, 3, score=lambda n: float(n.parameters.values[0]))
    assert [row["epoch"] for row in history] == [1, 2, 3]
    assert [row["steps"] for row in history] == [5, 10, 15]
    assert [row["learning_rate"] for row in history] == pytest.approx([0.1, 0.05, 0.025])
    assert history[-1]["score"] == network.parameters.values[0]
    assert history[-1]["gradient_norms"] == gradient_norms(network, x, y)
    assert [report.loss for report, _ in told] == [row["loss"] for row in history]
    assert all(of is network for _, of in told)


def test_a_second_run_goes_on_as_if_there_had_been_one():
    networks = [line()[0] for _ in range(2)]
    _, x, y = line()
    whole = trainer(optimizer=Adam(), schedule=Step(every=2)).run(networks[0], x, y, 5)
    parts = trainer(optimizer=Adam(), schedule=Step(every=2))
    history = parts.run(networks[1], x, y, 2)
    parts.run(networks[1], x, y, 3, history=history)
    np.testing.assert_array_equal(networks[0].parameters.values, networks[1].parameters.values)
    assert [row["loss"] for row in history] == [row["loss"] for row in whole]


@pytest.mark.parametrize("stop", [True, np.True_, 1, "enough"])
def test_a_callback_stops_by_anything_that_is_true(stop):
    network, x, y = line()
    told = []
    callbacks = [lambda report, _: stop if report.epoch == 2 else None, lambda report, _: told.append(report.epoch)]
    assert len(trainer(callbacks=callbacks).run(network, x, y, 9)) == 2
    assert told == [1, 2]  # all are called, also after the one that stops


def test_early_stopping_gives_back_the_best_parameters():
    network, x, y = line()
    scores = [0.1, 0.5, 0.4, 0.45, 0.3, 0.9]
    kept, epochs = [], count()
    run = trainer(early_stopping=EarlyStopping(patience=3))
    run.callbacks = [lambda _, n: kept.append(n.parameters.values.copy())]
    history = run.run(network, x, y, 6, score=lambda _: scores[next(epochs)])
    assert len(history) == 5
    np.testing.assert_array_equal(network.parameters.values, kept[1])
    assert (kept[1] != kept[4]).any()


def test_the_best_parameters_come_back_though_training_was_not_stopped():
    network, x, y = line()
    scores, epochs = [0.5, 0.9, 0.1], count()
    stopping = EarlyStopping(patience=50)
    trainer(early_stopping=stopping).run(network, x, y, 3, score=lambda _: scores[next(epochs)])
    assert stopping.best_score == 0.9
    np.testing.assert_array_equal(network.parameters.values, stopping.best_values)


def test_a_small_improvement_does_not_count():
    stopping = EarlyStopping(patience=2, min_improvement=0.1)
    ended = []
    for score in (0.5, 0.55, 0.7, 0.75, 0.79):
        stopping.see(score, np.zeros(1))
        ended.append(stopping.has_ended)
    assert ended == [False, False, False, False, True]
    assert stopping.has_ended, "to ask changes nothing"


def test_divergence_is_told_and_the_last_good_parameters_are_kept():
    network, x, y = line()
    run = trainer(learning_rate=0.1)
    history = run.run(network, x, y, 2)
    good = network.parameters.values.copy()
    run.learning_rate = 1e6
    with pytest.raises(DivergedError) as caught:
        run.run(network, x, y, 50, history=history)
    message = str(caught.value)
    assert message.startswith("training diverged at step ")
    assert "(epoch 3): the loss is inf; the model has the parameters of the start again" in message
    assert message.endswith("try learning_rate = 100000 or clip_norm = 1")
    np.testing.assert_array_equal(network.parameters.values, good)
    assert len(history) == 2


def test_slow_divergence_goes_back_to_an_epoch_before_it():
    """At a rate a little too high the loss grows for many epochs before it is infinite."""
    network, x, y = line()
    before = network.loss(network.outputs(x), y)[0]
    run = trainer(learning_rate=2.5, batch_size=50)
    with pytest.raises(DivergedError, match=r"has the parameters of (the start|epoch [12]) again"):
        run.run(network, x, y, 500)
    assert network.loss(network.outputs(x), y)[0] < 5 * before


def test_last_good_is_the_last_sound_epoch():
    last_good = LastGood(np.zeros(1))
    for epoch, loss in enumerate([1.0, 1.9, 0.5, 0.9, 5.0], 1):
        last_good.keep(np.array([float(epoch)]), epoch, loss)
    assert (last_good.name, last_good.values.tolist()) == ("epoch 4", [4.0])


def test_clipping_keeps_a_rate_that_diverges_from_diverging():
    _, x, y = line()
    y = y * 1000
    options = {"learning_rate": 3.0, "batch_size": 50}
    with pytest.raises(DivergedError):
        trainer(**options).run(line()[0], x, y, 300)
    for limit in ("clip_norm", "clip_value"):
        network = line()[0]
        before = network.parameters.values.copy()
        trainer(**options, **{limit: 0.5}).run(network, x, y, 1)
        assert 0 < np.linalg.norm(network.parameters.values - before) <= 3.0 * 0.5 * 3**0.5 + 1e-5


def test_augmented_rows_are_trained_on_in_place_of_the_given():
    network, x, y = line()
    seen = []

    def augment(rows, rng):
        seen.append(rows.copy())
        return rows * 0

    before = network.parameters.values.copy()
    trainer(augment=augment, learning_rate=0.1).run(network, x, y, 1)
    np.testing.assert_allclose(np.sort(np.concatenate(seen), axis=0), np.sort(x, axis=0))
    np.testing.assert_array_equal(network.parameters.values[:2], before[:2])  # weights of zeros do not move
    with pytest.raises(DataError, match=r"augmentation gave \(50, 1\) for rows of the shape \(50, 2\)"):
        trainer(augment=lambda rows, rng: rows[:, :1]).run(network, x, y, 1)


def with_value(array, place, value):
    changed = array.copy()
    changed[place] = value
    return changed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, y: (with_value(x, (3, 1), np.nan), y), "examples: nan at row 3, column 1"),
        (lambda x, y: (x, with_value(y, (7, 0), np.inf)), "targets: inf at row 7, column 0"),
        (lambda x, y: (x, y[:-1]), "50 examples but 49 targets"),
        (lambda x, y: (x[:0], y[:0]), "no example to train on"),
        (lambda x, y: (x, np.hstack([y, y])), r"targets have the shape \(1, 2\), but the outputs .* \(1, 1\)"),
        (lambda x, y: (x[:, :1], y), r"Dense\(2, 1\) takes \(rows, 2\), but its input has the shape \(1, 1\)"),
    ],
)
def test_data_that_cannot_be_learned_from_is_refused_before_the_first_step(change, message):
    network, x, y = line()
    before = network.parameters.values.copy()
    with pytest.raises(DataError, match=message):
        trainer().run(network, *change(x, y), 1)
    np.testing.assert_array_equal(network.parameters.values, before)


def test_class_numbers_without_an_output_are_refused():
    with pytest.raises(DataError, match="class numbers from 0 to 2, but the network has 2 outputs"):
        trainer().run(xor_network(), XOR, np.array([0, 1, 2, 0]), 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size = 0 is out of range"),
        ({"batch_size": 2.5}, "batch_size = 2.5 must be a whole number"),
        ({"learning_rate": 0}, "learning_rate = 0 is out of range"),
        ({"clip_norm": -1}, "clip_norm = -1 is out of range"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(OptionError, match=message):
        Trainer(SGD(), **options)
    with pytest.raises(OptionError, match="epochs = 0"):
        trainer().run(xor_network(), XOR, XOR_CLASSES, 0)

"""Trainings that are killed and resumed, and fits that fail: the same for every estimator that trains by the loop."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import windrow
from tests.nn.training import estimators
from tests.nn.training.estimators import ESTIMATORS, Case
from windrow.errors import DataError, FormatError, OptionError
from windrow.files import model_file
from windrow.nn.training.stopping import DivergedError

SCHEMA = {
    *("event", "epoch", "epochs", "examples", "total_examples", "steps"),
    *("loss", "score", "measure", "learning_rate", "seconds", "per_second"),
}


@pytest.fixture(params=ESTIMATORS)
def case(request: pytest.FixtureRequest) -> Case:
    return ESTIMATORS[request.param]()


def untimed(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if "second" not in name} for row in history]


# --- resuming


def test_a_killed_training_resumes_bit_for_bit(case: Case, tmp_path: Path) -> None:
    checkpoint = tmp_path / "state"
    command = [sys.executable, "-m", estimators.__name__, case.name, str(checkpoint)]
    with subprocess.Popen(command, cwd=Path(__file__).parents[3]) as process:
        end = time.monotonic() + 60
        while process.poll() is None and not (checkpoint.exists() and _epochs(checkpoint) >= 2):
            assert time.monotonic() < end, "nothing happened"
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL, "it had ended"

    whole, resumed = case.made(epochs=6), case.made(epochs=6)
    case.fit(whole)
    case.fit(resumed, checkpoint=checkpoint, resume=True)

    np.testing.assert_array_equal(case.values(resumed), case.values(whole))
    assert untimed(resumed.history_) == untimed(whole.history_)


def _epochs(checkpoint: Path) -> int:
    return len(model_file.load(checkpoint).config["history"])


def test_a_checkpoint_of_another_training_is_refused(case: Case, tmp_path: Path) -> None:
    case.fit(case.made(epochs=1), checkpoint=tmp_path / "state")
    for model, given in ((case.made(epochs=1, batch_size=3), {}), (case.made(epochs=1), {"other": True})):
        with pytest.raises(DataError, match=r"is of a training with .*; go on with the same options and data"):
            case.fit(model, **given, checkpoint=tmp_path / "state", resume=True)
    with pytest.raises(FormatError, match=r"a training that was interrupted, not a model; go on with fit\("):
        windrow.load(tmp_path / "state")


def test_resuming_from_nothing(case: Case, tmp_path: Path) -> None:
    """A training starts; but a trained model is not replaced by one trained from the beginning."""
    path = tmp_path / "state"
    with pytest.raises(OptionError, match="resume = True needs a file to go on from; give checkpoint"):
        case.fit(case.made(epochs=1), resume=True)
    model = case.made(epochs=2)
    case.fit(model, checkpoint=path, resume=True)
    values = case.values(model).copy()
    path.unlink()
    with pytest.raises(DataError, match="state is not there, and the model is trained; to train it again leave out"):
        case.fit(model.set_params(epochs=1), checkpoint=path, resume=True)
    np.testing.assert_array_equal(case.values(model), values)


@pytest.mark.parametrize("lost", ["steps", "history", "state", "values"])
def test_a_damaged_checkpoint_is_told(case: Case, tmp_path: Path, lost: str) -> None:
    path = tmp_path / "state"
    case.fit(case.made(epochs=1), checkpoint=path)
    stored = model_file.load(path)
    arrays = {name: np.array(array) for name, array in stored.arrays.items() if name != lost}
    config = {name: "odd" if name == lost == "state" else v for name, v in stored.config.items() if name != lost}
    model_file.save(path, stored.kind, arrays, config)
    if lost == "state" and not stored.config["state"]:  # the randomness of language models follows from the seed
        case.fit(case.made(epochs=2), checkpoint=path, resume=True)
        return
    with pytest.raises(FormatError, match=r"does not hold this training's state .* delete it to start again"):
        case.fit(case.made(epochs=2), checkpoint=path, resume=True)


def test_a_seed_that_nobody_knows_is_in_the_checkpoint(tmp_path: Path) -> None:
    """A fit without a random_state that resumes builds the network and holds rows back as the first one did."""
    x, y = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 2
    options = {"epochs": 3, "early_stopping": True}

    def stop(report: Any, network: Any) -> bool:
        return report.epoch == 1

    begun = windrow.MLPClassifier(4, **options, callbacks=[stop]).fit(x, y, checkpoint=tmp_path / "state")
    resumed = windrow.MLPClassifier(4, **options).fit(x, y, checkpoint=tmp_path / "state", resume=True)
    assert untimed(resumed.history_)[0]["loss"] == begun.history_[0]["loss"]
    assert len(resumed.history_) == 3
    assert resumed.history_[0]["score"] == begun.history_[0]["score"]


# --- reports


def test_one_schema_serves_every_training(case: Case) -> None:
    model = case.made(epochs=2)
    case.fit(model, valid=True)
    for number, row in enumerate(model.history_, 1):
        assert set(row) - {"gradient_norms"} == SCHEMA
        assert row["epoch"] == number
        assert row["event"] == "epoch"
        assert row["examples"] == row["total_examples"] * number // 2
        assert row["score"] is not None
    assert {row["measure"] for row in model.history_} == {case.measure}
    assert model.history_[0]["seconds"] < model.history_[1]["seconds"]


@pytest.mark.parametrize("stop", [True, np.True_, 1])
def test_any_true_value_stops(case: Case, stop: object) -> None:
    model = case.made(epochs=5, callbacks=[lambda *told: stop if told[0].epoch == 2 else False])
    case.fit(model)
    assert len(model.history_) == 2


# --- fits that fail


def raising(error: BaseException) -> Any:
    def callback(*told: Any) -> None:
        raise error

    return callback


@pytest.mark.parametrize(
    ("changed", "given", "error"),
    [
        ({"optimizer": "magic"}, {}, OptionError),
        ({"epochs": 0}, {}, OptionError),
        ({"schedule": "magic"}, {}, OptionError),
        ({"callbacks": [raising(KeyboardInterrupt())]}, {"other": True}, KeyboardInterrupt),
        ({"callbacks": [raising(ZeroDivisionError())]}, {"other": True}, ZeroDivisionError),
        ({"optimizer": "sgd", "learning_rate": 1e30}, {"other": True}, DivergedError),
        ({"callbacks": [print, "print"]}, {"other": True}, OptionError),
        ({}, {"bad": True}, DataError),
        ({}, {"checkpoint": "no/such/folder/state"}, DataError),
    ],
)
def test_a_fit_that_fails_leaves_a_trained_estimator_as_it_was(
    case: Case, changed: dict[str, Any], given: dict[str, Any], error: type[BaseException]
) -> None:
    model = case.made(epochs=2)
    case.fit(model)
    answers, values, state = case.answers(model), case.values(model).copy(), dict(vars(model))
    history = [dict(row) for row in model.history_]
    model.set_params(**changed, **case.unclipped)

    with pytest.raises(error) as caught:
        case.fit(model, **given)

    np.testing.assert_equal(case.answers(model), answers)
    np.testing.assert_array_equal(case.values(model), values)
    assert model.history_ == history
    after = {name: value for name, value in vars(model).items() if name not in model.get_params()}
    assert all(after[name] is state[name] for name in after)
    assert set(after) == set(state) - set(model.get_params())
    if error in (KeyboardInterrupt, DivergedError):
        assert "the model is as it was before" in str(caught.value)


def test_a_first_fit_that_is_refused_leaves_nothing(case: Case) -> None:
    model = case.made(epochs=2)
    with pytest.raises(DataError):
        case.fit(model, bad=True)
    assert not [name for name in vars(model) if name not in model.get_params()]


def test_a_first_fit_that_diverges_or_is_interrupted_keeps_sound_parameters(case: Case) -> None:
    for changed in ({"optimizer": "sgd", "learning_rate": 1e30}, {"callbacks": [raising(KeyboardInterrupt())]}):
        model = case.made(**{"epochs": 2, **changed}, **case.unclipped)
        with pytest.raises((DivergedError, KeyboardInterrupt), match="the model has the parameters of"):
            case.fit(model)
        assert np.isfinite(case.values(model)).all()
        case.answers(model)


@pytest.mark.parametrize("part", ["values", "last_good", "optimizer0"])
def test_numbers_of_a_checkpoint_that_are_not_finite(case: Case, part: str, tmp_path: Path) -> None:
    checkpoint = tmp_path / "c"
    case.fit(case.made(epochs=1), checkpoint=checkpoint)
    stored = model_file.load(checkpoint)
    arrays = {name: np.array(array) for name, array in stored.arrays.items()}
    arrays[part].reshape(-1)[0] = np.nan
    model_file.save(checkpoint, stored.kind, arrays, stored.config)

    with pytest.raises(FormatError, match=r"a number is not finite\); delete it to start again"):
        case.fit(case.made(epochs=2), checkpoint=checkpoint, resume=True)


def test_a_checkpoint_of_a_classifier_without_its_start(tmp_path: Path) -> None:
    checkpoint, rows = tmp_path / "c", np.zeros((4, 1), np.float32)
    model_file.save(checkpoint, "mlp-checkpoint", {}, {"model": 3})
    with pytest.raises(FormatError, match="does not hold the start of a training"):
        windrow.MLPClassifier(epochs=1).fit(rows, [0, 1, 0, 1], checkpoint=checkpoint, resume=True)

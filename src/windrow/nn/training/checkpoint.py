"""Checkpoints: everything that the rest of a training depends on, in one file that appears whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from math import isfinite
from os import PathLike
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from windrow.errors import DataError, FormatError, OptionError, check_path, check_range, check_whole
from windrow.files import model_file
from windrow.files.model_file import StoredModel
from windrow.nn.parameters import Array
from windrow.nn.training.stopping import Divergence, LastGood

_TEXTS = {  # what differs beside parameters
    "text": "another text",
    "valid": "other data held back",
    "data": "other data",
    "continued_from": "another model to continue, or none",
}
START_AGAIN = "delete it to start again"


class Resumable(Protocol):
    """A Training, as far as its state goes."""

    trainee: Any
    plan: Any
    last_good: LastGood
    divergence: Divergence
    history: list[dict[str, Any]]


def kept_in(checkpoint: str | PathLike[str], epoch: int) -> str:
    """What an interrupt says of a checkpoint; ``epoch`` 0 where there was nothing to keep."""
    if not epoch:
        return "no state is kept yet from which it could go on"
    return f"{checkpoint} has the state after epoch {epoch}, from which resume=True goes on"


def goes_on(
    checkpoint: str | PathLike[str] | None, resume: bool, *, is_trained: bool = False, checkpoint_every: int = 1
) -> bool:
    """Whether a training goes on from its checkpoint; else it starts, so that one script does for both.

    Raises OptionError where no checkpoint was named or ``checkpoint_every`` is no count, DataError where it is not
    there and a model that ``is_trained`` would be replaced by one trained from the beginning.
    """
    check_range("checkpoint_every", check_whole("checkpoint_every", checkpoint_every), 0)
    if checkpoint is None and checkpoint_every != 1:
        raise OptionError(f"checkpoint_every = {checkpoint_every} is for checkpoint; give that, too")
    if checkpoint is not None:
        check_path("checkpoint", checkpoint)
    if not resume:
        return False
    if checkpoint is None:
        raise OptionError("resume = True needs a file to go on from; give checkpoint, too, or leave resume out")
    if Path(checkpoint).exists():
        return True
    if is_trained:
        raise DataError(f"{checkpoint} is not there, and the model is trained; to train it again leave out resume")
    return False


def fingerprint(*arrays: Array) -> str:
    """A hash of the contents of some arrays, their types and shapes."""
    digest = blake2b(digest_size=16)
    for array in arrays:
        digest.update(f"{array.dtype} {array.shape}".encode())
        digest.update(repr(array.tolist()).encode() if array.dtype.hasobject else np.ascontiguousarray(array).data)
    return digest.hexdigest()


def rng_state(rng: np.random.Generator) -> dict[str, Any]:
    """The state of a generator as plain data."""

    def plain(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: plain(part) for name, part in value.items()}
        return value.tolist() if isinstance(value, np.ndarray | np.generic) else value

    state: dict[str, Any] = plain(rng.bit_generator.state)
    return state


_LAST_PLACES = {"pos": 624, "buffer_pos": 4}  # in the buffers of NumPy's generators, which it does not check itself


def restore_rng(rng: np.random.Generator, state: Any) -> None:
    """Go on from what ``rng_state`` gave; ValueError or TypeError for what no generator can be in."""
    for part in (state, state["state"]):
        for name, last in _LAST_PLACES.items():
            if name in part and not 0 <= count_of(part[name]) <= last:
                raise ValueError(f"{name} = {part[name]} of a generator")
    rng.bit_generator.state = state


def save(training: Resumable, path: str | PathLike[str], described: Mapping[str, Any]) -> None:
    """Write the parameters, the optimizer's state, the best and the last good parameters, and the trainee's state."""
    optimizer, stopping, last_good = training.plan.optimizer, training.plan.stopping, training.last_good
    arrays: dict[str, Array] = {"values": training.trainee.values(), "last_good": last_good.values}
    best_score = None
    if stopping is not None and stopping.best_values is not None:
        arrays["best"] = stopping.best_values
        best_score = stopping.best_score if isfinite(stopping.best_score) else None
    arrays |= {f"optimizer{number}": state for number, state in enumerate(optimizer.states)}
    config = {
        "model": described,
        "history": training.history,
        "steps": optimizer.steps,
        "best_score": best_score,
        "waited": 0 if stopping is None else stopping.waited,
        "last_good": last_good.name,
        "lowest": last_good.lowest if isfinite(last_good.lowest) else None,
        "reference": training.divergence.reference,
        "state": training.trainee.state(),
    }
    model_file.save(path, training.trainee.checkpoint_kind, arrays, config)


def restore(training: Resumable, path: str | PathLike[str], described: Mapping[str, Any]) -> None:
    """Go on from what ``save`` wrote; DataError if that was of another configuration or other data."""
    stored = model_file.load(path, training.trainee.checkpoint_kind)
    config, arrays = stored.config, stored.arrays
    with model_file.parts_of(path):
        _check_same(path, _with_one_text(config.get("model", {})), described)
    plan, last_good = training.plan, training.last_good
    try:
        training.trainee.set_values(same_kind_of_array(last_good.values, arrays["values"]))
        last_good.values = same_kind_of_array(last_good.values, arrays["last_good"])
        for number, state in enumerate(plan.optimizer.states):
            state[:] = same_kind_of_array(state, arrays[f"optimizer{number}"])
        if config["lowest"] is not None:
            last_good.lowest = float(config["lowest"])
        last_good.name = str(config["last_good"])
        if plan.stopping is not None:
            plan.stopping.waited = count_of(config["waited"])
            plan.stopping.best_values = (
                same_kind_of_array(last_good.values, arrays["best"]) if "best" in arrays else None
            )
            if config["best_score"] is not None:
                plan.stopping.best_score = float(config["best_score"])
        plan.optimizer.steps = count_of(config["steps"])
        training.history[:] = history_rows(config["history"])
        for row in training.history:
            if row.get("score") is not None:
                training.trainee.rank(row["score"])  # as schedules will
        # Checkpoints of windrow 0.1 have neither this nor a state.
        reference = config.get("reference")
        training.divergence.reference = None if reference is None else float(reference)
        training.trainee.set_state(config.get("state", {}))
    except (LookupError, ValueError, TypeError, AttributeError, ArithmeticError) as error:
        raise FormatError(f"{path} does not hold this training's state ({error}); {START_AGAIN}") from error


def history_rows(rows: Iterable[Any]) -> list[dict[str, Any]]:
    """The rows of a history as stored, under their names of today; an error of Python's for what is no row."""
    found = list(map(with_new_names, rows))
    for row in found:  # what a training that goes on reads
        count_of(row["epoch"])
        for number in (row["loss"], row["seconds"], 0 if row.get("score") is None else row["score"]):
            if not isinstance(number, int | float) or isinstance(number, bool):
                raise ValueError(f"{number!r} is no number")
    return found


def stored_history(stored: StoredModel) -> list[dict[str, Any]]:
    """The reports of its training that a model file has, under their names of today; empty where it has none."""
    config, training = stored.config, stored.config.get("training")
    of_vectors = training.get("history") if isinstance(training, dict) else None
    places = (config.get("history"), config.get("history_"), stored.provenance.get("history"), of_vectors)
    rows = next((one for one in places if isinstance(one, list) and one), [])
    return [with_new_names(row) for row in rows if isinstance(row, dict)]


def count_of(stored: Any) -> int:
    """What a file has as a count; ValueError where it is none."""
    if not isinstance(stored, int) or isinstance(stored, bool) or stored < 0:
        raise ValueError(f"{stored!r} is no count")
    return stored


def same_kind_of_array(values: Array, stored: Array) -> Array:
    """A copy of what a file has for ``values``; ValueError where it cannot be that."""
    if stored.shape != values.shape or stored.dtype != values.dtype:
        raise ValueError(f"{stored.dtype} {stored.shape} in place of {values.dtype} {values.shape}")
    if not np.isfinite(stored).all():
        raise ValueError("a number is not finite")
    return np.array(stored)


def _check_same(path: str | PathLike[str], model: Mapping[str, Any], described: Mapping[str, Any]) -> None:
    """Raise DataError that names what differs; a checkpoint of an earlier version may lack a name."""
    different = [
        _TEXTS.get(name) or f"{name} = {model[name]!r}, not {value!r}"
        for name, value in sorted({"continued_from": None, **described}.items())
        if (name in model or name == "continued_from") and model.get(name) != value
    ]
    if different:
        raise DataError(
            f"{path} is of a training with {', '.join(different)}; go on with the same options and data, or "
            f"{START_AGAIN}"
        )


def _with_one_text(model: dict[str, Any]) -> dict[str, Any]:
    """What a checkpoint says about its model; that of an earlier version may lack names, which are not compared.

    The text was described by several facts at first, with its fingerprint among them since RecurrentLM was added.
    """
    text = model.get("text")
    if not isinstance(text, dict):
        return model
    others = {name: value for name, value in model.items() if name != "text"}
    return {**others, "text": text["corpus"]} if "corpus" in text else others


def with_new_names(row: dict[str, Any]) -> dict[str, Any]:
    """A row of a history under the names of Report; windrow 0.1 had other ones for language models and taggers."""
    if "examples" in row:
        return row
    new = {"event": "epoch", **row}
    measure = next((name for name in ("valid_perplexity", "f1") if name in row), None)
    if measure is not None:
        new["score"] = new.pop(measure)
        new["measure"] = None if new["score"] is None else measure.removeprefix("valid_")
    for count in ("words", "tokens"):
        if count in row:
            new["examples"] = new.pop(count)
            new["per_second"] = new.pop(f"{count}_per_second", 0.0)
            new.pop(f"total_{count}", None)
    if "alpha" in new:
        new["learning_rate"] = new.pop("alpha")
    return new

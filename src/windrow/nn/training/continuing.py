"""Training that continues a finished model: what is taken from it, and what its training left for the next one."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Collection, Iterable
from copy import copy
from dataclasses import dataclass
from typing import Any, Self

from windrow.bars import check_progress
from windrow.errors import FormatError, NotFittedError, OptionError, shown, warn
from windrow.estimator import Estimator, check_effects
from windrow.files.model_file import StoredModel
from windrow.files.writing import check_writable
from windrow.nn.optimizers import OPTIMIZERS, Optimizer
from windrow.nn.parameters import Array
from windrow.nn.training.checkpoint import count_of, fingerprint, goes_on, same_kind_of_array
from windrow.nn.training.loop import Training

RECORD = "continued_from"  # in the provenance of files
_STATE = "training_state"  # in their configuration
_ARRAY = "training.optimizer"  # and a number
_STATE_PARTS = {"optimizer", "steps", "trainee"}


@dataclass(frozen=True)
class TrainingState:
    """What a finished training leaves for one that continues it, beside parameters.

    ``optimizer``: the name of its class; ``steps``: how many it has taken; ``arrays``: its states; ``trainee``: what
    else the next epoch depends on, as plain data.
    """

    optimizer: str
    steps: int
    arrays: list[Array]
    trainee: dict[str, Any]

    @classmethod
    def of(cls, optimizer: Optimizer, trainee: dict[str, Any]) -> TrainingState:
        """The state after a training with this optimizer, of a trainee with this state."""
        return cls(type(optimizer).__name__, optimizer.steps, optimizer.states, trainee)

    def hand_on(self, training: Training) -> None:
        """Let a training begin with it. The state of an optimizer is nothing to one of another rule, which starts."""
        optimizer = training.plan.optimizer
        try:
            if type(optimizer).__name__ == self.optimizer:
                for state, kept in zip(optimizer.states, self.arrays, strict=True):
                    if state.size:  # plain gradient descent has none
                        state[:] = same_kind_of_array(state, kept)
                optimizer.steps = self.steps
            training.trainee.set_state(self.trainee)
        except (LookupError, ValueError, TypeError, AttributeError, ArithmeticError) as error:
            raise FormatError(
                f"the model to continue holds a training state that does not fit it ({error}); take the file from a "
                "copy, or train it again"
            ) from error

    def packed(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """For a model file: what its configuration and its arrays have besides."""
        parts = {"optimizer": self.optimizer, "steps": self.steps, "trainee": self.trainee}
        return {_STATE: parts}, {f"{_ARRAY}{number}": array for number, array in enumerate(self.arrays)}


def unpack_state(stored: StoredModel, path: str | os.PathLike[str]) -> TrainingState | None:
    """The training state in a model file, None where there is none; FormatError for parts that no state has."""
    parts: Any = stored.config.get(_STATE)
    arrays = [stored.arrays[f"{_ARRAY}{n}"] for n in range(len(stored.arrays)) if f"{_ARRAY}{n}" in stored.arrays]
    if parts is None and not arrays:
        return None
    try:
        kinds = {kind.__name__: kind for kind in OPTIMIZERS.values()}
        sound = parts.keys() == _STATE_PARTS and isinstance(parts["trainee"], dict)
        is_of_rule = all(len(array) == kinds[parts["optimizer"]].state_arrays for array in arrays)
        if not (sound and is_of_rule and arrays):
            raise ValueError("its parts do not fit each other")
        return TrainingState(parts["optimizer"], count_of(parts["steps"]), arrays, parts["trainee"])
    except (LookupError, ValueError, TypeError, AttributeError) as error:
        raise FormatError(f"{path}: the training state is damaged ({error}); train the model again") from error


class ContinuingEstimator(Estimator):
    """An estimator of a network whose ``fit`` also trains a finished model further, by ``continue_from``.

    Of its settings those that are ``of_model`` come from that model. ``continued_from_``: a fingerprint of that model,
    and how many epochs it was trained for in all, or None; ``training_state_``: what ``keep_training_state`` has kept.
    """

    continued_from_: dict[str, Any] | None = None
    training_state_: TrainingState | None = None
    history_: list[dict[str, Any]]

    def check_effects(self, **arguments: Any) -> None:
        """As ``Estimator.check_effects``; what comes from the model to continue has had its effect there."""
        continues = arguments.get("continue_from") is not None
        own = (setting for setting in self.settings if not (continues and setting.of_model))
        check_effects(own, {**vars(self), **arguments})

    @abstractmethod
    def _trained_parameters(self) -> Iterable[Array]:
        """All that the network has learned."""

    @classmethod
    def _open_model(cls, path: str | os.PathLike[str]) -> Self:
        """The model in a file."""
        return cls.load(path)  # type: ignore[attr-defined, no-any-return]

    def take_shape(self, model: Self, given: Collection[str] | None = None) -> None:
        """Set the settings that are ``of_model`` to those of a trained model.

        ``given``: those that must agree, by name; None: those that are not the default. OptionError where one does not.
        """
        for setting in self.settings:
            if not setting.of_model:
                continue
            value, of_model = getattr(self, setting.name), getattr(model, setting.name)
            is_given = setting.name in given if given is not None else not setting.is_default(value)
            if is_given and _as_list(value) != _as_list(of_model):
                raise OptionError(
                    f"{setting.name} = {shown(value)} does not agree with the model to continue, which has "
                    f"{shown(of_model)}; leave it out"
                )
            setattr(self, setting.name, of_model)

    def _model_to_continue(self, continue_from: Any) -> Self | None:
        """The trained model to continue, whose shape these settings take; None where training starts.

        Raises OptionError for what is no model of this class, and settings that do not agree with it.
        """
        # A copy, since it may be this estimator itself.
        given = copy(continue_from) if isinstance(continue_from, Estimator) else continue_from
        self.continued_from_ = self.training_state_ = None
        if given is None:
            return None
        model = self._open_model(given) if isinstance(given, str | os.PathLike) else given
        name = type(self).__name__
        if not isinstance(model, type(self)):
            raise OptionError(f"continue_from = {shown(continue_from)} must be a trained {name}, or the file of one")
        if not hasattr(model, "history_"):
            raise NotFittedError(f"continue_from is a {name} that is not trained yet; call fit first")
        self.take_shape(model)
        before = 0 if model.continued_from_ is None else model.continued_from_["epochs"]
        state = [] if model.training_state_ is None else model.training_state_.arrays
        learned = fingerprint(*model._trained_parameters(), *state)
        self.continued_from_ = {"model": learned, "epochs": before + len(model.history_)}
        return model

    def _check_fit(
        self,
        continue_from: Any,
        checkpoint: str | os.PathLike[str] | None,
        checkpoint_every: int,
        resume: bool,
        progress: Any,
        *,
        retrains: bool,
        **held_back: Any,
    ) -> tuple[Self | None, bool]:
        """What every ``fit`` checks before any work: arguments, and that checkpoints can be written.

        ``held_back``: the argument of ``fit`` with data to judge by; ``retrains``: whether this one is trained already.
        Returns the model to continue, and whether training goes on from a checkpoint.
        """
        model = self._model_to_continue(continue_from)
        self.check_parameters()
        self.check_effects(continue_from=continue_from, **held_back)
        check_progress(progress)
        resume = goes_on(checkpoint, resume, is_trained=retrains, checkpoint_every=checkpoint_every)
        if checkpoint is not None and checkpoint_every:
            check_writable(checkpoint)
        return model, resume

    def _begin_where_it_ended(self, training: Training, model: Self | None) -> None:
        """Let a training of this estimator's network, which has the parameters of ``model``, go on from there."""
        if model is not None and self.continued_from_ is not None:
            training.epochs_before = self.continued_from_["epochs"]
            if model.training_state_ is not None:
                model.training_state_.hand_on(training)

    def _identity(self) -> dict[str, Any]:
        """What a checkpoint says of the model that was continued."""
        return {} if self.continued_from_ is None else {RECORD: self.continued_from_}

    def _packed(self) -> tuple[dict[str, Any], dict[str, Any], dict[str, Array]]:
        """What a file has besides in its configuration, its provenance and its arrays."""
        config, arrays = ({}, {}) if self.training_state_ is None else self.training_state_.packed()
        return config, self._identity(), arrays

    def _unpack(self, stored: StoredModel, path: str | os.PathLike[str]) -> None:
        """Take what ``_packed`` gave out of a file; FormatError where it is damaged."""
        record = stored.provenance.get(RECORD)
        if record is not None:
            try:
                count_of(record["epochs"])
                if not isinstance(record["model"], str):
                    raise ValueError("no fingerprint")
            except (LookupError, ValueError, TypeError) as error:
                raise FormatError(f"{path} does not say what it was continued from ({error})") from error
        self.continued_from_ = record
        self.training_state_ = unpack_state(stored, path)


def _as_list(value: Any) -> Any:
    is_many = isinstance(value, Iterable) and not isinstance(value, str)
    return list(value) if is_many else [value]


def tell_unknown(share: float, where: str, compared: str = "") -> None:
    """Warn of the share of the words of a text that the model to continue does not know."""
    warn(f"{share:.2%} of the words of {where} are unknown to the model, and become <unk>{compared}")

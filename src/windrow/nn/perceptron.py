"""What multi-layer perceptrons share, whatever they answer: parameters, training, checkpoints, files."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from copy import deepcopy
from functools import partial
from itertools import pairwise
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from windrow.bars import NOBODY, Listeners, training_bar
from windrow.errors import FormatError, NotFittedError, OptionError, check_whole, shown
from windrow.estimator import OldName, takes_old_names
from windrow.files import model_file
from windrow.generators import random_generator
from windrow.machine import check_memory
from windrow.nn.chain import Chain
from windrow.nn.examples import (
    ExampleError,
    as_examples,
    as_labels,
    check_lengths,
    feature_names,
)
from windrow.nn.layers import ACTIVATIONS, Dense, Dropout, Sigmoid
from windrow.nn.layers.layer import Layer
from windrow.nn.losses import find_loss
from windrow.nn.network import Network
from windrow.nn.optimizers import Optimizer, find_optimizer, least_bytes
from windrow.nn.parameters import Array
from windrow.nn.regularizers import L1, L2
from windrow.nn.schedules import Schedule, find_schedule
from windrow.nn.settings import MOST_UNITS
from windrow.nn.training.checkpoint import restore_rng, rng_state
from windrow.nn.training.continuing import ContinuingEstimator, TrainingState
from windrow.nn.training.fitting import all_or_nothing
from windrow.nn.training.report import Report, facts_of
from windrow.nn.training.stopping import EarlyStopping
from windrow.nn.training.trainer import CHECKPOINT_KIND, Augmentation, Callback, Trainer

Validation = tuple[ArrayLike, ArrayLike]

_MAY_CHANGE = ("epochs", "patience", "callbacks", "augmentation", "random_state")  # from a run to one that resumes it


# Attributes that come from examples and labels, and stay when the network is trained further.
_LEARNED_OF_DATA = ("classes_", "n_outputs_", "_is_flat", "feature_names_in_")


class _Keeping:
    """Where a fit keeps its state, and what the one that resumes it must agree on.

    ``start``: the generator before anything was drawn. A fit that resumes goes back to it, whatever its own seed, so
    that it holds back the same rows and builds the same network.
    """

    def __init__(
        self, path: str | os.PathLike[str], every: int, parameters: dict[str, Any], rng: np.random.Generator
    ) -> None:
        self.path = path
        self.every = every
        self.described = {**parameters, "start": rng_state(rng)}
        self.resumes = False

    def begin(self, rng: np.random.Generator, resume: bool) -> None:
        """Look at what is there, where training goes on."""
        self.resumes = resume
        if resume:
            start = None
            try:
                start = model_file.load(self.path, CHECKPOINT_KIND).config["model"]["start"]
                restore_rng(rng, start)
            except (TypeError, ValueError, KeyError, ArithmeticError) as error:
                raise FormatError(f"{self.path} does not hold the start of a training ({error}); delete it") from error
            self.described["start"] = start


def _plain(value: Any) -> Any:
    """A parameter as JSON has it: numbers, lists, and objects by their type and attributes."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, str | int | float):
        return value
    attributes = {name: _plain(part) for name, part in sorted(getattr(value, "__dict__", {}).items())}
    return [getattr(value, "__qualname__", type(value).__qualname__), attributes]


class MultiLayerPerceptron(ContinuingEstimator):
    """What classifier and regressor share; each says how its y becomes targets, and what outputs say about y."""

    _kind: str  # for scikit-learn
    _default_cost: str
    _measure: str  # what ``score`` gives
    initialiser = OldName("initializer")

    @takes_old_names
    def __init__(
        self,
        hidden_layer_sizes: Sequence[int] = (100,),
        *,
        activation: str = "relu",
        cost: str | None = None,
        initializer: str = "he",
        optimizer: str | Optimizer = "adam",
        learning_rate: float | None = None,
        schedule: str | Schedule = "constant",
        momentum: float = 0.9,
        batch_size: int = 32,
        epochs: int = 30,
        l1: float = 0.0,
        l2: float = 0.0,
        dropout: float = 0.0,
        input_dropout: float = 0.0,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        early_stopping: bool = False,
        patience: int = 10,
        validation_fraction: float = 0.1,
        augmentation: Augmentation | None = None,
        callbacks: Sequence[Callback] = (),
        random_state: int | np.random.Generator | None = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.cost = cost
        self.initializer = initializer
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.momentum = momentum
        self.batch_size = batch_size
        self.epochs = epochs
        self.l1 = l1
        self.l2 = l2
        self.dropout = dropout
        self.input_dropout = input_dropout
        self.clip_norm = clip_norm
        self.clip_value = clip_value
        self.early_stopping = early_stopping
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.augmentation = augmentation
        self.callbacks = callbacks
        self.random_state = random_state

    # --- training

    def fit(
        self,
        X: ArrayLike,  # noqa: N803
        y: ArrayLike,
        *,
        validation: Validation | None = None,
        continue_from: Self | None = None,
        keep_training_state: bool = False,
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_every: int = 1,
        resume: bool = False,
        progress: Callable[[Report], object] | bool | None = None,
    ) -> Self:
        """Train on X (rows, features) and y; ``validation``, a pair (X, y), is scored after each epoch.

        With ``early_stopping`` and no ``validation``, ``validation_fraction`` of the rows is held back for it.

        ``continue_from``, a trained estimator of this class, is trained further, by the rate, optimizer, epochs and
        other settings of this one. The settings of the network's shape are taken from it, and so are features and
        classes: other ones are an error. The optimizer and the draws start again, unless that estimator was trained
        with ``keep_training_state``, which keeps them as they are after the last epoch; the optimizer's only for one of
        the same rule. ``partial_fit`` is for one epoch more of the same training.

        ``progress``: True for a bar, or a function that gets a Report several times a second.

        ``checkpoint``: a file that keeps the state after every ``checkpoint_every`` epochs, and after the last one (0:
        it is only read); where it cannot be written training goes on, with a DataWarning. ``resume`` goes on from there
        to the same network as without the stop, if the file is there. Raises OptionError for a parameter out of range,
        DataError for data that cannot be learned from, DivergedError when training runs away; an estimator that was
        trained before is then as it was, another one has the last good parameters, and can be used.
        """
        with all_or_nothing(self, "network_") as retrains:
            model, resume = self._check_fit(
                continue_from, checkpoint, checkpoint_every, resume, progress, retrains=retrains, validation=validation
            )
            x, y = as_examples(X, model), as_labels(y)
            check_lengths(x, y)
            if model is None:
                self._learn_names(X)
            rng = random_generator(self.random_state, "random_state")
            keeping = None
            if checkpoint is not None:
                keeping = _Keeping(checkpoint, checkpoint_every, {**self._described(), **self._identity()}, rng)
                keeping.begin(rng, resume)
            if model is None:
                self._learn_labels(y)
            else:
                self._take_labels(model)
            are_given = validation is not None
            if self.early_stopping and validation is None:
                x, y, validation = self._hold_back(x, y, rng)
            self._start(x, rng)
            stopping = EarlyStopping(self.patience) if self.early_stopping else None
            if model is not None:
                self.network_.parameters.values[:] = model.network_.parameters.values
            with training_bar(progress, "rows") as bar:
                self._train(
                    x, y, self.epochs, validation, stopping, keeping, model,
                    are_given=are_given, retrains=retrains, bar=bar,
                )  # fmt: skip
            if keep_training_state:
                draws = {"rng": rng_state(self._trainer.rng)}
                self.training_state_ = TrainingState.of(deepcopy(self._trainer.optimizer), draws)
        return self

    def check_parameters(self) -> None:
        """Raise OptionError for a parameter out of range, before any work."""
        super().check_parameters()
        if not isinstance(self.optimizer, str | Optimizer):
            raise OptionError(f"optimizer = {shown(self.optimizer)} must be a name or an Optimizer of windrow.nn")

    def partial_fit(self, X: ArrayLike, y: ArrayLike, classes: ArrayLike | None = None) -> Self:  # noqa: N803
        """Train one epoch more on X and y, the optimizer going on from where it is; for data that come in parts.

        Nothing is held back for early stopping. A classifier must know all ``classes`` at the first call; without
        them it takes those of the first y.
        """
        with all_or_nothing(self, "network_"):
            x, y = as_examples(X, self), as_labels(y)
            check_lengths(x, y)
            if not hasattr(self, "network_"):
                self.check_parameters()
                self.check_effects()
                self._learn_names(X)
                self._learn_labels(y if classes is None else as_labels(classes))
                self._start(x, random_generator(self.random_state, "random_state"))
            self.training_state_ = None  # it is of the epoch before
            return self._train(x, y, 1)

    def _take_labels(self, model: Self) -> None:
        """Read y, and name features, as a trained estimator does."""
        for name in _LEARNED_OF_DATA:
            vars(self).pop(name, None)
            if name in vars(model):
                setattr(self, name, getattr(model, name))

    def _trained_parameters(self) -> list[Array]:
        return [self.network_.parameters.values]

    @classmethod
    def _open_model(cls, path: str | os.PathLike[str]) -> Self:
        raise OptionError(
            f"continue_from = {shown(path)} must be a trained {cls.__name__}, which has no file of its own"
        )

    def _learn_names(self, X: ArrayLike) -> None:  # noqa: N803
        """Set ``feature_names_in_``, if the features have names."""
        names = feature_names(X)
        vars(self).pop("feature_names_in_", None)
        if names is not None:
            self.feature_names_in_ = names

    def _described(self) -> dict[str, Any]:
        """The parameters as plain data, which a checkpoint must agree on."""
        return {name: _plain(value) for name, value in self.get_params().items() if name not in _MAY_CHANGE}

    def _start(self, x: Array, rng: np.random.Generator) -> None:
        """A network for examples such as these that knows nothing yet, and its trainer."""
        self.n_features_in_ = x.shape[1]
        self._check_memory(len(x))
        self.history_: list[dict[str, Any]] = []
        self.network_ = self._build_network(rng)
        optimizer = self.optimizer
        self._trainer = Trainer(
            optimizer=find_optimizer(optimizer, self.momentum) if isinstance(optimizer, str) else deepcopy(optimizer),
            learning_rate=self.learning_rate,
            schedule=find_schedule(self.schedule),
            batch_size=self.batch_size,
            clip_norm=self.clip_norm,
            clip_value=self.clip_value,
            augment=self.augmentation,
            callbacks=self.callbacks,
            rng=rng,
            measure=self._measure,
        )

    def sizes(self) -> dict[str, object]:
        """``features``, ``outputs`` and ``parameters``, the numbers that are learned; empty before ``fit``."""
        if not hasattr(self, "network_"):
            return {}
        shape = {"features": self.n_features_in_, "outputs": self.n_outputs_}
        return {**shape, "parameters": len(self.network_.parameters.values)}

    def _facts(self) -> dict[str, object]:
        return {**self.sizes(), **facts_of(getattr(self, "history_", ()))}

    def _check_memory(self, examples: int) -> None:
        """Raise OptionError if the network and the units of a step will not fit into memory."""
        sizes = [self.n_features_in_, *_sizes(self.hidden_layer_sizes), self.n_outputs_]
        numbers = sum((inputs + 1) * outputs for inputs, outputs in pairwise(sizes))
        rows = min(self.batch_size, examples)
        units = 2 * rows * sum(sizes[1:])  # each with its gradient
        check_memory(
            least_bytes(numbers, self.optimizer) + 4 * units,
            f"{numbers:,} parameters and the units of {rows:,} examples",
            "lower hidden_layer_sizes or batch_size",
        )

    def _build_network(self, rng: np.random.Generator) -> Network:
        cost = self._default_cost if self.cost is None else self.cost
        loss = find_loss(cost)
        layers: list[Layer] = [Dropout(self.input_dropout, rng=rng)] if self.input_dropout else []
        inputs = self.n_features_in_
        for units in _sizes(self.hidden_layer_sizes):
            layers += [Dense(inputs, units, initializer=self.initializer, rng=rng), ACTIVATIONS[self.activation]()]
            if self.dropout:
                layers.append(Dropout(self.dropout, rng=rng))
            inputs = units
        layers.append(Dense(inputs, self.n_outputs_, initializer=self.initializer, rng=rng))
        if self._kind == "classifier" and cost == "quadratic":
            layers.append(Sigmoid())  # the other costs hold their activation
        return Network(Chain(layers), loss, [kind(s) for kind, s in ((L1, self.l1), (L2, self.l2)) if s])

    def _train(
        self,
        x: Array,
        y: Array,
        epochs: int,
        validation: Validation | None = None,
        stopping: EarlyStopping | None = None,
        keeping: _Keeping | None = None,
        model: Self | None = None,
        *,
        are_given: bool = True,
        retrains: bool = False,
        bar: Listeners = NOBODY,
    ) -> Self:
        score = None
        if validation is not None:
            held_x, held_y = as_examples(validation[0], self if are_given else None), as_labels(validation[1])
            check_lengths(held_x, held_y)
            self._targets(held_y)  # an unknown label is a mistake that should be seen before training

            def score(network: Network) -> float:
                return self._rate(self._answers(network.predict(held_x)), held_y)

        self._trainer.early_stopping = stopping
        self._trainer.run(
            self.network_,
            x,
            self._targets(y),
            epochs,
            score=score,
            history=self.history_,
            retrains=retrains,
            bar=bar,
            checkpoint=None if keeping is None else keeping.path,
            checkpoint_every=1 if keeping is None else keeping.every,
            resume=keeping is not None and keeping.resumes,
            described=None if keeping is None else keeping.described,
            begin=partial(self._begin_where_it_ended, model=model),
        )
        return self

    def _hold_back(self, x: Array, y: Array, rng: np.random.Generator) -> tuple[Array, Array, Validation]:
        """Rows to train on, and rows to validate on."""
        held = max(1, round(self.validation_fraction * len(x)))
        if held == len(x):
            raise ExampleError(
                f"{len(x)} example is too few to hold some back for early_stopping; give validation=(X, y)"
            )
        order = rng.permutation(len(x))
        return x[order[held:]], y[order[held:]], (x[order[:held]], y[order[:held]])

    # --- what is learned

    def _outputs(self, X: ArrayLike) -> Array:  # noqa: N803
        """Estimates or probabilities, (rows, outputs)."""
        if not hasattr(self, "network_"):
            raise NotFittedError(f"this {type(self).__name__} is not trained yet; call fit first")
        return self.network_.predict(as_examples(X, self))

    @property
    def coefs_(self) -> list[Array]:
        """The weights of each dense layer, (inputs, outputs)."""
        return [dense.weights.value for dense in self._dense_layers()]

    @property
    def intercepts_(self) -> list[Array]:
        """The biases of each dense layer, (outputs,)."""
        return [dense.biases.value for dense in self._dense_layers()]

    def _dense_layers(self) -> list[Dense]:
        if not hasattr(self, "network_"):
            raise NotFittedError(f"this {type(self).__name__} is not trained yet; call fit first")
        chain = self.network_.layer
        return [layer for layer in chain.layers if isinstance(layer, Dense)] if isinstance(chain, Chain) else []

    # --- for the subclasses

    n_outputs_: int

    def _learn_labels(self, y: Array) -> None:
        """Set ``n_outputs_`` and what is needed to read y."""
        raise NotImplementedError

    def _targets(self, y: Array) -> Array:
        """y as the loss takes it."""
        raise NotImplementedError

    def _answers(self, outputs: Array) -> Array:
        """What outputs say about y."""
        raise NotImplementedError

    def _rate(self, answers: Array, y: Array) -> float:
        """How good predictions are; higher is better."""
        raise NotImplementedError

    def predict(self, X: ArrayLike) -> Array:  # noqa: N803
        """What is predicted for each row."""
        return self._answers(self._outputs(X))

    def score(self, X: ArrayLike, y: ArrayLike) -> float:  # noqa: N803
        """How good predictions for X are; higher is better."""
        return self._rate(self.predict(X), as_labels(y))

    @property
    def _estimator_type(self) -> str:  # scikit-learn before 1.6 asks here
        return self._kind

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, RegressorTags, Tags, TargetTags

        classifier = ClassifierTags() if self._kind == "classifier" else None
        regressor = RegressorTags() if self._kind == "regressor" else None
        return Tags(self._kind, TargetTags(required=True), None, classifier, regressor)


def _sizes(hidden_layer_sizes: object) -> list[int]:
    """The units of each hidden layer."""
    sizes = [hidden_layer_sizes] if isinstance(hidden_layer_sizes, Integral) else hidden_layer_sizes
    if not isinstance(sizes, Sequence | np.ndarray) or isinstance(sizes, str) or np.ndim(sizes) != 1:
        raise OptionError(f"hidden_layer_sizes = {shown(hidden_layer_sizes)} must be whole numbers, such as (100,)")
    return [check_whole("hidden_layer_sizes", units, 1, MOST_UNITS) for units in sizes]

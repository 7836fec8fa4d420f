"""The settings of MLPClassifier and MLPRegressor, and the names that nn's registries have, before they are loaded."""

from __future__ import annotations

from collections.abc import Callable

from windrow.estimator import GIVEN, Setting

MOST_UNITS = 100_000  # of a hidden layer
OPTIMIZER_NAMES = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam")
SCHEDULE_NAMES = ("constant", "step", "exponential", "inverse", "plateau")
ACTIVATION_NAMES = ("sigmoid", "tanh", "relu", "softmax", "linear")
INITIALIZER_NAMES = ("normal", "scaled", "glorot", "he")
COST_NAMES = ("quadratic", "cross-entropy", "log-likelihood")

# What several estimators have alike.
OPTIMIZER = Setting(
    "optimizer", str, "adam", "Rule that turns a gradient into a step of the parameters.", choices=OPTIMIZER_NAMES,
)  # fmt: skip
MOMENTUM = Setting(
    "momentum", float, 0.9, "Share of the last step that is added to the next.", low=0, high=1, high_open=True,
    only_with=("optimizer", ("momentum", "nesterov")),
)  # fmt: skip
CALLBACKS = Setting(
    "callbacks", Callable, (),
    "Functions of a Report, called after each epoch; training ends when one returns a true value.",
    many=True, option=None,
)  # fmt: skip

_LAYERS = (
    Setting(
        "hidden_layer_sizes", "int or sequence of int", (100,),
        f"Units of each hidden layer, each from 1 to {MOST_UNITS}.",
        "() makes a linear model; more units fit more, and need more examples.", of_model=True,
    ),
    Setting(
        "activation", str, "relu", "Activation function of the hidden units.", choices=ACTIVATION_NAMES,
        only_with=("hidden_layer_sizes", GIVEN), of_model=True,
    ),
)  # fmt: skip
_TRAINING = (
    Setting(
        "initializer", str, "he", "Standard deviation of the random first weights, by name.",
        "he suits relu, glorot suits tanh and sigmoid; normal (1) shows how saturated units fail to learn.",
        choices=INITIALIZER_NAMES, of_model=True,
    ),
    Setting(
        "optimizer", "str or Optimizer", "adam",
        f"Rule that turns a gradient into a step: {', '.join(OPTIMIZER_NAMES)}, or an object of windrow.nn.",
        choices=OPTIMIZER_NAMES,
    ),
    Setting(
        "learning_rate", float, None, "Learning rate: the steps along the gradient of the mean loss per example.",
        "The first parameter to tune, by factors of 3.", low=0, low_open=True,
        none="the optimizer's own (0.1 for sgd and adagrad, 0.01 with momentum, 0.001 for rmsprop and adam)",
    ),
    Setting(
        "schedule", (str, Callable), "constant",
        f"How the learning rate changes with the epochs: {', '.join(SCHEDULE_NAMES)}, or a function of "
        "(epoch, scores so far) that gives a factor.",
        choices=SCHEDULE_NAMES,
    ),
    MOMENTUM,
    Setting(
        "batch_size", int, 32, "Examples per step.", "Larger batches are faster per epoch and need more epochs.",
        low=1,
    ),
    Setting("epochs", int, 30, "Passes over the examples, at most.", low=1, high=1_000_000),
    Setting(
        "l1", float, 0.0, "Strength of the penalty on the sum of absolute weights; many of them become 0.",
        low=0,
    ),
    Setting(
        "l2", float, 0.0, "Strength of the penalty on half the sum of squared weights.",
        "It is a textbook's lambda over the number of examples; raise it against overfitting.", low=0,
    ),
    Setting(
        "dropout", float, 0.0, "Fraction of the hidden units that are 0 in each step.",
        "0.5 is usual for large layers.", low=0, high=1, high_open=True, only_with=("hidden_layer_sizes", GIVEN),
    ),
    Setting(
        "input_dropout", float, 0.0, "Fraction of the features that are 0 in each step.",
        low=0, high=1, high_open=True,
    ),
    Setting(
        "clip_norm", float, None, "Greatest norm of the gradient of a step; a longer gradient is scaled down.",
        "Set it when training diverges.", low=0, low_open=True, none="any length",
    ),
    Setting(
        "clip_value", float, None, "Greatest absolute value of an element of a gradient; larger ones are cut.",
        low=0, low_open=True, none="any size",
    ),
    Setting(
        "early_stopping", bool, False, "Whether to hold examples back, to stop when their score rises no more, and "
        "to keep the best parameters.",
    ),
    Setting(
        "patience", int, 10, "Epochs without a better score before training stops.", low=1,
        only_with=("early_stopping", (True,)),
    ),
    Setting(
        "validation_fraction", float, 0.1, "Fraction of the examples that is held back.",
        low=0, low_open=True, high=1, high_open=True,
        only_with=(("early_stopping", (True,)), ("validation", (None,))),
    ),
    Setting(
        "augmentation", Callable, None, "Function of (rows, rng) that gives other rows to train on, of the same "
        "shape and meaning; called with about a thousand at a time.", none="the rows themselves",
    ),
    Setting(
        "callbacks", Callable, (),
        "Functions of (Report, Network), called after each epoch; training ends when one returns a true value.",
        many=True,
    ),
    Setting(
        "random_state", "int or Generator", None, "Seed of the first weights, of the order of examples and of "
        "dropout.", "An int makes a run repeatable.", none="another one each time",
    ),
)  # fmt: skip


def _cost(default: str, choices: tuple[str, ...], advice: str) -> Setting:
    return Setting(
        "cost", str, None, "The loss that is minimized.", advice, choices=choices, none=default, of_model=True
    )


_COST_OF_CLASSES = _cost("log-likelihood", COST_NAMES, "The others ask one yes-or-no question per class, by a sigmoid.")
_COST_OF_NUMBERS = _cost("quadratic", ("quadratic",), "There is no other for a regression.")
MLP_CLASSIFIER = (*_LAYERS, _COST_OF_CLASSES, *_TRAINING)
MLP_REGRESSOR = (*_LAYERS, _COST_OF_NUMBERS, *_TRAINING)

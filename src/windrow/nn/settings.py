"""The settings of MLPClassifier and MLPRegressor, and the names that nn's registries have, before they are loaded."""

from __future__ import annotations

from collections.abc import Callable

from windrow.estimator import Setting

OPTIMIZER_NAMES = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam")
SCHEDULE_NAMES = ("constant", "step", "exponential", "inverse", "plateau")
ACTIVATION_NAMES = ("sigmoid", "tanh", "relu", "softmax", "linear")
INITIALIZER_NAMES = ("normal", "scaled", "glorot", "he")
COST_NAMES = ("quadratic", "cross-entropy", "log-likelihood")

_ADVICE_ON_COST = {
    "classifier": "The others ask one yes-or-no question per class, by a sigmoid.",
    "regressor": "There is no other for a regression.",
}


def _multi_layer_perceptron(kind: str, cost: str, costs: tuple[str, ...]) -> tuple[Setting, ...]:
    return (
        Setting(
            "hidden_layer_sizes", "int or sequence of int", (100,), "Units of each hidden layer, each at least 1.",
            "() makes a linear model; more units fit more, and need more examples.",
        ),
        Setting("activation", str, "relu", "What hidden units do to their sum of inputs.", choices=ACTIVATION_NAMES),
        Setting(
            "cost", str, None, "The loss that is minimized.", _ADVICE_ON_COST[kind],
            choices=costs, none=cost,
        ),
        Setting(
            "initializer", str, "he", "The spread of the first weights.",
            "he suits relu, glorot tanh and sigmoid; normal, of spread 1, shows how saturated units fail to learn.",
            choices=INITIALIZER_NAMES,
        ),
        Setting(
            "optimizer", "str or Optimizer", "adam",
            f"How a gradient becomes a step: {', '.join(OPTIMIZER_NAMES)}, or an object of windrow.nn.",
            choices=OPTIMIZER_NAMES,
        ),
        Setting(
            "learning_rate", float, None, "Size of the steps, for the mean loss per example.",
            "The first thing to search for, by factors of 3.", low=0, low_open=True,
            none="the optimizer's own (0.1 for sgd and adagrad, 0.01 with momentum, 0.001 for rmsprop and adam)",
        ),
        Setting(
            "schedule", (str, Callable), "constant",
            f"How the learning rate changes with the epochs: {', '.join(SCHEDULE_NAMES)}, or a function of "
            "(epoch, scores so far) that gives a factor.",
            choices=SCHEDULE_NAMES,
        ),
        Setting(
            "momentum", float, 0.9, "How much of the last step goes on into the next.", low=0, high=1, high_open=True,
            only_with=("optimizer", ("momentum", "nesterov")),
        ),
        Setting(
            "batch_size", int, 32, "Examples per step.", "Larger batches are faster per epoch and need more epochs.",
            low=1,
        ),
        Setting("epochs", int, 30, "Passes over the examples, at most.", low=1),
        Setting(
            "l1", float, 0.0, "Cost of the absolute weights, beside the mean loss per example; many weights become 0.",
            low=0,
        ),
        Setting(
            "l2", float, 0.0, "Cost of half the squared weights, beside the mean loss per example.",
            "A book's lambda over the number of examples; raise it against overfitting.", low=0,
        ),
        Setting(
            "dropout", float, 0.0, "Part of the hidden units that is silent in each step.",
            "0.5 is usual for large layers.", low=0, high=1, high_open=True,
        ),
        Setting(
            "input_dropout", float, 0.0, "Part of the features that is silent in each step.",
            low=0, high=1, high_open=True,
        ),
        Setting(
            "clip_norm", float, None, "Longest gradient of a step; longer ones are scaled down.",
            "Against training that runs away.", low=0, low_open=True, none="any length",
        ),
        Setting(
            "clip_value", float, None, "Largest element of a gradient; larger ones are cut.",
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
            "validation_fraction", float, 0.1, "Part of the examples that is held back.",
            low=0, low_open=True, high=1, high_open=True, only_with=("early_stopping", (True,)),
        ),
        Setting(
            "augmentation", Callable, None, "From (rows, rng) to other rows to train on, of the same shape "
            "and meaning; called with about a thousand at a time.", none="the rows themselves",
        ),
        Setting(
            "callbacks", Callable, (), "Called with (Report, Network) after each epoch; training ends when one returns "
            "something true.", many=True,
        ),
        Setting(
            "random_state", "int or Generator", None, "Seed of the first weights, of the order of examples and of "
            "dropout.", "An int makes a run repeatable.", none="another one each time",
        ),
    )  # fmt: skip


MLP_CLASSIFIER = _multi_layer_perceptron("classifier", "log-likelihood", COST_NAMES)
MLP_REGRESSOR = _multi_layer_perceptron("regressor", "quadratic", ("quadratic",))

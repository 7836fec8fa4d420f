"""The settings of WindowTagger: checks, options of ``windrow tag train`` and docs are made from this table."""

from __future__ import annotations

from collections.abc import Callable

from windrow.estimator import GIVEN, Setting
from windrow.nn.settings import CALLBACKS, OPTIMIZER, SCHEDULE_NAMES

OUTPUT_NAMES = ("crf", "softmax", "logistic")
SCHEME_NAMES = ("io", "iob1", "iob2", "iobes", "bilou", "bmes", "bmewo")
HIDDEN_ACTIVATIONS = ("tanh", "relu")

WINDOW_TAGGER = (
    Setting(
        "vectors", "WordVectors", None, "Word vectors to start from, best of much text of the same kind.",
        none="random ones", option=None, of_model=True,
    ),
    Setting(
        "tune", bool, False, "Whether the given vectors are trained, too, or stay as they are.",
        "Train them where the labelled text is large.", option="--tune/--freeze", only_with=("vectors", GIVEN),
        of_model=True, common=True,
    ),
    Setting(
        "vector_size", int, 50, "Dimensions per word vector.", low=1, high=100_000, option="--size",
        only_with=("vectors", (None,)), of_model=True, common=True,
    ),
    Setting(
        "window", int, 5, "Words in a window, the center included: an odd number.",
        "Try 7 or 9 where tokens are characters.", low=1, high=99, of_model=True, common=True,
    ),
    Setting(
        "hidden_size", int, 128, "Hidden units.", "Try 300 for a large text.", low=1, high=100_000, option="--hidden",
        of_model=True, common=True,
    ),
    Setting(
        "activation", str, "relu", "Activation function of the hidden units.", choices=HIDDEN_ACTIVATIONS,
        option=None, of_model=True,
    ),
    Setting(
        "output_layer", str, "crf", "crf learns transitions between tags and takes the best path; softmax judges each "
        "token by itself; logistic asks yes or no for every tag.", choices=OUTPUT_NAMES, of_model=True, common=True,
    ),
    Setting(
        "scheme", str, "iobes", "How entities are written as tags in training, whatever the file has.",
        choices=SCHEME_NAMES, of_model=True, common=True,
    ),
    Setting(
        "types", str, None, "Learn only these types of entities.", many=True, none="all of the training file",
        option="--type",
    ),
    Setting(
        "min_count", int, 2, "Words that occur less often have no vector of their own.", low=1, of_model=True,
    ),
    Setting(
        "lowercase", bool, True, "Whether a word that is not known is looked up in lower case.",
        "False where case tells words apart.", option=None, of_model=True,
    ),
    Setting(
        "fold_digits", bool, True, "Whether a word that is not known is looked up with each digit as 0.", option=None,
        of_model=True,
    ),
    Setting(
        "affixes", int, (1, 2, 3, 4), "Lengths in characters of the prefixes and suffixes that are features of a word.",
        "() for scripts without affixes.", many=True, low=1, high=20, option=None, of_model=True,
    ),
    Setting(
        "feature_size", int, 16, "Dimensions per vector of a feature.", low=1, high=10_000, option=None, of_model=True,
    ),
    Setting(
        "dropout", float, 0.5, "Fraction of the inputs and hidden units that are 0 in each step.",
        "Use less for a large text.", low=0, high=1, high_open=True, common=True,
    ),
    OPTIMIZER,
    Setting(
        "learning_rate", float, None, "Learning rate: the steps along the gradient of the mean loss per token.",
        low=0, low_open=True, none="the optimizer's own", option="--lr", common=True,
    ),
    Setting(
        "schedule", (str, Callable), "constant",
        f"How the learning rate changes with the epochs: {', '.join(SCHEDULE_NAMES)}, or a function of (epoch, scores "
        "so far) that gives a factor.", choices=SCHEDULE_NAMES, option=None,
    ),
    Setting("batch_size", int, 16, "Sentences per step.", low=1),
    Setting("epochs", int, 30, "Passes over the sentences, at most.", low=1, high=1_000_000, common=True),
    Setting(
        "patience", int, 5, "Epochs without a better F1 of the validation before training stops.", low=1,
        only_with=("valid", GIVEN), common=True,
    ),
    Setting(
        "clip_norm", float, 5.0, "Greatest norm of the gradient of a step; a longer gradient is scaled down.", low=0,
        low_open=True, none="any length", option="--clip",
    ),
    Setting("seed", int, 1, "Seed of all random draws; equal seeds give equal taggers.", low=0, high=2**64 - 1,
            common=True),
    CALLBACKS,
)  # fmt: skip

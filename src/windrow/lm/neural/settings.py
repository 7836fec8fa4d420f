"""The settings of WindowLM and RecurrentLM: checks, options of ``windrow lm train`` and docs are made from them."""

from __future__ import annotations

from collections.abc import Callable

from windrow.estimator import GIVEN, Setting
from windrow.lm import CELL_NAMES, STATE_NAMES
from windrow.lm.symbols import SPECIALS
from windrow.nn.settings import CALLBACKS, MOMENTUM, OPTIMIZER, SCHEDULE_NAMES
from windrow.outputs import OUTPUT_LAYERS

LINEAR = "linear"  # a schedule besides those of windrow.nn: falls to 0 at the end of the last epoch
SCHEDULES = (LINEAR, *SCHEDULE_NAMES)
OBJECTIVES = ("nce", "sampled-softmax")
_LARGEST = (2 - 2**-23) * 2.0**127  # that a float32 can be, as parameters of a network are
_INT64 = 2**63 - 1
_LARGEST_SIZE = 100_000


def _embedding_size(default: int) -> Setting:
    return Setting(
        "embedding_size", int, default, "Dimensions per word vector.", "It must be that of vectors, if they are given.",
        low=1, high=_LARGEST_SIZE, option="--embedding", of_model=True, common=True,
    )  # fmt: skip


def _batch_size(default: int, help: str, advice: str) -> Setting:
    return Setting("batch_size", int, default, help, advice, low=1, high=_INT64, option="--batch")


def _clip(default: float | None) -> Setting:
    return Setting(
        "clip", float, default, "Greatest norm of the gradient of the mean loss per word; a longer gradient is scaled "
        "down.", "Lower it when training diverges.", low=0, low_open=True, none="any length",
    )  # fmt: skip


_OUTPUT = (
    Setting(
        "output_layer", str, "softmax", "Output layer, which predicts the word from the hidden layer.",
        "hierarchical and nce train many times faster on large vocabularies, at a cost in perplexity; classes and "
        "adaptive lie between.", choices=OUTPUT_LAYERS, of_model=True, common=True,
    ),
    Setting(
        "tied", bool, False, "Whether the output layer uses the word vectors as its weights.",
        "It needs embedding_size = hidden_size, and saves memory; often better for small texts.", of_model=True,
    ),
    Setting(
        "vectors", "WordVectors or path", None, "Word vectors to begin with, or a file of them.",
        none="random ones", of_model=True,
    ),
)  # fmt: skip
_REGULARIZATION = (
    Setting(
        "dropout", float, 0.0, "Fraction of the elements of word vectors and hidden layers that are 0 in each step.",
        "Try 0.2 to 0.5 when the validation perplexity rises while the loss falls.", low=0, high=1, high_open=True,
        common=True,
    ),
    Setting(
        "l2", float, 0.0, "Weight decay: strength of the penalty on half the sum of squared weights.",
        "It leaves out word vectors, and output layers that read few words per step (nce, hierarchical).",
        low=0, high=_LARGEST,
    ),
)  # fmt: skip
_TRAINING = (
    OPTIMIZER,
    Setting(
        "learning_rate", float, None, "Learning rate: the steps along the gradient of the mean loss per word.",
        "The first parameter to tune.", low=0, low_open=True, high=_LARGEST, option="--lr",
        none="the optimizer's own", common=True,
    ),
    MOMENTUM,
    Setting(
        "schedule", (str, Callable), LINEAR,
        "How the learning rate falls: linear to 0 by the last epoch; plateau by half after an epoch without a better "
        "validation score, or loss if there is none; the others as in windrow.nn.",
        "A function of (epoch, scores so far) gives a factor.", choices=SCHEDULES,
    ),
    Setting(
        "epochs", int, 5, "Passes over the text, at most.", "Use more for a small text.", low=1, high=1_000_000,
        common=True,
    ),
    Setting(
        "patience", int, 3, "Epochs without a better validation perplexity before training stops.",
        low=1, high=_INT64, none="never", only_with=("valid", GIVEN),
    ),
)  # fmt: skip
_TEXT = (
    Setting(
        "min_count", int, 1, "Words that occur less often become <unk>.", low=1, high=_INT64, of_model=True,
        heading="Text",
    ),
    Setting(
        "max_vocab", int, None, "Keep only this many words, <unk>, <s> and </s> among them; the others become <unk>.",
        "The time of a softmax grows with it.", low=len(SPECIALS) + 1, high=_INT64, none="all",
        of_model=True, heading="Text", common=True,
    ),
    Setting(
        "skip_symbols", bool, False, "Leave out <s> and </s> where they occur in the text.",
        "They are refused otherwise.", heading="Text",
    ),
)  # fmt: skip
_OUTPUT_OPTIONS = (
    Setting(
        "objective", str, "nce", "How the word is distinguished from noise words: by a yes or no for each (nce), or by "
        "a softmax over all of them.", choices=OBJECTIVES, only_with=("output_layer", ("nce",)),
    ),
    Setting(
        "noise_words", int, 1024, "Noise words per step.", "More are slower and better.", low=1, high=1_000_000,
        only_with=("output_layer", ("nce",)),
    ),
    Setting(
        "noise_power", float, 1.0, "Noise words are drawn from their counts to this power.", low=0, high=10,
        only_with=("output_layer", ("nce",)),
    ),
    Setting(
        "classes", int, 0, "Number of classes of words; 0: the square root of the number of words.",
        low=0, high=1_000_000, only_with=("output_layer", ("classes",)), of_model=True,
    ),
    Setting(
        "cutoffs", int, (), "Ranks by frequency where the clusters of rare words begin, rising, such as 2000,10000; "
        "empty: chosen from their number.", low=1, many=True, only_with=("output_layer", ("adaptive",)), of_model=True,
    ),
    Setting(
        "shrink", float, 4.0, "How many times fewer dimensions each cluster has than the one before.",
        low=1, high=1000, only_with=("output_layer", ("adaptive",)), of_model=True,
    ),
    Setting(
        "quantize_bits", int, None, "8 rounds the output weights of the trained model, which generates text about "
        "twice as fast.", "For softmax and nce.", low=8, high=8, none="32 bits", option="--quantize", heading="Model",
    ),
)  # fmt: skip
_RUNNING = (
    Setting("seed", int, 1, "Seed of all random draws; equal seeds give equal models.", low=0, high=_INT64),
    Setting(
        "workers", int, 1, "Threads; more are faster only on idle cores.", low=1, high=1024, common=True,
    ),
    CALLBACKS,
)  # fmt: skip
_SHARED = (*_OUTPUT, *_REGULARIZATION, *_TRAINING, *_TEXT, *_OUTPUT_OPTIONS, *_RUNNING)

WINDOW_LM = (
    Setting(
        "order", int, 5, "Words in the window, the predicted one included.", "A longer one takes more time.",
        low=2, high=255, of_model=True, common=True,
    ),
    _embedding_size(60),
    Setting(
        "hidden_size", int, 100, "Units in the hidden layer.", "Use more for a large text.",
        low=1, high=_LARGEST_SIZE, option="--hidden", of_model=True, common=True,
    ),
    Setting(
        "direct", bool, False, "Let the output layer see the word vectors, too, beside the hidden layer.",
        of_model=True,
    ),
    _batch_size(512, "Words per step.", "Larger ones are faster per epoch and need more epochs."),
    _clip(None),
    *_SHARED,
)  # fmt: skip

RECURRENT_LM = (
    Setting(
        "cell", str, "lstm", "Recurrent cell.",
        "lstm and gru remember longer; elman cells (of tanh, sigmoid or ReLU) are faster.", choices=CELL_NAMES,
        of_model=True, common=True,
    ),
    Setting(
        "hidden_size", int, 200, "Units per layer.", "Use more for a large text.",
        low=1, high=_LARGEST_SIZE, option="--hidden", of_model=True, common=True,
    ),
    _embedding_size(200),
    Setting("layers", int, 1, "Recurrent layers.", low=1, high=100, of_model=True,
            common=True),
    Setting(
        "state", str, "carry", "What is remembered at the end of a sentence: all (carry), or nothing (reset).",
        "Use carry for running text, reset for sentences that do not follow each other.",
        choices=STATE_NAMES, of_model=True, common=True,
    ),
    Setting(
        "bptt", int, 35, "Words that the gradient goes back: the length of truncated backpropagation through time.",
        low=1,
    ),
    _batch_size(20, "Streams of text that are read side by side.", "More are faster per epoch, and need more epochs."),
    _clip(0.25),
    *_SHARED,
)  # fmt: skip

"""The settings of TextClassifier: checks, options and docs are made from this table."""

from __future__ import annotations

from collections.abc import Callable

from windrow.estimator import GIVEN, Setting
from windrow.nn.settings import CALLBACKS

OF_READER = ("tokenizer", "lowercase", "language", "normalize")  # settings that a TextReader has, and stores
BUCKETS = 2_000_000
LOSS_NAMES = ("softmax", "hs", "ns", "ova")

TEXT_CLASSIFIER = (
    Setting(
        "vector_size", int, 100, "Dimensions of the vectors of words, n-grams and classes.",
        "10 to 50 are often enough, and faster.", low=1, high=100_000, option="--size", heading="Model", common=True,
    ),
    Setting(
        "word_ngrams", int, 1, "Words in the longest n-gram of words that is a feature; 1: words alone.",
        "2 where the order of words matters.", low=1, high=100, heading="Model", common=True,
    ),
    Setting(
        "min_n", int, 0, "Characters in the shortest n-gram of characters that is a feature, the boundaries of a word "
        "included.", low=0, high=100, only_with=("max_n", GIVEN), heading="Model",
    ),
    Setting(
        "max_n", int, 0, "Characters in the longest n-gram of characters that is a feature; 0: there are none.",
        "With min_n 2 or 3, up to 5 or 6, spelling variants and unknown words are known by their parts.",
        low=0, high=100, heading="Model", common=True,
    ),
    Setting(
        "buckets", int, BUCKETS, "How many different hashes n-grams of words and characters have.",
        "Only those that occur take memory.", low=1, high=100_000_000, heading="Model",
    ),
    Setting("min_count", int, 1, "Words that occur less often have no vector of their own.", low=1,
            heading="Text"),
    Setting(
        "vectors", "WordVectors or path", None, "Word vectors to begin with, or a file; all their words are known.",
        "Of much text of the same kind, where few texts have labels. They must have vector_size dimensions.",
        none="random ones",
    ),
    Setting(
        "loss", str, "softmax", "What is minimized. softmax: over all classes; hs: over a Huffman tree of them; ns: a "
        "class against a few drawn ones; ova: yes or no for each class.",
        "hs and ns for thousands of classes; ova where a text has several.", choices=LOSS_NAMES,
        heading="Model", common=True,
    ),
    Setting(
        "negative", int, 5, "Classes drawn for each text.", low=1, high=1_000_000, only_with=("loss", ("ns",)),
    ),
    Setting(
        "learning_rate", float, 0.1, "Size of the steps at the start; it falls in a line to 0.",
        "0.5 or 1 for few or short texts.", low=0, low_open=True, option="--lr", common=True,
    ),
    Setting("epochs", int, 5, "Passes over the texts.", "25 for a few thousand texts.", low=1, high=1_000_000,
            common=True),
    Setting(
        "cutoff", int, None, "After training keep only so many words and n-grams, those with the longest vectors.",
        "A tenth of them loses little.", low=1, none="all", heading="Model",
    ),
    Setting(
        "retrain", bool, False, "Train what the cut-off has kept as many epochs again.", "It may be better or worse.",
        only_with=("cutoff", GIVEN),
    ),
    Setting(
        "quantize_bits", int, None, "8 rounds the vectors of the trained model, whose file is about a third as large.",
        low=8, high=8, none="32 bits", option="--quantize", heading="Model",
    ),
    Setting(
        "label_prefix", str, "__label__", "How labels begin that stand among the words of a text.", heading="Text",
    ),
    Setting(
        "tokenizer", (str, Callable), "whitespace", "What cuts text into words: whitespace, word, char, or a function "
        "from a str to a list.", option=None,  # it and the next three are among the options of text
    ),
    Setting("lowercase", bool, False, "Whether text is lower-cased first; labels are not.", option=None),
    Setting(
        "language", str, None, "Whose lower case, a code of ISO 639-1: in Turkish (tr, az) I becomes dotless i. Only "
        "with lowercase.", none="the usual lower case", option=None,
    ),
    Setting(
        "normalize", str, None, "Unicode normalization, before all else: nfc gives each letter with accents one form, "
        "nfkc also makes ligatures and full-width letters plain ones.", choices=("nfc", "nfkc"),
        none="the text as it is", option=None,
    ),
    Setting("seed", int, 1, "Seed of all random draws; equal seeds give equal models with one worker.", low=0,
            high=2**63 - 1),
    Setting(
        "workers", int, 1, "Threads, which update the same vectors without locks.", low=1, high=1024,
    ),
    CALLBACKS,
)  # fmt: skip

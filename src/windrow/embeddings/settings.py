"""The settings of estimators, from which checks, options of commands and docs come."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from windrow.embeddings.steps import LOSSES
from windrow.estimator import GIVEN, REQUIRED, Setting, unmet

WINDOW_WEIGHTINGS = ("shrink", "linear", "harmonic", "none")
KERNELS = ("block", "pair")
RECIPES, FAVORS = ("blend",), ("relatedness",)  # of ``vectors train``, see recipes.py
_OF_NS = ("loss", (None, "ns", "hs+ns"))  # with which there is negative sampling, unless negative is 0
LONGEST_NGRAM = 100  # characters
_MAX_SEED = 2**32 - 1  # what numpy.random.RandomState takes, for the draws of gensim

WORD2VEC = (
    Setting(
        "vector_size", int, 100, "Dimensions per vector.",
        "More hold finer distinctions and need more text and time; 100 to 300 are usual.",
        low=1, high=100_000, option="--size", heading="Model", common=True,
    ),
    Setting(
        "alpha", float, 0.025, "Learning rate at the start; it falls linearly to min_alpha.",
        "Try 0.05 for a small text, or for CBOW.", low=0, low_open=True, high=10, common=True,
    ),
    Setting(
        "window", int, 5, "Context words on each side of the center word, at most.",
        "A small window (2) brings words together that can stand for each other, a large one (10) words of one topic.",
        low=1, high=1000, heading="Model", common=True,
    ),
    Setting(
        "min_count", int, 5, "Words that occur less often are left out.",
        "Lower it for a small text; vectors of words seen a few times are poor.", low=1, heading="Text", common=True,
    ),
    Setting(
        "max_final_vocab", int, None, "Keep only this many words, the most frequent ones.",
        "It bounds memory.", low=1, none="all", option="--max-vocab", heading="Text",
    ),
    Setting(
        "sample", float, 1e-3, "Sub-sampling threshold: words of a higher relative frequency are dropped at random; "
        "0: none.", "1e-4 or 1e-5 is faster and favors rarer words; for large texts.", low=0, high=1, high_open=True,
        heading="Text",
    ),
    Setting(
        "seed", int, 1, "Seed of all random draws.",
        "With one worker, or deterministic, an equal seed gives equal vectors.", low=0, high=_MAX_SEED, common=True,
    ),
    Setting(
        "workers", int, 3, "Threads.", "More than there are idle cores do not help.", low=1, high=1024, option=None,
    ),
    Setting(
        "min_alpha", float, 1e-4, "Learning rate at the end.", low=0, high="alpha",
    ),
    Setting(
        "sg", int, 0, "1 is skip-gram, 0 CBOW.",
        "Skip-gram takes longer and is better for rare words.", choices=(0, 1), option=None,
    ),
    Setting(
        "hs", int, 0, "1 trains hierarchical softmax, together with negative sampling unless negative = 0.",
        choices=(0, 1), option=None, only_with=("loss", (None,)),
    ),
    Setting(
        "negative", int, 5, "Noise words per pair of center and context word, for negative sampling; 0: none of it.",
        "5 to 20 for a small text, 2 to 5 for a large one.", low=0, high=1000, only_with=_OF_NS, common=True,
    ),
    Setting(
        "ns_exponent", float, 0.75, "Noise words are drawn from their counts to this power.",
        "1 draws by frequency, 0 all words alike.", low=-10, high=10, only_with=(_OF_NS, ("negative", GIVEN)),
    ),
    Setting(
        "cbow_mean", int, 1, "Whether CBOW takes the mean of the context's vectors, or their sum.",
        choices=(0, 1), option="--cbow-mean/--cbow-sum", only_with=("sg", (0,)), heading="Model",
    ),
    Setting(
        "epochs", int, 5, "Passes over the text.", "Use more for a small text: 15 for some megabytes.",
        low=1, high=1_000_000, common=True,
    ),
    Setting(
        "shrink_windows", bool, True, "Whether each center word has a window of random size, from 1 to window.",
        "As in word2vec.", option=None, only_with=("window_weighting", (None,)),
    ),
    Setting(
        "window_weighting", str, None, "How the weight of a context word falls with its distance from the center: "
        "by random window sizes, linearly, by 1 / distance, or not at all.",
        choices=WINDOW_WEIGHTINGS, none="shrink, or none where shrink_windows is False", heading="Model",
    ),
    Setting(
        "loss", str, None, "What is trained: negative sampling, hierarchical softmax, exact softmax, or the first two.",
        "Exact softmax is for small vocabularies.", choices=LOSSES, none="as negative and hs ask for",
        heading="Model", common=True,
    ),
    Setting(
        "kernel", str, "block", "Blocks of center words share noise words; or update by update (pair), as gensim.",
        "With one worker, pair equals gensim; it is several times slower. Where training diverges, it bears a higher "
        "alpha.", choices=KERNELS,
    ),
    Setting(
        "block_size", int, None, "Center words in a block.", "Larger ones are a little faster, until quality falls.",
        low=1, high=4096, option=None, none="64, of CBOW 256; fewer where the same words come again and again, or "
        "alpha is above 0.07", only_with=("kernel", ("block",)),
    ),
    Setting(
        "shared_negatives", int, None, "Noise words that each row of a block meets, rounded up to a multiple of 16; "
        "the row's own target word may be among them.", "More are slower and a little better.",
        low=1, high=4096, none="16, with subwords 32", only_with=(("kernel", ("block",)), _OF_NS, ("negative", GIVEN)),
    ),
    Setting(
        "deterministic", bool, False, "Threads train in rounds and wait for each other: an equal seed and number of "
        "workers give equal bits.", "A little slower; one worker does so anyway.",
    ),
    Setting(
        "subwords", bool, False, "Make vectors of words from those of their character n-grams, as in fastText.",
        "Rare words become better, and unseen ones get vectors; the file holds the n-grams, too, and "
        "training takes longer.", heading="Model", common=True,
    ),
    Setting(
        "min_n", int, 3, "Characters of the shortest n-grams, the boundaries < and > included.",
        low=1, high="max_n", only_with=("subwords", (True,)), heading="Model",
    ),
    Setting(
        "max_n", int, 6, "Characters of the longest n-grams.", "5 is enough for many languages, and smaller.",
        low=1, high=LONGEST_NGRAM, only_with=("subwords", (True,)), heading="Model",
    ),
    Setting(
        "buckets", int, 2_000_000, "How many vectors n-grams share: each n-gram is hashed to one of them.",
        "Those that no word of the vocabulary is hashed to take no memory.", low=1, high=2**31 - 1,
        only_with=("subwords", (True,)), heading="Model",
    ),
    Setting(
        "callbacks", Callable, (),
        "Functions of a Report, called after each epoch; training ends when one returns a true value.",
        many=True, option=None,
    ),
    Setting(
        "report_words", int, None, "Call the callbacks also each time that this many words of the text are read.",
        low=1, none="after epochs only", option=None, only_with=("callbacks", GIVEN),
    ),
)  # fmt: skip

# What shared_negatives is by default, by ``subwords``. N-grams are part of many words of a block: with 32 in place of
# 16 they give better analogies of forms of words (bench/rare_words.py). Without them more are not worth their time.
SHARED_NEGATIVES = {False: 16, True: 32}
_ROWS = {setting.name: setting for setting in WORD2VEC}
COUNT_VECTORS = (
    _ROWS["vector_size"],
    _ROWS["window"],
    Setting(
        "window_weighting", str, "linear", "How the weight of a context word falls with its distance from the center: "
        "linearly, by 1 / distance, or not at all.",
        "Linearly is what word2vec's windows of random size do on average.",
        choices=WINDOW_WEIGHTINGS[1:], heading="Model",
    ),
    _ROWS["min_count"],
    _ROWS["max_final_vocab"],
    replace(_ROWS["sample"], advice="Which words are dropped depends on the seed and their places alone."),
    Setting(
        "contexts", int, 30_000, "How many of the words, the most frequent ones, are context words. Their matrix is "
        "factorized, and the rows of all other words are projected through its factors.",
        "More take more memory and time.", low=1, heading="Model", common=True,
    ),
    Setting(
        "context_exponent", float, 0.75, "Context words are smoothed: their counts to this power are their "
        "probabilities.", "Less than 1 keeps rare contexts from scores that are too high.", low=0, high=1,
        heading="Model", common=True,
    ),
    Setting(
        "shift", float, 1.0, "The logarithm of this number is taken off the mutual information before what is negative "
        "becomes 0.", "k stands for k negative samples; 1, for no shift, is better on most texts.", low=1, high=1e6,
        heading="Model",
    ),
    Setting(
        "eigenvalue_exponent", float, 0.25, "Each dimension is weighted by its singular value to this power.",
        "0 weights all alike, 1 gives the rows of the matrix themselves; less than 0.5 is better for word vectors.",
        low=0, high=1, heading="Model", common=True,
    ),
    Setting(
        "power_iterations", int, 4, "How often the random subspace is multiplied by the matrix and its transpose.",
        "Fewer are faster, and less exact in the smaller singular values.", low=1, high=100,
    ),
    replace(_ROWS["seed"], advice="An equal seed gives equal vectors."),
    replace(_ROWS["workers"], help="Threads; the vectors do not depend on them."),
    Setting(
        "memory", int, None, "Bytes of memory beyond which counting goes over files.", low=1 << 20,
        none="most of what is free", common=True,
    ),
)  # fmt: skip
BLEND = (
    replace(_ROWS["vector_size"], help="Dimensions per blended vector, those of the largest variance first.",
            advice="At most those of both together, which keep everything."),
    Setting(
        "second_weight", float, 0.5, "How much the second vectors weigh beside the first.",
        "Counted vectors at 1 are best for relatedness, at 0.5 nothing is lost for strict similarity.",
        low=0, low_open=True, high=100, heading="Model", common=True,
    ),
    Setting(
        "output_weight", float, 0.5, "How much of a word's row in the output layer is added to its vector, where a "
        "model has such rows.", "0 takes input vectors alone; 1 favors relatedness.", low=0, high=100,
        heading="Model", common=True,
    ),
    Setting(
        "spectrum_exponent", float, 0.3, "Vectors are divided along each principal axis by its standard deviation to "
        "this power first.", "1 whitens them, 0 leaves them as they are.", low=0, high=1, heading="Model", common=True,
    ),
)  # fmt: skip
SENTENCE_WEIGHTINGS = ("mean", "tfidf", "sif", "unit")
FREQUENCIES = ("vectors", "texts", "rank")
_OF_SIF = ("weighting", ("sif",))
SENTENCE_VECTORS = (
    Setting("vectors", "WordVectors or path", REQUIRED, "Word vectors, or a file of them.", option=None),
    Setting(
        "weighting", str, "mean", "Weights of the words: all alike; by scikit-learn's smooth inverse document "
        "frequency; by smooth inverse frequency, sif_a / (sif_a + p(word)), less the first singular vectors; or all "
        "alike with vectors of length 1 (unit).", "tfidf and sif play down the words that are everywhere.",
        choices=SENTENCE_WEIGHTINGS, heading="Model", common=True,
    ),
    Setting(
        "sif_a", float, 1e-3, "The smaller, the less frequent words weigh.", low=0, low_open=True, only_with=_OF_SIF,
        heading="Model", common=True,
    ),
    Setting(
        "remove_components", int, 1, "How many singular vectors of the training texts are taken off.",
        low=0, only_with=_OF_SIF, heading="Model", common=True,
    ),
    Setting(
        "frequencies", str, None, "Where p(word) is from: the counts of the vectors; the training texts; or the rank "
        "of the word among the vectors, by Zipf's law.", choices=FREQUENCIES,
        none="the first of these that there is", only_with=_OF_SIF, heading="Model",
    ),
    Setting(
        "tokenizer", (str, Callable), None, "What cuts text into words: whitespace, word, char, or a function from a "
        "str to a list.", none="as the vectors were trained, if they say so, else whitespace", option=None,
    ),
    Setting(
        "lowercase", bool, None, "Whether text is lower-cased first.",
        none="as the vectors were trained, if they say so, else it is not", option=None,
    ),
    Setting(
        "normalize", bool, False, "Whether each sentence's vector is scaled to length 1.", option=None,
    ),
)  # fmt: skip
_OF_SHARED = next(setting.conditions for setting in WORD2VEC if setting.name == "shared_negatives")


def as_given(stored: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters in a file as somebody may have given them: it has the number of noise words that was chosen."""
    given = dict(stored)
    is_usual = stored.get("shared_negatives") == SHARED_NEGATIVES[bool(stored.get("subwords", False))]
    if "shared_negatives" in stored and (is_usual or unmet(_OF_SHARED, stored)):
        given["shared_negatives"] = None
    return given


def stored_parameters(provenance: Mapping[str, Any]) -> tuple[tuple[Setting, ...], dict[str, Any]]:
    """The table of settings of the model that made vectors, and the values that their file has of them."""
    table = {"CountVectors": COUNT_VECTORS, "Blend": BLEND}.get(provenance.get("model", ""), WORD2VEC)
    given = as_given(provenance) if table is WORD2VEC else provenance
    return table, {setting.name: given[setting.name] for setting in table if setting.name in given}

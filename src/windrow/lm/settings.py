"""The settings of MixtureLM and CacheLM: checks and docs are made from these tables."""

from __future__ import annotations

from windrow.estimator import REQUIRED, Setting

METHODS = ("linear", "log-linear")

MIXTURE_LM = (
    Setting(
        "models", "sequence of LanguageModel", REQUIRED, "Trained models, whose vocabularies may differ.",
    ),
    Setting(
        "weights", float, None, "Weights of the models, one each; those of a linear mixture sum to 1.",
        many=True, low=0, high_open=True, none="equal ones",
    ),
    Setting(
        "method", str, "linear", "Whether the mixture is the weighted sum of the probabilities, or is proportional to "
        "their weighted product, which costs a whole distribution per word.", choices=METHODS,
    ),
)  # fmt: skip

CACHE_LM = (
    Setting("vocabulary", "Vocabulary", REQUIRED, "The words, with the symbols of a language model in front."),
    Setting("size", int, 500, "Symbols that are remembered, the latest ones.", low=1),
    Setting(
        "across_sentences", bool, True, "Whether the memory goes on from sentence to sentence, to all that is scored "
        "in one call; otherwise each sentence begins with an empty one.",
    ),
    Setting(
        "pseudo_count", float, 1.0, "What all words together are counted before anything is seen, so that none has "
        "probability zero.", low=0, low_open=True, high_open=True,
    ),
    Setting(
        "predicts_end", bool, True, "Whether </s> is among the symbols; as in the models that it is mixed with.",
    ),
    Setting(
        "order", int, 1, "Words in the longest n-gram that is counted.",
        "2 or 3 for long texts on one subject, whose names and phrases come back.", low=1, high="size",
    ),
    Setting(
        "decay", float, 0.0, "How fast what is remembered loses weight: what is d words ago counts exp(-decay d) "
        "times.", "0.001 to 0.005, with a size of some thousand words.", low=0, high_open=True,
    ),
    Setting(
        "across_documents", bool, True, "Whether the memory goes on after an empty sentence, such as a blank line that "
        "ends a document.", "False where documents are on subjects of their own.",
        only_with=(("across_sentences", (True,)), ("predicts_end", (True,))),
    ),
)  # fmt: skip

# Limits of generation. All texts are held until the last is done, each with its ids and probabilities: about 50 bytes
# per word, and a state of the model per beam. The time of a step is that of a distribution for each beam.
MOST_NEW_TOKENS = 1_000_000
MOST_BEAMS = 1_000
MOST_SEQUENCES = 100_000
MOST_LENGTH_PENALTY = 10  # and the least is as much below zero
MOST_WORDS_HELD = 10_000_000  # of all texts together

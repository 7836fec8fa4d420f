"""The settings of ClassLM: checks, options of ``windrow lm train class`` and docs are made from this table."""

from __future__ import annotations

from windrow.estimator import Setting
from windrow.lm.symbols import SPECIALS

# Those that give every class a probability after every history, also where classes are few.
SMOOTHINGS = ("modified-kneser-ney", "kneser-ney", "witten-bell", "absolute")
_LEARNED = ("word_classes", (None,))

CLASS_LM = (
    Setting(
        "classes", int, 300, "Classes that are learned from the text, beside those of <unk>, <s> and </s>.",
        "More for more text; the time to learn them grows with their number.", low=1, only_with=_LEARNED,
        heading="Model", common=True,
    ),
    Setting(
        "order", int, 5, "Classes in the longest n-gram.", low=1, high=100, heading="Model", common=True,
    ),
    Setting(
        "smoothing", str, "modified-kneser-ney", "How probability is reserved for n-grams of classes that were not "
        "seen; discounts are 0.5, 1, 1.5 where there are too few to estimate them.", choices=SMOOTHINGS,
        heading="Model", common=True,
    ),
    Setting(
        "iterations", int, 15, "Passes over the words, at most, that move each to its best class.",
        "They end when less than one of a hundred words moves.", low=0, only_with=_LEARNED, heading="Model",
    ),
    Setting("min_count", int, 1, "Words that occur less often become <unk>.", low=1, heading="Text", common=True),
    Setting(
        "max_vocab", int, None, "Keep only this many words, <unk>, <s> and </s> among them; the others become <unk>.",
        low=len(SPECIALS) + 1, none="all", heading="Text", common=True,
    ),
    Setting(
        "skip_symbols", bool, False, "Leave out <s> and </s> where they occur in the text.",
        "They are refused otherwise.", heading="Text",
    ),
)  # fmt: skip

"""The settings of SkipNGramLM: checks, options of ``windrow lm train skip`` and docs are made from this table."""

from __future__ import annotations

from windrow.estimator import Setting
from windrow.lm.classes.settings import SMOOTHINGS
from windrow.lm.ngram.settings import DISCOUNTING
from windrow.lm.symbols import SPECIALS

_DISCOUNTING = tuple(name for name in SMOOTHINGS if name in DISCOUNTING)
_MOST_PLACE = 99  # so that n-grams are of order 100 at most

SKIP_NGRAM_LM = (
    Setting(
        "places", int, (2, 3), "Which words before the predicted one are its context: 1 is the word before it, 2 the "
        "one before that; in any order.", "2,3 skips one word; 1,3 one between two; 1,2 none, which is an n-gram "
        "model of order 3.", many=True, low=1, high=_MOST_PLACE, heading="Model", common=True,
    ),
    Setting(
        "smoothing", str, "modified-kneser-ney", "How probability is reserved for n-grams that were not seen.",
        "witten-bell works on any text, however small.", choices=SMOOTHINGS, heading="Model", common=True,
    ),
    Setting(
        "discount_fallback", bool, False, "Take the discounts 0.5, 1, 1.5 where a text is too small to estimate them.",
        "Small or artificial text is refused otherwise.", only_with=("smoothing", _DISCOUNTING), heading="Model",
        common=True,
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

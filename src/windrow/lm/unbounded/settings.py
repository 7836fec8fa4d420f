"""The settings of UnboundedNGramLM: checks, options of ``windrow lm train ngram --order inf`` and docs."""

from __future__ import annotations

from windrow.estimator import Setting
from windrow.lm.symbols import SPECIALS

UNBOUNDED_NGRAM_LM = (
    Setting(
        "discounts", "sequences of float", None, "What is subtracted from the counts 1, 2, and 3 or more of each "
        "order, the last order for all above; None in place of an order's lets it be estimated.", many=True,
        none="estimated", option=None,
    ),
    Setting(
        "discount_fallback", bool, False, "Take the discounts 0.5, 1, 1.5 where a text is too small to estimate them.",
        "Small or artificial text is refused otherwise.", heading="Model", common=True,
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

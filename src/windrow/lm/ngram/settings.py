"""The settings of NGramLM: checks, options of ``windrow lm train ngram`` and docs are made from this table."""

from __future__ import annotations

from windrow.estimator import GIVEN, Setting
from windrow.lm.ngram import SMOOTHING_NAMES
from windrow.lm.symbols import SPECIALS

# As the rows of ``smoothing.SMOOTHINGS`` say, which load NumPy.
DISCOUNTING = ("modified-kneser-ney", "kneser-ney", "absolute", "katz")
ADJUSTING = ("modified-kneser-ney", "kneser-ney")
FALLING_BACK = (*DISCOUNTING, "witten-bell")  # they have a back-off form; katz and stupid-backoff have no other
LEAVING = tuple(name for name in SMOOTHING_NAMES if name not in ("mle", "stupid-backoff"))  # something to unseen words
INTERPOLATING = tuple(name for name in SMOOTHING_NAMES if name not in ("katz", "stupid-backoff"))
COMPACT = ("modified-kneser-ney", "kneser-ney", "absolute", "witten-bell")  # of which counts tell all numbers

NGRAM_LM = (
    Setting(
        "order", int, 5, "Words in the longest n-gram.", "3 for a small text; above 5 little is gained.",
        low=1, high=100, heading="Model", common=True,
    ),
    Setting(
        "smoothing", str, "modified-kneser-ney", "How probability is reserved for n-grams that were not seen.",
        "witten-bell works on any text, however small.", choices=SMOOTHING_NAMES, heading="Model", common=True,
    ),
    Setting(
        "interpolate", bool, True, "Whether shorter contexts count for every n-gram, or only for those not seen.",
        option="--interpolate/--backoff", heading="Model",
    ),
    Setting(
        "delta", float, 1.0, "Number that is added to every count.", low=0, low_open=True, high_open=True,
        only_with=("smoothing", ("add-delta",)), heading="Model",
    ),
    Setting(
        "weights", float, None, "Interpolation weights, one per order.", many=True, low=0, high=1,
        none="fitted by EM, to held-out text if it is given to fit", only_with=("smoothing", ("jelinek-mercer",)),
        heading="Model",
    ),
    Setting(
        "discounts", "sequences of float", None, "What is subtracted from the counts 1, 2, ... of each "
        "order, the last for all above; None in place of an order's lets it be estimated.", many=True,
        none="estimated", only_with=("smoothing", DISCOUNTING), heading="Model",
    ),
    Setting(
        "discount_fallback", bool, False, "Take the discounts 0.5, 1, 1.5 where a text is too small to estimate them.",
        "Small or artificial text is refused otherwise.", only_with=("smoothing", DISCOUNTING), heading="Model",
        common=True,
    ),
    Setting(
        "fallback_discounts", float, None, "Discounts of the counts 1, 2, ... that discount_fallback takes, the "
        "last for all above.", many=True, low=0, none="0.5, 1, 1.5, or 0.5 where the smoothing has one discount",
        only_with=(("smoothing", DISCOUNTING), ("discount_fallback", GIVEN)), heading="Model",
    ),
    Setting(
        "prune", int, (), "Drop n-grams that occur at most this often: one count per order, none below the one before, "
        "the last for all above; such as 0,0,1.", "For smaller models.", many=True, low=0, heading="Model", common=True,
    ),
    Setting(
        "entropy_prune", float, None, "Drop n-grams without which the perplexity grows by less than this fraction.",
        "1e-8 to 1e-6 are usual.", low=0, none="keep all", heading="Model",
    ),
    Setting("min_count", int, 1, "Words that occur less often become <unk>.", low=1,
            only_with=("fixed_vocab", (None,)), heading="Text", common=True),
    Setting(
        "max_vocab", int, None, "Keep only this many words, <unk>, <s> and </s> among them; the others become <unk>.",
        low=len(SPECIALS) + 1, none="all", only_with=("fixed_vocab", (None,)), heading="Text", common=True,
    ),
    Setting(
        "open_vocabulary", bool, True, "Whether unknown words have a probability.",
        option="--open-vocabulary/--closed-vocabulary", heading="Model",
    ),
    Setting(
        "unk_mass", float, None, "The probability of <unk> without context.", low=0, low_open=True, high=1,
        high_open=True, none="as the smoothing leaves it", only_with=("open_vocabulary", (True,)), heading="Model",
    ),
    Setting(
        "interpolate_unigrams", bool, True, "Whether every word gets an equal part of what the unigrams leave over, or "
        "only <unk> and words that the text does not have.",
        "False makes <unk> far more probable, as lmplz does with --interpolate_unigrams 0.",
        only_with=(("smoothing", FALLING_BACK), ("open_vocabulary", (True,))),
        option="--interpolate-unigrams/--no-interpolate-unigrams", heading="Model",
    ),
    Setting(
        "vocab_pad", int, 0, "Number of words among which the unigrams divide what they leave over, if it is greater "
        "than that of the vocabulary.", "To compare perplexities of models with different vocabularies.", low=0,
        only_with=(("smoothing", LEAVING), ("interpolate_unigrams", (True,)), ("open_vocabulary", (True,)),
                   ("unk_mass", (None,))), heading="Model",
    ),
    Setting("bos", bool, True, "Whether to mark where sentences begin.", option="--bos/--no-bos", heading="Model"),
    Setting("eos", bool, True, "Whether to mark, and predict, where sentences end.", option="--eos/--no-eos",
            heading="Model"),
    Setting(
        "skip_symbols", bool, False, "Leave out <s> and </s> where they occur in the text.",
        "They are refused otherwise.", heading="Text",
    ),
    Setting(
        "lmplz_compat", bool, False, "Compute counts of counts as KenLM's lmplz does, including its slip.",
        "To compare models with lmplz's: their log10 probabilities may be up to 1e-3 apart otherwise.",
        only_with=("smoothing", ADJUSTING), heading="Model",
    ),
    Setting(
        "quantize_bits", int, None, "Round probabilities and back-off weights to this many bits.",
        "8 makes the model about half the size.", low=2, high=8, none="32 bits", option="--quantize",
        heading="Model", common=True,
    ),
    Setting(
        "compact", bool, False, "Store counts, from which probabilities follow, in less than half of the memory.",
        "Whole texts are scored more slowly; all else unpacks the model first.",
        only_with=(("smoothing", COMPACT), ("interpolate", (True,)), ("entropy_prune", (None,)),
                   ("quantize_bits", (None,))), heading="Model", common=True,
    ),
    Setting(
        "keep_counts", bool, False, "Keep the counts of the text with the model, to add more text later.",
        "They take four to six bytes per n-gram, of all words of the text, and of those that are pruned, too.",
        heading="Output",
    ),
    Setting(
        "memory", int, None, "Bytes of memory beyond which counting goes over files.", low=1 << 20,
        none="most of what is free", common=True,
    ),
)  # fmt: skip

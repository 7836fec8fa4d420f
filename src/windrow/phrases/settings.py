"""The settings of Phrases: checks, options of ``windrow corpus phrases`` and docs are made from this table."""

from __future__ import annotations

from windrow.estimator import Setting

SCORING_NAMES = ("default", "npmi")
ENGLISH = "english"  # which stands for these
# What gensim has under the same name: articles, prepositions and conjunctions, of which only the usual ones.
ENGLISH_CONNECTOR_WORDS = frozenset(
    ["a", "an", "the", "for", "of", "with", "without", "at", "from", "to", "in", "on", "by", "and", "or"]
)

PHRASES = (
    Setting(
        "min_count", int, 5, "Pairs of words that occur less often are no phrases; it is also subtracted from their "
        "counts by the default score.", "Raise it for a large text.", low=1, heading="Model", common=True,
    ),
    Setting(
        "threshold", float, 10.0, "Pairs with a score above this become phrases.", "A higher one gives fewer phrases. "
        "From -1 to 1 for npmi, where 0.5 is usual; above 0 else. Scores of the default grow with the text.",
        heading="Model", common=True,
    ),
    Setting(
        "scoring", "str or callable", "default", "How pairs are scored: as word2vec does, or by normalized pointwise "
        "mutual information.", "See windrow.phrases.scoring for the formulas. A function gets the arguments of those "
        "there by name, one pair at a time.", choices=SCORING_NAMES, heading="Model", common=True,
    ),
    Setting(
        "delimiter", str, "_", "What stands between the words of a phrase once they are joined.", option=None,
    ),
    Setting(
        "connector_words", "sequence of str", (), "Words that a phrase may have between its first and last one, as in "
        "bird_of_prey: any number of them.", "\"english\" stands for common articles, prepositions and "
        "conjunctions.", choices=(ENGLISH,), option=None,
    ),
    Setting(
        "max_phrases", int, None, "Keep only this many phrases, those of the highest scores, of each pass.", low=1,
        none="all above the threshold", heading="Model", common=True,
    ),
    Setting(
        "passes", int, 1, "How often to look for pairs. The second pass joins phrases of the first with words or each "
        "other: new_york_city.", low=1, high=100, heading="Model", common=True,
    ),
    Setting(
        "memory", int, None, "Bytes of memory for the table of pairs; where it does not suffice, the text is read "
        "several times.", low=1 << 20, none="half of what is free",
    ),
)  # fmt: skip

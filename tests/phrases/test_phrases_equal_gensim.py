"""Equal to gensim's Phrases: scores, phrases, joined sentences; with connector words, and pass after pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from windrow import Corpus, Phrases
from windrow.phrases import ENGLISH_CONNECTOR_WORDS
from windrow.phrases.scoring import npmi_scorer, original_scorer

gensim = pytest.importorskip("gensim.models.phrases")

CASES: list[dict[str, Any]] = [
    {"min_count": 1, "threshold": 1.0},
    {"min_count": 5, "threshold": 3.0, "delimiter": " "},
    {"min_count": 2, "threshold": 2.0, "connector_words": ENGLISH_CONNECTOR_WORDS},
    {"min_count": 2, "threshold": 0.3, "scoring": "npmi"},
    {
        "min_count": 3,
        "threshold": 0.1,
        "scoring": "npmi",
        "connector_words": frozenset(["the", "of"]),
        "delimiter": "::",
    },
]


def text() -> list[list[str]]:
    """Sentences of a few words, frequent and rare ones, in which some come together."""
    rng = np.random.default_rng(11)
    words = [*"abcdefghijklmnopqrstuvwxyz", "the", "of", "and", "new york", "bird of the prey", "one two three"]
    odds = 1 / np.arange(1, len(words) + 1)[rng.permutation(len(words))]
    return [" ".join(rng.choice(words, rng.integers(0, 14), p=odds / odds.sum())).split() for _ in range(400)]


@pytest.mark.parametrize("parameters", CASES, ids=" ".join)
def test_equal_phrases_and_sentences(parameters: dict[str, Any]) -> None:
    sentences = text()
    theirs = gensim.Phrases(sentences, **parameters)
    frozen = gensim.FrozenPhrases(theirs)
    ours = Phrases(**parameters).fit(corpus := Corpus.build(sentences))

    assert len(ours.phrases_) > 3
    assert ours.phrases_ == pytest.approx(frozen.phrasegrams, rel=1e-12)
    if parameters.get("scoring") is None:
        assert ours.phrases_ == frozen.phrasegrams  # to the last bit
    joined = [theirs[sentence] for sentence in sentences]
    assert ours.transform(sentences) == joined
    if parameters.get("delimiter") != " ":
        assert list(ours.transform(corpus).sentences()) == joined
    occurring = {word for sentence in joined for word in sentence}
    assert theirs.find_phrases(sentences) == pytest.approx(
        {phrase: score for phrase, score in ours.phrases_.items() if phrase in occurring}, rel=1e-12
    )


@pytest.mark.parametrize("parameters", CASES, ids=" ".join)
def test_equal_pass_after_pass(parameters: dict[str, Any]) -> None:
    sentences = joined = text()
    for passes in (1, 2, 3):
        theirs = gensim.Phrases(joined, **parameters)
        joined = [theirs[sentence] for sentence in joined]
        ours = Phrases(**parameters, passes=passes).fit(sentences)
        assert ours.transform(sentences) == joined


def test_equal_scores() -> None:
    rng = np.random.default_rng(12)
    for a, b, ab in rng.integers(1, 1000, (50, 3)).tolist():
        counts = {"worda_count": a, "wordb_count": b, "bigram_count": ab}
        text = {"len_vocab": 5000, "min_count": 5, "corpus_word_count": 20_000}
        assert original_scorer(**counts, **text) == gensim.original_scorer(**counts, **text)
        assert npmi_scorer(**counts, **text) == pytest.approx(gensim.npmi_scorer(**counts, **text), rel=1e-12)


def test_equal_connector_words() -> None:
    assert gensim.ENGLISH_CONNECTOR_WORDS == ENGLISH_CONNECTOR_WORDS

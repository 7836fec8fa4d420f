"""gensim's Phrases over ours: the same calls give the same answers."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from windrow.compat.gensim.models import phrases as compat
from windrow.errors import DataError, FormatError, NotFittedError, OptionError

gensim = pytest.importorskip("gensim.models.phrases")

TEXT = [
    ["data", "and", "graph", "survey"],
    ["data", "and", "graph", "of", "trees"],
    ["graph", "of", "trees", "human", "interface"],
    ["human", "interface", "data", "and", "graph"],
    [],
    ["a", "survey"],
]
MORE = [["human", "survey", "a", "survey"], ["human", "survey"]]
OPTIONS: list[dict[str, Any]] = [
    {"min_count": 1, "threshold": 0.5},
    {"min_count": 1, "threshold": 0.5, "connector_words": frozenset({"and", "of"})},
    {"min_count": 1, "threshold": 0.4, "scoring": "npmi", "delimiter": "::"},
]


def own(worda_count: int, wordb_count: int, bigram_count: int, len_vocab: int, min_count: int, corpus_word_count: int):
    return bigram_count / worda_count


@pytest.mark.parametrize("options", [*OPTIONS, {"min_count": 1, "threshold": 0.7, "scoring": own}], ids=" ".join)
def test_the_same_answers(options: dict[str, Any]) -> None:
    pair = [module.Phrases(TEXT, **options) for module in (compat, gensim)]
    ours, theirs = pair
    for _ in range(2):
        assert ours.vocab == theirs.vocab
        assert ours.corpus_word_count == theirs.corpus_word_count
        assert ours.export_phrases() == pytest.approx(theirs.export_phrases())
        assert ours.find_phrases(TEXT) == pytest.approx(theirs.find_phrases(TEXT))
        assert [ours[sentence] for sentence in TEXT] == [theirs[sentence] for sentence in TEXT]
        assert list(ours[TEXT]) == list(theirs[TEXT])
        for candidate in (("data", "graph", ["and"]), ("human", "interface", []), ("a", "trees", [])):
            assert ours.score_candidate(*candidate) == pytest.approx(theirs.score_candidate(*candidate))
        frozen = ours.freeze()
        assert frozen.phrasegrams == pytest.approx(theirs.freeze().phrasegrams)
        assert frozen[TEXT[1]] == theirs[TEXT[1]]
        for phrases in pair:
            phrases.add_vocab(MORE)
            phrases.threshold = 0.3


def test_streams_are_gone_over_again() -> None:
    phrases = compat.Phrases((iter(sentence) for sentence in TEXT), min_count=1, threshold=0.5)
    joined = phrases[np.array(TEXT, dtype=object)]
    assert list(joined) == list(joined) == list(phrases[iter(TEXT)])
    assert len(joined) == len(TEXT)
    assert phrases[[]] == phrases[iter(())] == []
    assert phrases[iter(["human", "interface"])] == ["human_interface"]


def test_a_second_pass() -> None:
    text = [["new", "york", "city"]] * 5 + [["new", "city"], ["york"]]
    first = compat.Phrases(text, min_count=1, threshold=0.1)
    second = compat.Phraser(compat.Phrases(first[text], min_count=1, threshold=0.1))
    assert next(iter(second[first[text]])) == ["new_york_city"]


@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
def test_saved_and_loaded(options: dict[str, Any], tmp_path: Path) -> None:
    phrases = compat.Phrases(TEXT, **options)
    phrases.save(tmp_path / "p")
    for loaded in (compat.Phrases.load(tmp_path / "p"), compat.FrozenPhrases.load(tmp_path / "p")):
        assert list(loaded[TEXT]) == list(phrases[TEXT])
        for name in ("min_count", "threshold", "delimiter", "scoring", "connector_words"):
            assert getattr(loaded, name) == getattr(phrases, name)
    loaded = compat.Phrases.load(tmp_path / "p")
    with pytest.raises(DataError, match="has no counts, to which more text could be added"):
        loaded.add_vocab(MORE)
    loaded.threshold = 0.1
    with pytest.raises(DataError, match="has no counts, and keeps its parameters"):
        loaded[TEXT[0]]


def test_what_is_refused(tmp_path: Path) -> None:
    for wrong in ({"min_count": 0}, {"threshold": -1}, {"scoring": "pmi"}, {"scoring": "npmi"}):
        with pytest.raises(OptionError):
            compat.Phrases(TEXT, **wrong)
        with pytest.raises(ValueError, match=r"min_count|threshold|scoring"):  # whose kind ours are, too
            gensim.Phrases(TEXT, **wrong)
    with pytest.raises(NotFittedError, match="call add_vocab first"):
        compat.Phrases()[["a"]]
    (tmp_path / "p.pkl").write_bytes(pickle.dumps(TEXT))
    with pytest.raises(FormatError, match="pickle of list, not of Phrases"):
        compat.Phrases.load(tmp_path / "p.pkl")

"""Phrases by their definition, for lists and corpora, block by block and part by part."""

from __future__ import annotations

import pickle
from functools import reduce
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import windrow
from tests.naive import phrases as naive
from windrow import Corpus, Phrases
from windrow.errors import DataError, DataWarning, NotFittedError, OptionError
from windrow.phrases import counting, joining, kernels

SENTENCES = st.lists(st.lists(st.sampled_from("abcdef"), max_size=12), min_size=1, max_size=12).filter(any)
SCORES = {"default": naive.default_score, "npmi": naive.npmi_score}
TEXT = ["she moved to new york", "new york is large", "they love new york", "a new idea"]

pytestmark = pytest.mark.filterwarnings("ignore::windrow.errors.DataWarning")


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of three tokens, and tables of ten pairs, of which one fits into memory."""
    for module in (counting, joining):
        monkeypatch.setattr(module, "BLOCK", 3)
    monkeypatch.setattr(counting, "_FIRST_SLOTS", 16)
    monkeypatch.setattr(counting, "_most_slots", lambda memory: 16)


THRESHOLD = 0.2971  # which no score has: the last bits of two ways to compute it may differ


def check_by_definition(sentences: list[list[str]], connectors: str, scoring: str, min_count: int) -> None:
    """One pass and two: phrases, scores, joined lists and joined corpora."""
    parameters: dict[str, Any] = {"scoring": scoring, "min_count": min_count, "threshold": THRESHOLD}
    corpus = Corpus.build(sentences)
    first = Phrases(connector_words=tuple(connectors), **parameters).fit(corpus)
    found = naive.find(sentences, SCORES[scoring], min_count, THRESHOLD, connectors)
    joined = [naive.join(sentence, found, connectors, "_") for sentence in sentences]

    assert first.phrases_ == pytest.approx({"_".join(phrase): score for phrase, score in found.items()}, rel=1e-12)
    assert first.transform(sentences) == joined
    of_corpus = first.transform(corpus)
    assert of_corpus.fingerprint == Corpus.build(joined).fingerprint
    assert list(of_corpus.sentences()) == joined

    again = naive.find(joined, SCORES[scoring], min_count, THRESHOLD, connectors)
    twice = Phrases(connector_words=tuple(connectors), passes=2, **parameters).fit(corpus)
    expected = [naive.join(sentence, again, connectors, "_") for sentence in joined]
    assert twice.transform(sentences) == expected
    assert twice.transform(corpus).fingerprint == Corpus.build(expected).fingerprint


CASES = given(SENTENCES, st.sampled_from(["", "a", "ab"]), st.sampled_from(["default", "npmi"]), st.integers(1, 2))


@CASES
@settings(max_examples=15, deadline=None)
def test_by_definition(sentences: list[list[str]], connectors: str, scoring: str, min_count: int) -> None:
    check_by_definition(sentences, connectors, scoring, min_count)


def test_by_definition_in_small_steps(small_steps: None) -> None:
    @CASES
    @settings(max_examples=25, deadline=None)
    def check(sentences: list[list[str]], connectors: str, scoring: str, min_count: int) -> None:
        check_by_definition(sentences, connectors, scoring, min_count)

    check()


def test_parts_are_counted_one_after_another(small_steps: None) -> None:
    """More pairs than the table takes, which is never larger."""
    rng = np.random.default_rng(5)
    sentences = [list(map(str, rng.integers(0, 12, 9))) for _ in range(40)]
    words, pairs = naive.count(sentences, ["0"])
    assert len(pairs) > 80

    counted = counting.count_pairs(corpus := Corpus.build(sentences), ["0"], 2, None)

    of = corpus.vocabulary.words.__getitem__
    found = {
        (of(first), *map(of, between), of(last)): number
        for first, between, last, number in zip(
            counted.firsts, counted.betweens, counted.lasts, counted.counts, strict=True
        )
    }
    assert found == {pair: number for pair, number in pairs.items() if number >= 2}
    assert counted.types == len(words) + len(pairs)


def test_a_memory_that_does_not_suffice_changes_nothing() -> None:
    rng = np.random.default_rng(6)
    corpus = Corpus.build([list(map(str, rng.integers(0, 200, 60_000)))])  # 31,000 pairs; 20,000 at a time
    results = [Phrases(memory=memory, min_count=2, threshold=0.5).fit(corpus).phrases_ for memory in (1 << 20, 1 << 30)]
    assert results[0]
    assert list(results[0].items()) == list(results[1].items())


# --- what is no part of a phrase


def test_words_left_out_part_their_neighbors() -> None:
    corpus = Corpus.build(["a x b", "a y b", "a b", "a b"], min_count=2)
    found = Phrases(min_count=1, threshold=0.1).fit(corpus)
    joined = found.transform(corpus)

    assert list(found.phrases_) == ["a_b"]
    assert joined.vocabulary.words == ["a_b", "b", "a"]
    assert joined.ids.tolist() == [2, -1, 1, 2, -1, 1, 0, 0]
    assert joined.info() | {"most_frequent": 0, "fingerprint": 0} == {
        **corpus.info(), "tokens": 8, "kept_tokens": 6, "coverage": 0.75, "types": 5, "vocabulary": 3,
        "most_frequent": 0, "fingerprint": 0,
    }  # fmt: skip
    assert [[w for w in s if w != "x"] for s in found.transform(["a x b", "a b"])] == [["a", "b"], ["a_b"]]


def test_counts_are_those_of_the_text() -> None:
    """Not those of a vocabulary that was given."""
    text = ["a b", "a b", "b c"]
    counted = windrow.Vocabulary(["a", "b", "c", "z"], np.array([90, 80, 70, 60]))
    corpus, plain = Corpus.build(text, vocabulary=counted), Corpus.build(text)
    phrases = Phrases(min_count=1, threshold=0.1)

    assert phrases.fit(corpus).phrases_ == phrases.fit(plain).phrases_ != {}
    assert phrases.transform(corpus).fingerprint == phrases.transform(plain).fingerprint
    assert phrases.transform(corpus).info() == phrases.transform(plain).info()


def test_specials_stay_what_they_are() -> None:
    corpus = Corpus.build([["<s>", "a", "b"], ["<s>", "a", "b"], ["z"]], min_count=2, specials=["<unk>", "<s>"])
    found = Phrases(min_count=1, threshold=0.1).fit(corpus)
    joined = found.transform(corpus)

    assert list(found.phrases_) == ["a_b"]
    assert list(joined.sentences()) == [["<s>", "a_b"], ["<s>", "a_b"], ["<unk>"]]
    assert joined.vocabulary.specials == ("<unk>", "<s>")
    assert (joined.info()["kept_tokens"], joined.info()["types"]) == (4, 3)


def test_a_word_like_a_phrase_becomes_one_with_it() -> None:
    corpus = Corpus.build(["a b", "a b", "a_b c"])
    joined = Phrases(min_count=1, threshold=0.1).fit(corpus).transform(corpus)
    assert joined.vocabulary.words[0] == "a_b"
    assert joined.vocabulary.counts.tolist() == [3, 1]


def test_phrases_joined_alike_are_one_word() -> None:
    """Where the delimiter is empty, ab c and a bc."""
    phrases = Phrases(min_count=1, threshold=0.1, delimiter="").fit(["ab c", "ab c", "a bc", "a bc", "a bc"])
    assert phrases.phrases_ == {"abc": max(table.scores[0] for table in phrases._fitted())}
    assert phrases.transform(["ab c", "a bc"]) == [["abc"], ["abc"]]


def test_no_phrase_goes_over_the_end_of_a_list() -> None:
    """Not even one with an empty word, which only a file can have."""
    table = joining.PhraseTable([("", "a"), ("b", "")], [1.0, 1.0], "_", frozenset())
    assert list(table.join_lists([["b"], ["a"], [], ["a"]])) == [["b"], ["a"], [], ["a"]]


# --- parameters


def test_the_best_phrases() -> None:
    every = Phrases(min_count=1, threshold=0.1, connector_words="english").fit(TEXT * 2)
    best = Phrases(min_count=1, threshold=0.1, max_phrases=2).fit(TEXT * 2)
    scores = list(every.phrases_.values())
    assert scores == sorted(scores, reverse=True)
    assert len(scores) > len(best.phrases_) == 2


def test_english_connector_words() -> None:
    text = ["birds of the prey fly"] * 3 + ["birds fly", "prey", "to prey"]
    found = Phrases(min_count=1, threshold=0.5, connector_words="english").fit(text)
    assert found.transform(["birds of the prey", "birds of prey"]) == [["birds_of_the_prey"], ["birds", "of", "prey"]]


def test_a_scoring_of_ones_own() -> None:
    asked: list[dict[str, float]] = []

    def score(**counts: float) -> float:
        asked.append(counts)
        return counts["bigram_count"]

    found = Phrases(min_count=2, threshold=2.5, scoring=score).fit(TEXT)
    assert found.phrases_ == {"new_york": 3}
    assert asked == [
        {
            "worda_count": 4,
            "wordb_count": 3,
            "bigram_count": 3,
            "len_vocab": 21,
            "min_count": 2,
            "corpus_word_count": 16,
        }
    ]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"scoring": "pmi"}, "scoring = 'pmi' is not one of default, npmi"),
        ({"scoring": 5}, "scoring = 5 must be one of default, npmi, or a function"),
        (
            {"scoring": "npmi"},
            "threshold = 10.0 is out of range; with scoring='npmi' it is from -1 to 1: try",
        ),
        ({"threshold": -1.0}, r"threshold = -1.0 is out of range; the allowed range is \(0, inf\)"),
        ({"connector_words": "of"}, "connector_words = 'of' is not one of english"),
        ({"connector_words": 5}, "connector_words = 5 must be a collection of words, or 'english'"),
        ({"connector_words": [5]}, r"connector_words = \[5\] must be a collection of words, or 'english'"),
    ],
)
def test_parameters_out_of_range(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Phrases(**parameters).fit(TEXT)


def test_too_many_sequences_of_connector_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "_FIRST_SLOTS", 16)
    monkeypatch.setattr(counting, "MOST_SEQUENCES", 16)
    with pytest.raises(DataError, match="more than 10 different sequences; choose fewer connector_words"):
        Phrases(connector_words=["of"]).fit(["a" + " of" * 40 + " b"])


# --- use


def test_before_fit() -> None:
    for use in (lambda p: p.transform(TEXT), lambda p: p.save("x"), lambda p: p.phrases_):
        with pytest.raises(NotFittedError, match="call fit first"):
            use(Phrases())


def test_one_string_is_no_list_of_sentences() -> None:
    with pytest.raises(OptionError, match=r"give a list of sentences, not one str: \['a b'\]"):
        Phrases(min_count=1, threshold=2).fit(TEXT).transform("a b")
    with pytest.raises(OptionError, match="delimiter = ' ' is none for words of a corpus, which have no white space"):
        Phrases(min_count=1, threshold=2, delimiter=" ").fit(TEXT).transform(Corpus.build(TEXT))
    with pytest.raises(OptionError, match="path is for a Corpus"):
        Phrases(min_count=1, threshold=2).fit(TEXT).transform(TEXT, "x.corpus")


@pytest.mark.filterwarnings("error")
def test_nothing_found_is_told() -> None:
    with pytest.warns(DataWarning, match="no pair of words scores above threshold = 10; try a lower threshold"):
        found = Phrases().fit(TEXT)
    assert found.phrases_ == {}
    assert found.transform(["new york"]) == [["new", "york"]]
    assert found.transform(corpus := Corpus.build(TEXT)).fingerprint == corpus.fingerprint
    with pytest.warns(DataWarning, match="no phrase occurs in it"):
        Phrases(min_count=1, threshold=2).fit(TEXT).transform(Corpus.build(["New York"]))


def test_a_failed_fit_changes_nothing() -> None:
    found = Phrases(min_count=1, threshold=2).fit(TEXT)
    with pytest.raises(DataError, match="empty"):
        found.fit([])
    assert list(found.phrases_) == ["new_york"]


def test_a_corpus_on_disk(tmp_path: Any) -> None:
    corpus = Corpus.build(TEXT, tmp_path / "a.corpus")
    joined = Phrases(min_count=1, threshold=2).fit(corpus).transform(corpus, tmp_path / "b.corpus")
    assert joined.path == tmp_path / "b.corpus"
    assert next(Corpus.open(joined.path).sentences()) == ["she", "moved", "to", "new_york"]
    assert windrow.verify(joined.path)
    with pytest.raises(DataError, match="not a windrow corpus"):
        Phrases(min_count=1, threshold=2).fit(corpus).transform(corpus, tmp_path)


def test_strings_are_read_as_the_text_was() -> None:
    corpus = Corpus.build(["New York!", "new york", "the new", "York"], tokenizer="word", lowercase=True)
    found = Phrases(min_count=1, threshold=0.1).fit(corpus)
    assert found.transform(["NEW YORK?", ["NEW", "YORK"]]) == [["new_york"], ["NEW", "YORK"]]
    assert list(found.transform(corpus).reader.tokens("A b")) == ["a", "b"]


def test_a_stream_is_not_read_ahead_to_its_end() -> None:
    found = Phrases(min_count=1, threshold=2).fit(TEXT)
    stream = iter([["new", "york"]] * 100_000)
    assert next(found.iter_transform(stream)) == ["new_york"]
    assert len(list(stream)) > 70_000


def test_pickles_and_clones() -> None:
    base = pytest.importorskip("sklearn.base")
    found = Phrases(min_count=1, threshold=2, connector_words=["of"]).fit(TEXT)
    again = pickle.loads(pickle.dumps(found))
    assert again.phrases_ == found.phrases_
    assert again.transform(TEXT) == found.transform(TEXT)
    assert base.clone(found).get_params() == found.get_params()


# --- kernels


def test_pairs_stay_in_a_table_that_grows() -> None:
    """Each number is found again, by its two words and what is between them, and no other."""
    rng = np.random.default_rng(3)
    keys = np.unique(rng.integers(0, 2**31 - 1, (500, 3)) % [2**31 - 1, 2**31 - 1, 3], axis=0)
    words, betweens = keys[:, 0] << 32 | keys[:, 1], keys[:, 2].astype(np.int32)
    slots, larger = np.zeros(2048, np.int64), np.zeros(4096, np.int64)
    kernels.enter_pairs(slots, words, betweens)

    assert kernels.move_pairs(slots, larger, 0, 0) == len(keys)
    for table in (slots, larger):
        found = [kernels.value_of(table, word, between) for word, between in zip(words, betweens, strict=True)]
        assert found == list(range(1, len(keys) + 1))
        assert kernels.value_of(table, words[0], 3) == 0
    halves = [kernels.move_pairs(slots, np.zeros(2048, np.int64), 2, part) for part in range(4)]
    assert sum(halves) == len(keys)
    assert min(halves) > len(keys) / 8
    assert reduce(max, halves) < len(keys) / 2

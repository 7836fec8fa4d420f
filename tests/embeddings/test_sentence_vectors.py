"""SentenceVectors: kernels against their definitions, weightings against formulas, files, and what is refused."""

from __future__ import annotations

import pickle
from collections import Counter
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import windrow
from tests.naive import sentences as naive
from windrow import SentenceVectors, Word2Vec, WordVectors
from windrow.corpus import TextReader, known_words
from windrow.corpus.known_words import KnownWords
from windrow.embeddings.kernels.sentences import sum_sentences, weighted_rows
from windrow.embeddings.sentence_weights import composed_rows
from windrow.embeddings.settings import SENTENCE_WEIGHTINGS
from windrow.errors import DataError, DataWarning, FormatError, NotFittedError, OptionError

WORDS = ["the", "cat", "dog", "sat", "a longer word", "Åse", "internationalization", "x"]
TEXTS = ["the cat sat", "the dog Åse x", "", "zzz", "cat  cat\tinternationalization the", "the x"]


def word_vectors(counts: bool = True, size: int = 5) -> WordVectors:
    vectors = np.random.default_rng(4).normal(size=(len(WORDS), size)).astype(np.float32)
    vectors[WORDS.index("x")] = 0
    return WordVectors(WORDS, vectors, np.arange(len(WORDS), 0, -1) if counts else None)


def with_ngrams() -> WordVectors:
    model = Word2Vec(vector_size=4, min_count=1, epochs=1, workers=1, sample=0, subwords=True, buckets=500)
    return model.fit(["the cat sat on the mat"] * 4).wv


# --- the kernels


@pytest.mark.parametrize("size", [1, 5, 16, 40, 64, 70, 130])
def test_sums_are_those_of_the_definition(size: int) -> None:
    dice = np.random.default_rng(size)
    rows = dice.normal(size=(40, size)).astype(np.float32)
    weights, shares = (dice.uniform(size=40).astype(np.float32) for _ in range(2))
    lengths = [3, 0, 1, 30, 0]
    sentences = [dice.integers(0, 40, length).tolist() for length in lengths]
    sums, divisors = np.full((5, size), np.nan, np.float32), np.full(5, np.nan)

    table = weighted_rows(rows, weights, shares)
    ids = np.array([word for sentence in sentences for word in sentence], np.int32)
    sum_sentences(table, ids, np.cumsum(lengths), size, sums.reshape(-1), divisors)

    expected = naive.weighted_sums(sentences, rows, weights.tolist(), shares.tolist())
    np.testing.assert_allclose(sums, expected[0], atol=1e-5)
    np.testing.assert_allclose(divisors, expected[1], rtol=1e-6)


TOKENS = st.sampled_from([*WORDS, "zzz", "Åse\u2003the", "cat\x85dog", "un\u00edque", "\n", "e\u0301"])


@given(st.lists(st.lists(TOKENS, max_size=9).map(" ".join), max_size=6), st.booleans())
@settings(max_examples=60, deadline=None)
def test_words_are_found_as_a_dict_finds_them(sentences: list[str], keeps_unknown: bool) -> None:
    ids = {word: place for place, word in enumerate(WORDS)}
    known, reader = KnownWords(WORDS, ids, keeps_unknown), TextReader()
    expected, unknown = naive.known_words(sentences, ids)
    lines = [sentence.replace("\n", " ") for sentence in sentences]
    text = "".join(f"{line}\n" for line in lines).encode()
    lists = [sentence.split() for sentence in sentences]
    for found in (known.find(sentences, reader), known.find(lists, reader), known.find_in_lines(text, reader)):
        parts = list(found)
        assert [row.tolist() for some in parts for row in np.split(some.ids, some.ends)[:-1]] == expected
        assert sum(some.tokens for some in parts) == len(" ".join(sentences).split())
        pairs = [pair for some in parts for pair in zip(some.unknown_in.tolist(), some.unknown, strict=True)]
        of_each = [(place, word) for place, words in enumerate(unknown) for word in words]
        assert pairs == (of_each if keeps_unknown else [])


def test_many_sentences_and_long_ones_are_found_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_words, "_AT_ONCE", 7)
    monkeypatch.setattr(known_words, "_CHARS_AT_ONCE", 40)
    ids = {word: place for place, word in enumerate(WORDS)}
    sentences = [*TEXTS, "cat dog " * 30, "", *TEXTS]
    parts = list(KnownWords(WORDS, ids, False).find(sentences, TextReader()))
    assert len(parts) > 3
    found = [row.tolist() for some in parts for row in np.split(some.ids, some.ends)[:-1]]
    assert found == naive.known_words(sentences, ids)[0]


def test_a_long_sentence_is_summed_in_double_precision() -> None:
    wv, rng = word_vectors(), np.random.default_rng(3)
    long = rng.choice(["cat", "dog", "sat"], 100_001).tolist()
    found = SentenceVectors(wv).fit().transform(["the", " ".join(long), "", long[:300]])
    for row, words in zip(found, (["the"], long, [], long[:300]), strict=True):
        counts = Counter(words)
        mean = sum((wv[word].astype(np.float64) * n for word, n in counts.items()), np.zeros(5)) / max(1, len(words))
        np.testing.assert_allclose(row, mean, rtol=2e-6, atol=1e-7)


# --- the weightings; those of DocumentVectorizer are tested against scikit-learn, too


def expected_means(wv: WordVectors, weighting: str, texts: list[str], idf: dict[str, float]) -> np.ndarray:
    lists = [text.split() for text in texts]
    known = {word for words in lists for word in words if word in wv}
    vectors = {word: wv.get_vector(word).astype(np.float64) for word in known}
    total = sum(wv.counts.tolist()) if wv.counts is not None else 0
    weights, shares = dict.fromkeys(known, 1.0), dict.fromkeys(known, 1.0)
    for word in known:
        norm = float(np.linalg.norm(vectors[word]))
        if weighting == "tfidf":
            weights[word] = shares[word] = idf[word]
        if weighting == "unit":
            weights[word], shares[word] = (1 / norm, 1.0) if norm else (0.0, 0.0)
        if weighting == "sif":
            row = wv.key_to_index.get(word)
            weights[word] = 0.001 / (0.001 + (0 if row is None else wv.counts[row] / total))
    return np.array([naive.mean(words, vectors, weights, shares, wv.vector_size) for words in lists])


@pytest.mark.parametrize("weighting", SENTENCE_WEIGHTINGS)
@pytest.mark.parametrize("vectors", [word_vectors, with_ngrams])
def test_each_weighting_is_its_formula_and_unseen_words_are_made_of_ngrams(weighting: str, vectors: Any) -> None:
    wv, train = vectors(), ["the cat sat", "the mat", "the cats sitting"]
    removes = {"remove_components": 0} if weighting == "sif" else {}
    model = SentenceVectors(wv, weighting=weighting, **removes).fit(train)
    texts = [*TEXTS, "the cats sitting satthe", "ths cat", "qqq"]
    words = {word for text in texts for word in text.split()}
    rows = {word: sum(word in text.split() and word in wv.key_to_index for text in train) for word in words}
    idf = {word: np.log(4 / (1 + number)) + 1 for word, number in rows.items()}
    expected = expected_means(wv, weighting, texts, idf)
    np.testing.assert_allclose(model.transform(texts), expected, atol=2e-6)
    np.testing.assert_allclose(model.transform([text.split() for text in texts]), expected, atol=2e-6)
    if vectors is with_ngrams:
        assert "cats" not in wv.key_to_index
        assert expected[6].any()


def test_vectors_of_many_unseen_words_are_those_of_one() -> None:
    ngrams = with_ngrams().ngrams
    words = ["cats", "q", "the", "catthe"]
    rows, is_composed = composed_rows(ngrams, words)
    for row, has, word in zip(rows, is_composed, words, strict=True):
        one = ngrams.compose(word)
        assert has == (one is not None)
        np.testing.assert_allclose(row, np.zeros(4) if one is None else one, atol=1e-7)


@pytest.mark.parametrize("asked", [None, "vectors", "texts", "rank"])
def test_probabilities_are_from_where_they_are_asked_for(asked: str | None) -> None:
    wv = word_vectors()
    model = SentenceVectors(wv, weighting="sif", remove_components=0, frequencies=asked, sif_a=0.1).fit(TEXTS)
    found = {"texts": [4, 3, 1, 1, 0, 1, 1, 2], "rank": [1 / rank for rank in range(1, 9)]}
    occurrences = np.array(found.get(asked, wv.counts.tolist()), float)
    np.testing.assert_allclose(model.word_weights_, 0.1 / (0.1 + occurrences / occurrences.sum()), rtol=1e-6)


def test_without_counts_and_texts_probabilities_are_by_rank_and_told() -> None:
    model = SentenceVectors(word_vectors(counts=False), weighting="sif", remove_components=0)
    with pytest.warns(DataWarning, match="by its rank among them, which Zipf's law"):
        model.fit()
    by_rank = SentenceVectors(word_vectors(), weighting="sif", remove_components=0, frequencies="rank").fit()
    np.testing.assert_array_equal(model.word_weights_, by_rank.word_weights_)


def test_components_are_taken_off_and_lengths_are_one() -> None:
    wv, texts = word_vectors(), [*TEXTS, "dog sat", "sat the", "Åse cat dog"]
    rows = SentenceVectors(wv, weighting="sif", remove_components=0).fit().transform(texts).astype(np.float64)
    _, _, directions = np.linalg.svd(rows)
    expected = rows - rows @ directions[:2].T @ directions[:2]
    norms = np.linalg.norm(expected, axis=1, keepdims=True)
    model = SentenceVectors(wv, weighting="sif", remove_components=2, normalize=True).fit(texts)
    np.testing.assert_allclose(model.transform(texts), expected / np.where(norms > 0, norms, 1), atol=2e-5)
    np.testing.assert_array_equal(model.fit_transform(texts), model.transform(texts))


# --- text


def test_lines_of_bytes_are_sentences() -> None:
    model = SentenceVectors(word_vectors()).fit()
    expected = model.transform(TEXTS)
    text = "\n".join(TEXTS).encode()
    np.testing.assert_array_equal(model.transform_text(text), expected)
    np.testing.assert_array_equal(model.transform_text(text + b"\n"), expected)
    assert model.transform_text(b"").shape == model.transform([]).shape == (0, 5)
    folding = SentenceVectors(word_vectors(), tokenizer="word", lowercase=True).fit()
    np.testing.assert_array_equal(folding.transform_text(b"The CAT, sat\n"), model.transform(["the cat sat"]))
    folding = SentenceVectors(word_vectors(), lowercase=True).fit()
    np.testing.assert_array_equal(folding.transform_text(b"The CAT sat\n"), model.transform(["the cat sat"]))
    with pytest.raises(DataError, match="byte 0xff at offset 4 of the text is not UTF-8"):
        model.transform_text(b"cat \xff")
    with pytest.raises(OptionError, match="takes bytes, not str; use transform"):
        model.transform_text("cat")


def test_words_that_are_added_later_are_not_known() -> None:
    wv = word_vectors()
    model = SentenceVectors(wv).fit()
    expected = model.transform(["the cat new", ["new", "cat"]])
    wv.add_vectors(["new"], np.ones((1, 5), np.float32))
    wv["cat"] = np.ones(5)
    np.testing.assert_array_equal(model.transform(["the cat new", ["new", "cat"]]), expected)


# --- files and copies


@pytest.mark.parametrize("weighting", SENTENCE_WEIGHTINGS)
def test_a_file_gives_the_same_vectors(weighting: str, tmp_path: Path) -> None:
    wv, path = with_ngrams(), tmp_path / "s.safetensors"
    model = SentenceVectors(wv, weighting=weighting, normalize=True, tokenizer="word", lowercase=True)
    texts = ["The cat, sat!", "cats; Mat", "a the", ""]
    expected = model.fit(["the cat sat", "the mat"]).transform(texts)
    model.save(path)
    for copy in (SentenceVectors.load(path), pickle.loads(pickle.dumps(model)), deepcopy(model)):
        np.testing.assert_array_equal(copy.transform(texts), expected)
    assert windrow.verify(path)
    plain = windrow.load(path, expected=WordVectors)
    np.testing.assert_array_equal(plain.vectors, wv.vectors)
    SentenceVectors.load(path).save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


def test_files_of_vectors_alone_and_damaged_ones_are_told(tmp_path: Path) -> None:
    word_vectors().save(tmp_path / "v.safetensors")
    word_vectors().save(tmp_path / "v.tsv")
    for name in ("v.safetensors", "v.tsv"):
        with pytest.raises(FormatError, match=rf"{name} holds word vectors alone; give them to SentenceVectors"):
            SentenceVectors.load(tmp_path / name)
    model = SentenceVectors(word_vectors(), weighting="sif").fit(TEXTS)
    for name, value in (
        ("word_weights_", model.word_weights_[1:]),
        ("components_", np.full((1, 5), np.nan, np.float32)),
        ("components_", np.zeros((1, 4), np.float32)),
        ("weighting", "max"),
    ):
        damaged = deepcopy(model)
        setattr(damaged, name, value)
        damaged.save(tmp_path / "s.safetensors")
        with pytest.raises(FormatError, match=r"s\.safetensors"):
            SentenceVectors.load(tmp_path / "s.safetensors")


# --- what is refused


@pytest.mark.parametrize(
    ("params", "texts", "told"),
    [
        ({"weighting": "max"}, None, "weighting = 'max' is not one of mean, tfidf, sif, unit"),
        ({"weighting": "tfidf"}, None, "weighting = 'tfidf' learns from sentences.*try weighting = 'mean'"),
        ({"weighting": "sif"}, None, "weighting = 'sif' learns from sentences.*try remove_components = 0"),
        ({"weighting": "sif", "remove_components": 0, "frequencies": "texts"}, None, "learns from sentences"),
        ({"frequencies": "rank"}, TEXTS, "frequencies = 'rank' is for weighting 'sif', not 'mean'"),
        ({}, "a text", "sentences must be a list or one column of texts, not str"),
        ({"vectors": np.eye(3)}, TEXTS, "vectors must be WordVectors or a path, not ndarray"),
    ],
)
def test_what_cannot_be_is_told(params: dict[str, Any], texts: Any, told: str) -> None:
    with pytest.raises(OptionError, match=told):
        SentenceVectors(**{"vectors": word_vectors(), **params}).fit(texts)


def test_refusals_that_depend_on_the_vectors() -> None:
    with pytest.raises(NotFittedError, match="call fit first"):
        SentenceVectors(word_vectors()).transform(TEXTS)
    with pytest.raises(OptionError, match="the vectors have no counts; try frequencies = 'rank'"):
        SentenceVectors(word_vectors(counts=False), weighting="sif", frequencies="vectors").fit(TEXTS)
    with pytest.raises(DataError, match="document 2: text must be a str or a list of str, not NoneType"):
        SentenceVectors(word_vectors()).fit().transform(["cat", None])
    with pytest.raises(DataError, match="no document to fit on"):
        SentenceVectors(word_vectors()).fit([])
    odd = WordVectors(["cat", "dog"], np.array([[1, 2], [np.inf, 0]], np.float32))
    model = SentenceVectors(odd).fit(["cat"])
    with pytest.raises(OptionError, match="the vector of 'dog' holds a number that is not finite"):
        model.transform(["cat", "dog"])
    with pytest.warns(DataWarning, match="the vectors know no word of the texts"):
        SentenceVectors(word_vectors()).fit(["un hibou dort"] * 4)

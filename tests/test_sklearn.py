from __future__ import annotations

import pickle
import runpy
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks

from windrow import Corpus
from windrow.corpus import TextReader
from windrow.embeddings import Word2Vec, WordVectors
from windrow.errors import DataError, DataWarning, OptionError
from windrow.sklearn import WEIGHTINGS, DocumentVectorizer

EXAMPLE = Path(__file__).parents[1] / "examples" / "classify_texts.py"
WORDS = ["the", "cat", "dog", "sat", "ran", "mat"]
TEXTS = ["the cat sat the", "The dog RAN", "a mat", "", "cat cat dog unheard"]
LABELS = [0, 1, 0, 1, 0]


def word_vectors(counts: bool = True, dim: int = 4) -> WordVectors:
    vectors = np.random.default_rng(5).normal(size=(len(WORDS), dim)).astype(np.float32)
    return WordVectors(WORDS, vectors, np.array([60, 20, 10, 6, 3, 1]) if counts else None)


def known_words(text: str) -> list[str]:
    return [word for word in text.lower().split() if word in WORDS]


def naive_averages(texts: list[str], wv: WordVectors, weight: dict[str, float], divide: str) -> NDArray[np.float64]:
    rows = np.zeros((len(texts), wv.vector_size))
    for row, words in enumerate(map(known_words, texts)):
        for word in words:
            rows[row] += weight[word] * wv[word]
        if words:
            rows[row] /= len(words) if divide == "words" else sum(weight[word] for word in words)
    return rows


def naive_sif(train: list[str], texts: list[str], wv: WordVectors, a: float, removed: int = 1) -> NDArray[np.float64]:
    """Arora, Liang & Ma 2017, algorithm 1."""
    if wv.counts is None:
        occurrences = Counter(word for text in train for word in known_words(text))
    else:
        occurrences = Counter(dict(zip(WORDS, wv.counts.tolist(), strict=True)))
    weight = {word: a / (a + occurrences[word] / occurrences.total()) for word in WORDS}
    result = naive_averages(texts, wv, weight, divide="words")
    left, _, _ = np.linalg.svd(naive_averages(train, wv, weight, divide="words").T)
    for u in left.T[:removed]:
        result -= np.outer(result @ u, u)
    return result


# --- what the averages are


@given(st.lists(st.lists(st.sampled_from([*WORDS, "zzz"]), max_size=6).map(" ".join), min_size=1, max_size=5))
@settings(max_examples=40, deadline=None)
def test_mean_is_the_mean_of_the_known_words(texts: list[str]) -> None:
    wv = word_vectors()
    found = DocumentVectorizer(wv).fit_transform(texts)
    assert found.dtype == np.float32
    expected = naive_averages(texts, wv, dict.fromkeys(WORDS, 1.0), divide="words")
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_lower_casing_that_loses_words_is_told() -> None:
    wv = WordVectors(["Rome", "is", "old"], np.eye(3, dtype=np.float32))
    texts = ["Rome is old", "Is Rome old"]
    told = r"lowercase = True: the vectors know 4 of 6 tokens, but 5 as they stand; try lowercase = False"
    for documents in (texts, iter(texts), [text.split() for text in texts]):
        with pytest.warns(UserWarning, match=told):
            DocumentVectorizer(wv).fit(documents)
    DocumentVectorizer(wv, lowercase=False).fit(texts)
    DocumentVectorizer(wv).fit(["IS OLD"])  # nothing is lost; warnings are errors in tests


def test_a_fit_that_is_refused_leaves_a_fitted_vectorizer_as_it_was() -> None:
    vectorizer = DocumentVectorizer(word_vectors(), weighting="sif").fit(TEXTS)
    before = vectorizer.transform(TEXTS)
    odd = WordVectors(["cat"], [[np.nan, 1, 1, 1]])
    for changed, texts in (({"vectors": odd}, TEXTS), ({}, []), ({}, ["cat", 3]), ({"sif_a": -1}, TEXTS)):
        vectorizer.set_params(**changed)
        with pytest.raises((DataError, OptionError)):
            vectorizer.fit(texts)
        vectorizer.set_params(vectors=None, sif_a=0.001)
        np.testing.assert_array_equal(vectorizer.transform(TEXTS), before)


def test_a_word_whose_vector_is_not_finite_is_refused() -> None:
    wv = WordVectors(["rome", "is", "old"], [[1, 0], [np.nan, 1], [1, 1]])
    vectorizer = DocumentVectorizer(wv).fit(["rome old"])
    for ask in (vectorizer.transform, DocumentVectorizer(wv).fit, DocumentVectorizer(wv, weighting="sif").fit):
        with pytest.raises(OptionError, match="the vector of 'is' holds a number that is not finite"):
            ask(["rome is old"])


def test_tfidf_weights_are_those_of_scikit_learn() -> None:
    wv = word_vectors()
    reference = TfidfVectorizer(vocabulary=WORDS, token_pattern=r"\S+", norm=None).fit(TEXTS)
    weights = reference.transform(TEXTS).toarray()  # tf times smooth idf, (documents, words)
    sums = weights.sum(axis=1, keepdims=True)
    vectorizer = DocumentVectorizer(wv, weighting="tfidf").fit(TEXTS)
    np.testing.assert_allclose(vectorizer.idf_, reference.idf_, rtol=1e-6)
    np.testing.assert_allclose(
        vectorizer.transform(TEXTS), weights @ wv.vectors / np.where(sums > 0, sums, 1), atol=1e-6
    )


@pytest.mark.parametrize("counts", [True, False], ids=["counts of the vectors", "counts of the texts"])
@pytest.mark.parametrize("removed", [0, 1, 2])
def test_sif_is_the_algorithm_of_the_paper(counts: bool, removed: int) -> None:
    wv, unseen = word_vectors(counts), ["dog mat", "sat", "nothing known"]
    vectorizer = DocumentVectorizer(wv, weighting="sif", sif_a=0.01, remove_components=removed).fit(TEXTS)
    assert vectorizer.components_.shape == (removed, 4)
    np.testing.assert_allclose(vectorizer.transform(unseen), naive_sif(TEXTS, unseen, wv, 0.01, removed), atol=1e-5)


def test_sif_removes_no_more_components_than_the_texts_span() -> None:
    vectorizer = DocumentVectorizer(word_vectors(), weighting="sif", remove_components=3).fit(["cat", "dog"])
    assert vectorizer.components_.shape == (2, 4)
    nothing = DocumentVectorizer(word_vectors(), weighting="sif").fit(["unheard"])
    assert nothing.components_.shape == (0, 4)
    assert (nothing.transform(["cat"]) != 0).all()


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_a_document_without_a_known_word_is_zero_and_normalized_ones_have_length_one(weighting: str) -> None:
    found = DocumentVectorizer(word_vectors(), weighting=weighting, normalize=True).fit_transform(TEXTS)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), [1, 1, 1, 0, 1], atol=1e-5)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_transform_repeats_fit_transform_document_by_document(weighting: str) -> None:
    vectorizer = DocumentVectorizer(word_vectors(), weighting=weighting)
    together = vectorizer.fit_transform(TEXTS)
    alone = np.vstack([vectorizer.transform([text]) for text in TEXTS])
    np.testing.assert_allclose(alone, together, atol=1e-6)
    assert vectorizer.transform([]).shape == (0, 4)


# --- what a document may be


def test_lists_of_tokens_equal_their_text() -> None:
    vectorizer = DocumentVectorizer(word_vectors(), weighting="sif").fit(TEXTS)
    expected = vectorizer.transform(TEXTS)
    for documents in ([text.split() for text in TEXTS], (text for text in TEXTS), pd.Series(TEXTS), np.array(TEXTS)):
        np.testing.assert_array_equal(vectorizer.transform(documents), expected)


def test_lower_case_and_tokenizer_are_options() -> None:
    wv = word_vectors()
    cat = wv["cat"]
    np.testing.assert_array_equal(DocumentVectorizer(wv, lowercase=False).fit_transform(["CAT dog"])[0], wv["dog"])
    np.testing.assert_array_equal(DocumentVectorizer(wv, tokenizer="word").fit_transform(["'cat!'"])[0], cat)
    comma = DocumentVectorizer(wv, tokenizer=lambda text: text.split(","))
    np.testing.assert_array_equal(comma.fit_transform(["cat,cat"])[0], cat)


@pytest.mark.parametrize("form", ["as trained", "from a file"])
def test_documents_are_read_as_the_text_of_the_vectors(tmp_path: Path, form: str) -> None:
    text = ["The Cat, the dog!", "A DOG; the Cat."] * 3
    options = {"vector_size": 4, "min_count": 1, "epochs": 1, "workers": 1, "sample": 0}
    for name, reading in (("cased", {"tokenizer": "word"}), ("char", {"tokenizer": "char", "lowercase": True})):
        wv = Word2Vec(**options).fit(Corpus.build(text, **reading)).wv
        wv.save(tmp_path / f"{name}.safetensors")
        vectorizer = DocumentVectorizer(wv if form == "as trained" else tmp_path / f"{name}.safetensors")

        found = vectorizer.fit_transform(text)

        tokens = [TextReader(**reading).tokens(line) for line in text]
        assert all(word in wv for line in tokens for word in line)
        np.testing.assert_allclose(found, [np.mean(wv[line], axis=0) for line in tokens], atol=1e-6)
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(vectorizer)).transform(text), found)
        plain = DocumentVectorizer(wv, tokenizer="whitespace", lowercase=False).fit_transform(["dog, dog"])
        assert (plain == (wv["dog"] if name == "cased" else 0)).all()


def test_vectors_that_forget_their_function_ask_for_it() -> None:
    wv = Word2Vec(vector_size=4, min_count=1, sample=0, workers=1).fit(Corpus.build(["a b"], tokenizer=str.split)).wv

    with pytest.raises(OptionError, match=r"set tokenizer = 'builtins:str\.split' again"):
        DocumentVectorizer(wv).fit(["a b"])

    assert DocumentVectorizer(wv, tokenizer=str.split).fit_transform(["a"]).any()


def test_lower_case_that_loses_words_is_told() -> None:
    wv = WordVectors(["the", "Paris", "cat"], np.eye(3, dtype=np.float32))
    texts = ["the cat", "The Paris"]

    with pytest.warns(UserWarning, match="know 2 of 4 tokens, but 3 as they stand"):
        DocumentVectorizer(wv).fit(["the Paris cat zebra"])
    with pytest.warns(UserWarning, match="try lowercase = False"):
        DocumentVectorizer(wv).fit(["Paris", "cat"])
    DocumentVectorizer(wv).fit(texts[:1])  # nothing is lost
    DocumentVectorizer(wv, lowercase=False).fit(texts)


def test_vectors_may_be_a_file(tmp_path: Path) -> None:
    wv = word_vectors()
    wv.save(tmp_path / "wv.safetensors")
    from_file = DocumentVectorizer(tmp_path / "wv.safetensors", weighting="sif").fit_transform(TEXTS)
    np.testing.assert_array_equal(from_file, DocumentVectorizer(wv, weighting="sif").fit_transform(TEXTS))


def test_without_vectors_word2vec_is_trained_on_the_texts_and_only_its_vectors_are_kept() -> None:
    texts = ["cats purr", "dogs bark", "cats and dogs"] * 4
    params = {"vector_size": 7, "min_count": 4, "epochs": 2, "sample": 0}
    first, second = (DocumentVectorizer(word2vec_params=params).fit(texts) for _ in range(2))
    assert set(first.word_vectors_.index_to_key) == {"cats", "dogs", "purr", "bark", "and"}
    assert isinstance(first.word_vectors_, WordVectors)
    assert first.transform(texts).shape == (12, 7)
    np.testing.assert_array_equal(first.transform(texts), second.transform(texts))


@pytest.mark.parametrize(
    ("documents", "error", "message"),
    [
        ("one text", OptionError, "X must be a list or one column of documents, not str"),
        (pd.DataFrame({"text": TEXTS}), OptionError, "DataFrame is a table.*give one column of it; it has: text"),
        (np.array([[text] for text in TEXTS]), OptionError, "ndarray has 2 dimensions"),
        (dict(enumerate(TEXTS)), OptionError, "dict is no list of sentences; give its values"),
        (["cat", None], DataError, "document 2: text must be a str or a list of str, not NoneType"),
        (["cat", b"cat"], DataError, "document 2: .* not bytes; decode it"),
        ([["cat", 3.5]], DataError, "document 1: the token 3.5 must be a string"),
        ([], DataError, "no document"),
    ],
)
def test_what_is_no_document_is_named(documents: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        DocumentVectorizer(word_vectors()).fit(documents)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"weighting": "max"}, "weighting = 'max' is not one of mean, tfidf, sif"),
        ({"sif_a": 0}, "sif_a"),
        ({"remove_components": -1}, "remove_components"),
        ({"remove_components": 0.5}, "whole number"),
        ({"tokenizer": "words"}, "tokenizer = 'words' is unknown"),
        ({"vectors": np.eye(3)}, "vectors must be WordVectors, a path or None, not ndarray"),
        ({"vectors": None, "word2vec_params": {"size": 3}}, "no parameter 'size'"),
    ],
)
def test_a_bad_parameter_is_named_by_fit_not_by_the_constructor(params: dict[str, Any], message: str) -> None:
    vectorizer = DocumentVectorizer(**{"vectors": word_vectors(), **params})
    with pytest.raises(OptionError, match=message):
        vectorizer.fit(TEXTS)


# --- scikit-learn's conventions


@pytest.mark.parametrize(
    "name",
    [
        "check_no_attributes_set_in_init",
        "check_parameters_default_constructible",
        "check_do_not_raise_errors_in_init_or_set_params",
        "check_get_params_invariance",
        "check_set_params",
        "check_estimator_cloneable",
        "check_estimator_repr",
        "check_mixin_order",
        "check_valid_tag_types",
        "check_estimator_tags_renamed",
        "check_transformers_unfitted",
    ],
)
def test_scikit_learns_own_check(name: str) -> None:
    getattr(estimator_checks, name)("DocumentVectorizer", DocumentVectorizer())


def test_transform_before_fit_raises_what_scikit_learn_raises() -> None:
    with pytest.raises(NotFittedError, match="not fitted"):
        DocumentVectorizer(word_vectors()).transform(TEXTS)


def test_a_clone_shares_the_given_vectors_and_keeps_parameters_and_output() -> None:
    wv = word_vectors()
    fitted = DocumentVectorizer(wv, weighting="sif", sif_a=0.1).set_output(transform="pandas").fit(TEXTS)
    twin = clone(fitted)
    assert twin.vectors is wv
    assert fitted.vectors is wv
    assert twin.get_params() == fitted.get_params()
    assert not hasattr(twin, "word_vectors_")
    assert isinstance(twin.fit_transform(TEXTS), pd.DataFrame)


def test_set_output_and_feature_names() -> None:
    names = [f"documentvectorizer{column}" for column in range(4)]
    vectorizer = DocumentVectorizer(word_vectors()).set_output(transform="pandas")
    series = pd.Series(TEXTS, index=list("vwxyz"))
    for frame in (vectorizer.fit_transform(series), vectorizer.transform(series)):
        assert list(frame.columns) == names
        assert (frame.dtypes == np.float32).all()
        np.testing.assert_array_equal(frame.to_numpy(), DocumentVectorizer(word_vectors()).fit_transform(TEXTS))
    assert vectorizer.get_feature_names_out().tolist() == names
    assert vectorizer.n_features_out_ == 4


def test_a_column_of_a_table_is_vectorized() -> None:
    table = pd.DataFrame({"text": TEXTS, "other": range(5)})
    columns = ColumnTransformer([("text", DocumentVectorizer(word_vectors()), "text")], remainder="passthrough")
    found = columns.fit_transform(table)
    np.testing.assert_allclose(found[:, :4], DocumentVectorizer(word_vectors()).fit_transform(TEXTS))
    assert found[:, 4].tolist() == [0, 1, 2, 3, 4]


def test_a_pickled_pipeline_predicts_the_same() -> None:
    pipeline = make_pipeline(DocumentVectorizer(word_vectors(), weighting="sif"), LogisticRegression())
    probabilities = pipeline.fit(TEXTS, LABELS).predict_proba(TEXTS)
    loaded = pickle.loads(pickle.dumps(pipeline))
    np.testing.assert_array_equal(loaded.predict_proba(TEXTS), probabilities)


def test_a_grid_search_in_two_processes_equals_one() -> None:
    pipeline = make_pipeline(DocumentVectorizer(word_vectors()), LogisticRegression())
    grid = {"documentvectorizer__weighting": WEIGHTINGS, "documentvectorizer__normalize": [True, False]}
    texts, labels = TEXTS * 4, LABELS * 4
    alone, together = (GridSearchCV(pipeline, grid, cv=2, n_jobs=n).fit(texts, labels) for n in (None, 2))
    assert alone.cv_results_["params"] == together.cv_results_["params"]
    for scores in (alone.cv_results_["mean_test_score"], together.cv_results_["mean_test_score"]):
        assert np.isfinite(scores).all()
    np.testing.assert_array_equal(alone.cv_results_["mean_test_score"], together.cv_results_["mean_test_score"])


# --- real text


def test_the_example_classifies_real_text(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("gensim", reason="the texts are in gensim's wheel")
    example = runpy.run_path(str(EXAMPLE))
    texts, labels = example["posts"]()
    assert Counter(labels) == {"space": 100, "atheism": 100}
    found = example["main"]()
    assert found["topic of a post"] > 0.70
    assert "topic of a post: " in capsys.readouterr().out
    # The vectors carry the answer, not the way the texts are cut: labels in another order are not learned.
    shuffled = np.random.default_rng(0).permutation(labels)
    assert cross_val_score(example["classifier"](), texts, shuffled, cv=2).mean() < 0.65


def test_texts_without_a_known_word_are_told_of() -> None:
    vectors = WordVectors(["owl"], np.ones((1, 2), np.float32))
    with pytest.warns(DataWarning, match="the vectors know no word of the texts"):
        DocumentVectorizer(vectors).fit(["un hibou", "une chouette"] * 3)


@pytest.mark.parametrize("parameters", [5, ["vector_size"], "sg"])
def test_parameters_of_word2vec_are_a_dict(parameters: object) -> None:
    with pytest.raises(OptionError, match=r"word2vec_params = .* must be a dict"):
        DocumentVectorizer(word2vec_params=parameters).fit(["an owl"])

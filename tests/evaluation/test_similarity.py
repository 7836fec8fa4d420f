"""Word similarity: the same pairs give the same correlations as gensim's evaluate_word_pairs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from windrow.embeddings.vectors import WordVectors
from windrow.errors import DataError, OptionError
from windrow.evaluation import evaluate_analogies, evaluate_similarity
from windrow.evaluation.analogy import Section
from windrow.evaluation.similarity import WordPair, row_norms

IS = "\u0131s"  # with a dotless i; its upper case is "IS"
VARIANTS = [
    {"case_insensitive": case, "dummy4unknown": dummy, "restrict_vocab": restrict}
    for case in (True, False)
    for dummy in (True, False)
    for restrict in (300_000, 900)
]


@pytest.mark.parametrize("file", ["wordsim353.tsv", "simlex999.txt"])
@pytest.mark.parametrize("variant", VARIANTS, ids=str)
@pytest.mark.parametrize("table", ["structured", "trained"])
def test_correlations_equal_gensims(
    table: str, variant: dict[str, Any], file: str, datapath: Any, request: pytest.FixtureRequest
) -> None:
    theirs = request.getfixturevalue(table)
    ours = WordVectors(theirs.index_to_key, theirs.vectors)
    mine = ours.evaluate_word_pairs(datapath(file), **variant)
    expected = theirs.evaluate_word_pairs(datapath(file), **variant)
    for found, wanted in zip(mine[:2], expected[:2], strict=True):
        assert found[0] == pytest.approx(wanted[0], abs=1e-6)
        assert found[1] == pytest.approx(wanted[1], rel=1e-4)  # p-values magnify gensim's float32 cosines
    assert mine[2] == pytest.approx(expected[2])


def test_the_result_under_its_json_names(structured: Any, datapath: Any) -> None:
    result = evaluate_similarity(datapath("wordsim353.tsv"), structured.index_to_key, structured.vectors)
    pearson, spearman, oov = structured.evaluate_word_pairs(datapath("wordsim353.tsv"))
    assert result.to_json() == {
        "spearman_interval": list(result.spearman_interval or ()),
        "pearson_interval": list(result.pearson_interval or ()),
        "spearman": pytest.approx(spearman[0], abs=1e-6),
        "pearson": pytest.approx(pearson[0], abs=1e-6),
        "pairs": 353 - round(oov / 100 * 353),
        "oov": pytest.approx(oov / 100),
    }
    assert 0.2 < result.spearman < 1
    for value, (low, high) in (
        (result.spearman, result.spearman_interval or (0, 0)),
        (result.pearson, result.pearson_interval or (0, 0)),
    ):
        assert low < value < high < low + 0.4
    assert 0 < result.oov < 0.5


def test_correlations_that_are_not_defined(tmp_path: Path) -> None:
    words, vectors = list("abc"), np.array([[1, 0], [1, 1], [0, 1]], np.float32)
    for pairs, message in (
        ([WordPair("a", "b", 1), WordPair("a", "x", 2)], "known in 1 of 2 pairs"),
        ([WordPair("a", "b", 1), WordPair("a", "c", 1)], "the same human score"),
        ([WordPair("a", "b", 1), WordPair("b", "a", 2)], "the same cosine"),
    ):
        with pytest.raises(DataError, match=message):
            evaluate_similarity(pairs, words, vectors)
    with pytest.raises(OptionError, match=r"restrict_vocab = 2\.5 must be a whole number"):
        evaluate_similarity(pairs, words, vectors, restrict_vocab=2.5)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="restrict_vocab = 0"):
        evaluate_similarity(pairs, words, vectors, restrict_vocab=0)
    (tmp_path / "pairs.tsv").write_text("x\ty\t1\n")
    with pytest.raises(DataError, match=r"pairs\.tsv: both words are known in 0 of 1 pairs"):
        evaluate_similarity(tmp_path / "pairs.tsv", words, vectors)


@pytest.mark.parametrize("scale", [1e308, 5e-324 * 2**40])
def test_scores_of_any_size_correlate_alike(scale: float) -> None:
    vectors = np.random.default_rng(4).normal(size=(6, 3)).astype(np.float32)
    scores = [-1.5, 0.25, 1.0, 1.25, -0.5]
    usual = [WordPair("a", other, score) for other, score in zip("bcdef", scores, strict=True)]
    scaled = [pair._replace(score=pair.score * scale) for pair in usual]
    mine = evaluate_similarity(scaled, list("abcdef"), vectors)
    expected = evaluate_similarity(usual, list("abcdef"), vectors)
    assert (mine.spearman, mine.pearson) == pytest.approx((expected.spearman, expected.pearson))


def test_the_exact_spelling_comes_before_more_frequent_ones() -> None:
    table = {"is": [1, 0], IS: [0, 1], "Busse": [1, 0.1], "Buße": [0.1, 1], "kom": [1, 0.2], "göl": [0.3, 1]}
    words, vectors = list(table), np.array(list(table.values()), np.float32)
    pairs = [WordPair(IS, "göl", 9), WordPair(IS, "kom", 1), WordPair("Buße", "göl", 9), WordPair("Buße", "kom", 1)]
    for case_sensitive in (False, True):
        result = evaluate_similarity(pairs, words, vectors, case_sensitive=case_sensitive)
        assert (result.spearman, result.oov) == (pytest.approx(0.8944, abs=1e-4), 0)
    upper = [WordPair(first.upper(), second.upper(), score) for first, second, score in pairs]
    assert evaluate_similarity(upper, words, vectors).spearman == pytest.approx(-0.8944, abs=1e-4)  # "IS" means "is"
    with pytest.raises(DataError, match="known in 0 of 4"):
        evaluate_similarity(upper, words, vectors, case_sensitive=True)


def test_zero_vectors_have_cosine_zero() -> None:
    vectors = np.array([[1, 0], [0, 0], [-1, 0.1], [1, 0.1]], np.float32)
    pairs = [WordPair("a", "d", 3), WordPair("a", "b", 2), WordPair("a", "c", 1)]
    assert evaluate_similarity(pairs, list("abcd"), vectors).spearman == pytest.approx(1)


def test_norms_in_slices_equal_norms_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = np.random.default_rng(0).normal(size=(50, 7)).astype(np.float32)
    monkeypatch.setattr("windrow.evaluation.similarity._NORM_ROWS", 9)
    np.testing.assert_allclose(row_norms(vectors), np.linalg.norm(vectors, axis=1), rtol=1e-6)
    assert row_norms(vectors * np.float32(1e25)).max() < np.inf  # squares beyond float32


WORDS = ["king", "queen", "man"]
TABLE = np.array([[1, 0], [3, 4], [0, 1]], np.float32)
PAIRS = [("king", "queen", 8.5), ("man", "king", 1), ("man", "queen", 2)]


def test_pairs_as_plain_tuples() -> None:
    pairs = [WordPair(*pair) for pair in PAIRS]
    assert evaluate_similarity(PAIRS, WORDS, TABLE) == evaluate_similarity(pairs, WORDS, TABLE)


@pytest.mark.parametrize(
    "pairs",
    [None, 5, {"king": 1}, ["king queen 8"], [("king", "queen")], [("king", "queen", "8")], [("a", "b", float("nan"))]],
)
def test_what_is_no_list_of_pairs(pairs: Any) -> None:
    with pytest.raises(OptionError, match="pairs must be a file, or a list of"):
        evaluate_similarity(pairs, WORDS, TABLE)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (TABLE[:2], r"vectors of shape \(2, 2\) for 3 words"),
        (TABLE[0], r"vectors of shape \(2,\) for 3 words"),
        (TABLE * np.float32(np.nan), "holds a number that is not finite"),
    ],
)
def test_tables_that_do_not_fit_or_are_not_finite(table: Any, said: str) -> None:
    with pytest.raises(OptionError, match=said):
        evaluate_similarity(PAIRS, WORDS, table)
    with pytest.raises(OptionError, match=said):
        evaluate_analogies([Section("a", (("king", "queen", "man", "king"),))], WORDS, table)


@pytest.mark.parametrize("questions", [None, 5, ["king queen man king"], [("king", "queen", "man", "king")], {"a": 1}])
def test_what_is_no_list_of_questions(questions: Any) -> None:
    with pytest.raises(OptionError, match="questions must be a file, or a list of Section"):
        evaluate_analogies(questions, WORDS, TABLE)

"""Scores of lines: those of each line alone; sums over the lines of documents; KenLM's numbers."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.lm.contract import MODELS, ToyLM
from windrow import NGramLM
from windrow.corpus import Corpus, reading, streams
from windrow.errors import DataError, OptionError
from windrow.evaluation import Perplexity
from windrow.evaluation.perplexity import perplexities_of
from windrow.lm import scoring
from windrow.lm.base import LanguageModel
from windrow.lm.line_scores import LineScores
from windrow.lm.ngram import table_lm

LINES = ["a b c", "", "a unheard b", "zzz yyy", ["c", "a"], "  d\tb ", "a " * 40, [], "d"]


def expect_those_of_each_line_alone(model: LanguageModel, lines: list[str | list[str]], found: LineScores) -> None:
    alone = [model.evaluate_sentence(line) for line in lines]
    np.testing.assert_allclose(found.log10_probs, [one.log10_prob for one in alone], rtol=1e-9, atol=2e-6)
    np.testing.assert_allclose(found.perplexities, [one.perplexity for one in alone], rtol=5e-6)
    assert found.tokens.tolist() == [one.tokens for one in alone]
    assert found.oov.tolist() == [one.oov for one in alone]


@pytest.mark.parametrize("name", MODELS)
def test_lines_have_the_scores_of_each_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = MODELS[name]()
    for most in (4096, 2):
        monkeypatch.setattr(scoring, "_SENTENCES_AT_ONCE", most)
        monkeypatch.setattr(table_lm, "_LINES_AT_ONCE", most)
        expect_those_of_each_line_alone(model, LINES, model.evaluate_lines(LINES))
    expect_those_of_each_line_alone(model, LINES, model.evaluate_lines(line for line in LINES))
    assert [values.tolist() for values in model.evaluate_lines([])] == [[], [], []]
    text = "".join((line if isinstance(line, str) else " ".join(line)) + "\n" for line in LINES).encode()
    for ended in (text, text[:-1]):
        expect_those_of_each_line_alone(model, LINES, model.evaluate_text(ended))
    assert [values.tolist() for values in model.evaluate_text(b"")] == [[], [], []]
    with pytest.raises(DataError, match=r"^byte 0xff at offset 2 of the text is not UTF-8"):
        model.evaluate_text(b"a\n\xff\n")
    with pytest.raises(OptionError, match=r"^evaluate_text takes bytes, not str; use evaluate_lines for strings$"):
        model.evaluate_text("a")  # type: ignore[arg-type]


def test_long_lines_among_short_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    model = MODELS["n-grams"]()
    monkeypatch.setattr(reading, "_LONG", 30)
    monkeypatch.setattr(reading, "_PIECE", 7)
    expect_those_of_each_line_alone(model, LINES, model.evaluate_lines(LINES))
    monkeypatch.setattr(table_lm, "_LONG_BLOCK", 30)
    monkeypatch.setattr(streams, "_BLOCK_BYTES", 9)
    lines: list[str | list[str]] = [line for line in LINES if isinstance(line, str)]
    expect_those_of_each_line_alone(model, lines, model.evaluate_text("\n".join(map(str, lines)).encode()))


def test_log_probs_are_those_of_lines() -> None:
    model = MODELS["n-grams"]()
    assert model.log_probs(LINES).tolist() == model.evaluate_lines(LINES).log10_probs.tolist()


def test_strings_are_read_as_in_training() -> None:
    corpus = Corpus.build(["The cat sat."], tokenizer="word", lowercase=True)
    model = NGramLM(2, "witten-bell").fit(corpus)
    found = model.evaluate_lines(["THE cat, sat", ["The", "cat"]])
    assert (found.tokens.tolist(), found.oov.tolist()) == ([4, 3], [0, 1])


# --- edges


def test_a_token_of_probability_zero_makes_the_perplexity_infinite() -> None:
    model = NGramLM(2, "mle").fit(["a b", "b a"])
    found = model.evaluate_lines(["a b", "a a", "zzz", ""])
    assert np.isinf(found.perplexities).tolist() == [False, True, True, True]
    assert found.log10_probs[1] == -math.inf


def test_without_the_end_of_sentences_an_empty_line_has_no_token() -> None:
    model = NGramLM(2, "witten-bell", eos=False).fit(["a b", "b a"])
    found = model.evaluate_lines(["", "a"])
    assert found.tokens.tolist() == [0, 1]
    assert np.isnan(found.perplexities).tolist() == [True, False]


def test_a_line_may_be_the_name_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.txt").touch()
    model = ToyLM.random(1)
    assert model.evaluate_lines(["a.txt"]).oov.tolist() == [1]


@pytest.mark.parametrize(
    ("lines", "error", "told"),
    [
        ("a b", OptionError, "evaluate_lines takes several sentences; use evaluate_sentence for a single one"),
        ({"a": "b"}, OptionError, "evaluate_lines takes|no list of sentences"),
        (["a", 3], DataError, "3|int"),
        (["a", "a <s>"], DataError, "'<s>', which marks where sentences begin or end"),
    ],
)
@pytest.mark.parametrize("name", ["toy", "n-grams"])
def test_what_is_no_lines(name: str, lines: Iterable[str], error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        MODELS[name]().evaluate_lines(lines)


def test_a_mark_is_told_by_the_number_of_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_lm, "_LINES_AT_ONCE", 2)
    with pytest.raises(DataError, match=r"^sentence 4 holds '</s>'"):
        MODELS["n-grams"]().evaluate_lines(["a", "b", "c", "a </s>"])


log10_probs = st.one_of(st.floats(-1e6, 0), st.just(-math.inf))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(log10_probs, st.integers(0, 50)), max_size=6))
@example([(0.0, 0), (-math.inf, 3), (-math.inf, 0), (-400.0, 1), (-307.9, 1)])
def test_perplexities_are_those_of_each_text(texts: list[tuple[float, int]]) -> None:
    found = perplexities_of(np.array([prob for prob, _ in texts], float), np.array([n for _, n in texts], np.int64))
    np.testing.assert_allclose(found, [Perplexity(prob, tokens=n).perplexity for prob, n in texts], rtol=1e-12)


# --- documents


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.tuples(log10_probs, st.integers(0, 9), st.integers(0, 9)), min_size=1), max_size=5))
def test_documents_are_sums_of_their_lines(documents: list[list[tuple[float, int, int]]]) -> None:
    rows = [row for document in documents for row in document]
    columns = [np.array([row[i] for row in rows], dtype) for i, dtype in enumerate((float, np.int64, np.int64))]

    found = LineScores(*columns).joined([len(document) for document in documents])

    np.testing.assert_allclose(found.log10_probs, [math.fsum(row[0] for row in one) for one in documents], rtol=1e-12)
    assert found.tokens.tolist() == [sum(row[1] for row in document) for document in documents]
    assert found.oov.tolist() == [sum(row[2] for row in document) for document in documents]


def test_the_perplexity_of_a_document_is_that_of_its_text() -> None:
    model = MODELS["n-grams"]()
    documents = [["a b", "", "c unheard"], ["d"], ["a", "b"]]

    found = model.evaluate_lines([line for lines in documents for line in lines]).joined([3, 1, 2])

    expected = [model.evaluate(lines) for lines in documents]
    np.testing.assert_allclose(found.perplexities, [one.perplexity for one in expected], rtol=1e-5)
    assert found.tokens.tolist() == [one.tokens for one in expected]


# --- KenLM


def test_kenlm_gives_the_same_numbers(tmp_path: Path) -> None:
    kenlm = pytest.importorskip("kenlm")
    words = ["the", "cat", "dog", "sat", "ran", "on", "mat", "off", "a", "big", "small", "and", "saw", "it"]
    rng = random.Random(3)
    text = [" ".join(rng.choices(words, range(14, 0, -1), k=rng.randint(0, 9))) for _ in range(300)]
    model = NGramLM(3, discount_fallback=True).fit(text)
    model.save(tmp_path / "model.arpa")
    theirs = kenlm.Model(str(tmp_path / "model.arpa"))
    lines = [*text[:100], "", "zebra", "the zebra sat on it", "zebra " * 20]

    found = model.evaluate_lines(lines)

    np.testing.assert_allclose(found.log10_probs, [theirs.score(line) for line in lines], atol=2e-4)
    np.testing.assert_allclose(found.perplexities, [theirs.perplexity(line) for line in lines], rtol=2e-5)
    assert found.oov.tolist() == [sum(oov for *_, oov in theirs.full_scores(line)) for line in lines]

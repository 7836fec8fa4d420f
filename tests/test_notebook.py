"""What a notebook shows of objects: tables that hold what they should, escaped, and pictures; ``repr`` is as it was."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

import windrow
from tests.nn.training.estimators import ESTIMATORS
from windrow.evaluation import Perplexity, evaluate_analogies, evaluate_labels, evaluate_similarity, evaluate_spans
from windrow.evaluation.analogy import Section
from windrow.evaluation.pairs import WordPair
from windrow.lm.cache import CacheLM
from windrow.notebook import html_table, result_tables

NASTY = ["<b>x</b>", "a&b", '"q"', "</table>", "$x$"]
WORDS = ["Athens", "Greece", "Oslo", "Norway"]
VECTORS = np.array([[1, 0], [1, 1], [3, 0], [3, 2]], np.float32)


def tables(shown: object) -> list[list[list[str]]]:
    """The cells of each table, which must be well formed, below its caption."""
    root = ElementTree.fromstring(f"<div>{shown._repr_html_()}</div>")
    return [
        [[table.findtext("caption")], *([cell.text or "" for cell in row] for row in table.iter("tr"))]
        for table in root.iter("table")
    ]


def ngrams() -> windrow.NGramLM:
    return windrow.NGramLM(2, "witten-bell").fit([NASTY, NASTY[:2]])


def test_whatever_stands_in_a_cell_is_text():
    (table,) = tables(windrow.WordVectors(NASTY, np.ones((5, 2), np.float32)))
    assert [row[0] for row in table[2:]] == NASTY
    (table,) = tables(ngrams().vocabulary)
    assert {row[0] for row in table[2:]} == {*NASTY, "<unk>", "<s>", "</s>"}
    (generated,) = tables(ngrams().generate(NASTY[:1], do_sample=False)[0])
    assert generated[2][0] in NASTY
    labels = tables(evaluate_labels([[NASTY[3]]], [[NASTY[3]]]))[1]
    assert labels[2][0] == NASTY[3]
    assert "mathjax_ignore" in html_table("", [])


def test_a_long_table_ends_with_how_much_more_there_is():
    rows = [[str(number), 0.5] for number in range(30)]
    assert html_table("", rows).count("<tr>") == 20
    assert html_table("", rows).endswith("<p>… and more</p>")
    assert html_table("", rows[:20]).count("<p>") == 0
    assert html_table("", rows[:5], total=1234).endswith("<p>… and 1,229 more</p>")
    assert len(html_table("x" * 10**6, [["y" * 10**6]])) < 500


@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_estimator_shows_its_parameters_and_what_it_learned(name):
    case = ESTIMATORS[name]()
    model = case.made(epochs=2)
    (untrained,) = tables(model)
    assert ["epochs", "2"] in untrained
    assert "last loss" not in dict(untrained[1:])
    before = repr(model)

    case.fit(model, valid=True)

    (table,) = tables(model)
    facts = dict(table[1:])
    assert (facts["epochs trained"], facts["last loss"]) == ("2", f"{model.history_[-1]['loss']:.4g}")
    assert facts[case.measure] == f"{model.history_[-1]['score']:.4g}"
    assert "epoch kept" in facts
    numbers = ", ".join(f"{value:,} {name}" for name, value in model.sizes().items() if value != 1)
    assert repr(model).replace(", 1 output,", ",") == f"{before}: {numbers}"


def test_other_models_show_their_sizes():
    text = ["a b c"] * 3
    vectors = windrow.Word2Vec(vector_size=4, min_count=1, epochs=1, workers=1, sample=0)
    assert "words" not in dict(tables(vectors)[0][1:])
    assert dict(tables(vectors.fit(text))[0][1:])["words"] == "3"
    model = windrow.NGramLM(2, "witten-bell")
    assert dict(tables(model)[0][1:]) == {"order": "2", "smoothing": "'witten-bell'"}
    assert dict(tables(model.fit(text))[0][1:])["2-grams"] == str(model.table_.sizes[1])
    mixture = windrow.MixtureLM([model, CacheLM(model.vocabulary)], weights=[0.75, 0.25])
    assert dict(tables(mixture)[0][1:])["weight of CacheLM 2"] == "0.25"
    assert dict(tables(mixture.models[1])[0][1:])["size"] == "500"
    classifier = windrow.TextClassifier(vector_size=4, epochs=1, workers=1)
    assert dict(tables(classifier.fit(["a b", "c d"], ["x", "y"]))[0][1:])["labels"] == "2"
    names = [row[0] for row in tables(classifier.set_params(loss="hs"))[0][1:]]
    assert [name for name in names if "loss" in name] == ["loss", "last loss"], "the parameter and what came of it"
    corpus = windrow.Corpus.build(text)
    counts, words = tables(corpus)
    assert ["tokens", "9"] in counts
    assert words[2:] == [["c", "3"], ["b", "3"], ["a", "3"]]


def test_results_show_their_numbers():
    questions = [Section("capitals", (("Athens", "Greece", "Oslo", "Norway"),))]
    whole, sections = tables(evaluate_analogies(questions, WORDS, VECTORS))
    assert ["accuracy", "1"] in whole
    assert sections[1:] == [
        ["", "accuracy", "accuracy_interval", "correct", "total", "skipped"],
        ["capitals", "1", "1 to 1", "1", "1", "0"],
    ]
    whole, types = tables(evaluate_spans([["B-LOC", "O", "B-PER"]], [["B-LOC", "O", "O"]]))
    assert ["recall", "0.5"] in whole
    assert [row[0] for row in types[2:]] == ["LOC", "PER"]
    pairs = [WordPair("Athens", "Greece", 1.0), WordPair("Oslo", "Athens", 3.0), WordPair("Oslo", "Greece", 2.0)]
    assert ["pairs", "3"] in tables(evaluate_similarity(pairs, WORDS, VECTORS))[0]
    assert ["perplexity", "inf"] in tables(Perplexity(-np.inf, tokens=3))[0], "unlike JSON, which has no infinity"
    assert ["perplexity", "nan"] in tables(Perplexity())[0]
    assert result_tables("x", {"none": {}}).count("<table") == 1


def test_a_picture_shows_itself():
    pytest.importorskip("matplotlib")
    from windrow.viz import plot_vectors

    figure = plot_vectors(windrow.WordVectors(WORDS, VECTORS))
    assert figure._repr_png_().startswith(b"\x89PNG\r\n\x1a\n")

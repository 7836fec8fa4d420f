"""What output layers predict: words of a gap and scores of sentences, against naive twins and gensim."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.naive.steps import Path as TreePath
from tests.naive.steps import path_log_prob, softmax_log_probs
from windrow import Word2Vec
from windrow.errors import NotFittedError, OptionError

OPTIONS: dict[str, Any] = {"vector_size": 12, "min_count": 2, "epochs": 3, "workers": 1, "alpha": 0.1, "window": 3}


def trained(sentences: list[list[str]], **options: Any) -> Word2Vec:
    return Word2Vec(**{**OPTIONS, **options}).fit(sentences[:60])


def paths_of(model: Word2Vec) -> list[TreePath]:
    tree = model._training.layers["hs"].tree
    places = list(zip(tree.nodes.tolist(), tree.codes.tolist(), strict=True))
    return [places[start:stop] for start, stop in pairwise(tree.starts)]


def naive_log_probs(model: Word2Vec, hidden: np.ndarray) -> list[float]:
    tables = {name: table.astype(np.float64) for name, table in model.output_tables_.items()}
    if "ns" in tables or "softmax" in tables:
        return softmax_log_probs(hidden, tables.get("ns", tables.get("softmax")))
    return [path_log_prob(hidden, tables["hs"], path) for path in paths_of(model)]


@pytest.mark.parametrize("loss", ["ns", "hs", "softmax", "hs+ns"])
@pytest.mark.parametrize("mean", [0, 1])
def test_words_of_a_gap(loss: str, mean: int, lee_sentences: list[list[str]]) -> None:
    model = trained(lee_sentences, loss=loss, cbow_mean=mean, vector_size=7)
    words = model.wv.index_to_key
    context = [words[3], "no such word", 5, words[3]]
    rows = model.wv.vectors[[3, 5, 3]].astype(np.float64)
    hidden = rows.mean(axis=0) if mean else rows.sum(axis=0)
    expected = np.exp(naive_log_probs(model, hidden))
    assert len(expected) == len(words)

    found = model.predict_output_word(context, topn=len(words) + 9)
    assert sum(probability for _, probability in found) == pytest.approx(1, abs=1e-9)
    assert [probability for _, probability in found] == sorted((p for _, p in found), reverse=True)
    for word, probability in found:
        assert probability == pytest.approx(expected[model.wv.get_index(word)], rel=1e-6)
    assert model.predict_output_word(context, topn=3) == found[:3]


def log_logistic(score: float) -> float:
    return -math.log1p(math.exp(-score))


def gensims_log_logistic(score: float) -> float:
    """From a table of 1,000 steps, whose index is rounded down; nothing for scores beyond 6."""
    if abs(score) >= 6:
        return 0.0
    return log_logistic((int((score + 6) * (1000 // 6 // 2)) / 1000 * 2 - 1) * 6)


def naive_score(model: Word2Vec, sentence: list[str], log: Callable[[float], float] = log_logistic) -> float:
    known = [model.wv.get_index(word) for word in sentence if word in model.wv]
    vectors, total = model.wv.vectors.astype(np.float64), 0.0
    tables, paths = model.output_tables_["hs"].astype(np.float64), paths_of(model)
    for center, word in enumerate(known):
        window = [vectors[known[j]] for j in range(len(known)) if j != center and abs(j - center) <= model.window]
        if not window:
            continue
        hidden = window if model.sg else [np.mean(window, axis=0) if model.cbow_mean else np.sum(window, axis=0)]
        for one in hidden:
            total += sum(log((1 - 2 * code) * float(tables[node] @ one)) for node, code in paths[word])
    return total


@pytest.mark.parametrize("options", [{"sg": 1}, {"sg": 0}, {"sg": 0, "cbow_mean": 0}], ids=str)
def test_scores_of_sentences(options: dict[str, int], lee_sentences: list[list[str]], tmp_path: Path) -> None:
    model = trained(lee_sentences, hs=1, negative=0, **options)
    sentences = [*lee_sentences[55:64], lee_sentences[0][:2], [], ["no", "such_word"], lee_sentences[0][:1]]
    found = model.score(sentences)
    assert found == pytest.approx([naive_score(model, sentence) for sentence in sentences], rel=1e-6)
    assert (found[:9] < -10).all()
    assert found[9] < -1
    assert found[10:].tolist() == [0, 0, 0]
    assert model.score(" ".join(sentence) for sentence in sentences) == pytest.approx(found)
    model.save(tmp_path / "model")
    assert Word2Vec.load(tmp_path / "model").score(sentences) == pytest.approx(found)


def test_gensim_predicts_the_same_words(lee_sentences: list[list[str]]) -> None:
    models = pytest.importorskip("gensim.models", reason="gensim has no wheel for this Python")
    for options in ({"sg": 1}, {"sg": 0}, {"sg": 0, "cbow_mean": 0}):
        theirs = models.Word2Vec(lee_sentences[:60], **OPTIONS, **options)
        ours = trained(lee_sentences, kernel="pair", **options)
        context = ["the", "said", "of"]
        expected, found = theirs.predict_output_word(context), ours.predict_output_word(context)
        assert [word for word, _ in found] == [word for word, _ in expected]
        np.testing.assert_allclose([p for _, p in found], [p for _, p in expected], rtol=1e-3)


def test_gensim_scores_alike_but_for_its_table(lee_sentences: list[list[str]]) -> None:
    models = pytest.importorskip("gensim.models", reason="gensim has no wheel for this Python")
    for options in ({"sg": 1}, {"sg": 0}):
        options |= {"hs": 1, "negative": 0}
        theirs = models.Word2Vec(lee_sentences[:60], **OPTIONS | {"alpha": 0.025}, **options)
        ours = trained(lee_sentences, kernel="pair", alpha=0.025, **options)
        known = [[word for word in sentence if word in ours.wv] for sentence in lee_sentences[:6]]
        expected = theirs.score(known, len(known))
        found = [naive_score(ours, sentence, gensims_log_logistic) for sentence in known]
        np.testing.assert_allclose(found, expected, rtol=1e-3)
        np.testing.assert_allclose(ours.score(known), expected, rtol=0.03)  # its table is 0.03 too low on average


def test_what_cannot_be_predicted(lee_sentences: list[list[str]]) -> None:
    model = trained(lee_sentences)
    with pytest.raises(OptionError, match="train with hs = 1"):
        model.score([["a"]])
    with pytest.raises(OptionError, match="give a list of one"):
        trained(lee_sentences, hs=1).score("a b")
    for context, told in (("the said", "several words"), (["xyz"], "no word of the context"), ([], "no word of")):
        with pytest.raises(OptionError, match=told):
            model.predict_output_word(context)
    with pytest.raises(OptionError, match="topn"):
        model.predict_output_word(["the"], topn=0)
    for ask in (lambda model: model.score([["a"]]), lambda model: model.predict_output_word(["a"])):
        with pytest.raises(NotFittedError):
            ask(Word2Vec())

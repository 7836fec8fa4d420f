"""What the explorer answers: as the models do, for every kind of file, and in one line for what cannot be answered."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import windrow
from tests.explore.conftest import ODD_WORDS, word_vectors
from tests.test_golden import GOLDEN
from windrow.embeddings.clusters import cluster_words
from windrow.errors import WindrowError
from windrow.explore.asked import LONGEST_TEXT, LONGEST_WORD, Asked
from windrow.explore.completion import Completion
from windrow.explore.curves import curves_of, reported_numbers
from windrow.explore.maps import Maps
from windrow.explore.opened import Opened

MODELS = sorted(
    path
    for folder in ("0.1.0-checksums", "0.1.0-classifier", "0.1.0-subwords", "0.1.0-2026-11-30")
    for kind in ("vectors", "ngram", "arpa", "window", "recurrent", "mixture", "cache", "tagger", "classifier")
    for path in list((GOLDEN / folder / kind).glob("*"))[:3]
    if path.suffix in (".safetensors", ".arpa", ".vec")
)
VALUES = [None, True, 3, 2.5, math.nan, math.inf, 10**400, "x", [1.0], {}, {"a": 1.0}, {"a": "x", "b": 2}]
LANGUAGE, VECTORS = ["surprise", "next", "generate"], ["complete", "neighbors", "analogy", "map"]


def asked(**fields: Any) -> Asked:
    return Asked(fields)


@pytest.mark.parametrize("path", MODELS, ids=lambda path: "/".join(path.parts[-3:]))
def test_every_kind_of_model_is_opened_and_answers(path: Path) -> None:
    opened = Opened.of(str(path))
    assert [*opened.answers] in (LANGUAGE, VECTORS, ["tag"], ["labels"])
    assert opened.facts[0][1] == f"{path.stat().st_size:,} bytes"
    for question, answer in opened.answers.items():
        try:
            found = answer(asked(text="the queen <x>", word="queen", a="king", b="queen", c="man", most_words=4))
        except WindrowError as error:
            assert question in ("neighbors", "analogy", "map"), error  # whose words are others
        else:
            json.dumps(found)


def test_all_kinds_are_among_them() -> None:
    assert {tuple(Opened.of(str(path)).answers) for path in MODELS} == {
        tuple(LANGUAGE), tuple(VECTORS), ("tag",), ("labels",)}  # fmt: skip


def test_surprise_is_the_negative_log2_of_the_probability(files: dict[str, Path], opened: dict[str, Opened]) -> None:
    model = windrow.load(files["ngrams"])
    found = opened["ngrams"].answers["surprise"](asked(text=" the cat barked "))
    expected = [-math.log2(10**score.log10_prob) for score in model.word_scores("the cat barked")]
    assert [one["bits"] for one in found["words"]] == pytest.approx(expected)
    assert [one["word"] for one in found["words"]] == ["the", "cat", "barked", "</s>"]
    assert [one["unknown"] for one in found["words"]] == [False, False, True, False]
    assert found["perplexity"] == pytest.approx(model.evaluate_sentence("the cat barked").perplexity)


def test_a_sentence_of_probability_zero_has_no_number() -> None:
    from windrow.explore.language import LanguageAnswers

    found = LanguageAnswers(windrow.NGramLM(2, "mle").fit(["a b", "a c"])).surprise(asked(text="b a"))
    assert found["perplexity"] is None
    assert found["words"][0]["bits"] is None


def test_next_words_and_texts_are_the_models(files: dict[str, Path], opened: dict[str, Opened]) -> None:
    model, answers = windrow.load(files["ngrams"]), opened["ngrams"].answers
    for text in ("", "the cat"):
        found = [(one["word"], one["probability"]) for one in answers["next"](asked(text=text))["words"]]
        assert found == model.top_words(text, 15)
    options = {"temperature": 0.5, "top_k": 3, "top_p": 0.9, "seed": 7}
    found = answers["generate"](asked(prompt="the", count=2, most_words=4, **options))["texts"]
    assert found == [
        one.to_json() for one in model.generate("the", num_return_sequences=2, max_new_tokens=4, **options)
    ]


def test_neighbors_and_analogies_are_the_models(files: dict[str, Path], opened: dict[str, Opened]) -> None:
    vectors, answers = windrow.load(files["vectors"]), opened["vectors"].answers
    for text, words in (("w3", ["w3"]), ("w3  w5", ["w3", "w5"]), *((word, [word]) for word in ODD_WORDS)):
        found = answers["neighbors"](asked(word=text, how_many=4))["neighbors"]
        assert [(one["word"], one["cosine"]) for one in found] == vectors.most_similar(words, topn=4)
    found = answers["analogy"](asked(a="w1", b="w2", c="w3"))["neighbors"]
    assert [(one["word"], one["cosine"]) for one in found] == vectors.analogy("w1", "w2", "w3")


def test_entities_and_labels_are_the_models(files: dict[str, Path], opened: dict[str, Opened]) -> None:
    tagger = windrow.load(files["tagger"])
    from tests.tagging.conftest import made_up

    seen = set()
    for tokens, *_ in made_up(20, 2):
        parts = opened["tagger"].answers["tag"](asked(text=" ".join(tokens)))["parts"]
        assert [token for part in parts for token in part["tokens"]] == tokens
        tags = [part["type"] or "O" for part in parts for _ in part["tokens"]]
        assert tags == [tag.rpartition("-")[2] for tag in tagger.predict([tokens])[0]]
        seen |= set(tags)
    assert len(seen) > 1
    labels = opened["classifier"].answers["labels"](asked(text="good\nfine"))["labels"]
    assert [(one["label"], one["probability"]) for one in labels] == windrow.load(files["classifier"]).top_labels(
        ["good fine"], 2)[0]  # fmt: skip


def test_tags_that_are_no_entities_are_shown_one_by_one(
    monkeypatch: pytest.MonkeyPatch, opened: dict[str, Any]
) -> None:
    monkeypatch.setattr(windrow.WindowTagger, "predict", lambda *_: [["NOUN", "VERB"]])
    assert opened["tagger"].answers["tag"](asked(text="we wait"))["parts"] == [
        {"type": "NOUN", "tokens": ["we"]}, {"type": "VERB", "tokens": ["wait"]}]  # fmt: skip


# --- completion


# Both small sigmas, a capital I with a dot, a small one without, and what is not in the first plane.
LETTERS = "aAbBß\u03c3\u03c2\u0130\u0131é \U0001f469"


@settings(deadline=None)
@given(st.lists(st.text(LETTERS, min_size=1), unique=True), st.text(LETTERS))
def test_completion_finds_what_a_walk_over_all_words_finds(words: list[str], prefix: str) -> None:
    expected = [word for word in words if word.casefold().startswith(prefix.casefold())]
    assert Completion(words).starting_with(prefix, 3) == expected[:3]


# --- scores


def ready(answer: Any, **fields: Any) -> dict[str, Any]:
    """An answer, asked for until it is there."""
    found: dict[str, Any] = {"ready": False}
    while not found["ready"]:
        found = answer(asked(**fields))
    return found


def test_scores_are_those_of_the_evaluation(files: dict[str, Path], opened: dict[str, Opened]) -> None:
    vectors, answers = windrow.load(files["vectors"]), opened["vectors"].answers
    found = ready(answers["analogies"])
    questions = ("w1", "w2", "w3", "w4"), ("w5", "w6", "w7", "w8")
    right = [vectors.analogy(*words, topn=1)[0][0] == expected for *words, expected in questions]
    assert (found["total"], found["correct"], found["skipped"]) == (2, sum(right), 1)
    assert [one["right"] for one in found["sections"][0]["questions"]] == sorted(right)

    found = ready(answers["similarity"])
    cosines = [vectors.similarity(f"w{n}", f"w{n + 1}") for n in (1, 3, 5)]
    assert [one["cosine"] for one in found["pairs_shown"]] == [*cosines, None]
    assert found["pearson"] == pytest.approx(np.corrcoef([3, 2, 1], cosines)[0, 1], abs=1e-6)
    assert (found["pairs"], found["oov"]) == (3, 0.25)


# --- maps


def test_a_map_has_the_first_words_and_the_classes_of_a_plot() -> None:
    vectors = word_vectors()
    maps = Maps(vectors)
    found = ready(maps.answer, method="pca", top=50)
    assert found["words"] == vectors.index_to_key[:50]
    assert found["classes"] == cluster_words(vectors.head(50), 8).tolist()
    points = np.array([found["x"], found["y"]])
    assert points.shape == (2, 50)
    assert np.abs(points.mean(axis=1)).max() < 1e-6  # principal components have their center at 0
    assert maps.answer(asked(method="pca", top=50)) is found  # computed once


def test_a_map_leaves_out_stop_words_unless_they_are_asked_for() -> None:
    words = ["the", "</s>", "king", ",", "Of", "queen", "man"]
    maps = Maps(windrow.WordVectors(words, np.random.default_rng(5).normal(size=(7, 3)).astype(np.float32)))
    found = ready(maps.answer, top=3)
    assert found["words"] == ["king", "queen", "man"]
    assert ready(maps.answer, top=2)["words"] == ["king", "queen"]
    assert ready(maps.answer, top=3, all_words=True)["words"] == words[:3]
    assert len(found["x"]) == len(found["y"]) == len(found["classes"]) == 3


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"all_words": "yes"}, "all words must be true or false, not str"),
        ({"method": "som"}, "method must be one of pca, tsne, umap"),
        ({"method": []}, "method must be one of pca, tsne, umap"),
        ({"top": 1}, "most frequent words = 1 is out of range"),
        ({"top": 5001}, "most frequent words = 5001 is out of range"),
        ({"top": 3, "method": "tsne"}, "t-SNE needs at least four words"),
    ],
)
def test_maps_that_cannot_be_drawn(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(WindrowError, match=reason):
        ready(Maps(word_vectors()).answer, **fields)


def test_a_map_without_umap_learn_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(WindrowError, match=r"UMAP needs umap-learn: pip install 'windrow\[umap\]'"):
        ready(Maps(word_vectors()).answer, method="umap")


def test_a_map_without_scikit_learn_has_one_color(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("windrow.explore.maps.find_spec", lambda _: None)
    assert ready(Maps(word_vectors()).answer, top=20)["classes"] == [0] * 20


def test_maps_of_vectors_that_are_not_finite_or_too_few() -> None:
    table = np.ones((4, 2), np.float32)
    table[2] = np.nan
    with pytest.raises(WindrowError, match="not finite"):
        ready(Maps(windrow.WordVectors(list("abcd"), table)).answer)
    with pytest.raises(WindrowError, match="at least two words"):
        ready(Maps(windrow.WordVectors(["a"], table[:1])).answer)


# --- what cannot be answered

QUESTIONS = {
    "vectors": [("neighbors", ["word"]), ("complete", ["word"]), ("analogy", ["a", "b", "c"])],
    "ngrams": [("surprise", ["text"]), ("next", ["text"]), ("generate", ["prompt"])],
    "tagger": [("tag", ["text"])],
    "classifier": [("labels", ["text"])],
}
TEXTS: dict[str, Any] = {
    "empty": "",
    "blank": " \t\n ",
    "long": "x" * 10_000,
    "long sentence": "x " * 5_000,
    "too long": "x" * (LONGEST_TEXT + 1),
    "marks": "<s> a </s>",
    "HTML": "<script>alert(1)</script>",
    "NUL": "a\0b",
    "half": "\ud800",
    "controls": "\x1b[31m\u2028\u202e",
    "number": 5,
    "list": ["a"],
    "null": None,
    "scripts": " ".join(ODD_WORDS),
}


@pytest.mark.parametrize("kind", QUESTIONS)
@pytest.mark.parametrize("text", TEXTS)
def test_any_text_is_answered_or_refused_in_one_line(kind: str, text: str, opened: dict[str, Opened]) -> None:
    for question, names in QUESTIONS[kind]:
        try:
            found = opened[kind].answers[question](asked(**dict.fromkeys(names, TEXTS[text])))
        except WindrowError as error:
            assert 0 < len(str(error)) < 3 * LONGEST_WORD
        else:
            json.dumps(found).encode()
            assert text not in ("too long", "number", "list", "null")


def test_unknown_words_come_with_a_hint(opened: dict[str, Opened]) -> None:
    with pytest.raises(WindrowError, match="the word 'zebra' is not in the vocabulary; did you mean 'Zebra'"):
        opened["vectors"].answers["neighbors"](asked(word="zebra"))
    with pytest.raises(WindrowError, match="type a word first"):
        opened["vectors"].answers["analogy"](asked(a="w1", b="", c="w2"))


@pytest.mark.parametrize(
    "fields",
    [
        {"temperature": 0}, {"temperature": "hot"}, {"temperature": math.nan}, {"top_p": 0}, {"top_p": 2},
        {"top_k": -1},
        {"top_k": 1.5}, {"most_words": 10**9}, {"count": 0}, {"seed": -1}, {"seed": True}, {"seed": 10**400},
    ],
)  # fmt: skip
def test_numbers_out_of_range_are_named(fields: dict[str, Any], opened: dict[str, Opened]) -> None:
    label = next(iter(fields)).replace("_", " ").replace("count", "texts")
    with pytest.raises(WindrowError, match=f"^{label} = "):
        opened["ngrams"].answers["generate"](asked(prompt="the", **fields))


HUGE = b'{"top_k": ' + b"9" * 9_000 + b"}"


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"5", b"[" * 90_000, HUGE, b"\xff\xfe"], ids=range(7))
def test_bodies_that_are_no_json_object(body: bytes) -> None:
    with pytest.raises(WindrowError, match="the request "):
        Asked.from_json(body)


def test_files_that_hold_nothing_to_explore(tmp_path: Path) -> None:
    windrow.Phrases(min_count=1, threshold=0.1).fit(["a b", "a b", "c d"]).save(tmp_path / "phrases")
    with pytest.raises(WindrowError, match="holds phrases, not word vectors, a language model, a tagger"):
        Opened.of(str(tmp_path / "phrases"))
    with pytest.raises(WindrowError, match="not standard input"):
        Opened.of("-")
    with pytest.raises(WindrowError, match="none"):
        Opened.of(str(tmp_path / "none"))


def test_the_reports_of_a_training_are_told() -> None:
    path = next(path for path in MODELS if "recurrent" in path.parts)
    opened = Opened.of(str(path))
    assert opened.history == [
        {key: value for key, value in row.items() if isinstance(value, int | float)}
        for row in windrow.load(path).history_
    ]
    assert opened.history
    assert ("kind", "rnn-lm") in opened.facts
    assert [(curve["label"], curve["lines"]) for curve in opened.curves] == [
        (label, {"": [row[name] for row in opened.history]})
        for label, name in [
            ("mean loss per example", "loss"),
            ("perplexity of data held back", "score"),
            ("learning rate", "learning_rate"),
            ("examples per second", "per_second"),
        ]
        if name in opened.history[0]
    ]


@pytest.mark.parametrize("kind", ["tagger", "classifier"])
def test_reports_are_found_wherever_a_file_has_them(kind: str, opened: dict[str, Opened]) -> None:
    curves = {curve["label"]: curve for curve in opened[kind].curves}
    assert {*curves} == {"mean loss per example", "learning rate", "examples per second"}
    losses = [report["loss"] for report in opened[kind].history]
    assert curves["mean loss per example"]["lines"][""] == losses
    assert curves["mean loss per example"]["epochs"] == [*range(1, len(losses) + 1)]


def test_word_vectors_with_their_training_state_have_curves(tmp_path: Path) -> None:
    model = windrow.Word2Vec(vector_size=4, min_count=1, epochs=3, workers=1).fit(["the cat sat on the mat"] * 9)
    model.save(tmp_path / "model")
    (curve, *_) = Opened.of(str(tmp_path / "model")).curves
    assert curve["lines"] == {"": [row["loss"] for row in model.history_]}


def test_gradients_have_a_line_per_layer_on_a_logarithmic_axis() -> None:
    model = windrow.MLPClassifier(hidden_layer_sizes=4, epochs=3).fit(np.eye(4), [0, 1, 0, 1])
    norms = [row["gradient_norms"] for row in model.history_]
    (curve,) = (curve for curve in curves_of(model.history_) if curve["axis"] == "logarithmic")
    assert curve["label"] == "gradient norm by layer"
    assert curve["lines"] == {layer: [row[layer] for row in norms] for layer in norms[0]}
    named = {f"gradient of {layer}": norm for layer, norm in norms[0].items()}
    assert reported_numbers(model.history_[0]).items() >= named.items()


COLUMNS = ["epoch", "loss", "score", "measure", "gradient_norms"]


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(COLUMNS), st.sampled_from(VALUES)), max_size=4))
def test_any_reports_in_a_file_give_curves_of_numbers(rows: list[dict[str, Any]]) -> None:
    for curve in curves_of(rows):
        assert len(curve["epochs"]) == len(rows)
        for line in curve["lines"].values():
            assert len(line) == len(rows)
            assert all(value is None or (isinstance(value, int | float) and value is not True) for value in line)
    json.dumps([reported_numbers(row) for row in rows])

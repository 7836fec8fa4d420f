"""TextClassifier: what it learns, what it refuses, its files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score

import windrow
from tests.naive import classification as naive
from windrow import TextClassifier, WordVectors
from windrow.classification import training
from windrow.classification.kernels.rows import mean_rows
from windrow.classification.settings import LOSS_NAMES
from windrow.errors import DataError, FormatError, NotFittedError, OptionError
from windrow.files import model_file
from windrow.nn.training.stopping import DivergedError
from windrow.numeric.threads import crew

TEXTS = ["a good film", "what a great film", "a bad film", "an awful plot", "green cheese", "old cheese and wine"] * 6
LABELS = ["good", "good", "bad", "bad", "food", "food"] * 6
QUICK: dict[str, Any] = {"vector_size": 8, "learning_rate": 0.5, "epochs": 20}


def fitted(**changed: Any) -> TextClassifier:
    return TextClassifier(**{**QUICK, **changed}).fit(TEXTS, LABELS)


@pytest.fixture(params=LOSS_NAMES)
def loss(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_it_learns(loss: str) -> None:
    model = fitted(loss=loss)

    assert model.score(TEXTS, LABELS) == 1
    assert model.predict(["a great plot", ["cheese"], "awful"]).tolist() == ["good", "food", "bad"]
    losses = [row["loss"] for row in model.history_]
    assert losses[-1] < losses[0] / 4
    assert model.classes_.tolist() == ["bad", "food", "good"]
    assert model.class_counts_.tolist() == [12, 12, 12]


def test_probabilities(loss: str) -> None:
    model = fitted(loss=loss, word_ngrams=2)
    found = model.predict_proba(["a good film", "", "never seen"])

    assert found.shape == (3, 3)
    assert ((found >= 0) & (found <= 1)).all()
    if loss in ("softmax", "hs"):
        np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    assert model.classes_[found.argmax(axis=1)].tolist() == model.predict(["a good film", "", "never seen"]).tolist()
    np.testing.assert_array_equal(found[1], found[2])  # nothing that is known but the end of the text


def test_threads_that_share_the_texts_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    model, texts = fitted(word_ngrams=2, max_n=3, buckets=300), ["a good film", "", "old cheese and wine"] * 300
    averaged: list[int] = []

    def average(texts: Any, order: Any, *rest: Any) -> None:
        averaged.append(len(order))
        mean_rows(texts, order, *rest)

    monkeypatch.setattr("windrow.classification.features.mean_rows", average)
    with crew(1):
        alone = model.predict_proba(texts)
    with crew(3):
        together = model.predict_proba(texts)
    np.testing.assert_array_equal(together, alone)
    assert averaged == [900, 300, 300, 300]


def test_probabilities_are_those_of_the_mean_vector() -> None:
    model, words = fitted(word_ngrams=2, max_n=3, buckets=300), ["a", "good", "wine"]
    row_of = {word: row for row, word in enumerate(model.features_.words)}
    row_of |= {bucket: len(row_of) + place for place, bucket in enumerate(model.features_.seen_buckets.tolist())}
    found = naive.features(words, model.features_.words, 2, 0, 3, 300)
    hidden = model.vectors_[[row_of[one] for one in found if one in row_of]].mean(axis=0)
    scores = np.exp(model.output_vectors_ @ hidden)

    np.testing.assert_allclose(model.predict_proba([words])[0], scores / scores.sum(), rtol=1e-4)


def test_training_is_the_definition_text_by_text() -> None:
    """A whole training, with the order of its epochs, in float64; float32 may differ by what rounding makes."""
    model, epochs, rate = fitted(epochs=3, word_ngrams=2), 3, 0.5
    again = TextClassifier(**{**QUICK, "epochs": 1, "word_ngrams": 2, "learning_rate": 1e-30}).fit(TEXTS, LABELS)
    inputs, outputs = again.vectors_.astype(float), np.zeros((3, 8))
    row_of = {word: row for row, word in enumerate(model.features_.words)}
    row_of |= {bucket: len(row_of) + place for place, bucket in enumerate(model.features_.seen_buckets.tolist())}
    done = 0
    for epoch in range(1, epochs + 1):
        for text in np.random.default_rng([1, epoch]).permutation(len(TEXTS)):
            rows = [row_of[one] for one in naive.features(TEXTS[text].split(), list(row_of), 2, 0, 0, 2_000_000)]
            target, now = model.classes_.tolist().index(LABELS[text]), rate * (1 - done / (len(TEXTS) * epochs))

            def step(hidden: Any, gradient: Any, target: int = target, now: float = now) -> float:
                return naive.choose(target, now, outputs, hidden, gradient)

            naive.train_text(rows, inputs, step)
            done += 1

    np.testing.assert_allclose(model.vectors_, inputs, atol=2e-6)
    np.testing.assert_allclose(model.output_vectors_, outputs, atol=2e-5)


def test_equal_seeds_give_equal_models(loss: str) -> None:
    one, other, third = fitted(loss=loss), fitted(loss=loss), fitted(loss=loss, seed=2)

    assert np.array_equal(one.vectors_, other.vectors_)
    assert not np.array_equal(one.vectors_, third.vectors_)


@pytest.mark.parametrize("size", [1, 16, 40])
def test_features_that_are_looked_up_in_each_epoch(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Where there are too many to be kept; the vectors are those of before the padding is taken away."""
    kept = fitted(vector_size=size, word_ngrams=2)
    monkeypatch.setattr(training, "_MOST_KEPT", 0)
    monkeypatch.setattr(training, "_ROWS_AT_A_TIME", 3)
    looked_up = fitted(vector_size=size, word_ngrams=2)

    np.testing.assert_array_equal(kept.vectors_, looked_up.vectors_)
    np.testing.assert_array_equal(kept.output_vectors_, looked_up.output_vectors_)
    assert kept.vectors_.shape == (len(kept.features_), size)


def test_workers_share_the_texts() -> None:
    model = fitted(workers=3)
    assert model.score(TEXTS, LABELS) == 1


def test_order_and_spelling_count_with_ngrams() -> None:
    texts, labels = ["dog bites man", "man bites dog"] * 20, [0, 1] * 20
    assert TextClassifier(**QUICK).fit(texts, labels).score(texts, labels) == 0.5
    assert TextClassifier(**QUICK, word_ngrams=2).fit(texts, labels).score(texts, labels) == 1

    words, kinds = ["walking", "talking", "baker", "maker"] * 10, ["verb", "verb", "noun", "noun"] * 10
    assert TextClassifier(**QUICK, min_n=3, max_n=4).fit(words, kinds).predict(["looking", "taker"]).tolist() == [
        "verb",
        "noun",
    ]


def test_numbers_and_columns() -> None:
    frame = pandas.DataFrame({"text": TEXTS, "label": [len(label) for label in LABELS]})
    model = TextClassifier(**QUICK).fit(frame["text"], frame["label"])

    assert model.predict(frame["text"][:2]).tolist() == [4, 4]
    assert model.score(np.array(TEXTS, object), frame["label"].to_numpy()) == 1


def test_lines_with_labels_among_the_words(tmp_path: Path) -> None:
    lines = [f"__label__{label} {text}" for text, label in zip(TEXTS, LABELS, strict=True)]
    (tmp_path / "a.txt").write_text("\n".join(lines) + "\n")

    by_file, by_lists = TextClassifier(**QUICK).fit(tmp_path / "a.txt"), fitted()
    assert np.array_equal(by_file.vectors_, by_lists.vectors_)
    assert by_file.score(tmp_path / "a.txt") == 1
    assert np.array_equal(TextClassifier(**QUICK).fit(lines).vectors_, by_lists.vectors_)
    swapped = [f"{text.upper()} #{label}" for text, label in zip(TEXTS, LABELS, strict=True)]
    other = TextClassifier(**QUICK, label_prefix="#", lowercase=True).fit(swapped)
    assert np.array_equal(other.vectors_, by_lists.vectors_)


def test_text_is_folded_as_in_the_training(tmp_path: Path) -> None:
    texts, labels = ["KISA \ufb01lm", "\uff33on film"] * 9, ["tr", "en"] * 9
    model = TextClassifier(**QUICK, lowercase=True, language="tr", normalize="nfkc").fit(texts, labels)
    model.save(tmp_path / "m")
    opened = TextClassifier.load(tmp_path / "m")

    assert sorted(model.features_.words) == ["</s>", "film", "k\u0131sa", "son"]
    for one in (model, opened, clone(opened).fit(texts, labels)):
        assert one.predict(["k\u0131sa", "SON"]).tolist() == ["tr", "en"]
        assert (one.language, one.normalize) == ("tr", "nfkc")


def test_several_labels() -> None:
    texts = ["wine from france", "wine from italy", "cars from france", "cars from italy"] * 15
    labels = [["wine", "fr"], ["wine", "it"], ["car", "fr"], ("car", "it")] * 15
    model = TextClassifier(8, loss="ova", learning_rate=0.5, epochs=40).fit(texts, labels)

    found = model.top_labels(["cars from italy"], k=9, threshold=0.5)[0]
    assert {label for label, _ in found} == {"car", "it"}
    assert found[0][1] >= found[1][1] > 0.5
    assert model.score(texts, labels) == 1
    assert [len(one) for one in model.top_labels(texts[:2], k=3)] == [3, 3]
    drawn = TextClassifier(8, learning_rate=0.5, epochs=40).fit(texts, labels)  # one of the labels, each time
    assert {label for label, _ in drawn.top_labels(["wine from italy"], k=2)[0]} == {"wine", "it"}


def test_labels_may_be_names_of_files() -> None:
    model = TextClassifier(8, epochs=1).fit(["wine from france", "cars from italy"], ["wine.txt", "cars.csv"])
    assert model.classes_.tolist() == ["cars.csv", "wine.txt"]


def test_rare_words_have_no_vector() -> None:
    model = TextClassifier(**QUICK, min_count=7).fit([*TEXTS, "rare words here"], [*LABELS, "good"])
    assert "rare" not in model.features_.words
    assert "film" in model.features_.words


def test_callbacks_and_history() -> None:
    seen: list[Any] = []
    model = TextClassifier(
        **{**QUICK, "epochs": 5}, callbacks=[lambda report: seen.append(report) or report.epoch == 2]
    )
    model.fit(TEXTS, LABELS, progress=seen.append)

    assert [(report.event, report.examples) for report in seen] == [
        *(("progress", 36), ("epoch", 36)),
        *(("progress", 72), ("epoch", 72)),
    ]
    assert [row["epoch"] for row in model.history_] == [1, 2]
    assert seen[1].learning_rate == pytest.approx(0.4)


def test_scikit_learn_searches_and_validates() -> None:
    model = TextClassifier(8, epochs=10)
    search = GridSearchCV(model, {"learning_rate": [1e-6, 0.5]}, cv=3).fit(TEXTS, LABELS)

    assert search.best_params_ == {"learning_rate": 0.5}
    assert search.predict(["old wine"]).tolist() == ["food"]
    assert cross_val_score(clone(model).set_params(**QUICK), TEXTS, LABELS, cv=3).min() > 0.9


# --- what is refused


@pytest.mark.parametrize(
    ("texts", "labels", "told"),
    [
        (TEXTS, LABELS[:-1], "there are 36 texts but 35 labels; give one, or a list, for each text"),
        ([], [], "there is no text"),
        (["a", "b"], ["x", "x"], "there is 1 label; give texts of two at least"),
        (["a", "b"], ["x", 1], "labels mix strings and numbers"),
        (["a", "b"], [0.5, 1.5], r"text 1 has the label 0.5; labels are strings or whole numbers"),
        (["a", 3], ["x", "y"], "text 2"),
        (["a", "b"], None, "holds no label, a word that begins with '__label__'"),
        ([["a"], ["b"]], None, "text 1 must be a str whose labels stand among its words"),
        (["a", "b"], "xy", "y must have a label, or a list of labels, for each text; it is a string"),
    ],
)
def test_texts_that_cannot_be_used(texts: Any, labels: Any, told: str) -> None:
    with pytest.raises(DataError, match=told):
        TextClassifier(**QUICK).fit(texts, labels)


@pytest.mark.parametrize(
    "given",
    [
        {"min_n": 4, "max_n": 3},
        {"min_n": 4},
        {"loss": "other"},
        {"negative": 3},
        {"label_prefix": ""},
        {"label_prefix": "a b"},
        {"vector_size": 0},
        {"tokenizer": "other"},
        {"normalize": "nfd"},
        {"language": "tr"},
        {"language": "Turkish", "lowercase": True},
    ],
)
def test_parameters_out_of_range(given: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        fitted(**given)


def test_a_failed_fit_leaves_the_model() -> None:
    model = fitted()
    before = dict(vars(model))
    for error, change, data in (
        (DataError, {}, (["a"], ["x"])),
        (DivergedError, {"learning_rate": 1e30}, (TEXTS, LABELS)),
    ):
        model.set_params(**change)
        kept = dict(vars(model))
        with np.errstate(all="ignore"), pytest.raises(error):
            model.fit(*data)
        assert vars(model) == kept
    assert model.vectors_ is before["vectors_"]


def test_an_untrained_one_says_so(tmp_path: Path) -> None:
    for ask in (lambda m: m.predict(["a"]), lambda m: m.score(["a"], ["x"]), lambda m: m.save(tmp_path / "m")):
        with pytest.raises(NotFittedError):
            ask(TextClassifier())


# --- files


@pytest.mark.parametrize("labels", [LABELS, [len(label) for label in LABELS], [label == "bad" for label in LABELS]])
def test_a_file_gives_the_same_answers(loss: str, labels: Any, tmp_path: Path) -> None:
    model = TextClassifier(**QUICK, loss=loss, word_ngrams=2, max_n=3, buckets=500, lowercase=True).fit(TEXTS, labels)
    model.save(tmp_path / "m")
    opened = windrow.load(tmp_path / "m")

    assert isinstance(opened, TextClassifier)
    texts = ["A Great plot", "unheard of", ""]
    np.testing.assert_array_equal(opened.predict_proba(texts), model.predict_proba(texts))
    assert opened.predict(texts).tolist() == model.predict(texts).tolist()
    assert opened.classes_.dtype == model.classes_.dtype
    assert opened.history_ == model.history_
    opened.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "m").read_bytes()


def test_a_header_takes_no_memory(tmp_path: Path) -> None:
    fitted(word_ngrams=2, buckets=500).save(tmp_path / "m")
    stored = model_file.load(tmp_path / "m")
    config = {**stored.config, "parameters": {**stored.config["parameters"], "vector_size": 99_999}}
    model_file.save(tmp_path / "n", stored.kind, stored.arrays, config, stored.provenance)

    with pytest.raises(FormatError, match=r"vectors is float32 .* but should be float32 .*99999"):
        windrow.load(tmp_path / "n")


def halves(text: str) -> list[str]:
    """A tokenizer of a user's own."""
    return text.replace("-", " ").split()


def test_a_tokenizer_of_ones_own_is_asked_for_and_taken(tmp_path: Path) -> None:
    texts, labels = ["a b", "c d"] * 20, ["x", "y"] * 20
    model = TextClassifier(vector_size=4, epochs=3, tokenizer=halves).fit(texts, labels)
    model.save(tmp_path / "own.safetensors")
    loaded = TextClassifier.load(tmp_path / "own.safetensors")

    with pytest.raises(OptionError, match="set tokenizer = "):
        loaded.predict(["a-b"])
    loaded.set_params(tokenizer=halves)

    np.testing.assert_array_equal(loaded.predict_proba(["a-b", "d-a"]), model.predict_proba(["a-b", "d-a"]))


# --- given vectors


def given(words: list[str], size: int = 8) -> WordVectors:
    return WordVectors(words, np.random.default_rng(5).normal(size=(len(words), size)).astype(np.float32))


def test_given_vectors_are_begun_with_and_their_other_words_are_known(tmp_path: Path) -> None:
    vectors = given(["film", "movie", "cheese"])
    vectors.save(tmp_path / "v.txt")
    still: dict[str, Any] = {**QUICK, "epochs": 1, "learning_rate": 1e-30}
    model = TextClassifier(**still, vectors=vectors).fit(TEXTS, LABELS)
    plain = TextClassifier(**still).fit(TEXTS, LABELS)

    row_of = {word: row for row, word in enumerate(model.features_.words)}
    assert set(row_of) == {*plain.features_.words, "movie"}
    for word in vectors:
        np.testing.assert_array_equal(model.vectors_[row_of[word]], vectors[word])
    assert model.given_words_ == 2
    by_file = TextClassifier(**still, vectors=str(tmp_path / "v.txt")).fit(TEXTS, LABELS)
    np.testing.assert_allclose(by_file.vectors_, model.vectors_, rtol=1e-6)

    trained = fitted(vectors=vectors, max_n=2)
    row = trained.features_.words.index("movie")
    np.testing.assert_array_equal(trained.vectors_[row], vectors["movie"])  # no text has it
    assert not np.array_equal(trained.predict_proba(["movie"]), fitted(max_n=2).predict_proba(["movie"]))
    trained.save(tmp_path / "m")
    np.testing.assert_array_equal(
        windrow.load(tmp_path / "m").predict_proba(["movie"]), trained.predict_proba(["movie"])
    )


def test_words_without_labels_are_told_apart_by_given_vectors() -> None:
    """Of words that no text has, those whose vectors are near those of a class belong to it."""
    rng = np.random.default_rng(0)
    words = [f"{side}{number}" for side in "ab" for number in range(20)]
    near = WordVectors(words, np.array([[w[0] == "a", w[0] == "b"] for w in words]) + 0.1 * rng.normal(size=(40, 2)))
    texts = [f"{side}{number}" for number in range(4) for side in "ab"] * 5
    model = TextClassifier(2, epochs=20, learning_rate=0.5, vectors=near).fit(texts, [text[0] for text in texts])

    assert model.score(words, [word[0] for word in words]) == 1


@pytest.mark.parametrize(
    ("vectors", "error", "told"),
    [
        (given(["film"], 5), OptionError, "vectors have 5 dimensions, but vector_size = 8; try vector_size = 5"),
        (given(["unheard"]), DataError, "none of the 15 words is in vectors; are both cut into words alike?"),
        (3, OptionError, "vectors = 3 must be WordVectors, the name of a file of them, or None"),
        ("nowhere.txt", DataError, r"nowhere\.txt"),
    ],
    ids=range(4),
)
def test_vectors_that_cannot_be_used(vectors: Any, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        fitted(vectors=vectors)

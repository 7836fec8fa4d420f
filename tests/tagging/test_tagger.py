"""The tagger from files to files: what it learns, keeps, refuses."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tagging.conftest import TOYLAND, made_up
from windrow.embeddings.vectors import WordVectors
from windrow.errors import DataError, FormatError, NotFittedError, OptionError
from windrow.files import model_file
from windrow.nn.training import loop
from windrow.nn.training.stopping import DivergedError
from windrow.tagging import TaggedSentence, WindowTagger, convert, read_conll, split_by_document

SMALL: dict[str, Any] = {
    **{"vector_size": 8, "hidden_size": 16, "feature_size": 4, "affixes": (2,), "dropout": 0.1},
    **{"epochs": 3, "learning_rate": 5e-3, "batch_size": 4},
}

WITH_VECTORS = {name: value for name, value in SMALL.items() if name != "vector_size"}


def vectors_of(words: list[str], dim: int = 8) -> WordVectors:
    return WordVectors(words, np.random.default_rng(0).normal(0, 1, (len(words), dim)).astype(np.float32))


# --- what is learned


def test_toyland() -> None:
    model = WindowTagger(epochs=4, hidden_size=64).fit(TOYLAND / "ner-train.conll", valid=TOYLAND / "ner-valid.conll")
    assert model.types_ == ["LOC", "MISC", "ORG", "PER"]
    assert model.scheme_ == "iob2"
    assert model.evaluate(TOYLAND / "ner-test.conll").f1 >= 0.98


@pytest.mark.parametrize(
    "options", [{"output_layer": "softmax"}, {"output_layer": "logistic"}, {"scheme": "iob2"}, {"window": 1}]
)
def test_other_outputs_and_schemes_learn_too(options: dict[str, Any]) -> None:
    model = WindowTagger(**{**SMALL, **options, "epochs": 8}).fit(made_up(60, 1))
    assert model.evaluate(made_up(30, 2)).f1 > 0.9


def test_the_binary_classifier_of_locations() -> None:
    model = WindowTagger(**{**SMALL, "epochs": 8}, output_layer="logistic", scheme="io", types=["LOC"]).fit(
        made_up(60, 1)
    )
    assert model.tags_ == ["O", "I-LOC"]
    assert model.network_.scores.biases.value.shape == (1,)
    result = model.evaluate(made_up(30, 2))
    assert result.f1 > 0.9
    assert list(result.types) == ["LOC"]  # people are none of its business


def test_context_decides_where_the_word_does_not() -> None:
    """A word between "to" and "." is a place, at the beginning a person: only the window can tell."""
    train = made_up(120, 1)
    unseen = [TaggedSentence(["Zog", "went", "to", "Zog", "."], ["I-PER", "O", "O", "I-LOC", "O"])]
    model = WindowTagger(**{**SMALL, "epochs": 10, "dropout": 0.4}, min_count=12).fit(train)
    assert "Zog".lower() not in model.lexicon_.words
    assert model.evaluate(unseen).f1 == 1


def test_predictions_are_in_the_scheme_of_the_file(tagger: WindowTagger) -> None:
    tokens = ["in", "Rome", "we", "met", "Ada", "Grace"]
    assert tagger.predict([tokens]) == [["O", "I-LOC", "O", "O", "I-PER", "I-PER"]]
    iobes = [TaggedSentence(t, convert(g, "iobes")) for t, g, _ in made_up(60, 1)]
    model = WindowTagger(**{**SMALL, "epochs": 8}).fit(iobes)
    assert model.scheme_ == "iobes"
    assert model.predict([tokens]) == [["O", "S-LOC", "O", "O", "B-PER", "E-PER"]]


def test_entities_that_touch_stay_apart_whatever_shows_of_the_scheme() -> None:
    """No two touch in the training file, which has no B; the network finds two."""
    tagger = WindowTagger(**SMALL, scheme="iob2").fit(made_up(20, 1))
    assert tagger.scheme_ == "iob1"
    begin = tagger.tags_.index("B-PER")
    tagger.network_.decode = lambda windows: np.full(int(windows.starts[-1]), begin)  # type: ignore[method-assign]
    assert tagger.predict([["Ada", "Grace", "Alan"]]) == [["I-PER", "B-PER", "B-PER"]]


def test_columns_are_for_files() -> None:
    for columns in ({"token_column": 1}, {"tag_column": 0}):
        with pytest.raises(OptionError, match="are for files; sentences given as lists have no columns"):
            WindowTagger(**SMALL).fit(made_up(3, 1), **columns)
    with pytest.raises(OptionError, match="are for files"):
        WindowTagger(**SMALL).fit(made_up(3, 1)).evaluate(made_up(3, 1), tag_column=1)


def test_equal_seeds_give_equal_taggers() -> None:
    first, second, other = (WindowTagger(**SMALL, seed=seed).fit(made_up(20, 1)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.network_.parameters.values, second.network_.parameters.values)
    assert not np.array_equal(first.network_.parameters.values, other.network_.parameters.values)


def test_sentences_are_tagged_alike_in_any_company(tagger: WindowTagger) -> None:
    sentences = [tokens for tokens, _, _ in made_up(1500, 5)]  # more than a block
    together = tagger.predict(sentences)
    assert [len(tags) for tags in together] == [len(tokens) for tokens in sentences]
    assert together[::100] == [tagger.predict([tokens])[0] for tokens in sentences[::100]]


def test_sentences_without_tokens(tagger: WindowTagger) -> None:
    assert tagger.predict([]) == []
    assert tagger.predict([[], ["Rome"], []])[::2] == [[], []]


def test_the_best_epoch_is_kept_and_training_stops() -> None:
    valid, epochs = made_up(10, 7), []
    model = WindowTagger(**{**SMALL, "epochs": 50}, patience=2)
    model.set_params(callbacks=[lambda progress: epochs.append(model.network_.parameters.values.copy())])
    model.fit(made_up(40, 1), valid=valid)
    scores = [row["score"] for row in model.history_]
    best = int(np.argmax(scores))
    assert len(scores) == best + 1 + 2 < 50
    np.testing.assert_array_equal(model.network_.parameters.values, epochs[best])
    assert not np.array_equal(epochs[best], epochs[-1])
    assert model.evaluate(valid).f1 == max(scores)


def test_callbacks_and_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "_REPORT_SECONDS", 0.0)  # after every batch
    reports, ticks = [], []
    train = made_up(200, 1)
    model = WindowTagger(**SMALL, callbacks=[lambda p: reports.append(p) or np.bool_(len(reports) == 2)])
    model.fit(train, progress=ticks.append)
    tokens = sum(len(s.tokens) for s in train)
    assert [(r.epoch, r.examples, r.score) for r in reports] == [(1, tokens, None), (2, 2 * tokens, None)]
    assert [r.to_json() for r in reports] == model.history_
    assert [tick.examples for tick in ticks] == sorted({tick.examples for tick in ticks})
    assert {tick.event for tick in ticks} == {"progress"}
    assert len(ticks) == 2 * 50
    assert all(tick.total_examples == 3 * tokens for tick in ticks)
    assert reports[1].loss < reports[0].loss


# --- given vectors


def test_given_vectors_stay_unless_tuned() -> None:
    given = vectors_of(["rome", "Ada", "elsewhere"])
    rows = {}
    for tune in (False, True):
        model = WindowTagger(**WITH_VECTORS, vectors=given, tune=tune).fit(made_up(30, 1))
        words, table = model.lexicon_.words, model.network_.words
        assert list(words[-3:]) == ["rome", "Ada", "elsewhere"]
        rows[tune] = (table.learning.value if tune else table.frozen)[-3:]
    ratio = rows[False] / given.vectors
    np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-5)  # all scaled alike
    assert np.sqrt(np.mean(rows[False] ** 2)) == pytest.approx(0.5)
    assert not np.allclose(rows[True][:2], rows[False][:2])
    np.testing.assert_allclose(rows[True][2], rows[False][2], rtol=1e-6)  # no training text has this word


def test_vectors_with_nan_are_refused() -> None:
    sound = vectors_of(["rome", "oslo"]).vectors.copy()
    sound[1, 2] = np.nan
    given = WordVectors(["rome", "oslo"], sound)
    with pytest.raises(OptionError, match="the vector of 'oslo' holds a number that is not finite"):
        WindowTagger(**WITH_VECTORS, vectors=given).fit(made_up(5, 1))


# --- when it goes wrong


def test_divergence_is_told_and_leaves_sound_parameters() -> None:
    model = WindowTagger(**{**SMALL, "learning_rate": 1e25}, optimizer="sgd", clip_norm=None)
    with pytest.raises(DivergedError, match=r"diverged at step \d+ \(epoch 1\).*parameters of the start.*try learning"):
        model.fit(made_up(20, 1))
    assert np.isfinite(model.network_.parameters.values).all()
    assert len(model.predict([["Rome"]])[0]) == 1


def test_ctrl_c_keeps_the_best_epoch() -> None:
    valid = made_up(10, 7)

    def interrupt(progress: Any) -> None:
        if progress.epoch == 2:
            raise KeyboardInterrupt

    model = WindowTagger(**SMALL, callbacks=[interrupt])
    with pytest.raises(KeyboardInterrupt, match=r"training stopped in epoch 3; .* parameters of its best epoch so far"):
        model.fit(made_up(40, 1), valid=valid)
    assert model.evaluate(valid).f1 == max(row["score"] for row in model.history_)


@pytest.mark.parametrize(
    ("sentences", "error", "message"),
    [
        ([], DataError, "the given list holds no tokens"),
        ([(["a"], ["O"])], DataError, "no entities to learn: every tag is O; is the tag in another column?"),
        ([(["a", "b"], ["O"])], DataError, "sentence 1 has 2 tokens and 1 tags"),
        ([(["a"], ["O"]), ("ab", ["O", "O"])], DataError, "sentence 2 has a string"),
        ([(["a"], ["O"]), 3], DataError, "sentence 2 is no pair"),
        ([(["a"], ["LOC"])], DataError, "sentence 1: the tag 'LOC' is neither"),
    ],
)
def test_sentences_that_cannot_be_learned(sentences: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        WindowTagger(**SMALL).fit(sentences)


def test_types_that_do_not_occur() -> None:
    with pytest.raises(OptionError, match=r"types = \['CITY'\] are no entities of .*; it has LOC, PER"):
        WindowTagger(**SMALL, types=["LOC", "CITY"]).fit(made_up(5, 1))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("window", 4), ("window", 0), ("window", 2.5), ("hidden_size", 0), ("vector_size", 0), ("seed", -1)],
        *[("dropout", 1), ("dropout", float("nan")), ("learning_rate", 0), ("clip_norm", 0), ("epochs", 0)],
        *[
            ("output_layer", "hmm"),
            ("scheme", "bio"),
            ("activation", "sigmoid"),
            ("optimizer", "magic"),
            ("schedule", "?"),
        ],
        *[("affixes", (0,)), ("types", "LOC"), ("vectors", {"a": 1}), ("batch_size", 0), ("patience", 0)],
    ],
)
def test_parameters_out_of_range(name: str, value: Any) -> None:
    with pytest.raises(OptionError, match=name):
        WindowTagger(**{**SMALL, name: value}).fit(made_up(5, 1))


def test_types_unknown_to_training_count_as_missed(tagger: WindowTagger) -> None:
    known = [(["in", "Rome", "we", "met", "Ada"], ["O", "B-LOC", "O", "O", "B-PER"])]
    other = [(["in", "Rome", "we", "met", "Ada"], ["O", "B-LOC", "O", "O", "B-DEITY"])]
    assert tagger.evaluate(known).f1 == 1
    result = tagger.evaluate(other)
    assert (result.overall.correct, result.overall.gold, result.overall.predicted) == (1, 2, 2)
    assert result.types["DEITY"].recall == 0


def test_nothing_to_judge_by(tagger: WindowTagger) -> None:
    with pytest.raises(DataError, match="holds no entities to judge by"):
        tagger.evaluate([(["a"], ["O"])])
    with pytest.raises(DataError, match="holds no entities to judge by"):
        WindowTagger(**SMALL).fit(made_up(5, 1), valid=[(["a"], ["O"])])
    with pytest.raises(DataError, match="sentence 1 is a string"):
        tagger.predict(["Rome"])


def test_an_untrained_tagger(tmp_path: Path) -> None:
    for use in (lambda t: t.predict([["a"]]), lambda t: t.save(tmp_path / "x")):
        with pytest.raises(NotFittedError, match="call fit first"):
            use(WindowTagger())


# --- files


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"output_layer": "softmax"},
        {"output_layer": "logistic"},
        {"given": True},
        {"given": True, "tune": True},
        {"scheme": "io"},
    ],
)
def test_a_tagger_survives_its_file(tmp_path: Path, options: dict[str, Any]) -> None:
    given = vectors_of(["rome", "Ada", "oslo"]) if "given" in options else None
    options = {name: value for name, value in options.items() if name != "given"}
    small = SMALL if given is None else WITH_VECTORS
    model = WindowTagger(**{**small, "epochs": 6}, vectors=given, **options).fit(made_up(40, 1))
    model.save(tmp_path / "a.tagger")
    loaded = WindowTagger.load(tmp_path / "a.tagger")
    sentences = [*(s.tokens for s in made_up(50, 9)), ["Elsewhere", "Oslo", "1984"]]
    assert loaded.predict(sentences) == model.predict(sentences)
    assert len({tag for tags in model.predict(sentences) for tag in tags}) == 3
    for name in ("types_", "tags_", "scheme_", "history_"):
        assert getattr(loaded, name) == getattr(model, name)
    params = {name: value for name, value in model.get_params().items() if name not in ("vectors", "affixes")}
    assert {name: loaded.get_params()[name] for name in params} == params
    loaded.save(tmp_path / "b.tagger")
    assert WindowTagger.load(tmp_path / "b.tagger").predict(sentences) == model.predict(sentences)


def test_a_tagger_survives_pickle(tagger: WindowTagger) -> None:
    sentences = [s.tokens for s in made_up(20, 9)]
    assert pickle.loads(pickle.dumps(tagger)).predict(sentences) == tagger.predict(sentences)


def damaged(source: Path, target: Path, **changes: Any) -> Path:
    """A copy of a model file with some arrays replaced, or dropped where None."""
    stored = model_file.load(source)
    arrays = {name: changes.get(name.replace(".", "_"), array) for name, array in stored.arrays.items()}
    config = {**stored.config, **changes.get("config", {})}
    arrays = {name: array for name, array in arrays.items() if array is not None}
    model_file.save(target, changes.get("kind", stored.kind), arrays, config)
    return target


def test_damaged_files(tmp_path: Path, tagger: WindowTagger) -> None:
    sound = tmp_path / "a.tagger"
    tagger.save(sound)
    infinite = tagger.network_.hidden.weights.value.copy()
    infinite[0, 0] = np.inf
    for changes, message in [
        ({"kind": "word-vectors"}, "holds word vectors, not an entity tagger"),
        ({"hidden_weights": None}, "holds no array 'hidden.weights'"),
        ({"hidden_weights": infinite}, "not finite"),
        ({"scores_biases": np.zeros(3, np.float32)}, r"scores.biases is float32 \(3,\), not float32 \(9\)"),
        ({"words_vectors": np.zeros((2, 8), np.float32)}, "words.vectors is"),
        ({"words_word_bytes": None}, "holds no vocabulary"),
        ({"config": {"types_": ["LOC"]}}, "scores.weights is"),
        ({"config": {"parameters": {"window": 4}}}, "the tagger's header is damaged .*must be odd"),
        ({"config": {"parameters": {"colour": 4}}}, "the tagger's header is damaged"),
        ({"config": {"types_": 7}}, "the types of entities are 7, not a list"),
    ]:
        path = damaged(sound, tmp_path / "b.tagger", **changes)
        with pytest.raises(FormatError, match=message) as caught:
            WindowTagger.load(path)
        assert "\n" not in str(caught.value)


# --- real files


@pytest.mark.skipif("WINDROW_DATA" not in os.environ, reason="WINDROW_DATA names no folder with real files")
def test_real_files() -> None:
    folder = Path(os.environ["WINDROW_DATA"]) / "ner"
    wikigold = list(read_conll(folder / "wikigold" / "wikigold.conll.txt"))
    assert sum(len(s.tokens) for s in wikigold) == 39_007
    train, valid, test = split_by_document(wikigold)
    assert len({s.document for s in train}) == 116
    model = WindowTagger(vector_size=20, hidden_size=40, epochs=3, batch_size=8, learning_rate=3e-3)
    model.fit(train[:600], valid=valid)
    assert model.scheme_ == "iob1"  # without any B
    assert model.types_ == ["LOC", "MISC", "ORG", "PER"]
    assert model.evaluate(test).f1 > 0.3  # a twentieth of the training that its figures are given for


def test_vectors_that_know_no_word_are_refused() -> None:
    vectors = WordVectors(["hibou", "chat"], np.eye(2, dtype=np.float32))
    with pytest.raises(DataError, match="no word of the sentences is in vectors"):
        WindowTagger(vectors=vectors, epochs=1).fit([TaggedSentence(["Ann", "sleeps"], ["B-PER", "O"])])

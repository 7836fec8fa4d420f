"""The Word2Vec of windrow.compat.gensim against gensim's own: the same calls, the same vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import windrow
from tests.embeddings.conftest import lee_sentences  # noqa: F401  # a fixture
from windrow.compat import gensim
from windrow.compat.gensim.models.callbacks import CallbackAny2Vec
from windrow.compat.gensim.models.word2vec import NotBuiltError, Word2Vec
from windrow.errors import DataWarning, FormatError, OptionError

theirs = pytest.importorskip("gensim.models", reason="gensim has no wheel for this Python")
SMALL: dict[str, Any] = {"vector_size": 20, "min_count": 2, "epochs": 2, "workers": 1, "seed": 1}
MODES = [{"sg": 1}, {"sg": 0}, {"sg": 1, "cbow_mean": 0}, {"sg": 0, "hs": 1, "negative": 0, "ns_exponent": 0.5}]
TOLERANCE = 3e-4  # see tests/embeddings/test_word2vec_equals_gensim.py
Sentences = list[list[str]]


def assert_equal(ours: Word2Vec, other: Any) -> None:
    assert ours.wv.index_to_key == other.wv.index_to_key
    assert ours.wv.counts.tolist() == [other.wv.get_vecattr(word, "count") for word in other.wv.index_to_key]
    np.testing.assert_allclose(ours.wv.vectors, other.wv.vectors, rtol=0, atol=TOLERANCE)
    for name in ("syn1", "syn1neg"):
        assert hasattr(ours, name) == hasattr(other, name)
        if hasattr(other, name):
            np.testing.assert_allclose(getattr(ours, name), getattr(other, name), rtol=0, atol=TOLERANCE)
    for name in ("corpus_count", "corpus_total_words", "epochs", "vector_size", "layer1_size", "train_count"):
        assert getattr(ours, name) == getattr(other, name)


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_a_script_gives_what_it_gave(mode: dict[str, Any], lee_sentences: Sentences, tmp_path: Path) -> None:  # noqa: F811
    """Constructor, more epochs, a file, new words, a frozen word: each step as gensim's."""
    few, more = lee_sentences[:40], lee_sentences[40:70]
    ours, other = Word2Vec(few, **SMALL | mode, kernel="pair"), theirs.Word2Vec(few, **SMALL | mode)
    assert_equal(ours, other)
    assert repr(ours) == str(other)

    ours.save(tmp_path / "model")
    ours = Word2Vec.load(tmp_path / "model")
    for model in (ours, other):
        model.train(few, total_examples=model.corpus_count, epochs=1, start_alpha=0.02, end_alpha=0.01)
    assert_equal(ours, other)
    if mode.get("hs"):  # where gensim lets inner nodes of another tree keep the vectors of this one
        return
    for model in (ours, other):
        model.build_vocab(more, update=True)
        model.wv.vectors_lockf = np.ones(len(model.wv), np.float32)
        model.wv.vectors_lockf[3] = 0
    before = ours.wv.vectors[3]
    assert_equal(ours, other)
    # For words that this text has less than min_count times gensim keeps the sub-sampling of the text before.
    for model in (ours, other):
        model.sample = 0
        model.train(more, total_examples=model.corpus_count, epochs=3)
    assert_equal(ours, other)
    np.testing.assert_array_equal(ours.wv.vectors[3], before)


def test_words_are_chosen_as_by_gensim(lee_sentences: Sentences) -> None:  # noqa: F811
    few = lee_sentences[:30]

    def rule(word: str, count: int, min_count: int) -> int:
        return {"the": 1, "fires": 2}.get(word, 0)

    for options in (
        {"min_count": 0}, {"min_count": 3, "sorted_vocab": 0}, {"max_final_vocab": 40, "min_count": 1},
        {"max_final_vocab": 9999, "min_count": 4}, {"trim_rule": rule, "min_count": 6},
    ):  # fmt: skip
        rules = {"trim_rule": options.pop("trim_rule", None)}
        ours, other = Word2Vec(vector_size=4, **options), theirs.Word2Vec(vector_size=4, **options)
        for model in (ours, other):
            model.build_vocab(few, **rules)
        assert_equal(ours, other)
        for model in (ours, other):
            model.build_vocab_from_freq({"zebra": 7, "the": 9, "rare": 1, "fires": 5}, update=True, **rules)
        assert ours.wv.index_to_key == other.wv.index_to_key
        assert ours.wv.get_vecattr("zebra", "count") == 7
        ours, other = Word2Vec(vector_size=4, **options), theirs.Word2Vec(vector_size=4, **options)
        for model in (ours, other):
            model.build_vocab_from_freq({"a": 8, "b": 9, "c": 8}, corpus_count=3)
        assert_equal(ours, other)


class Record(CallbackAny2Vec):
    def __init__(self) -> None:
        self.heard: list[tuple[str, float]] = []

    def note(self, name: str, model: Any) -> None:
        self.heard.append((name, float(np.abs(model.wv.vectors).sum())))

    def on_train_begin(self, model: Any) -> None:
        self.note("begin", model)

    def on_epoch_begin(self, model: Any) -> None:
        self.note("epoch", model)

    def on_epoch_end(self, model: Any) -> None:
        self.note("end", model)

    def on_train_end(self, model: Any) -> None:
        self.note("done", model)


# gensim takes losses from its table of logarithms, which is too low by 0.03 on average, see test_prediction.py.
def test_callbacks_and_losses_are_those_of_gensim(lee_sentences: Sentences) -> None:  # noqa: F811
    ours, other = Record(), Record()
    options = {**SMALL, "compute_loss": True, "min_count": 1}
    model = Word2Vec(lee_sentences[:20], **options, kernel="pair", callbacks=[ours])
    their_model = theirs.Word2Vec(lee_sentences[:20], **options, callbacks=[other])
    assert [name for name, _ in ours.heard] == [name for name, _ in other.heard]
    np.testing.assert_allclose([total for _, total in ours.heard], [total for _, total in other.heard], rtol=1e-4)
    assert model.get_latest_training_loss() == pytest.approx(their_model.get_latest_training_loss(), rel=0.03)
    with pytest.warns(DataWarning, match="none|no word"):
        assert model.predict_output_word(["xyz"]) is None
    expected = their_model.predict_output_word(["the", 3])
    assert [word for word, _ in model.predict_output_word(["the", 3])] == [word for word, _ in expected]


def test_a_file_of_a_sentence_per_line(lee_sentences: Sentences, tmp_path: Path) -> None:  # noqa: F811
    file = tmp_path / "text.txt"
    file.write_text("\n".join(map(" ".join, lee_sentences[:30])), "utf-8")
    model = gensim.Word2Vec(corpus_file=file, **SMALL)
    expected = gensim.models.Word2Vec(lee_sentences[:30], **SMALL)
    np.testing.assert_array_equal(model.wv.vectors, expected.wv.vectors)
    again = gensim.models.Word2Vec((sentence for sentence in lee_sentences[:30]), **SMALL)
    np.testing.assert_array_equal(again.wv.vectors, expected.wv.vectors)
    other = Word2Vec(lee_sentences[:9], **SMALL)
    other.reset_from(model)
    assert other.wv.index_to_key == model.wv.index_to_key


def test_questions_are_about_the_vectors_of_now(lee_sentences: Sentences) -> None:  # noqa: F811
    model = Word2Vec(lee_sentences[:30], **SMALL, hs=1)
    first, score = model.predict_output_word(["the"]), model.score([["the", "fires"]])
    assert model.predict_output_word(["the"]) == first
    model.wv["the"] = -model.wv["the"]
    second = model.predict_output_word(["the"])
    assert second != first
    assert model.score([["the", "fires"]]) != score
    model.train(lee_sentences[:30], total_examples=30, epochs=2)
    assert model.predict_output_word(["the"]) not in (first, second)


def test_files_are_those_of_windrow(lee_sentences: Sentences, tmp_path: Path) -> None:  # noqa: F811
    windrow.Word2Vec(**SMALL, loss="hs+ns", shrink_windows=False).fit(lee_sentences[:30]).save(tmp_path / "windrow")
    model = Word2Vec.load(tmp_path / "windrow")
    assert (model.hs, model.negative, model.shrink_windows, model.epochs) == (1, 5, False, 2)
    model.save(tmp_path / "again")
    loaded = windrow.Word2Vec.load(tmp_path / "again")
    np.testing.assert_array_equal(loaded.wv.vectors, model.wv.vectors)
    assert model.score([["the", "fires"]])[0] == pytest.approx(loaded.score([["the", "fires"]])[0])
    windrow.Word2Vec(**SMALL, loss="softmax").fit(lee_sentences[:9]).save(tmp_path / "softmax")
    with pytest.raises(OptionError, match=r"open it by windrow\.Word2Vec\.load"):
        Word2Vec.load(tmp_path / "softmax")
    model.wv.save(tmp_path / "vectors")
    with pytest.raises(FormatError, match="vectors alone"):
        Word2Vec.load(tmp_path / "vectors")


def test_training_that_diverges_goes_on_by_pairs(lee_sentences: Sentences) -> None:  # noqa: F811
    options = {**SMALL, "alpha": 0.2, "min_alpha": 0.2, "negative": 15, "shrink_windows": False, "sample": 0}
    with pytest.warns(DataWarning, match="starts again with kernel='pair'"):
        model = Word2Vec(lee_sentences[:60], **options)
    assert np.isfinite(model.wv.vectors).all()


def test_what_is_refused(tmp_path: Path) -> None:
    text = [["a", "b", "c"]] * 9
    model = Word2Vec(text, min_count=1, vector_size=3, workers=1, sample=0)
    (tmp_path / "t.bz2").write_text("")
    cases: list[tuple[Any, type[Exception], str]] = [
        (lambda: Word2Vec(text, null_word=1), OptionError, "null_word"),
        (lambda: Word2Vec(text, min_count=99), RuntimeError, "lower min_count = 99"),
        (lambda: Word2Vec([]), RuntimeError, "empty"),
        (lambda: Word2Vec(3), TypeError, "iterable"),
        (lambda: Word2Vec(corpus_file=tmp_path / "none"), TypeError, "is no file"),
        (lambda: Word2Vec(corpus_file=tmp_path / "t.bz2"), TypeError, "compressed"),
        (lambda: Word2Vec(text, corpus_file="x"), TypeError, "one of them"),
        (lambda: Word2Vec(vector_size=0), ValueError, "vector_size"),
        (lambda: Word2Vec(hs=0, negative=0), ValueError, "leave nothing to train"),
        (lambda: Word2Vec().train(text, total_examples=9, epochs=1), RuntimeError, "build_vocab first"),
        (lambda: Word2Vec().build_vocab(text, update=True), RuntimeError, "build_vocab first"),
        (lambda: Word2Vec().save(tmp_path / "m"), NotBuiltError, "build_vocab first"),
        (lambda: model.train(text, epochs=1), ValueError, "total_examples"),
        (lambda: model.train(text, total_examples=9), ValueError, "epochs"),
        (lambda: model.train(text, total_words=9, epochs=1, size=3), OptionError, "no argument size"),
        (lambda: model.build_vocab(text, size=3), OptionError, "min_count alone"),
        (lambda: model.score([["a"]]), RuntimeError, "hs=1"),
        (
            lambda: Word2Vec(text, min_count=1, hs=1, negative=0, sample=0).predict_output_word(["a"]),
            RuntimeError,
            "ne",
        ),
        (lambda: model.syn1, AttributeError, "syn1 is not there; write hs=1"),
        (lambda: model.init_sims, AttributeError, r"write wv\.get_normed_vectors"),
        (lambda: model.colour, AttributeError, "no attribute 'colour'"),
    ]
    for call, kind, told in cases:
        with pytest.raises(kind, match=told):
            call()

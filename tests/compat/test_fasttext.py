"""The FastText of windrow.compat.gensim: windrow's vectors, in files that gensim reads, too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import windrow
from windrow.compat import gensim
from windrow.compat.gensim.models.fasttext import (
    FastText,
    FastTextKeyedVectors,
    load_facebook_model,
    load_facebook_vectors,
    save_facebook_model,
)
from windrow.corpus.subwords import subword_ids
from windrow.errors import FormatError, OptionError

theirs = pytest.importorskip("gensim.models.fasttext", reason="gensim has no wheel for this Python")
TEXT = [["walking", "and", "talking"], ["walked", "and", "talked"], ["thé", "walk"]] * 6
SMALL: dict[str, Any] = {"vector_size": 8, "min_count": 1, "sample": 0, "workers": 1, "epochs": 2}
NGRAMS: dict[str, Any] = {"min_n": 2, "max_n": 4, "bucket": 30_011}
HARMLESS: dict[str, Any] = {"hashfxn": len, "batch_words": 9, "max_vocab_size": 99, "word_ngrams": 1, "null_word": 0}


@pytest.fixture(scope="module")
def model() -> FastText:
    return FastText(TEXT, **SMALL, **NGRAMS, negative=5)


@pytest.mark.parametrize("mode", [{"sg": 1}, {"hs": 1, "negative": 0}], ids=str)
def test_vectors_are_those_of_windrow(mode: dict[str, Any]) -> None:
    expected = windrow.Word2Vec(**SMALL, **mode, subwords=True, min_n=2, max_n=4, buckets=30_011).fit(TEXT).wv
    ours = gensim.FastText(
        TEXT, **SMALL, **NGRAMS, **mode, hashfxn=len, batch_words=9, max_vocab_size=99, word_ngrams=1
    )
    assert ours.wv.index_to_key == expected.index_to_key
    np.testing.assert_array_equal(ours.wv.vectors, expected.vectors)
    np.testing.assert_array_equal(ours.wv["walks"], expected["walks"])
    steps = gensim.models.FastText(**SMALL, **NGRAMS, **mode)
    steps.build_vocab(TEXT)
    steps.train(TEXT, total_examples=steps.corpus_count, epochs=2)
    np.testing.assert_array_equal(steps.wv.vectors, expected.vectors)


def test_a_vector_is_the_mean_of_its_parts(model: FastText) -> None:
    wv = model.wv
    assert isinstance(wv, FastTextKeyedVectors)
    assert (wv.min_n, wv.max_n, wv.bucket) == (2, 4, 30_011)
    for word in ("walks", "walking", "thés"):
        parts = wv.vectors_ngrams[subword_ids(word, 2, 4, 30_011)]
        if word in wv.key_to_index:
            parts = np.vstack([parts, wv.vectors_vocab[wv.key_to_index[word]]])
        np.testing.assert_allclose(wv[word], parts.mean(axis=0), atol=1e-6)
    assert "walks" in wv and not wv.has_index_for("walks")
    assert len(wv.most_similar("walks", topn=3)) == 3
    assert wv.similarity("walks", "walks") == pytest.approx(1)
    assert "Ω" in wv and not wv["Ω"].any()  # none of its n-grams is known


def test_training_goes_on_with_new_words() -> None:
    model = FastText(TEXT, **SMALL, **NGRAMS)
    before, more = model.wv, [["talks", "walks", "moo"]] * 6
    model.build_vocab(more, update=True)
    known = before.ngrams.subwords.used  # type: ignore[union-attr]
    np.testing.assert_array_equal(model.wv.vectors_ngrams[known], before.vectors_ngrams[known])
    np.testing.assert_allclose(model.wv["walking"], before["walking"], atol=1e-6)
    start = model.wv
    assert model.train(more, total_examples=6, epochs=3)[1] == 3 * 18
    assert model.wv.index_to_key == [*before.index_to_key, "talks", "walks", "moo"]
    np.testing.assert_array_equal(model.wv["and"], start["and"])  # no word of this text shares a part with it
    assert not np.allclose(model.wv["walking"], start["walking"])  # its n-grams are in the text
    assert len(model.predict_output_word(["walks"], topn=2) or ()) == 2


def test_vectors_that_were_changed_are_trained_further() -> None:
    model = FastText(TEXT, **SMALL, **NGRAMS)
    before = model.wv["walking"]
    model.wv["and"] = np.ones(8, np.float32)
    model.train([["and", "and"]], total_examples=1, epochs=1, start_alpha=1e-30, end_alpha=1e-31)
    np.testing.assert_allclose(model.wv["and"], 1, atol=1e-5)
    np.testing.assert_allclose(model.wv["walking"], before, atol=1e-6)


def test_a_file_is_trained_further_as_the_model_is(tmp_path: Path) -> None:
    model = FastText(TEXT, **SMALL, **NGRAMS)
    model.save(tmp_path / "model")
    loaded = FastText.load(tmp_path / "model")
    assert loaded.predict_output_word(["and"]) == model.predict_output_word(["and"])
    for one in (model, loaded):
        one.build_vocab([["talks", "moo"]] * 6, update=True)
        one.train([["talks", "moo"]] * 6, total_examples=6, epochs=2)
    np.testing.assert_array_equal(loaded.wv.vectors, model.wv.vectors)
    np.testing.assert_array_equal(loaded.wv["walks"], model.wv["walks"])
    np.testing.assert_array_equal(loaded.syn1neg, model.syn1neg)


def test_without_ngrams_it_is_word2vec() -> None:
    expected = gensim.Word2Vec(TEXT, **SMALL).wv
    without: list[dict[str, Any]] = [{"max_n": 0}, {"bucket": 0}, {"min_n": 5, "max_n": 4}]
    for options in without:
        wv = FastText(TEXT, **SMALL, **options).wv
        assert "walks" not in wv and wv.bucket == 0
        np.testing.assert_array_equal(wv.vectors, expected.vectors)


@pytest.mark.parametrize("options", [NGRAMS, {"max_n": 0}], ids=str)
def test_files(options: dict[str, Any], tmp_path: Path) -> None:
    model = FastText(TEXT, **SMALL, **options)
    model.save(tmp_path / "model")
    loaded = FastText.load(tmp_path / "model")
    assert (loaded.epochs, loaded.min_n, loaded.max_n, loaded.corpus_count) == (2, model.min_n, model.max_n, 18)
    assert loaded.wv.bucket == model.wv.bucket
    model.wv.save(tmp_path / "vectors")
    save_facebook_model(model, tmp_path / "m.bin")
    facebook = load_facebook_model(tmp_path / "m.bin")
    assert (facebook.wv.bucket, facebook.vector_size) == (model.wv.bucket, 8)
    tables = [loaded.wv, FastTextKeyedVectors.load(tmp_path / "vectors"), windrow.load(tmp_path / "model"), facebook.wv]
    tables += [load_facebook_vectors(tmp_path / "m.bin"), theirs.load_facebook_vectors(str(tmp_path / "m.bin"))]
    for wv in tables:
        assert list(wv.index_to_key) == model.wv.index_to_key
        for word in [*model.wv.index_to_key, *["walks", "talker"] * bool(model.bucket)]:
            np.testing.assert_allclose(wv[word], model.wv[word], atol=1e-6)


def test_a_facebook_file_is_trained_further(tmp_path: Path) -> None:
    for mode in ({"negative": 5}, {"hs": 1, "negative": 0}):
        model = FastText(TEXT, **SMALL, **NGRAMS, **mode)
        save_facebook_model(model, tmp_path / "m.bin")
        loaded = load_facebook_model(tmp_path / "m.bin")
        assert (loaded.hs, loaded.negative, loaded.epochs, loaded.window) == (model.hs, model.negative, 2, 5)
        loaded.workers, loaded.sample = 1, 0
        before = loaded.wv["walks"]
        loaded.build_vocab([["talks", "moo"]] * 6, update=True)
        loaded.train([["talks", "moo", "walk"]] * 6, total_examples=6, epochs=2)
        assert "moo" in loaded.wv.key_to_index and not np.array_equal(loaded.wv["walks"], before)
        save_facebook_model(loaded, tmp_path / "again.bin")
        np.testing.assert_allclose(load_facebook_model(tmp_path / "again.bin").wv["moo"], loaded.wv["moo"], atol=1e-6)


def test_two_output_layers_in_a_facebook_file(tmp_path: Path) -> None:
    """It holds that of the tree; as in gensim noise words are trained, too, where the file says how many."""
    model = FastText(TEXT, **SMALL, **NGRAMS, hs=1, negative=4)
    save_facebook_model(model, tmp_path / "m.bin")
    loaded = load_facebook_model(tmp_path / "m.bin")
    assert (loaded.hs, loaded.negative) == (1, 4)
    np.testing.assert_array_equal(loaded.syn1, model.syn1)
    assert not loaded.syn1neg.any()
    loaded.train(TEXT, total_examples=18, epochs=1)
    assert loaded.syn1neg.any()


def test_words_of_other_encodings(model: FastText, tmp_path: Path) -> None:
    save_facebook_model(model, tmp_path / "m.bin")
    data = (tmp_path / "m.bin").read_bytes()
    (tmp_path / "latin.bin").write_bytes(data.replace("thé".encode(), "thé".encode("latin-1")))
    (tmp_path / "broken.bin").write_bytes(data.replace("thé".encode(), b"th\xe6\xb1"))
    assert "thé" in load_facebook_vectors(tmp_path / "latin.bin", encoding="latin-1").key_to_index
    assert "th\\xe6\\xb1" in load_facebook_model(tmp_path / "broken.bin").wv.key_to_index  # as gensim reads it


def test_files_of_gensim_are_read(tmp_path: Path) -> None:
    other = theirs.FastText(TEXT, **SMALL, **NGRAMS, sg=1)
    theirs.save_facebook_model(other, str(tmp_path / "m.bin"))
    model = load_facebook_model(tmp_path / "m.bin")
    for name in ("sg", "hs", "negative", "window", "epochs", "min_count", "vector_size", "sample"):
        assert getattr(model, name) == getattr(other, name)
    for word in (*other.wv.index_to_key, "walks", "unlike"):
        np.testing.assert_allclose(model.wv[word], other.wv[word], atol=1e-6)


def test_files_of_before_2017_are_read(model: FastText, tmp_path: Path) -> None:
    save_facebook_model(model, tmp_path / "m.bin")
    new = (tmp_path / "m.bin").read_bytes()
    entries = sum(len(word.encode()) + 10 for word in model.wv)
    at = [64 + 20, 64 + 28 + entries, 64 + 28 + entries + 1 + 16 + (len(model.wv) + model.bucket) * 8 * 4]
    old = new[8 : at[0]] + new[at[0] + 8 : at[1]] + new[at[1] + 1 : at[2]] + new[at[2] + 1 :]
    (tmp_path / "old.bin").write_bytes(old)
    wv = load_facebook_vectors(tmp_path / "old.bin")
    np.testing.assert_allclose(wv.vectors, model.wv.vectors, atol=1e-6)
    np.testing.assert_allclose(theirs.load_facebook_vectors(str(tmp_path / "old.bin"))["walks"], wv["walks"], atol=1e-6)
    (tmp_path / "old.bin").write_bytes(old[:-4])
    with pytest.raises(FormatError, match="too early"):
        load_facebook_vectors(tmp_path / "old.bin")


def test_what_is_refused(model: FastText, tmp_path: Path) -> None:
    model.save(tmp_path / "model")
    model.wv.save(tmp_path / "vectors")
    locked = FastText(TEXT, **SMALL, **NGRAMS)
    locked.wv.vectors_ngrams_lockf[0] = 0
    train: dict[str, Any] = {"total_examples": 18, "epochs": 1}
    cases: list[tuple[Any, type[Exception], str]] = [
        (lambda: FastText(word_ngrams=2), OptionError, r"word_ngrams.*TextClassifier"),
        (lambda: FastText(min_n=2, max_n=999), ValueError, "max_n"),
        (lambda: gensim.Word2Vec.load(tmp_path / "model"), OptionError, "load it as FastText"),
        (lambda: locked.train(TEXT, **train), OptionError, "vectors_ngrams_lockf"),
        (lambda: FastText().train(TEXT, **train), RuntimeError, "build_vocab first"),
        (lambda: FastText().save(tmp_path / "x"), RuntimeError, "build_vocab first"),
        (lambda: save_facebook_model(FastText(), tmp_path / "x"), RuntimeError, "build_vocab first"),
        (lambda: FastText.load(tmp_path / "vectors"), FormatError, "holds vectors alone"),
        (lambda: load_facebook_vectors(tmp_path / "x", encoding="nothing"), OptionError, "encoding = 'nothing'"),
    ]
    for call, kind, told in cases:
        with pytest.raises(kind, match=told):
            call()

"""Training that goes on from a model or from vectors: more epochs, other text, new words, frozen words."""

from __future__ import annotations

import pickle
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import windrow
from windrow import Word2Vec, WordVectors
from windrow.errors import DataError, DataWarning, FormatError, NotFittedError, OptionError

SMALL: dict[str, Any] = {"vector_size": 20, "min_count": 2, "epochs": 2, "workers": 1, "seed": 1}
MODES = [{"sg": 1}, {"sg": 0}, {"sg": 0, "cbow_mean": 0}, {"sg": 0, "hs": 1, "negative": 0}, {"sg": 1, "hs": 1}]
LATER = {"alpha": 0.02, "min_alpha": 0.01}
TOLERANCE = 3e-4  # see test_word2vec_equals_gensim.py
Sentences = list[list[str]]


def gensim_word2vec() -> Any:
    return pytest.importorskip("gensim.models", reason="gensim has no wheel for this Python").Word2Vec


def in_our_order(theirs: Any, ours: Word2Vec) -> np.ndarray:
    assert ours.wv.index_to_key == theirs.wv.index_to_key
    return theirs.wv.vectors


# --- gensim's train and build_vocab(update=True)


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_more_epochs_are_those_of_gensim(mode: dict[str, int], lee_sentences: Sentences, tmp_path: Path) -> None:
    """Once from the model itself, once from its file: tables and random numbers go on where they stopped."""
    few = lee_sentences[:40]
    theirs = gensim_word2vec()(few, **SMALL | mode)
    ours = Word2Vec(kernel="pair", **SMALL | mode).fit(few)
    for epochs in (1, 2):
        ours.save(tmp_path / "model")
        theirs.train(few, total_examples=len(few), epochs=epochs, start_alpha=0.02, end_alpha=0.01)
        if epochs == 2:
            ours = Word2Vec.load(tmp_path / "model")
        ours.set_params(epochs=epochs, **LATER).fit(few, continue_from=ours)
        assert np.abs(ours.wv.vectors - in_our_order(theirs, ours)).max() <= TOLERANCE
        if mode.get("hs"):
            assert np.abs(ours.output_tables_["hs"] - theirs.syn1[:-1]).max() <= TOLERANCE
        if mode.get("negative", 5):
            assert np.abs(ours.output_tables_["ns"] - theirs.syn1neg).max() <= TOLERANCE
    assert ours.wv.counts.tolist() == [theirs.wv.get_vecattr(word, "count") for word in theirs.wv.index_to_key]


def with_new_words(sentences: Sentences, known: set[str], new: int) -> Sentences:
    """Sentences in which as many words are new, each of another count; the first sentence has them by count.

    gensim adds new words as they first occur in the text, windrow by their counts in it.
    """
    counts = Counter(word for sentence in sentences for word in sentence if word not in known)
    by_count = {count: word for word, count in counts.items()}
    chosen = [by_count[count] for count in sorted(by_count, reverse=True)[:new]]
    return [chosen, *([word for word in sentence if word in known or word in chosen] for sentence in sentences)]


@pytest.mark.parametrize("mode", MODES[:3], ids=str)
def test_new_words_and_frozen_ones_are_those_of_gensim(mode: dict[str, int], lee_sentences: Sentences) -> None:
    options = {**SMALL, **mode, "min_count": 1}
    first = lee_sentences[:40]
    theirs = gensim_word2vec()(first, **options)
    ours = Word2Vec(kernel="pair", **options).fit(first)
    known = len(ours.wv)
    second = with_new_words(lee_sentences[40:90], set(ours.wv.index_to_key), 5)
    theirs.build_vocab(second, update=True)
    lockf = np.random.default_rng(3).choice([0, 0.25, 1], known + 5).astype(np.float32)
    theirs.wv.vectors_lockf = lockf
    before = ours.wv.vectors
    theirs.train(second, total_examples=len(second), epochs=2, start_alpha=0.02, end_alpha=0.01)

    frozen = dict(zip(theirs.wv.index_to_key, (1 - lockf).tolist(), strict=True))
    ours.set_params(**LATER).fit(second, continue_from=ours, frozen=frozen)
    assert len(ours.wv) == known + 5
    assert np.abs(ours.wv.vectors - in_our_order(theirs, ours)).max() <= TOLERANCE
    assert np.abs(ours.output_tables_["ns"] - theirs.syn1neg).max() <= TOLERANCE
    is_frozen = lockf[:known] == 0
    np.testing.assert_array_equal(ours.wv.vectors[:known][is_frozen], before[is_frozen])
    assert ours.wv.counts.tolist() == [theirs.wv.get_vecattr(word, "count") for word in theirs.wv.index_to_key]
    assert np.abs(ours.wv.vectors[:known] - before).max() > 0.01


# --- words, counts, tables


def fitted(text: list[str], **options: Any) -> Word2Vec:
    return Word2Vec(**{"vector_size": 8, "min_count": 1, "epochs": 1, "workers": 1, "sample": 0, **options}).fit(text)


def test_words_keep_their_rows_and_counts_are_added() -> None:
    model = fitted(["a a a b b c", "c b a"])
    assert model.wv.index_to_key == ["a", "b", "c"]
    model.set_params(min_count=2).fit(["c d d e c", "d a"], continue_from=model)
    assert model.wv.index_to_key == ["a", "b", "c", "d"]  # e is too rare, a and b need not occur twice
    assert model.wv.counts.tolist() == [5, 3, 4, 3]
    model.fit(["c d d e c", "d a"], continue_from=model)  # a text that is counted already
    assert model.wv.counts.tolist() == [5, 3, 4, 3]
    model.set_params(min_count=1).fit(["c d d e c", "d a"], continue_from=model)  # but not this word of it
    assert model.wv.counts.tolist() == [5, 3, 4, 3, 1]
    model.set_params(max_final_vocab=6).fit(["f f g h"], continue_from=model)
    assert model.wv.index_to_key == ["a", "b", "c", "d", "e", "f"]


@pytest.mark.parametrize("loss", ["ns", "hs", "softmax", "hs+ns"])
def test_tables_are_there_before_the_first_step(loss: str) -> None:
    """With a learning rate of nothing, a training that continues gives what it began with."""
    text = ["a a a b b c", "c b a d"] * 3
    model = fitted(text, loss=loss, alpha=0.5)
    still = {"alpha": 1e-30, "min_alpha": 0}
    same = Word2Vec(**model.get_params()).set_params(**still).fit(text, continue_from=model)
    np.testing.assert_array_equal(same.wv.vectors, model.wv.vectors)
    for name, table in model.output_tables_.items():
        assert np.abs(table).max() > 0.001
        np.testing.assert_array_equal(same.output_tables_[name], table)
    more = Word2Vec(**same.get_params()).fit(["a e e b"], continue_from=model)
    np.testing.assert_array_equal(more.wv.vectors[:4], model.wv.vectors)
    assert 0 < np.abs(more.wv.vectors[4]).max() <= 1 / 8
    for name in {"ns", "softmax"} & more.output_tables_.keys():
        np.testing.assert_array_equal(more.output_tables_[name][:4], model.output_tables_[name])
        assert np.abs(more.output_tables_[name][4:]).max() < 1e-20


def test_the_tree_keeps_what_its_nodes_tell_apart() -> None:
    """A word that is new and rare changes the tree at its foot only: every score of the other words stays."""
    text = ["a " * 16 + "b " * 8 + "c " * 4 + "d " * 2 + "e e"]
    model = fitted(text, hs=1, negative=0, alpha=0.5)
    more = Word2Vec(**model.get_params()).set_params(alpha=1e-30, min_alpha=0).fit(["a f a"], continue_from=model)
    ours, before = (one._training.layers["hs"] for one in (more, model))
    hidden = np.random.default_rng(1).normal(size=8)

    def turns(layer: Any, word: int) -> list[float]:
        nodes = layer.tree.nodes[layer.tree.starts[word] : layer.tree.starts[word + 1]]
        codes = layer.tree.codes[layer.tree.starts[word] : layer.tree.starts[word + 1]].astype(int)
        return ((1 - 2 * codes) * (layer.parameters[nodes, :8] @ hidden)).tolist()

    for word in range(4):
        assert turns(before, word)
        np.testing.assert_allclose(turns(ours, word), turns(before, word), rtol=1e-6)


# --- vectors to start from, and words that stay as they are


def given_vectors() -> WordVectors:
    return WordVectors(["c", "x", "a"], np.arange(24, dtype=np.float32).reshape(3, 8) / 8)


@pytest.mark.parametrize("as_file", [False, True])
def test_vectors_are_where_training_starts(as_file: bool, tmp_path: Path) -> None:
    given = given_vectors()
    given.save(tmp_path / "given.txt")
    model = Word2Vec(vector_size=8, min_count=1, workers=1, sample=0, alpha=1e-30, min_alpha=0)
    model.fit(["a b c", "b a b"], vectors=tmp_path / "given.txt" if as_file else given)
    for word in ("a", "c"):
        np.testing.assert_array_equal(model.wv[word], given[word])
    assert "x" not in model.wv
    assert 0 < np.abs(model.wv["b"]).max() <= 1 / 8


@pytest.mark.parametrize("options", [
    {"workers": 1}, {"workers": 1, "kernel": "pair"}, {"workers": 4}, {"workers": 2, "hs": 1, "negative": 0},
    {"workers": 2, "deterministic": True}, {"workers": 3, "deterministic": True}, {"workers": 1, "loss": "softmax"},
    {"workers": 1, "window_weighting": "harmonic"},
], ids=str)  # fmt: skip
@pytest.mark.parametrize("sg", [0, 1])
def test_frozen_vectors_stay_as_they_are_to_the_last_bit(
    sg: int, options: dict[str, Any], lee_sentences: Sentences
) -> None:
    model = Word2Vec(**SMALL | options | {"sg": sg}).fit(lee_sentences[:100])
    words = model.wv.index_to_key
    given = WordVectors(words[:400:2], np.array(model.wv.vectors[:400:2]))
    model.fit(lee_sentences[:100], vectors=given, frozen=True)
    np.testing.assert_array_equal(model.wv.vectors[:400:2], given.vectors)
    assert (np.abs(model.wv.vectors[1:400:2]).max(axis=1) > 1 / 20).any()


def test_what_is_frozen() -> None:
    text = ["a b c d e", "e b c a"] * 9

    def changed(**options: Any) -> set[str]:
        before = fitted(["a b c"] * 3)
        after = Word2Vec(**before.get_params()).fit(text, continue_from=before, **options)
        return {word for word in "abc" if not np.array_equal(after.wv[word], before.wv[word])}

    assert changed() == changed(frozen=False) == changed(frozen=0) == {"a", "b", "c"}
    assert changed(frozen=True) == changed(frozen=1.0) == set()
    assert changed(frozen=["a", "d"]) == {"b", "c"}
    assert changed(frozen={"a": 1, "b": 0.5}) == {"b", "c"}
    with pytest.warns(DataWarning, match="1 frozen words are not in the vocabulary, such as 'z'"):
        assert changed(frozen=["z", "b"]) == {"a", "c"}
    for wrong, told in (("a", "True, a number"), (2, r"\[0, 1\]"), ({"a": -1}, r"\[0, 1\]"), (None, "True, a number")):
        with pytest.raises(OptionError, match=f"frozen.*{told}"):
            changed(frozen=wrong)
    with pytest.raises(OptionError, match="give vectors or continue_from"):
        fitted(text).fit(text, frozen=True)


# --- files


def test_a_saved_model_is_opened_as_vectors_and_as_a_model(tmp_path: Path) -> None:
    model = fitted(["a a b c"] * 9, sg=1, hs=1)
    model.save(tmp_path / "model.safetensors")
    vectors = windrow.load(tmp_path / "model.safetensors")
    assert isinstance(vectors, WordVectors)
    assert vectors.provenance.items() >= model.wv.provenance.items()
    loaded = Word2Vec.load(tmp_path / "model.safetensors")
    assert loaded.get_params() == model.get_params()
    assert loaded.history_ == model.history_
    assert loaded.wv.counts.tolist() == model.wv.counts.tolist()
    np.testing.assert_array_equal(loaded.wv.vectors, vectors.vectors)
    np.testing.assert_array_equal(loaded.wv.vectors, model.wv.vectors)
    for name, table in model.output_tables_.items():
        np.testing.assert_array_equal(loaded.output_tables_[name], table)
    loaded.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "model.safetensors").read_bytes()


def test_model_file_and_pickle_continue_alike(tmp_path: Path) -> None:
    model = fitted(["a a b c"] * 9)
    model.save(tmp_path / "model")
    more = ["c c d a"] * 9
    expected = fitted(["a a b c"] * 9).fit(more, continue_from=model).wv.vectors
    for source in (tmp_path / "model", str(tmp_path / "model"), Word2Vec.load(tmp_path / "model"),
                   pickle.loads(pickle.dumps(model))):  # fmt: skip
        again = Word2Vec(**model.get_params()).fit(more, continue_from=source)
        np.testing.assert_array_equal(again.wv.vectors, expected)
        assert again.wv.provenance["continued_from"] == model._state().fingerprint


def test_random_numbers_go_on_or_start_again_with_another_seed() -> None:
    text = ["a b c d", "d c b a"] * 20
    model = fitted(text)

    def drawn(**options: Any) -> np.ndarray:
        return Word2Vec(**model.get_params()).set_params(**options).fit(text, continue_from=model)._training._drawn()

    first, again = model._training._drawn(), drawn()
    assert not np.array_equal(first, again)
    np.testing.assert_array_equal(again, drawn())
    assert not np.array_equal(again, drawn(seed=2))
    assert drawn(workers=2).shape == (2, 1)


def test_a_loaded_model_has_no_training_to_resume(tmp_path: Path) -> None:
    fitted(["a b"] * 9).save(tmp_path / "model")
    with pytest.raises(OptionError, match="no training to resume"):
        Word2Vec.load(tmp_path / "model").save_checkpoint(tmp_path / "checkpoint")
    with pytest.raises(NotFittedError):
        Word2Vec().save(tmp_path / "model")


# --- checkpoints


@pytest.mark.parametrize("start", ["continue_from", "vectors"])
def test_a_checkpoint_fits_what_was_continued_from(start: str, tmp_path: Path, lee_sentences: Sentences) -> None:
    few = lee_sentences[:40]
    first, other = (Word2Vec(**SMALL | {"seed": seed}).fit(few) for seed in (1, 2))
    froms = {"continue_from": [first, other], "vectors": [first.wv, other.wv]}[start]
    more, checkpoint = lee_sentences[40:80], tmp_path / "checkpoint"
    expected = Word2Vec(**SMALL).fit(more, **{start: froms[0]}, frozen=0.5)

    def stop(progress: Any) -> bool:
        return bool(progress.epoch == 1)

    stopped = Word2Vec(**SMALL, callbacks=[stop]).fit(more, **{start: froms[0]}, frozen=0.5)
    stopped.save_checkpoint(checkpoint)
    for wrong in ({start: froms[1], "frozen": 0.5}, {start: froms[0]}, {}):
        with pytest.raises(FormatError, match="started_from"):
            Word2Vec(**SMALL).fit(more, **wrong, checkpoint=checkpoint, resume=True)
    resumed = Word2Vec(**SMALL).fit(more, **{start: froms[0]}, frozen=0.5, checkpoint=checkpoint, resume=True)
    np.testing.assert_array_equal(resumed.wv.vectors, expected.wv.vectors)


# --- what is refused


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    text = ["a b c"] * 9
    model = fitted(text)
    model.save(tmp_path / "model")
    model.wv.save(tmp_path / "vectors")

    def told(source: Any = model, text: list[str] = text, **options: Any) -> str:
        given = {name: options.pop(name) for name in ("vectors", "frozen") if name in options}
        with pytest.raises((OptionError, DataError)) as refused:
            Word2Vec(**model.get_params()).set_params(**options).fit(text, continue_from=source, **given)
        return str(refused.value)

    assert "vectors have 8 dimensions; set vector_size = 8" in told(vector_size=9)
    assert "set loss = 'ns'" in told(hs=1)
    assert "give one of them" in told(vectors=model.wv)
    assert f"give vectors='{tmp_path / 'vectors'}'" in told(tmp_path / "vectors")
    assert "the model knows none" in told(text=["x y z"], min_count=2)
    assert "set vector_size = 8" in told(None, vectors=model.wv, vector_size=9)
    assert "no word of the text is among the vectors" in told(None, ["x y"], vectors=model.wv)
    with pytest.raises(NotFittedError):
        Word2Vec().fit(text, continue_from=Word2Vec())
    for name in ("model.txt", "-", "model.vec.gz"):
        with pytest.raises((OptionError, FormatError)):
            model.save(name)


def test_a_text_read_otherwise_is_told() -> None:
    lower = windrow.Corpus.build(["A b c"] * 9, lowercase=True)
    model = fitted(["a b c"] * 9).fit(lower)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(lower, continue_from=model)
    with pytest.warns(DataWarning, match="lowercase = False, not True"):
        model.fit(["A b c"] * 9, continue_from=model)


def test_a_fit_that_fails_leaves_the_model() -> None:
    model = fitted(["a b c"] * 9)
    before = model.wv.vectors
    with pytest.raises(DataError):
        model.set_params(min_count=3).fit(["x"], continue_from=model)
    assert model.wv.vectors is before

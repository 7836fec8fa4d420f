"""Training with sub-words that goes on from a model, from vectors, from a checkpoint; and frozen n-grams."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import windrow
from windrow import Word2Vec, WordVectors
from windrow.corpus.subwords import subword_ids
from windrow.embeddings.subwords import NgramVectors, Subwords
from windrow.errors import DataError, FormatError, OptionError
from windrow.files import model_file

OPTIONS: dict[str, Any] = {
    "vector_size": 12, "min_count": 1, "epochs": 2, "workers": 1, "sample": 0.01,
    "subwords": True, "min_n": 2, "max_n": 4, "buckets": 300,
}  # fmt: skip
STILL = {"alpha": 1e-30, "min_alpha": 0, "epochs": 1, "sample": 0}
TEXT = ["the king sings to kings", "a queen sang", "the singing king sang to a queen"] * 5
MORE = ["the kingdom sings", "queens sang to the kingdom", "kingdom of queens"] * 4


@pytest.fixture(scope="module")
def model() -> Word2Vec:
    return Word2Vec(**OPTIONS | {"alpha": 0.1}).fit(TEXT)


def tables(model: Word2Vec) -> dict[str, np.ndarray]:
    """All that was learned."""
    ngrams = model.wv.ngrams
    assert ngrams is not None
    return {"words": model.wv.vectors, "own": model._state().vectors, "n-grams": ngrams.vectors, **model.output_tables_}


def compare(one: Word2Vec, other: Word2Vec) -> None:
    ours, theirs = tables(one), tables(other)
    assert ours.keys() == theirs.keys()
    for name, table in ours.items():
        np.testing.assert_array_equal(table, theirs[name], name)


@pytest.mark.parametrize("mode", [
    {"kernel": "pair"}, {"sg": 1}, {"workers": 2, "deterministic": True}, {"loss": "hs"}, {"loss": "hs+ns", "sg": 1},
    {"loss": "softmax", "cbow_mean": 0},
], ids=str)  # fmt: skip
def test_two_epochs_and_two_are_four(mode: dict[str, Any], tmp_path: Path) -> None:
    """To the bit where the learning rate does not change: once from the model, once from its file."""
    options = {**OPTIONS, "alpha": 0.03, "min_alpha": 0.03, **mode}
    whole, half = Word2Vec(**options | {"epochs": 4}).fit(TEXT), Word2Vec(**options).fit(TEXT)
    half.save(tmp_path / "half")
    compare(Word2Vec.load(tmp_path / "half"), half)
    for source in (half, tmp_path / "half"):
        compare(Word2Vec(**options).fit(TEXT, continue_from=source), whole)


def test_new_words_share_the_n_grams_that_are_known(model: Word2Vec) -> None:
    more = Word2Vec(**OPTIONS | STILL).fit(MORE, continue_from=model)
    before, after = model.wv.ngrams, more.wv.ngrams
    assert before is not None and after is not None
    old = len(before.vectors)
    assert more.wv.index_to_key[: len(model.wv)] == model.wv.index_to_key
    assert set(more.wv.index_to_key[len(model.wv) :]) == {"kingdom", "queens", "of"}
    np.testing.assert_array_equal(more.wv.vectors[: len(model.wv)], model.wv.vectors)
    np.testing.assert_array_equal(after.subwords.used[:old], before.subwords.used)
    np.testing.assert_array_equal(after.vectors[:old], before.vectors)
    assert set(after.subwords.used.tolist()) == {
        bucket for word in more.wv for bucket in subword_ids(word, 2, 4, 300)
    }  # fmt: skip
    assert (np.abs(after.vectors[old:]).max(axis=1) > 0).all()
    own = more._state().vectors[more.wv.get_index("kingdom")]
    row_of = {bucket: row for row, bucket in enumerate(after.subwords.used.tolist())}
    rows = [after.vectors[row_of[bucket]] for bucket in subword_ids("kingdom", 2, 4, 300)]
    np.testing.assert_allclose(more.wv["kingdom"], np.mean([own, *rows], axis=0), rtol=1e-5, atol=1e-7)


def test_unseen_words_learn_when_training_goes_on(model: Word2Vec) -> None:
    before = model.wv["queening"]
    more = Word2Vec(**OPTIONS | {"kernel": "pair", "alpha": 0.2}).fit(MORE, continue_from=model)
    assert np.abs(more.wv["queening"] - before).max() > 0.01


# --- frozen


@pytest.mark.parametrize("mode", [
    {"kernel": "pair", "sg": 1}, {"sg": 1}, {}, {"cbow_mean": 0, "kernel": "pair"}, {"workers": 2},
    {"workers": 2, "deterministic": True}, {"window_weighting": "harmonic", "loss": "hs"},
], ids=str)  # fmt: skip
def test_what_is_frozen_stays_to_the_last_bit(mode: dict[str, Any]) -> None:
    options = {**OPTIONS, "alpha": 0.1, **mode}
    first = Word2Vec(**options).fit(TEXT)
    more = Word2Vec(**options).fit(MORE, continue_from=first, frozen=True)
    old, new = tables(first), tables(more)
    for name in ("words", "own", "n-grams"):
        size = len(old[name])
        np.testing.assert_array_equal(new[name][:size], old[name], name)
        fresh = Word2Vec(**options | STILL | {"seed": 1}).fit(MORE, continue_from=first)
        assert np.abs(new[name][size:] - tables(fresh)[name][size:]).max() > 1e-4, name


def test_words_that_are_named_stay_with_their_n_grams(model: Word2Vec) -> None:
    more = Word2Vec(**OPTIONS | {"alpha": 0.1}).fit(MORE, continue_from=model, frozen=["king"])
    np.testing.assert_array_equal(more.wv["king"], model.wv["king"])
    assert np.abs(more.wv["sang"] - model.wv["sang"]).max() > 1e-4
    assert np.abs(more.wv["kings"] - model.wv["kings"]).max() > 1e-4  # only a part of its n-grams are of king


def test_half_frozen_is_half_a_step(model: Word2Vec) -> None:
    """One job, one block: all updates are computed from the same vectors, and added with the shares."""
    options = {**OPTIONS, "epochs": 1, "alpha": 0.01, "min_alpha": 0.01, "sample": 0, "block_size": 100}
    text = ["the king sings"]
    before = tables(model)
    whole, half = (
        tables(Word2Vec(**options).fit(text, continue_from=model, frozen=frozen)) for frozen in (False, 0.75)
    )
    for name in ("own", "n-grams"):
        step = whole[name] - before[name]
        assert np.abs(step).max() > 1e-4
        np.testing.assert_allclose(half[name] - before[name], step / 4, atol=1e-7)


# --- vectors to start from


@pytest.mark.parametrize("format", ["safetensors", "fasttext"])
def test_vectors_with_n_grams_start_words_and_n_grams(format: str, model: Word2Vec, tmp_path: Path) -> None:
    model.wv.save(tmp_path / "given", format=format)
    started = Word2Vec(**OPTIONS | STILL).fit([*TEXT, *MORE], vectors=tmp_path / "given")
    for word in [*model.wv, "kin", "sin"]:
        np.testing.assert_allclose(started.wv[word], model.wv[word], atol=1e-5)
    rest = Word2Vec(**OPTIONS).fit([*TEXT, *MORE], vectors=tmp_path / "given", frozen=True)
    for word in model.wv:
        np.testing.assert_allclose(rest.wv[word], model.wv[word], atol=1e-5)
    assert np.abs(rest.wv["queens"] - started.wv["queens"]).max() > 3e-5  # what stays differs by 1e-5 at most


def test_plain_vectors_are_the_words_own(tmp_path: Path) -> None:
    given = WordVectors(["king", "x"], np.arange(24, dtype=np.float32).reshape(2, 12))
    started = Word2Vec(**OPTIONS | STILL).fit(TEXT, vectors=given)
    np.testing.assert_array_equal(started._state().vectors[started.wv.get_index("king")], given["king"])
    rest = Word2Vec(**OPTIONS).fit(TEXT, vectors=given, frozen=True)
    np.testing.assert_array_equal(rest._state().vectors[rest.wv.get_index("king")], given["king"])


def test_plain_words_start_from_n_grams_of_others(model: Word2Vec) -> None:
    """Without sub-words a word starts from any vector that it has."""
    plain = {name: value for name, value in OPTIONS.items() if name not in ("subwords", "min_n", "max_n", "buckets")}
    started = Word2Vec(**plain | STILL).fit(["singer king"], vectors=model.wv)
    for word in ("singer", "king"):
        np.testing.assert_array_equal(started.wv[word], model.wv[word])


# --- checkpoints and files


@pytest.mark.parametrize("mode", [{}, {"workers": 2, "deterministic": True}], ids=str)
def test_a_checkpoint_of_a_training_that_continues(mode: dict[str, Any], model: Word2Vec, tmp_path: Path) -> None:
    options, checkpoint = {**OPTIONS, **mode}, tmp_path / "checkpoint"
    expected = Word2Vec(**options).fit(MORE, continue_from=model, frozen=0.5)
    Word2Vec(**options, callbacks=[lambda report: report.epoch == 1]).fit(
        MORE, continue_from=model, frozen=0.5, checkpoint=checkpoint, keep_checkpoint=True
    ).save_checkpoint(checkpoint)
    resume: dict[str, Any] = {"checkpoint": checkpoint, "resume": True, "keep_checkpoint": True}
    with pytest.raises(FormatError, match="started_from"):
        Word2Vec(**options).fit(MORE, continue_from=model, **resume)
    compare(Word2Vec(**options).fit(MORE, continue_from=model, frozen=0.5, **resume), expected)


def test_an_older_checkpoint_goes_on_with_its_own_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings with n-grams once had the tree of gensim, which says another thing of words that count the same."""
    options, checkpoint = {**OPTIONS, "loss": "hs"}, tmp_path / "checkpoint"
    todays = Word2Vec(**options).fit(TEXT)
    with monkeypatch.context() as former:
        former.setattr("windrow.embeddings.training.start.choose_ties", lambda parameters, state: "heap")
        whole = Word2Vec(**options).fit(TEXT)
        Word2Vec(**options, callbacks=[lambda report: report.epoch == 1]).fit(TEXT).save_checkpoint(checkpoint)
    assert not np.array_equal(whole.output_tables_["hs"], todays.output_tables_["hs"])
    compare(Word2Vec(**options).fit(TEXT, checkpoint=checkpoint, resume=True), whole)


def test_an_older_checkpoint_goes_on_with_as_many_noise_words_as_it_began(tmp_path: Path) -> None:
    """With n-grams, a row once met 16 by default."""
    checkpoint, former = tmp_path / "checkpoint", {**OPTIONS, "shared_negatives": 16}
    whole = Word2Vec(**former).fit(TEXT)
    Word2Vec(**former, callbacks=[lambda report: report.epoch == 1]).fit(TEXT).save_checkpoint(checkpoint)
    resume: dict[str, Any] = {"checkpoint": checkpoint, "resume": True, "keep_checkpoint": True}
    compare(Word2Vec(**OPTIONS).fit(TEXT, **resume), whole)
    assert not np.array_equal(Word2Vec(**OPTIONS).fit(TEXT).output_tables_["ns"], whole.output_tables_["ns"])
    with pytest.raises(FormatError, match="shared_negatives = 16, this run has 32"):
        Word2Vec(**OPTIONS, shared_negatives=32).fit(TEXT, **resume)


@pytest.mark.parametrize(("options", "restored"), [
    ({}, None), ({"shared_negatives": 16}, 16), ({"loss": "hs"}, None),
    ({"subwords": False, "shared_negatives": 16}, None),
], ids=str)  # fmt: skip
def test_a_file_tells_how_many_noise_words_a_row_met(
    options: dict[str, Any], restored: int | None, tmp_path: Path
) -> None:
    options = {**OPTIONS, **options}
    if not options["subwords"]:
        options = {name: value for name, value in options.items() if name not in ("min_n", "max_n", "buckets")}
    Word2Vec(**options).fit(TEXT).save(tmp_path / "model")
    loaded = Word2Vec.load(tmp_path / "model")
    assert loaded.shared_negatives == restored
    loaded.fit(TEXT, continue_from=tmp_path / "model")  # nothing is without effect
    assert loaded.wv.provenance["shared_negatives"] == (32 if options["subwords"] and restored is None else 16)


def test_the_file_is_opened_as_vectors_and_as_a_model(model: Word2Vec, tmp_path: Path) -> None:
    model.save(tmp_path / "model.safetensors")
    wv, loaded = windrow.load(tmp_path / "model.safetensors"), Word2Vec.load(tmp_path / "model.safetensors")
    for word in [*model.wv, "singer"]:
        np.testing.assert_array_equal(wv[word], model.wv[word])
        np.testing.assert_array_equal(loaded.wv[word], model.wv[word])
    assert loaded.get_params() == model.get_params()
    assert loaded.predict_output_word(["king"]) == model.predict_output_word(["king"])
    loaded.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "model.safetensors").read_bytes()


@pytest.mark.parametrize(("name", "array", "message"), [
    ("own_vectors", None, "own_vectors"),
    ("own_vectors", np.ones((2, 12), np.float32), "own vectors"),
    ("own_vectors", np.full((9, 12), np.nan, np.float32), "not finite"),
    ("ngram_vectors", np.ones((2, 12), np.float32), r"ngram_vectors of shape \(64, 12\)"),
], ids=range(4))  # fmt: skip
def test_damaged_parts_are_named(name: str, array: Any, message: str, model: Word2Vec, tmp_path: Path) -> None:
    model.save(tmp_path / "model")
    stored = model_file.load(tmp_path / "model")
    arrays = {key: np.array(value) for key, value in stored.arrays.items()}
    del arrays[name]
    if array is not None:
        arrays[name] = array
    model_file.save(tmp_path / "damaged", stored.kind, arrays, stored.config, stored.provenance)
    with pytest.raises(FormatError, match=message):
        Word2Vec.load(tmp_path / "damaged")


# --- what is refused


def test_what_does_not_fit_is_refused(model: Word2Vec) -> None:
    plain = {name: value for name, value in OPTIONS.items() if name not in ("subwords", "min_n", "max_n", "buckets")}
    without = Word2Vec(**plain).fit(TEXT)

    def told(options: dict[str, Any], text: list[str] = TEXT, **start: Any) -> str:
        with pytest.raises((OptionError, DataError)) as refused:
            Word2Vec(**options).fit(text, **start)
        return str(refused.value)

    assert "has no n-grams; leave out subwords = True" in told(OPTIONS, continue_from=without)
    assert "has n-grams; set subwords = True" in told(plain, continue_from=model)
    other = OPTIONS | {"max_n": 5}
    for start in ({"continue_from": model}, {"vectors": model.wv}):
        assert "set min_n = 2, max_n = 4, buckets = 300" in told(other, **start)
    assert "no word of the text is among the vectors" in told(OPTIONS, ["xyz"], vectors=model.wv)


def test_grown_n_grams_are_those_of_all_words() -> None:
    words = ["king", "sing", "kings", "naïve"]
    first, _ = Subwords.of(words[:2], 2, 3, 500)
    grown, (whole, expected) = first.grown(words), Subwords.of(words, 2, 3, 500)
    np.testing.assert_array_equal(grown.used, whole.used)
    np.testing.assert_array_equal(grown.word_rows(words).rows, expected.rows)
    ngrams = NgramVectors(grown, np.random.default_rng(1).normal(size=(len(grown.used), 5)).astype(np.float32))
    own = np.random.default_rng(2).normal(size=(4, 5)).astype(np.float32)
    np.testing.assert_allclose(ngrams.own_rows(words, ngrams.compose_known(words, own)), own, atol=1e-5)

"""Training: its result, its reports, and what it refuses."""

from __future__ import annotations

import copy
import math
import pickle
import warnings
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone

from windrow import Corpus, Word2Vec, WordVectors
from windrow.embeddings import Progress
from windrow.embeddings.settings import KERNELS, WINDOW_WEIGHTINGS
from windrow.embeddings.steps import LOSSES
from windrow.embeddings.training.start import initial_table
from windrow.errors import DataError, DataWarning, FormatError, NotFittedError, OptionError
from windrow.evaluation import evaluate_analogies
from windrow.evaluation.analogy import read_questions

from .conftest import TOYLAND

SMALL = {"vector_size": 20, "min_count": 1, "epochs": 2, "workers": 1}


def test_toyland_analogies_are_solved(toyland: Corpus) -> None:
    model = Word2Vec(sg=1, min_count=1, epochs=15, alpha=0.05, seed=1, workers=2).fit(toyland)
    questions = read_questions(TOYLAND / "analogies.txt")
    result = evaluate_analogies(questions, model.wv.index_to_key, model.wv.vectors)
    assert result.overall.total > 3000
    assert result.accuracy >= 0.90


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("sg", [0, 1])
def test_every_mode_learns_and_equal_seeds_give_equal_vectors(
    sg: int, loss: str, kernel: str, lee_sentences: list[list[str]]
) -> None:
    few = lee_sentences[:20]
    options = SMALL | {"sg": sg, "loss": loss, "kernel": kernel, "epochs": 3, "alpha": 0.05}
    options |= {"sample": 0, "shrink_windows": False}  # else the loss of an epoch depends on how many pairs it draws
    first, second = Word2Vec(**options).fit(few), Word2Vec(**options).fit(few)
    assert first.history_[-1]["loss"] < first.history_[0]["loss"]
    np.testing.assert_array_equal(first.wv.vectors, second.wv.vectors)
    other = Word2Vec(**options | {"seed": 2}).fit(few)
    assert np.abs(first.wv.vectors - other.wv.vectors).max() > 1e-3


def test_the_loss_of_an_untrained_softmax_is_known(lee_sentences: list[list[str]]) -> None:
    """Output vectors start at zero: each prediction costs log V, and the block sees 2 * window of them a word."""
    sentence = [lee_sentences[0]]
    model = Word2Vec(
        **SMALL | {"epochs": 1, "loss": "softmax", "sg": 1, "sample": 0, "alpha": 1e-9, "min_alpha": 0, "window": 1},
        window_weighting="none",
    ).fit(sentence)
    words = len(sentence[0])
    expected = math.log(len(model.wv)) * (2 * words - 2) / words
    assert model.history_[0]["loss"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("weighting", WINDOW_WEIGHTINGS)
@pytest.mark.parametrize("kernel", KERNELS)
def test_window_weightings_train_and_differ(kernel: str, weighting: str, lee_sentences: list[list[str]]) -> None:
    few = lee_sentences[:10]
    weighted = Word2Vec(**SMALL, kernel=kernel, window_weighting=weighting, sg=1).fit(few).wv.vectors
    fixed = Word2Vec(**SMALL, kernel=kernel, shrink_windows=False, sg=1).fit(few).wv.vectors
    assert np.isfinite(weighted).all()
    assert np.array_equal(weighted, fixed) == (weighting == "none")


def test_one_long_line_trains_as_the_same_words_in_lines_do(lee_sentences: list[list[str]]) -> None:
    """A sentence longer than a job is cut in pieces; no word is lost, and the learning rate goes on falling."""
    words = [word for sentence in lee_sentences for word in sentence]
    assert len(words) > 50_000
    rates: list[float] = []
    model = Word2Vec(
        **SMALL | {"sample": 0}, report_words=10_000, callbacks=[lambda progress: rates.append(progress.learning_rate)]
    ).fit([words])
    assert model.history_[-1]["examples"] == 2 * len(words)
    assert len(rates) > 10
    assert all(later < earlier for earlier, later in pairwise(rates) if earlier > 1e-4)


def test_callbacks_hear_of_epochs_and_words_and_may_stop(lee: Corpus) -> None:
    heard: list[Progress] = []
    model = Word2Vec(**SMALL, report_words=30_000, callbacks=[heard.append]).fit(lee)
    epochs = [progress for progress in heard if progress.event == "epoch"]
    words = [progress.examples for progress in heard if progress.event == "progress"]
    assert [progress.epoch for progress in epochs] == [1, 2]
    assert epochs[-1].examples == epochs[-1].total_examples == 2 * lee.tokens
    # A report comes with the job (at most 10,000 words) in which its count is reached.
    assert [count // 30_000 for count in words] == list(range(1, 2 * lee.tokens // 30_000 + 1))
    assert len(model.history_) == 2

    stopped = Word2Vec(**SMALL | {"epochs": 50}, callbacks=[lambda progress: progress.epoch == 3]).fit(lee)
    assert len(stopped.history_) == 3
    by_numpy = Word2Vec(**SMALL, callbacks=[lambda progress: np.bool_(True)]).fit(lee)
    assert len(by_numpy.history_) == 1


def test_several_workers_train_every_word_once(lee: Corpus) -> None:
    model = Word2Vec(**SMALL | {"workers": 4}).fit(lee)
    assert model.history_[-1]["examples"] == 2 * lee.tokens
    assert np.isfinite(model.wv.vectors).all()


def test_sentences_texts_and_corpora_give_the_same_vectors(tmp_path: Path, lee_sentences: list[list[str]]) -> None:
    few = lee_sentences[:10]
    lines = [" ".join(sentence) for sentence in few]
    (tmp_path / "text.txt").write_text("\n".join(lines), encoding="utf-8")
    expected = Word2Vec(**SMALL).fit(few).wv.vectors
    for source in (lines, tmp_path / "text.txt", str(tmp_path / "text.txt"), Corpus.build(few)):
        np.testing.assert_array_equal(Word2Vec(**SMALL).fit(source).wv.vectors, expected)


def test_rarer_words_are_left_out_as_if_the_corpus_had_been_built_without_them(lee_sentences: list[list[str]]) -> None:
    few = lee_sentences[:50]
    options = SMALL | {"min_count": 3, "max_final_vocab": 200}
    filtered = Word2Vec(**options).fit(Corpus.build(few))
    built = Word2Vec(**options).fit(Corpus.build(few, min_count=3, max_vocab=200))
    assert len(filtered.wv) == 200
    np.testing.assert_array_equal(filtered.wv.vectors, built.wv.vectors)


def test_initial_vectors_do_not_depend_on_how_many_are_made_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = initial_table(100, 7, seed=3)
    monkeypatch.setattr("windrow.embeddings.training.start._INITIAL_ROWS", 8)
    for threads in (1, 3):
        np.testing.assert_array_equal(initial_table(100, 7, seed=3, threads=threads), whole)
    uniform = np.random.default_rng(3).random((100, 7), dtype=np.float32)
    np.testing.assert_array_equal(whole[:, :7], (uniform * 2 - 1) / np.float32(7))
    assert np.abs(whole).max() <= 1 / 7
    assert (whole[:, 7:] == 0).all()


def test_parameters_follow_scikit_learn() -> None:
    model = Word2Vec(vector_size=7)
    assert model.get_params()["vector_size"] == 7
    assert model.set_params(window=2) is model
    assert repr(model) == "Word2Vec(vector_size=7, window=2)"
    with pytest.raises(OptionError, match="no parameter 'wndow'"):
        model.set_params(wndow=2)
    with pytest.raises(NotFittedError, match="call fit first"):
        _ = model.wv


def test_clone_and_refit(lee_sentences: list[list[str]]) -> None:
    model = Word2Vec(**SMALL).fit(lee_sentences[:3])
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    with pytest.raises(NotFittedError):
        _ = copy.wv
    copy.fit(lee_sentences[:3])
    np.testing.assert_array_equal(copy.wv.vectors, model.wv.vectors)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("vector_size", 0), ("vector_size", 2.5), ("vector_size", 10**12), ("window", 0), ("min_count", 0),
        ("sample", 1), ("sample", -0.1), ("sample", math.nan), ("alpha", 0), ("alpha", math.inf), ("min_alpha", 1),
        ("min_alpha", -1), ("epochs", 0), ("workers", 0), ("seed", -1), ("negative", -1), ("ns_exponent", math.nan),
        ("kernel", "fast"), ("loss", "hinge"), ("window_weighting", "flat"), ("sg", 2), ("hs", 7), ("cbow_mean", 3),
        ("negative", 0), ("max_final_vocab", 0), ("report_words", 0), ("block_size", 0), ("shared_negatives", 0),
    ],
)  # fmt: skip
def test_an_option_out_of_range_is_named(option: str, value: object) -> None:
    with pytest.raises(OptionError, match=rf"^{option} ="):
        Word2Vec(**{option: value}).fit([["a", "b"]] * 9)


def test_a_corpus_of_rare_words_only_is_refused() -> None:
    with pytest.raises(DataError, match=r"no word occurs 5 times.*frequent: 2 times.*; try min_count=2, or give"):
        Word2Vec().fit([["a", "b", "a"]])


def test_a_diverging_learning_rate_is_told(lee_sentences: list[list[str]]) -> None:
    with pytest.raises(DataError, match=r"diverged in epoch \d+ with alpha = 10: .*; try alpha = 1"):
        Word2Vec(**SMALL | {"alpha": 10, "min_alpha": 10, "epochs": 20}, cbow_mean=0, loss="softmax").fit(
            lee_sentences[:30]
        )


@pytest.mark.parametrize("sentences", [[["a"]], [["a"] * 5], [["a"], ["b"]], [["a", "b"], [], ["b"]]])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("kernel", KERNELS)
def test_the_smallest_corpora_train(kernel: str, loss: str, sentences: list[list[str]]) -> None:
    for sg in (0, 1):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)  # in some no word has another beside it
            vectors = Word2Vec(**SMALL, kernel=kernel, loss=loss, sg=sg).fit(sentences).wv.vectors
        assert np.isfinite(vectors).all()


@pytest.mark.parametrize(
    ("sentences", "silent"),
    [([["king"], ["queen"]] * 4, False), (["king", "queen"] * 4, False), ([["king", "queen"]] * 4, True)],
)
def test_a_training_without_any_pair_of_words_is_not_silent(sentences: list[Any], silent: bool) -> None:
    with nullcontext() if silent else pytest.warns(DataWarning, match="no word was trained on.*longer sentences"):
        model = Word2Vec(**SMALL, sample=0).fit(sentences)
    assert (model.history_[-1]["loss"] == 0) is not silent


@pytest.mark.parametrize("vector_size", [1, 15, 16, 17, 300])
def test_any_vector_size(vector_size: int, lee_sentences: list[list[str]]) -> None:
    model = Word2Vec(**SMALL | {"vector_size": vector_size}, sg=1, window=7).fit(lee_sentences[:5])
    assert model.wv.vectors.shape == (len(model.wv), vector_size)
    assert np.isfinite(model.wv.vectors).all()


@pytest.mark.parametrize("vector_size", [16, 20])
def test_vectors_taken_in_a_callback_stay_as_they_were(vector_size: int, lee_sentences: list[list[str]]) -> None:
    taken = []
    model = Word2Vec(**SMALL | {"vector_size": vector_size}, callbacks=[lambda _: taken.append(model.wv)])
    model.fit(lee_sentences[:20], progress=lambda _: model.wv)
    assert np.abs(taken[0].vectors - taken[1].vectors).max() > 0
    np.testing.assert_array_equal(taken[1].vectors, model.wv.vectors)


def test_a_trained_model_can_be_pickled_and_copied(lee_sentences: list[list[str]]) -> None:
    model = Word2Vec(**SMALL, sg=1, loss="hs+ns", kernel="pair").fit(lee_sentences[:5])
    for twin in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        np.testing.assert_array_equal(twin.wv.vectors, model.wv.vectors)
        np.testing.assert_array_equal(twin.output_tables_["hs"], model.output_tables_["hs"])
        assert twin.history_ == model.history_
        twin.fit(lee_sentences[:5])
        np.testing.assert_array_equal(twin.wv.vectors, model.wv.vectors)


def test_numpy_numbers_are_numbers(tmp_path: Path, lee_sentences: list[list[str]]) -> None:
    options = {"vector_size": np.int64(8), "alpha": np.float32(0.03), "epochs": np.int32(1), "seed": np.uint32(3)}
    model = Word2Vec(**SMALL | options).fit(lee_sentences[:3])
    model.wv.save(tmp_path / "v.safetensors")
    assert WordVectors.load(tmp_path / "v.safetensors").provenance["vector_size"] == 8


def test_specials_alone_are_no_vocabulary() -> None:
    corpus = Corpus.build([["a", "b", "a"]], specials=("<s>",))
    with pytest.raises(DataError, match=r"no word occurs 3 times.*most frequent: 2 times"):
        Word2Vec(min_count=3).fit(corpus)


@pytest.mark.parametrize(
    ("option", "value"),
    [("alpha", "x"), ("sample", None), ("callbacks", print), ("max_final_vocab", 10.5), ("report_words", "3")],
)
def test_an_option_of_another_type_is_named(option: str, value: object) -> None:
    with pytest.raises(OptionError, match=rf"^{option} = .* must be"):
        Word2Vec(**{option: value}).fit([["a", "b"]] * 9)


# --- fits that fail


def interrupting(_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("changed", "text", "given", "error"),
    [
        ({"kernel": "magic"}, ["x y"] * 9, {}, OptionError),
        ({"callbacks": ["no function"]}, ["x y"] * 9, {}, OptionError),
        ({}, ["x y"] * 9, {"progress": 7}, OptionError),
        ({"min_count": 50}, ["x y"] * 9, {}, DataError),
        ({}, [], {}, DataError),
        ({}, ["x y"] * 9, {"checkpoint": "state", "resume": True}, FormatError),
        ({"callbacks": [lambda _: 1 / 0]}, ["x y"] * 9, {}, ZeroDivisionError),
        ({"callbacks": [interrupting]}, ["x y"] * 9, {}, KeyboardInterrupt),
    ],
)
def test_a_fit_that_fails_leaves_a_trained_model_as_it_was(changed, text, given, error, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = {"vector_size": 4, "min_count": 1, "epochs": 1, "workers": 1, "sample": 0}
    Word2Vec(**options).fit(["other words"] * 9).save_checkpoint("state")
    model = Word2Vec(**options).fit(["a b c"] * 9)
    vectors, history = model.wv.vectors.copy(), list(model.history_)
    model.set_params(**changed)

    with pytest.raises(error) as caught:
        model.fit(text, **given)

    np.testing.assert_array_equal(model.wv.vectors, vectors)
    assert sorted(model.wv.index_to_key) == ["a", "b", "c"]
    assert model.history_ == history
    if error is KeyboardInterrupt:
        assert "the model is as it was before" in str(caught.value)

"""Smaller classifiers: which features a cut-off keeps, what 8 bits cost, and what their files hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import windrow
from tests.classification.test_classifier import LABELS, TEXTS, fitted
from tests.classification.test_fasttext_model import FOLDER
from windrow import TextClassifier
from windrow.errors import FormatError, OptionError
from windrow.files import model_file

ASKED = ["a good film", "what a plot", "", "never seen", "old wine"]


def features_of(model: TextClassifier) -> list[str | int]:
    """Words, and buckets of n-grams."""
    return [*model.features_.words, *model.features_.seen_buckets.tolist()]


@pytest.mark.parametrize("number", [1, 4, 20, 10_000])
def test_the_longest_vectors_are_kept(number: int) -> None:
    model = fitted(word_ngrams=2, max_n=2, buckets=40)
    small = model.shrunk(number)

    norms = dict(zip(features_of(model), np.linalg.norm(model.vectors_, axis=1).tolist(), strict=True))
    norms["</s>"] = np.inf
    expected = sorted(norms, key=norms.__getitem__, reverse=True)[:number]
    assert set(features_of(small)) == set(expected)
    row_of = {feature: row for row, feature in enumerate(features_of(model))}
    rows = [row_of[feature] for feature in features_of(small)]
    assert rows == sorted(rows)
    np.testing.assert_array_equal(small.vectors_, model.vectors_[rows])
    assert small.cutoff == number
    assert len(model.features_) == len(norms)  # which is as it was


def test_the_kept_features_are_looked_up_as_before() -> None:
    """The mean is that of the words that are left, as if there were no others."""
    model = fitted()
    small = model.shrunk(8)
    for text, found in zip(ASKED, small.predict_proba(ASKED), strict=True):
        rows = [model.features_.words.index(word) for word in [*text.split(), "</s>"] if word in small.features_.words]
        scores = np.exp(model.output_vectors_ @ model.vectors_[rows].mean(axis=0))
        np.testing.assert_allclose(found, scores / scores.sum(), rtol=1e-4)


def test_training_with_a_cutoff_is_training_and_then_the_cutoff() -> None:
    model, small = fitted(word_ngrams=2), fitted(word_ngrams=2, cutoff=9)

    assert len(small.features_) == 9
    np.testing.assert_array_equal(small.predict_proba(ASKED), model.shrunk(9).predict_proba(ASKED))
    assert small.get_params() == {**model.get_params(), "cutoff": 9}
    np.testing.assert_array_equal(fitted(cutoff=99, retrain=True).vectors_, fitted().vectors_)  # nothing is cut off


def test_retraining_goes_on_from_what_was_kept() -> None:
    seen: list[Any] = []
    small = fitted(word_ngrams=2, cutoff=6, retrain=True, epochs=5, callbacks=[seen.append])
    once = fitted(word_ngrams=2, cutoff=6, epochs=5)

    assert features_of(small) == features_of(once)
    assert [row["epoch"] for row in small.history_] == list(range(1, 11))
    assert [report.epochs for report in seen] == [5] * 5 + [10] * 5
    rates = [row["learning_rate"] for row in small.history_]
    assert rates[4] == rates[9] == 0
    assert rates[0] == pytest.approx(rates[5])
    assert small.history_[-1]["examples"] == 10 * len(TEXTS)
    assert small.history_[-1]["loss"] < small.history_[5]["loss"] < 1
    truth = np.searchsorted(small.classes_, LABELS)[:, None]
    log_losses = [-np.log(np.take_along_axis(one.predict_proba(TEXTS), truth, 1)).mean() for one in (small, once)]
    assert log_losses[0] < log_losses[1]
    still = fitted(word_ngrams=2, cutoff=6, retrain=True, epochs=5, learning_rate=1e-30)
    np.testing.assert_allclose(still.vectors_, fitted(cutoff=6, word_ngrams=2, epochs=5, learning_rate=1e-30).vectors_)


@pytest.mark.parametrize("loss", ["softmax", "hs"])
def test_8_bits_are_near_and_a_quarter_as_large(loss: str, tmp_path: Path) -> None:
    model = fitted(loss=loss, vector_size=64, word_ngrams=2)
    small = model.quantized()

    steps = np.abs(model.vectors_).max(axis=1, keepdims=True) / 127
    assert (np.abs(small.vectors_ - model.vectors_) <= 0.5001 * steps).all()
    assert np.abs(small.predict_proba(ASKED) - model.predict_proba(ASKED)).max() < 0.02
    assert small.predict(TEXTS).tolist() == LABELS
    np.testing.assert_array_equal(small.predict_proba(ASKED), fitted(**model_params(model)).predict_proba(ASKED))
    model.save(tmp_path / "large")
    small.save(tmp_path / "small")
    stored, whole = model_file.load(tmp_path / "small").arrays, model_file.load(tmp_path / "large").arrays
    assert stored["vectors"].nbytes * 4 == whole["vectors"].nbytes
    opened = windrow.load(tmp_path / "small")
    np.testing.assert_allclose(opened.vectors_, small.vectors_, rtol=1e-6)
    assert opened.get_params() == small.get_params()
    opened.save(tmp_path / "again")
    for name, array in stored.items():
        np.testing.assert_allclose(model_file.load(tmp_path / "again").arrays[name], array, rtol=1e-6)


def model_params(model: TextClassifier) -> dict[str, Any]:
    return {**model.get_params(), "quantize_bits": 8}


def test_classifiers_of_fasttext_become_smaller_too(tmp_path: Path) -> None:
    for name in ("tied.bin", "softmax.bin", "cut.ftz"):
        model = TextClassifier.load(FOLDER / name)
        small = model.shrunk(len(model.features_) - 3).quantized()
        small.save(tmp_path / "m")
        opened = windrow.load(tmp_path / "m")
        assert len(opened.features_) == len(model.features_) - 3
        np.testing.assert_allclose(opened.predict_proba(["food1 the"]), small.predict_proba(["food1 the"]), rtol=1e-5)


@pytest.mark.parametrize(
    ("parameters", "told"),
    [({"retrain": True}, "cutoff"), ({"cutoff": 0}, "cutoff = 0"), ({"quantize_bits": 4}, "quantize_bits = 4")],
    ids=range(3),
)
def test_what_cannot_be_done(parameters: dict[str, Any], told: str) -> None:
    with pytest.raises(OptionError, match=told):
        fitted(**parameters)
    with pytest.raises(OptionError, match="cutoff = 0"):
        fitted().shrunk(0)
    with pytest.raises(OptionError, match="quantize_bits = 5"):
        fitted().quantized(5)


def test_damaged_scales_are_told(tmp_path: Path) -> None:
    fitted(quantize_bits=8).save(tmp_path / "m")
    stored = model_file.load(tmp_path / "m")
    for changed, told in (
        ({"vectors_scales": np.full(15, np.nan, np.float32)}, "vectors_scales holds a number that is not finite"),
        (
            {"vectors_scales": np.ones(3, np.float32)},
            r"vectors_scales is float32 \(3,\), but should be float32 \(15,\)",
        ),
        ({"output_vectors": np.ones((3, 8), np.float32)}, r"output_vectors is float32 \(3, 8\), but should be int8"),
    ):
        model_file.save(tmp_path / "n", stored.kind, {**stored.arrays, **changed}, stored.config, stored.provenance)
        with pytest.raises(FormatError, match=told):
            windrow.load(tmp_path / "n")

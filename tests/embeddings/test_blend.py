"""Blend: two tables side by side, turned to their principal components."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import PCA

import windrow
from windrow import Blend, CountVectors, Word2Vec, WordVectors
from windrow.embeddings.blend import flattened
from windrow.errors import DataError, NotFittedError, OptionError

SENTENCES = ["the king rules a land", "the queen rules a land", "the dog barks at a cat"] * 20
WORDS = [f"w{number}" for number in range(60)]


def table(seed: int, dim: int, words: list[str] = WORDS) -> WordVectors:
    dice = np.random.default_rng(seed)
    stretched = dice.normal(size=(len(words), dim)) * np.arange(1, dim + 1) + dice.normal(size=dim)
    return WordVectors(words, stretched.astype(np.float32), np.arange(len(words), 0, -1))


def units(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def whitened(vectors: np.ndarray, exponent: float) -> np.ndarray:
    """By scikit-learn: principal components, each over its deviation to the power."""
    pca = PCA().fit(vectors.astype(np.float64))
    return pca.transform(vectors) / np.sqrt(pca.explained_variance_ * (1 - 1 / len(vectors))) ** exponent


@pytest.mark.parametrize("exponent", [0.0, 0.3, 1.0])
def test_vectors_are_those_of_scikit_learn(exponent):
    first, second = table(1, 5), table(2, 4)
    prepared = [one.vectors if exponent == 0 else whitened(one.vectors, exponent) for one in (first, second)]
    both = np.hstack([units(prepared[0]), 0.7 * units(prepared[1])])
    pca = PCA(6).fit(both)

    blend = Blend(vector_size=6, second_weight=0.7, spectrum_exponent=exponent).fit(first, second)

    expected = pca.transform(both)
    signs = np.sign((expected * blend.wv.vectors).sum(axis=0))
    np.testing.assert_allclose(blend.wv.vectors * signs, expected, atol=1e-5)
    np.testing.assert_allclose(blend.variances_, pca.explained_variance_ * (1 - 1 / len(WORDS)), rtol=1e-5)


def test_the_first_dimensions_are_a_smaller_blend():
    whole = Blend(vector_size=9).fit(table(1, 5), table(2, 4))
    part = Blend(vector_size=3).fit(table(1, 5), table(2, 4))
    np.testing.assert_allclose(part.wv.vectors, whole.wv.vectors[:, :3], rtol=1e-6)
    np.testing.assert_array_equal(part.variances_, whole.variances_[:3])


def test_dimensions_without_variance_stay_without():
    flat = table(1, 5).vectors.copy()
    flat[:, 2] = 4
    found = flattened(flat, 1.0)
    assert np.isfinite(found).all()
    assert np.linalg.matrix_rank(found, tol=1e-3) == 4
    assert not flattened(np.ones((3, 2), np.float32), 0.3).any()


def test_words_that_both_have_in_the_order_of_the_first():
    first, second = table(1, 3, ["d", "b", "a", "c", "x"]), table(2, 3, ["a", "b", "c", "d", "y"])
    first.provenance = {"tokenizer": "word", "lowercase": True, "model": "Word2Vec"}
    wv = Blend(vector_size=2).fit(first, second).wv
    assert wv.index_to_key == ["d", "b", "a", "c"]
    assert wv.counts.tolist() == [5, 4, 3, 2]
    assert (wv.provenance["model"], wv.provenance["tokenizer"]) == ("Blend", "word")
    assert wv.provenance["first"] == first.provenance


@pytest.fixture(scope="module")
def predicted() -> Word2Vec:
    return Word2Vec(vector_size=4, window=2, min_count=1, sample=0, workers=1, sg=1).fit(SENTENCES)


@pytest.fixture(scope="module")
def counted() -> CountVectors:
    return CountVectors(vector_size=4, window=2, min_count=1, sample=0).fit(SENTENCES)


def test_output_vectors_are_added(predicted, counted):
    wv = predicted.wv
    added = WordVectors(wv.index_to_key, wv.vectors + np.float32(0.5) * predicted.output_tables_["ns"], wv.counts)
    blend = Blend(vector_size=5).fit(predicted, counted).wv
    np.testing.assert_array_equal(blend.vectors, Blend(vector_size=5).fit(added, counted.wv).wv.vectors)
    alone = Blend(vector_size=5, output_weight=0).fit(predicted, counted).wv
    np.testing.assert_array_equal(alone.vectors, Blend(vector_size=5).fit(wv, counted).wv.vectors)
    assert not np.allclose(alone.vectors, blend.vectors)
    tree = Word2Vec(vector_size=4, min_count=1, workers=1, sample=0, loss="hs").fit(SENTENCES)  # rows of inner nodes
    np.testing.assert_array_equal(
        Blend(vector_size=5).fit(tree, counted).wv.vectors, Blend(vector_size=5).fit(tree.wv, counted).wv.vectors
    )


def test_files_are_as_models(predicted, counted, tmp_path):
    predicted.save(tmp_path / "state.safetensors")
    counted.wv.save(tmp_path / "counted.txt")
    blend = Blend(vector_size=5).fit(tmp_path / "state.safetensors", str(tmp_path / "counted.txt")).wv
    np.testing.assert_allclose(blend.vectors, Blend(vector_size=5).fit(predicted, counted).wv.vectors, atol=1e-5)
    blend.save(tmp_path / "blend.safetensors")
    assert windrow.load(tmp_path / "blend.safetensors").provenance["second"] == blend.provenance["second"]


def test_refused(predicted, counted, tmp_path):
    blend = Blend()
    assert blend.sizes() == {}
    with pytest.raises(NotFittedError, match="call fit first"):
        _ = blend.wv
    with pytest.raises(
        OptionError, match="vector_size = 100 is more than the two tables have dimensions together, 8; s"
    ):
        blend.fit(predicted, counted)
    with pytest.raises(DataError, match="the two tables have no word in common"):
        Blend(vector_size=2).fit(table(1, 2, ["a", "b"]), table(2, 2, ["c", "d"]))
    with pytest.raises(OptionError, match="only word vectors, or models that have them, can be blended, not int"):
        blend.fit(3, counted)
    with pytest.raises(OptionError, match="second_weight = 0 is out of range"):
        Blend(second_weight=0).fit(predicted, counted)
    broken = WordVectors(["the", "a"], np.array([[1, np.nan], [1, 2]], np.float32))
    with pytest.raises(OptionError, match="the vector of 'the' holds a number that is not finite"):
        Blend(vector_size=2).fit(broken, counted)
    with pytest.raises(DataError, match=r"none\.txt"):
        blend.fit(tmp_path / "none.txt", counted)
    assert Blend(vector_size=2).fit(table(1, 2, ["a", "b"]), table(2, 2, ["b"])).sizes() == {
        "words": 1,
        "dimensions": 2,
    }


def test_a_zero_vector_is_as_far_from_all(tmp_path: Path):
    vectors = table(1, 3).vectors.copy()
    vectors[7] = vectors.mean(axis=0)
    wv = Blend(vector_size=3, spectrum_exponent=0.5).fit(WordVectors(WORDS, vectors), table(2, 3)).wv
    assert np.isfinite(wv.vectors).all()

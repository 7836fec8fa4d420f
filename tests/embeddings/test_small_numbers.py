"""float16 and int8 files of our own, and vectors cut to their first dimensions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import windrow
from windrow import Word2Vec, WordVectors
from windrow.embeddings.formats.small_numbers import narrowed, widened
from windrow.embeddings.vectors import load_vectors
from windrow.errors import FormatError, OptionError
from windrow.files import model_file

HARD = np.array([[0, 0, 0], [1e-44, 0, 0], [127, -127, 63.5], [3e38, -1, 1], [-2e-5, 1e-5, 0]], np.float32)


def random_vectors(words: int = 60, dim: int = 8) -> WordVectors:
    numbers = np.random.default_rng(5).normal(size=(words, dim)).astype(np.float32)
    return WordVectors([f"w{i}" for i in range(words)], numbers, np.arange(words))


def test_int8_is_off_by_half_a_scale_at_most() -> None:
    rows, scales = narrowed(HARD, "int8", "x")
    assert rows.dtype == np.int8 and scales is not None
    exact = HARD.astype(np.float64)
    for row in range(len(HARD)):  # number by number, in double precision
        scale = np.abs(exact[row]).max() / 127
        for column in range(3):
            assert abs(exact[row, column] - rows[row, column] * float(scales[row])) <= 0.5001 * scale + 1e-38
    assert (widened(rows, scales, "x")[2] == HARD[2]).all() or rows[2].tolist() == [127, -127, 64]


def test_the_largest_number_of_float16() -> None:
    assert narrowed(np.array([[65504]], np.float32), "float16", "x")[0].tolist() == [[65504]]
    with pytest.raises(OptionError, match="x: a number is above 65504, the largest of float16; try dtype = 'int8'"):
        narrowed(np.array([[70000]], np.float32), "float16", "x")


@pytest.mark.parametrize(("dtype", "share"), [("float16", 0.5), ("int8", 0.25)])
def test_small_files_are_loaded_and_asked(dtype: str, share: float, tmp_path: Path) -> None:
    wv = random_vectors(2000, 50)
    for kind in ("float32", dtype):
        wv.save(tmp_path / kind, dtype=kind)
    whole, small = ((tmp_path / kind).stat().st_size for kind in ("float32", dtype))
    assert whole - small > 0.95 * (1 - share) * wv.vectors.nbytes - 4 * len(wv)
    back = load_vectors(tmp_path / dtype)
    assert back.vectors.dtype == np.float32
    assert back.index_to_key == wv.index_to_key and np.array_equal(np.array(back.counts), np.array(wv.counts))
    cosines = (back.get_normed_vectors() * wv.get_normed_vectors()).sum(axis=1)
    assert cosines.min() > 0.9998
    assert windrow.verify(tmp_path / dtype)


@pytest.mark.parametrize("dtype", ["float16", "int8"])
def test_n_grams_are_small_too(dtype: str, tmp_path: Path) -> None:
    text = ["the king rules the land", "the queen rules the land"] * 3
    wv = Word2Vec(vector_size=6, min_count=1, workers=1, subwords=True, buckets=99, epochs=1).fit(text).wv
    wv.save(tmp_path / "x", dtype=dtype)
    assert model_file.load(tmp_path / "x").arrays["ngram_vectors"].dtype == dtype
    assert np.allclose(load_vectors(tmp_path / "x")["kings"], wv["kings"], atol=2e-3)


def test_parts_that_do_not_fit_together(tmp_path: Path) -> None:
    wv = random_vectors()
    wv.save(tmp_path / "x", dtype="int8")
    stored = model_file.load(tmp_path / "x")
    arrays = {name: np.array(array) for name, array in stored.arrays.items()}
    for parts, told in (
        ({"vectors_scales": arrays["vectors_scales"][:-1]}, "expected 60 scales, one for each row"),
        ({"vectors_scales": np.full(60, np.nan, np.float32)}, "not finite"),
        ({"vectors": arrays["vectors"].astype(np.float32)}, r"or float16, or int8 and scales, found vectors \(60, 8\)"),
        ({"vectors": arrays["vectors"].astype(np.int16)}, "found vectors .* of type int16"),
    ):
        model_file.save(tmp_path / "y", stored.kind, {**arrays, **parts}, stored.config)
        with pytest.raises(FormatError, match=told):
            load_vectors(tmp_path / "y")
    del arrays["vectors_scales"]
    model_file.save(tmp_path / "y", stored.kind, arrays, stored.config)
    with pytest.raises(FormatError, match="int8 and scales"):
        load_vectors(tmp_path / "y")


def test_first_dimensions() -> None:
    wv = random_vectors()
    short = wv.truncated(3)
    assert short.vectors.shape == (60, 3)
    for row in (0, 59):
        first = wv.vectors[row, :3].astype(np.float64)
        assert np.allclose(short.vectors[row], first / np.sqrt((first**2).sum()))
    assert np.array_equal(np.array(short.counts), np.array(wv.counts))
    assert np.allclose(wv.truncated(8).vectors, wv.get_normed_vectors())
    with pytest.raises(OptionError, match="size = 9, but vectors have 8 dimensions"):
        wv.truncated(9)
    with pytest.raises(OptionError, match="size"):
        wv.truncated(0)

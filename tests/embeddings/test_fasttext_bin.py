"""fastText's binary models, beside gensim's reader and writer of them."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gensim.models import FastText
from gensim.models.fasttext import load_facebook_vectors, save_facebook_model
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import windrow
from windrow import Word2Vec, WordVectors
from windrow.embeddings.formats import fasttext_bin
from windrow.embeddings.formats.fasttext_bin import MAGIC, VERSION
from windrow.errors import FormatError, OptionError, WindrowError

SENTENCES = [
    sentence.split() for sentence in ("the naïve king sings", "the queen sang to 東京 kings", "the king sang")
] * 4
UNSEEN = ["kingly", "naïveté", "東京都", "xyzzy"]


@pytest.fixture(scope="module")
def gensims(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """A model that gensim trained and wrote."""
    model = FastText(SENTENCES, vector_size=6, min_count=1, min_n=2, max_n=4, bucket=97, epochs=1, seed=1, workers=1)
    path = tmp_path_factory.mktemp("gensim") / "model.bin"
    save_facebook_model(model, str(path))
    return model, path


def test_it_has_the_vectors_that_gensim_has(gensims: tuple[Any, Path]) -> None:
    model, path = gensims
    wv = windrow.load(path)
    assert wv.index_to_key == model.wv.index_to_key
    assert wv.counts.tolist() == [model.wv.get_vecattr(word, "count") for word in wv]
    for word in [*wv, *UNSEEN]:
        np.testing.assert_allclose(wv[word], model.wv[word], atol=1e-6)
    assert wv.provenance["model"] == "fastText"
    assert (wv.provenance["minn"], wv.provenance["maxn"], wv.provenance["bucket"]) == (2, 4, 97)
    assert not wv.vectors.flags.writeable
    assert not wv.ngrams.vectors.flags.writeable


def test_gensim_has_the_vectors_that_we_write(tmp_path: Path) -> None:
    model = Word2Vec(vector_size=6, min_count=1, workers=1, subwords=True, buckets=997, max_n=4).fit(SENTENCES)
    for wv in (model.wv, model.wv.subset(["king", "the"])):
        wv.save(tmp_path / "ours.bin", format="fasttext")
        theirs = load_facebook_vectors(str(tmp_path / "ours.bin"))
        again = windrow.load(tmp_path / "ours.bin")
        assert again.index_to_key == theirs.index_to_key == wv.index_to_key
        for word in [*wv, *UNSEEN[:2]]:
            np.testing.assert_allclose(theirs[word], wv[word], atol=1e-6)
            np.testing.assert_allclose(again[word], wv[word], atol=1e-6)


def test_vectors_without_n_grams_are_words_alone(tmp_path: Path) -> None:
    wv = WordVectors(["a b", "c"], np.array([[1, 2], [3, 4]], np.float32))
    wv.save(tmp_path / "plain.bin", format="fasttext")
    again = windrow.load(tmp_path / "plain.bin")
    assert again.ngrams is None
    np.testing.assert_array_equal(again.vectors, wv.vectors)
    assert again.index_to_key == ["a b", "c"]


def test_some_of_the_words(gensims: tuple[Any, Path]) -> None:
    model, path = gensims
    first, chosen = windrow.load(path, limit=2), windrow.load(path, only_words=["sang", "king"])
    assert first.index_to_key == model.wv.index_to_key[:2]
    assert set(chosen) == {"sang", "king"}
    for wv in (first, chosen):
        for word in [*wv, *UNSEEN]:
            np.testing.assert_allclose(wv[word], model.wv[word], atol=1e-6)


def test_it_is_read_in_parts_and_compressed(gensims: tuple[Any, Path], monkeypatch: Any, tmp_path: Path) -> None:
    model, path = gensims
    for name, size in (("_CHUNK", 7), ("ROWS_AT_ONCE", 2)):
        monkeypatch.setattr(fasttext_bin, name, size)
    wv = windrow.load(path)
    wv.save(tmp_path / "packed.fasttext.gz")
    for found in (wv, windrow.load(tmp_path / "packed.fasttext.gz")):
        np.testing.assert_allclose(found["kingly"], model.wv["kingly"], atol=1e-6)


def small(**changes: Any) -> bytes:
    """A model of two words and three buckets, with some numbers changed."""
    names = ("magic", "version", "dim", "ws", "epoch", "min_count", "neg", "word_ngrams", "loss", "model", "bucket",
             "minn", "maxn", "rate")  # fmt: skip
    values = (MAGIC, VERSION, 2, 5, 5, 1, 5, 1, 2, 2, 3, 1, 2, 100)
    numbers = dict(zip(names, values, strict=True)) | {
        "size": 2, "words": 2, "labels": 0, "pruned": -1, "count": 4, "type": 0, "quantized": 0, "rows": 5,
        "columns": 2, "first": b"ab", "number": 0.5, "output": 2,
    }  # fmt: skip
    numbers |= changes
    start = struct.pack("<14id", *(numbers[name] for name in names), 1e-4)
    counts = struct.pack("<3i2q", numbers["size"], numbers["words"], numbers["labels"], 7, numbers["pruned"])
    words = b"".join(
        word + b"\0" + struct.pack("<qb", numbers["count"], numbers["type"]) for word in (numbers["first"], b"c")
    )
    shape = struct.pack("<b2q", numbers["quantized"], numbers["rows"], numbers["columns"])
    inputs = np.array([numbers["number"], *range(1, 10)], "<f4").tobytes()
    output = struct.pack("<b2q", 0, numbers["output"], 2) + bytes(16)
    return start + counts + words + shape + inputs + output


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 13}, "version 13"),
        ({"version": 10}, "version 10"),
        ({"dim": 0}, "0 dimensions"),
        ({"bucket": -1}, "-1 buckets"),
        ({"maxn": 2**30}, "n-grams up to"),
        ({"model": 3}, "its output matrix has 2 x 2 numbers"),
        ({"pruned": 1}, "a quantized model"),
        ({"quantized": 1}, "a quantized model"),
        ({"size": 2**31 - 1, "words": 2**31 - 1}, "2147483647 words, the file is too small"),
        ({"words": 1}, "2 entries cannot be 1 words and 0 labels"),
        ({"labels": -1, "words": 3}, "cannot be"),
        ({"size": 0, "words": 0}, "cannot be"),
        ({"count": -4}, "a count is negative"),
        ({"type": 7}, "neither a word nor a label"),
        ({"type": 1}, "labels among its words"),
        ({"rows": 6}, "6 x 2 numbers"),
        ({"columns": 3}, "5 x 3 numbers"),
        ({"bucket": 2**31 - 1, "rows": 2**31 + 1}, "the file is too small"),
        ({"first": b"c"}, "'c' was on word 1 already"),
        ({"first": b"\xff"}, "not UTF-8"),
        ({"first": b""}, "no word"),
        ({"first": b"x" * 70_000}, "a word does not end"),
        ({"number": np.nan}, "not finite"),
        ({"output": -2}, "-2 x 2 numbers"),
        ({"output": 3}, "cut short"),
        ({"output": 1}, "more after its end"),
    ],
    ids=range(26),
)
def test_what_is_wrong_is_named(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(small())
    assert windrow.load(path).index_to_key == ["ab", "c"]
    path.write_bytes(small(**changes))
    with pytest.raises((FormatError, OptionError), match=message):
        windrow.load(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused(data: st.DataObject, tmp_path: Path) -> None:
    whole, path = small(), tmp_path / "model.bin"
    damaged = bytearray(whole[: data.draw(st.integers(4, len(whole)))])
    for place in data.draw(st.lists(st.integers(4, len(damaged) - 1), max_size=4)) if len(damaged) > 4 else []:
        damaged[place] = data.draw(st.integers(0, 255))
    path.write_bytes(damaged)
    try:
        wv = windrow.load(path)
    except WindrowError:
        return
    assert np.isfinite(wv.vectors).all()

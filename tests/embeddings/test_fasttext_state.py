"""Training that goes on from binary models of fastText, and such models of what training has left.

``fasttext/*.bin`` were trained and written by fasttext-community 0.11.9, a build of Facebook's own sources: skip-gram
with negative sampling, CBOW with hierarchical softmax, skip-gram with softmax and no n-grams; of four lines of text.
"""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import windrow
from tests.cli.test_train_vectors import run
from tests.naive.tree import fasttext_paths
from windrow import Corpus, Word2Vec
from windrow.errors import DataWarning, FormatError, OptionError

NATIVE = sorted((Path(__file__).parent / "fasttext").glob("*.bin"))
TEXT = ["the king sings to kings", "a queen sang", "the singing king sang to a queen", "to the queen"] * 5
OPTIONS: dict[str, Any] = {
    "vector_size": 6, "min_count": 1, "epochs": 2, "workers": 1, "sample": 0.01, "window": 3, "alpha": 0.2,
    "subwords": True, "min_n": 2, "max_n": 4, "buckets": 97,
}  # fmt: skip


def raw(path: Path) -> dict[str, Any]:
    """What is in a model, as fastText's sources read it."""
    data, at = path.read_bytes(), 0

    def take(layout: str) -> tuple[Any, ...]:
        nonlocal at
        found = struct.unpack_from(layout, data, at)
        at += struct.calcsize(layout)
        return found

    names = ("magic", "version", "dim", "ws", "epoch", "min_count", "neg", "word_ngrams", "loss", "model", "bucket",
             "minn", "maxn", "rate", "t")  # fmt: skip
    found: dict[str, Any] = dict(zip(names, take("<14id"), strict=True))
    size, *_ = take("<3i2q")
    found["words"], found["counts"] = [], []
    for _ in range(size):
        end = data.index(b"\0", at)
        found["words"].append(data[at:end].decode())
        at = end + 1
        found["counts"].append(take("<qb")[0])
    for name in ("input", "output"):
        _, rows, columns = take("<b2q")
        found[name] = np.frombuffer(data, "<f4", rows * columns, at).reshape(rows, columns)
        at += 4 * rows * columns
    assert at == len(data)
    return found


def probabilities(found: dict[str, Any], hidden: np.ndarray) -> list[float]:
    """The probability of each word by hierarchical softmax: a positive score is a turn to the right."""
    answers = []
    for path in fasttext_paths(found["counts"]):
        scores = [(float(found["output"][node] @ hidden), code) for node, code in path]
        answers.append(float(np.prod([1 / (1 + np.exp(-score if code else score)) for score, code in scores])))
    return answers


# --- models that fastText has written


@pytest.mark.parametrize("path", NATIVE, ids=lambda path: path.stem)
def test_a_model_is_read_and_written_to_equal_bytes(path: Path, tmp_path: Path) -> None:
    model, found = Word2Vec.load(path), raw(path)
    assert model.wv.index_to_key == found["words"]
    assert model.wv.counts.tolist() == found["counts"]
    asked = model.get_params()
    assert (asked["window"], asked["epochs"], asked["sample"], asked["sg"]) == (
        found["ws"], found["epoch"], found["t"], found["model"] - 1
    )  # fmt: skip
    for again, name in ((model, "m.fasttext"), (model, "m")):
        again.save(tmp_path / name, format="fasttext")
        assert (tmp_path / name).read_bytes() == path.read_bytes()
    model.save(tmp_path / "ours")
    Word2Vec.load(tmp_path / "ours").save(tmp_path / "back.fasttext")
    assert (tmp_path / "back.fasttext").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("path", NATIVE, ids=lambda path: path.stem)
def test_training_goes_on(path: Path) -> None:
    start = Word2Vec.load(path)
    more = Word2Vec(**start.get_params()).set_params(workers=1, alpha=0.1, sample=0, epochs=3)
    more.fit([*TEXT, "the kingdom sings"], continue_from=path)
    words = len(start.wv)
    assert more.wv.index_to_key == [*start.wv.index_to_key, "kingdom"]
    if start.subwords:
        np.testing.assert_array_equal(more.wv.ngrams.subwords.used[:30], np.arange(30))
        assert np.abs(more.wv["kingly"] - start.wv["kingly"]).max() > 1e-3
    (name,) = more.output_tables_
    assert len(more.output_tables_[name]) == words + (name != "hs")
    assert more.history_[-1]["loss"] < more.history_[0]["loss"]


def test_the_tree_is_that_of_fasttext(tmp_path: Path) -> None:
    """For a model of fastText's, and for one of ours, whose words are not in the order of their counts any more."""
    ours = Word2Vec(**OPTIONS, loss="hs").fit(TEXT)
    ours.set_params(min_count=1).fit(["kingdom sings"] * 9, continue_from=ours).save(tmp_path / "ours.fasttext")
    assert ours.wv.counts.tolist() != sorted(ours.wv.counts, reverse=True)
    for model, path in ((Word2Vec.load(NATIVE[0]), NATIVE[0]), (ours, tmp_path / "ours.fasttext")):
        found = raw(path)
        assert found["loss"] == 1
        assert found["counts"] == sorted(found["counts"], reverse=True)
        expected = probabilities(found, model.wv["king"].astype(float))
        assert sum(expected) == pytest.approx(1)
        answers = dict(model.predict_output_word(["king"], topn=len(model.wv)))
        assert answers == pytest.approx(dict(zip(found["words"], expected, strict=True)), rel=1e-5)
        again = Word2Vec.load(path)
        assert dict(again.predict_output_word(["king"], topn=99)) == pytest.approx(answers, rel=1e-5)


# --- beside gensim


def test_gensim_reads_the_output_layer_and_the_options(tmp_path: Path) -> None:
    theirs = pytest.importorskip("gensim.models.fasttext", reason="gensim has no wheel for this Python")
    model = Word2Vec(**OPTIONS, sg=1, negative=7).fit(TEXT)
    model.save(tmp_path / "m.fasttext")
    found = theirs.load_facebook_model(str(tmp_path / "m.fasttext"))
    assert (found.sg, found.hs, found.negative, found.window, found.epochs) == (1, 0, 7, 3, 2)
    assert (found.min_count, found.sample, found.wv.min_n, found.wv.max_n, found.wv.bucket) == (1, 0.01, 2, 4, 97)
    np.testing.assert_array_equal(found.syn1neg, model.output_tables_["ns"])
    np.testing.assert_array_equal(found.wv.vectors_vocab, model._state().vectors)


def test_it_trains_on_as_gensim_does(lee_sentences: list[list[str]], tmp_path: Path) -> None:
    """CBOW, update by update, from gensim's own model.

    Float noise grows, since each of a window's hundred rows takes the whole gradient: to 1 % of what training changes.
    """
    theirs = pytest.importorskip("gensim.models.fasttext", reason="gensim has no wheel for this Python")
    few = lee_sentences[:40]
    first = theirs.FastText(few, vector_size=20, min_count=2, epochs=2, workers=1, seed=1, bucket=500)
    theirs.save_facebook_model(first, str(tmp_path / "m.bin"))
    expected = theirs.load_facebook_model(str(tmp_path / "m.bin"))
    expected.workers, before = 1, expected.wv.vectors.copy()
    expected.train(few, total_examples=len(few), epochs=2, start_alpha=0.02, end_alpha=0.01)

    corpus, model = Corpus.build(few), Word2Vec.load(tmp_path / "m.bin")
    model.set_params(kernel="pair", workers=1, ns_exponent=0.75, epochs=2, alpha=0.02, min_alpha=0.01)
    model.fit(corpus, continue_from=replace(model._state(), texts=(corpus.fingerprint,)))  # so that none counts twice
    assert model.wv.index_to_key == expected.wv.index_to_key
    change = np.abs(expected.wv.vectors - before).max()
    assert change > 0.5
    assert np.abs(model.wv.vectors - expected.wv.vectors).max() < 0.03 * change
    assert np.abs(model.output_tables_["ns"] - expected.syn1neg).max() < 0.03 * np.abs(expected.syn1neg).max()


# --- the command line


def test_commands_keep_the_output_layer(tmp_path: Path) -> None:
    text, kept, binary, more = (tmp_path / name for name in ("text", "kept.safetensors", "m.bin", "more.fasttext"))
    text.write_text("\n".join(TEXT), "utf-8")
    train = ("vectors", "train", text, "--min-count", "1", "--epochs", "2", "--workers", "1")
    subwords = ("--subwords", "--max-n", "4", "--buckets", "97", "--size", "6", "--window", "3", "--loss", "hs")
    assert run(*train, *subwords, "-o", kept, "--keep-training-state").exit_code == 0
    assert run("vectors", "convert", kept, binary, "--to", "fasttext").exit_code == 0
    model = Word2Vec.load(kept)
    np.testing.assert_array_equal(raw(binary)["output"][:-1], -model.output_tables_["hs"])
    assert (raw(binary)["ws"], raw(binary)["epoch"]) == (3, 2)
    result = run(*train, "-o", more, "--continue-from", binary)
    assert result.exit_code == 0, result.output
    assert windrow.load(more).index_to_key == model.wv.index_to_key
    assert np.abs(raw(more)["output"] - raw(binary)["output"]).max() > 0
    assert np.abs(raw(more)["input"] - raw(binary)["input"]).max() > 0


def test_vectors_alone_have_no_output_layer_to_go_on_from(tmp_path: Path) -> None:
    """Two output layers do not fit into the file, nor does any into those of other formats."""
    model = Word2Vec(**OPTIONS | {"loss": "hs+ns"}).fit(TEXT)
    model.wv.save(tmp_path / "m.fasttext")
    loaded = Word2Vec.load(tmp_path / "m.fasttext")
    with pytest.warns(
        DataWarning, match="the model to continue from has an output layer of zeros, .*: it begins again"
    ):
        Word2Vec(**OPTIONS | {"loss": "hs"}).fit(TEXT, continue_from=loaded)
    for name in ("m.bin", "m.txt"):
        windrow.WordVectors(["a", "b"], np.eye(2, dtype=np.float32)).save(tmp_path / name)
        with pytest.raises(FormatError, match=rf"{name} holds vectors alone, .* vectors='.*{name}' instead"):
            Word2Vec.load(tmp_path / name)


# --- what is refused


def test_what_fasttext_cannot_hold_is_refused(tmp_path: Path) -> None:
    plain = {name: OPTIONS[name] for name in ("vector_size", "min_count", "epochs", "workers")}
    for options, told in (
        ({**OPTIONS, "loss": "hs+ns"}, "one output layer, not hs"),
        ({**plain, "loss": "hs"}, "Huffman tree is not that of fastText"),
    ):
        with pytest.raises(OptionError, match=told):
            Word2Vec(**options).fit(TEXT).save(tmp_path / "m.fasttext")
    with pytest.raises(FormatError, match="cannot hold the word"):
        Word2Vec(**OPTIONS | {"sample": 0}).fit([["a\0b", "c"]] * 9).save(tmp_path / "m.fasttext")
    with pytest.raises(OptionError, match="format = 'txt'"):
        Word2Vec(**plain).fit(TEXT).save(tmp_path / "m", format="txt")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("place", "value", "told"), [
    (32, 4, "a classifier of fastText"), (36, 3, "a classifier of fastText"), (8, 0, "0 dimensions"),
    (-1, None, "ends too early"), (0, b"x", "more after its end"),
], ids=range(5))  # fmt: skip
def test_damaged_models_are_refused(place: int, value: Any, told: str, tmp_path: Path) -> None:
    data = bytearray(NATIVE[1].read_bytes())
    if value is None:
        del data[place:]
    elif isinstance(value, bytes):
        data += value
    else:
        data[place : place + 4] = struct.pack("<i", value)
    (tmp_path / "m.bin").write_bytes(data)
    with pytest.raises(FormatError, match=told):
        Word2Vec.load(tmp_path / "m.bin")


@pytest.mark.parametrize("place", [-4, -200])
def test_numbers_that_are_not_finite_are_refused(place: int, tmp_path: Path) -> None:
    data = bytearray(NATIVE[1].read_bytes())
    data[place : len(data) + place + 4] = struct.pack("<f", np.nan)
    (tmp_path / "m.bin").write_bytes(data)
    with pytest.raises(FormatError, match=r"the output matrix.*not finite"):
        Word2Vec.load(tmp_path / "m.bin")

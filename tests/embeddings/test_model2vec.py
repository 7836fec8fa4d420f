"""Folders of static embeddings: round trips, those that other programs write, and folders that are wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import windrow
from windrow import WordVectors
from windrow.embeddings.endings import DTYPES
from windrow.embeddings.formats import model2vec
from windrow.embeddings.vectors import load_vectors
from windrow.errors import DataError, DataWarning, FormatError, OptionError

WORDS = ["the", "cat", "dog", "naïve", "日本語", "[UNK]", "a b"]
SENTENCES = ["the cat", "The dog, the CAT and a unicorn", "naïve\t日本語\u00a0cat", "unicorns", ""]


def small(**more: Any) -> WordVectors:
    vectors = np.random.default_rng(3).normal(size=(len(WORDS), 6)).astype(np.float32)
    wv = WordVectors(WORDS, vectors, np.arange(len(WORDS), 0, -1))
    wv.provenance = {"tokenizer": "whitespace", "lowercase": True, **more}
    return wv


def change_json(path: Path, **parts: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **parts}), "utf-8")


def change_model(folder: Path, **parts: Any) -> None:
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text("utf-8"))
    change_json(path, model={**content["model"], **parts})


def change_tensors(folder: Path, **parts: Any) -> None:
    tensors = {**load_file(folder / "model.safetensors"), **parts}
    save_file({name: one for name, one in tensors.items() if one is not None}, folder / "model.safetensors")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    small().save(tmp_path / "x.model2vec")
    return tmp_path / "x.model2vec"


# --- round trips


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_written_is_read_back(dtype: str, tmp_path: Path) -> None:
    wv = small()
    wv.save(tmp_path / "x.model2vec", dtype=dtype)
    back = windrow.load(tmp_path / "x.model2vec")
    assert isinstance(back, WordVectors)
    assert back.index_to_key == WORDS
    assert back.counts is not None and back.counts.tolist() == list(range(len(WORDS), 0, -1))
    assert back.provenance == wv.provenance
    bound = {"float32": 0, "float16": 2**-10, "int8": 0.5001 / 127}[dtype] * np.abs(wv.vectors).max(axis=1)
    assert (np.abs(back.vectors - wv.vectors) <= bound[:, None]).all()


def test_files_are_as_the_umask_says_and_a_model_takes_the_place_of_another(folder: Path) -> None:
    modes = {path.stat().st_mode & 0o777 for path in folder.iterdir()}
    (folder / "README.md").touch()
    assert modes == {(folder / "README.md").stat().st_mode & 0o777}
    small().head(2).save(folder)
    assert load_vectors(folder).index_to_key == WORDS[:2]
    assert not (folder / "README.md").exists()


@pytest.mark.parametrize("name", ["notes.txt", "own"])
def test_no_other_folder_is_replaced(name: str, folder: Path, tmp_path: Path) -> None:
    (folder / name).touch()
    with pytest.raises(DataError, match=f"also holds {name}; move that"):
        small().save(folder)
    (tmp_path / "texts.model2vec").mkdir()
    with pytest.raises(DataError, match="is not a folder of static embeddings; remove it"):
        small().save(tmp_path / "texts.model2vec")


def test_vectors_that_are_loaded_are_asked_as_others(folder: Path) -> None:
    back, wv = load_vectors(folder), small()
    assert back.most_similar("cat") == wv.most_similar("cat")
    assert load_vectors(folder, only_words=["dog", "cat"]).index_to_key == ["cat", "dog"]
    assert WordVectors.load(folder, "model2vec", limit=3).index_to_key == WORDS[:3]


# --- folders of others


def test_tokens_weights_and_mapping_of_a_model_of_sub_words(folder: Path, tmp_path: Path) -> None:
    rows = np.array([[1, 2], [3, 4]], np.float16)
    mapping, weights = np.array([1, 0, 1, 1]), np.array([1, 2, 0.5, 3])
    save_file({"embeddings": rows, "mapping": mapping, "weights": weights}, folder / "model.safetensors")
    change_json(
        folder / "tokenizer.json",
        model={"type": "WordPiece", "vocab": {"[UNK]": 1, "cat": 0, "##s": 2}, "unk_token": "[UNK]"},
        added_tokens=[{"id": 3, "content": "[SEP]"}],
    )
    wv = load_vectors(folder)
    assert wv.index_to_key == ["cat", "##s", "[SEP]"]
    assert wv.vectors.tolist() == [[3, 4], [1.5, 2], [9, 12]]
    with pytest.warns(DataWarning, match="the tokens of a WordPiece tokenizer"):
        wv.save(tmp_path / "whole.model2vec")


@pytest.mark.parametrize(
    "model",
    [
        {"type": "Unigram", "vocab": [["<unk>", 0.0], ["▁cat", -1.5], ["s", -2.0]], "unk_id": 0},
        {"type": "BPE", "vocab": {"▁cat": 1, "s": 2, "<unk>": 0}, "merges": [], "unk_token": "<unk>"},
        {"vocab": {"▁cat": 1, "s": 2, "<unk>": 0}, "merges": [], "unk_token": "<unk>"},
    ],
)
def test_other_kinds_of_tokens_in_a_folder_of_sentence_transformers(model: Any, folder: Path, tmp_path: Path) -> None:
    place = tmp_path / "st" / "0_StaticEmbedding"
    place.mkdir(parents=True)
    save_file({"embedding.weight": np.eye(3, dtype=np.float32)}, place / "model.safetensors")
    change_json(folder / "tokenizer.json", model=model)
    (folder / "tokenizer.json").rename(place / "tokenizer.json")
    wv = load_vectors(place.parent)
    assert wv.index_to_key == ["▁cat", "s"]
    assert wv.vectors.tolist() == [[0, 1, 0], [0, 0, 1]]


# --- what is wrong


def test_tokenizers_that_are_wrong(folder: Path) -> None:
    size = len(WORDS)
    vocabulary = {word: row for row, word in enumerate([*WORDS, "?"])}
    for parts, told in (
        ({"type": "Neural"}, "unknown model 'Neural'; windrow reads WordLevel, WordPiece, BPE, Unigram"),
        ({"vocab": {"a": 0, "b": 7}}, "the ids of its 2 tokens are not 0, 1, 2"),
        ({"vocab": {}}, "the ids of its 0 tokens"),
        ({"vocab": ["a", "b"]}, "its vocabulary is not what it should be"),
        ({"vocab": {"?": 0}}, f"has {size + 1} rows, but .*tokenizer.json 1 tokens; are both of one model"),
        ({"type": "Unigram", "vocab": [[word, 0] for word in vocabulary], "unk_id": 99}, "the id 99 of unknown tokens"),
    ):
        change_model(folder, **{"type": "WordLevel", "unk_token": "[[UNK]]", "vocab": vocabulary, **parts})
        with pytest.raises(FormatError, match=told):
            load_vectors(folder)
    for content, told in (("{", "is no valid JSON"), ("[1]", "holds no JSON object"), ("{}", "it has no model")):
        (folder / "tokenizer.json").write_text(content)
        with pytest.raises(FormatError, match=told):
            load_vectors(folder)


def test_tensors_that_are_wrong(folder: Path) -> None:
    rows = load_file(folder / "model.safetensors")["embeddings"]
    tokens, nan = len(rows), rows.copy()
    nan[2, 1] = np.nan
    for parts, told in (
        ({"embeddings": None}, "expected the tensor embeddings or embedding.weight"),
        ({"embeddings": rows[:-1]}, f"has {tokens - 1} rows, but .*{tokens} tokens"),
        ({"embeddings": rows[0]}, r"expected embeddings \(rows, dimensions\), found float32 \(6,\)"),
        ({"embeddings": rows.astype(np.int64)}, "found int64"),
        ({"embeddings": nan}, r"not finite \(row 3\)"),
        ({"mapping": np.arange(3)}, f"expected a mapping of {tokens} tokens, found int64"),
        ({"mapping": np.arange(tokens) + 1}, f"leads to rows beyond the {tokens}"),
        ({"mapping": np.arange(tokens) - 1}, "leads to rows beyond"),
        ({"weights": np.ones(2)}, f"expected {tokens} weights, found float64"),
        ({"counts": np.full(tokens, -1)}, "out of range"),
    ):
        change_tensors(folder, **{"embeddings": rows, "mapping": None, "weights": None, **parts})
        with pytest.raises(FormatError, match=told):
            load_vectors(folder)
    (folder / "model.safetensors").write_bytes(b"abc")
    with pytest.raises(FormatError, match=r"model\.safetensors cannot be read"):
        load_vectors(folder)


def test_a_folder_in_the_place_of_something_else(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="holds word vectors, not an entity tagger"):
        windrow.load(folder, expected=windrow.WindowTagger)
    with pytest.raises(OptionError, match=r"format = 'txt': .* is a folder of static embeddings; leave it out"):
        WordVectors.load(folder, "txt")
    (tmp_path / "x.txt").write_text("1 1\na 1\n")
    with pytest.raises(FormatError, match=r"holds no static embeddings: expected model\.safetensors"):
        WordVectors.load(tmp_path / "x.txt", "model2vec")
    with pytest.raises(OptionError, match="hold float32 only; choose one of safetensors, model2vec"):
        small().save(tmp_path / "y.txt", dtype="int8")
    with pytest.raises(OptionError, match="dtype = 'int4' is not one of float32, float16, int8"):
        small().save(tmp_path / "y.model2vec", dtype="int4")
    with pytest.raises(FormatError, match=r"\.model2vec files are not written through gzip"):
        small().save(tmp_path / "y.model2vec.gz", "model2vec")


def test_a_tokenizer_of_your_own_is_told(tmp_path: Path) -> None:
    with pytest.warns(DataWarning, match="cannot cut text as char does: it cuts at white space; give it tokens"):
        small(tokenizer="char").save(tmp_path / "x.model2vec")


# --- what the programs that read them make of them


@pytest.mark.parametrize("dtype", DTYPES)
def test_model2vec_gives_the_mean_of_our_vectors(dtype: str, tmp_path: Path) -> None:
    model2vec = pytest.importorskip("model2vec", reason="model2vec is not installed")
    wv = small()
    wv.save(tmp_path / "x.model2vec", dtype=dtype)
    model = model2vec.StaticModel.from_pretrained(tmp_path / "x.model2vec")
    assert np.allclose(model.encode(SENTENCES), means(load_vectors(tmp_path / "x.model2vec")), atol=2e-3)
    long = " ".join(["the"] * 600 + ["dog"] * 600)  # of which none is cut off
    assert np.allclose(model.encode([long]), (wv["the"] + wv["dog"]) / 2, atol=2e-2)


def test_what_model2vec_writes_is_read(folder: Path, tmp_path: Path) -> None:
    model2vec = pytest.importorskip("model2vec", reason="model2vec is not installed")
    model = model2vec.StaticModel.from_pretrained(folder)
    model.save_pretrained(tmp_path / "theirs")
    theirs = load_vectors(tmp_path / "theirs")
    assert theirs.index_to_key == WORDS
    assert np.array_equal(theirs.vectors, small().vectors)
    assert theirs.provenance == small().provenance
    small().save(tmp_path / "theirs", "model2vec")  # with a card, which goes


@pytest.mark.parametrize("dtype", DTYPES)
def test_sentence_transformers_loads_them(dtype: str, tmp_path: Path) -> None:
    transformers = pytest.importorskip("sentence_transformers", reason="sentence-transformers is not installed")
    small().save(tmp_path / "x.model2vec", dtype=dtype)
    model = transformers.SentenceTransformer(str(tmp_path / "x.model2vec"), device="cpu")
    found = np.asarray(model.encode(SENTENCES), np.float32)
    # Unknown words are zero vectors there, that count in the mean.
    shares = np.array([1, 3 / 7, 1, 0, 0])[:, None]
    assert np.allclose(found, means(load_vectors(tmp_path / "x.model2vec")) * shares, atol=2e-3)


def means(wv: WordVectors) -> np.ndarray[Any, Any]:
    """The mean of the vectors of known words, one by one."""
    found = []
    for sentence in SENTENCES:
        known = [wv[word] for word in sentence.lower().split() if word in wv]
        found.append(np.mean(known, axis=0) if known else np.zeros(wv.vector_size))
    return np.array(found, np.float32)


def test_a_folder_that_is_replaced_while_it_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its words would have the vectors of the others, which are as many."""
    path, read = tmp_path / "v.model2vec", model2vec._read_tensors
    small().save(path)
    others = WordVectors(WORDS[::-1], np.ones((len(WORDS), 6), np.float32))

    def replacing(*arguments: Any) -> Any:
        monkeypatch.setattr(model2vec, "_read_tensors", read)
        others.save(path)
        return read(*arguments)

    monkeypatch.setattr(model2vec, "_read_tensors", replacing)
    with pytest.raises(DataError, match="was replaced while it was opened; try again"):
        load_vectors(path)
    assert load_vectors(path).index_to_key == WORDS[::-1]

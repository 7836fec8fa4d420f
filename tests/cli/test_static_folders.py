"""Commands that write and read folders of static embeddings, and small files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import windrow
from windrow.cli import main
from windrow.embeddings.vectors import load_vectors

LINES = ["The king rules the land.", "The queen rules the land.", "A dog barks; a cat sleeps!"] * 4


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("\n".join(LINES))
    numbers = np.random.default_rng(1).normal(size=(4, 6)).astype(np.float32)
    windrow.WordVectors(["the", "king", "queen", "dog"], numbers).save("v.safetensors")
    return tmp_path


@pytest.mark.usefixtures("here")
def test_from_a_folder_of_text_to_a_folder_of_vectors() -> None:
    options = ["--tokenizer", "word", "--lowercase", "--min-count=1", "--size=4", "--epochs=1", "--workers=1"]
    result = run("vectors", "train", "texts", "-o", "w.model2vec/", *options, "--sample=0")
    assert result.exit_code == 0, result.stderr
    assert sorted(path.name for path in Path("w.model2vec").iterdir()) == [
        "config.json",
        "model.safetensors",
        "modules.json",
        "tokenizer.json",
    ]
    assert "w.model2vec: 10 words of 4 dimensions" in result.stderr
    assert (
        run("vectors", "train", "texts", "-o", "w.model2vec", *options, "--sample=0").exit_code == 0
    )  # takes its place
    similar = run("vectors", "similar", "w.model2vec", "king", "-k", "2")
    assert len(similar.stdout.splitlines()) == 2
    printed = run("vectors", "print", "w.model2vec", "texts/a.txt")  # cut into words as in the training
    assert "Warning" not in printed.stderr and len(printed.stdout.splitlines()) == len(LINES)
    facts = json.loads(run("info", "w.model2vec", "--json").stdout)
    assert facts["words"] == 10 and facts["text"] == {"tokenizer": "word", "lowercase": True}
    assert "--tokenizer word --lowercase" in run("info", "w.model2vec", "--command").stdout
    assert run("verify", "w.model2vec").stdout == "w.model2vec: no checksum: it is a folder of static embeddings\n"


@pytest.mark.parametrize("dtype", ["float16", "int8"])
@pytest.mark.usefixtures("here")
def test_smaller_numbers_and_fewer_dimensions(dtype: str) -> None:
    for out in ("small.safetensors", "small.model2vec"):
        assert run("vectors", "convert", "v.safetensors", out, "--dtype", dtype, "--size", "3").exit_code == 0
        found = load_vectors(out).vectors
        assert np.allclose(found, load_vectors("v.safetensors").truncated(3).vectors, atol=1 / 250)
    assert run("vectors", "convert", "small.model2vec", "folder", "--to", "model2vec").exit_code == 0
    assert run("vectors", "convert", "folder", "back.txt").exit_code == 0
    assert load_vectors("back.txt").index_to_key == ["the", "king", "queen", "dog"]


@pytest.mark.usefixtures("here")
def test_what_cannot_be_written() -> None:
    load_vectors("v.safetensors").save("v.model2vec")
    Path("other.model2vec").mkdir()
    for arguments, told in (
        (["v.model2vec", "v.model2vec", "--dtype", "int8"], "v.model2vec is read and written; choose another name"),
        (["v.model2vec", "x.txt", "--dtype", "int8"], "--dtype = 'int8': .txt files hold float32 only; choose one of"),
        (["v.model2vec", "x.txt", "--size", "7"], "--size = 7, but vectors have 6 dimensions; choose one up to that"),
        (["v.safetensors", "texts", "--to", "model2vec"], "cannot write texts: it is a folder; name a file in it"),
        (["v.safetensors", "texts/"], "cannot write texts/: it is a folder; name a file in it"),
        (["v.safetensors", "other.model2vec"], "other.model2vec exists and is not a folder of static embeddings"),
        (["v.safetensors", "-", "--to", "model2vec"], "cannot go to standard output; choose one of"),
        (["texts", "x.txt"], "texts is a folder, not a file; name a file in it"),
    ):
        result = run("vectors", "convert", *arguments)
        assert result.exit_code == 1, arguments
        assert told in result.stderr
    result = run("corpus", "build", "v.model2vec", "-o", "out")
    assert "v.model2vec holds word vectors, not text; use it with `windrow vectors similar`" in result.stderr
    load_vectors("v.safetensors").save("texts/v.model2vec")  # which is no text
    assert run("corpus", "build", "texts", "-o", "out").exit_code == 0
    assert "king" in windrow.Corpus.open("out").vocabulary.words and len(windrow.Corpus.open("out").vocabulary) < 30
    result = run("lm", "score", "v.model2vec", "texts/a.txt")
    assert "v.model2vec holds word vectors, not a language model; use it with `windrow vectors" in result.stderr

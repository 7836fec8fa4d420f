"""`windrow.load`: what a file is, by its name or by what it holds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import windrow
from windrow.embeddings import WordVectors
from windrow.errors import DataError, FormatError, OptionError
from windrow.lm.ngram.model import NGramLM

VECTORS = WordVectors(["a", "b"], np.eye(2, dtype=np.float32))


@pytest.mark.parametrize("name", ["model.safetensors", "model", "model.txt", "model.npy", "MODEL.SAFETENSORS"])
def test_a_model_is_known_by_what_it_holds(name: str, tmp_path: Path) -> None:
    model = NGramLM(2, "witten-bell").fit(["a b", "b a"])
    model.save(tmp_path / name)

    assert windrow.load(tmp_path / name).log_prob("a b") == model.log_prob("a b")


@pytest.mark.parametrize("name", ["v.txt", "v.bin", "v.vec", "v.safetensors"])
def test_vectors_are_known_by_their_names(name: str, tmp_path: Path) -> None:
    VECTORS.save(tmp_path / name)

    assert windrow.load(tmp_path / name).index_to_key == ["a", "b"]


def test_a_corpus_is_told_from_other_folders(tmp_path: Path) -> None:
    windrow.Corpus.build(["a b"], tmp_path / "text.corpus")

    with pytest.raises(FormatError, match=r"text.corpus is a corpus, not a model; open it with windrow.Corpus.open"):
        windrow.load(tmp_path / "text.corpus")
    with pytest.raises(FormatError, match="is a folder, not a file"):
        windrow.load(tmp_path)


def test_text_that_looks_like_a_model_is_text(tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text('2 2\nabcd{" 1 0\nb 0 1\n')

    assert windrow.load(tmp_path / "v.txt").index_to_key == ['abcd{"', "b"]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        windrow.load(tmp_path / "none.safetensors")

    assert str(caught.value) == f"cannot read {tmp_path / 'none.safetensors'}: No such file or directory"


@pytest.mark.parametrize("load", [windrow.load, WordVectors.load, NGramLM.load])
@pytest.mark.parametrize(
    ("path", "said"),
    [
        (5, "path = 5 must be the name of a file or folder, not int"),
        (None, "must be the name of a file or folder, not NoneType"),
        (b"v.txt", "must be the name of a file or folder, not bytes"),
        ("", "'' names no file"),
        ("a\0b", "names no file"),
        ("https://host.invalid/v.vec", "is a URL, of which only texts are read; download the file first"),
        ("~/windrow-there-is-no-such-file", f"cannot read {Path.home()}"),
    ],
)
def test_what_names_no_file(load: Any, path: Any, said: str) -> None:
    with pytest.raises((DataError, OptionError), match=re.escape(said)):
        load(path)

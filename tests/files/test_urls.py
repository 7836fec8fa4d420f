"""Names that are URLs: recognized, shown without what is secret, and refused where only a file will do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import windrow
from windrow.corpus import Corpus
from windrow.corpus.registry import fetch, list_corpora
from windrow.corpus.toyland import generate
from windrow.errors import WindrowError
from windrow.evaluation import evaluate_analogies, evaluate_similarity
from windrow.files.urls import is_url, path_of, scheme_of, without_secrets
from windrow.files.writing import atomic_write


@pytest.mark.parametrize(
    ("name", "scheme"),
    [
        ("http://host/a", "http"),
        ("HTTPS://host/a", "https"),
        ("file:///a", "file"),
        ("svn+ssh://host/a", "svn+ssh"),
        ("C://a", ""),
        ("C:\\a", ""),
        ("./http://a", ""),
        ("a http://b", ""),
        ("mailto:a@b", ""),
        ("3s://a", ""),
        ("-", ""),
        ("", ""),
    ],
)
def test_what_a_url_is(name: str, scheme: str) -> None:
    assert scheme_of(name) == scheme
    assert is_url(name) == bool(scheme)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://host/a.txt", "https://host/a.txt"),
        ("https://host/@user/a@b.txt", "https://host/@user/a@b.txt"),
        ("https://host:80/a@b", "https://host:80/a@b"),
        ("https://[::1]:80/a", "https://[::1]:80/a"),
        ("https://me:secret@host/a", "https://***@host/a"),
        ("https://token@host", "https://***@host"),
        ("https://me:se@cret@host/a", "https://***@host/a"),
        ("https://me:sec/ret@host/a", "https://***@host/a"),
        ("https://me:sec?ret@host/a", "https://***@host/a"),
        ("https://me:sec#ret@host/a", "https://***@host/a"),
        ("s3://host/a?X-Signature=secret&b=2", "s3://host/a?..."),
        ("https://host/a?", "https://host/a"),
        (
            "404, url='http://me:secret@host/a?key=secret' (HTTP://me:secret@host)",
            "404, url='http://***@host/a?...' (HTTP://***@host)",
        ),
        ("two\nlines \x1b[2J", "two lines  [2J"),
    ],
)
def test_messages_show_no_secrets(text: str, shown: str) -> None:
    assert without_secrets(text) == shown


@pytest.mark.parametrize(
    ("url", "path"),
    [("http://host/a/b.gz?c.txt#d", "/a/b.gz"), ("http://host.com", ""), ("http://[::1/a.csv", "/a.csv")],
)
def test_the_path_in_a_url(url: str, path: str) -> None:
    assert path_of(url) == path


def _written(name: str | Path) -> None:
    with atomic_write(name):
        pass


LM = windrow.NGramLM(order=1, smoothing="add-delta").fit([["a", "b"]])
WV = windrow.WordVectors(["a", "b"], [[1.0, 2.0], [2.0, 1.0]])
DOORS: dict[str, Callable[[Any], object]] = {
    "load": windrow.load,
    "WordVectors.load": windrow.WordVectors.load,
    "Corpus.open": Corpus.open,
    "list_corpora": list_corpora,
    "analogies": lambda url: evaluate_analogies(url, WV.index_to_key, WV.vectors),
    "similarity": lambda url: evaluate_similarity(url, WV.index_to_key, WV.vectors),
    "atomic_write": _written,
    "save": WV.save,
    "save lm": LM.save,
    "build": lambda url: Corpus.build([["a"]], url),
    "toyland": generate,
    "fetch": lambda url: fetch("simlex-999", url),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://me:secret@host/a.safetensors?secret", "https://***@host/a.safetensors"),
        ("s3://bucket/a.txt", "s3://bucket/a.txt"),
        ("FILE:///tmp/no%20such/a.npy", "give its path instead, /tmp/no such/a.npy"),
    ],
)
def test_doors_for_files_refuse_urls(door: str, kind: type, url: str, told: str) -> None:
    with pytest.raises(WindrowError) as caught:
        DOORS[door](kind(url))
    message = str(caught.value)
    assert told in message and "\n" not in message and "secret" not in message
    assert any(advice in message for advice in ("download the file first", "upload it afterwards", "give its path"))


def test_a_file_in_a_folder_that_looks_like_a_scheme_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs:").mkdir()
    WV.save("runs://a.safetensors")
    assert windrow.load("runs://a.safetensors").index_to_key == ["a", "b"]
    assert windrow.load(Path("runs://a.safetensors")).index_to_key == ["a", "b"]

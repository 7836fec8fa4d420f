"""What a file is, told from its first bytes: files that other programs really write."""

from __future__ import annotations

import io
import pickle
import sqlite3
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest
import safetensors.numpy
from gensim.models import KeyedVectors
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from windrow import NGramLM
from windrow.errors import DataError, FormatError
from windrow.files import compression, sniff

from ..corpus.compressors import COMPRESS


def zipped(names: list[str]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, b"content")
    return stream.getvalue()


def tarred() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("glove.txt"))
    return stream.getvalue()


def saved(write: Any, *arguments: Any) -> bytes:
    stream = io.BytesIO()
    write(stream, *arguments)
    return stream.getvalue()


STARTS = {
    "empty": [b""],
    "npy": [saved(np.save, np.eye(2))],
    "npz": [saved(np.savez, np.eye(2)), zipped(["vectors.npy", "words.npy"])],
    "zip": [zipped(["glove.6B.50d.txt"]), zipped([])],
    "pytorch": [zipped(["archive/data.pkl", "archive/data/0"])],
    "tar": [tarred()],
    "pickle": [pickle.dumps({"vectors": np.eye(3), "words": ["a"]}, protocol) for protocol in range(6)]
    + [pickle.dumps(["a", "b"], protocol) for protocol in range(6)]
    + [pickle.dumps(Path("x"), protocol) for protocol in range(6)],
    "safetensors": [safetensors.numpy.save({"a": np.eye(2)}, metadata) for metadata in (None, {"a": "b"})],
    "git-lfs": [b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"],
    "html": [b"<!DOCTYPE html>\n<html>", b"\n <html lang='en'>", b"<?xml version='1.0'?><Error>AccessDenied</Error>"],
    "kenlm": [b"mmap lm http://kheafield.com/code format version 5\n\0\0\0\0\0\0\0\0"],
    "fasttext": [b"\xba\x16\x4f\x2f\x0c\0\0\0\x64\0\0\0"],
    "hdf5": [b"\x89HDF\r\n\x1a\n\0\0"],
    "gguf": [b"GGUF\3\0\0\0"],
    "pdf": [b"%PDF-1.7\n"],
    "utf-16": ["the 0.1 0.2\n".encode(encoding) for encoding in ("utf-16", "utf-16-le", "utf-16-be")],
    "arpa": [b"\\data\\\nngram 1=3\n", b"\\DATA\\ \r\nngram 1=3\n",
             b"\n\\data\\\r\n", b"made by a program\n\\data\\ \nngram 1=3", b"\xef\xbb\xbf\\data\\\n"],
    "unknown": [b"the 0.1 0.2\n", b"2 2\nthe 0.1 0.2\n", b"2 1\nthe \0\0\x80\x3f\n", b"a text\n",
                "été\n".encode(), b"{}", b"x"],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "start"), [(kind, start) for kind, starts in STARTS.items() for start in starts])
def test_a_file_is_known_by_its_first_bytes(kind: str, start: bytes) -> None:
    assert sniff.recognize(start) == kind


def test_files_of_programs(tmp_path: Path) -> None:
    vectors = KeyedVectors(3)
    vectors.add_vectors(["a", "b"], np.eye(3, dtype=np.float32)[:2])
    vectors.save(str(tmp_path / "vectors.kv"))
    NGramLM(2, "witten-bell").fit(["a b", "b a"]).save(tmp_path / "model")
    parquet.write_table(pyarrow.table({"a": ["b"]}), tmp_path / "a.parquet")
    connection = sqlite3.connect(tmp_path / "a.magnitude")
    connection.execute("create table a (b)")
    connection.close()

    kinds = [sniff.kind_of(tmp_path / name) for name in ("vectors.kv", "model", "a.parquet", "a.magnitude")]

    assert kinds == ["pickle", "windrow", "parquet", "sqlite"]


def test_a_header_longer_than_the_first_bytes(tmp_path: Path) -> None:
    many = {f"array{i}": np.zeros(1) for i in range(2000)}
    safetensors.numpy.save_file(many, tmp_path / "theirs")
    model = NGramLM(2, "witten-bell").fit(["a b", "b a"])
    model.provenance_ = {"note": "x" * 100_000}
    model.save(tmp_path / "ours")

    assert sniff.kind_of(tmp_path / "theirs") == "safetensors"
    assert sniff.kind_of(tmp_path / "ours") == "windrow"


@pytest.mark.parametrize("kind", sniff.FOREIGN)
def test_what_is_not_opened_says_what_helps(kind: str) -> None:
    with pytest.raises(FormatError, match=r"^a/file is .*; .+") as caught:
        sniff.refuse_foreign(kind, "a/file")
    assert "\n" not in str(caught.value)


@given(st.binary(max_size=300))
def test_any_bytes_are_of_one_kind(start: bytes) -> None:
    kinds = {*sniff.FOREIGN, "windrow", "safetensors", "npy", "parquet", "arpa", "unknown"}
    assert sniff.recognize(start) in kinds


def test_folders_and_missing_files(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="is a folder, not a file"):
        sniff.kind_of(tmp_path)
    with pytest.raises(DataError, match=r"cannot read .*none: No such file"):
        sniff.kind_of(tmp_path / "none")


def test_a_damaged_compressed_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\x1f\x8b\x08\0\0\0\0\0\0\3broken")
    with pytest.raises(FormatError, match=r"is not a valid compressed file .*; was it cut short"):
        sniff.kind_of(tmp_path / "a")


@pytest.mark.parametrize("suffix", COMPRESS)
def test_compression_is_known_by_its_first_bytes(suffix: str) -> None:
    assert compression.compression_of(COMPRESS[suffix](b"text")) == suffix
    assert compression.compression_of(b"text of ten bytes") == ""

"""A text that workers read gives the corpus that one process makes of it, byte by byte, wherever it is cut."""

from __future__ import annotations

import bz2
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.elsewhere import Elsewhere
from windrow import Corpus, Vocabulary
from windrow.corpus import numbering, shards, streams, tokenizers
from windrow.distributed import InProcess
from windrow.errors import DataError, DataWarning, OptionError, WindrowError

from .test_numbering import LETTERS, SPACES, contents


def ends_of_line(line: str) -> list[str]:
    """A tokenizer that must be given whole lines."""
    return line.split()[:1] + line.split()[-1:]


texts = st.text(st.sampled_from(SPACES + "\n\n\r " + LETTERS + "abc"), max_size=60)
files = st.lists(st.one_of(texts.map(str.encode), st.just(b""), st.just(b"\xef\xbb\xbfa\r\n")), min_size=1, max_size=4)
options = st.fixed_dictionaries(
    {
        "tokenizer": st.sampled_from(["whitespace", "word", "char", str.split, ends_of_line]),
        "lowercase": st.booleans(),
        "normalize": st.sampled_from([None, "nfc", "nfkc"]),
        "sentences": st.sampled_from(["line", "line", "paragraph", "document"]),
        "min_count": st.integers(1, 2),
        "specials": st.sampled_from([(), ("<unk>", "a")]),
    }
)


def built(source: Any, shard_bytes: int | None = None, **options: Any) -> Any:
    """The files of a corpus, or the error; with workers if the bytes of a shard are given."""
    kind = InProcess if callable(options.get("tokenizer")) else Elsewhere  # which a lambda does not reach
    workers = None if shard_bytes is None else kind(memory=shards._SHARE * shard_bytes)
    try:
        return contents(Corpus.build(source, ray=workers, **options))
    except WindrowError as error:
        return type(error), str(error)


@settings(max_examples=30, deadline=None)
@given(files, st.integers(1, 30), st.integers(1, 9), st.sampled_from([0, numbering.KERNEL_FROM]), options)
@example([b"a b c d", b"e"], 1, 1, 0, {})
@example([b"a b c d", b"e"], 1, 1, 0, {"tokenizer": ends_of_line})
@example([b"a \n \n\n\nb ", b"", b"\n"], 1, 2, 0, {"sentences": "line"})
@example([b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n"], 3, 2, 0, {})
def test_the_corpus_is_the_same(tmp_path_factory, contents_of_files, shard_bytes, chunk_bytes, kernel_from, options):
    folder = tmp_path_factory.mktemp("text")
    paths = [folder / f"{number}.txt" for number in range(len(contents_of_files))]
    for path, content in zip(paths, contents_of_files, strict=True):
        path.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numbering, "KERNEL_FROM", kernel_from)
        patch.setattr(streams, "CHUNK_BYTES", chunk_bytes)
        patch.setattr(tokenizers, "BATCH_CHARS", 2)
        patch.setattr(shards, "CHUNK_BYTES", 1)
        patch.setattr(shards, "_BLOCK", 3)

        assert built(paths, shard_bytes, **options) == built(paths, **options)


def test_shards_are_as_large_as_they_should_be(tmp_path, monkeypatch):
    """Large plain files are cut, small ones are joined, and what cannot be cut stays whole."""
    monkeypatch.setattr(shards, "CHUNK_BYTES", 1)
    monkeypatch.setattr(streams, "CHUNK_BYTES", 10)
    text = b"".join(b"line %d\n" % number for number in range(100))
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.txt").write_bytes(b"small\n")
    (tmp_path / "d.txt").write_bytes(text)
    (tmp_path / "e.gz").write_bytes(gzip.compress(text))
    (tmp_path / "f.txt").write_bytes(b"word " * 200)  # one line
    (tmp_path / "g.bz2").write_bytes(bz2.compress(text))
    seen: list[list[tuple[str, int]]] = []

    class Watched(InProcess):
        def stream(self, function, parts):
            for part in parts:
                seen.append([(Path(file.name).name, file.part.start) for file in part[0]])
                yield function(*part)

    Corpus.build(tmp_path, ray=Watched(memory=shards._SHARE * 100))

    assert seen[0][:3] == [("a.txt", 0), ("b.txt", 0), ("c.txt", 0)]
    cut = [file for shard in seen for file in shard]
    assert {name: sum(file == name for file, _ in cut) for name, _ in cut} == {
        "a.txt": 1, "b.txt": 1, "c.txt": 1, "d.txt": 8, "e.gz": 1, "f.txt": 10, "g.bz2": 1
    }  # fmt: skip


@pytest.mark.parametrize("sentences", ["line", "paragraph"])
def test_compressed_files_and_records(tmp_path, sentences):
    text = "the cat\n\nsat on\nthe mat\n" * 5
    (tmp_path / "a.txt").write_text(text)
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "c.jsonl").write_text("".join(f"{json.dumps({'text': line})}\n" for line in ("a b", "", "c\n\nd")))
    (tmp_path / "d.csv").write_text('id,text\n1,"a\nb"\n2,\n3,c\n')
    expected = built(str(tmp_path / "*.txt*"), sentences=sentences)

    assert built(str(tmp_path / "*.txt*"), 8, sentences=sentences) == expected
    told, of_records = [], str(tmp_path / "[cd].*")
    for shard_bytes in (None, 8):
        with pytest.warns(DataWarning) as caught:
            told.append((built(of_records, shard_bytes, sentences=sentences, field="text"), str(caught[-1].message)))
    assert told[0] == told[1]
    assert told[0][1].endswith("left out 2 records without text")


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("bad.txt", b"good line\n" * 9 + b"bad \xff\xfe\n" + b"\xfe\n" * 5, {}),
        ("nul.txt", b"good line\n" * 9 + b"a\0b\n" + b"c\n" * 9, {}),
        ("cut.gz", gzip.compress(b"good line\n" * 99)[:-9], {}),
        ("page.txt", b"<!DOCTYPE html><html>\n" * 20, {}),
        ("a.jsonl", b'{"text": "a"}\n' * 5 + b'{"other": 1}\n', {"field": "text"}),
        ("a.csv", b"text,other\na,1\nb,1,2\n", {"field": "text"}),
        ("a.txt", b"", {}),
        ("b.txt", b"a b\nc d\n", {"min_count": 5}),
        ("c.txt", b"a b\nc d\n", {"vocabulary": Vocabulary.from_counts(["x"], [2])}),
        ("d.txt", b"a b\nc d\n", {"tokenizer": lambda line: 1 / 0}),
        ("e.txt", b"a b\nc d\n", {"tokenizer": "no_such_module:split"}),
        ("f.csv", b"a b\nc d\n", {}),
    ],
)
def test_errors_are_the_same(tmp_path, monkeypatch, name, content, options):
    """Those of bytes with their offsets in the file, and of several bad places that of the first."""
    (tmp_path / name).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(shards, "CHUNK_BYTES", 1)

    kind, told = built(name, **options)

    assert issubclass(kind, WindrowError)
    assert built(name, 40, **options) == (kind, told)


@pytest.mark.parametrize("errors", ["replace", "ignore"])
def test_bytes_that_are_not_utf8(tmp_path, monkeypatch, errors):
    monkeypatch.setattr(shards, "CHUNK_BYTES", 1)
    path = tmp_path / "bad.txt"
    path.write_bytes(b"a \xff b\n\xe2\x82\n\xe2 c\n\xf0\x9f\n d " * 5)

    assert built(path, 4, errors=errors) == built(path, errors=errors)


@pytest.mark.parametrize("source", [["a b", "c"], "-", [{"text": "a"}]])
def test_what_only_this_process_can_read_is_refused(source):
    with pytest.raises(OptionError, match="leave out ray") as caught:
        Corpus.build(source, ray=InProcess())
    assert "\n" not in str(caught.value)


def test_a_file_that_a_node_does_not_see(tmp_path, monkeypatch):
    """As where a folder is on the disk of one machine only."""
    monkeypatch.chdir(tmp_path)
    Path("here.txt").write_text("a b\n")

    class Elsewhere(InProcess):
        def stream(self, function, parts):
            for part in parts:
                Path("here.txt").unlink()
                yield function(*part)

    with pytest.raises(DataError, match=r"cannot read here.txt on the node .*every node must see the files"):
        Corpus.build("here.txt", ray=Elsewhere())


def test_progress_reaches_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "CHUNK_BYTES", 1)
    (tmp_path / "a.txt").write_text("a b c\n" * 50)
    (tmp_path / "b.txt").write_text("d\n")
    seen: list[tuple[int, int | None]] = []

    Corpus.build(tmp_path, ray=InProcess(memory=shards._SHARE * 50), progress=lambda *at: seen.append(at))

    assert seen == sorted(seen)
    assert len(seen) > 5
    assert seen[-1] == (302, 302)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_of_a_worker_is_told(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("a b c\n")
    with Path("/dev/full").open("wb", 0) as full:
        monkeypatch.setattr(shards, "TemporaryFile", lambda: full)
        with pytest.raises(DataError, match=r"cannot write .* on the node .*: No space left"):
            Corpus.build(tmp_path, ray=InProcess())

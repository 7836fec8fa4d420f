"""Corpora that the workers of a cluster read are those of one process."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from windrow import Corpus
from windrow.errors import DataError, OptionError

from ..corpus.test_numbering import contents


@pytest.fixture
def text(tmp_path: Path) -> Path:
    """A folder with a file that is cut into shards, a compressed one and small ones."""
    folder = tmp_path / "text"
    folder.mkdir()
    (folder / "large.txt").write_text("".join(f"line {n} of words {n % 977} \u00e9\n" for n in range(400_000)))
    for n in range(9):
        (folder / f"small{n}.txt").write_text(f"the file {n}\r\n\nand its end")
    return folder


def test_a_folder(ray_nodes, text, tmp_path):
    expected = contents(Corpus.build(text, min_count=2))
    workers = ray_nodes.workers()

    built = Corpus.build(text, tmp_path / "built", min_count=2, ray=workers)

    assert contents(built) == expected
    assert workers.usage.parts > 2
    assert len(workers.usage.cpu_seconds) == 2  # both nodes took part
    assert contents(Corpus.build(text, min_count=2, ray=ray_nodes.address)) == expected


def test_a_tokenizer_of_ones_own(ray_nodes, tmp_path):
    (tmp_path / "a.txt").write_text("a-b c\nd-e\n")

    with ray_nodes.workers() as workers:
        for tokenizer in ("tests.distributed.parts:slowly", lambda line: line.replace("-", " ").split()):
            built = Corpus.build(tmp_path / "a.txt", tokenizer=tokenizer, ray=workers)
            assert contents(built) == contents(Corpus.build(tmp_path / "a.txt", tokenizer=tokenizer))


@pytest.mark.parametrize(
    ("name", "content", "options", "told"),
    [
        ("a.txt", b"good\n" * 9 + b"\xff\n", {}, r"a.txt: byte 0xff at offset 45 is not UTF-8"),
        ("a.jsonl", b'{"t": "a"}\n{}\n', {"field": "t"}, r"a.jsonl, line 2: no field 't'"),
        ("b.txt", b"a\n", {"tokenizer": "tests.distributed.parts:refused"}, "the tokenizer .* failed"),
    ],
)
def test_errors_of_workers_are_those_of_one_process(ray_nodes, tmp_path, name, content, options, told):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=told) as here:
        Corpus.build(tmp_path / name, **options)

    with pytest.raises(DataError) as there:
        Corpus.build(tmp_path / name, ray=ray_nodes.workers(), **options)

    assert str(there.value) == str(here.value)


def test_what_cannot_be_sent_to_workers(ray_nodes, tmp_path):
    (tmp_path / "a.txt").write_text("a b\n")
    lock = threading.Lock()
    with pytest.raises(
        OptionError, match=r"cannot be sent to workers of a Ray cluster \(cannot pickle '_thread.lock' object\)"
    ):
        Corpus.build(tmp_path / "a.txt", tokenizer=lambda line: [line, lock], ray=ray_nodes.workers())

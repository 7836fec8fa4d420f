"""Texts in cloud stores, through a stand-in for the libraries that read them: the same corpora as of local files."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import fsspec
import pyarrow
import pytest
from click.testing import CliRunner, Result
from fsspec.registry import _registry, known_implementations
from pyarrow import parquet

from windrow.cli import main
from windrow.corpus import Corpus, cloud, streams
from windrow.errors import DataError, MissingPackageError, WindrowError
from windrow.files.urls import CLOUD_SCHEMES, READ_SCHEMES

LINES = ["the cat sat", "on the mat — déjà 漢字 😀", "the last"]
TEXT = "".join(f"{line}\n" for line in LINES)
SECRET = "a+secret%2Fkey"


def parquet_of(lines: list[str]) -> bytes:
    stream = io.BytesIO()
    parquet.write_table(pyarrow.table({"t": lines * 500}), stream, row_group_size=100)
    return stream.getvalue()


FILES = {
    "a.txt": TEXT.encode(),
    "a.txt.gz": gzip.compress(TEXT.encode()),
    "a.txt.bz2": bz2.compress(TEXT.encode()),
    "a.jsonl": "".join(json.dumps({"t": line}) + "\n" for line in LINES).encode(),
    "a.csv": "".join(f'{n},"{line}"\n' for n, line in [("n", "t"), *enumerate(LINES)]).encode(),
    "a.parquet": parquet_of(LINES),
    "cut.gz": gzip.compress(TEXT.encode() * 1000)[:100],
    "large.txt": TEXT.encode() * 100_000,
}


def fail(error: Exception | Event | None) -> None:
    """As a library fails, or, given an event, waits for what does not come."""
    if isinstance(error, Event):
        error.wait(10)
        raise TimeoutError
    if error is not None:
        raise error


class Stream(io.BytesIO):
    """A file whose connection may be lost on the way, as the library's own error says."""

    error: Exception | Event | None = None
    largest = 0  # byte that was read

    def readinto(self, buffer: Any) -> int:
        if self.tell() >= 1_000_000:
            fail(self.error)
        count = super().readinto(buffer)
        self.largest = max(self.largest, self.tell())
        return count


class Store(fsspec.AbstractFileSystem):
    """A bucket with FILES; what the user of the URL gave ends in what it is told, as in some libraries' messages."""

    protocol = CLOUD_SCHEMES
    cachable = False
    opened: list[Any] = []  # noqa: RUF012
    error: Exception | Event | None = None  # on opening
    later_error: Exception | Event | None = None

    def open(self, path: str, mode: str = "rb", **_: Any) -> Any:
        assert mode == "rb"
        fail(self.error)
        name = path.partition("?")[0].rpartition("/")[2]
        if name not in FILES:
            raise FileNotFoundError(path)
        self.opened.append(Stream(FILES[name]))
        self.opened[-1].error = self.later_error
        return self.opened[-1]


@pytest.fixture(autouse=True)
def store() -> Iterator[type[Store]]:
    known = {scheme: dict(known_implementations[scheme]) for scheme in CLOUD_SCHEMES}
    loaded = dict(_registry)
    for scheme in CLOUD_SCHEMES:
        fsspec.register_implementation(scheme, Store, clobber=True)
    Store.opened, Store.error, Store.later_error = [], None, None
    yield Store
    assert all(stream.closed for stream in Store.opened)
    _registry.clear()
    _registry.update(loaded)
    known_implementations.update(known)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def refusal(url: Any, **options: Any) -> str:
    with pytest.raises(WindrowError) as caught:
        Corpus.build(url, **options)
    message = str(caught.value)
    assert "\n" not in message and message.isprintable()
    return message


def sentences(corpus: Corpus) -> list[list[str]]:
    return list(corpus.sentences())


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz", "a.txt.bz2", "a.jsonl", "a.csv", "a.parquet"])
def test_a_corpus_is_that_of_the_local_file(name: str, tmp_path: Path) -> None:
    field = None if name.startswith("a.txt") else "t"
    local = tmp_path / name
    local.write_bytes(FILES[name])
    expected = Corpus.build(local, tmp_path / "local", field=field)
    for url in (f"s3://bucket/{name}", Path(f"s3://bucket/{name}"), f"S3://bucket/{name}?versionId=1"):
        corpus = Corpus.build(url, field=field)
        assert sentences(corpus) == sentences(expected)
    result = run(
        "corpus", "build", f"s3://bucket/{name}", "-o", tmp_path / "remote", *(["--field", "t"] if field else [])
    )
    assert result.exit_code == 0, result.output
    names = sorted(path.name for path in (tmp_path / "local").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "remote").iterdir())
    for part in set(names) - {"corpus.json"}:
        assert (tmp_path / "remote" / part).read_bytes() == (tmp_path / "local" / part).read_bytes()


@pytest.mark.parametrize("scheme", CLOUD_SCHEMES)
def test_every_listed_scheme_is_read(scheme: str) -> None:
    assert Corpus.build(f"{scheme}://bucket/a.txt").tokens == len(TEXT.split())


def test_several_urls_and_files_are_one_text(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("one owl", "utf-8")
    corpus = Corpus.build([Path("s3://bucket/a.txt"), tmp_path / "b.txt", Path("gs://bucket/a.txt.gz")])
    assert corpus.tokens == 2 * len(TEXT.split()) + 2


def test_other_readers_of_text_read_them_too(tmp_path: Path) -> None:
    result = run("lm", "train", "ngram", "hf://datasets/me/texts@main/a.txt", "-o", tmp_path / "m", "--order", 1,
                 "--smoothing", "add-delta")  # fmt: skip
    assert result.exit_code == 0, result.output
    result = run("lm", "perplexity", tmp_path / "m", "s3://bucket/a.txt")
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (PermissionError("Access Denied"), "Access Denied"),
        (PermissionError(13, "Permission denied"), "Permission denied"),
        (ValueError("two\nlines\x1b[2J"), "two lines [2J"),
        (TimeoutError(), "TimeoutError"),
        (RuntimeError(f"GET https://me:{SECRET}@host/a.txt?sig={SECRET} 403"), "GET https://***@host/a.txt?... 403"),
        (RuntimeError("token a+secret/key and a+secret%2Fkey"), "token *** and ***"),
    ],
)
@pytest.mark.parametrize("when", ["opening", "reading"])
def test_errors_of_libraries_are_one_line_without_secrets(
    store: type[Store], error: Exception, told: str, when: str
) -> None:
    setattr(store, "error" if when == "opening" else "later_error", error)
    url = f"s3://me:{SECRET}@bucket/large.txt?sig={SECRET}"
    message = refusal(url)
    shown = "s3://***@bucket/large.txt?..."
    assert message.startswith(f"cannot open {shown}: " if when == "opening" else f"cannot read {shown}: ")
    assert told in message and "secret" not in message
    result = run("corpus", "build", url, "-o", "never")
    assert result.exit_code == 1 and "secret" not in result.output
    assert result.output == f"Error: {message}\n"
    assert not Path("never").exists()


def test_what_is_too_large_is_refused_before_it_is_read_or_on_the_way(
    store: type[Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloud, "LARGEST", 2_000_000)
    monkeypatch.setattr(streams, "CHUNK_BYTES", 1 << 16)
    url = "s3://me:secret@bucket/large.txt"
    told = "s3://***@bucket/large.txt: it has more than the 2,000,000 bytes that are allowed; download the file first"
    assert refusal(url) == told
    assert store.opened[-1].largest < 2_000_000 + cloud._BUFFER_BYTES
    monkeypatch.setattr(Stream, "size", 2_000_001, raising=False)
    shown = "cannot open s3://***@bucket/large.txt"
    assert refusal(url) == f"{shown}: it has 2,000,001 bytes, where 2,000,000 are allowed"


@pytest.mark.parametrize("when", ["opening", "reading"])
def test_a_library_that_gives_nothing_is_not_waited_for(
    store: type[Store], monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    monkeypatch.setattr(cloud, "PATIENCE", 0.02)
    ends = Event()
    setattr(store, "error" if when == "opening" else "later_error", ends)
    url = "s3://bucket/large.txt"
    assert refusal(url) == f"cannot {'open' if when == 'opening' else 'read'} {url}: nothing came in 0.02 seconds"
    ends.set()
    for stream in store.opened:  # which was left to the library
        stream.close()


def test_what_is_not_there_says_so() -> None:
    assert refusal("s3://bucket/no.txt?token=hidden") == (
        "cannot open s3://bucket/no.txt?...: no such file (bucket/no.txt?***)"
    )


def test_damage_is_told() -> None:
    assert refusal("gs://bucket/cut.gz").startswith("gs://bucket/cut.gz: the data are broken or cut short (")
    assert refusal("s3://bucket/a.txt", format="parquet", field="t").startswith("cannot read s3://bucket/a.txt: ")


def test_corpora_show_no_secrets(tmp_path: Path) -> None:
    Corpus.build("s3://me:secret@bucket/a.txt?sig=secret", tmp_path / "corpus")
    assert not any(b"secret" in path.read_bytes() for path in (tmp_path / "corpus").iterdir())


@pytest.mark.parametrize(
    ("scheme", "library"),
    [("s3", "s3fs"), ("gs", "gcsfs"), ("gcs", "gcsfs"), ("az", "adlfs"), ("abfs", "adlfs"), ("hf", "huggingface_hub")],
)
def test_libraries_that_are_missing_are_named(scheme: str, library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    del _registry[scheme]
    known_implementations[scheme]["class"] = f"{library}.Missing"
    url = f"{scheme}://bucket/a.txt"
    monkeypatch.setitem(sys.modules, library, None)  # as if it were not installed
    assert refusal(url) == f"cannot open {url}: it needs {library}: pip install {library}"
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(MissingPackageError) as caught:
        Corpus.build(url)
    assert str(caught.value) == (
        f"cannot open {url}: it needs fsspec and {library}: pip install 'windrow[remote]' {library}"
    )


def test_every_listed_scheme_has_its_library() -> None:
    assert tuple(cloud._LIBRARY) == CLOUD_SCHEMES


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("simplecache::s3://bucket/a.txt", "not simplecache"),
        ("filecache::gs://bucket/a.txt", "not filecache"),
        ("zip://a.txt::s3://bucket/a.zip", "not zip"),
        ("s3://bucket/a.txt::file:///etc/passwd", "URLs with :: in them are not read"),
        ("s3://bucket/a::b.txt", "URLs with :: in them are not read"),
        ("s3a://bucket/a.txt", "not s3a"),
        ("github://me:texts@main/a.txt", "not github"),
        ("sftp://host/a.txt", "not sftp"),
        ("memory://a.txt", "not memory"),
        ("data://text/plain,hello", "not data"),
        ("local:///etc/passwd", "not local"),
    ],
)
def test_other_schemes_stay_closed(url: str, told: str) -> None:
    for name in (url, Path(url)):
        with pytest.raises(DataError) as caught:
            Corpus.build(name)
        assert told in str(caught.value) and "download the file first" in str(caught.value)
    assert Store.opened == []


def test_the_documentation_lists_what_is_read() -> None:
    root = Path(__file__).parents[2]
    for name in ("docs/what_to_type.md", "SECURITY.md"):
        text = (root / name).read_text("utf-8")
        assert all(f"`{scheme}`" in text for scheme in READ_SCHEMES)
    changelog = " ".join((root / "CHANGELOG.md").read_text("utf-8").split())
    assert f"{', '.join(CLOUD_SCHEMES[:-1])} and {CLOUD_SCHEMES[-1]}" in changelog
    listed = f"by fsspec {', '.join(CLOUD_SCHEMES)})"
    for text in (run("corpus", "build", "--help").output, Corpus.build.__doc__ or ""):
        assert listed in " ".join(text.split())

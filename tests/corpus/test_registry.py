from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from threading import Thread
from typing import Any

import pytest
from tqdm import tqdm

from windrow import bars
from windrow.corpus import registry
from windrow.corpus.registry import FetchedFile, fetch, list_corpora
from windrow.errors import DataError, DataWarning, OptionError

DATA = Random(7).randbytes(300_000)
OTHER = Random(8).randbytes(300_000)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves ``files`` and notes each request; ``cut_after`` breaks a body off, ``validator`` heads it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.cut_after: int | None = None
        self.validators = {"ETag": '"one"'}
        self.ranges = True
        self.honours_if_range = True
        self.shifts_ranges = 0
        self.sends_length = True
        self.requests: list[tuple[str, str | None, str | None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server, asked = self.server, self.headers.get("Range")
        server.requests.append((self.path, asked, self.headers.get("If-Range")))
        data = server.files.get(self.path.lstrip("/"))
        if data is None:
            self.send_error(404)
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and server.ranges else 0
        fresh = self.headers.get("If-Range") in (None, *server.validators.values()) or not server.honours_if_range
        start = max(0, start - server.shifts_ranges) if fresh else 0
        if start >= len(data):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(data)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        for name, value in server.validators.items():
            self.send_header(name, value)
        if server.sends_length:
            self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        stop = len(data) if server.cut_after is None else start + server.cut_after
        self.wfile.write(data[start:stop])  # and the connection closes: HTTP/1.0

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def write_registry(folder: Path, mirrors: list[str], **file: Any) -> Path:
    path = folder / "registry.toml"
    checksums = ", ".join(f'"{name}" = "{value}"' for name, value in file.pop("sha256", {}).items())
    lines = [f"{key} = {json.dumps(value)}" for key, value in file.items()]
    head = [
        "[sample]",
        'description = "d"',
        'licence = "l"',
        'size = "s"',
        f"mirrors = {json.dumps(mirrors)}",
    ]
    text = "\n".join([*head, "[[sample.file]]", *lines, f"sha256 = {{ {checksums} }}"])
    path.write_text(text, encoding="utf-8")
    return path


class Fetcher:
    """fetch() of the file data.bin (300,000 bytes) from the test's own server."""

    def __init__(self, server: Server, tmp_path: Path) -> None:
        server.files["data.bin"] = DATA
        self.folder = tmp_path / "out"
        self.registry = write_registry(tmp_path, [server.url], path="data.bin", sha256={"data.bin": sha256(DATA)})
        self.target = self.folder / "data.bin"
        self.part = self.folder / "data.bin.part"

    def __call__(self) -> list[FetchedFile]:
        return fetch("sample", self.folder, registry=self.registry)

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


@pytest.fixture
def fetcher(server: Server, tmp_path: Path) -> Fetcher:
    return Fetcher(server, tmp_path)


@contextmanager
def one_line_error() -> Iterator[list[str]]:
    message: list[str] = []
    with pytest.raises(DataError) as caught:
        yield message
    message.append(str(caught.value))
    assert "\n" not in message[0]


def cut(server: Server, fetcher: Fetcher, after: int) -> str:
    server.cut_after = after
    with one_line_error() as message:
        fetcher()
    server.cut_after = None
    server.requests.clear()
    return message[0]


def test_fetch_downloads_verifies_and_leaves_nothing_else(server: Server, fetcher: Fetcher) -> None:
    assert fetcher() == [FetchedFile(fetcher.target, sha256(DATA), True)]
    assert fetcher.target.read_bytes() == DATA
    assert fetcher.names() == ["data.bin"]


def test_a_bar_shows_each_file_that_is_downloaded(
    server: Server, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bars, "_bar", lambda **options: tqdm(**{**options, "mininterval": 0, "delay": 0}))
    with pytest.raises(OptionError, match="progress = 3 must be a function, True for a bar, or False"):
        fetch("sample", fetcher.folder, 3, fetcher.registry)
    fetch("sample", fetcher.folder, True, fetcher.registry)
    assert "data.bin: 100%" in capfd.readouterr().err.rpartition("\r")[2]
    fetcher.target.unlink()
    heard: list[tuple[str, int, int | None]] = []
    fetch("sample", fetcher.folder, lambda *told: heard.append(told), fetcher.registry)
    assert heard[-1] == ("data.bin", len(DATA), len(DATA))
    assert capfd.readouterr().err == ""


def test_a_second_fetch_downloads_nothing_but_a_damaged_file_is_replaced(server: Server, fetcher: Fetcher) -> None:
    fetcher()
    assert fetcher()[0].verified
    assert len(server.requests) == 1
    fetcher.target.write_bytes(DATA[:-1])
    fetcher()
    assert fetcher.target.read_bytes() == DATA


def test_progress_reports_bytes_of_the_total(fetcher: Fetcher) -> None:
    seen: list[tuple[str, int, int | None]] = []
    fetch("sample", fetcher.folder, lambda *call: seen.append(call), fetcher.registry)
    assert {(name, total) for name, _, total in seen} == {("data.bin", len(DATA))}
    done = [count for _, count, _ in seen]
    assert done == sorted(set(done)) and done[-1] == len(DATA)


def test_without_a_checksum_the_file_is_kept_as_unverified(server: Server, tmp_path: Path) -> None:
    server.files["data.bin"] = DATA
    path = write_registry(tmp_path, [server.url], path="data.bin")
    fetched = fetch("sample", tmp_path, registry=path, unverified=True)
    assert fetched == [FetchedFile(tmp_path / "data.bin", sha256(DATA), False)]
    assert fetch("sample", tmp_path, registry=path) == fetched  # it is there, and nothing is downloaded


def test_wrong_checksum_says_both_sums_and_keeps_nothing(server: Server, fetcher: Fetcher) -> None:
    server.files["data.bin"] = OTHER
    with one_line_error() as message:
        fetcher()
    assert sha256(DATA) in message[0] and sha256(OTHER) in message[0]
    assert fetcher.names() == []


def test_wrong_checksum_leaves_an_older_file_alone(server: Server, fetcher: Fetcher) -> None:
    fetcher.folder.mkdir()
    fetcher.target.write_bytes(b"mine")
    server.files["data.bin"] = OTHER
    with one_line_error():
        fetcher()
    assert fetcher.target.read_bytes() == b"mine"


def test_404_names_the_address(server: Server, fetcher: Fetcher) -> None:
    server.files.clear()
    with one_line_error() as message:
        fetcher()
    assert f"{server.url}data.bin: HTTP 404" in message[0]
    assert fetcher.names() == []


def test_no_network(tmp_path: Path) -> None:
    closed = Server()
    closed.server_close()
    path = write_registry(tmp_path, [closed.url], path="data.bin")
    with one_line_error() as message:
        fetch("sample", tmp_path, registry=path, unverified=True)
    assert f"{closed.url}data.bin" in message[0] and "is there a network?" in message[0]


def test_the_next_mirror_is_tried(server: Server, tmp_path: Path) -> None:
    server.files["there/data.bin"] = DATA
    mirrors = [f"{server.url}gone/", f"{server.url}there/"]
    path = write_registry(tmp_path, mirrors, path="data.bin")
    (fetched,) = fetch("sample", tmp_path / "out", registry=path, unverified=True)
    assert fetched.path.read_bytes() == DATA


def test_a_cut_connection_keeps_the_part_and_the_next_run_resumes(server: Server, fetcher: Fetcher) -> None:
    message = cut(server, fetcher, after=100_000)
    assert "after 100,000 of 300,000 bytes" in message and str(fetcher.part) in message
    assert fetcher.part.read_bytes() == DATA[:100_000]
    assert not fetcher.target.exists()
    assert cut(server, fetcher, after=50_000).count("after 150,000 of 300,000 bytes") == 1
    fetcher()
    assert fetcher.target.read_bytes() == DATA
    assert server.requests == [("/data.bin", "bytes=150000-", '"one"')]
    assert fetcher.names() == ["data.bin"]


def test_a_server_without_ranges_sends_all_again(server: Server, fetcher: Fetcher) -> None:
    cut(server, fetcher, after=100_000)
    server.ranges = False
    fetcher()
    assert fetcher.target.read_bytes() == DATA
    assert len(server.requests) == 1


def changed_version(server: Server, fetcher: Fetcher) -> None:
    """After a cut, the publisher replaces OTHER, the version begun, by DATA, the one in the registry."""
    server.files["data.bin"] = OTHER
    cut(server, fetcher, after=100_000)
    server.files["data.bin"] = DATA
    server.validators = {"ETag": '"two"'}


@pytest.mark.parametrize("honours_if_range", [True, False])
def test_two_versions_are_never_joined(server: Server, fetcher: Fetcher, honours_if_range: bool) -> None:
    changed_version(server, fetcher)
    server.honours_if_range = honours_if_range
    fetcher()
    assert fetcher.target.read_bytes() == DATA
    assert server.requests[0] == ("/data.bin", "bytes=100000-", '"one"')
    assert len(server.requests) == (1 if honours_if_range else 2)


def test_a_part_of_another_address_is_not_resumed(server: Server, fetcher: Fetcher, tmp_path: Path) -> None:
    server.files["data.bin"] = OTHER
    cut(server, fetcher, after=100_000)
    server.files["elsewhere/data.bin"] = DATA
    write_registry(tmp_path, [f"{server.url}elsewhere/"], path="data.bin", sha256={"data.bin": sha256(DATA)})
    fetcher()
    assert fetcher.target.read_bytes() == DATA
    assert server.requests == [("/elsewhere/data.bin", None, None)]


def test_a_part_without_its_source_is_not_trusted(server: Server, fetcher: Fetcher) -> None:
    fetcher.folder.mkdir()
    fetcher.part.write_bytes(OTHER[:1000])
    fetcher()
    assert fetcher.target.read_bytes() == DATA


def test_a_weak_tag_gives_way_to_the_date(server: Server, fetcher: Fetcher) -> None:
    date = "Tue, 01 Jun 2021 10:00:00 GMT"
    server.validators = {"ETag": 'W/"one"', "Last-Modified": date}
    cut(server, fetcher, after=100_000)
    fetcher()
    assert server.requests == [("/data.bin", "bytes=100000-", date)]
    assert fetcher.target.read_bytes() == DATA


def test_a_range_that_starts_elsewhere_is_not_appended(server: Server, fetcher: Fetcher) -> None:
    cut(server, fetcher, after=100_000)
    server.shifts_ranges = 10
    fetcher()
    assert fetcher.target.read_bytes() == DATA


def test_a_complete_part_needs_no_more_bytes(server: Server, fetcher: Fetcher) -> None:
    cut(server, fetcher, after=100_000)
    fetcher.part.write_bytes(DATA)
    fetcher()
    assert fetcher.target.read_bytes() == DATA
    assert server.requests == [("/data.bin", f"bytes={len(DATA)}-", '"one"')]


def test_a_part_longer_than_the_file_starts_over(server: Server, fetcher: Fetcher) -> None:
    cut(server, fetcher, after=100_000)
    fetcher.part.write_bytes(DATA + b"more")
    fetcher()
    assert fetcher.target.read_bytes() == DATA


def test_a_server_that_says_no_length(server: Server, fetcher: Fetcher) -> None:
    server.sends_length = False
    fetcher()
    assert fetcher.target.read_bytes() == DATA


def test_an_interrupt_says_that_a_run_resumes(fetcher: Fetcher) -> None:
    def interrupt(_: str, done: int, __: int | None) -> None:
        if done > 100_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="run again to resume"):
        fetch("sample", fetcher.folder, interrupt, fetcher.registry)
    kept = fetcher.part.read_bytes()
    assert 100_000 < len(kept) < len(DATA) and DATA.startswith(kept)


def zip_of(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(f"folder/{name}", data)
    return buffer.getvalue()


def test_members_of_a_zip_archive_are_kept_without_their_folders(server: Server, tmp_path: Path) -> None:
    server.files["data.zip"] = zip_of(one=b"first", two=b"second", three=b"third")
    checksums = {"one": sha256(b"first")}
    path = write_registry(
        tmp_path, [server.url], path="data.zip", unpack=["folder/one", "folder/three"], sha256=checksums
    )
    fetched = fetch("sample", tmp_path / "out", registry=path, unverified=True)
    assert [(file.path.name, file.path.read_bytes(), file.verified) for file in fetched] == [
        ("one", b"first", True),
        ("three", b"third", False),
    ]
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["one", "three"]


def test_gzip_is_verified_after_unpacking(server: Server, tmp_path: Path) -> None:
    server.files["sub/data.gz"] = gzip.compress(DATA)
    checksums = {"data": sha256(DATA)}
    path = write_registry(tmp_path, [server.url], path="sub/data.gz", unpack="gzip", sha256=checksums)
    assert fetch("sample", tmp_path, registry=path) == [FetchedFile(tmp_path / "data", sha256(DATA), True)]
    assert (tmp_path / "data").read_bytes() == DATA
    assert not (tmp_path / "data.gz.part").exists()


@pytest.mark.parametrize(
    ("unpack", "data"),
    [
        ("gzip", b"not a gzip file"),
        ("gzip", gzip.compress(DATA, mtime=0)[:-100]),
        ("gzip", gzip.compress(DATA, mtime=0)[:5000] + b"noise" * 50),
        (["folder/one"], b"not a zip file"),
        (["folder/absent"], zip_of(one=b"first")),
        (["folder/one"], zip_of(one=DATA).replace(DATA[:9], DATA[1:10])),
    ],
)
def test_a_damaged_archive_is_removed(server: Server, tmp_path: Path, unpack: str | list[str], data: bytes) -> None:
    server.files["data.gz"] = data
    path = write_registry(tmp_path, [server.url], path="data.gz", unpack=unpack)
    with one_line_error() as message:
        fetch("sample", tmp_path / "out", registry=path, unverified=True)
    assert "not a valid archive" in message[0]
    assert list((tmp_path / "out").iterdir()) == []


def test_a_bomb_leaves_nothing(server: Server, tmp_path: Path) -> None:
    server.files["data.gz"] = gzip.compress(bytes(32 << 20))
    path = write_registry(tmp_path, [server.url], path="data.gz", unpack="gzip")
    with one_line_error() as message:
        fetch("sample", tmp_path / "out", registry=path, unverified=True)
    assert "data in data.gz has more than 4,31" in message[0] and "it was removed" in message[0]
    assert list((tmp_path / "out").iterdir()) == []


def test_an_archive_is_verified_before_it_is_unpacked(server: Server, tmp_path: Path) -> None:
    archive = zip_of(one=b"first", two=b"second")
    server.files["data.zip"] = archive
    known = {"path": "data.zip", "unpack": ["folder/one", "folder/two"]}
    path = write_registry(tmp_path, [server.url], **known, sha256={"data.zip": sha256(archive)})
    assert list_corpora(path)[0].verifiable
    assert [file.verified for file in fetch("sample", tmp_path / "out", registry=path)] == [True, True]
    write_registry(tmp_path, [server.url], **known, sha256={"data.zip": sha256(b"x"), "one": sha256(b"first")})
    with one_line_error() as message:
        fetch("sample", tmp_path / "other", registry=path)
    assert message[0].startswith(f"data.zip has the SHA-256 {sha256(archive)}")
    assert list((tmp_path / "other").iterdir()) == []


def test_files_of_a_verified_archive_are_compared_in_later_runs(server: Server, tmp_path: Path) -> None:
    archive = zip_of(one=b"first", two=b"second")
    server.files["data.zip"] = archive
    known = {"path": "data.zip", "unpack": ["folder/one", "folder/two"]}
    path = write_registry(tmp_path, [server.url], **known, sha256={"data.zip": sha256(archive)})
    out = tmp_path / "out"
    first = fetch("sample", out, registry=path)
    assert fetch("sample", out, registry=path) == first and all(file.verified for file in first)
    assert len(server.requests) == 1
    (out / "two").write_bytes(b"sEcond")
    assert fetch("sample", out, registry=path) == first
    assert len(server.requests) == 2 and (out / "two").read_bytes() == b"second"
    # A note that is gone, damaged or of another archive says nothing.
    (note,) = out.glob(".*.sha256")
    written = note.read_bytes()
    for content in (None, b"", b"\xff" * 99, written.replace(sha256(archive).encode(), sha256(b"x").encode())):
        note.unlink(missing_ok=True)
        if content is not None:
            note.write_bytes(content)
        assert [file.verified for file in fetch("sample", out, registry=path)] == [False, False]
    note.unlink()
    note.mkdir()
    (out / "two").unlink()
    with pytest.warns(DataWarning, match="a later run cannot compare one, two"):
        assert all(file.verified for file in fetch("sample", out, registry=path))


def test_files_without_any_checksum_get_no_note(server: Server, tmp_path: Path) -> None:
    server.files["data.zip"] = zip_of(one=b"first")
    path = write_registry(tmp_path, [server.url], path="data.zip", unpack=["folder/one"])
    fetch("sample", tmp_path / "out", registry=path, unverified=True)
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["one"]


@pytest.mark.skipif(os.name == "nt", reason="there folders have no locks")
def test_two_fetches_do_not_share_a_folder(fetcher: Fetcher, server: Server) -> None:
    refusals = []

    def fetch_again(*_: object) -> None:
        with one_line_error() as message:
            fetcher()
        refusals.append(message[0])

    fetch("sample", fetcher.folder, fetch_again, fetcher.registry)
    assert set(refusals) == {f"another process fetches files into {fetcher.folder}; run again when it has ended"}
    assert fetcher.target.read_bytes() == DATA and fetcher.names() == ["data.bin"]
    assert len(server.requests) == 1
    fetcher.target.unlink()
    assert fetcher()[0].verified  # the lock is gone


@pytest.mark.parametrize("unpack", [None, "gzip"])
@pytest.mark.parametrize("size", [len(DATA) - 1, len(DATA) + 1, 1])
def test_a_size_that_is_stated_is_the_size(server: Server, tmp_path: Path, unpack: str | None, size: int) -> None:
    name = "data.gz" if unpack else "data"
    server.files[name] = gzip.compress(DATA) if unpack else DATA
    more = {"unpack": unpack} if unpack else {}
    path = write_registry(tmp_path, [server.url], path=name, **more, sha256={"data": sha256(DATA)})
    path.write_text(f"{path.read_text()}\nbytes = {{ data = {size} }}")
    with one_line_error() as message:
        fetch("sample", tmp_path / "out", registry=path)
    assert f"{size:,}" in message[0] and "removed" in message[0]
    assert list((tmp_path / "out").iterdir()) == []
    path.write_text(path.read_text().replace(f"data = {size}", f"data = {len(DATA)}"))
    assert fetch("sample", tmp_path / "out", registry=path)[0].verified


@pytest.mark.parametrize("unpack", [None, ["a/one", "b/two"]])
def test_what_cannot_be_verified_is_fetched_on_request_only(
    server: Server, tmp_path: Path, unpack: list[str] | None
) -> None:
    server.files["data.bin"] = DATA
    path = write_registry(
        tmp_path, [server.url], path="data.bin", **({"unpack": unpack, "sha256": {"one": "0" * 64}} if unpack else {})
    )
    with one_line_error() as message:
        fetch("sample", tmp_path / "out", registry=path)
    assert f"the registry has no checksum of {'two' if unpack else 'data.bin'}; " in message[0]
    assert "use unverified = True" in message[0]
    assert server.requests == [] and not (tmp_path / "out").exists()


@pytest.mark.parametrize("member", ["a/..", "..", "a/", "", "a\\b", "a\nb"])
def test_names_that_lead_elsewhere_are_refused(server: Server, tmp_path: Path, member: str) -> None:
    server.files["data.zip"] = zip_of(one=b"first")
    path = write_registry(tmp_path, [server.url], path="data.zip", unpack=[member])
    with one_line_error() as message:
        fetch("sample", tmp_path / "out", registry=path, unverified=True)
    assert "the members of a zip archive to keep, each without .. and not absolute" in message[0]


def test_two_files_do_not_get_one_name(server: Server, tmp_path: Path) -> None:
    path = write_registry(tmp_path, [server.url], path="data.zip", unpack=["a/one", "b/one"])
    with one_line_error() as message:
        fetch("sample", tmp_path / "out", registry=path, unverified=True)
    assert "keeps two files of 'sample' as 'one'" in message[0]
    assert not (tmp_path / "out").exists()


def test_checksums_may_be_written_in_capitals(server: Server, tmp_path: Path) -> None:
    server.files["data.bin"] = DATA
    path = write_registry(tmp_path, [server.url], path="data.bin", sha256={"data.bin": sha256(DATA).upper()})
    assert fetch("sample", tmp_path / "out", registry=path)[0].verified
    assert fetch("sample", tmp_path / "out", registry=path)[0].verified
    assert len(server.requests) == 1


def test_an_unknown_name_suggests_a_near_one(tmp_path: Path) -> None:
    with one_line_error() as message:
        fetch("texte8", tmp_path)
    assert "did you mean 'text8'?" in message[0]


ROW = {
    "description": "'d'",
    "license": "'l'",
    "size": "'1 MB'",
    "mirrors": "['http://x/']",
    "file": "[{ path = 'data.gz', unpack = 'gzip', sha256 = { data = '" + "aB" * 32 + "' } }]",
}
WRONG_FIELDS = {  # what stands in the place of a field, and what is told of it
    "mirrors": ("5", "''", "[]", "[5]", "{}"),
    "description": ("5", "['x']", "{}"),
    "licence": ("1",),
    "size": ("1.5", "true"),
    "file": (
        "'x'",
        "5",
        "[]",
        "[5]",
        "['x']",
        "{ path = 'x' }",
        "[{}]",
        "[{ path = 5 }]",
        "[{ path = '' }]",
        "[{ path = '/etc/passwd' }]",
        "[{ path = '../x' }]",
        "[{ path = 'a/..' }]",
        "[{ path = 'a/' }]",
        "[{ path = 'C:x' }]",
        "[{ path = 'a\\\\b' }]",
        '[{ path = "a\\nb" }]',
        "[{ path = 'x', unpack = 'zip' }]",
        "[{ path = 'x', unpack = 5 }]",
        "[{ path = 'x', unpack = 5.5 }]",
        "[{ path = 'x', unpack = [] }]",
        "[{ path = 'x', unpack = [5] }]",
        "[{ path = 'x', unpack = ['../y'] }]",
        "[{ path = 'x', unpack = ['/y'] }]",
        "[{ path = 'x', sha256 = 'ab' }]",
        "[{ path = 'x', sha256 = ['ab'] }]",
        "[{ path = 'x', sha256 = { x = 5 } }]",
        "[{ path = 'x', sha256 = { x = 'ab' } }]",
        "[{ path = 'x', sha256 = { y = '" + "ab" * 32 + "' } }]",  # the file would not be verified
        "[{ path = 'x', way = 'x' }]",
        "[{ path = '.gz', unpack = 'gzip' }]",
        "[{ path = 'x', bytes = { x = -1 } }]",
        "[{ path = 'x', bytes = { x = true } }]",
        "[{ path = 'x', bytes = { y = 1 } }]",
        "[{ path = 'x', bytes = 5 }]",
    ),
    "more": ("1",),
}


def registry_of(**changes: str | None) -> str:
    rows = {**ROW, **changes}
    return "[a]\n" + "".join(f"{name} = {value}\n" for name, value in rows.items() if value is not None)


def test_a_registry_of_these_rows_is_right(tmp_path: Path) -> None:
    (tmp_path / "registry.toml").write_text(registry_of())
    (corpus,) = list_corpora(tmp_path / "registry.toml")
    assert corpus.files[0].kept_names == ["data"]
    assert corpus.verifiable


@pytest.mark.parametrize(("field", "value"), [(name, value) for name in WRONG_FIELDS for value in WRONG_FIELDS[name]])
def test_fields_of_a_registry_that_are_something_else(field: str, value: str, tmp_path: Path) -> None:
    path = tmp_path / "registry.toml"
    path.write_text(registry_of(**{field: value}))
    for ask in (list_corpora, lambda path: fetch("a", tmp_path / "out", registry=path)):
        with one_line_error() as message:
            ask(path)
        assert message[0].startswith(f"{path} is not a valid registry of corpora: ")
        assert re.search(r"\ba\b", message[0].removeprefix(str(path)))  # it names the corpus
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("field", ROW)
def test_a_registry_that_lacks_a_field(field: str, tmp_path: Path) -> None:
    path = tmp_path / "registry.toml"
    path.write_text(registry_of(**{field: None}))
    with one_line_error() as message:
        list_corpora(path)
    assert f"a has no {field}" in message[0]


@pytest.mark.parametrize(
    "text",
    [
        "a = = 1",
        "a = 1",
        "[a]\nsize = '1'",
        "[a]\nfile = [{ way = 'x' }]",
        "a = " + "[" * 100_000,
        '["../a"]\n',
        '["a\\nb"]\n',
        "[a]\n[a]\n",
    ],
)
def test_a_broken_registry_is_a_data_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "registry.toml"
    path.write_text(text)
    with one_line_error() as message:
        list_corpora(path)
    assert str(path) in message[0]


def test_a_folder_that_cannot_be_made_is_a_data_error(tmp_path: Path, fetcher: Fetcher) -> None:
    (tmp_path / "file").write_text("")
    with one_line_error():
        fetch("sample", tmp_path / "file" / "folder", registry=fetcher.registry)


def test_the_shipped_registry_is_complete() -> None:
    corpora = {corpus.name: corpus for corpus in list_corpora()}
    wanted = "text8 enwik8 wikitext-2 wikitext-103 questions-words simlex-999 wordsim-353 mnist"
    assert list(corpora) == wanted.split()
    for corpus in corpora.values():
        assert corpus.description and corpus.license and corpus.size and corpus.files
        assert all(mirror.startswith(("https://", "http://")) and mirror.endswith("/") for mirror in corpus.mirrors)
        for file in corpus.files:
            known = {*file.kept_names, file.name}  # a misspelt name would never be verified
            assert set(file.sha256) <= known and set(file.bytes) <= known
            assert all(size > 0 for size in file.bytes.values())
            assert all(len(bytes.fromhex(value)) == 32 for value in file.sha256.values())
            assert not file.path.endswith((".zip", ".gz")) or file.unpack
    assert all(corpus.verifiable for corpus in corpora.values())


def test_the_registry_is_part_of_the_package() -> None:
    assert Path(registry.__file__).with_name("registry.toml").is_file()


def test_known_checksums_are_those_of_the_data_at_hand() -> None:
    gensim_path = pytest.importorskip("gensim.test.utils", reason="gensim is not installed").datapath
    corpora = {corpus.name: corpus for corpus in list_corpora()}
    for name in ("questions-words", "simlex-999", "wordsim-353"):
        (file,) = corpora[name].files
        content = Path(gensim_path(file.path)).read_bytes()
        assert (file.sha256[file.path], file.bytes[file.path]) == (sha256(content), len(content))


def test_checksums_of_larger_corpora_are_those_of_the_data_at_hand() -> None:
    folder = os.environ.get("WINDROW_DATA")
    if not folder:
        pytest.skip("WINDROW_DATA is unset: no MNIST and WikiText-2 here to hash")
    files = [file for corpus in list_corpora() for file in corpus.files]
    known = {name: (value, file.bytes.get(name)) for file in files for name, value in file.sha256.items()}
    contents = {
        path.name.removesuffix(".gz"): gzip.decompress(path.read_bytes()) for path in Path(folder, "mnist").glob("*.gz")
    }
    contents |= {path.name: path.read_bytes() for path in Path(folder, "wikitext-2").glob("*.txt")}
    for name, content in contents.items():
        assert known[name] == (sha256(content), len(content))

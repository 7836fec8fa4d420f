"""`windrow vectors fetch`: the list, and downloads from a server on this machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner, Result

from windrow import load
from windrow.cli import main
from windrow.corpus.registry import list_corpora
from windrow.embeddings.registry import REGISTRY

VECTORS = "2 2\ncat 1 2\ndog 3 4\n"


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(main, ["vectors", "fetch", *map(str, arguments)])


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Path]:
    """A registry of two entries, one without a checksum, on a server of this machine."""
    (tmp_path / "www").mkdir()
    for name in ("a.vec", "b.vec"):
        (tmp_path / "www" / name).write_text(VECTORS)

    class Quiet(SimpleHTTPRequestHandler):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args, directory=str(tmp_path / "www"))

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    digest = hashlib.sha256(VECTORS.encode()).hexdigest()
    rows = [
        f'[{name}]\ndescription = "d"\nlicense = "l"\nsize = "s"\nmirrors = ["http://127.0.0.1:{server.server_port}/"]\n'
        f'[[{name}.file]]\npath = "{name}.vec"\n{checksum}'
        for name, checksum in (
            ("a", f'sha256 = {{ "a.vec" = "{digest}" }}\n'),
            ("b", ""),
        )
    ]
    (tmp_path / "registry.toml").write_text("\n".join(rows))
    yield tmp_path / "registry.toml"
    server.shutdown()
    thread.join()
    server.server_close()


def test_what_is_downloaded_is_verified_and_opens(registry: Path, tmp_path: Path) -> None:
    result = run("a", "--registry", registry, "-o", tmp_path / "out")
    assert (result.exit_code, result.stdout) == (0, f"{tmp_path / 'out' / 'a.vec'}\n")
    assert "as the registry says" in result.stderr
    assert load(tmp_path / "out" / "a.vec").index_to_key == ["cat", "dog"]


def test_what_has_no_checksum_is_downloaded_on_request(registry: Path, tmp_path: Path) -> None:
    refused = run("b", "--registry", registry, "-o", tmp_path / "out")
    told = "the registry has no checksum of b.vec; to fetch it all the same, use --unverified"
    assert (refused.exit_code, refused.stderr) == (1, f"Error: b cannot be verified: {told}\n")
    assert not (tmp_path / "out").exists()
    result = run("b", "--registry", registry, "-o", tmp_path / "out", "--unverified")
    assert (result.exit_code, "not verified" in result.stderr) == (0, True)


def test_the_list() -> None:
    entries = list_corpora(REGISTRY)
    result = run()
    assert (result.exit_code, result.stderr) == (0, "")
    for entry in entries:
        assert f"{entry.name}: {entry.description}\n    {entry.size}; {entry.license}" in result.stdout
        assert all(mirror.startswith("https://") for mirror in entry.mirrors)
    rows = json.loads(run("--json").stdout)["vectors"]
    assert [(row["name"], row["verifiable"]) for row in rows] == [(entry.name, entry.verifiable) for entry in entries]
    assert {entry.verifiable for entry in entries} == {True, False}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["glove-6B"], "the registry has no 'glove-6B'; did you mean 'glove-6b'?"),
        (["glove-6b", "--json"], "--json is for the list; leave it out, or NAME"),
        (["--unverified"], "--output, --unverified and --allow-http are for a download; name what to fetch"),
        (["google-news"], "to fetch it all the same, use --unverified"),
    ],
)
def test_what_cannot_be_fetched(
    arguments: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert (result.exit_code, told in result.stderr) == (1, True), result.stderr
    assert list(tmp_path.iterdir()) == []

"""The explorer's server: who may ask, what it sends, and the command that starts it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from click.testing import CliRunner

from windrow.cli import main

pytest.importorskip("starlette", reason="the extra `explore` is not installed")

from tests.explore.conftest import Client
from windrow.explore import server
from windrow.explore.guard import MOST_BYTES

# --- what is there


def test_the_page_and_its_files_are_sent_as_what_they_are(client: Client) -> None:
    page = client.get("")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    found = {*re.findall(r'(?:src|href)="(?!data:|#)([^"]+)"', page.body.decode()), "plotly.js"}
    for script in (server._STATIC).glob("*.js"):
        found |= {f"static/{name}" for name in re.findall(r'from "\./([^"]+)"', script.read_text("utf-8"))}
    assert {f"static/{path.name}" for path in server._STATIC.iterdir()} - {"static/index.html"} == found - {"plotly.js"}
    for name in sorted(found):
        sent = client.get(f"{name}")
        kind = "text/css" if name.endswith(".css") else "text/javascript"
        assert (sent.status, sent.headers["content-type"]) == (200, f"{kind}; charset=utf-8"), name


def test_the_policy_allows_own_files_only(client: Client) -> None:
    policy = client.get("").headers["content-security-policy"]
    parts = dict(part.split(maxsplit=1) for part in policy.split("; "))
    assert (parts["default-src"], parts["script-src"], parts["style-src"]) == ("'none'", "'self'", "'self'")
    assert "unsafe" not in policy


def test_nothing_on_the_page_is_inline_or_from_elsewhere() -> None:
    """The policy would stop it; so that nobody finds a page that does nothing."""
    for path in server._STATIC.iterdir():
        text = path.read_text("utf-8")
        assert not re.search(r"https?://", text), path.name
        assert "innerHTML" not in text
        assert "insertAdjacentHTML" not in text
    page = (server._STATIC / "index.html").read_text("utf-8")
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script>", page)


def test_colors_and_shapes_of_classes_are_those_of_plots() -> None:
    from windrow.viz.figures import THEMES
    from windrow.viz.word_map import _SHAPES

    sheet = (server._STATIC / "style.css").read_text("utf-8")
    colors = re.findall(r"--color\d: (\S+);", sheet)
    assert colors == [color.lower() for theme in ("light", "dark") for color in THEMES[theme].colors]
    script = (server._STATIC / "map.js").read_text("utf-8")
    names = re.findall(r'"([\w-]+)"', re.search(r"SHAPES = \[(.*)\]", script)[1])
    named = {"circle": "o", "square": "s", "triangle-up": "^", "diamond": "D", "triangle-down": "v", "cross": "P"}
    assert "".join({**named, "x": "X", "star": "*"}[name] for name in names) == _SHAPES


def test_models_are_described(client: Client, files: dict[str, Path]) -> None:
    models = client.get("models").json()["models"]
    assert [model["name"] for model in models] == [path.name for path in files.values()]
    assert models[0]["questions"] == ["complete", "neighbors", "analogy", "map", "analogies", "similarity"]
    assert models[0]["described"] == "WordVectors(72 words, 8 dimensions)"


def test_questions_are_answered_or_refused(client: Client) -> None:
    asked = client.post("ask/0/neighbors", {"word": "w1", "how_many": 2})
    assert (asked.status, len(asked.json()["neighbors"])) == (200, 2)
    for path, content, status, reason in [
        ("0/neighbors", {"word": "nobody"}, 400, "the word 'nobody' is not in the vocabulary"),
        ("0/neighbors", [], 400, "the request must be a JSON object"),
        ("0/surprise", {}, 404, "no model here answers this"),
        ("9/neighbors", {}, 404, "no model here answers this"),
        ("-1/neighbors", {}, 404, "Not Found"),
    ]:
        refused = client.post(f"ask/{path}", content)
        assert refused.status == status
        assert refused.json()["error"].startswith(reason)
    assert client.get("ask/0/neighbors").status == 405


def test_a_fault_of_the_server_is_told_as_one(client: Client, monkeypatch: pytest.MonkeyPatch, opened: Any) -> None:
    monkeypatch.setitem(opened["vectors"].answers, "neighbors", lambda asked: 1 / 0)
    failed = client.post("ask/0/neighbors", {"word": "w1"})
    assert (failed.status, failed.json()) == (500, {"error": "the server failed; the terminal says why"})
    assert failed.headers["content-security-policy"]


# --- who may ask


FOREIGN, OTHER_HOST = "pages of other sites may not ask", "at the address that the command printed"


@pytest.mark.parametrize(
    ("headers", "status", "reason"),
    [
        ({"host": "evil.example"}, 421, OTHER_HOST),
        ({"host": "127.0.0.1"}, 421, OTHER_HOST),
        ({"host": ""}, 421, OTHER_HOST),
        ({"origin": "http://evil.example"}, 403, FOREIGN),
        ({"origin": "http://127.0.0.1:80"}, 403, FOREIGN),
        ({"origin": "null"}, 403, FOREIGN),
        ({"sec_fetch_site": "cross-site"}, 403, FOREIGN),
        ({"sec_fetch_site": "same-site"}, 403, FOREIGN),
    ],
)
def test_others_are_refused(client: Client, headers: dict[str, str], status: int, reason: str) -> None:
    for path in ("models", "", "static/page.js"):
        refused = client.get(path, **headers)
        assert refused.status == status
        assert reason in refused.json()["error"]
        assert "default-src 'none'" in refused.headers["content-security-policy"]


def test_nothing_is_sent_without_the_token(client: Client) -> None:
    token = client.root.strip("/")
    for path in (
        "/",
        "/models",
        "//",
        f"/{token}x/models",
        f"/{token[:-1]}/models",
        "/%C3%A9/models",
        "/static/page.js",
    ):
        refused = client.get(path)
        assert (refused.status, [*refused.json()]) == (403, ["error"]), path


def test_the_page_itself_may_ask(client: Client) -> None:
    port = client.host.partition(":")[2]
    for headers in (
        {"origin": f"http://{client.host}", "sec_fetch_site": "same-origin"},
        {"host": f"localhost:{port}", "origin": f"http://localhost:{port}"},
        {"sec_fetch_site": "none"},
    ):
        assert client.get("models", **headers).status == 200


def test_questions_without_or_with_too_much_length(client: Client) -> None:
    asked = client.request("POST", "ask/0/neighbors", iter([b"{}"]))  # in chunks
    assert (asked.status, asked.json()["error"][:14]) == (411, "Content-Length")
    asked = client.request("POST", "ask/0/neighbors", None, content_length=str(MOST_BYTES + 1))
    assert asked.status == 413


def test_files_beside_the_page_cannot_be_had(client: Client) -> None:
    for name in ("../server.py", "%2e%2e/server.py", "..%2fserver.py", "/etc/passwd"):
        assert client.get(f"static/{name}").status == 404


# --- the command


def test_the_command_serves_until_interrupted(files: dict[str, Path]) -> None:
    program = [sys.executable, "-u", "-m", "windrow", "explore", str(files["vectors"])]
    run = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        address = run.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{22}/", address)
        with urlopen(address, timeout=20) as page:
            assert b"windrow explorer" in page.read()
        run.send_signal(signal.SIGINT if os.name == "posix" else signal.SIGTERM)
        out, errors = run.communicate(timeout=30)
    finally:
        run.kill()
        run.communicate()
    if os.name == "posix":
        assert (run.returncode, out, errors) == (0, "", "Ctrl-C stops\nStopped.\n")


def test_the_command_refuses_in_one_line(files: dict[str, Path], tmp_path: Path) -> None:
    taken = server._listen(0)
    port = str(taken.getsockname()[1])
    (tmp_path / "text").write_text("no model\n")
    for arguments, reason in [
        ([str(tmp_path / "none")], "none"),
        ([str(tmp_path / "text")], "text"),
        ([str(files["vectors"]), "--analogies", str(tmp_path / "text")], "text"),
        ([str(files["vectors"]), "--similarity", str(tmp_path / "none")], "none"),
        ([str(files["vectors"]), "--port", port], f"cannot listen at port {port}: .*; try --port 0"),
        ([str(files["vectors"]), "--port", "65536"], "--port = 65536 is out of range"),
    ]:
        result = CliRunner().invoke(main, ["explore", *arguments])
        assert (result.exit_code, result.stdout) == (1, "")
        assert re.fullmatch(f"Error: .*{reason}.*\n", result.stderr), result.stderr
    taken.close()


@pytest.mark.parametrize("missing", ["starlette", "uvicorn", "plotly"])
def test_a_missing_library_is_named_with_its_extra(missing: str, files: dict[str, Path]) -> None:
    script = f"import sys; sys.modules[{missing!r}] = None; from windrow.cli import main; main(sys.argv[1:])"
    run = [sys.executable, "-c", script, "explore", str(files["vectors"])]
    ended = subprocess.run(run, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.endswith("pip install 'windrow[explore]'\n")
    assert ended.stderr.count("\n") == 1

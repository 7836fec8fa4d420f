"""Models for the explorer: small files of every kind; a server that shows them, and a client of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest

from tests.tagging.conftest import made_up
from windrow import NGramLM, TextClassifier, WindowTagger, WordVectors
from windrow.evaluation.analogy import Section
from windrow.evaluation.pairs import WordPair
from windrow.explore.opened import Opened
from windrow.explore.scores import Questions

# Signs that HTML and Plotly give a meaning, letters that sort differently, words of many scripts.
ODD_WORDS = ["<b>bold</b>", "&amp;", "$x$", "\u0130stanbul", "\U0001f469\U0001f3fd\u200d\U0001f680", "\ufb01n", "Zebra"]
ODD_WORDS += ["สวัสดี", "नमस्ते", "こんにちは", "שלום", "مرحبا"]


def word_vectors(words: int = 60, seed: int = 3) -> WordVectors:
    table = np.random.default_rng(seed).normal(size=(words + len(ODD_WORDS), 8)).astype(np.float32)
    return WordVectors([*(f"w{word}" for word in range(words)), *ODD_WORDS], table)


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A file of each kind of model, by a name for it."""
    folder = tmp_path_factory.mktemp("explored")
    made: dict[str, Any] = {
        "vectors": word_vectors(),
        "others": word_vectors(seed=4),
        "ngrams": NGramLM(2, "witten-bell").fit(["the cat sat", "the cat ran off", "a dog ran off"]),
        "tagger": WindowTagger(vector_size=8, hidden_size=16, epochs=4, batch_size=4).fit(made_up(40, 1)),
        "classifier": TextClassifier(8, epochs=20).fit(["good fine", "bad poor"] * 2, ["plus", "minus"] * 2),
    }
    for name, model in made.items():
        model.save(folder / f"{name}.safetensors")
    return {name: folder / f"{name}.safetensors" for name in made}


@pytest.fixture(scope="session")
def opened(files: dict[str, Path]) -> dict[str, Opened]:
    questions = Questions(
        [Section("numbers", (("w1", "w2", "w3", "w4"), ("w5", "w6", "w7", "w8"), ("w1", "w2", "w3", "none")))],
        [WordPair("w1", "w2", 3.0), WordPair("w3", "w4", 2.0), WordPair("w5", "w6", 1.0), WordPair("w5", "none", 1.0)],
    )
    return {name: Opened.of(str(path), questions) for name, path in files.items()}


@pytest.fixture(scope="session")
def address(opened: dict[str, Opened]) -> Iterator[str]:
    """The address of a server that shows all files, in their order."""
    pytest.importorskip("starlette", reason="the extra `explore` is not installed")
    from windrow.explore.server import Explorer

    explorer = Explorer(list(opened.values()))
    thread = Thread(target=explorer.serve, daemon=True)
    thread.start()
    yield explorer.address
    explorer.close()
    thread.join(10)


class Answered(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        assert self.headers["content-type"] == "application/json"
        return json.loads(self.body)


class Client:
    """A program that asks a server; its requests may be such as no browser makes."""

    def __init__(self, address: str) -> None:
        self.host, self.root = urlsplit(address).netloc, urlsplit(address).path

    def get(self, path: str, **headers: str) -> Answered:
        return self.request("GET", path, None, **headers)

    def post(self, path: str, content: Any) -> Answered:
        return self.request("POST", path, json.dumps(content).encode())

    def request(self, method: str, path: str, body: Any, **headers: str) -> Answered:
        """A path without ``/`` before it is one below the token; headers have ``_`` for ``-``."""
        connection = HTTPConnection(self.host, timeout=30)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path if path.startswith("/") else self.root + path, body, named)
            answer = connection.getresponse()
            return Answered(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()


@pytest.fixture(scope="session")
def client(address: str) -> Client:
    return Client(address)


class InProcess:
    """A client of an application in this process: no socket, and an event loop of its own."""

    def __init__(self, application: Any) -> None:
        self._application = application

    def request(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answered:
        """What the application answers; ``path`` as it stands in a URL."""
        sent: list[dict[str, Any]] = []
        received = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            return received.pop() if received else {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
        scope = {
            "type": "http", "http_version": "1.1", "method": method, "scheme": "http", "path": unquote(path),
            "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": raw,
        }  # fmt: skip
        asyncio.run(self._application(scope, receive, send))
        start, *parts = sent
        found = {name.decode(): value.decode() for name, value in start["headers"]}
        return Answered(start["status"], found, b"".join(part.get("body", b"") for part in parts))

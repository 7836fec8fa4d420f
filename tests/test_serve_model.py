"""The example that serves a model over HTTP: its answers to many at once, and to requests that are none."""

from __future__ import annotations

import json
import os
import re
import runpy
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import windrow
from tests.hammer import THREADS, hammer
from tests.tagging.conftest import made_up
from tests.test_threads import sentences
from windrow.models import MODEL_KINDS, model_class

EXAMPLE = Path(__file__).parents[1] / "examples" / "serve_model.py"
TRAIN = sentences(0, 60)
NGRAMS = windrow.NGramLM(2, "witten-bell").fit(TRAIN)


def recurrent() -> windrow.RecurrentLM:
    return windrow.RecurrentLM("gru", 16, 16, epochs=1, batch_size=4, output_layer="hierarchical").fit(TRAIN)


def tagger() -> windrow.WindowTagger:
    return windrow.WindowTagger(vector_size=8, hidden_size=16, epochs=2, batch_size=4).fit(made_up(40, 1))


def vectors() -> windrow.WordVectors:
    table = np.random.default_rng(3).normal(size=(50, 8)).astype(np.float32)
    return windrow.WordVectors([f"w{word}" for word in range(50)], table)


@contextmanager
def served(model: Any, **options: Any) -> Iterator[int]:
    """The port at which the model is served."""
    server = runpy.run_path(str(EXAMPLE))["ModelServer"](model, **options)
    server.RequestHandlerClass.log_message = lambda *told: None
    thread = threading.Thread(target=partial(server.serve_forever, 0.01))
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def ask(port: int, path: str, content: Any, **headers: str) -> tuple[int, Any]:
    """The status and the JSON of an answer; bytes are sent as they are."""
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        if content is None:
            connection.request("GET", path)
        else:
            body = content if isinstance(content, bytes) else json.dumps(content).encode()
            connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        assert answer.headers["Content-Type"] == "application/json"
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


# A model, and what it says to a seed by HTTP and by itself.
Served = tuple[Callable[[], Any], str, Callable[[int], Any], Callable[[Any, int], Any]]
WORDS = {"positive": ["w1", "w2"], "negative": ["w3"], "k": 4}
SERVED: dict[str, Served] = {
    "score": (
        recurrent,
        "/score",
        lambda seed: {"texts": sentences(seed)},
        lambda model, seed: {"log10_probs": model.log_probs(sentences(seed)).tolist()},
    ),
    "next": (
        recurrent,
        "/next",
        lambda seed: {"text": f"w1 w{seed}", "k": 3},
        lambda model, seed: {"words": [list(pair) for pair in model.top_words(f"w1 w{seed}", 3)]},
    ),
    "similar": (
        vectors,
        "/similar",
        lambda seed: {"positive": [f"w{seed}", "w9"], "negative": ["w20"], "k": 4},
        lambda model, seed: {
            "neighbors": [list(pair) for pair in model.most_similar([f"w{seed}", "w9"], ["w20"], topn=4)]
        },
    ),
    "tag": (
        tagger,
        "/tag",
        lambda seed: {"sentences": [tokens for tokens, *_ in made_up(5, seed)]},
        lambda model, seed: {"tags": model.predict([tokens for tokens, *_ in made_up(5, seed)])},
    ),
    "classify": (
        lambda: windrow.TextClassifier(8, epochs=2).fit(TRAIN, [f"label{len(set(text))}" for text in TRAIN]),
        "/classify",
        lambda seed: {"texts": sentences(seed), "k": 2},
        lambda model, seed: {"labels": json.loads(json.dumps(model.top_labels(sentences(seed), 2)))},
    ),
    "join": (
        lambda: windrow.Phrases(min_count=1, threshold=0.5).fit(TRAIN),
        "/join",
        lambda seed: {"sentences": [text.split() for text in sentences(seed)]},
        lambda model, seed: {"sentences": model.transform([text.split() for text in sentences(seed)])},
    ),
}


@pytest.mark.parametrize("name", SERVED)
def test_threads_are_answered_as_the_model_answers_one(name, tmp_path):
    make, path, request, answer = SERVED[name]
    make().save(tmp_path / "model")
    model = windrow.load(tmp_path / "model")
    seeds = range(1, THREADS + 1)
    with served(model) as port:
        found = ask(port, "/", None)[1]
        assert path in found["answers"]
        assert found["model"] == repr(model)

        def same(seed: int) -> bool:
            return ask(port, path, request(seed)) == (200, answer(model, seed))

        hammer([partial(same, seed) for seed in seeds], [True for _ in seeds])


def test_every_kind_of_model_is_served():
    answers_of = runpy.run_path(str(EXAMPLE))["answers_of"]
    for kind in MODEL_KINDS:
        made = object.__new__(model_class(kind))
        assert set(answers_of(made)) == {
            "word-vectors": {"/similar"},
            "window-tagger": {"/tag"},
            "text-classifier": {"/classify"},
            "phrases": {"/join"},
        }.get(kind, {"/score", "/next"})


REFUSED: dict[str, tuple[Callable[[int], tuple[int, Any]], int, str]] = {
    "no JSON": (lambda port: ask(port, "/score", b"{"), 400, "the request is no JSON"),
    "nested": (lambda port: ask(port, "/score", b"[" * 90_000), 400, "the request is no JSON"),
    "a huge number": (lambda port: ask(port, "/next", b'{"k": ' + b"9" * 9000 + b"}"), 400, "the request is no JSON"),
    "no object": (lambda port: ask(port, "/score", [1]), 400, "the request must be a JSON object"),
    "no list": (lambda port: ask(port, "/score", {"texts": "a b"}), 400, '"texts" must be a list of strings'),
    "no string": (lambda port: ask(port, "/next", {"text": 5}), 400, '"text" must be a string'),
    "no number": (lambda port: ask(port, "/next", {"k": True}), 400, '"k" must be a whole number from 1 to 1000'),
    "too many": (lambda port: ask(port, "/next", {"k": 1001}), 400, '"k" must be a whole number from 1 to 1000'),
    "no such key": (
        lambda port: ask(port, "/next", {"txt": "w1"}),
        400,
        '"txt" is no key of this request; it has "text"',
    ),
    "a key of others": (lambda port: ask(port, "/score", {"texts": ["w1"], "k": 2}), 400, '"k" is no key'),
    "a mark": (lambda port: ask(port, "/score", {"texts": ["<s> w1"]}), 400, "sentence 1 holds '<s>'"),
    "too long": (lambda port: ask(port, "/score", b" " * 100_001), 413, "a request has at most 100,000 bytes"),
    "far too long": (lambda port: raw(port, b"POST /score HTTP/1.1\r\nContent-Length: " + b"9" * 40), 413, "at most"),
    "no length": (lambda port: raw(port, b"POST /score HTTP/1.1"), 411, "Content-Length must say how long"),
    "a wrong length": (lambda port: raw(port, b"POST /score HTTP/1.1\r\nContent-Length: -1"), 411, "Content-Length"),
    "cut short": (lambda port: raw(port, b"POST /score HTTP/1.1\r\nContent-Length: 9"), 400, "ends before"),
    "of vectors": (lambda port: ask(port, "/similar", {}), 404, "this model answers /score, /next, not /similar"),
    "elsewhere": (lambda port: ask(port, "/etc/passwd", None), 404, "GET / says what is here"),
    "a GET": (lambda port: ask(port, "/score", None), 405, "POST to /score, not GET"),
    "another method": (lambda port: raw(port, b"PUT / HTTP/1.1"), 501, "Unsupported method"),
    "no HTTP": (lambda port: raw(port, b"hello there my friend"), 400, "Bad request"),
}


def raw(port: int, head: bytes) -> tuple[int, Any]:
    """What is answered to a request that no client would make; its body is empty."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as link:
        link.sendall(head + b"\r\n\r\n")
        link.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: link.recv(4096), b""))
    status, _, content = answer.partition(b"\r\n\r\n")
    return int(re.search(rb"HTTP/1.0 (\d+)", status)[1]) if content else 400, json.loads(content or answer)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with served(NGRAMS, max_bytes=100_000) as found:
        yield found


@pytest.mark.parametrize("name", REFUSED)
def test_requests_that_are_none_are_refused_as_json(name, port):
    refused, status, reason = REFUSED[name]
    found, content = refused(port)
    assert (found, list(content)) == (status, ["error"])
    assert reason in content["error"]
    assert ask(port, "/score", {"texts": ["w1"]})[0] == 200  # it goes on


def test_unknown_words_and_impossible_texts():
    with served(vectors()) as port:
        status, content = ask(port, "/similar", {"positive": ["w1x"]})
        assert (status, content["error"].partition(";")[0]) == (400, "the word 'w1x' is not in the vocabulary")
    with served(windrow.NGramLM(2, "mle").fit(["a b", "a c"])) as port:
        assert ask(port, "/score", {"texts": ["b a", "a b"]})[1] == {"log10_probs": [None, pytest.approx(-0.30103)]}
    with served(tagger()) as port:
        assert ask(port, "/tag", {"sentences": [["in", 5]]})[0] == 400
        assert ask(port, "/tag", {"sentences": [[]]}) == (200, {"tags": [[]]})


def test_a_fault_of_the_server_is_told_as_one(port, monkeypatch, capsys):
    monkeypatch.setattr(NGRAMS.__class__, "top_words", lambda *asked: 1 / 0)
    assert ask(port, "/next", {"text": "w1"}) == (500, {"error": "the server failed; its log says why"})
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_the_program_serves_until_interrupted(tmp_path):
    NGRAMS.save(tmp_path / "model")
    program = [sys.executable, "-u", str(EXAMPLE), str(tmp_path / "model"), "--port", "0"]
    run = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        told = run.stdout.readline()
        port = int(re.fullmatch(r"http://127\.0\.0\.1:(\d+) answers /score, /next; Ctrl-C stops\n", told)[1])
        assert ask(port, "/next", {"text": "w1"})[0] == 200
        run.send_signal(signal.SIGINT if os.name == "posix" else signal.SIGTERM)
        out, errors = run.communicate(timeout=20)
    finally:
        run.kill()
        run.communicate()
    if os.name == "posix":
        assert (run.returncode, out) == (0, "Stopped.\n")
        assert "Traceback" not in errors


def test_the_program_refuses_what_is_no_model(tmp_path):
    ran = subprocess.run([sys.executable, EXAMPLE, tmp_path / "none"], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert re.fullmatch("Error: .*none.*\n", ran.stderr)


def test_the_program_says_that_a_port_is_used(port, tmp_path):
    NGRAMS.save(tmp_path / "model")
    program = [sys.executable, EXAMPLE, tmp_path / "model", "--port", str(port)]
    ran = subprocess.run(program, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert re.fullmatch(f"Error: port {port}: another program listens there; try another --port.*\n", ran.stderr)


def test_every_path_refuses_keys_that_it_does_not_read():
    with served(vectors()) as found:
        assert ask(found, "/similar", {"postive": ["w1"]})[1] == {
            "error": '"postive" is no key of this request; it has "positive", "negative", "k"'
        }
    for name in ("tag", "classify", "join"):
        make, path, request, _ = SERVED[name]
        with served(make()) as found:
            assert ask(found, path, {**request(1), "K": 2})[0] == 400

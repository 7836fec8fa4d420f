"""Serve a model over HTTP, with nothing but the standard library: a thread per request, all asking one model.

Any model of windrow may be asked by any number of threads at once, so the server needs no lock and no copies.

    python examples/serve_model.py toy-lm.safetensors --port 8000
    curl -d '{"texts": ["the cat sat"]}' localhost:8000/score
    curl -d '{"text": "the cat", "k": 5}' localhost:8000/next

Vectors answer /similar, {"positive": ["king"], "negative": [], "k": 10}; taggers /tag, {"sentences": [["in", "Rome"]]};
text classifiers /classify, {"texts": ["a fine film"], "k": 2}; phrases /join, {"sentences": [["new", "york"]]}.
GET / says what the model is and what it answers. Ctrl-C stops the server. It is for a network that you trust: it knows
no users, no encryption and no limit on how many ask at a time, which are the business of a proxy in front of it.
"""

from __future__ import annotations

import argparse
import errno
import json
import math
import sys
import traceback
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import windrow
from windrow.errors import WindrowError
from windrow.lm.base import LanguageModel

MAX_BYTES = 1_000_000  # of a request
MOST_WORDS = 1000  # of an answer
SECONDS = 30  # that a client may be silent within a request
PIECE = 1 << 16

Request = dict[str, Any]
Answer = Callable[[Any, Request], dict[str, Any]]


class RequestError(Exception):
    """A request that cannot be answered; the text goes to the client."""

    def __init__(self, reason: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(reason)
        self.status = status


# --- what is answered


def score(model: LanguageModel, request: Request) -> dict[str, Any]:
    """log10 of the probability of each text, null where that is zero."""
    check_keys(request, "texts")
    scores = model.log_probs(strings(request, "texts")).tolist()
    return {"log10_probs": [value if math.isfinite(value) else None for value in scores]}


def next_words(model: LanguageModel, request: Request) -> dict[str, Any]:
    """The likeliest words to follow a text, with their probabilities."""
    check_keys(request, "text", "k")
    text = request.get("text", "")
    if not isinstance(text, str):
        raise RequestError('"text" must be a string')
    return {"words": model.top_words(text, how_many(request))}


def similar(model: windrow.WordVectors, request: Request) -> dict[str, Any]:
    """The words nearest to the sum of some vectors less others, with their cosines."""
    check_keys(request, "positive", "negative", "k")
    positive, negative = strings(request, "positive"), strings(request, "negative", [])
    return {"neighbors": model.most_similar(positive, negative, topn=how_many(request))}


def tag(model: windrow.WindowTagger, request: Request) -> dict[str, Any]:
    """The tags of each sentence, a list of tokens."""
    return {"tags": model.predict(token_lists(request))}


def classify(model: windrow.TextClassifier, request: Request) -> dict[str, Any]:
    """The k likeliest labels of each text, with their probabilities."""
    check_keys(request, "texts", "k")
    return {"labels": model.top_labels(strings(request, "texts"), how_many(request))}


def join(model: windrow.Phrases, request: Request) -> dict[str, Any]:
    """Each sentence, a list of tokens, with its phrases as one token."""
    return {"sentences": model.transform(token_lists(request))}


def token_lists(request: Request) -> list[list[str]]:
    """The sentences of a request."""
    check_keys(request, "sentences")
    sentences = request.get("sentences")
    if not isinstance(sentences, list):
        raise RequestError('"sentences" must be a list of lists of tokens')
    return [strings({"a sentence": sentence}, "a sentence") for sentence in sentences]


def answers_of(model: Any) -> dict[str, Answer]:
    """What a model answers, by path."""
    match model:
        case LanguageModel():
            return {"/score": score, "/next": next_words}
        case windrow.WordVectors():
            return {"/similar": similar}
        case windrow.TextClassifier():
            return {"/classify": classify}
        case windrow.Phrases():
            return {"/join": join}
    return {"/tag": tag}


def check_keys(request: Request, *known: str) -> None:
    """Refuse a key that nobody reads: misspelt, it would be answered as if it were not there."""
    for key in request:
        if key not in known:
            told = ", ".join(f'"{name}"' for name in known)
            raise RequestError(f"{json.dumps(key[:80])} is no key of this request; it has {told}")


def strings(request: Request, name: str, default: list[str] | None = None) -> list[str]:
    """A list of strings in a request."""
    found = request.get(name, default)
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise RequestError(f'"{name}" must be a list of strings')
    return found


def how_many(request: Request) -> int:
    """How many words are asked for."""
    k = request.get("k", 10)
    if not isinstance(k, int) or isinstance(k, bool) or not 1 <= k <= MOST_WORDS:
        raise RequestError(f'"k" must be a whole number from 1 to {MOST_WORDS}')
    return k


# --- the server


class ModelServer(ThreadingHTTPServer):
    """A model, and the requests that are answered from it. ``serve_forever`` serves, ``shutdown`` ends that."""

    def __init__(self, model: Any, host: str = "127.0.0.1", port: int = 0, max_bytes: int = MAX_BYTES) -> None:
        super().__init__((host, port), Handler)
        self.model = model
        self.answers = answers_of(model)
        self.max_bytes = max_bytes

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone is no news."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One request, in a thread of its own; errors are JSON, too."""

    server: ModelServer
    server_version, sys_version, timeout = "windrow", "", SECONDS

    def do_GET(self) -> None:
        """What is served."""
        if self.path in self.server.answers:
            self.send_error(HTTPStatus.METHOD_NOT_ALLOWED, f"POST to {self.path}, not GET")
        elif self.path != "/":
            self.send_error(HTTPStatus.NOT_FOUND, f"GET / says what is here, {self.path[:80]} is not")
        else:
            self.send_json(HTTPStatus.OK, {"model": repr(self.server.model), "answers": [*self.server.answers]})

    def do_POST(self) -> None:
        """An answer of the model."""
        try:
            request = self.read_json()
            answer = self.server.answers.get(self.path)
            if answer is None:
                told = f"this model answers {', '.join(self.server.answers)}, not {self.path[:80]}"
                raise RequestError(told, HTTPStatus.NOT_FOUND)
            self.send_json(HTTPStatus.OK, answer(self.server.model, request))
        except RequestError as error:
            self.send_error(error.status, str(error))
        except WindrowError as error:  # an unknown word, <s> in a text, ...
            self.send_error(HTTPStatus.BAD_REQUEST, str(error))
        except (ConnectionError, TimeoutError):
            raise  # nobody is there to be answered
        except Exception:
            traceback.print_exc()
            self.send_error(HTTPStatus.INTERNAL_SERVER_ERROR, "the server failed; its log says why")

    def read_json(self) -> Request:
        """The request as a dict; reads no more of a body than it may have."""
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            raise RequestError("Content-Length must say how long the request is", HTTPStatus.LENGTH_REQUIRED)
        if len(length) > 12 or int(length) > self.server.max_bytes:
            self.rfile.read(self.server.max_bytes)  # so that most clients come to read the answer
            told = f"a request has at most {self.server.max_bytes:,} bytes; ask in parts"
            raise RequestError(told, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise RequestError("the request ends before its Content-Length")
        try:
            request = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise RequestError("the request is no JSON") from error
        if not isinstance(request, dict):
            raise RequestError("the request must be a JSON object")
        return request

    def send_json(self, status: int, content: Any) -> None:
        """Answer with JSON."""
        data = json.dumps(content, allow_nan=False).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer with an error; http.server calls it, too, for what is no HTTP."""
        self.close_connection = True
        self.send_json(code, {"error": message or HTTPStatus(code).phrase})


def main() -> None:
    """Load a model and serve it until Ctrl-C."""
    parser = argparse.ArgumentParser(description="Serve a windrow model over HTTP.")
    parser.add_argument("model", help="a file that windrow.load opens")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen at (default: this machine only)")
    parser.add_argument("--port", type=int, default=8000, help="0 for any that is free (default: 8000)")
    parser.add_argument("--max-bytes", type=int, default=MAX_BYTES, help=f"of a request (default: {MAX_BYTES})")
    options = parser.parse_args()
    try:
        server = ModelServer(windrow.load(options.model), options.host, options.port, options.max_bytes)
    except (WindrowError, OSError, OverflowError) as error:  # OverflowError: a port that is none
        is_used = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        hint = "another program listens there; try another --port, or 0 for any that is free"
        sys.exit(f"Error: port {options.port}: {hint}" if is_used else f"Error: {error}")
    with server:
        host, port = server.server_address[:2]
        print(f"http://{host}:{port} answers {', '.join(server.answers)}; Ctrl-C stops", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("Stopped.")


if __name__ == "__main__":
    main()

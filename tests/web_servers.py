"""Web servers on this machine that do wrong, each in a way of its own."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

Answer = Callable[[socket.socket, str], None]  # a connection, and the request with its headers


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """Answer each request on a connection of its own, which is closed afterwards; the URL of the server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=_serve, args=(listener, answer, stop := Event()))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            stop.set()
            with suppress(OSError), socket.create_connection(listener.getsockname()[:2], timeout=5):
                pass
            thread.join()


def _serve(listener: socket.socket, answer: Answer, stop: Event) -> None:
    while True:
        connection, _ = listener.accept()
        with connection:
            if stop.is_set():
                return
            connection.settimeout(5)
            with suppress(OSError):  # the client may hang up
                request = b""
                while b"\r\n\r\n" not in request:
                    if not (more := connection.recv(65536)):
                        break
                    request += more
                answer(connection, request.decode("latin-1"))


def head(status: str, *headers: str) -> bytes:
    """The first lines of an answer."""
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "Connection: close", "", ""]).encode("latin-1")


def saying(*parts: bytes) -> Answer:
    """A server that always says the same."""

    def answer(connection: socket.socket, _: str) -> None:
        for part in parts:
            connection.sendall(part)

    return answer

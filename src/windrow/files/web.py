"""Files from web servers: what is asked of a server, and what is put up with.

Only http and https are spoken, and a redirect never leads from https to something else. A server that sends nothing, or
next to nothing, is given up after ``PATIENCE``. A body may be as long as the caller allows.
"""

from __future__ import annotations

import base64
import http.client
import io
import ipaddress
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from threading import Timer
from typing import Any
from urllib.parse import quote, unquote, urljoin, urlsplit

from windrow.files.urls import (
    WEB_SCHEMES,
    CutError,
    NotEncryptedError,
    TooLargeError,
    WebError,
    scheme_of,
    without_secrets,
)

LARGEST = 64 << 30  # bytes, of a body whose size nothing else limits
PATIENCE = 30.0  # seconds, in which some bytes must come
LEAST_BYTES = 10_000  # that must come in that time
MOST_OVERHEAD = 1 << 20  # bytes that may come without one of the body: sizes of chunks, headers after the last
ANSWER_PATIENCE = 60.0  # seconds until the headers of an answer are complete
MOST_REDIRECTS = 5
_MOVED = (301, 302, 303, 307, 308)
_NO_HEADERS: Mapping[str, str] = {}


class Body(io.RawIOBase):
    """The bytes of an answer as they come: never more than are announced or allowed; CutError if they are fewer."""

    def __init__(self, response: Any) -> None:
        super().__init__()
        self._response = response
        self.status: int = response.status
        self.headers: Mapping[str, str] = response.headers
        self.total: int | None = response.length  # None: the server does not say
        self.done = 0
        self._limit = LARGEST
        self._waited, self._done_before = 0.0, 0

    def allow(self, limit: int) -> None:
        """Let there be so many bytes in all; TooLargeError if more are announced."""
        self._limit = limit
        if self.total is not None and self.total > limit:
            raise TooLargeError(f"it has {self.total:,} bytes, where {limit:,} are allowed")

    @property
    def encoding(self) -> str:
        """How the server has compressed the body; empty if it has not."""
        named = self.headers.get("Content-Encoding", "").strip().lower()
        return "" if named == "identity" else named

    def readable(self) -> bool:
        """It is."""
        return True

    def close(self) -> None:
        """Hang up."""
        if not self.closed:
            self._response.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer with what is there; 0 at the end."""
        most = len(buffer) if self.total is None else min(len(buffer), self.total - self.done)
        if not most:
            return 0
        started = time.monotonic()
        self._response.wire.begin(most)
        try:
            data: bytes = self._response.read1(most)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise CutError(_reason_of(error)) from error
        # An answer cut in its headers has no length either.
        if not data and (self.total is not None or not (self.done or self._response.chunked)):
            raise CutError("the connection was closed")
        self._count(len(data), time.monotonic() - started)
        buffer[: len(data)] = data
        return len(data)

    def _count(self, arrived: int, seconds: float) -> None:
        self.done += arrived
        if self.done > self._limit:
            raise TooLargeError(f"it has more than the {self._limit:,} bytes that are allowed")
        self._waited += seconds  # and not while the caller works
        if self._waited >= PATIENCE:
            if arrived and self.done - self._done_before < LEAST_BYTES and self.done != self.total:
                raise CutError(_too_slow())
            self._waited, self._done_before = 0.0, self.done


def open_url(url: str, headers: Mapping[str, str] = _NO_HEADERS, *, plain_http: bool = False) -> Body:
    """Ask for a URL; WebError if the server does not give it.

    ``plain_http``: whether http will do, too; with servers on this machine it always does.
    """
    start = url
    for _ in range(MOST_REDIRECTS + 1):
        _check(url, plain_http, "" if url == start else f"it redirects to {url}, and ")
        try:
            response = _opener().open(_request(url, headers, _server(url) == _server(start)), timeout=PATIENCE)
        except urllib.error.HTTPError as error:
            with error:
                url = _next_place(url, error)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise WebError(_reason_of(error)) from error
        else:
            if response.status not in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
                response.close()
                raise WebError(f"HTTP {response.status} {response.reason}, and no file")
            return Body(response)
    raise WebError(f"it redirects more than {MOST_REDIRECTS} times")


def _check(url: str, plain_http: bool, before: str) -> None:
    """Raise WebError for a URL that is not asked for."""
    scheme = scheme_of(url)
    if scheme not in WEB_SCHEMES:
        raise WebError(f"{before}{scheme or url.partition(':')[0]}: is neither https nor http")
    try:
        host, _ = urlsplit(url).hostname, urlsplit(url).port
    except ValueError as error:
        raise WebError(f"{before}that is no valid URL") from error
    if not host:
        raise WebError(f"{before}that names no server")
    if scheme == "http" and not plain_http and not _is_here(host):
        raise NotEncryptedError(f"{before}http is not encrypted")


def _next_place(url: str, error: urllib.error.HTTPError) -> str:
    """Where an answer redirects to; WebError if it is no redirect, or one that leaves https."""
    place = error.headers.get("Location")
    if error.code not in _MOVED or not place:
        content_range = error.headers.get("Content-Range", "")
        raise WebError(f"HTTP {error.code} {error.reason}", error.code, content_range)
    with suppress(UnicodeError):
        place = place.encode("latin-1").decode()  # as headers are read, and what is mostly meant
    try:
        target = urljoin(url, place)
    except ValueError as problem:
        raise WebError("it redirects to what is no valid URL") from problem
    if scheme_of(url) == "https" and scheme_of(target) != "https":
        raise WebError(f"it redirects from https to {target}")
    return target


def _server(url: str) -> str:
    return url.partition("://")[0] + urlsplit(url).netloc


def _is_here(host: str) -> bool:
    """Whether a server is on this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _request(url: str, headers: Mapping[str, str], trusted: bool) -> urllib.request.Request:
    """A request with the user and password of the URL, which are sent to no other server."""
    parts = urlsplit(url)
    user, at, server = parts.netloc.rpartition("@")
    place = parts._replace(
        netloc=server if server.isascii() else server.encode("idna").decode(),
        path=_quoted(parts.path),
        query=_quoted(parts.query),
        fragment="",
    )
    request = urllib.request.Request(place.geturl(), headers={"User-Agent": "windrow", **headers})
    if at and trusted:
        request.add_header("Authorization", f"Basic {base64.b64encode(unquote(user).encode()).decode()}")
    return request


def _quoted(text: str) -> str:
    return quote(text, safe="/%:@!$&'()*+,;=~?[]")


class _Wire(io.RawIOBase):
    """All that comes through a connection, of which one reading of a body takes what it can bear."""

    def __init__(self, raw: io.RawIOBase) -> None:
        super().__init__()
        self._raw = raw
        self._started: float | None = None  # headers have a limit of their own
        self._done = self._most = 0

    def begin(self, length: int) -> None:
        """The next reading of the body begins, which may give so many bytes."""
        self._started, self._done, self._most = time.monotonic(), 0, length + MOST_OVERHEAD

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._raw.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        arrived = self._raw.readinto(buffer) or 0
        if arrived and self._started is not None:
            self._done += arrived
            if self._done < LEAST_BYTES and time.monotonic() - self._started >= PATIENCE:
                raise CutError(_too_slow())
            if self._done > self._most:
                raise CutError(f"more than {MOST_OVERHEAD:,} bytes came that are no part of the file")
        return arrived


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.wire = _Wire(self.fp.detach())
        self.fp = io.BufferedReader(self.wire)


class _PatientToALimit:
    """A connection that hangs up when the headers of an answer do not end: drop by drop, each is in time."""

    sock: socket.socket | None
    _hung_up = False

    def getresponse(self) -> Any:
        hang_up = Timer(ANSWER_PATIENCE, self._hang_up)
        hang_up.daemon = True
        hang_up.start()
        try:
            response = super().getresponse()  # type: ignore[misc]
        finally:
            hang_up.cancel()
        if self._hung_up:  # headers that were cut look as if they were complete
            response.close()
            raise TimeoutError(f"no whole answer came in {ANSWER_PATIENCE:g} seconds")
        return response

    def _hang_up(self) -> None:
        self._hung_up = True
        if self.sock is not None:
            with suppress(OSError):
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)


class _HTTP(_PatientToALimit, http.client.HTTPConnection):
    response_class = _Response


class _HTTPS(_PatientToALimit, http.client.HTTPSConnection):
    response_class = _Response


class _Handler(urllib.request.AbstractHTTPHandler):
    http_request = https_request = urllib.request.AbstractHTTPHandler.do_request_

    def http_open(self, request: urllib.request.Request) -> Any:
        return self.do_open(_HTTP, request)

    def https_open(self, request: urllib.request.Request) -> Any:
        return self.do_open(_HTTPS, request, context=ssl.create_default_context())


def _opener() -> urllib.request.OpenerDirector:
    """No handlers for file:, ftp: and data:, and none that follows redirects."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        _Handler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _too_slow() -> str:
    return f"fewer than {LEAST_BYTES:,} bytes came in {PATIENCE:g} seconds"


def _reason_of(error: Exception) -> str:
    reason = getattr(error, "reason", error)
    reason = getattr(reason, "strerror", None) or reason
    return without_secrets(" ".join(str(reason).split()) or type(error).__name__)

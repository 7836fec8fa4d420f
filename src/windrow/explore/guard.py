"""Who may ask: programs on this machine that know the address with its token.

The server listens at 127.0.0.1, so no other machine reaches it. But pages of other sites, open in the same browser,
might: by guessing its address, or by a name of theirs that suddenly means 127.0.0.1 (DNS rebinding). So each request
must name this server as its host, come from no other origin, and have the token, which no other page can read, at the
start of its path.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 200_000  # of a question

# No code and no style but from the server's own files, nothing from elsewhere, and no frame around the page.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",  # which would hand the token on
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Guard:
    """An application that refuses requests before another one sees them."""

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self._app = app
        self._token = token.encode()
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse to."""
        if scope["type"] != "http":
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        refused = self._refused(scope["method"], scope["path"], Headers(scope=scope))
        app = self._app if refused is None else JSONResponse({"error": refused[1]}, refused[0])
        await app(scope, receive, send_with_headers)

    def _refused(self, method: str, path: str, headers: Mapping[str, str]) -> tuple[int, str] | None:
        """The status and the reason, None for a request that may pass."""
        if headers.get("host") not in self._hosts:
            return 421, "this server answers at the address that the command printed only"
        origin = headers.get("origin")
        is_own = origin is None or origin.removeprefix("http://") in self._hosts
        if not is_own or headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return 403, "pages of other sites may not ask"
        given = path.split("/")[1] if path.startswith("/") else ""
        if not secrets.compare_digest(given.encode("utf-8", "replace"), self._token):
            return 403, "the token is missing or wrong; open the address that the command printed"
        if method == "POST":
            length = headers.get("content-length", "")
            if not (length.isascii() and length.isdigit()):
                return 411, "Content-Length must say how long the question is"
            if len(length) > 12 or int(length) > MOST_BYTES:
                return 413, f"a question has at most {MOST_BYTES:,} bytes; shorten it"
        return None

"""The explorer's server: a page, its files, and questions to models as JSON."""

from __future__ import annotations

import math
import secrets
import socket
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import Any

from windrow.errors import DataError, MissingPackageError, WindrowError, needs_package
from windrow.explore.asked import Asked
from windrow.explore.opened import Opened

with needs_package("the explorer needs Starlette, uvicorn and Plotly", "explore"):
    import uvicorn
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.exceptions import HTTPException
    from starlette.requests import Request
    from starlette.responses import FileResponse, JSONResponse, Response
    from starlette.routing import Mount, Route
    from starlette.staticfiles import StaticFiles
    from starlette.types import ASGIApp

    from windrow.explore.guard import Guard

_STATIC = Path(__file__).parent / "static"


def application(opened: Sequence[Opened], token: str, port: int) -> ASGIApp:
    """What answers requests, below ``/TOKEN/`` only.

    ``GET models`` says what is there; ``POST ask/NUMBER/QUESTION`` with a JSON object asks a model. An answer is a JSON
    object, what cannot be answered one with ``error`` and the status 400.
    """
    plotly = plotly_script()

    def page(_: Request) -> Response:
        return FileResponse(_STATIC / "index.html")

    def script(_: Request) -> Response:
        return FileResponse(plotly)

    def models(_: Request) -> Response:
        return _json({"models": [_described(one) for one in opened]})

    async def ask(request: Request) -> Response:
        model, question = request.path_params["model"], request.path_params["question"]
        answer = opened[model].answers.get(question) if model < len(opened) else None
        if answer is None:
            raise HTTPException(404, "no model here answers this")
        asked = Asked.from_json(await request.body())
        return _json(await run_in_threadpool(answer, asked))

    routes = [
        Route("/", page),
        Route("/models", models),
        Route("/plotly.js", script),
        Route("/ask/{model:int}/{question}", ask, methods=["POST"]),
        Mount("/static", StaticFiles(directory=_STATIC)),
    ]
    handlers: dict[Any, Callable[[Request, Any], Response]] = {
        WindrowError: lambda _, error: _json({"error": str(error)}, 400),
        MemoryError: lambda _, error: _json({"error": f"not enough memory ({error}); ask for less"}, 400),
        HTTPException: lambda _, error: _json({"error": error.detail}, error.status_code),
        Exception: lambda _, error: _json({"error": "the server failed; the terminal says why"}, 500),
    }
    return Guard(Starlette(routes=[Mount(f"/{token}", routes=routes)], exception_handlers=handlers), token, port)


def _described(one: Opened) -> dict[str, Any]:
    return {
        "name": one.name,
        "described": one.described,
        "questions": [*one.answers],
        "facts": one.facts,
        "history": one.history,
        "curves": one.curves,
    }


def _json(content: dict[str, Any], status: int = 200) -> Response:
    return JSONResponse(_without_infinities(content), status)


def _without_infinities(value: Any) -> Any:
    """The value with None for numbers that JSON does not have."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case dict():
            return {key: _without_infinities(one) for key, one in value.items()}
        case list() | tuple():
            return [_without_infinities(one) for one in value]
    return value


def plotly_script() -> Path:
    """The JavaScript in the installed package of Plotly, whose Python is not imported."""
    found = find_spec("plotly")
    script = Path(found.origin).parent / "package_data" / "plotly.min.js" if found and found.origin else None
    if script is None or not script.is_file():
        raise MissingPackageError("the explorer needs the JavaScript of Plotly", "explore")
    return script


class Explorer:
    """A server at 127.0.0.1 that is stopped by an interrupt; ``port`` 0 takes a free one."""

    def __init__(self, opened: Sequence[Opened], port: int = 0) -> None:
        self._socket = _listen(port)
        token = secrets.token_urlsafe(16)
        port = self._socket.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}/{token}/"
        self._server = uvicorn.Server(
            uvicorn.Config(
                application(opened, token, port), log_level="warning", lifespan="off", access_log=False,
                server_header=False, date_header=False, ws="none", proxy_headers=False, timeout_graceful_shutdown=1,
            )
        )  # fmt: skip

    def serve(self) -> None:
        """Answer until an interrupt, which is raised again, or until ``close`` is called in another thread."""
        # In a thread that is not the main one uvicorn leaves signals alone.
        thread = Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)
        thread.start()
        try:
            while thread.is_alive():
                thread.join(0.2)
        finally:
            self.close()
            thread.join(3)
            self._socket.close()

    def close(self) -> None:
        """Let ``serve`` end."""
        self._server.should_exit = True


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise DataError(f"cannot listen at port {port}: {error.strerror or error}; try port = 0") from error

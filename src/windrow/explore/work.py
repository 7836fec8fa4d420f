"""What takes longer than an answer may: it is computed beside the server, while the page asks how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Thread
from typing import Any

from windrow.errors import OptionError, WindrowError

_WAIT = 0.15  # seconds that an answer may take, so that what is small is there at once


class Work:
    """Something that is computed in a thread of its own, which does not keep the program from ending."""

    def __init__(self, compute: Callable[[], dict[str, Any]]) -> None:
        self._compute = compute
        self._started = time.monotonic()
        self._found: dict[str, Any] | None = None
        self._error: Exception | None = None
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._found = self._compute()
        except (WindrowError, MemoryError) as error:
            self._error = error

    def result(self) -> dict[str, Any]:
        """What was found; until then, soon, how long it has taken. Raises what went wrong."""
        self._thread.join(_WAIT)
        if self._error is not None:
            raise self._error
        if self._found is None:
            if not self._thread.is_alive():
                raise OptionError("this could not be computed; the terminal says why")
            return {"ready": False, "seconds": round(time.monotonic() - self._started, 1)}
        return self._found

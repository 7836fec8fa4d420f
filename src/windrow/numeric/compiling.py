"""What the log says of kernels that are being compiled, for which the first call of each waits."""

from __future__ import annotations

import time
from typing import Any

from numba.core import event

from windrow.logger import logger


class CompileLog(event.Listener):  # type: ignore[misc]
    """Logs each kernel of the package that Numba compiles, and once per process, for all to see, that it does.

    Numba compiles one kernel at a time; those that a kernel calls are compiled within it.
    """

    def __init__(self, kept_in: object) -> None:
        self._kept_in = kept_in
        self._is_told = False
        self._started: list[float] = []

    def on_start(self, event: Any) -> None:  # noqa: D102
        if not _is_ours(event):
            return
        self._started.append(time.monotonic())
        if not self._is_told:
            self._is_told = True
            kept = "they are not kept" if self._kept_in is None else f"later runs find them in {self._kept_in}"
            logger.info("compiling kernels, which takes some seconds each; %s", kept)

    def on_end(self, event: Any) -> None:  # noqa: D102
        if _is_ours(event) and self._started:
            logger.debug("compiled %s in %.1f seconds", _kernel_name(event), time.monotonic() - self._started.pop())


def log_compiling(kept_in: object) -> None:
    """Let the log tell of kernels that are compiled from now on; they are kept in the folder ``kept_in``, or None."""
    event.register("numba:compile", CompileLog(kept_in))


def _is_ours(event: Any) -> bool:
    return _kernel_name(event).startswith("windrow.")


def _kernel_name(event: Any) -> str:
    function = event.data["dispatcher"].py_func
    return f"{function.__module__}.{function.__qualname__}"

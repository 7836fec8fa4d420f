"""The log of kernels that are being compiled, for which the first call of each waits, and a clock without that."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from windrow.logger import logger as package_logger

logger = package_logger.getChild("numeric.compiling")


class _Compiling(NamedTuple):
    """Seconds that compiling has taken so far, and when what is being compiled now was begun; None for nothing."""

    seconds: float
    since: float | None


class CompileLog:
    """Logs each kernel of the package that Numba compiles, and once per process, for all to see, that it does.

    Numba compiles one kernel at a time; those that a kernel calls are compiled within it.
    """

    def __init__(self, kept_in: object) -> None:
        self._kept_in = kept_in
        self._is_told = False
        self._started: list[float] = []
        self._compiling = _Compiling(0.0, None)  # replaced as a whole, since other threads read it

    def on_start(self, event: Any) -> None:  # noqa: D102
        if not _is_ours(event):
            return
        now = time.perf_counter()
        if not self._started:
            self._compiling = self._compiling._replace(since=now)
        self._started.append(now)
        if not self._is_told:
            self._is_told = True
            kept = "they are not kept" if self._kept_in is None else f"later runs find them in {self._kept_in}"
            logger.info("compiling kernels, which takes some seconds each; %s", kept)

    def on_end(self, event: Any) -> None:  # noqa: D102
        if not _is_ours(event) or not self._started:
            return
        now, started = time.perf_counter(), self._started.pop()
        if not self._started:
            self._compiling = _Compiling(self._compiling.seconds + now - started, None)
        logger.debug("compiled %s in %.1f seconds", _kernel_name(event), now - started)

    def seconds(self, now: float) -> float:
        """How long kernels have been compiled up to now, a time of ``time.perf_counter``."""
        seconds, since = self._compiling
        return seconds if since is None else seconds + now - since


_logs: list[CompileLog] = []


def log_compiling(kept_in: object) -> None:
    """Let the log tell of kernels that are compiled from now on; they are kept in the folder ``kept_in``, or None."""
    from numba.core import event

    _logs.append(new_listener(kept_in))
    event.register("numba:compile", _logs[-1])


def new_listener(kept_in: object) -> CompileLog:
    """A log that Numba can tell of what it compiles."""
    from numba.core import event  # only in functions: networks are timed, too, and do not need Numba

    listener: CompileLog = type("Listener", (CompileLog, event.Listener), {})(kept_in)
    return listener


def working_time() -> float:
    """As ``time.perf_counter``, of a clock that stands still while kernels are compiled: by it trainings are timed."""
    now = time.perf_counter()
    return now - sum(log.seconds(now) for log in _logs)


def _is_ours(event: Any) -> bool:
    return _kernel_name(event).startswith("windrow.")


def _kernel_name(event: Any) -> str:
    function = event.data["dispatcher"].py_func
    return f"{function.__module__}.{function.__qualname__}"

"""Interrupts: signals that ask a program to end, and work that they must not cut in two.

A handler that raises, as Python's own for Ctrl-C does, may strike between any two bytecodes: while a thread pool holds
a lock, between the making of a temporary folder and the note that it is to be removed, in the middle of a checkpoint.
Such work stands in ``held()``, where interrupts wait for its end, or for the next call of ``check()`` within.

The second half is for a process that is windrow's own, see ``windrow.__main__``.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
Handler = Callable[[int, Any], Any]


class _Waiting:
    """The interrupts that wait during the outermost ``held``; whoever sends several wants what the first one says."""

    now: ClassVar[_Waiting | None] = None  # of the main thread, which alone runs handlers

    def __init__(self, handlers: Mapping[int, Handler]) -> None:
        self.handlers = handlers
        self.replaced = [number for number, handler in handlers.items() if handler is not _interrupt]
        self.signal: int | None = None
        self.has_raised = self.is_delivering = False

    def begin(self) -> None:
        """Take the place of the handlers."""
        _Waiting.now = self
        for number in self.replaced:
            signal.signal(number, self.note)

    def end(self) -> None:
        """Put the handlers back."""
        for number in self.replaced:
            signal.signal(number, self.handlers[number])
        _Waiting.now = None

    def note(self, number: int, _: Any) -> None:
        """The handler meanwhile."""
        if self.signal is None:
            self.signal = number

    def deliver(self) -> None:
        """Call the handler of the signal that waits, unless one has raised already."""
        number, self.signal = self.signal, None
        if number is None or self.has_raised:
            return
        self.has_raised = self.is_delivering = True
        try:
            self.handlers[number](number, sys._getframe(1))
        finally:
            self.is_delivering = False
        self.has_raised = False  # it only took note


@contextmanager
def held() -> Iterator[None]:
    """Within, signals whose handlers are Python functions wait for ``check``, or for the end.

    After a handler has raised in ``check``, further signals are dropped until the end. In other threads than the main
    one, which are never interrupted, and within another ``held`` nothing changes.
    """
    if _Waiting.now is not None or not _in_main_thread():
        yield
        return
    handlers = {number: handler for number in SIGNALS if callable(handler := signal.getsignal(number))}
    waiting = _Waiting(handlers)
    try:
        waiting.begin()
        yield
    finally:
        try:
            waiting.end()
        except BaseException:
            waiting.end()  # of which an interrupt struck the middle, when one handler was back
            raise
        waiting.deliver()


def check() -> None:
    """Handle the interrupt that waits, if any, which raises KeyboardInterrupt: where nothing is left half done."""
    waiting = _Waiting.now
    if waiting is not None and waiting.signal is not None and _in_main_thread():
        waiting.deliver()


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


# --- a process of windrow's own

_BURST = 2.0  # seconds after an interrupt in which more of them are the same wish
_WAKE = 10.0  # seconds after an interrupt in which errors are its doing
_AGAIN = 0.05  # seconds until an interrupt that got lost is repeated


class Interrupt(KeyboardInterrupt):
    """Ctrl-C, SIGTERM or SIGHUP.

    A class of its own: when one of exactly ``KeyboardInterrupt`` has left code that was made from a string, as a
    NamedTuple's is, ``python -m`` ends by SIGINT whatever status the program gives (``run_eval_code_obj`` in CPython).
    """


class _Process:
    """What signals do in the process of the command line, from its first line to its last."""

    is_own = False
    signal = signal.SIGINT  # that ended the work
    result: ClassVar[str | None] = None  # the path with which the work is done
    raised_at = -_BURST


def own_process() -> None:
    """Take the signals of this process: until ``raised``, they end it at once, as there is nothing to keep."""
    if not _Process.is_own and _in_main_thread():
        _Process.is_own = True
        _handle(_end_at_once)
        sys.unraisablehook = _repeat_if_lost


@contextmanager
def raised() -> Iterator[None]:
    """Within, a signal raises KeyboardInterrupt; afterwards it is ignored: what is left to do is short.

    In a process that is not windrow's own, nothing changes.
    """
    try:
        if _Process.is_own:
            _handle(_interrupt)
        yield
    finally:
        ignore()


def ignore() -> None:
    """Ignore further signals: the work is done, and its result must be written and told."""
    if _Process.is_own:
        _handle(signal.SIG_IGN)
        if _Waiting.now is not None:
            _Waiting.now.has_raised = True


def expect(result: str | os.PathLike[str]) -> None:
    """Name the file or folder with which the work of this process is done, see ``finish``."""
    _Process.result = os.path.realpath(result)


def finish(path: str | os.PathLike[str]) -> None:
    """Called just before a file or folder gets its name: if it is the result, the process ends as a success."""
    if _Process.result == os.path.realpath(path):
        ignore()


def have_just_struck() -> bool:
    """Whether an error may come from an interrupt, which leaves half made what it strikes: a kernel being compiled."""
    return 0 <= _Process.raised_at > time.monotonic() - _WAKE


def exit_status() -> int:
    """The status of an interrupted program, as shells have it: 128 and the number of the signal."""
    return 128 + _Process.signal


def _handle(handler: Any) -> None:
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # by nohup, or by a shell for what runs in the background
            signal.signal(number, handler)


def _end_at_once(number: int, _: Any) -> None:
    os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, b"Interrupted: nothing was written\n")
    os._exit(128 + number)


def _interrupt(number: int, frame: Any) -> None:
    """Raise KeyboardInterrupt, once for several signals at a time: the first has begun to keep what there is."""
    if _Waiting.now is not None and not _Waiting.now.is_delivering:
        _Waiting.now.note(number, frame)
    elif time.monotonic() >= _Process.raised_at + _BURST:
        _Process.signal, _Process.raised_at = signal.Signals(number), time.monotonic()
        raise Interrupt


def _repeat_if_lost(lost: Any) -> None:
    """Repeat an interrupt that struck where nothing can be raised, such as the removal of an object."""
    if issubclass(lost.exc_type, KeyboardInterrupt) and hasattr(signal, "pthread_kill"):
        _Process.raised_at = -_BURST
        repeat = threading.Timer(_AGAIN, signal.pthread_kill, [threading.main_thread().ident, _Process.signal])
        repeat.daemon = True
        repeat.start()
    elif _Process.raised_at < 0:  # else it is what an interrupt has left half made
        sys.__unraisablehook__(lost)

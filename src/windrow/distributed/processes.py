"""Processes of this machine that answer questions, each with what it has opened itself, in the order of the questions.

What they open from one file by memory map is in memory once.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.resource_tracker
import signal
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Any, Self

from windrow import interrupts
from windrow.errors import DataError

_FROM_THE_TERMINAL = [getattr(signal, name) for name in ("SIGINT", "SIGHUP") if hasattr(signal, name)]


class Processes:
    """Up to ``count`` processes, each of which calls ``opens(*arguments)`` and asks what that returns.

    A context manager, at whose end they are gone. Processes start as they are needed. They are spawned: ``opens`` is a
    function of a module, and arguments, questions and answers can be pickled. What the terminal sends, such as Ctrl-C,
    reaches this process alone, which ends them.
    """

    def __init__(self, count: int, opens: Callable[..., Callable[[Any], Any]], *arguments: Any) -> None:
        self._count, self._opens, self._arguments = count, opens, arguments
        self._all = list[_Process]()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with interrupts.held():
            for process in self._all:
                process.end()

    def answers(self, questions: Iterable[Any], more_is_there: Callable[[], bool] = lambda: True) -> Iterator[Any]:
        """The answer to each question, in their order.

        Each process has one question at a time. ``more_is_there``: whether the next question comes without a wait;
        while it does not, answers are given first. Raises what the first question that fails has raised, and DataError
        if a process ends before it has answered. One iterator at a time, to its end.
        """
        asked, free = deque[_Process](), deque(self._all)
        for question in questions:
            done = []
            if not free and len(self._all) < self._count:
                free.append(self._start())
            elif not free:
                done.append(asked[0].answer())
                free.append(asked.popleft())
            free[0].ask(question)
            asked.append(free.popleft())
            yield from done
            while asked and not more_is_there():
                yield asked[0].answer()
                free.append(asked.popleft())
        for process in asked:
            yield process.answer()

    def _start(self) -> _Process:
        with interrupts.held(), _kept_from_children():
            self._all.append(_Process(self._opens, self._arguments, len(self._all) + 1))
        return self._all[-1]


class _Process:
    """One process, from the side of who asks it."""

    def __init__(self, opens: Callable[..., Any], arguments: tuple[Any, ...], number: int) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._ours, theirs = spawn.Pipe()
        self._number = number
        self._process = spawn.Process(target=_serve, args=(theirs, opens, arguments), daemon=True)
        self._process.start()
        theirs.close()  # so that the end of the process is the end of what comes through the pipe

    def ask(self, question: Any) -> None:
        try:
            self._ours.send(question)
        except OSError as error:
            raise self._ended() from error

    def answer(self) -> Any:
        try:
            found, failure = self._ours.recv()
        except (EOFError, OSError) as error:
            raise self._ended() from error
        if failure is not None:
            raise failure
        return found

    def end(self) -> None:
        self._ours.close()
        self._process.kill()
        self._process.join()

    def _ended(self) -> DataError:
        self._process.join()
        code = self._process.exitcode or 0
        how = f"by signal {-code}, as systems do when memory is short" if code < 0 else f"with status {code}"
        return DataError(f"worker {self._number} ended {how}, before it had answered; try workers = 1")


@contextmanager
def _kept_from_children() -> Iterator[None]:
    """Within, processes start that signals of the terminal do not reach; those that come meanwhile wait."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # multiprocessing starts its tracker with the first process that it spawns, and unblocks SIGINT for that process
    multiprocessing.resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _FROM_THE_TERMINAL)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(
    connection: Connection[Any, Any], opens: Callable[..., Callable[[Any], Any]], arguments: tuple[Any, ...]
) -> None:
    """What a process does: answer, until nobody can ask any more."""
    warnings.simplefilter("ignore")  # who asks has opened the same, and been warned
    if not hasattr(signal, "pthread_sigmask"):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    ask: Callable[[Any], Any] | None = None
    with suppress(EOFError, OSError):  # whoever asked is gone
        while True:
            question = connection.recv()
            answer, failure = None, None
            try:
                ask = opens(*arguments) if ask is None else ask
                answer = ask(question)
            except Exception as error:  # which is raised where the question came from
                failure = error
            connection.send((answer, failure))

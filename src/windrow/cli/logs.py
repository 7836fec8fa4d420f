"""What a command tells while it runs: a log of JSON lines, bars on stderr, and that kernels are being compiled.

Nothing ends because it cannot be told.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import select
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from windrow.errors import one_line, warn
from windrow.files.writing import write_failure

if TYPE_CHECKING:
    from windrow.bars import BarReport, OnProgress

_NONBLOCK = getattr(os, "O_NONBLOCK", 0)  # so that a training does not wait for the reader of a pipe
_PATIENCE = 1.0  # seconds that a reader has for the rest, at the end


@contextmanager
def json_log(path: Path, append: bool) -> Iterator[Callable[[BarReport], None]]:
    """Writes a line for each report, at once, so that the log can be watched.

    The file is opened for the first report, after the text was read. Where a line cannot be written, a warning says so
    once, and no more is written: training goes on.
    """
    log = _Log(path, append)
    try:
        yield lambda progress: log.write(f"{json.dumps(progress.to_json())}\n".encode())
    finally:
        log.close()


class _Log:
    """A file of lines. Those that a pipe does not take yet, as nobody reads it or not fast enough, wait in memory."""

    def __init__(self, path: Path, append: bool) -> None:
        self._path = path
        self._start = os.O_APPEND if append else os.O_TRUNC
        self._file: int | None = None
        self._waiting: list[bytes] = []
        self._has_failed = False

    def write(self, line: bytes) -> None:
        """Write a line, or give up."""
        if self._has_failed:
            return
        self._waiting.append(line)
        try:
            self._flush()
        except OSError as error:
            self._give_up(write_failure(error))

    def close(self) -> None:
        """End the file."""
        if self._file is not None and self._waiting and not self._has_failed:
            with suppress(OSError):
                select.select([], [self._file], [], _PATIENCE)
                self._flush()
        if self._waiting and not self._has_failed:
            self._give_up("it is a pipe that nobody reads")
        if self._file is not None:
            with suppress(OSError):
                os.close(self._file)

    def _give_up(self, reason: str) -> None:
        self._has_failed = True
        warn(f"training goes on without its log: cannot write {self._path}: {reason}")

    def _flush(self) -> None:
        """Write what can be written now."""
        if self._file is None:
            try:
                self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | self._start | _NONBLOCK, 0o666)
            except OSError as error:
                if error.errno == errno.ENXIO:  # a pipe without a reader
                    return
                raise
        while self._waiting:
            line, done = self._waiting[0], 0
            try:
                while done < len(line):
                    done += os.write(self._file, line[done:])
            except BlockingIOError:  # a pipe that is full
                self._waiting[0] = line[done:]
                return
            except OSError:
                _take_back(self._file, done)
                raise
            del self._waiting[0]


def _take_back(file: int, size: int) -> None:
    """Remove the beginning of a line from the end of a file."""
    with suppress(OSError):
        found = os.fstat(file)
        if size and stat.S_ISREG(found.st_mode):
            os.ftruncate(file, found.st_size - size)


# --- bars


class _Quiet:
    """Stderr, or where it was: what cannot be written to it is not."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self._stream = sys.stderr
        self.encoding = getattr(self._stream, "encoding", None) or "utf-8"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Quiet) and self._stream is other._stream

    __hash__ = object.__hash__

    def isatty(self) -> bool:
        with suppress(OSError, ValueError):
            return self._stream is not None and self._stream.isatty()
        return False

    def fileno(self) -> int:
        return self._stream.fileno()

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()


@contextmanager
def bytes_bar(label: str) -> Iterator[Callable[[int, int | None], None]]:
    """A bar on stderr, called with the bytes so far and in all; silent when stderr is no terminal."""
    from tqdm import tqdm

    from windrow.bars import follow_bytes

    with tqdm(desc=label, unit="B", unit_scale=True, leave=False, disable=None, file=_Quiet()) as bar:
        yield follow_bytes(bar)


@contextmanager
def words_bar(total_words: int | None = None, unit: str = "words") -> Iterator[Callable[[BarReport], None]]:
    """A bar on stderr with words a second, the loss and the time left; silent when stderr is no terminal.

    ``total_words``, where it is known before training; reports say it too.
    """
    from tqdm import tqdm

    from windrow.bars import follow_reports

    with tqdm(
        desc="training", total=total_words, unit=unit, unit_scale=True, leave=False, disable=None, file=_Quiet()
    ) as bar:
        yield follow_reports(bar)


@contextmanager
def stages_bar() -> Iterator[OnProgress]:
    """A bar on stderr, called with a stage and how much of it is done; silent when stderr is no terminal."""
    from tqdm import tqdm

    from windrow.bars import OF_STAGES, follow_stages

    with tqdm(**OF_STAGES, leave=False, disable=None, file=_Quiet()) as bar:
        yield follow_stages(bar)


# --- kernels that are being compiled


class _Told(logging.Handler):
    """Shows a record as a line at a terminal, above the bars that are there."""

    def emit(self, record: logging.LogRecord) -> None:
        stderr = _Quiet()
        if stderr.isatty():
            from tqdm import tqdm

            message = one_line(record.getMessage())
            tqdm.write(f"{message[:1].upper()}{message[1:]}", file=stderr)


@contextmanager
def telling_of_compiling() -> Iterator[None]:
    """While this is open, a command at a terminal says so when it waits for kernels to be compiled."""
    log, told = logging.getLogger("windrow.numeric.compiling"), _Told(logging.INFO)
    level = log.level
    log.addHandler(told)
    if not log.isEnabledFor(logging.INFO):
        log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.setLevel(level)
        log.removeHandler(told)

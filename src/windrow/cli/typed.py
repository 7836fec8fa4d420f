"""Standard input line by line, as somebody types it or a program writes it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from windrow.errors import DataError

_LINES_AT_A_TIME = 2048


def waits_for_answers(source: str = "-") -> bool:
    """Whether somebody types the source, or a program may write the next line only when it has read an answer."""
    return source == "-" and (sys.stdin.isatty() or not Path("/dev/stdin").is_file())


def numbered_batches(errors: str = "strict") -> Iterator[list[tuple[int, str]]]:
    """The lines of standard input with their numbers, many at a time, or one by one where answers are waited for."""
    numbered = enumerate(typed_lines(errors), 1)
    while batch := list(islice(numbered, 1 if waits_for_answers() else _LINES_AT_A_TIME)):
        yield batch


def typed_lines(errors: str) -> Iterator[str]:
    """The lines of standard input as they come."""
    for number, line in enumerate(sys.stdin.buffer, 1):
        try:
            yield line.removesuffix(b"\n").decode("utf-8-sig" if number == 1 else "utf-8", errors)
        except UnicodeDecodeError as error:
            raise DataError(
                f"standard input, line {number}: {error.reason}; it must be UTF-8: convert it, or try errors='replace'"
            ) from error

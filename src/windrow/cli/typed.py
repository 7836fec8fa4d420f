"""Standard input line by line, as somebody types it or a program writes it."""

from __future__ import annotations

import codecs
import io
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar, cast

from windrow.errors import DataError

_LINES_AT_A_TIME, _CHARS_AT_A_TIME = 2048, 1 << 22
_BYTES_AT_A_TIME = 1 << 20

Item = TypeVar("Item")


def waits_for_answers(source: str = "-") -> bool:
    """Whether somebody types the source, or a program may write the next line only when it has read an answer."""
    return source == "-" and (sys.stdin.isatty() or not Path("/dev/stdin").is_file())


def is_a_talk() -> bool:
    """Whether somebody types questions and reads the answers, both at a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def numbered_batches(prompt: str) -> Iterator[list[tuple[int, str]]]:
    """The lines of standard input with their numbers, in batches; in a talk, what is typed after ``prompt``."""
    found = _prompted_lines(prompt) if is_a_talk() else typed_lines("strict")
    return batches_of_lines(enumerate(found, 1), lambda numbered: len(numbered[1]), waits=waits_for_answers())


def _prompted_lines(prompt: str) -> Iterator[str]:
    """Lines that can be edited, with those of before at the arrow keys; Ctrl-D ends them."""
    with suppress(ImportError):  # on Windows the terminal itself does it
        import readline  # noqa: F401
    with suppress(EOFError):
        while True:
            yield input(prompt)
    print()


def batches_of_lines(
    items: Iterator[Item], size_of: Callable[[Item], int], *, waits: bool, most: int = _LINES_AT_A_TIME
) -> Iterator[list[Item]]:
    """Many at a time, but no more than memory easily holds; one by one where answers are waited for."""
    from windrow.corpus.streams import in_batches

    return in_batches(items, size_of, most=1 if waits else most, largest=_CHARS_AT_A_TIME)


def typed_lines(errors: str) -> Iterator[str]:
    """The lines of standard input as they come; DataError as from ``streams.lines``, and for what is not UTF-8."""
    from windrow.corpus.streams import lines

    return lines(_typed_pieces(errors), "standard input")


def typed_batches(errors: str) -> Iterator[list[str]]:
    """``typed_lines`` as many at a time as are there, so that whoever waits for an answer gets it at once."""
    from windrow.corpus.streams import lines

    waiting = 0  # lines that have been read, but not given

    def counted() -> Iterator[str]:
        nonlocal waiting
        for piece in _typed_pieces(errors):
            waiting += piece.count("\n")
            yield piece

    batch = list[str]()
    for line in lines(counted(), "standard input"):
        batch.append(line)
        waiting -= 1
        if not waiting:
            yield batch
            batch = []


def more_is_typed() -> bool:
    """Whether a part of standard input is there to be read; False where the system cannot tell."""
    try:
        return bool(select.select([sys.stdin.fileno()], [], [], 0)[0])
    except (OSError, ValueError):  # Windows knows it of sockets only
        return False


def _typed_pieces(errors: str) -> Iterator[str]:
    """What is there, as soon as anything is; with a newline at the end of all."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")(errors)
    source = cast(io.BufferedReader, sys.stdin.buffer)
    number, is_whole = 1, True
    try:
        while piece := source.read1(_BYTES_AT_A_TIME):
            yield decoder.decode(piece)
            is_whole = piece.endswith(b"\n")
            number += piece.count(b"\n")
        yield decoder.decode(b"", final=True) + "\n" * (not is_whole)
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        yield before.decode("utf-8")  # lines that can be answered
        number += before.count(b"\n")
        raise DataError(
            f"standard input, line {number}: {error.reason}; it must be UTF-8: convert it, or try errors='replace'"
        ) from error

"""Files that are named and do not exist: names that are nearly theirs, and arguments in another order."""

from __future__ import annotations

import difflib
import glob
import os
import shlex
from collections.abc import Iterable, Iterator
from contextlib import suppress
from errno import ENOENT
from itertools import islice
from pathlib import Path

import click

from windrow.errors import DataError
from windrow.files.writing import STDIO, shortened

_MOST_NAMES = 2_000  # of a folder, that are compared
_MOST_MEANT = 3
_SHORT = 2  # letters of a name
_ALIKE = 0.65  # of 1, from which two names are alike


def refuse_missing(ctx: click.Context, names: Iterable[str]) -> None:
    """Raise DataError for the first name of a file that is not there, if it can be said which one was meant.

    Whoever opens the file says the rest.
    """
    for name in names:
        if not _is_missing(name):
            continue
        told = f"cannot read {shortened(name)}: {os.strerror(ENOENT)}"
        if swapped := _in_order(name, ctx):
            raise DataError(f"{told}; the file comes first: {swapped}")
        with suppress(OSError):  # a folder without permission
            if meant := names_like(name):
                raise DataError(f"{told}; did you mean {' or '.join(meant)}?")


def is_file(name: str) -> bool:
    """Whether there is a file of a name, which may also be any text."""
    with suppress(OSError, ValueError):  # a text too long for a name, a NUL
        return Path(name).is_file()
    return False


def _is_missing(name: str) -> bool:
    from windrow.files.urls import is_url

    if name in ("", STDIO) or is_url(name) or glob.has_magic(name):
        return False
    with suppress(OSError, ValueError, RuntimeError):  # a name too long, a NUL, ~ of nobody
        return not Path(name).expanduser().exists()
    return False


def _in_order(name: str, ctx: click.Context) -> str:
    """The arguments of a command, a file and words, with the word that is a file in the place of the first."""
    arguments = [one for one in ctx.command.params if isinstance(one, click.Argument)]
    words = [word for one in arguments if one.nargs == -1 for word in ctx.params[one.name or ""]]
    files = [word for word in words if is_file(word)]
    takes_words = len(arguments) == 2 and arguments[1].type is click.STRING
    if not takes_words or ctx.params[arguments[0].name or ""] != name or len(files) != 1:
        return ""
    return with_arguments(ctx, [*files, name, *(word for word in words if word not in files)])


def with_arguments(ctx: click.Context, arguments: Iterable[str]) -> str:
    """How a command is typed with other arguments."""
    path = ctx.command_path.removeprefix(ctx.find_root().command_path)
    return f"windrow{path} {shlex.join(arguments)}"


def names_like(name: str) -> list[str]:
    """Paths that are there and nearly of this name: in another case, with another ending, a few letters away."""
    path = Path(name)
    if path.parent == path:  # the current folder is gone
        return []
    if not path.parent.is_dir():
        moved = [Path(near, path.name) for near in names_like(str(path.parent))]
        return [found for place in moved for found in ([str(place)] if place.exists() else names_like(str(place)))]
    stem = _stem(path.name)  # endings are long, and common to many
    least = _ALIKE if len(stem) > _SHORT else 1  # two letters of three are no likeness
    alike = [one for one in islice(_visible(path.parent), _MOST_NAMES) if _likeness(_stem(one), stem) >= least]
    alike.sort(key=lambda one: (-_likeness(one, path.name), one))
    return [str(path.parent / one) for one in alike[:_MOST_MEANT]]


def _stem(name: str) -> str:
    return name.partition(".")[0]


def _likeness(a: str, b: str) -> float:
    return difflib.SequenceMatcher(None, a.casefold(), b.casefold()).ratio()


def _visible(folder: Path) -> Iterator[str]:
    with suppress(OSError), os.scandir(folder) as entries:
        yield from (entry.name for entry in entries if not entry.name.startswith("."))

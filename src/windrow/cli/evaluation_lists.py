"""The lists that word vectors are measured on: the options that name them, and tables of scores."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from windrow.cli.messages import tell
from windrow.cli.numbers import WholeNumber
from windrow.cli.paths import InputFile
from windrow.errors import DataError, OptionError
from windrow.files.writing import STDIO

if TYPE_CHECKING:
    from windrow.evaluation.list_files import ListKind

F = TypeVar("F", bound=Callable[..., Any])

_KINDS: tuple[ListKind, ...] = ("analogies", "similarity", "categories", "outliers")
_HELP = {
    "analogies": "Questions in Google's format, or a folder of word pairs as BATS.",
    "similarity": "Word pairs with scores.",
    "categories": "Words and their categories: a file, or a folder with a file for each.",
    "outliers": "Topics, each with words and outliers: a file, or a folder.",
}


def _list_option(kind: ListKind) -> Callable[[F], F]:
    told = f"{_HELP[kind]} May be repeated."
    return click.option(f"--{kind}", multiple=True, metavar="LIST", type=InputFile(), help=told)


_LIST_OPTIONS = (
    click.argument("lists", metavar="[LIST]...", nargs=-1, type=InputFile()),
    *map(_list_option, _KINDS),
    click.option(
        "--restrict-vocab",
        default=300_000,
        type=WholeNumber(1),
        show_default=True,
        help="Only the first words (the most frequent) are known.",
    ),
    click.option("--case-sensitive", is_flag=True, help="Only the exact spelling of a word is known."),
    click.option(
        "--columns",
        metavar="WORD1,WORD2,SCORE",
        help="Columns of the files of word pairs: names from the header, or numbers from 1.  [default: by the header]",
    ),
)


class Lists(NamedTuple):
    """What was asked for: paths by the kind of list and their names, and how their words are looked up."""

    paths: dict[ListKind, dict[str, str]]
    options: dict[str, Any]

    def named(self) -> Iterator[tuple[ListKind, str, str]]:
        """Kind, name and path of each list."""
        for kind, paths in self.paths.items():
            for name, path in paths.items():
                yield kind, name, path


def list_options(command: F) -> F:
    """Add the lists and how their words are looked up; ``lists_of`` takes them."""
    for option in reversed(_LIST_OPTIONS):
        command = option(command)
    return command


def lists_of(options: dict[str, Any]) -> Lists:
    """The lists among the options of a command, which are taken out of ``options``; their content says their kind."""
    from windrow.evaluation import kind_of_list
    from windrow.files.urls import refuse_url

    found: dict[ListKind, list[str]] = {kind: list(options.pop(kind)) for kind in _KINDS}
    for path in options.pop("lists"):
        refuse_url(path)
        if path == STDIO:
            flags = ", ".join(f"--{kind}" for kind in _KINDS)
            raise OptionError(f"a LIST from standard input needs an option that says what it is: one of {flags}")
        found[kind_of_list(path)].append(path)
    looked_up = {name: options.pop(name) for name in ("restrict_vocab", "case_sensitive", "columns")}
    if looked_up["columns"] is not None and not found["similarity"]:
        raise OptionError("--columns is for files of word pairs; give --similarity FILE")
    return Lists({kind: _named(paths) for kind, paths in found.items()}, looked_up)


def _named(paths: Sequence[str]) -> dict[str, str]:
    """Files by their stem, or by their whole path if two have the same stem."""
    stems = [Path(path).stem for path in paths]
    return {path if stems.count(stem) > 1 else stem: path for path, stem in zip(paths, stems, strict=True)}


@contextmanager
def measuring(path: str) -> Iterator[None]:
    """Within, a list is read and measured: progress, and advice as the command line has it."""
    from windrow.files.urls import refuse_url

    refuse_url(path)
    tell(f"{path} ...")
    try:
        yield
    except DataError as error:
        raise DataError(re.sub("; use evaluate_(.*)$", r"; give it to --\1", str(error))) from error


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell: names to the left, numbers to the right."""
    name_width, *widths = (max(map(len, column)) for column in zip(*rows, strict=True))
    return "\n".join("  ".join([name.ljust(name_width), *map(str.rjust, cells, widths)]) for name, *cells in rows)


def bounds(interval: Sequence[float] | None, spelled: Callable[[float], str]) -> str:
    """An interval in a table."""
    return "-" if interval is None else f"[{', '.join(map(spelled, interval))}]"

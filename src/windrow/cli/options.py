"""What commands share: the options of text, opening SOURCE, checks of what was given, progress bars and logs."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click
from click.core import ParameterSource

from windrow.errors import DataError, OptionError, WindrowError, check_range

if TYPE_CHECKING:
    from windrow.corpus import Corpus

F = TypeVar("F", bound=Callable[..., Any])

_TEXT_OPTIONS = (
    click.option("--tokenizer", default="whitespace", show_default=True, metavar="NAME",
                 help="whitespace, word, char, or MODULE:CALLABLE."),
    click.option("--lowercase", is_flag=True, help="Lower-case the text first."),
    click.option("--format", default="text", show_default=True, type=click.Choice(["text", "jsonl", "csv", "parquet"])),
    click.option("--field", metavar="NAME", help="Where a JSONL, CSV or Parquet record has its text."),
    click.option("--errors", default="strict", show_default=True, type=click.Choice(["strict", "replace", "ignore"]),
                 help="What to do with bytes that are not UTF-8."),
)  # fmt: skip


def in_range(low: float, high: float = math.inf) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """A callback for a number with a range: what lies outside is bad input, status 1, not wrong usage."""

    def check(_: click.Context, parameter: click.Parameter, value: Any) -> Any:
        if value is not None:
            check_range(parameter.opts[-1], value, low, high)
        return value

    return check


def text_options(command: F) -> F:
    """Add the options that say how text becomes tokens."""
    for option in reversed(_TEXT_OPTIONS):
        command = option(command)
    return command


def open_corpus(source: str, **text: Any) -> Corpus:
    """The corpus at SOURCE: a folder made by ``corpus build``, or text, which is encoded into a temporary folder."""
    from windrow.corpus import Corpus
    from windrow.corpus.sources import is_corpus

    if source and is_corpus(source):
        given = click.get_current_context().get_parameter_source
        for name in text:
            if given(name) is ParameterSource.COMMANDLINE:
                raise OptionError(f"--{name} is for text; {source} is a corpus, its words are fixed: build another one")
        corpus = Corpus.open(source)
        corpus.verify()
        return corpus
    with bytes_bar("reading") as show:
        return Corpus.build(source, progress=show, **text)


@contextmanager
def bytes_bar(label: str) -> Iterator[Callable[[int, int | None], None]]:
    """A bar on stderr, called with the bytes so far and in all; silent when stderr is no terminal."""
    from tqdm import tqdm

    with tqdm(desc=label, unit="B", unit_scale=True, leave=False, disable=None, file=sys.stderr) as bar:

        def show(done: int, total: int | None) -> None:
            if done < bar.n:  # the next file
                bar.reset()
            bar.total = total
            bar.update(done - bar.n)

        yield show


class Progress(Protocol):
    """What a training reports."""

    @property
    def epoch(self) -> int: ...  # noqa: D102
    @property
    def examples(self) -> int: ...  # noqa: D102
    @property
    def total_examples(self) -> int: ...  # noqa: D102
    @property
    def loss(self) -> float: ...  # noqa: D102
    def to_json(self) -> dict[str, Any]: ...  # noqa: D102


class Checked(Protocol):
    """An estimator that checks its parameters."""

    def check_parameters(self) -> None: ...  # noqa: D102


def check_parameters(model: Checked, options: Mapping[str, str]) -> None:
    """Tell of a parameter out of range by the name of its option, see ``naming_options``."""
    with naming_options(options):
        model.check_parameters()


@contextmanager
def naming_options(options: Mapping[str, str]) -> Iterator[None]:
    """Within, errors name options instead of parameters."""
    try:
        yield
    except WindrowError as error:
        error.args = (_with_options(str(error), options),)
        raise


def _with_options(message: str, options: Mapping[str, str]) -> str:
    """For each ``parameter = value`` in a message the option: that in ``options``, or its own name with dashes."""

    def option(found: re.Match[str]) -> str:
        name, is_flag = found.groups()
        return options.get(name, f"--{name.replace('_', '-')}") + ("" if is_flag else " = ")

    return re.sub(r"(?<![\w-])([a-z]\w*) = (True\b(?!, not))?", option, message)


def check_checkpoint(checkpoint: Path, resume: bool) -> None:
    """Refuse to write over an unfinished training that is not resumed; tell when there is none to resume."""
    if checkpoint.exists() and not resume:
        raise DataError(f"{checkpoint} holds an unfinished training; add --resume to go on, or delete it to start anew")
    if resume and not checkpoint.exists():
        click.echo(f"Warning: {checkpoint} is not there; training starts from the beginning", err=True)


def check_distinct(places: Iterable[Path]) -> None:
    """Refuse to write one file over another that the command reads or writes."""
    seen: set[Path] = set()
    for place in places:
        if (resolved := place.absolute().resolve()) in seen:
            raise OptionError(f"{place} is named twice, for what is read and written; choose another name")
        seen.add(resolved)


@contextmanager
def json_log(path: Path, append: bool) -> Iterator[Callable[[Progress], None]]:
    """Writes a line for each report, at once, so that the log can be watched."""
    try:
        log = path.open("a" if append else "w", encoding="utf-8", buffering=1)
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror}") from error
    with log:

        def write(progress: Progress) -> None:
            log.write(json.dumps(progress.to_json()) + "\n")

        yield write


@contextmanager
def words_bar(total_words: int | None = None, unit: str = "words") -> Iterator[Callable[[Progress], None]]:
    """A bar on stderr with words a second, the loss and the time left; silent when stderr is no terminal.

    ``total_words``, where it is known before training; reports say it too.
    """
    from tqdm import tqdm

    with tqdm(
        desc="training", total=total_words, unit=unit, unit_scale=True, leave=False, disable=None, file=sys.stderr
    ) as bar:

        def show(progress: Progress) -> None:
            bar.total = progress.total_examples
            bar.set_postfix(epoch=progress.epoch, loss=f"{progress.loss:.3f}", refresh=False)
            bar.update(progress.examples - bar.n)

        yield show

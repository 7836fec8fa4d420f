"""Files among the arguments of commands: each is declared as read or as written, and one check compares them.

A path is a parameter of one of these types, so that the check that every command runs before its body knows them all.
What is written is no folder, is not what is read, by whatever name, and is not written twice.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from errno import ENOENT
from pathlib import Path
from typing import Any, NamedTuple

import click

from windrow import interrupts
from windrow.cli.messages import tell
from windrow.errors import DataError, OptionError
from windrow.files.writing import STDIO, check_writable, names_folder, refuse_standard_output, shortened

_WITH_WORDS = (".txt", ".vec", ".bin", ".glove", ".tsv", ".parquet", ".gz", ".bz2", ".xz", ".zst")

# The files that a command reads or writes together with one that was named: from its path and the command's parameters.
Companions = Callable[[Path, Mapping[str, Any]], Iterable[Path]]


class FilePath(click.Path):
    """A parameter that names a file or folder; never an empty name."""

    is_read = is_written = False

    def __init__(self, *companions: Companions) -> None:
        super().__init__()
        self.companions = companions

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The name as it was given."""
        if isinstance(param, click.Option) and not os.fspath(value):
            raise OptionError(f"{param.opts[-1]} is an empty name; name a file, or leave the option out")
        return value

    def places(self, name: str | Path, params: Mapping[str, Any]) -> list[Path]:
        """The file of this name and those that go with it."""
        return [Path(name), *(place for find in self.companions for place in find(Path(name), params))]


class InputFile(FilePath):
    """One file that is read, or ``-``; the command gets a str."""

    is_read = True


class Source(FilePath):
    """Text that is read: a file, folder, glob, URL or ``-``; the command gets a str."""

    is_read = True


class Lines(Source):
    """Text whose lines or records are answered one by one; a warning for a file without any, which gives no answer."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The name as it was given."""
        with suppress(OSError, ValueError):
            if Path(value).is_file() and not Path(value).stat().st_size:
                tell(f"Warning: {shortened(value)} is empty: there is no line to answer")
        return super().convert(value, param, ctx)


class OutputFile(FilePath):
    """A file that is written, whole or not at all; the command gets a Path. ``stdout``: it may be ``-``."""

    is_written = True

    def __init__(self, *companions: Companions, stdout: bool = False) -> None:
        super().__init__(*companions)
        self.stdout = stdout

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The name as a Path."""
        if not os.fspath(value) and param is not None:
            raise OptionError(f"{_told(param)} is an empty name; name a file")
        if not self.may_be_folder(value) and names_folder(value):  # which a Path would not show
            raise OptionError(f"cannot write {value}: it is a folder; name a file in it")
        return Path(value)

    def may_be_folder(self, value: str) -> bool:
        """Whether a name that only a folder can have is taken."""
        return False

    def check(self, place: Path) -> None:
        """Raise DataError for what is no file that could be written."""
        check_writable(place)

    def is_folder(self, _: Path) -> bool:
        """Whether what is written under a name is a folder."""
        return False


class OutputLog(OutputFile):
    """A file that is written line by line; it may be a pipe or a device."""

    def check(self, place: Path) -> None:
        """Raise DataError for what could not be opened for writing."""
        check_writable(place, is_stream=True)


class OutputVectors(OutputFile):
    """A file of word vectors, or a folder of static embeddings."""

    def may_be_folder(self, value: str) -> bool:
        """Whether a name that only a folder can have is taken."""
        from windrow.files.static_folder import static_files

        return Path(value).suffix.lower() == ".model2vec" or static_files(value) is not None

    def check(self, place: Path) -> None:
        """Raise DataError for what could not be written; whoever writes to a folder looks at what is in it."""
        if not (place.is_dir() and self.may_be_folder(str(place))):
            super().check(place)


class OutputFolder(OutputFile):
    """A folder that is written; the command gets a Path. What writes it refuses a folder that is somebody else's.

    ``replaced``: what was in the folder is gone afterwards.
    """

    def __init__(self, *, replaced: bool = False) -> None:
        super().__init__()
        self.replaced = replaced

    def check(self, place: Path) -> None:
        """Raise DataError for a name that is none of a folder."""
        refuse_standard_output(place)

    def is_folder(self, _: Path) -> bool:
        """Whether what is written under a name is a folder."""
        return True


class OutputFileOrFolder(OutputFolder):
    """A file or ``-`` where ``is_file`` says so of the name, else a folder, which is replaced."""

    def __init__(self, is_file: Callable[[Path], bool]) -> None:
        super().__init__(replaced=True)
        self.stdout = True
        self._is_file = is_file

    def check(self, place: Path) -> None:
        """Raise DataError for what could not be written."""
        check = super().check if self.is_folder(place) else check_writable
        check(place)

    def is_folder(self, place: Path) -> bool:
        """Whether what is written under a name is a folder."""
        return not self._is_file(place)


class _Named(NamedTuple):
    """One path among the arguments of a command."""

    type: FilePath
    name: str | Path


def check_paths(ctx: click.Context) -> None:
    """Refuse, before a command runs, to write what cannot be written, what it reads, or one file twice."""
    named = list(_named(ctx))
    written = [
        (one.type, place)
        for one in named
        if isinstance(one.type, OutputFile)
        for place in one.type.places(one.name, ctx.params)
    ]
    for kind, place in written:
        if not (str(place) == STDIO and kind.stdout):
            kind.check(place)
    _check_distinct(place for _, place in written if str(place) != STDIO)
    if written:
        interrupts.expect(written[0][1])
    for kind, place in written:
        if any(_is_read(one, place, kind, ctx.params) for one in named if one.type.is_read):
            told = "standard output" if str(place) == STDIO else place
            raise OptionError(f"{told} is read and written; choose another name for the output")
    for one in named:
        if isinstance(one.type, Source):
            _refuse_text(str(one.name), ctx)
    if reads := [str(one.name) for one in named if one.type.is_read]:
        from windrow.cli.missing_files import refuse_missing

        refuse_missing(ctx, reads)


def _refuse_text(name: str, ctx: click.Context) -> None:
    """Refuse text in the place of a file's name, and show how text itself is given."""
    from windrow.files.urls import is_url

    if len(name.split()) < 2 or is_url(name):
        return
    with suppress(OSError, ValueError, RuntimeError):  # a name too long, a NUL, ~ of nobody
        path = Path(name).expanduser()
        if path.exists() or any(True for _ in glob.iglob(str(path), recursive=True)):  # noqa: PTH207
            return
    told = os.strerror(ENOENT)
    raise DataError(f"cannot read {shortened(name)}: {told}; {giving_text(ctx)}")


def giving_text(ctx: click.Context) -> str:
    """How text itself is given to a command, whose other arguments are those that were typed."""
    words = [
        STDIO if isinstance(one.type, Source) else shortened(str(ctx.params[one.name or ""]))
        for one in ctx.command.params
        if isinstance(one, click.Argument)
    ]
    typed = " ".join(["windrow" + ctx.command_path.removeprefix(ctx.find_root().command_path), *words])
    return f"to give text itself: echo ... | {typed}"


def what_is_left(command: click.Command | None) -> str:
    """What an interrupted command has written, where it does not say so itself."""
    kinds = [parameter.type for parameter in command.params] if command else []
    if any(isinstance(kind, OutputFolder) and not kind.replaced for kind in kinds):
        return "not all files were written"
    written = any(isinstance(kind, OutputFile) for kind in kinds)
    return "nothing was written" if written or command is None else "what was printed is not all"


def _named(ctx: click.Context) -> Iterator[_Named]:
    """All paths that were given."""
    for parameter in ctx.command.params:
        value = ctx.params.get(parameter.name or "")
        if isinstance(parameter.type, FilePath) and value is not None:
            many = parameter.multiple or parameter.nargs != 1
            yield from (_Named(parameter.type, name) for name in (value if many else [value]))


def _check_distinct(places: Iterable[Path]) -> None:
    seen: list[Path] = []
    for place in places:
        if any(_same(place, other) for other in seen):
            raise OptionError(f"{place} is named twice for what is written; choose another name")
        seen.append(place)


def _same(a: Path, b: Path) -> bool:
    """Whether two names are, or would become, one file."""
    with suppress(OSError):  # links in a circle
        if a.exists() and b.exists():
            return a.samefile(b)
    return os.path.realpath(a) == os.path.realpath(b)


def _is_read(read: _Named, place: Path, kind: OutputFile, params: Mapping[str, Any]) -> bool:
    from windrow.corpus.sources import takes_in

    inputs = [read.name, *read.type.places(read.name, params)[1:]]
    if place.is_dir() and any(_same(Path(one), place) for one in inputs):
        return True
    if isinstance(kind, OutputFolder) and kind.is_folder(place):
        return kind.replaced and any(_lies_in(Path(one), place) for one in inputs)
    if str(place) == STDIO:
        place = Path("/dev/stdout")
        if not place.is_file():  # nothing that a later reading could meet
            return False
    text = {name: params.get(name) for name in ("format", "field")} if isinstance(read.type, Source) else {}
    return any(takes_in(one, place, **text) for one in inputs)


def _lies_in(file: Path, folder: Path) -> bool:
    with suppress(OSError, ValueError, RuntimeError):  # a name too long, a NUL, links in a circle: found out elsewhere
        return file.exists() and folder.exists() and file.resolve().is_relative_to(folder.resolve())
    return False


def _told(parameter: click.Parameter) -> str:
    return parameter.opts[-1] if isinstance(parameter, click.Option) else parameter.human_readable_name


# --- companions


def checkpoint_of(output: Path) -> Path:
    """The name of the checkpoint beside an output."""
    return output.with_name(f"{output.name}.checkpoint")


def checkpoint_beside(output: Path, params: Mapping[str, Any]) -> Iterable[Path]:
    """The checkpoint of a training, unless it is elsewhere or not wanted."""
    is_off = params.get("checkpoint_every") == 0 and not params.get("resume")
    if output.name and str(output) != STDIO and params.get("checkpoint") is None and not is_off:
        yield checkpoint_of(output)


def words_written(output: Path, params: Mapping[str, Any]) -> Iterable[Path]:
    """The list of words beside a NumPy matrix, or numbers for TensorBoard's projector, that is written."""
    format = params.get("to_format") or output.suffix.lower().removeprefix(".")
    if format == "npy":
        yield from _words_beside(output)
    elif format == "projector" and str(output) != STDIO:
        from windrow.embeddings.formats.projector import metadata_beside

        yield metadata_beside(output)


def words_read(file: Path, _: Mapping[str, Any]) -> Iterable[Path]:
    """The list of words beside a file that may be a matrix without words, or arrays beside gensim's; by any name."""
    if file.suffix.lower() not in _WITH_WORDS:
        from windrow.embeddings.formats.gensim import arrays_beside

        yield from _words_beside(file)
        yield from arrays_beside(file)


def _words_beside(file: Path) -> Iterable[Path]:
    from windrow.embeddings.formats.npy import words_beside

    if file.name and str(file) != STDIO:
        yield words_beside(file)

"""Pipes, standard input and compressed files as ordinary files, for readers that go back and forth in them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, cast

from windrow.errors import DataError, WindrowError, check_path
from windrow.files.compression import compression_of, path_name, reading
from windrow.files.tempfolder import temporary_folder
from windrow.files.urls import refuse_url
from windrow.files.writing import STDIO, write_failure

_COPY_BYTES = 1 << 20
_COPIED: dict[Path, str] = {}  # temporary copies -> the names of what they are copies of


def as_path(path: object) -> Path:
    """The path of a file of a model or vectors; OptionError for what names no file, DataError for what is none."""
    check_path("path", path)
    named = cast("str | os.PathLike[str]", path)
    refuse_url(named)
    name = os.fspath(named)
    if not name or "\0" in name:
        raise DataError(f"{name!r} names no file")
    file = Path(name)
    with suppress(RuntimeError):  # ~name, where no user has that name
        return file if file.exists() else file.expanduser()
    return file


def is_seekable(path: Path) -> bool:
    """Whether a file can be read from anywhere and more than once, unlike standard input, a pipe or a device."""
    return str(path) != STDIO and (path.is_file() or path.is_dir() or not path.exists())


@contextmanager
def local_file(path: Path, *, unpack: bool = False) -> Iterator[Path]:
    """``path`` itself if it can be read from anywhere, else a temporary copy of its bytes, decompressed.

    ``unpack``: a compressed file becomes such a copy, too. Errors raised within name ``path``. The copy is gone
    afterwards; where it is mapped into memory it lives on as long as the map, except on Windows.
    """
    if is_seekable(path) and not (unpack and _is_compressed(path)):
        yield path
        return
    name = path_name(path)
    with temporary_folder() as folder:
        copy = folder / "file"
        with reading(path) as stream:
            _write_copy(stream, copy, name)
        _COPIED[copy] = name
        try:
            yield copy
        except WindrowError as error:
            error.args = (str(error).replace(str(copy), name),)
            raise
        finally:
            del _COPIED[copy]


def given_name(path: Path) -> str:
    """The name under which the user gave a file, for warnings: that of the original, if it is a copy."""
    return _COPIED.get(path, path_name(path))


def is_copy_of_a_pipe(path: Path) -> bool:
    """Whether a file is the temporary copy of what came through a pipe, within ``local_file``: nothing is beside it."""
    return path in _COPIED


def _write_copy(stream: IO[bytes], copy: Path, name: str) -> None:
    with copy.open("wb") as target:
        while chunk := stream.read(_COPY_BYTES):
            try:
                target.write(chunk)
            except OSError as error:
                where = f"in the temporary folder {copy.parent.parent}"
                raise DataError(f"cannot keep {name} {where}: {write_failure(error)}; set TMPDIR") from error


def _is_compressed(path: Path) -> bool:
    try:
        with path.open("rb") as raw:
            return bool(compression_of(raw.read(16)))
    except OSError:
        return False  # the reader will say what is wrong

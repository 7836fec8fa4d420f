"""Binary files that are compressed with gzip if their name ends in ``.gz``."""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from windrow.errors import DataError, FormatError
from windrow.files.model_file import atomic_write

STDOUT = "-"
LARGEST_RATIO = 1032  # DEFLATE compresses nothing further (zlib's technical notes)


def is_packed(path: Path) -> bool:
    """Whether the name says that the file is compressed."""
    return path.suffix.lower() == ".gz"


@contextmanager
def reading(path: Path) -> Iterator[IO[bytes]]:
    """A file for reading, decompressed if need be; errors become FormatError and DataError."""
    try:
        with _unpacked(path) as stream:
            yield stream
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise FormatError(f"{path} is not a valid gzip file ({error}); was it cut short?") from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error


@contextmanager
def creating(path: Path, level: int = 9) -> Iterator[IO[bytes]]:
    """A file for writing, compressed if its name ends in ``.gz``; it appears only when all went well.

    ``-`` is standard output. ``level``: how hard to compress, 1 to 9; 6 takes half the time of 9.
    """
    if str(path) == STDOUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with atomic_write(path) as temporary, temporary.open("wb") as stream:
        if not is_packed(path):
            yield stream
            return
        # No name and time in the file, so that the same content gives the same bytes.
        with gzip.GzipFile(fileobj=stream, mode="wb", filename="", compresslevel=level, mtime=0) as packed:
            yield cast(IO[bytes], packed)


def _unpacked(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path)) if is_packed(path) else path.open("rb")

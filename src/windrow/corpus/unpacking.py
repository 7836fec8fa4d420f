"""What a download holds, unpacked to a stated size: an archive that would fill the disk is left at once."""

from __future__ import annotations

import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from windrow.corpus.download import CHUNK
from windrow.files.web import LARGEST

# Text becomes 3 to 10 times as long; what grows more is a bomb, unless its size is stated.
_MOST_GROWTH = 100
_GROWTH_ALLOWED = 1 << 20  # bytes, for tiny files
_LONGEST_DIRECTORY = 16 << 20  # bytes that a zip archive may use to list its members; in memory it is ten times that
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)  # LZMA may ask for 4 GB


class BadArchiveError(Exception):
    """An archive that is damaged, or without what it should hold; the message is a reason."""


class WrongSizeError(Exception):
    """A file in an archive with more bytes than it may have, or fewer; the message says so of the file."""


def unpack(source: Path, packing: str, target: IO[bytes], size: int | None) -> None:
    """Write what ``source`` holds to ``target``.

    ``packing``: "" as it is, "gzip", or the name of a member of a zip archive; ``size``: its bytes, where they are
    known. BadArchiveError for what cannot be unpacked, WrongSizeError for what has another size.
    """
    limit = _Limit(source, size)
    with _reading(), _opened(source, packing, limit) as packed:
        done = 0
        while chunk := packed.read(CHUNK):
            done += len(chunk)
            limit.check(done)
            target.write(chunk)
    if size is not None and done != size:
        raise WrongSizeError(f"has {done:,} bytes, where the registry says {size:,}")


class _Limit:
    """How long a file may become: as is stated, else in proportion to what was downloaded."""

    def __init__(self, source: Path, size: int | None) -> None:
        self._stated = size is not None
        self._bytes = min(LARGEST, _MOST_GROWTH * source.stat().st_size + _GROWTH_ALLOWED) if size is None else size

    def check(self, length: int) -> None:
        if length > self._bytes:
            advice = "" if self._stated else " that are allowed; if it should, state its bytes in the registry"
            raise WrongSizeError(f"has more than {self._bytes:,} bytes{advice or ', which the registry says'}")


@contextmanager
def _reading() -> Iterator[None]:
    """Within, every error of a damaged archive is a BadArchiveError; those of our own disk are not."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, KeyError, RuntimeError, ValueError) as error:
        raise BadArchiveError(" ".join(str(error).split()) or type(error).__name__) from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise BadArchiveError(str(error)) from error  # gzip and bz2


@contextmanager
def _opened(source: Path, packing: str, limit: _Limit) -> Iterator[IO[bytes]]:
    if not packing:
        with source.open("rb") as raw:
            yield raw
    elif packing == "gzip":
        with gzip.open(source) as unpacked:
            yield cast(IO[bytes], unpacked)
    else:
        with (
            _ShortDirectory(io.FileIO(source)) as raw,
            zipfile.ZipFile(raw) as archive,
            _member(archive, packing, limit) as stream,
        ):
            yield stream


class _ShortDirectory(io.BufferedReader):
    """A zip archive of which no long piece is read at once: only its list of members would be."""

    def read(self, size: int | None = -1) -> bytes:
        """Read, but not much."""
        if size is not None and size > _LONGEST_DIRECTORY:
            raise BadArchiveError(f"its list of members has {size:,} bytes, where {_LONGEST_DIRECTORY:,} are allowed")
        return super().read(size)


def _member(archive: zipfile.ZipFile, name: str, limit: _Limit) -> IO[bytes]:
    found = [member for member in archive.infolist() if member.filename == name]
    if len(found) > 1:
        raise BadArchiveError(f"it holds {name} {len(found)} times")
    if not found:
        raise BadArchiveError(f"there is no {name} in it")
    if found[0].compress_type not in _METHODS:
        raise BadArchiveError(f"{name} is compressed by method {found[0].compress_type}, which is not read")
    limit.check(found[0].file_size)  # as the archive says; what comes is counted, too
    return archive.open(found[0])

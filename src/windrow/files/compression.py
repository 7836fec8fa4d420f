"""Compressed files: read whatever their names say, written with gzip where the name ends in ``.gz``."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import re
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from windrow.errors import DataError, FormatError, WindrowError, needs_package
from windrow.files.urls import refuse_url
from windrow.files.writing import STDIO, atomic_write

LARGEST_RATIO = 1032  # DEFLATE compresses nothing further (zlib's technical notes)
_MAGIC = {
    ".gz": re.compile(rb"\x1f\x8b"),
    ".bz2": re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)"),
    ".xz": re.compile(rb"\xfd7zXZ\x00"),
    ".zst": re.compile(rb"\x28\xb5\x2f\xfd"),
}
COMPRESSED = frozenset(_MAGIC)
_MAGIC_BYTES = 10


def is_packed(path: Path) -> bool:
    """Whether the name says that the file is compressed with gzip."""
    return path.suffix.lower() == ".gz"


def compression_of(start: bytes) -> str:
    """The suffix of the compression that a file's first bytes show; empty for none."""
    return next((suffix for suffix, magic in _MAGIC.items() if magic.match(start)), "")


def decompressed(raw: IO[bytes], suffix: str = "") -> IO[bytes]:
    """A stream of what ``raw`` holds: its first bytes say how it is compressed, and ``suffix`` where they say nothing.

    A file without a byte whose name promises a compressed one raises EOFError.
    """
    start = _peeked(raw)
    suffix = suffix.lower() if suffix.lower() in _MAGIC else ""
    if suffix and not start and isinstance(raw, io.BufferedReader):
        raise EOFError("the file has no bytes")
    found = compression_of(start) or ("" if _looks_like_text(start) else suffix)
    if found == ".gz":
        return cast(IO[bytes], gzip.open(raw))
    if found == ".bz2":
        return bz2.open(raw)
    if found == ".xz":
        return lzma.open(raw)
    if found == ".zst":
        return cast(IO[bytes], _zstd().open(raw))
    return raw


def _peeked(raw: IO[bytes]) -> bytes:
    """The first bytes of a stream, which it still has to give; none where it cannot give them twice."""
    if isinstance(raw, io.BufferedReader):
        return raw.peek(_MAGIC_BYTES)[:_MAGIC_BYTES]
    if not raw.seekable():
        return b""
    place = raw.tell()
    start = raw.read(_MAGIC_BYTES)
    raw.seek(place)
    return start


def _looks_like_text(start: bytes) -> bool:
    """Whether bytes can be those of a text: a browser may have unpacked a file and kept its name."""
    return len(start) == _MAGIC_BYTES and all(0x20 <= byte < 0x7F or byte in b"\t\n\r" for byte in start)


def _zstd() -> Any:
    """The module for zstd: part of Python from 3.14 on, before that its backport."""
    with needs_package("reading .zst needs backports.zstd", "zst"):
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
    return zstd


@contextmanager
def reading(path: Path) -> Iterator[IO[bytes]]:
    """A file, pipe or standard input (``-``), decompressed if need be; errors become FormatError and DataError."""
    refuse_url(path)
    try:
        with _opened(path) as raw:
            yield decompressed(raw)
    except WindrowError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise DataError(f"cannot read {path_name(path)}: {error.strerror or error}") from error
        if is_damage(error):
            raise _broken(path, error) from error
        raise


def is_damage(error: Exception) -> bool:
    """Whether a decompressor says with this error that its data are broken; some raise an OSError without errno."""
    known = isinstance(error, (OSError, EOFError, zlib.error, lzma.LZMAError))
    return known or type(error).__name__ == "ZstdError"  # whose module need not be there


def _broken(path: Path, error: Exception) -> FormatError:
    return FormatError(
        f"{path_name(path)} is not a valid compressed file ({' '.join(str(error).split())}); was it cut short?"
    )


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    if str(path) == STDIO:
        yield sys.stdin.buffer  # and leave it open
        return
    with path.open("rb") as raw:
        yield raw


def path_name(path: Path) -> str:
    """The name of a file that is read, for messages."""
    return "standard input" if str(path) == STDIO else str(path)


def output_name(path: str | os.PathLike[str]) -> str:
    """The name of a file that is written, for messages."""
    return "standard output" if os.fspath(path) == STDIO else os.fspath(path)


@contextmanager
def creating(path: Path, level: int = 9) -> Iterator[IO[bytes]]:
    """A file for writing, compressed if its name ends in ``.gz``; it appears only when all went well.

    ``-`` is standard output. ``level``: how hard to compress, 1 to 9; 6 takes half the time of 9.
    """
    if str(path) == STDIO:
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

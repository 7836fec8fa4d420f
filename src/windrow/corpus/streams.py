"""The text of one file: opened, decompressed and decoded in chunks; every failure becomes a DataError."""

from __future__ import annotations

import codecs
import io
import lzma
import re
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import urlsplit

from windrow.errors import DataError, OptionError, WindrowError

CHUNK_BYTES = 1 << 22
STDIN = "-"
ReadProgress = Callable[[int, int | None], object]  # bytes read so far, bytes in all if known

_ZSTD_FEED = 1 << 12  # compressed bytes at a time: a block of zeros becomes 30,000 times as large
_MAGIC = {
    ".gz": re.compile(rb"\x1f\x8b"),
    ".bz2": re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)"),
    ".xz": re.compile(rb"\xfd7zXZ\x00"),
    ".zst": re.compile(rb"\x28\xb5\x2f\xfd"),
}
COMPRESSED = frozenset(_MAGIC)


def is_remote(file: str) -> bool:
    """Whether ``file`` is a URL."""
    return "://" in file


def name_of(file: str) -> str:
    """The name of a file in messages."""
    return "standard input" if file == STDIN else file


class Meter:
    """Reports how many bytes have been read, over all files."""

    def __init__(self, progress: ReadProgress | None, total: int | None) -> None:
        self._progress = progress
        self._total = total
        self._before = 0
        self._here = 0

    def next_file(self) -> None:
        """The next file starts: add the bytes of the last one to those of earlier files."""
        self._before, self._here = self._before + self._here, 0

    def at(self, position: int) -> None:
        """Report the byte reached in the current file."""
        self._here = position
        if self._progress is not None:
            self._progress(self._before + position, self._total)


def _byte_chunks(file: str, meter: Meter) -> Iterator[bytes]:
    """The decompressed bytes of a file; every failure to read it becomes a DataError."""
    read_bytes = 0
    try:
        with opened(file) as raw:
            stream = decompressed(raw, file)
            while chunk := stream.read(CHUNK_BYTES):
                read_bytes += len(chunk)
                meter.at(raw.tell() if raw.seekable() else read_bytes)
                yield chunk
    except WindrowError:
        raise
    except Exception as error:
        if (reason := _read_failure(error, is_remote(file))) is None:
            raise
        raise DataError(f"{name_of(file)}: {reason}") from error


def _read_failure(error: Exception, remote: bool) -> str | None:
    """The reason to give to the user for an error in reading, or None if it is not about the file."""
    if isinstance(error, OSError) and error.errno is not None:
        return f"it cannot be read ({error.strerror})"
    # Decompressors raise an OSError without errno; each remote protocol has errors of its own.
    if remote or isinstance(error, (OSError, EOFError, zlib.error, lzma.LZMAError)):
        return f"the data are broken or cut short ({' '.join(str(error).split())})"
    return None


@contextmanager
def opened(file: str) -> Iterator[IO[bytes]]:
    """The bytes of a file, URL or standard input, as stored, compressed or not."""
    if file == STDIN:
        yield sys.stdin.buffer  # and leave it open
        return
    with _open_remote(file) if is_remote(file) else Path(file).open("rb") as raw:
        yield raw


def _open_remote(url: str) -> IO[bytes]:
    import smart_open

    try:
        stream: IO[bytes] = smart_open.open(url, "rb", compression="disable")
    except Exception as error:  # each protocol has errors of its own
        raise DataError(f"cannot open {url}: {' '.join(str(error).split())}") from error
    return stream


def decompressed(raw: IO[bytes], file: str) -> IO[bytes]:
    """Decompress as the suffix says, else as the first bytes say; EOFError for a compressed file without bytes."""
    start = raw.peek(10)[:10] if isinstance(raw, io.BufferedReader) else None
    suffix = Path(urlsplit(file).path if is_remote(file) else file).suffix.lower()
    if suffix not in _MAGIC:
        suffix = next((suffix for suffix, magic in _MAGIC.items() if magic.match(start or b"")), "")
    elif start == b"":
        raise EOFError("the file has no bytes")
    if suffix == ".gz":
        import gzip

        return cast(IO[bytes], gzip.open(raw))
    if suffix == ".bz2":
        import bz2

        return bz2.open(raw)
    if suffix == ".xz":
        return lzma.open(raw)
    if suffix == ".zst":
        return io.BufferedReader(_ZstdReader(raw))
    return raw


class _ZstdReader(io.RawIOBase):
    """Zstandard frames as a stream; unlike the library's own reader it notices a frame that is cut short."""

    def __init__(self, raw: IO[bytes]) -> None:
        try:
            import zstandard
        except ImportError as error:
            raise OptionError("reading .zst needs zstandard: pip install 'windrow[zst]'") from error
        self._library = zstandard
        self._raw = raw
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._between_frames = False
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            fed = self._frame.unused_data or self._raw.read(_ZSTD_FEED)
            if not fed:
                if not self._between_frames:
                    raise EOFError("the zstd frame ends early")
                return 0
            self._ready = memoryview(self._feed(fed))
        size = min(len(buffer), len(self._ready))
        buffer[:size], self._ready = self._ready[:size], self._ready[size:]
        return size

    def _feed(self, fed: bytes) -> bytes:
        if self._frame.eof:
            self._frame = self._library.ZstdDecompressor().decompressobj()
        try:
            data = self._frame.decompress(fed)
        except self._library.ZstdError as error:
            raise EOFError(str(error)) from error
        self._between_frames = self._frame.eof
        return data


def text_pieces(file: str, errors: str | None, meter: Meter) -> Iterator[str]:
    """The text of a file in pieces, without byte order mark, with a newline at its end.

    ``errors`` as of ``Corpus.build``; None is "strict" where the user has no such option, so that no message names it.
    """
    pieces = (piece for piece in _decoded(file, errors, meter) if piece)
    piece = next(pieces, "").removeprefix("\ufeff")
    last = piece
    if piece:
        yield piece
    for piece in pieces:
        last = piece
        yield piece
    if last and not last.endswith("\n"):
        yield "\n"


def _decoded(file: str, errors: str | None, meter: Meter) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")(errors or "strict")
    offset = 0  # of the chunk in the decompressed file
    try:
        for chunk in _byte_chunks(file, meter):
            if (nul := chunk.find(0)) >= 0:
                raise DataError(f"{name_of(file)}: NUL byte at offset {offset + nul}: is the file binary or UTF-16?")
            held = len(decoder.getstate()[0])
            yield decoder.decode(chunk)
            offset += len(chunk)
        held = len(decoder.getstate()[0])
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{name_of(file)}: byte 0x{error.object[error.start]:02x} "
            f"at offset {offset - held + error.start} is not UTF-8; convert the file"
            + (", or try errors = 'replace'" if errors else "")
        ) from error


def lines(pieces: Iterable[str]) -> Iterator[str]:
    """The lines, without newlines, of a text that ends with a newline."""
    held: list[str] = []
    for piece in pieces:
        first, *others = piece.split("\n")
        held.append(first)
        if others:
            yield "".join(held)
            yield from others[:-1]
            held = [others[-1]]

"""The text of one file: opened, decompressed and decoded in chunks; every failure becomes a DataError."""

from __future__ import annotations

import codecs
import io
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, NamedTuple, TypeVar, cast

from windrow.errors import DataError, WindrowError
from windrow.files.compression import decompressed, is_damage
from windrow.files.sniff import START_BYTES, refuse_bare_returns, refuse_no_text, refuse_vectors
from windrow.files.tempfolder import temporary_place
from windrow.files.urls import TooLargeError, WebError, is_in_cloud, is_url, path_of, refuse_scheme, without_secrets
from windrow.files.writing import STDIO

CHUNK_BYTES = 1 << 22
# Characters of a line that is read whole, as those are that a model answers one by one, and records: 128 Mi.
LONGEST_LINE = 1 << 27
FOLD = "break it at its spaces, for example with fold -s -w 100000"  # the way out
_BLOCK_BYTES = 1 << 18  # of lines that are given together, or of one that is longer
_CONTINUING = bytes(range(0x80, 0xC0))  # the bytes of UTF-8 after the first of a character
_BUFFER_BYTES = 1 << 16  # of what comes from a web server
STDIN = STDIO
Item = TypeVar("Item")
Piece = TypeVar("Piece", str, bytes)
ReadProgress = Callable[[int, int | None], object]  # bytes read so far, bytes in all if known


def suffix_of(file: str) -> str:
    """What the name of a file or URL ends in, such as ".gz"."""
    return Path(path_of(file) if is_url(file) else file).suffix


def name_of(file: str) -> str:
    """The name of a file in messages, or a URL without its password."""
    if file == STDIN:
        return "standard input"
    return without_secrets(file) if is_url(file) else file


class ByteRange(NamedTuple):
    """A part of a plain text: from one place between words or lines to another, or to the end."""

    start: int = 0
    stop: int = sys.maxsize


WHOLE = ByteRange()


def byte_ranges(file: str, size: int, whole_lines: bool) -> Iterator[ByteRange]:
    """A file in ranges of about ``size`` bytes; the whole where it is shorter, compressed or no local file.

    They end at ends of lines. Without ``whole_lines`` a line that is much longer is cut after a space.
    """
    start = 0
    with read_errors(file):
        if not is_url(file) and Path(file).is_file() and Path(file).stat().st_size > size:
            with opened(file) as raw:
                is_plain = decompressed(raw, suffix_of(file)) is raw
                while is_plain and (stop := _next_cut(raw, start + size, whole_lines)):
                    yield ByteRange(start, stop)
                    start = stop
    yield ByteRange(start)


def _next_cut(raw: IO[bytes], position: int, whole_lines: bool) -> int:
    """Where a range can end that should end at ``position``; 0 where it goes on to the end of the file."""
    raw.seek(position - 1)
    while (line := raw.readline(CHUNK_BYTES)) and not line.endswith(b"\n"):
        if not whole_lines and (space := line.find(b" ")) >= 0:
            raw.seek(space + 1 - len(line), os.SEEK_CUR)
            break
    stop = raw.tell()
    return stop if raw.read(1) else 0


class Meter:
    """Reports how many bytes have been read, over all files."""

    def __init__(self, progress: ReadProgress | None, total: int | None) -> None:
        self._progress = progress
        self._total = total
        self._before = 0
        self._here = 0

    def next_file(self) -> None:
        """The next file starts: add the bytes of the last one to those of earlier files."""
        self._before, self._here = self.read_bytes, 0

    @property
    def read_bytes(self) -> int:
        """Of all files so far."""
        return self._before + self._here

    def at(self, position: int) -> None:
        """Report the byte reached in the current file, or in the part of it that is read."""
        self._here = position
        if self._progress is not None:
            self._progress(self.read_bytes, self._total)


def _byte_chunks(file: str, meter: Meter, expected: str, part: ByteRange) -> Iterator[bytes]:
    """The decompressed bytes of a text; every failure to read it, and a file that is none, becomes a DataError."""
    read_bytes = part.start
    with read_errors(file), opened(file) as raw:
        if part.start:
            raw.seek(part.start)
        stream = raw if part.start else decompressed(raw, suffix_of(file))
        chunk = stream.read(min(START_BYTES, CHUNK_BYTES, part.stop - read_bytes))
        if not part.start:
            _refuse(chunk, name_of(file), expected)
        while chunk:
            read_bytes += len(chunk)
            meter.at((raw.tell() if raw.seekable() else read_bytes) - part.start)
            yield chunk
            chunk = stream.read(min(CHUNK_BYTES, part.stop - read_bytes))


def _refuse(start: bytes, name: str, expected: str) -> None:
    """Raise DataError for a file that by its first bytes is no text, nor of the kind that is expected."""
    refuse_no_text(start, name, expected)
    if not expected:
        refuse_vectors(start, name)
    refuse_bare_returns(start, name, fields=1 if expected else 2)


@contextmanager
def read_errors(file: str) -> Iterator[None]:
    """Within, every failure to read ``file`` is a DataError that names it."""
    try:
        yield
    except WindrowError:
        raise
    except Exception as error:
        if (told := _read_failure(error, file)) is None:
            raise
        raise DataError(told) from error


def _read_failure(error: Exception, file: str) -> str | None:
    """What the user reads for an error in reading, or None if it is not about the file."""
    name = name_of(file)
    if isinstance(error, TooLargeError):
        return f"{name}: {error}; download the file first"
    if is_in_cloud(file) and (isinstance(error, OSError) or not is_damage(error)):
        from windrow.corpus.cloud import failure

        return f"cannot read {name}: {failure(error, file)}"
    if isinstance(error, OSError) and error.errno is not None:
        return f"cannot read {name}: {error.strerror}"
    if is_url(file) or is_damage(error):
        return f"{name}: the data are broken or cut short ({' '.join(str(error).split())})"
    return None


@contextmanager
def opened(file: str) -> Iterator[IO[bytes]]:
    """The bytes of a file, URL or standard input, as stored, compressed or not."""
    if file == STDIN:
        yield sys.stdin.buffer  # and leave it open
        return
    with _open_url(file) if is_url(file) else Path(file).open("rb") as raw:
        yield raw


@contextmanager
def opened_to_seek(file: str) -> Iterator[IO[bytes]]:
    """As ``opened``, for formats that seek: what is compressed, or comes through pipes or HTTP, is copied to disk."""
    with opened(file) as raw:
        stream = decompressed(raw, suffix_of(file))
        if stream is raw and raw.seekable():
            yield raw
            return
        with TemporaryFile(dir=temporary_place()) as copy:
            shutil.copyfileobj(stream, copy)
            copy.seek(0)
            yield copy


def _open_url(url: str) -> IO[bytes]:
    refuse_scheme(url)
    if is_in_cloud(url):
        from windrow.corpus.cloud import open_in_cloud

        return open_in_cloud(url)
    return _open_web(url)


def _open_web(url: str) -> IO[bytes]:
    """The bytes of a file on a web server as they come; the user chose the server, and http will do."""
    from windrow.files.web import LARGEST, open_url

    try:
        body = open_url(url, plain_http=True)
        stream = cast(IO[bytes], io.BufferedReader(body, _BUFFER_BYTES))
        with _closed_on_error(stream):
            body.allow(LARGEST)
            if body.encoding not in ("", "gzip", "x-gzip"):  # gzip is recognized by the bytes themselves
                raise WebError(f"the server sends it compressed (Content-Encoding: {body.encoding}); download it first")
    except WebError as error:
        raise DataError(f"cannot open {without_secrets(url)}: {error}") from error
    return stream


@contextmanager
def _closed_on_error(stream: IO[bytes]) -> Iterator[None]:
    try:
        yield
    except WebError:
        stream.close()
        raise


def text_pieces(
    file: str, errors: str | None, meter: Meter, expected: str = "", part: ByteRange = WHOLE
) -> Iterator[str]:
    """The text of a file in pieces, without byte order mark, with a newline at its end; or of a part of the file.

    ``errors`` as of ``Corpus.build``; None is "strict" where the user has no such option, so that no message names it.
    DataError for a file that is something else than text by its content, see ``sniff.recognize``; of the kind
    ``expected`` it may be.
    """
    pieces = _decoded(file, errors, meter, expected, part, codecs.utf_8_decode)
    return _from_start_to_end(pieces, "\ufeff", "\n", part)


def utf8_pieces(file: str, errors: str | None, meter: Meter, part: ByteRange = WHOLE) -> Iterator[bytes]:
    """As ``text_pieces``, in UTF-8: a text without faults is only looked at. No character is cut."""
    return _from_start_to_end(_decoded(file, errors, meter, "", part, _checked_utf8), codecs.BOM_UTF8, b"\n", part)


def _from_start_to_end(found: Iterable[Piece], mark: Piece, newline: Piece, part: ByteRange) -> Iterator[Piece]:
    """The pieces that are not empty, the first without a byte order mark; a newline ends the last one of the file."""
    pieces = filter(None, found)
    last = next(pieces, newline[:0])
    if not part.start:
        last = last.removeprefix(mark)
    yield from filter(None, [last])
    for last in pieces:
        yield last
    if last and not last.endswith(newline) and part.stop == WHOLE.stop:
        yield newline


def _decoded(
    file: str,
    errors: str | None,
    meter: Meter,
    expected: str,
    part: ByteRange,
    decode: Callable[[bytes, str, bool], tuple[Piece, int]],
) -> Iterator[Piece]:
    """``decode``: as ``codecs.utf_8_decode``, from bytes to text, and how many bytes are whole characters."""
    offset, held = part.start, b""  # of the chunk in the decompressed file; bytes of a character before it
    try:
        for chunk in _byte_chunks(file, meter, expected, part):
            if (nul := chunk.find(0)) >= 0:
                raise DataError(f"{name_of(file)}: NUL byte at offset {offset + nul}: is the file binary or UTF-16?")
            data = held + chunk if held else chunk
            text, whole = decode(data, errors or "strict", False)
            yield text
            offset, held = offset + len(chunk), data[whole:]
        yield decode(held, errors or "strict", True)[0]
    except UnicodeDecodeError as error:
        raise DataError(
            f"{name_of(file)}: byte 0x{error.object[error.start]:02x} "
            f"at offset {offset - len(held) + error.start} is not UTF-8; convert the file"
            + (", or try errors='replace'" if errors else "")
        ) from error


def _checked_utf8(data: bytes, errors: str, final: bool) -> tuple[bytes, int]:
    if data.isascii():
        return data, len(data)
    text, whole = codecs.utf_8_decode(data, errors, final)
    return (data[:whole] if errors == "strict" else text.encode()), whole


def lines(pieces: Iterable[str], name: str, way_out: str = FOLD) -> Iterator[str]:
    """The lines, without newlines, of a text that ends with a newline.

    DataError, with the name of the text, the line's number and the way out, for a line of more than LONGEST_LINE
    characters, which is not read whole.
    """
    held: list[str] = []
    number, size = 1, 0
    for piece in pieces:
        first, *others = piece.split("\n")
        held.append(first)
        size += len(first)
        if size > LONGEST_LINE:
            raise too_long(f"{name}, line {number}: the line", way_out)
        if others:
            yield _taken(held)
            yield from others[:-1]
            held.append(others[-1])
            size = len(others[-1])
            number += len(others)


def line_blocks(pieces: Iterable[bytes], name: str, way_out: str = FOLD) -> Iterator[tuple[int, bytes]]:
    """As ``lines``, whole lines of UTF-8 as they stand there, many at a time, and the number of the first of them."""
    held: list[bytes] = []
    number, size = 1, 0
    for whole in pieces:
        for start in range(0, len(whole), _BLOCK_BYTES):
            piece = whole[start : start + _BLOCK_BYTES]
            cut = piece.rfind(b"\n") + 1
            size += characters_in(piece[: piece.find(b"\n")] if cut else piece)
            if size > LONGEST_LINE:
                raise too_long(f"{name}, line {number}: the line", way_out)
            if not cut:
                held.append(piece)
                continue
            yield number, b"".join([*held, piece[:cut]])
            number += piece.count(b"\n")
            held = [piece[cut:]]
            size = characters_in(held[0])


def characters_in(text: str | bytes) -> int:
    """How many characters a text has, which may be UTF-8 that is cut anywhere."""
    return len(text) if isinstance(text, str) else len(text.translate(None, _CONTINUING))


def in_batches(
    items: Iterable[Item], size_of: Callable[[Item], int], *, most: int, largest: int
) -> Iterator[list[Item]]:
    """``most`` items at a time, fewer where their sizes sum to more than ``largest``."""
    batch: list[Item] = []
    size = 0
    for item in items:
        batch.append(item)
        size += size_of(item)
        if len(batch) == most or size > largest:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _taken(held: list[str]) -> str:
    """The pieces of a line as one, which nothing but the caller holds then."""
    line = "".join(held)
    held.clear()
    return line


def too_long(what: str, way_out: str) -> DataError:
    """The error for a line, a word or a field of more than LONGEST_LINE characters."""
    return DataError(f"{what} has more than {LONGEST_LINE:,} characters; {way_out}")

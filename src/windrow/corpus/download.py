"""One file from one of several web servers, in a way that can be interrupted and resumed.

A file is downloaded as NAME.part. NAME.part.source beside it holds the URL, without what is secret in it, and the
validator (ETag or Last-Modified) of the bytes, so that a later run resumes the same version of the same file (RFC 9110,
section 13.1.5: If-Range) or starts from the beginning. It starts over once at most: a server whose ranges are wrong is
asked for the whole file. Without a validator only a checksum can tell that two halves belong together.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from windrow.errors import DataError
from windrow.files.urls import CutError, NotEncryptedError, TooLargeError, WebError, without_secrets
from windrow.files.writing import write_failure

if TYPE_CHECKING:
    from windrow.files.web import Body

DownloadProgress = Callable[[str, int, int | None], object]  # name of the file, bytes so far, bytes in all if known
CHUNK = 1 << 16
_LONGEST_VALIDATOR = 1000  # characters


def download(
    urls: list[str],
    part: Path,
    progress: DownloadProgress | None = None,
    *,
    allow_http: bool = False,
    limit: int | None = None,
    verifiable: bool = True,
) -> None:
    """Fill ``part`` from the first URL that has the file.

    ``limit``: how many bytes it may have, where that is known; ``verifiable``: whether a checksum will be compared, so
    that also bytes of an unknown version may be resumed. Raises DataError if no URL gives it, if it has more
    (nothing stays), or if the connection is cut (``part`` stays, to be resumed).
    """
    refusals: list[str] = []
    hint = "is there a network?"
    for url in urls:
        try:
            _Download(url, part, progress, allow_http, limit, verifiable).run()
            return
        except TooLargeError as error:
            discard(part)
            advice = "" if limit is not None else "; if that is right, state its bytes in the registry"
            raise DataError(f"{without_secrets(url)} is too large: {error}; it was removed{advice}") from error
        except KeyboardInterrupt as error:
            if not _keep(part, verifiable):
                raise
            raise KeyboardInterrupt(f"{part} holds {part.stat().st_size:,} bytes; run again to resume") from error
        except WebError as error:
            refusals.append(f"{without_secrets(url)}: {error}")
            if error.status:
                hint = "the publisher may have moved it"
            elif isinstance(error, NotEncryptedError):
                hint = "to take it all the same, use allow_http = True"
    raise DataError(f"cannot download {'; '.join(refusals)}; {hint}{_keep(part, verifiable)}")


def _keep(part: Path, verifiable: bool) -> str:
    """What to say of the bytes that stay; those that no later run would resume are removed."""
    if part.is_file() and not (verifiable or _source_lines(part)[1]):
        discard(part)
    return f"; {part} is kept, run again to resume" if part.exists() else ""


def discard(part: Path) -> None:
    """Remove what was downloaded."""
    with file_errors(part):
        part.unlink(missing_ok=True)
        _source_of(part).unlink(missing_ok=True)


@contextmanager
def file_errors(path: Path) -> Iterator[None]:
    """Within, errors of the disk are DataErrors."""
    try:
        yield
    except OSError as error:
        raise DataError(f"cannot write {path}: {write_failure(error)}") from error


class _Download:
    """The download of a file from one server."""

    def __init__(
        self,
        url: str,
        part: Path,
        progress: DownloadProgress | None,
        allow_http: bool,
        limit: int | None,
        verifiable: bool,
    ) -> None:
        self._url = url
        self._part = part
        self._progress = progress
        self._allow_http = allow_http
        self._limit = limit
        self._verifiable = verifiable

    def run(self) -> None:
        start, validator = _resume_point(self._url, self._part)
        if start and (validator or self._verifiable) and self._resume(start, validator):
            return
        discard(self._part)
        with self._ask({}) as body:
            if body.status != HTTPStatus.OK:
                raise WebError(f"the server sends a part (HTTP {body.status}) where all was asked for")
            self._receive(body, 0)

    def _resume(self, start: int, validator: str) -> bool:
        """Get what is missing, or all if there is another version; False if the server gives something else."""
        headers = {"Range": f"bytes={start}-", **({"If-Range": validator} if validator else {})}
        try:
            with self._ask(headers) as body:
                if body.status == HTTPStatus.OK:
                    discard(self._part)
                    self._receive(body, 0)
                    return True
                if _first_byte(body) != start or _validator(body.headers) != validator:
                    return False
                self._receive(body, start)
                return True
        except WebError as error:
            if error.status != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise
            return error.content_range == f"bytes */{start}"  # then the file is complete

    def _ask(self, headers: Mapping[str, str]) -> Body:
        from windrow.files.web import open_url

        body = open_url(self._url, headers, plain_http=self._allow_http)
        compressed = body.encoding and not self._part.name.removesuffix(".part").endswith((".gz", ".tgz"))
        if compressed:  # with .gz it is said of the file itself
            body.close()
            raise WebError(
                f"the server sends it compressed (Content-Encoding: {body.encoding}), which was not asked for"
            )
        return body

    def _receive(self, body: Body, start: int) -> None:
        """Append the body to the part; DataError if it is cut."""
        from windrow.files.web import LARGEST

        body.allow((LARGEST if self._limit is None else self._limit) - start)
        total = None if body.total is None else start + body.total
        try:
            with file_errors(self._part):
                if not start:
                    _note_source(self._part, self._url, _validator(body.headers))
                self._append(body, start, total)
        except CutError as error:
            kept = _keep(self._part, self._verifiable) or "; run again, from the beginning"
            of_total = f" of {total:,}" if total is not None else ""
            raise DataError(
                f"the connection to {without_secrets(self._url)} was cut after {start + body.done:,}{of_total} bytes "
                f"({error}){kept}"
            ) from error

    def _append(self, body: Body, start: int, total: int | None) -> None:
        name = self._part.name.removesuffix(".part")
        with self._part.open("ab" if start else "wb") as stream:
            while chunk := body.read(CHUNK):
                stream.write(chunk)
                if self._progress:
                    self._progress(name, start + body.done, total)


def _note_source(part: Path, url: str, validator: str) -> None:
    source = _source_of(part)
    source.touch(mode=0o600)
    source.write_text(f"{_identity(url)}\n{validator}\n", encoding="utf-8")


def _identity(url: str) -> str:
    """The URL without user and password, and with its query, which may be a key, as a checksum."""
    query = url.partition("?")[2]
    return without_secrets(url) + (hashlib.sha256(query.encode()).hexdigest() if query else "")


def _source_lines(part: Path) -> tuple[str, str]:
    """The identity of the URL and the validator, as they were noted; both empty if they were not."""
    try:
        known_url, _, rest = _source_of(part).read_text(encoding="utf-8", errors="replace").partition("\n")
    except OSError:
        return "", ""
    return known_url, rest.strip()


def _resume_point(url: str, part: Path) -> tuple[int, str]:
    """How many bytes of ``url`` are in ``part`` already, and the validator of their version."""
    known_url, validator = _source_lines(part)
    return (part.stat().st_size, validator) if part.is_file() and known_url == _identity(url) else (0, "")


def _first_byte(body: Body) -> int | None:
    found = re.match(r"bytes (\d{1,20})-", body.headers.get("Content-Range", ""))
    return int(found[1]) if found else None


def _validator(headers: Mapping[str, str]) -> str:
    """What identifies this version of the file; weak tags must not be used for ranges (RFC 9110, section 13.1.5)."""
    tag = headers.get("ETag", "")
    found = tag if tag and not tag.startswith("W/") else headers.get("Last-Modified", "")
    usable = found.isascii() and found.isprintable() and len(found) <= _LONGEST_VALIDATOR  # it is sent back
    return found if usable else ""


def _source_of(part: Path) -> Path:
    return part.with_name(f"{part.name}.source")

"""Public corpora by name, and their download, which is verified and can be resumed.

A file is downloaded as NAME.part and gets its name only after its checksum is found to be right. NAME.part.source
beside it holds the URL and the validator (ETag or Last-Modified) of the bytes, so that a later run resumes the same
version of the same file (RFC 9110, section 13.1.5: If-Range) or starts from the beginning.
"""

from __future__ import annotations

import difflib
import gzip
import hashlib
import http.client
import os
import re
import shutil
import tomllib
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple

from windrow.corpus.registry_rows import check_rows
from windrow.errors import DataError
from windrow.files.writing import atomic_write, refuse_standard_output

DownloadProgress = Callable[[str, int, int | None], None]  # name of the file, bytes so far, bytes in all if known
_CHUNK = 1 << 16
_TIMEOUT = 30.0  # seconds without a byte


@dataclass(frozen=True)
class RemoteFile:
    """One file to download."""

    path: str  # below the URL of a mirror
    unpack: str | list[str] = ""  # "gzip", or the members of a zip archive to keep
    sha256: dict[str, str] = field(default_factory=dict)  # name of a kept file -> checksum

    @property
    def kept_names(self) -> list[str]:
        """The names of the files that are kept."""
        name = PurePosixPath(self.path).name
        if not self.unpack:
            return [name]
        if self.unpack == "gzip":
            return [name.removesuffix(".gz")]
        return [PurePosixPath(member).name for member in self.unpack]


@dataclass(frozen=True)
class RegisteredCorpus:
    """An entry of the registry."""

    name: str
    description: str
    license: str
    size: str
    mirrors: list[str]
    files: list[RemoteFile]

    @property
    def verifiable(self) -> bool:
        """Whether every kept file has a known checksum."""
        return all(name in file.sha256 for file in self.files for name in file.kept_names)


class _BadDownloadError(DataError):
    """A complete download with the wrong bytes, to be removed."""


class FetchedFile(NamedTuple):
    """A file that was downloaded, or was there already."""

    path: Path
    sha256: str
    verified: bool  # False when the registry has no checksum for it


_FIELDS_OF_CORPUS = ("description", "license", "size", "mirrors", "file")


def list_corpora(registry: str | os.PathLike[str] | None = None) -> list[RegisteredCorpus]:
    """All corpora of a registry file (default: windrow's own). DataError for a file that cannot be used."""
    path = Path(__file__).with_name("registry.toml") if registry is None else Path(registry)
    try:
        rows: dict[str, dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))
        for row in rows.values():
            if isinstance(row, dict) and "licence" in row:  # the British spelling, in registries of users
                row["license"] = row.pop("licence")
        check_rows(rows, _FIELDS_OF_CORPUS, [part.name for part in fields(RemoteFile)])
        return [
            RegisteredCorpus(name=name, files=[RemoteFile(**file) for file in row.pop("file")], **row)
            for name, row in rows.items()
        ]
    except OSError as error:
        raise DataError(f"cannot read the registry {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is not a valid registry of corpora: {error}") from error


def fetch(
    name: str,
    directory: str | os.PathLike[str],
    progress: DownloadProgress | None = None,
    registry: str | os.PathLike[str] | None = None,
) -> list[FetchedFile]:
    """Download a corpus into ``directory``, but not the files that are already there with the right checksum.

    ``progress(name, done, total)`` is called as bytes arrive. Raises DataError if there is no such corpus, if no mirror
    has it, if the connection is cut (the .part file stays: run again to resume), or if a checksum or archive is wrong
    (nothing stays).
    """
    corpora = {corpus.name: corpus for corpus in list_corpora(registry)}
    if name not in corpora:
        near = difflib.get_close_matches(name, corpora, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(corpora)}"
        raise DataError(f"the registry has no corpus {name!r}; {hint}")
    folder = Path(directory)
    refuse_standard_output(folder)
    with _file_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return [
        fetched
        for file in corpora[name].files
        for fetched in _fetch_file(file, corpora[name].mirrors, folder, progress)
    ]


def _fetch_file(
    file: RemoteFile, mirrors: list[str], folder: Path, progress: DownloadProgress | None
) -> Iterator[FetchedFile]:
    present = [_check_present(folder / name, file.sha256.get(name)) for name in file.kept_names]
    if not all(present):
        part = folder / f"{PurePosixPath(file.path).name}.part"
        _download([mirror + file.path for mirror in mirrors], part, progress)
        try:
            present = list(_keep(file, part, folder))
        except _BadDownloadError:
            _discard(part)
            raise
        _discard(part)
    yield from (fetched for fetched in present if fetched)


def _check_present(path: Path, expected: str | None) -> FetchedFile | None:
    if not path.is_file():
        return None
    actual = _sha256(path)
    return FetchedFile(path, actual, expected is not None) if expected in (None, actual) else None


def _keep(file: RemoteFile, part: Path, folder: Path) -> Iterator[FetchedFile]:
    """Unpack a complete download and verify each file before it gets its name."""
    for index, name in enumerate(file.kept_names):
        target = folder / name
        with atomic_write(target) as temporary:
            try:
                with _open_packed(file, index, part) as packed, temporary.open("wb") as stream:
                    shutil.copyfileobj(packed, stream, _CHUNK)
            except (
                zipfile.BadZipFile,
                gzip.BadGzipFile,
                zlib.error,
                EOFError,
                KeyError,
                RuntimeError,
            ) as error:
                raise _BadDownloadError(
                    f"{file.path} is not a valid archive that contains {name} ({error}); it was removed, try again"
                ) from error
            actual, expected = _sha256(temporary), file.sha256.get(name)
            if expected is not None and actual != expected:
                raise _BadDownloadError(
                    f"{name} has the SHA-256 {actual}, but the registry says {expected}; "
                    "it was removed: it was changed, by its publisher or by somebody else"
                )
        yield FetchedFile(target, actual, expected is not None)


@contextmanager
def _open_packed(file: RemoteFile, index: int, part: Path) -> Iterator[IO[bytes]]:
    if not file.unpack:
        with part.open("rb") as stream:
            yield stream
    elif file.unpack == "gzip":
        with gzip.open(part) as stream:
            yield stream  # type: ignore[misc]
    else:
        with zipfile.ZipFile(part) as archive, archive.open(file.unpack[index]) as stream:
            yield stream


def _download(urls: list[str], part: Path, progress: DownloadProgress | None) -> None:
    """Fill ``part`` from the first mirror that has the file."""
    refusals: list[str] = []
    hint = "is there a network?"
    for url in urls:
        try:
            _download_from(url, part, progress)
            return
        except urllib.error.HTTPError as error:
            error.close()
            refusals.append(f"{url}: HTTP {error.code} {error.reason}")
            hint = "the publisher may have moved it"
        except (OSError, http.client.HTTPException, ValueError) as error:
            refusals.append(f"{url}: {getattr(error, 'reason', error) or type(error).__name__}")
    kept = f"; {part} is kept, run again to resume" if part.exists() else ""
    raise DataError(f"cannot download {'; '.join(refusals)}; {hint}{kept}")


def _download_from(url: str, part: Path, progress: DownloadProgress | None) -> None:
    start, validator = _resume_point(url, part)
    request = urllib.request.Request(url, headers={"User-Agent": "windrow"})
    if start:
        request.add_header("Range", f"bytes={start}-")
        if validator:
            request.add_header("If-Range", validator)
    else:
        _discard(part)
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT)
    except urllib.error.HTTPError as error:
        if not start or error.code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        error.close()
        if error.headers.get("Content-Range") != f"bytes */{start}":  # if equal, the file is complete
            _start_over(url, part, progress)
        return
    with response:
        resumed = response.status == HTTPStatus.PARTIAL_CONTENT
        if resumed and not (_first_byte(response) == start and _validator(response) == validator):
            _start_over(url, part, progress)
            return
        if not resumed:
            start = 0
            _discard(part)
        with _file_errors(part):
            _source_of(part).write_text(f"{url}\n{_validator(response)}\n", encoding="utf-8")
        _receive(response, part, start, progress)


def _start_over(url: str, part: Path, progress: DownloadProgress | None) -> None:
    _discard(part)
    _download_from(url, part, progress)


def _resume_point(url: str, part: Path) -> tuple[int, str]:
    """How many bytes of ``url`` are in ``part`` already, and the validator of their version."""
    if not part.is_file() or not _source_of(part).is_file():
        return 0, ""
    known_url, _, rest = _source_of(part).read_text(encoding="utf-8").partition("\n")
    return (part.stat().st_size, rest.strip()) if known_url == url else (0, "")


def _first_byte(response: Any) -> int | None:
    found = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(found[1]) if found else None


def _validator(response: Any) -> str:
    """What identifies this version of the file; weak tags must not be used for ranges (RFC 9110, section 13.1.5)."""
    tag = str(response.headers.get("ETag", ""))
    return tag if tag and not tag.startswith("W/") else str(response.headers.get("Last-Modified", ""))


def _receive(response: Any, part: Path, start: int, progress: DownloadProgress | None) -> None:
    """Append the body to ``part``; DataError if it ends before its Content-Length."""
    length = response.headers.get("Content-Length")
    total = start + int(length) if length else None
    done, fault = start, ""
    with _file_errors(part), part.open("ab" if start else "wb") as stream:
        try:
            while chunk := _read_chunk(response):
                stream.write(chunk)
                done += len(chunk)
                if progress:
                    progress(part.name.removesuffix(".part"), done, total)
        except _CutError as error:
            fault = str(error)
        except KeyboardInterrupt as error:
            raise KeyboardInterrupt(f"{part} holds {done:,} bytes; run again to resume") from error
    if fault or (total is not None and done < total):
        of_total = f" of {total:,}" if total is not None else ""
        because = f" ({fault})" if fault else ""
        raise DataError(
            f"the connection to {response.url} was cut after {done:,}{of_total} bytes{because}; "
            f"{part} is kept, run again to resume"
        )


class _CutError(Exception):
    """The network failed while a body was read; not to be confused with a failure of our own disk."""


def _read_chunk(response: Any) -> bytes:
    try:
        data: bytes = response.read(_CHUNK)
    except (OSError, http.client.HTTPException) as error:
        raise _CutError(str(error) or type(error).__name__) from error
    return data


def _source_of(part: Path) -> Path:
    return part.with_name(f"{part.name}.source")


def _discard(part: Path) -> None:
    part.unlink(missing_ok=True)
    _source_of(part).unlink(missing_ok=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def _file_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}") from error

"""Public corpora by name, and their download, which is verified and can be resumed.

A file gets its name only after its size and checksum are found to be right. A file of which the registry knows no
checksum is downloaded only on request.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from windrow.bars import check_progress, downloads_bar
from windrow.corpus.download import DownloadProgress, discard, download, file_errors
from windrow.corpus.kept_checksums import note, noted
from windrow.corpus.registry_rows import check_rows
from windrow.corpus.unpacking import BadArchiveError, WrongSizeError, unpack
from windrow.errors import DataError
from windrow.files.local import as_path
from windrow.files.locking import alone_in
from windrow.files.writing import atomic_write, refuse_standard_output


@dataclass(frozen=True)
class RemoteFile:
    """One file to download."""

    path: str  # below the URL of a mirror
    unpack: str | list[str] = ""  # "gzip", or the members of a zip archive to keep
    sha256: dict[str, str] = field(default_factory=dict)  # name of a kept file, or of the archive -> checksum
    bytes: dict[str, int] = field(default_factory=dict)  # such a name -> how long the file is

    @property
    def name(self) -> str:
        """What is downloaded, which may be an archive of what is kept."""
        return PurePosixPath(self.path).name

    @property
    def kept_names(self) -> list[str]:
        """The names of the files that are kept."""
        if not self.unpack:
            return [self.name]
        if self.unpack == "gzip":
            return [self.name.removesuffix(".gz")]
        return [PurePosixPath(member).name for member in self.unpack]

    @property
    def unverifiable(self) -> list[str]:
        """The kept files of which no checksum is known, nor one of the archive that they come from."""
        return [] if self.name in self.sha256 else [name for name in self.kept_names if name not in self.sha256]


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
        """Whether every kept file, or the archive that it comes from, has a known checksum."""
        return not any(file.unverifiable for file in self.files)


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
    path = Path(__file__).with_name("registry.toml") if registry is None else as_path(registry)
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
    progress: DownloadProgress | bool | None = None,
    registry: str | os.PathLike[str] | None = None,
    *,
    unverified: bool = False,
    allow_http: bool = False,
) -> list[FetchedFile]:
    """Download a corpus into a folder, but not the files that are already there with the right checksum.

    Parameters
    ----------
    name : str
        The corpus, as the registry calls it.
    directory : str or path-like
        The folder, which is made if it does not exist.
    progress : bool or callable, default None
        True: show a bar, in a notebook or on stderr. A function is called with the name of a file, its bytes so far,
        and its bytes in all or None, as bytes arrive.
    registry : str, path-like or None, default None
        Another registry, a TOML file; None: windrow's own.
    unverified : bool, default False
        Also take files of which the registry knows no checksum.
    allow_http : bool, default False
        Also ask mirrors that are not encrypted (http). Those on this machine are asked anyway.

    Returns
    -------
    list of FetchedFile
        The path of each file, its SHA-256, and whether the registry has confirmed it.

    Raises
    ------
    OptionError
        ``progress`` is something else.
    DataError
        There is no such corpus; no mirror has it; the connection is cut (the .part file stays: run again to resume); a
        checksum, size or archive is wrong (nothing stays); or there is no checksum and ``unverified`` is False.

    Examples
    --------
    >>> from windrow.corpus.registry import fetch
    >>> files = fetch("simlex-999", "simlex")  # doctest: +SKIP
    """
    check_progress(progress)
    corpora = {corpus.name: corpus for corpus in list_corpora(registry)}
    if name not in corpora:
        near = difflib.get_close_matches(name, corpora, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(corpora)}"
        raise DataError(f"the registry has no {name!r}; {hint}")
    corpus, folder = corpora[name], Path(directory)
    _check_names(corpus)
    refuse_standard_output(folder)
    fetches = [_Fetch(file, corpus.mirrors, folder, allow_http) for file in corpus.files]
    if not unverified:
        _refuse_unverified(name, fetches)
    with file_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with alone_in(folder, "fetches files into"), downloads_bar(progress) as show:
        return [fetched for one in fetches for fetched in one.run(show)]


def _check_names(corpus: RegisteredCorpus) -> None:
    """Raise DataError unless each file of a corpus has a name of its own."""
    names = [name for file in corpus.files for name in file.kept_names]
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"the registry keeps two files of {corpus.name!r} as {name!r}; name each file once")


def _refuse_unverified(name: str, fetches: list[_Fetch]) -> None:
    missing = [kept for one in fetches if not one.is_complete() for kept in one.file.unverifiable]
    if missing:
        raise DataError(
            f"{name} cannot be verified: the registry has no checksum of {', '.join(missing)}; "
            "to fetch it all the same, use unverified = True"
        )


class _Fetch:
    """Getting one file of a corpus, and what is in it."""

    def __init__(self, file: RemoteFile, mirrors: list[str], folder: Path, allow_http: bool) -> None:
        self.file = file
        self._urls = [mirror + file.path for mirror in mirrors]
        self._folder = folder
        self._allow_http = allow_http
        self._archive_checksum = self._checksum(file.name) if file.unpack else None
        self._noted = noted(folder, file.name, self._archive_checksum) if self._archive_checksum else {}

    def is_complete(self) -> bool:
        """Whether every kept file is there, as far as can be told without reading them."""
        return all((self._folder / name).is_file() for name in self.file.kept_names)

    def run(self, progress: DownloadProgress | None) -> Iterator[FetchedFile]:
        """Download and unpack the file, unless all that it holds is there."""
        present = [self._present(name) for name in self.file.kept_names]
        if not all(present):
            part = self._folder / f"{self.file.name}.part"
            download(
                self._urls,
                part,
                progress,
                allow_http=self._allow_http,
                limit=self._limit(),
                verifiable=not self.file.unverifiable,
            )
            try:
                verified = self._verify_archive(part)
                kept = [self._keep(index, part, verified) for index in range(len(present))]
            except _BadDownloadError:
                discard(part)
                raise
            discard(part)
            self._note(kept)
            present = [*kept]
        yield from (fetched for fetched in present if fetched)

    def _note(self, kept: list[FetchedFile]) -> None:
        """For a later run, which has no archive to compare."""
        unknown = {one.path.name: one.sha256 for one in kept if self._checksum(one.path.name) is None}
        if self._archive_checksum and unknown:
            note(self._folder, self.file.name, self._archive_checksum, unknown)

    def _limit(self) -> int | None:
        """How long the download may be, if the registry says anything of it."""
        unpacked = self.file.bytes.get(self.file.kept_names[0]) if self.file.unpack == "gzip" else None
        longest = None if unpacked is None else unpacked + unpacked // 1000 + 1024  # gzip of what cannot be compressed
        return self.file.bytes.get(self.file.name, longest)

    def _present(self, name: str) -> FetchedFile | None:
        path, expected = self._folder / name, self._checksum(name) or self._noted.get(name)
        if not path.is_file() or self.file.bytes.get(name, size := path.stat().st_size) != size:
            return None
        actual = _sha256(path)
        return FetchedFile(path, actual, expected is not None) if expected in (None, actual) else None

    def _verify_archive(self, part: Path) -> bool:
        """Whether the download has a known checksum, before anything is unpacked; an error if it has another one."""
        size = part.stat().st_size
        if (stated := self.file.bytes.get(self.file.name, size)) != size:
            raise _BadDownloadError(
                f"{self.file.name} has {size:,} bytes, but the registry says {stated:,}; it was removed"
            )
        expected = self._checksum(self.file.name)
        if expected is not None:
            _compare(self.file.name, _sha256(part), expected)
        return expected is not None

    def _keep(self, index: int, part: Path, verified: bool) -> FetchedFile:
        """Unpack a kept file and verify it before it gets its name."""
        name, packing = self.file.kept_names[index], self.file.unpack
        target = self._folder / name
        with atomic_write(target) as temporary:
            try:
                with temporary.open("wb") as stream:
                    unpack(
                        part, packing if isinstance(packing, str) else packing[index], stream, self.file.bytes.get(name)
                    )
            except BadArchiveError as error:
                raise _BadDownloadError(
                    f"{self.file.path} is not a valid archive that contains {name} ({error}); it was removed, try again"
                ) from error
            except WrongSizeError as error:
                inside = f" in {self.file.path}" if packing else ""
                raise _BadDownloadError(f"{name}{inside} {error}; it was removed") from error
            actual, expected = _sha256(temporary), self._checksum(name)
            if expected is not None:
                _compare(name, actual, expected)
        return FetchedFile(target, actual, verified or expected is not None)

    def _checksum(self, name: str) -> str | None:
        return self.file.sha256[name].lower() if name in self.file.sha256 else None


def _compare(name: str, actual: str, expected: str) -> None:
    if actual != expected:
        raise _BadDownloadError(
            f"{name} has the SHA-256 {actual}, but the registry says {expected}; "
            "it was removed: it was changed, by its publisher or by somebody else"
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

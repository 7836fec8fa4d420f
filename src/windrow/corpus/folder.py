"""The folder of a corpus: its files, its header, and how a new folder takes the place of an old one."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from windrow import interrupts
from windrow.errors import DataError, FormatError, WindrowError
from windrow.files import model_file, writing
from windrow.files.checksums import PARTS, own_fits
from windrow.files.corpus_folder import CORPUS_FILES, CORPUS_FORMAT, CORPUS_HEADER, is_corpus
from windrow.files.leftovers import beside, hold, sweep_beside, vanishing
from windrow.files.sniff import kind_of, refuse_no_model
from windrow.files.urls import refuse_url

FORMAT_VERSION = 1
IDS, STARTS, VOCABULARY = CORPUS_FILES
_FILES = {CORPUS_HEADER, *CORPUS_FILES}


@contextmanager
def new_folder(target: Path, check: Callable[[Path], None] | None = None) -> Iterator[Path]:
    """A temporary folder beside ``target``, which takes its place on success and is removed on failure.

    A symbolic link stays: the folder that it points to is replaced. ``check`` raises DataError for a folder that may
    not be replaced; by default it is ``check_replaceable``.
    """
    writing.refuse_standard_output(target)
    with path_errors("write", target):
        target = writing.followed(target.absolute())
    (check or check_replaceable)(target)
    temporary, replaced = beside(target), beside(target, "old")
    sweep_beside(target)
    # A process that was killed may have left these, and process numbers are used again, soonest in containers.
    shutil.rmtree(temporary, ignore_errors=True)
    with vanishing(temporary):
        with path_errors("write", target):
            temporary.mkdir()
        with hold(temporary):
            with _naming(target, temporary):
                yield temporary
            with disk_errors(target):
                for path in temporary.iterdir():
                    _sync(path)
                with interrupts.held():
                    interrupts.finish(target)
                    _put(temporary, target, replaced)


def _put(temporary: Path, target: Path, replaced: Path) -> None:
    """Move a finished folder to its place; what was there is moved away first, and back if that fails."""
    if not target.exists():
        temporary.replace(target)
        return
    shutil.rmtree(replaced, ignore_errors=True)
    with hold(target):
        target.replace(replaced)  # a folder cannot be renamed over one that holds files
        try:
            temporary.replace(target)
        except OSError:
            replaced.replace(target)
            raise
    shutil.rmtree(replaced, ignore_errors=True)


@contextmanager
def whole_folder(path: Path) -> Iterator[None]:
    """Within, the files of a folder are opened; DataError where another folder has taken its place meanwhile.

    Else the words of one might stand beside the numbers of the other. A path that is no folder is left to who reads it.
    """
    before = path.stat() if path.is_dir() else None
    try:
        yield
    except WindrowError:
        _refuse_another(path, before)
        raise
    _refuse_another(path, before)


def _refuse_another(path: Path, before: os.stat_result | None) -> None:
    if before is not None and not (path.is_dir() and os.path.samestat(before, path.stat())):
        raise DataError(f"{path} was replaced while it was opened; try again")


@contextmanager
def _naming(target: Path, temporary: Path) -> Iterator[None]:
    """Within, errors name the folder that is meant."""
    try:
        yield
    except DataError as error:
        error.args = (str(error).replace(str(temporary), str(target)),)
        raise


def check_replaceable(target: Path) -> None:
    """Raise DataError unless a corpus may be written to ``target``; asked before the long work, not after it."""
    with path_errors("write", target):
        check_replaced(target, is_corpus(target), "a windrow corpus", _FILES)


def check_replaced(target: Path, is_ours: bool, what: str, files: Set[str]) -> None:
    """Raise DataError unless a folder of these files can be written to ``target``, and nothing else is lost there."""
    if not target.exists():
        writing.check_writable(target)
    elif not is_ours:
        raise DataError(f"{target} exists and is not {what}; remove it or choose another name")
    elif foreign := sorted({path.name for path in target.iterdir()} - files):
        raise DataError(f"{target} would be replaced, but it also holds {foreign[0]}; move that elsewhere first")


def _sync(path: Path) -> None:
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


@contextmanager
def disk_errors(target: Path | str) -> Iterator[None]:
    """Turn OSError in writing ``target`` into DataError."""
    try:
        yield
    except OSError as error:
        raise DataError(f"cannot write {target}: {writing.write_failure(error)}") from error


@contextmanager
def path_errors(verb: str, path: Path) -> Iterator[None]:
    """Turn OSError into DataError: for a name that is too long, or a folder without permission."""
    try:
        yield
    except OSError as error:
        where = writing.shortened(str(error.filename or path))
        raise DataError(f"cannot {verb} {where}: {error.strerror or error}") from error


def read_header(path: Path) -> dict[str, Any]:
    """The content of corpus.json, checked against the sizes of the files beside it."""
    if not path.is_dir():
        refuse_url(path)
        if path.is_file():
            if kind_of(path) == "windrow":
                model_file.load(path, "corpus")  # which it is not
            refuse_no_model(path, "corpus")
        what = "is a file, not a corpus folder" if path.exists() else "does not exist"
        raise FormatError(f"{path} {what}; make one with windrow.Corpus.build or `windrow corpus build`")
    try:
        content = (path / CORPUS_HEADER).read_bytes()
        is_sound = own_fits(content)
        header = None if is_sound is False else json.loads(content)
    except FileNotFoundError as error:
        raise FormatError(f"{path} is not a windrow corpus: it holds no {CORPUS_HEADER}") from error
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path / CORPUS_HEADER} is damaged ({error}); build the corpus again") from error
    if is_sound is False:
        raise FormatError(f"{path / CORPUS_HEADER} is damaged: it is not what was written; build the corpus again")
    if not isinstance(header, dict) or header.get("format") != CORPUS_FORMAT:
        raise FormatError(f"{path} is not a windrow corpus: {path / CORPUS_HEADER} describes something else")
    if header.get("version") != FORMAT_VERSION:
        raise FormatError(
            f"{path} has corpus version {header.get('version')}, this windrow reads {FORMAT_VERSION}; "
            "update windrow or build the corpus again"
        )
    numbers = ("tokens", "sentences", "types", "vocabulary", "kept_tokens")
    if not all(isinstance(header.get(key), int) and header[key] > 0 for key in numbers):
        raise FormatError(f"{path / CORPUS_HEADER} is damaged (a number is missing); build the corpus again")
    if not isinstance(header.get("fingerprint"), str):
        raise FormatError(f"{path / CORPUS_HEADER} is damaged (no fingerprint); build the corpus again")
    checksums = header.get(PARTS)
    of_all = isinstance(checksums, dict) and checksums.keys() == set(CORPUS_FILES)
    if not (of_all if is_sound else checksums is None):
        raise FormatError(f"{path / CORPUS_HEADER} is damaged: its checksums are not complete; build the corpus again")
    _check_size(path / IDS, 4 * header["tokens"])
    _check_size(path / STARTS, 8 * (header["sentences"] + 1))
    return header


def _check_size(path: Path, expected: int) -> None:
    if not path.is_file():
        raise FormatError(f"{path} is missing; build the corpus again")
    if (size := path.stat().st_size) != expected:
        state = "cut short" if size < expected else "too long"
        raise FormatError(f"{path} is {state}: {size} bytes, not {expected}; build the corpus again")

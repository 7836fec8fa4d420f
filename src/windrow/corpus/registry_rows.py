"""The rows of a registry of corpora, as a TOML file has them: are their fields what they must be?"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from pathlib import PurePosixPath
from typing import Any

from windrow.files.writing import shortened

_SHA_256 = re.compile(r"[0-9a-fA-F]{64}")


def check_rows(rows: Mapping[str, Any], of_corpus: Collection[str], of_file: Collection[str]) -> None:
    """Raise ValueError, which says where, for what is no row of a registry; no fields but those given are known."""
    for name, row in rows.items():
        if not _is_name(name):
            raise ValueError(f"{shortened(repr(name))} cannot be the name of a corpus")
        _check_fields(name, row, of_corpus)
        for file in row["file"]:
            _check_fields(f"a file of {name}", file, of_file)
            _check_file(name, file)


def _check_fields(where: str, row: Any, known: Collection[str]) -> None:
    if not isinstance(row, dict):
        raise ValueError(f"{where} = {shortened(repr(row))} must be a table")
    for field, value in row.items():
        if field not in known:
            raise ValueError(f"{where} has the unknown field {shortened(repr(field))}; there are {', '.join(known)}")
        what, is_right = _FIELDS.get(field, ("", _anything))
        if not is_right(value):
            raise ValueError(f"{where}: {field} = {shortened(repr(value))} must be {what}")
    for field in known:
        if field in _NEEDED and field not in row:
            raise ValueError(f"{where} has no {field}")


def _check_file(name: str, file: Mapping[str, Any]) -> None:
    """Raise ValueError for a file that would get no name, and for checksums and sizes of files that are not kept."""
    unpack, archive = file.get("unpack", ""), PurePosixPath(file["path"]).name
    if unpack == "gzip" and not archive.removesuffix(".gz"):
        raise ValueError(f"a file of {name}: path = {archive!r} has no name of a file before .gz")
    kept = {archive, archive.removesuffix(".gz")}
    if isinstance(unpack, list):
        kept |= {PurePosixPath(member).name for member in unpack}
    for field in ("sha256", "bytes"):
        for other in file.get(field, {}).keys() - kept:
            raise ValueError(f"a file of {name}: {field} names {shortened(repr(other))}, which is none of its files")


def _is_name(value: Any) -> bool:
    """Whether a string can be the name of a file or folder on every system."""
    return (
        isinstance(value, str) and value.isprintable() and value not in ("", ".", "..") and not set("/\\:") & set(value)
    )


def _is_path(value: Any) -> bool:
    """Whether a string is a path below a folder or address, and leads nowhere else."""
    *folders, name = value.split("/") if isinstance(value, str) else [""]
    return _is_name(name) and all(_is_name(folder.replace(":", "")) for folder in folders)


def _is_list_of(value: Any, is_right: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and len(value) > 0 and all(map(is_right, value))


def _is_string(value: Any) -> bool:
    return isinstance(value, str)


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_sha_256(value: Any) -> bool:
    return isinstance(value, str) and _SHA_256.fullmatch(value) is not None


def _anything(_: Any) -> bool:
    return True


_NEEDED = ("description", "license", "size", "mirrors", "file", "path")
_FIELDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "description": ("a string", _is_string),
    "license": ("a string", _is_string),
    "size": ("a string", _is_string),
    "mirrors": ("a list of URLs", lambda value: _is_list_of(value, _is_string)),
    "file": ("tables, each in double brackets: [[NAME.file]]", lambda value: _is_list_of(value, _anything)),
    "path": ("a path below the mirrors, without .. and not absolute", _is_path),
    "unpack": (
        "'gzip', or a list of the members of a zip archive to keep, each without .. and not absolute",
        lambda value: value in ("", "gzip") or _is_list_of(value, _is_path),
    ),
    "sha256": (
        "a table of names of files and their checksums of 64 hexadecimal digits",
        lambda value: isinstance(value, dict) and all(map(_is_sha_256, value.values())),
    ),
    "bytes": (
        "a table of names of files and their sizes",
        lambda value: isinstance(value, dict) and all(map(_is_size, value.values())),
    ),
}

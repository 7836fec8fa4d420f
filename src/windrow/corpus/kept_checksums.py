"""What was in an archive with a known checksum: the checksums of the files that were kept of it, noted beside them.

The note is a hidden file in the format of ``sha256sum``, whose first line is that of the archive. With it a later run
compares files of which the registry itself knows nothing; whoever can change them can change the note, too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from windrow.errors import DataError, warn
from windrow.files.writing import atomic_write

_LONGEST = 1 << 20  # bytes of a note
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


def note(folder: Path, archive: str, archive_sha256: str, kept: Mapping[str, str]) -> None:
    """Note the SHA-256 of kept files by name; a note that cannot be written warns."""
    lines = [f"{sha256}  {name}\n" for name, sha256 in ((archive, archive_sha256), *kept.items())]
    try:
        with atomic_write(_place(folder, archive)) as temporary:
            temporary.write_text("".join(lines), encoding="utf-8")
    except DataError as error:
        warn(f"{error}; a later run cannot compare {', '.join(kept)}")


def noted(folder: Path, archive: str, archive_sha256: str) -> dict[str, str]:
    """The SHA-256 of files that were in this archive; empty if there is no note, or one of another archive."""
    try:
        with _place(folder, archive).open("rb") as file:
            lines = file.read(_LONGEST).decode(errors="replace").splitlines()
    except OSError:
        return {}
    known = {found[2]: found[1] for found in map(_LINE.fullmatch, lines) if found}
    return known if known.pop(archive, "") == archive_sha256 else {}


def _place(folder: Path, archive: str) -> Path:
    return folder / f".{archive}.sha256"

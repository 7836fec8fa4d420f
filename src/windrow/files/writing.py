"""Files that appear whole or not at all: written under a temporary name in the same folder, synced, and renamed."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from windrow.errors import DataError
from windrow.files.leftovers import beside, hold, sweep_beside

STDIO = "-"  # standard input or output where a file may stand


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path beside ``path``: on success it is synced and renamed to ``path``, else removed.

    Raises DataError when the folder does not exist or cannot be written, or when the disk is full.
    """
    target = Path(path)
    check_writable(target)
    temporary = beside(target)
    sweep_beside(target)
    try:
        temporary.touch()
        mode = temporary.stat().st_mode
        with hold(temporary):
            yield temporary
        temporary.chmod(mode)  # as the user's umask says; a library may have made the file private
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        temporary.replace(target)
    except OSError as error:
        raise DataError(f"cannot write {target}: {write_failure(error)}") from error
    finally:
        temporary.unlink(missing_ok=True)


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise DataError unless a file could be made at ``path``; asked before long work, not after it.

    Not at "-" either: who writes to standard output does not ask.
    """
    target = Path(path)
    refuse_standard_output(target)
    try:
        if not target.parent.is_dir():
            raise DataError(f"cannot write {target}: the folder {target.parent} does not exist; make it first")
        if target.is_dir():
            raise DataError(f"cannot write {target}: it is a folder; name a file in it")
        if target.exists() and not target.is_file():  # a rename would replace a device by a file
            raise DataError(f"cannot write {target}: it is a device or a pipe; name a file")
        beside(target).exists()  # an OSError if the temporary name is too long
    except OSError as error:
        raise DataError(f"cannot write {shortened(target)}: {error.strerror}") from error
    if not os.access(target.parent, os.W_OK):
        raise DataError(f"cannot write {target}: no permission to write in {target.parent}")


def refuse_standard_output(path: str | os.PathLike[str]) -> None:
    """Raise DataError for "-", which is no name of a file or folder."""
    if os.fspath(path) == STDIO:
        raise DataError("'-' is standard output, which takes nothing of this kind; give a name")


def write_failure(error: OSError) -> str:
    """The reason of an error in writing, with a hint if the disk may be full."""
    if error.errno is None:  # NumPy's error for an array that was written in part
        return f"{error}; is the disk full?"
    is_full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return f"{error.strerror or error}{'; is the disk full?' if is_full else ''}"


def shortened(path: str | os.PathLike[str]) -> str:
    """A path for a message of one line."""
    text = os.fspath(path).replace("\n", "\\n").replace("\r", "\\r")
    return text if len(text) <= 200 else f"{text[:200]}..."

"""Files that appear whole or not at all: written under a temporary name in the same folder, synced, and renamed."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from windrow import interrupts
from windrow.errors import DataError, check_path, one_line
from windrow.files.leftovers import beside, hold, sweep_beside, vanishing
from windrow.files.urls import refuse_url_to_write

STDIO = "-"  # standard input or output where a file may stand
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_IN_PART = re.compile(r"\d+ requested and \d+ written")  # NumPy's error, without errno
_MOST_LINKS = 40  # that lead from one to the next, as in Linux


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path beside ``path``: on success it is synced and renamed to ``path``, else removed.

    A symbolic link stays: the file that it points to is written. A file that is replaced hands on its permissions.
    Raises DataError when the folder does not exist or cannot be written, or when the disk is full.
    """
    check_writable(path)
    target = followed(Path(path))
    temporary = beside(target)
    sweep_beside(target)
    with vanishing(temporary):
        try:
            mode = _create(temporary, target)
            with hold(temporary):
                yield temporary
            temporary.chmod(mode)  # a library may have made a new file
            with temporary.open("rb+") as written:
                os.fsync(written.fileno())
            with interrupts.held():
                interrupts.finish(target)
                temporary.replace(target)
        except OSError as error:
            raise DataError(f"cannot write {path}: {write_failure(error)}") from error


def _create(temporary: Path, target: Path) -> int:
    """Make an empty file that others cannot read earlier than its owner wants; returns the permissions for its end."""
    temporary.unlink(missing_ok=True)  # of a process that was killed, and had the same number
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
    try:
        mode = target.stat().st_mode & 0o777
    except FileNotFoundError:
        os.close(os.open(temporary, flags, 0o666))
        return temporary.stat().st_mode  # as the user's umask says
    os.close(os.open(temporary, flags, mode | 0o600))
    return mode


def followed(path: Path) -> Path:
    """The file that a symbolic link leads to, whether or not it exists; OSError for links in a circle."""
    first, steps = path, 0
    while path.is_symlink():
        path, steps = path.parent / path.readlink(), steps + 1
        if steps > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(first))
    return path


def remove_written(path: str | os.PathLike[str]) -> None:
    """Remove a file that ``atomic_write`` made, if it is there; a symbolic link to it stays."""
    followed(Path(path)).unlink(missing_ok=True)


def check_writable(path: str | os.PathLike[str], *, is_stream: bool = False) -> None:
    """Raise DataError unless a file could be made at ``path``; asked before long work, not after it.

    Not at "-" either: who writes to standard output does not ask. ``is_stream``: a file that is written bit by bit,
    which may be a pipe or a device, too.
    """
    refuse_standard_output(path)
    target = Path(path)
    try:
        place = followed(target)
        if not place.parent.is_dir():
            raise DataError(f"cannot write {target}: the folder {place.parent} does not exist; make it first")
        if place.is_dir() or names_folder(path):
            raise DataError(f"cannot write {target}: it is a folder; name a file in it")
        if place.exists() and not (place.is_file() or is_stream):  # a rename would replace a device by a file
            raise DataError(f"cannot write {target}: it is a device or a pipe; name a file")
        beside(place).exists()  # an OSError if the temporary name is too long
    except OSError as error:
        raise DataError(f"cannot write {shortened(target)}: {error.strerror}") from error
    if is_stream and place.exists():
        if not os.access(place, os.W_OK):
            raise DataError(f"cannot write {target}: no permission to write it")
    elif not os.access(place.parent, os.W_OK):
        raise DataError(f"cannot write {target}: no permission to write in {place.parent}")


def names_folder(path: str | os.PathLike[str]) -> bool:
    """Whether a name can be that of a folder only, whether or not it is there: it ends in a slash or dots."""
    return re.split(r"[/\\]" if os.name == "nt" else "/", os.fspath(path))[-1] in ("", ".", "..")


def refuse_standard_output(path: str | os.PathLike[str]) -> None:
    """Raise DataError for "-", URLs, and names of no file or folder, such as an empty one; OptionError for a number."""
    check_path("path", path)
    if not os.fspath(path) or "\0" in os.fspath(path):
        raise DataError(f"{os.fspath(path)!r} is no name of a file or folder that could be written; give another")
    refuse_url_to_write(path)
    if os.fspath(path) == STDIO:
        raise DataError("'-' is standard output, which takes nothing of this kind; give a name")


def write_failure(error: OSError) -> str:
    """The reason of an error in writing, with a hint if the disk may be full."""
    if _IN_PART.fullmatch(str(error)):
        return f"{error}; is the disk full?"
    return f"{error.strerror or error}{'; is the disk full?' if error.errno in _FULL else ''}"


def is_of_full_disk(error: BaseException) -> bool:
    """Whether an error in writing, or what it was raised from, says that there is no room."""
    cause = error if isinstance(error, OSError) else error.__cause__
    return isinstance(cause, OSError) and (cause.errno in _FULL or bool(_IN_PART.fullmatch(str(cause))))


def shortened(path: str | os.PathLike[str]) -> str:
    """A path for a message of one line."""
    text = one_line(os.fspath(path))
    return text if len(text) <= 200 else f"{text[:200]}..."

"""Temporary folders: of a block of code, or removed together with the object whose files they hold.

They are made where the system has such things (``TMPDIR``), or within ``temporary_files_in`` in another folder. Those
of runs that were killed are removed by the next run that makes one in the same place, see ``leftovers``.
"""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeVar

from windrow import interrupts
from windrow.errors import DataError, OptionError, check_path
from windrow.files.leftovers import made, marked, sweep_temporary_folders, vanishing
from windrow.files.writing import write_failure

T = TypeVar("T")

_PREFIX = "windrow-"
_PLACE: ContextVar[Path | None] = ContextVar("place", default=None)


def temporary_place() -> Path:
    """The folder in which temporary files are made."""
    return _PLACE.get() or Path(tempfile.gettempdir())


@contextmanager
def temporary_files_in(temp_dir: str | os.PathLike[str] | None) -> Iterator[None]:
    """Within, temporary files are made in this folder; None: where they were made before.

    Raises DataError for a folder that is not there or takes no files.
    """
    if temp_dir is None:
        yield
        return
    check_path("temp_dir", temp_dir)
    if not os.fspath(temp_dir):
        raise OptionError("temp_dir is an empty name; name a folder, or leave it out")
    place = Path(temp_dir).absolute()
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = write_failure(error) if isinstance(error, OSError) else str(error)
        raise DataError(f"temp_dir = {temp_dir}: no file can be made there: {reason}; name another folder") from error
    before = _PLACE.set(place)
    try:
        yield
    finally:
        _PLACE.reset(before)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A new folder, which is removed at the end."""
    place = temporary_place()
    sweep_temporary_folders(place, _PREFIX)
    with interrupts.held():
        folder = made(Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place)))
    with vanishing(folder), marked(folder):
        yield folder


def made_in_temporary_folder(make: Callable[[Path], T]) -> T:
    """The object that ``make(folder)`` returns; the folder is removed with it, or at once if ``make`` fails."""
    with ExitStack() as stack:
        whole = make(stack.enter_context(temporary_folder()))
        weakref.finalize(whole, _clear_and_remove, vars(whole), stack.pop_all())
    return whole


def _clear_and_remove(attributes: dict[str, Any], stack: ExitStack) -> None:
    """Remove the folder; Windows keeps a file as long as it is mapped, so the object's memory maps go first."""
    with interrupts.held():
        attributes.clear()
        stack.close()


@contextmanager
def disk_errors() -> Iterator[None]:
    """Turn failures to write parts of a count into a DataError."""
    try:
        yield
    except OSError as error:
        reason = write_failure(error)
        raise DataError(
            f"cannot write the counts of parts of the text: {reason}; name a folder on another disk: temp_dir=..."
        ) from error

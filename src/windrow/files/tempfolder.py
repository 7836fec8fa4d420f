"""A temporary folder that is removed together with the object whose files it holds."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


def made_in_temporary_folder(make: Callable[[Path], T]) -> T:
    """The object that ``make(folder)`` returns; the folder is removed with it, or at once if ``make`` fails."""
    folder = Path(tempfile.mkdtemp(prefix="windrow-"))
    try:
        made = make(folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    weakref.finalize(made, _clear_and_remove, vars(made), folder)
    return made


def _clear_and_remove(attributes: dict[str, Any], folder: Path) -> None:
    """Remove the folder; Windows keeps a file as long as it is mapped, so the object's memory maps go first."""
    attributes.clear()
    shutil.rmtree(folder, ignore_errors=True)

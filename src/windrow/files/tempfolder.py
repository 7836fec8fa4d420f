"""Temporary folders: of a block of code, or removed together with the object whose files they hold.

Those of runs that were killed are removed by the next run that makes one, see ``leftovers``.
"""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from windrow import interrupts
from windrow.files.leftovers import made, marked, sweep_temporary_folders, vanishing

T = TypeVar("T")

_PREFIX = "windrow-"


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A new folder, which is removed at the end."""
    sweep_temporary_folders(Path(tempfile.gettempdir()), _PREFIX)
    with interrupts.held():
        folder = made(Path(tempfile.mkdtemp(prefix=_PREFIX)))
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

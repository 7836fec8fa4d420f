"""One process at a time in a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from windrow.errors import DataError


@contextmanager
def alone_in(folder: Path, doing: str) -> Iterator[None]:
    """Within, the folder is locked; DataError if somebody else has it locked. Nothing is left in it.

    Not on Windows, and not on file systems without locks.
    """
    with ExitStack() as stack:
        with suppress(ImportError, PermissionError):
            import fcntl

            handle = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, handle)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise DataError(f"another process {doing} {folder}; run again when it has ended") from error
            except OSError:
                pass  # a file system without locks
        yield

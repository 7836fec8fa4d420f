"""Checkpoints while a training runs: it is worth more than they are."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path

from windrow.errors import DataError, warn
from windrow.files.rescue import kept_elsewhere


class Keeper:
    """Writes the state of a training to a file, again and again; goes on without where that is not possible.

    Parameters
    ----------
    path : str or os.PathLike
        The checkpoint.
    write : callable
        Writes the state, whatever it is then, to a path; DataError or MemoryError if that fails.
    """

    def __init__(self, path: str | PathLike[str], write: Callable[[Path], object]) -> None:
        self.path = Path(path)
        self._write = write
        self._is_told = False

    def keep(self) -> bool:
        """Write the state; whether that went well. The first time that it does not, a DataWarning says why."""
        try:
            self._write(self.path)
        except (DataError, MemoryError) as error:
            if not self._is_told:
                self._is_told = True
                warn(f"training goes on without a new checkpoint: {_reason(error, self.path)}")
            return False
        return True

    def keep_at_last(self) -> str:
        """Write the state of a training that ends early, somewhere else if need be; says where it is."""
        try:
            self._write(self.path)
            return f"its state is kept in {self.path}; add resume=True to go on from there"
        except (DataError, MemoryError) as error:
            reason = _reason(error, self.path)
            try:
                place = kept_elsewhere(self._write, self.path, suffix=".checkpoint")
            except DataError as nowhere:
                return f"its state is lost: {reason}; {nowhere}"
            way_on = f"copy it to {self.path}, and add resume=True to go on from there"
            return f"its state is kept in {place}, since {reason}; {way_on}"


def _reason(error: DataError | MemoryError, path: Path) -> str:
    return str(error) if isinstance(error, DataError) else f"cannot write {path}: not enough memory ({error})"

"""Another place for what took long to make and cannot be written where it should be."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from windrow.errors import DataError, WindrowError
from windrow.files.writing import STDIO, followed

_STEM = 40  # characters of the name that a kept file repeats


def kept_elsewhere(
    save: Callable[[Path], object],
    output: Path,
    *,
    also_beside: bool = False,
    suffix: str = ".safetensors",
    is_folder: bool = False,
) -> Path:
    """Let ``save`` write a file of a new name, for its user alone, in the first place that can hold it; returns where.

    With ``is_folder`` a folder, in a new one. Places are, ``also_beside``, the folder of ``output``, then that of
    temporary files and the user's home. Raises DataError that names them if all of them fail.
    """
    refused = []
    for folder in _folders(output, also_beside):
        made = None
        try:
            made = _new(folder, f"windrow-kept-{_stem(output)}-", "" if is_folder else suffix, is_folder)
            place = made / output.name if is_folder else made
            save(place)
            return place
        except (WindrowError, OSError, MemoryError):
            refused.append(str(folder))
            if made is not None:
                _remove(made)
    raise DataError(f"nor could it be kept in {' or '.join(refused) or 'any other folder'}")


def _new(folder: Path, prefix: str, suffix: str, is_folder: bool) -> Path:
    if is_folder:
        return Path(tempfile.mkdtemp(suffix, prefix, folder))
    number, name = tempfile.mkstemp(suffix, prefix, folder)
    os.close(number)
    return Path(name)


def _remove(made: Path) -> None:
    if made.is_dir():
        shutil.rmtree(made, ignore_errors=True)
    else:
        with suppress(OSError):
            made.unlink(missing_ok=True)


def _folders(output: Path, also_beside: bool) -> list[Path]:
    """Each folder once."""
    places: list[Callable[[], Path]] = [lambda: Path(tempfile.gettempdir()), Path.home]
    if also_beside:
        places.insert(0, lambda: _beside(output))
    found: list[Path] = []
    for place in places:
        # No folder for temporary files; a home that is not known; links in a circle.
        with suppress(OSError, RuntimeError):
            found.append(place().resolve())
    return list(dict.fromkeys(found))


def _beside(output: Path) -> Path:
    return Path.cwd() if str(output) == STDIO else followed(output).parent


def _stem(output: Path) -> str:
    """The start of the name of a file that is to be recognized, in characters that a shell takes as they are."""
    return re.sub(r"[^\w-]+", "_", output.name.split(".")[0])[:_STEM].lstrip("-") or "output"

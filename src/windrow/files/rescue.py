"""Another place for what took long to make and cannot be written where it should be."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from windrow.errors import DataError, WindrowError
from windrow.files.writing import STDIO, followed

_STEM = 40  # characters of the name that a kept file repeats


def kept_elsewhere(
    save: Callable[[Path], object], output: Path, *, also_beside: bool = False, suffix: str = ".safetensors"
) -> Path:
    """Let ``save`` write a file of a new name, for its user alone, in the first folder that can hold it; returns where.

    These are, ``also_beside``, the folder of ``output``, then that of temporary files and the user's home. Raises
    DataError that names them if all of them fail.
    """
    refused = []
    for folder in _folders(output, also_beside):
        place = None
        try:
            number, name = tempfile.mkstemp(suffix, f"windrow-kept-{_stem(output)}-", folder)
            os.close(number)
            place = Path(name)
            save(place)
            return place
        except (WindrowError, OSError, MemoryError):
            refused.append(str(folder))
            if place is not None:
                with suppress(OSError):
                    place.unlink(missing_ok=True)
    raise DataError(f"nor could it be kept in {' or '.join(refused) or 'any other folder'}")


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

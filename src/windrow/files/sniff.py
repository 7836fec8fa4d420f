"""What a file is, by its first bytes or by its name; readers are in the packages of their subjects."""

from __future__ import annotations

import os
import re
from pathlib import Path

from windrow.errors import OptionError

_ARPA_NAME = re.compile(r"\.(arpa|lm)(\.(gz|bz2|xz|zst))?$", re.IGNORECASE)


def looks_stored(path: str | os.PathLike[str]) -> bool:
    """Whether a file starts like a model file, whatever its name: the length of a header, then JSON."""
    try:
        with Path(path).open("rb") as stream:
            length, start = int.from_bytes(stream.read(8), "little"), stream.read(2)
            return start == b'{"' and length < Path(path).stat().st_size
    except OSError:
        return False


def is_arpa(path: str | os.PathLike[str]) -> bool:
    """Whether the name is that of an ARPA file, compressed or not."""
    return _ARPA_NAME.search(os.fspath(path)) is not None


def refuse_arpa(path: str | os.PathLike[str], what: str) -> None:
    """Raise OptionError if a model file that is written to ``path`` would later be read as an ARPA file."""
    if is_arpa(path):
        raise OptionError(f"{path}: an ARPA file cannot hold {what}; name a .safetensors file")

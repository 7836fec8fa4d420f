"""Back-off n-gram models: counts, smoothing, ARPA files, a packed table to query."""

from __future__ import annotations

import os
import re

_ARPA_NAME = re.compile(r"\.(arpa|lm)(\.(gz|bz2|xz|zst))?$", re.IGNORECASE)

# Of the registry in smoothing.py, here for the command line, which offers them before it loads NumPy.
SMOOTHING_NAMES = (
    "modified-kneser-ney",
    "kneser-ney",
    "witten-bell",
    "absolute",
    "katz",
    "jelinek-mercer",
    "add-delta",
    "mle",
    "stupid-backoff",
)


def is_arpa(path: str | os.PathLike[str]) -> bool:
    """Whether the name is that of an ARPA file, compressed or not."""
    return _ARPA_NAME.search(os.fspath(path)) is not None

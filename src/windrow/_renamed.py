"""Old public names: each goes on working, with a warning, for one minor release after it was renamed."""

from __future__ import annotations

import warnings

# old name -> (new name, the version in which the old one goes)
RENAMED = {
    "windrow.storage": ("windrow.files.model_file", "0.3"),
}


def warn_renamed(old: str, *, stacklevel: int = 2) -> None:
    """Tell the caller of the caller what a name of ``RENAMED`` is called now."""
    new, version = RENAMED[old]
    warnings.warn(
        f"{old} is now {new}; the old name goes with windrow {version}", DeprecationWarning, stacklevel=stacklevel + 1
    )

"""Old public names: each goes on working, with a warning, for one minor release after it was renamed."""

from __future__ import annotations

import warnings

# old name -> (new name, the version in which the old one goes)
RENAMED = {
    "windrow.storage": ("windrow.files.model_file", "0.3"),
    "windrow.nn.Table": ("windrow.nn.SparseParameter", "0.3"),
}
# The same for parameters of estimators. British spellings of parameters are not here: they stay, and do not warn.
RENAMED_PARAMETERS = {
    "output": ("output_layer", "0.3"),
}

RENAMED_METHODS = {
    "EarlyStopping.is_over": ("EarlyStopping.see, and has_ended", "0.3"),
}


def warn_renamed(old: str, *, stacklevel: int = 2) -> None:
    """Warn the caller of the caller that a name of ``RENAMED`` has a new one."""
    _warn(old, *RENAMED[old], stacklevel=stacklevel + 1)


def warn_renamed_parameter(old: str, *, stacklevel: int = 2) -> None:
    """Warn the caller of the caller that a parameter has a new name, if it is in ``RENAMED_PARAMETERS``."""
    if old in RENAMED_PARAMETERS:
        new, version = RENAMED_PARAMETERS[old]
        _warn(f"{old}=", f"{new}=", version, stacklevel=stacklevel + 1)


def warn_renamed_method(old: str, *, stacklevel: int = 2) -> None:
    """Warn the caller of the caller that a method of ``RENAMED_METHODS`` has a new name."""
    _warn(old, *RENAMED_METHODS[old], stacklevel=stacklevel + 1)


def _warn(old: str, new: str, version: str, *, stacklevel: int) -> None:
    warnings.warn(
        f"{old} is now {new}; the old name goes with windrow {version}", DeprecationWarning, stacklevel=stacklevel + 1
    )

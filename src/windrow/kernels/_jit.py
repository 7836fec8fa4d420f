"""The one decorator of every kernel, and where compiled kernels are kept.

Numba's disk cache notices an edit of the file that holds a function, but not of the files whose functions it calls:
a caller would keep an old helper. So the cache folder is named after a hash of every source file that holds kernels.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast, overload

import numba
import numpy as np
from numba import config, njit

from windrow import __version__

F = TypeVar("F", bound=Callable[..., Any])

DISABLE_JIT = bool(config.DISABLE_JIT)
# Sums may be reordered and fused, so that loops vectorise; NaN and infinity keep their meaning (unlike fastmath=True).
_FLAGS = {
    "nogil": True,
    "boundscheck": False,
    "error_model": "numpy",
    "fastmath": {"reassoc", "contract", "nsz", "arcp"},
}
_CACHES_KEPT = 4


def _cache_root() -> Path:
    """``WINDROW_CACHE_DIR``, else the user's cache folder."""
    if chosen := os.environ.get("WINDROW_CACHE_DIR"):
        return Path(chosen)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", "~")).expanduser() / "windrow" / "kernels"
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "windrow" / "kernels"


def _sources_digest() -> str:
    package = Path(__file__).parents[1]
    sources = sorted([*package.glob("kernels/*.py"), *package.glob("outputs/*.py")])
    digest = hashlib.sha256()
    versions = (__version__, numba.__version__, np.__version__, sys.version, platform.machine())
    digest.update("\0".join(versions).encode())
    for source in sources:
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _prune(root: Path) -> None:
    """Keep the caches used last: another environment may own one of them."""
    folders = sorted((f for f in root.iterdir() if f.is_dir()), key=lambda f: f.stat().st_mtime, reverse=True)
    for folder in folders[_CACHES_KEPT:]:
        shutil.rmtree(folder, ignore_errors=True)


def _open_cache() -> str | None:
    """The folder of this version's compiled kernels, or None where nothing can be written."""
    root = _cache_root()
    folder = root / _sources_digest()
    try:
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            _prune(root)
        os.utime(folder)
    except OSError:
        return None
    return str(folder) if os.access(folder, os.W_OK) else None


CACHE_DIR = None if DISABLE_JIT else _open_cache()


@overload
def kernel(function: F) -> F: ...
@overload
def kernel(*, inline: bool = False) -> Callable[[F], F]: ...
def kernel(function: F | None = None, *, inline: bool = False) -> F | Callable[[F], F]:
    """Compile a function on first call, without the GIL, and keep the machine code on disk.

    With ``inline`` the body is copied into its callers before typing, which is the only way in which a function may
    take another function as an argument and its caller still be cached on disk.
    With NUMBA_DISABLE_JIT=1 the function runs as plain Python (unsigned integers wrap silently there too).
    """

    def decorate(plain: F) -> F:
        if DISABLE_JIT:
            return np.errstate(over="ignore")(plain)
        if inline:
            return cast(F, njit(inline="always", **_FLAGS)(plain))
        previous, config.CACHE_DIR = config.CACHE_DIR, CACHE_DIR or ""
        try:
            return cast(F, njit(cache=CACHE_DIR is not None, **_FLAGS)(plain))
        finally:
            config.CACHE_DIR = previous

    return decorate if function is None else decorate(function)

"""The one decorator of every kernel, and where compiled kernels are kept.

Numba's disk cache notices an edit to the file of a kernel, but not to the files of functions that it calls, so that a
kernel would go on using an old helper. Therefore the cache folder is named after a hash of all files with kernels.
The cache only saves time: where it cannot be read or written, kernels are compiled again and nothing else changes.
What is in it is run, so its folders are made for their user alone, and those that others may write to are not used.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import platform
import re
import shutil
import sys
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar, cast, overload
from warnings import warn

import numba
import numpy as np
from numba import config, njit
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from windrow._version import __version__

F = TypeVar("F", bound=Callable[..., Any])

DISABLE_JIT = bool(config.DISABLE_JIT)
# Where kernels may be: in numeric/, in the folder or file ``kernels`` of a subject, and in the training steps, each of
# which binds its kernels to a loop.
KERNEL_SOURCES = ("numeric/*.py", "**/kernels/*.py", "**/kernels.py", "embeddings/steps/*.py")
# Sums may be reordered and fused, so that loops vectorize: the last bits of a sum depend on the processor, and on how a
# loop is written. NaN and infinity keep their meaning, unlike with fastmath.
_FLAGS = {
    "nogil": True,
    "boundscheck": False,
    "error_model": "numpy",
    "fastmath": {"reassoc", "contract", "nsz", "arcp"},
    "no_cfunc_wrapper": True,  # no kernel is called from C; saves a tenth of the time to compile
}
_CACHES_KEPT = 4
_DIGEST_BYTES = hashlib.sha256().digest_size


def _cache_root() -> Path:
    """``WINDROW_CACHE_DIR``, else the user's cache folder; RuntimeError if the home folder is not known."""
    if chosen := os.environ.get("WINDROW_CACHE_DIR"):
        return Path(chosen)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", "~")).expanduser() / "windrow" / "kernels"
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "windrow" / "kernels"


def _sources_digest() -> str:
    package = Path(__file__).parents[1]
    sources = sorted(source for pattern in KERNEL_SOURCES for source in package.glob(pattern))
    digest = hashlib.sha256()
    versions = (__version__, numba.__version__, np.__version__, sys.version, platform.machine())
    digest.update("\0".join(versions).encode())
    for source in sources:
        digest.update(f"{source.relative_to(package).as_posix()}\0".encode() + source.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def prune(root: Path) -> None:
    """Remove old caches but the last used ones, which other environments may need; touch nothing else in the folder."""
    folders = [folder for folder in root.iterdir() if re.fullmatch("kernels-[0-9a-f]{16}", folder.name)]
    for folder in sorted(folders, key=_last_used, reverse=True)[_CACHES_KEPT:]:
        shutil.rmtree(folder, ignore_errors=True)


def _last_used(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:  # another process has just removed it
        return 0.0


def _make_private(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for this user alone, whatever the umask."""
    if not folder.is_dir():
        _make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def _others_may_write(folder: Path) -> bool:
    """Whether somebody else could put code there; rights on Windows are not of this kind."""
    return sys.platform != "win32" and bool(folder.stat().st_mode & 0o022)


def _open_cache() -> Path | None:
    """The folder of this version's compiled kernels; None if it cannot be made, or if others may write to it."""
    try:
        root = _cache_root().absolute()
        folder = root / f"kernels-{_sources_digest()}"
        if not folder.is_dir():
            _make_private(folder)
            prune(root)
        opened = [place for place in (root, folder) if _others_may_write(place)]
    except (OSError, RuntimeError):
        return None
    if opened:
        warn(f"others may write to {opened[0]}, so no kernels are loaded from there; try chmod go-w", stacklevel=2)
        return None
    with suppress(OSError):  # a folder that belongs to another user can still be read
        os.utime(folder)
    return folder


CACHE_DIR = None if DISABLE_JIT else _open_cache()


class _KernelCache:
    """The machine code of one kernel on disk, in place of Numba's cache: one file per signature, with a checksum.

    Numba's cache has numbered files and an index. Two processes that compile different signatures at the same time can
    leave an index that points to the wrong code, and a damaged or unwritable file ends the program. Here such a kernel
    is compiled again.
    """

    def __init__(self, function: Callable[..., Any], folder: Path) -> None:
        self.cache_path = str(folder)  # shown by Numba's ``stats``
        self._folder = folder
        self._name = f"{function.__module__}.{function.__qualname__}"

    def load_overload(self, signature: Any, target_context: Any) -> Any:
        """The stored code for a signature, or None."""
        key = self._key(signature, target_context.codegen())
        try:
            content = self._path(key).read_bytes()
            checksum, data = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
            if hashlib.sha256(data).digest() != checksum:
                return None
            target_context.refresh()
            kept_key, parts = pickle.loads(data)
            return CompileResult._rebuild(target_context, *parts) if kept_key == key else None
        except Exception:  # whatever cannot be read can be compiled again
            return None

    def save_overload(self, signature: Any, compiled: Any) -> None:
        """Store the code for a signature; readers find all of it or nothing."""
        if compiled.lifted or compiled.library.has_dynamic_globals:
            return  # it holds addresses of this process
        key = self._key(signature, compiled.codegen)
        data = dumps((key, compiled._reduce()))
        path = self._path(key)
        part = path.with_name(f"{uuid.uuid4().hex}.part")  # the folder may be shared by machines
        with suppress(OSError):
            _make_private(self._folder)  # another version may have pruned it
            try:
                part.write_bytes(hashlib.sha256(data).digest() + data)
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)

    def flush(self) -> None:
        """Called by Numba before it compiles again; the new file replaces the old one."""

    def _key(self, signature: Any, codegen: Any) -> tuple[Any, ...]:
        return self._name, signature, codegen.magic_tuple()  # the last identifies the processor

    def _path(self, key: tuple[Any, ...]) -> Path:
        return self._folder / f"{self._name}-{hashlib.sha256(repr(key).encode()).hexdigest()[:16]}"


@overload
def kernel(function: F) -> F: ...
@overload
def kernel(*, inline: bool = False, allocates: bool = False) -> Callable[[F], F]: ...
def kernel(function: F | None = None, *, inline: bool = False, allocates: bool = False) -> F | Callable[[F], F]:
    """Compile a function on first call, without the GIL, and keep the machine code on disk.

    A kernel that Python calls returns numbers, or tuples of numbers, and fills arrays that it is given. For an array or
    a NamedTuple Numba calls Python to make it, and crashes when a signal handler raises there.
    ``inline``: copy the body into its callers before types are inferred. Only then may a kernel take a function as an
    argument and its callers still be stored on disk.
    ``allocates``: the kernel makes arrays. All others are compiled without reference counts, which would cost more than
    the work of a small kernel: an atomic addition for every array of every NamedTuple argument.
    With NUMBA_DISABLE_JIT=1 a kernel runs as plain Python, in which unsigned integers also wrap silently.
    """

    def decorate(plain: F) -> F:
        if DISABLE_JIT:
            return np.errstate(over="ignore")(plain)
        flags = {**_FLAGS, "_nrt": allocates}
        if inline:
            return cast(F, njit(inline="always", **flags)(plain))
        dispatcher = njit(**flags)(plain)
        if CACHE_DIR is not None:
            dispatcher._cache = _KernelCache(plain, CACHE_DIR)
        return cast(F, dispatcher)

    return decorate if function is None else decorate(function)

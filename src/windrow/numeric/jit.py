"""The one decorator of every kernel, and where compiled kernels are kept.

Numba's disk cache notices an edit to the file of a kernel, but not to the files of functions that it calls, so that a
kernel would go on using an old helper. Therefore the cache folder is named after a hash of all files with kernels.
The cache only saves time: where it cannot be read or written, kernels are compiled again and nothing else changes.
What is in it is run, so its folders are made for their user alone, and nothing is used that somebody else may have put
there: everything must belong to this user or root, and nobody else may write there or rename a folder above.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import platform
import re
import shutil
import stat
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast, overload
from warnings import warn

import numba
import numpy as np
from numba import config, njit
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from windrow._version import __version__
from windrow.numeric.compiling import log_compiling

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
_NOBODY = 65534  # to whom everything belongs, in a container, that belongs to users of whom it does not know
_DAY = 86_400  # seconds
_DIGEST_BYTES = hashlib.sha256().digest_size


class CacheWarning(UserWarning):
    """Compiled kernels are not kept, for a reason that the user can mend."""


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


@cache  # once per process
def remove_old_parts(folder: Path) -> None:
    """Remove what processes that were killed had begun to write; a day is longer than any of them takes."""
    for part in folder.glob("*.part"):
        with suppress(OSError):
            if re.fullmatch(r"[0-9a-f]{32}\.part", part.name) and time.time() - part.lstat().st_mtime > _DAY:
                part.unlink()


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


def _is_foreign(status: os.stat_result) -> bool:
    """Whether a file or folder belongs to somebody else than this user and root, whom a machine has to trust."""
    return status.st_uid not in (0, os.geteuid())


def _danger(root: Path, folder: Path) -> str:
    """Why somebody else could put code into ``folder``, and what to do; empty if nobody can. Paths without links."""
    if sys.platform == "win32":  # where rights are of another kind
        return ""
    for place in (folder, root):
        status = place.stat()
        if _is_foreign(status):
            return f"{place} belongs to another user, so no kernels are loaded from there; set WINDROW_CACHE_DIR"
        if status.st_mode & 0o022:
            return f"others may write to {place}, so no kernels are loaded from there; try chmod go-w"
    for place in root.parents:
        status = place.stat()
        if _is_foreign(status) and status.st_uid != _NOBODY:
            return f"{place} belongs to another user, who may replace {root}, so no kernels are loaded from there"
        if status.st_mode & _writers(status) and not status.st_mode & stat.S_ISVTX:
            return f"others may write to {place} and so replace {root}: no kernels are loaded from there"
    return ""


def _writers(status: os.stat_result) -> int:
    """The bits of those who should not write to a folder above the cache: all others, and mostly the group.

    Where each user has a group of the same number, folders are often made for that group, too.
    """
    is_private = status.st_uid == status.st_gid == os.geteuid() != 0
    return stat.S_IWOTH if is_private else stat.S_IWOTH | stat.S_IWGRP


def _open_cache() -> Path | None:
    """The folder of this version's compiled kernels; None if it cannot be made, or if others may write to it."""
    try:
        root = Path(os.path.realpath(_cache_root()))  # links are followed once, here
        folder = root / f"kernels-{_sources_digest()}"
        is_new = not folder.is_dir()
        if is_new:
            _make_private(folder)
        danger = _danger(root, folder)
        if danger:
            warn(danger, CacheWarning, stacklevel=2)
            return None
        if is_new:
            prune(root)
    except (OSError, RuntimeError):
        return None
    with suppress(OSError):  # a folder that belongs to root can still be read
        os.utime(folder)
    return folder


CACHE_DIR = None if DISABLE_JIT else _open_cache()
log_compiling(CACHE_DIR)


def _own_content(path: Path) -> bytes:
    """The content of a file that nobody else can have written; OSError for others."""
    with path.open("rb") as stream:
        status = os.fstat(stream.fileno())
        if sys.platform != "win32" and (_is_foreign(status) or status.st_mode & 0o022):
            raise PermissionError(f"{path} may be of another user")
        return stream.read()


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
            content = _own_content(self._path(key))
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
            remove_old_parts(self._folder)
            try:
                part.touch(mode=0o644)  # whatever the umask
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


def direct(function: Callable[..., Any], *argument_types: Any) -> Callable[..., Any]:
    """The machine code of a kernel for arguments of these Numba types, without the search for the code that fits them.

    For kernels so short that the search takes as long as they do. Arguments of other types are refused with TypeError,
    or read as if they had these.
    """
    return function if DISABLE_JIT else cast(Any, function).compile(argument_types)

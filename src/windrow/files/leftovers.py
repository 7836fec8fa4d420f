"""What runs that were killed left behind: their temporary folders, and what they had begun beside an output.

Whoever makes such a thing holds a lock on it (``hold``), which the kernel frees when the process ends, however it ends,
and also sees from other containers. A later run removes what nobody holds, if it belongs to the same user and was made
by this machine: on a disk that machines share, another one's locks may not be seen. What was made before this machine
was last started is nobody's; its process number says nothing any more.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import platform
import re
import shutil
import stat
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from itertools import count, islice
from pathlib import Path

from windrow import interrupts
from windrow.errors import warn

try:
    import fcntl
except ImportError:  # Windows, where nothing is removed
    fcntl = None  # type: ignore[assignment]

MARKER = ".windrow-temporary"  # in a temporary folder; without it, whatever its name, a folder is somebody else's
_MOST_ENTRIES = 10_000  # of a folder that are looked at
_FRESH = 60.0  # seconds in which a lock has been taken for certain
_SWEPT: set[str] = set()  # each folder is looked at once per process
_CALLS = count()  # threads may write one file at a time, too
_UNKNOWN = "00000000"  # which machine it is


@cache
def machine() -> str:
    """Sixteen digits that tell this machine from others that may use the same disk.

    On Linux the first eight are others after each start; the last eight stay, or are 0 where the system does not say
    which machine it is, as in most containers.
    """
    try:
        started = _said("/proc/sys/kernel/random/boot_id")
    except (OSError, ValueError):
        started = f"{platform.node()} {uuid.getnode()}"
    try:
        stays = _digits(f"{platform.node()} {_said('/etc/machine-id')}")
    except (OSError, ValueError):
        stays = _UNKNOWN
    return _digits(started) + stays


def _said(file: str) -> str:
    """What the system says in a file; ValueError for nothing."""
    text = Path(file).read_text("ascii").strip()
    if not text:
        raise ValueError(file)
    return text


def _digits(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _since_start(made_by: str) -> bool | None:
    """Whether this machine has made something since it was started, by the digits of ``machine``; None: another one."""
    if len(made_by) != len(machine()):
        return None
    if made_by[:8] == machine()[:8]:
        return True
    return False if made_by[8:] == machine()[8:] != _UNKNOWN else None


def beside(target: Path, ending: str = "part") -> Path:
    """A hidden name beside ``target`` under which it is written: another one for each call, and in each process."""
    return target.with_name(f".{target.name}.{os.getpid()}-{machine()}-{next(_CALLS):x}.{ending}")


@contextmanager
def hold(path: Path) -> Iterator[bool]:
    """Within, other processes see that a file or folder is in use; gives whether they do: some disks have no locks."""
    lock = None
    if fcntl is not None:
        with suppress(OSError):
            lock = _locked(path)
    try:
        yield lock is not None
    finally:
        if lock is not None:
            os.close(lock)


def _locked(path: Path) -> int:
    """A descriptor with the lock of a file or folder; OSError, such as BlockingIOError, if it cannot be had."""
    kind = os.O_RDONLY if path.is_dir() else os.O_RDWR  # NFS locks only what may be written
    descriptor = os.open(path, kind | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


# --- what this process makes

_MADE: dict[Path, int] = {}  # files and folders that are to vanish, and the process that says so: not a fork of it


def made(path: Path) -> Path:
    """A path that is removed by ``vanishing``, and when the process ends at the latest."""
    _MADE[path] = os.getpid()
    return path


@contextmanager
def vanishing(path: Path) -> Iterator[None]:
    """A file or folder that is removed at the end of the block, or if an interrupt prevents it, of the process."""
    try:
        made(path)
        yield
    finally:
        with interrupts.held():
            _remove(path)
            _MADE.pop(path, None)


def _remove(path: Path) -> None:
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            _remove_folder(path)
        else:
            path.unlink(missing_ok=True)


@atexit.register
def _remove_made() -> None:
    for path in [path for path, process in _MADE.items() if process == os.getpid()]:
        _remove(path)


# --- temporary folders


@contextmanager
def marked(folder: Path) -> Iterator[None]:
    """Within, a temporary folder carries the marker, which this process holds; it is removed at the end."""
    marker = folder / MARKER
    marker.touch()
    with hold(marker) as is_held, vanishing(folder):
        if is_held:  # and not before: others remove what is marked and not held
            marker.write_text(machine(), "ascii")
        yield


def _remove_folder(folder: Path) -> None:
    """Remove a temporary folder, the marker last: what is left if this is interrupted can still be told."""
    with suppress(OSError):
        for entry in list(os.scandir(folder)):
            if entry.name == MARKER:
                continue
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                with suppress(OSError):
                    Path(entry.path).unlink()
    shutil.rmtree(folder, ignore_errors=True)


def sweep_temporary_folders(parent: Path, prefix: str) -> None:
    """Remove the folders of killed runs in ``parent``, with a warning that names them."""
    removed = []
    for entry in _entries(parent, re.compile(re.escape(prefix)), "temporary"):
        folder, marker = Path(entry.path), Path(entry.path, MARKER)
        with suppress(OSError, ValueError):
            if not (entry.is_dir(follow_symlinks=False) and _is_own(folder) and _is_own(marker)):
                continue
            if _since_start(marker.read_text("ascii")) is not None:
                lock = _locked(marker)
                try:
                    _remove_folder(folder)
                finally:
                    os.close(lock)
                if not folder.exists():
                    removed.append(entry.name)
    _tell(removed, parent)


# --- beside outputs


def sweep_beside(target: Path) -> None:
    """Remove what killed runs had begun in the folder of ``target``, with a warning that names it.

    A folder that a killed run had moved away, to put another one in its place, is put back if none is there.
    """
    removed = []
    parent = target.absolute().parent
    pattern = re.compile(r"\.(?P<name>.+)\.(?P<pid>\d+)-(?P<machine>[0-9a-f]{16})(-[0-9a-f]+)?\.(?P<ending>part|old)")
    for entry in _entries(parent, pattern, "begun"):
        path, found = Path(entry.path), pattern.fullmatch(entry.name)
        with suppress(OSError):
            if found is None or not _is_own(path) or _is_fresh(path):
                continue
            if (since_start := _since_start(found["machine"])) is None or (since_start and _is_running(found["pid"])):
                continue
            lock = _locked(path)
            try:
                if not path.is_dir():
                    path.unlink()
                elif found["ending"] == "old" and not (place := path.with_name(found["name"])).exists():
                    path.replace(place)
                    removed.append(f"{place.name} (put back)")
                    continue
                else:
                    shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(lock)
            if not path.exists():
                removed.append(entry.name)
    _tell(removed, parent)


def _entries(folder: Path, pattern: re.Pattern[str], kind: str) -> Iterator[os.DirEntry[str]]:
    """The entries of a folder whose names begin so; none if the process has looked there before, or has no locks."""
    place = f"{kind} {folder}"
    if fcntl is None or place in _SWEPT:
        return
    _SWEPT.add(place)
    try:
        with os.scandir(folder) as entries:
            found = [entry for entry in islice(entries, _MOST_ENTRIES) if pattern.match(entry.name)]
    except OSError:
        return
    yield from found


def _is_own(path: Path) -> bool:
    """Whether a path is a file or folder, no link or pipe, and belongs to this user."""
    state = path.lstat()
    return (stat.S_ISREG(state.st_mode) or stat.S_ISDIR(state.st_mode)) and state.st_uid == os.getuid()


def _is_running(pid: str) -> bool:
    """Whether there is another such process; where numbers are used again, one that has nothing to do with it.

    Of what this process makes its locks tell: remains of one that had the same number are nobody's.
    """
    if int(pid) == os.getpid():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _is_fresh(path: Path) -> bool:
    """Whether something is so new and empty that whoever makes it may not have come to lock it."""
    state = path.stat()
    is_empty = not any(path.iterdir()) if path.is_dir() else state.st_size == 0
    return is_empty and abs(time.time() - state.st_mtime) < _FRESH


def _tell(removed: list[str], folder: Path) -> None:
    if removed:
        names = ", ".join(repr(name)[1:-1] for name in sorted(removed)[:3])
        more = f" and {len(removed) - 3} more" if len(removed) > 3 else ""
        warn(f"removed what killed runs had left in {repr(str(folder))[1:-1]}: {names}{more}")

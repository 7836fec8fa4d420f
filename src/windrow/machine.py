"""What this process may use of the machine: cores by affinity and container limits, memory that is free."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from windrow.errors import OptionError

_PROC, _CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")
_GIB = 1 << 30
_KEPT_FREE = 0.05  # of the free memory, for what no forecast knows of
_FOR_COUNTING = 0.7  # of the free memory


def available_cores(proc: Path = _PROC, cgroups: Path = _CGROUPS) -> int:
    """How many threads can run at a time: the cores of this process's affinity, fewer if its container gets less.

    ``proc`` and ``cgroups`` are where Linux tells; elsewhere all cores count.
    """
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # Linux only
        cores = os.cpu_count() or 1
    return max(1, min([cores, *(int(share) for share in _cpu_shares(proc, cgroups))]))


def _cpu_shares(proc: Path, cgroups: Path) -> Iterator[float]:
    """The cores that each control group of this process may use, where it has a limit."""
    for group in _groups(proc, cgroups, "cpu"):
        quota, period, *_ = [*_words(group / "cpu.max"), "", ""]  # version 2
        if not quota:  # version 1
            quota, period = (" ".join(_words(group / f"cpu.cfs_{name}_us")) for name in ("quota", "period"))
        if quota.isdigit() and period.isdigit() and int(period):
            yield int(quota) / int(period)


def available_memory(proc: Path = _PROC, cgroups: Path = _CGROUPS) -> int | None:
    """Bytes that this process can still use, by the machine, its containers and its own limit; None if unknown."""
    found = [*_free_memory(proc), *_group_memory(proc, cgroups), *_address_space(proc)]
    return max(0, min(found)) if found else None


def peak_memory() -> int | None:
    """Bytes of memory that this process has held at most; None where the system does not tell."""
    try:
        from resource import RUSAGE_SELF, getrusage
    except ImportError:  # Windows
        return None
    return getrusage(RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _free_memory(proc: Path) -> Iterator[int]:
    for line in _lines(proc / "meminfo"):
        if line.startswith("MemAvailable:"):
            yield int(line.split()[1]) << 10


def _group_memory(proc: Path, cgroups: Path) -> Iterator[int]:
    """What each control group has left; pages of files that are read count as free."""
    for group in _groups(proc, cgroups, "memory"):
        limit, used = (" ".join(_words(group / f"memory.{name}")) for name in ("max", "current"))  # version 2
        if not limit:  # version 1
            limit, used = (" ".join(_words(group / f"memory.{name}_in_bytes")) for name in ("limit", "usage"))
        if limit.isdigit() and used.isdigit():
            yield int(limit) - int(used) + _cached_files(group)


def _cached_files(group: Path) -> int:
    """Bytes of files that a group read and may forget."""
    return sum(int(line.split()[1]) for line in _lines(group / "memory.stat") if line.startswith("inactive_file "))


def _address_space(proc: Path) -> Iterator[int]:
    try:
        from resource import RLIM_INFINITY, RLIMIT_AS, getrlimit
    except ImportError:  # Windows
        return
    limit = getrlimit(RLIMIT_AS)[0]
    if limit != RLIM_INFINITY:
        used = next((int(line.split()[1]) << 10 for line in _lines(proc / "self/status") if line[:7] == "VmSize:"), 0)
        yield limit - used


def _groups(proc: Path, cgroups: Path, controller: str) -> Iterator[Path]:
    """The folders of the control groups that this process is in, from its own to the outermost."""
    for line in _lines(proc / "self/cgroup"):
        _, controllers, path, *_ = [*line.split(":", 2), "", ""]
        if controllers and controller not in controllers.split(","):
            continue
        root = cgroups / controller if controllers else cgroups
        inner = root / path.lstrip("/")
        yield from (group for group in (inner, *inner.parents) if group == root or root in group.parents)


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []


def _words(file: Path) -> list[str]:
    return " ".join(_lines(file)).split()


def check_memory(needed: int, what: str, remedy: str) -> None:
    """Raise OptionError if ``needed`` bytes will not fit into the free memory, before work that would end there."""
    free = available_memory()
    if free is not None and needed > free * (1 - _KEPT_FREE):
        told = f"{needed / _GIB:.1f} GiB of memory, and {free / _GIB:.1f} GiB are free"
        raise OptionError(f"{what} need {told}; {remedy}")


def counting_memory() -> int | None:
    """Bytes that counting may use before it goes over files: most of what is free; None if that is not known."""
    free = available_memory()
    return None if free is None else max(int(free * _FOR_COUNTING), 1)

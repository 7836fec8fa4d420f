"""What a result depends on besides the code: the machine and the versions of the packages."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("windrow", "numba", "numpy", "scipy", "gensim", "fasttext-community", "word2vec", "kenlm", "nltk", "torch")


def describe_machine() -> dict[str, Any]:
    """Processor, cores, memory and system, and the load when the benchmark began."""
    return {
        "cpu": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": platform.platform(),
        "load_at_start": round(os.getloadavg()[0], 2),
    }


def versions() -> dict[str, str]:
    """Python's version and those of the packages that are compared; "absent" for those not installed."""
    return {"python": platform.python_version(), **{name: version_of(name) for name in PACKAGES}}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def version_of(package: str) -> str:
    """The version that is installed, or "absent"."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"

"""Public names that are imported on first use (PEP 562), so that a package costs nothing until one is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any

from windrow._renamed import RENAMED, warn_renamed


def lazy_names(
    package: str, homes: Mapping[str, str], modules: Iterable[str] = ()
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """``__getattr__`` and ``__dir__`` of a package: public name -> its module, and names of submodules.

    A name of before, in ``RENAMED``, warns and gives what it is now.
    """
    submodules = frozenset(modules)

    def get(name: str) -> Any:
        if name in submodules:
            return import_module(f"{package}.{name}")
        if (old := f"{package}.{name}") in RENAMED:
            warn_renamed(old)
            return get(RENAMED[old][0].rpartition(".")[2])
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(homes[name]), name)

    return get, lambda: sorted([*homes, *submodules])

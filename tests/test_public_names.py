"""Public names, all in one list: one leaves it only after a minor release in which it warned."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

import windrow
from windrow._renamed import RENAMED

LIST = Path(__file__).with_name("public_names.txt")
ROOMS = (
    *(
        "classification",
        "compat.gensim",
        "compat.kenlm",
        "corpus",
        "distributed",
        "embeddings",
        "errors",
        "evaluation",
        "lm",
        "nn",
        "phrases",
        "sklearn",
    ),
    *("tagging", "viz"),
)


def public_names() -> list[str]:
    """Names in ``__all__``; of a module without one, those that do not begin with an underscore and are its own."""
    modules = [windrow, *(importlib.import_module(f"windrow.{room}") for room in ROOMS)]
    names = []
    for module in modules:
        own = [name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__]
        shown = getattr(module, "__all__", [name for name in own if not name.startswith("_")])
        names += [f"{module.__name__}.{name}" for name in shown]
    return sorted(names)


def test_public_names_are_those_listed():
    listed = LIST.read_text("utf-8").split()
    assert public_names() == sorted(listed)


@pytest.mark.parametrize("name", LIST.read_text("utf-8").split())
def test_each_public_name_is_there(name):
    module, _, attribute = name.rpartition(".")
    assert getattr(importlib.import_module(module), attribute) is not None


@pytest.mark.parametrize("old", RENAMED)
def test_an_old_name_works_and_warns(old):
    new, package = RENAMED[old][0], old.rpartition(".")[0]
    sys.modules.pop(old, None)
    vars(importlib.import_module(package)).pop(old.rpartition(".")[2], None)
    with pytest.warns(DeprecationWarning, match=f"{old} is now {new}; the old name goes with windrow"):
        found = pkgutil.resolve_name(old)

    now = pkgutil.resolve_name(new)
    if isinstance(now, ModuleType):  # a module of the old name gives what the new one holds
        assert all(vars(found)[name] is value for name, value in vars(now).items() if not name.startswith("_"))
    else:
        assert found is now

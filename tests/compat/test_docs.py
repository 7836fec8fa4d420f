"""The examples in docstrings of the package run; those of pages are in tests/test_pages.py."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import windrow.compat.gensim
import windrow.embeddings

MODULES = [
    found.name
    for package in (windrow.compat.gensim, windrow.embeddings)
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    if not found.ispkg and ".kernels." not in found.name
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_docstrings(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert not doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS).failed

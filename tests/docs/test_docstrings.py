"""The examples in docstrings run as they are written."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

import windrow

PACKAGE = Path(windrow.__file__).parent
MODULES = [
    ".".join(["windrow", *source.relative_to(PACKAGE).with_suffix("").parts])
    for source in sorted(PACKAGE.rglob("*.py"))
    if ">>> " in source.read_text("utf-8")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run_as_written(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert result.attempted > 0
    assert result.failed == 0


def test_there_are_examples() -> None:
    assert {"windrow.lm.scoring", "windrow.embeddings.word2vec", "windrow.nn.graph", "windrow.models"} <= set(MODULES)

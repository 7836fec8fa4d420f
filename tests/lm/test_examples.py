"""The examples in docstrings of language models."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

import windrow.lm

ROOM = Path(windrow.lm.__file__).parent
SOURCES = [path for path in sorted(ROOM.rglob("*.py")) if ">>> " in path.read_text("utf-8")]


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.relative_to(ROOM).as_posix())
def test_examples_run_as_written(source):
    name = ".".join(["windrow.lm", *source.relative_to(ROOM).with_suffix("").parts])

    result = doctest.testmod(importlib.import_module(name))

    assert result.attempted > 0
    assert result.failed == 0


def test_there_are_examples():
    assert {"base.py", "generation.py", "mixture.py"} <= {path.name for path in SOURCES}

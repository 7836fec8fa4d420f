"""Marks that follow from where a test is."""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of kernels carry the mark ``kernels``, so that they can be run again for other processors."""
    for item in items:
        if {"kernels", "numeric", "outputs", "recurrent", "steps"} & set(item.path.relative_to(TESTS).parts):
            item.add_marker("kernels")

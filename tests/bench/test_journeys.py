"""How far a step of each training travels through the files; a bound that is passed is a detour, to be mended there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"
# training -> files, changes of file
BOUNDS = {"mlp": (11, 24), "lstm": (15, 32), "window": (16, 34), "tagger": (19, 47), "word2vec": (8, 733)}


@pytest.fixture(scope="module")
def printed() -> dict[str, str]:
    """What is printed of each journey: its line, then a line per file."""
    command = [sys.executable, str(BENCH / "journeys.py"), *BOUNDS]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {part.split()[0]: part for part in re.split(r"^(?=\w)", text, flags=re.MULTILINE) if part}


@pytest.mark.parametrize("name", BOUNDS)
def test_a_step_goes_no_further_than_it_did(name: str, printed: dict[str, str]) -> None:
    _, files, _, changes, *_ = printed[name].split()
    assert 0 < int(files) <= BOUNDS[name][0], printed[name]
    assert int(files) <= int(changes) <= BOUNDS[name][1], printed[name]

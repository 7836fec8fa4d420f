"""How far a step of each training travels through the files; a bound that is passed is a detour, to be mended there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"
# training -> files, changes of file; of word2vec one file, inputs.py, is for words that have several input rows
BOUNDS = {"mlp": (11, 24), "lstm": (15, 32), "window": (16, 34), "tagger": (19, 47), "word2vec": (10, 812)}


@pytest.mark.parametrize("name", BOUNDS)
def test_a_step_goes_no_further_than_it_did(name: str) -> None:
    command = [sys.executable, str(BENCH / "journeys.py"), name]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    files, changes = int(printed[1]), int(printed[3])
    assert 0 < files <= BOUNDS[name][0], " ".join(printed)
    assert files <= changes <= BOUNDS[name][1], " ".join(printed)

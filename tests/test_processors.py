"""Vectors of 16 also work where registers are narrower: small tests again, compiled for any x86-64 processor."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# .ci/processors runs all of them.
SMALL_TESTS = [
    "tests/numeric/test_tiles.py",
    *(f"tests/numeric/test_simd.py::test_{name}" for name in ("exp", "log", "totals")),
]


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="only x86-64 can imitate older ones")
def test_kernels_agree_on_narrow_registers():
    command = [sys.executable, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider", *SMALL_TESTS]
    environment = os.environ | {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}

    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stdout[-5000:] + result.stderr[-2000:]
    assert " passed" in result.stdout

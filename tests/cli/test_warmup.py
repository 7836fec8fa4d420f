"""`windrow warmup`."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from windrow.cli import main

ROOT = Path(__file__).parents[2]


def python(*arguments: str, **variables: str) -> str:
    """What a process without other tests' kernels prints."""
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_DISABLE_JIT"} | variables
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_leaves_nothing_to_compile_and_no_kernel_calls_python(tmp_path: Path) -> None:
    """No command afterwards needs a kernel, or a signature of one, that was not in memory after ``windrow warmup``.

    And no kernel returns what Numba makes in Python, where a signal handler that raises would crash the process.
    """
    assert json.loads(python("-m", "tests.cli.after_warmup", str(tmp_path))) == {"missing": {}, "boxed": []}


def test_it_compiles_into_the_cache_folder(tmp_path: Path) -> None:
    code = "from windrow.numeric.jit import CACHE_DIR; print(CACHE_DIR)"
    assert python("-c", code, WINDROW_CACHE_DIR=str(tmp_path)).startswith(str(tmp_path))
    result = CliRunner().invoke(main, ["warmup"])
    assert result.exit_code == 0
    assert re.match(r"All kernels compiled in [\d.]+ s", result.stderr)

"""Every kernel also runs as plain Python: small tests again, in a process without the compiler."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SMALL_TESTS = [
    "tests/numeric",
    *(str(folder) for folder in sorted((ROOT / "tests").rglob("kernels"))),
    "tests/corpus/test_numbering.py::test_files_of_any_bytes",
    "tests/outputs/test_tree.py",
    "tests/embeddings/steps/test_naive_agreement.py::TestSmall",
    "tests/embeddings/steps/test_contract.py",
    "tests/embeddings/kernels/test_chunk_drawer.py::test_chunks_are_the_naive_ones",
    "tests/lm/ngram/test_counting.py::test_equals_the_naive_count",
    "tests/lm/ngram/test_table.py",
    "tests/nn/recurrent/test_layer.py",
]
# Without the compiler NumPy calls BLAS, and warns when that has raised a processor's flag. Seen once where a test lets
# it write over NaN, which it may read but does not use; the products were right, and they are compared.
_OF_BLAS = ("-W", "ignore:invalid value encountered in dot:RuntimeWarning")


def test_kernels_agree_without_the_compiler():
    command = [sys.executable, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider", *_OF_BLAS, *SMALL_TESTS]
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}

    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stdout[-5000:] + result.stderr[-2000:]
    assert " passed" in result.stdout
    assert "skipped" not in result.stdout

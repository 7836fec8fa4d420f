"""Without extras the first page and the demo run, and whatever needs an extra names it in a line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import tests


def test_a_missing_extra_is_named(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.cli.without_extras", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(tests.__file__).parents[1],
    )
    assert done.returncode == 0, done.stderr  # the page and the demo ran
    told = json.loads(done.stdout.splitlines()[-1])
    assert {extra for _, extra, *_ in told} == {"viz", "sklearn", "parquet", "zst", "remote", "autotune", "ray"}
    for typed, extra, status, said in told:
        assert status == 1, typed
        assert said.splitlines()[-1].startswith("Error: "), (typed, said)
        assert "Traceback" not in said, (typed, said)
        assert f"pip install 'windrow[{extra}]'" in said.splitlines()[-1], (typed, said)

"""A command that is interrupted while it works on Ray says so in a line, and leaves nothing: no process, no file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import tests

_PATIENCE = 60  # seconds for Ray to start and to end


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder for temporary files whose name has room for Ray's sockets below it."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


def command_lines(folder: Path) -> list[str]:
    """Of the processes that have their temporary files in a folder, or name it; other tests' Ray has another one."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line, variables = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
        except OSError:  # it has just ended
            continue
        if str(folder).encode() in line + variables:
            found.append(line.replace(b"\0", b" ").decode())
    return found


def wait_until(holds: Callable[[], object], what: str) -> None:
    end = time.monotonic() + _PATIENCE
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.1)


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_corpus(needs_ray, short_folder, tmp_path, number):
    text = tmp_path / "text.txt"
    text.write_text("a line\n" * 100_000)  # 17 minutes
    command = [sys.executable, "-m", "windrow", "corpus", "build", text, "-o", tmp_path / "corpus"]
    options = ["--tokenizer", "tests.distributed.parts:slowly", "--ray", "local", "--ray-workers", "1"]
    root = str(Path(tests.__file__).parents[1])
    environment = {**os.environ, "TMPDIR": str(short_folder), "PYTHONPATH": f"{root}{os.pathsep}{root}/src"}
    with subprocess.Popen([*command, *options], env=environment, stderr=subprocess.PIPE, text=True) as run:
        wait_until(
            lambda: any("ray::number_shard" in line for line in command_lines(short_folder)) or run.poll(),
            "no part began",
        )
        run.send_signal(number)
        _, said = run.communicate(timeout=_PATIENCE)

    assert (run.returncode, said) == (128 + number, "Interrupted: nothing was written\n")
    assert [path.name for path in tmp_path.iterdir()] == ["text.txt"]
    wait_until(lambda: not command_lines(short_folder), "processes of Ray are left")
    assert not list((short_folder / "ray").glob("session_2*"))

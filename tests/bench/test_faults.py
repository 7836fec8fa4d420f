"""How ``bench/faults.py`` tells what a stopped command has lost, tried on commands that do lose it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

import fault_commands
import faults
from fault_commands import COMMANDS, TRAINERS, Command, content
from faults import Ended, Place
from fuzz_options import commands
from harness import BenchError
from windrow.files import model_file

# Writes its output after a while; keeps a state at once; is interrupted as it should be, or as told.
SCRIPT = """
import os, signal, sys, time
from pathlib import Path
place, manner = Path(sys.argv[1]), sys.argv[2]
state = Path(str(place) + ".checkpoint")
def stop(number, frame):
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, signal.SIG_IGN)
    if manner == "traceback":
        raise RuntimeError
    if manner == "leaves":
        Path(os.environ["TMPDIR"], "left").touch()
    print("Interrupted: the state is kept", file=sys.stderr)
    os._exit(128 + number if manner != "status" else 1)
for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(one, stop)
if "--resume" not in sys.argv:
    state.write_text("a")
time.sleep(0.5)
place.write_text("whole" if manner != "forgets" or "--resume" not in sys.argv else "half")
state.unlink()
"""


@dataclass(frozen=True)
class Stub(Command):
    script: str = ""

    def arguments(self, inputs: Path, folder: Path, *, resume: bool = False) -> list[str]:
        resumed = ["--resume"] if resume else []
        return [sys.executable, "-S", "-c", SCRIPT, str(folder / self.output), self.words, *resumed]


def once_there_is_a_state(process: subprocess.Popen[bytes], _: float, place: Place) -> bool:
    while process.poll() is None and not (place.output / "out.checkpoint").exists():
        time.sleep(0.002)
    return process.poll() is None


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "runs").mkdir()
    return Place(tmp_path, tmp_path / "runs")


@pytest.mark.parametrize(("manner", "lost"), [("well", 0), ("forgets", 3)])
def test_kills(manner: str, lost: int, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TRAINERS, "stub", Stub(manner, "out", resumes=True))
    monkeypatch.setattr(faults, "still_runs", once_there_is_a_state)

    found = faults.try_kills("stub", 3, place, seed=1)

    assert (found.kills, found.resumed, len(found.lost)) == (3, 3, lost)


@pytest.mark.parametrize(
    ("manner", "fault"),
    [
        ("well", None),
        ("status", "status 1, Interrupted"),
        ("traceback", "a traceback"),
        ("leaves", "left in TMPDIR: left"),
        ("forgets", "resumed to another result"),
    ],
)
def test_signals(manner: str, fault: str | None, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMMANDS, "stub", Stub(manner, "out", resumes=True))
    monkeypatch.setattr(faults, "still_runs", once_there_is_a_state)

    found = faults.try_signals("stub", 1, place, seed=1)

    assert found.row()["signals"] == 6
    if fault is None:
        assert found.row()["interrupted"] == 6, found.faults
    else:
        assert found.row()["lost"] == 6
        assert all(fault in told for told in found.faults), found.faults


def ended(status: int, stderr: str = "", left: tuple[str, ...] = (), had_begun: bool = True) -> Ended:
    return Ended(status, stderr, list(left), had_begun)


@pytest.mark.parametrize(
    ("how", "judged"),
    [
        (ended(143, "Warning: x\n\nInterrupted: nothing was written\n"), "interrupted"),
        (ended(0), "status 0, but the output is not whole"),
        (ended(143), "status 143, without a word"),
        (ended(130, "Interrupted: x\n"), "status 130, Interrupted: x"),
        (ended(143, "Interrupted: x\nInterrupted: x\n"), "status 143, Interrupted: x"),
        (ended(-11), "status -11, without a word"),
        (ended(-15, had_begun=False), "before the program"),
        (ended(-11, had_begun=False), "status -11, without a word"),
        (ended(143, "Interrupted: x\n", ("windrow-1",)), "left in TMPDIR: windrow-1"),
        (ended(143, "Traceback (most recent call last)\nKeyboardInterrupt\n"), "a traceback: KeyboardInterrupt"),
    ],
)
def test_how_an_end_is_judged(how: Ended, judged: str, place: Place) -> None:
    faults.begin(place)
    assert faults.judge(how, signal.SIGTERM, Command("x", "out"), place, {"": b"whole"}) == judged


def test_parts_beside_the_output_are_found(place: Place) -> None:
    faults.begin(place)
    (place.output / ".out.1.part").touch()
    found = faults.judge(ended(143, "Interrupted: x\n"), signal.SIGTERM, Command("x", "out"), place, {})
    assert found == "left beside the output: .out.1.part"


def test_a_command_that_fails_undisturbed_is_no_test(place: Place) -> None:
    with pytest.raises(BenchError, match="status 2 without any fault"):
        faults.undisturbed(Command("nosuch", "out"), place)


def test_files_are_compared_but_for_times(tmp_path: Path) -> None:
    def write(name: str, seconds: float, loss: float) -> dict[str, bytes]:
        model_file.save(tmp_path / name, "x", {}, {"history": [{"seconds": seconds, "loss": loss}]})
        return content(tmp_path / name)

    assert write("a", 1.0, 0.5) == write("b", 2.0, 0.5)
    assert write("a", 1.0, 0.5) != write("b", 1.0, 0.25)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "ids").write_bytes(b"1")
    assert content(tmp_path / "folder") == {"ids/": b"1"}
    assert content(tmp_path / "missing") == {}


def stops(words: tuple[str, ...], commands: Iterable[Command], option: str = "") -> bool:
    """Whether one of the commands is called by these words, and with this option."""
    given = [one.words.split() for one in commands]
    return any(tuple(line[: len(words)]) == words and (not option or option in line) for line in given)


def test_every_command_of_the_program_is_stopped() -> None:
    """But for those that need the network or a screen, the compilation of everything, and the demonstration."""
    missing = {" ".join(words) for words in commands() if not stops(words, COMMANDS.values())}
    assert missing <= {"corpus fetch", "corpus list", "demo", "explore", "warmup", "vectors fetch"}


def test_every_command_that_trains_is_killed() -> None:
    """New, continued, and with the resuming that it has."""
    for words, command in commands().items():
        options = {name for parameter in command.params for name in parameter.opts}
        if words[-1] in ("train", "build", "phrases", "mix") or "train" in words:
            assert stops(words, TRAINERS.values()), words
        if "--resume" in options:
            assert stops(words, [one for one in TRAINERS.values() if one.resumes]), words
        if "--continue-from" in options:
            assert stops(words, TRAINERS.values(), "--continue-from"), words


def test_the_tables_sum_up() -> None:
    kills = [{"command": name, "kills": 2, "resumed": 1, "lost": 0, "left": 3, "what": []} for name in "ab"]
    signals = [
        {"command": "a", "signals": 6, "interrupted": 3, "finished": 2, "before the program": 1, "lost": 0, "what": []}
    ]
    table = faults.table(kills, signals)
    assert "| all | 4 | 2 | 0 | 6 |" in table
    assert "| all | 6 | 3 | 2 | 1 | 0 |" in table
    assert fault_commands.TRAINERS.keys() <= COMMANDS.keys()

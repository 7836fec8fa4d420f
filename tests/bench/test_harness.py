from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

import harness
from harness import BenchError, Case, Measure, Side
from tables import markdown

# What the fake sides do, in a module that the children import.
FAKES = '''
import os
from pathlib import Path

def speak(log, name, values, seed=0):
    """Append the name to the log; the figure is the next of the values."""
    path = Path(log)
    spoken = path.read_text().split() if path.exists() else []
    path.write_text(" ".join([*spoken, name]))
    return {"seconds": 0.5, "rate": values[spoken.count(name)], "seed": seed}

def environment(names):
    return {"seconds": 1, **{name: int(os.environ[name]) for name in names}}

def allocate(mb):
    held = b"x" * (mb * 1_000_000)
    return {"seconds": 1, "bytes": len(held)}

def fail():
    raise ValueError("the text is\\nempty")

def die():
    os.kill(os.getpid(), 9)
'''
RATE = Measure("rate", "words/s")


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The module of fakes, and a lock of this test's own."""
    (tmp_path / "fakes.py").write_text(FAKES)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def speaker(folder: Path, name: str, values: list[float], **more: Any) -> Side:
    return Side(name, "fakes:speak", {"log": str(folder / "log"), "name": name, "values": values}, **more)


def measured(folder: Path, sides: list[Side], what: Measure = RATE, rounds: int = 3) -> dict[str, Any]:
    return harness.measure(
        "Who speaks faster?", what, [Case("speaking", sides)], rounds=rounds, settings={}, output=folder / "out"
    )


def run_python(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program that may import what bench/ and ``folder`` hold."""
    path = os.pathsep.join([str(Path(harness.__file__).parent), str(folder)])
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)


def test_sides_take_turns(tmp_path: Path) -> None:
    measured(tmp_path, [speaker(tmp_path, "ours", [1, 2, 3]), speaker(tmp_path, "theirs", [1, 2, 3])])
    assert (tmp_path / "log").read_text().split() == ["ours", "theirs"] * 3


def test_the_ratio_is_the_median_of_ratios_not_the_ratio_of_medians(tmp_path: Path) -> None:
    # Medians 20 and 8: their ratio is 2.5. Round by round: 10 / 2, 20 / 8, 60 / 10.
    record = measured(tmp_path, [speaker(tmp_path, "ours", [10, 20, 60]), speaker(tmp_path, "theirs", [2, 8, 10])])
    ours, theirs = record["summary"]
    assert (ours["medians"]["rate"], theirs["medians"]["rate"]) == (20, 8)
    assert theirs["ratio"] == {"median": 5.0, "min": 2.5, "max": 6.0}
    assert "ratio" not in ours


def test_fewer_seconds_are_faster(tmp_path: Path) -> None:
    seconds = Measure("rate", "seconds", higher_is_better=False)
    record = measured(tmp_path, [speaker(tmp_path, "ours", [2]), speaker(tmp_path, "theirs", [8])], seconds, 1)
    assert record["summary"][1]["ratio"]["median"] == 4


def test_differences_are_taken_round_by_round(tmp_path: Path) -> None:
    what = Measure("rate", "seconds", higher_is_better=False, compare="difference")
    record = measured(tmp_path, [speaker(tmp_path, "cold", [5, 9, 7]), speaker(tmp_path, "warm", [4, 2, 1])], what)
    assert record["summary"][1]["difference"] == {"median": 6, "min": 1, "max": 7}


def test_an_absent_side_is_in_the_json_and_in_the_table(tmp_path: Path) -> None:
    absent = speaker(tmp_path, "theirs", [], absent="theirs is not installed")
    record = measured(tmp_path, [speaker(tmp_path, "ours", [1, 1, 1]), absent])
    row = {"case": "speaking", "side": "theirs", "status": "absent", "reason": "theirs is not installed"}
    assert record["summary"][1] == row
    assert "| theirs | absent: theirs is not installed |" in markdown(record)
    assert (tmp_path / "log").read_text().split() == ["ours"] * 3


def test_without_its_first_side_a_case_has_figures_and_no_ratio(tmp_path: Path) -> None:
    absent = speaker(tmp_path, "ours", [], absent="no such thing")
    record = measured(tmp_path, [absent, speaker(tmp_path, "theirs", [7])], rounds=1)
    assert record["summary"][1]["medians"]["rate"] == 7
    assert "ratio" not in record["summary"][1]


def test_the_json_holds_all_that_was_measured(tmp_path: Path) -> None:
    record = measured(tmp_path, [speaker(tmp_path, "ours", [3, 1], seeded=True)], rounds=2)
    written = json.loads((tmp_path / "out.json").read_text())
    assert written == json.loads(json.dumps(record))
    for key in ("question", "command", "settings", "machine", "versions", "rounds", "summary"):
        assert key in written, key
    assert written["settings"]["rounds"] == 2
    assert written["versions"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert written["machine"]["cores"] == os.cpu_count()
    runs = [one["runs"]["ours"] for one in written["rounds"]]
    assert [(run["rate"], run["seed"]) for run in runs] == [(3, 1), (1, 2)]
    for run in runs:
        assert run["seconds"] == 0.5
        assert run["wall_seconds"] > run["cpu_seconds"] / 2 > 0


def test_a_run_has_the_threads_it_was_given() -> None:
    figures = harness.run(Side("ours", "fakes:environment", {"names": list(harness.THREAD_VARIABLES)}, threads=3))
    assert {figures[name] for name in harness.THREAD_VARIABLES} == {3}


def test_peak_memory_is_that_of_the_run_alone(tmp_path: Path) -> None:
    # Measured from a small process, as the scripts are: this one's own peak would count for its children.
    sides = "(Side('a', 'fakes:allocate', {'mb': mb}) for mb in (300, 1))"
    done = run_python(f"from harness import *; print(*(run(side)['peak_mb'] for side in {sides}))", tmp_path)
    large, small = map(float, done.stdout.split())
    assert 300 < large < 300 + small
    assert small < 100


def test_a_command_is_timed_as_a_whole() -> None:
    figures = harness.run(Side("sleeper", [sys.executable, "-c", "import time; time.sleep(0.2)"]))
    assert figures["seconds"] == figures["wall_seconds"] >= 0.2


@pytest.mark.parametrize(
    ("job", "reason"),
    [
        ("fakes:fail", "ValueError: the text is empty"),
        ("fakes:die", "killed by SIGKILL"),
        ("fakes:nothing", "AttributeError: module 'fakes' has no attribute 'nothing'"),
        ([sys.executable, "-c", "import sys; print('first'); sys.exit('Error: last')"], "Error: last"),
    ],
)
def test_a_failing_run_is_told_in_one_line(tmp_path: Path, job: str | list[str], reason: str) -> None:
    with pytest.raises(BenchError) as caught:
        measured(tmp_path, [speaker(tmp_path, "ours", [1]), Side("theirs", job)])
    assert str(caught.value) == f"speaking, round 1, theirs: {reason}"


def test_a_script_with_a_failing_run_ends_with_one_line_and_status_1(tmp_path: Path) -> None:
    case = "Case('case', [Side('ours', 'fakes:fail')])"
    options = f"rounds=1, settings={{}}, output=Path({str(tmp_path / 'out')!r})"
    program = f"from harness import *; script(lambda: measure('?', Measure('seconds', 's'), [{case}], {options}))"
    done = run_python(program, tmp_path)
    assert done.returncode == 1
    assert done.stderr == "Error: case, round 1, ours: ValueError: the text is empty\n"
    assert not (tmp_path / "out.json").exists()


def test_nothing_is_measured_while_another_measures(tmp_path: Path) -> None:
    with harness.session() as folder:
        assert folder.is_dir()
        for measures_time in (True, False):
            refused = pytest.raises(BenchError, match="another benchmark is running")
            with refused, harness.session(measures_time=measures_time):
                pass
    assert not folder.exists()
    with harness.session(measures_time=False), harness.session(measures_time=False):
        pass
    with (tmp_path / "windrow-bench.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_the_process_that_measures_imports_no_library() -> None:
    """Its memory would count towards the peak of its children."""
    bench = Path(harness.__file__).parent
    measure_no_memory = ("quality", "recipe", "report", "digits", "distortions", "small_corpora")
    of_workers = ("fuzz_coverage", "fuzz_readers", "fuzz_seeds")  # which other processes import
    scripts = sorted(path.stem for path in bench.glob("*.py") if path.stem not in measure_no_memory + of_workers)
    loaded = "import sys; print(sorted({'numpy', 'numba', 'gensim', 'matplotlib', 'windrow'} & set(sys.modules)))"
    program = f"import {', '.join(scripts)}; {loaded}"
    done = run_python(program, bench)
    assert done.stdout == "[]\n"


def test_a_command_is_told_without_the_folders_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "sys.argv", [str(Path(harness.__file__).with_name("ngram.py")), "--data", "/a/b/data", "-n", "3"]
    )

    assert harness.header("?", {})["command"] == "python bench/ngram.py --data data -n 3"

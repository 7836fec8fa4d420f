"""How ``bench/fuzz.py`` damages files, and counts what becomes of them; that crashes and endless files are caught."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

import fuzz
from fuzz_mutations import change_model, mutate, unsigned
from fuzz_options import INPUTS, command_line, commands, write_inputs
from fuzz_readers import READERS, sound_files
from fuzz_worker import Counts, Finding, Trial, asked_for_memory, memory_limit
from harness import BenchError
from windrow.errors import WindrowError
from windrow.files import model_file

TEXT = b"the cat 1.5 2\nsat 3 4\n" * 3

# Does not know any reader: notes a file, and at the third one ends by a signal, or does not end.
STUB = """
import json, os, signal, sys, time
sys.path.insert(0, {bench!r})
from fuzz_worker import Counts
from pathlib import Path
job = json.loads(sys.argv[1])
folder = Path(job["folder"])
counts = Counts.read(folder / "progress")
(folder / "input" / "files").mkdir(parents=True, exist_ok=True)
counts.write(folder / "progress")
while counts.done < job["inputs"]:
    (folder / "input" / "files" / "a").write_text(f"file {{counts.done}}")
    time.sleep(0.05)
    if counts.done == 2:
        {end}
    counts.accepted += 1
    counts.done += 1
    counts.write(folder / "progress")
"""


def test_the_same_dice_make_the_same_file_and_another_one() -> None:
    made = [mutate(TEXT, Random(number), [b"other\n"]) for number in range(200)]

    assert made == [mutate(TEXT, Random(number), [b"other\n"]) for number in range(200)]
    assert len(set(made)) > 150


@pytest.mark.parametrize("reader", ["vectors, safetensors", "checkpoint, tagger"])
def test_most_changes_of_a_model_file_leave_a_file_that_can_be_read(reader: str, tmp_path: Path) -> None:
    data, *_ = sound_files(reader)[0].values()
    read, other = 0, 0
    for number in range(100):
        (tmp_path / "m").write_bytes(change_model(data, Random(number)))
        try:
            stored = model_file.load(tmp_path / "m")
        except WindrowError:
            continue
        read += 1
        (tmp_path / "sound").write_bytes(data)
        sound = model_file.load(tmp_path / "sound")
        other += repr(stored) != repr(sound)
    assert read > 50
    assert other > 25


def test_checksums_go_and_nothing_else() -> None:
    assert unsigned({"kind": "x", "sha256": 1, "crc32_of": {}, "checksums": [], "config": 2}) == {
        "kind": "x",
        "config": 2,
    }
    assert unsigned([1]) == [1]


def test_command_lines_are_of_every_command_and_name_files_that_are_there(tmp_path: Path) -> None:
    lines = [command_line(Random(number)) for number in range(600)]
    words = {words for words in commands() if any(line[: len(words)] == [*words] for line in lines)}
    write_inputs(tmp_path)

    assert words == commands().keys()
    assert {name for name in INPUTS if not (tmp_path / name).exists()} == {"missing", "-"}
    assert not any(argument.startswith(("/", "http", "..")) for line in lines for argument in line)


def test_memory_is_limited_and_given_back() -> None:
    with memory_limit(64), pytest.raises(MemoryError):
        bytearray(1 << 30)
    assert len(bytearray(100 << 20)) == 100 << 20


def test_an_error_that_was_made_of_one_of_memory_is_known() -> None:
    try:
        try:
            raise MemoryError
        except MemoryError as error:
            raise WindrowError("damaged") from error
    except WindrowError as error:
        assert asked_for_memory(error)
    assert not asked_for_memory(WindrowError("damaged"))


def test_each_way_of_taking_a_file_is_counted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = iter([None, WindrowError("one line"), KeyError("x"), AssertionError("nan"), MemoryError(), None])

    def ask(path: Path) -> None:
        outcome = next(outcomes)
        if outcome is not None:
            raise outcome
        time.sleep(0.3 if next(outcomes, 1) == 1 else 0)

    trial = Trial("similarity", tmp_path, 0.1)
    outcomes = iter([None, 0, WindrowError("one line"), KeyError("x"), AssertionError("nan"), MemoryError(), None])
    monkeypatch.setattr("fuzz_readers.quietly", lambda _, path: ask(path))
    for _ in range(6):
        trial.take({"s": b"x"})

    counts = Counts.read(tmp_path / "progress")
    found = [json.loads(line)["kind"] for line in (tmp_path / "findings.jsonl").read_text().splitlines()]
    assert (counts.done, counts.accepted, counts.refused, counts.tracebacks) == (6, 1, 1, 1)
    assert (counts.wrong, counts.memory, counts.slow) == (1, 1, 1)
    assert found == ["traceback", "wrong", "memory", "slow"]


def test_files_of_findings_are_shortened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(_: object, path: Path) -> None:
        if b"xy" in path.read_bytes():
            raise KeyError("found")

    trial = Trial("similarity", tmp_path, 10)
    monkeypatch.setattr("fuzz_readers.quietly", ask)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "input"))
    trial.take({"s": b"0123456789" * 5 + b"xy" + b"0123456789" * 7})
    trial.finish()

    findings = [json.loads(line) for line in (tmp_path / "findings.jsonl").read_text().splitlines()]
    assert Path(findings[0]["file"]).read_bytes() == b"xy"
    assert [finding["kind"] for finding in findings] == ["traceback", "traceback", "left"]


def job(**changed: object) -> fuzz.Job:
    values = {
        "inputs": 6,
        "seed": 1,
        "memory_mb": 256,
        "seconds": 10,
        "engine": "own",
        "ends_at": time.monotonic() + 60,
    }
    return fuzz.Job(**{**values, **changed})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("end", "seconds", "counted"),
    [("os.kill(os.getpid(), signal.SIGSEGV)", 10, (1, 0)), ("time.sleep(60)", 0.3, (0, 1)), ("os.abort()", 10, (1, 0))],
)
def test_a_file_that_ends_its_process_or_never_ends(
    end: str, seconds: float, counted: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stub.py").write_text(STUB.format(bench=str(Path(fuzz.__file__).parent), end=end))
    monkeypatch.setattr(fuzz, "WORKER", tmp_path / "stub.py")
    monkeypatch.setattr(fuzz, "_file_of", lambda _: "a")

    result = fuzz.run_reader("stub", job(seconds=seconds), tmp_path / "run")

    assert (result.crashes, result.counts.slow) == counted
    assert (result.counts.done, result.counts.accepted, result.failed) == (6, 5, "")
    assert [Path(finding.file).read_text() for finding in result.findings] == ["file 2"]


def test_a_worker_that_fails_is_no_crash_of_windrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stub.py").write_text("1 / 0")
    monkeypatch.setattr(fuzz, "WORKER", tmp_path / "stub.py")

    result = fuzz.run_reader("stub", job(), tmp_path / "run")

    assert "ZeroDivisionError" in result.failed
    assert result.crashes == 0


def test_a_run_ends_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stub.py").write_text(STUB.format(bench=str(Path(fuzz.__file__).parent), end="time.sleep(60)"))
    monkeypatch.setattr(fuzz, "WORKER", tmp_path / "stub.py")

    result = fuzz.run_reader("stub", job(ends_at=time.monotonic() + 1), tmp_path / "run")

    assert result.counts.done < 6


def test_a_small_run_writes_its_table(tmp_path: Path) -> None:
    script = Path(fuzz.__file__)
    arguments = ["--inputs", "25", "--readers", "similarity", "registry", "--engine", "own", "--workers", "1"]
    places = ["-o", str(tmp_path / "fuzz"), "--findings", str(tmp_path / "findings")]
    subprocess.run([sys.executable, str(script), *arguments, *places], check=True, capture_output=True)

    record = json.loads((tmp_path / "fuzz.json").read_text())
    for row in record["rows"]:
        taken = ("accepted", "refused", "tracebacks", "wrong", "memory", "crashes", "slow")
        assert row["done"] == 25 == sum(row[name] for name in taken)
        assert row["refused"] > 0
    assert "| all | 50 |" in (tmp_path / "fuzz.md").read_text()


def test_findings_are_kept_with_what_they_say(tmp_path: Path) -> None:
    (tmp_path / "arpa-1").write_bytes(b"data")
    result = fuzz.Result(
        "arpa", "own", findings=[Finding("arpa", "crash", "crash: SIGSEGV", "told", str(tmp_path / "arpa-1"))]
    )

    kept = fuzz.keep_findings([result], tmp_path / "kept")

    assert kept == [{"reader": "arpa", "cause": "crash: SIGSEGV", "file": "arpa-1"}]
    assert (tmp_path / "kept" / "arpa-1").read_bytes() == b"data"
    assert "told" in (tmp_path / "kept" / "arpa-1.txt").read_text()


def test_readers_are_chosen_by_the_beginning_of_their_names() -> None:
    assert fuzz.chosen(["arpa"]) == ["arpa", "arpa, gzip"]
    assert fuzz.chosen(None) == [*READERS, "options"]
    with pytest.raises(BenchError, match="there is no reader 'nosuch'"):
        fuzz.chosen(["nosuch"])

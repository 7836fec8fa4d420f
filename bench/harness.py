"""Measures several ways of doing one job. What every script of this folder does, once.

Each run is a process of its own, so that its peak memory is its own and nothing is warm from the run before. The sides
take turns (A B A B ...), so that a slow minute of the machine meets all of them; a ratio compares two runs of the same
round, and what is reported is the median of these ratios. A side that cannot run here is reported as absent.
This process stays small: it imports nothing but the standard library until all is measured, since the memory that a
process had before it became another program counts towards the peak that the system reports for it.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

from machine import describe_machine, versions

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)
RESULTS = Path(__file__).parent / "results"

Figures = dict[str, float]  # of one run, by name
Record = dict[str, Any]  # what a script writes as JSON


class BenchError(Exception):
    """A benchmark that cannot go on; its text is one line."""


@dataclass(frozen=True)
class Side:
    """One way of doing the job.

    ``job``: "module:function" of this folder, called with ``arguments`` (plain JSON data) in a new process and
    returning figures, ``seconds`` among them; or a command, as a list. ``threads`` is what numerical libraries may
    use. ``seeded``: the function also takes ``seed``, the number of the round. ``absent``: why it cannot run here.
    """

    name: str
    job: str | list[str]
    arguments: dict[str, Any] = field(default_factory=dict)
    threads: int = 1
    environment: dict[str, str] = field(default_factory=dict)
    seeded: bool = False
    absent: str = ""


@dataclass(frozen=True)
class Case:
    """Sides that do the same job; the first is compared with each of the others. ``rounds``: other than the rest."""

    name: str
    sides: list[Side]
    rounds: int | None = None


@dataclass(frozen=True)
class Measure:
    """Which figure is compared, by ratio or by difference, and which others the table shows."""

    figure: str
    unit: str
    higher_is_better: bool = True
    compare: str = "ratio"
    columns: tuple[str, ...] = ("peak_mb",)


# --- one run


def run(side: Side, number: int = 1) -> Figures:
    """Run a side once; its figures, with ``wall_seconds``, ``cpu_seconds`` and ``peak_mb`` of the whole process."""
    variables = dict.fromkeys(THREAD_VARIABLES, str(side.threads))
    with tempfile.TemporaryDirectory(prefix="windrow-bench-") as folder:
        result, printed = Path(folder) / "result.json", Path(folder) / "printed.txt"
        command = side.job if isinstance(side.job, list) else _child_command(side, number, result)
        with printed.open("wb") as output:
            started = time.perf_counter()
            process = subprocess.Popen(
                command, stdout=output, stderr=output, env={**os.environ, **variables, **side.environment}
            )
            _, status, usage = os.wait4(process.pid, 0)
            wall_seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        figures = json.loads(result.read_text()) if result.exists() else {}
        if process.returncode != 0:
            reason = figures.get("error") or _last_line(printed) or _how_it_ended(process.returncode)
            raise BenchError(f"{side.name}: {reason}")
    peak_bytes = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {
        "seconds": wall_seconds,
        **figures,
        "wall_seconds": wall_seconds,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_mb": peak_bytes / 1e6,
    }


def prepare(job: str, **arguments: Any) -> Figures:
    """Run a function of this folder untimed, in a process of its own, so that this one stays small."""
    return run(Side(job, job, arguments))


def _child_command(side: Side, number: int, result: Path) -> list[str]:
    arguments = {**side.arguments, "seed": number} if side.seeded else side.arguments
    return [sys.executable, __file__, "--child", str(side.job), json.dumps(arguments), str(result)]


def _last_line(printed: Path) -> str:
    lines = printed.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _how_it_ended(status: int) -> str:
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


def child(job: str, arguments: str, result: str) -> None:
    """What runs in the new process: call the function and leave its figures, or its error, in a file."""
    module, _, function = job.partition(":")
    try:
        figures = getattr(import_module(module), function)(**json.loads(arguments)) or {}
    except Exception as error:
        figures = {"error": " ".join(f"{type(error).__name__}: {error}".split())}
    Path(result).write_text(json.dumps(figures))
    sys.exit("error" in figures)


# --- many runs


@contextmanager
def session(*, measures_time: bool = True) -> Iterator[Path]:
    """A scratch folder, and a lock: nothing else is measured on this machine meanwhile.

    Scripts that do not measure time may run beside one another, but not beside one that does.
    """
    with (Path(tempfile.gettempdir()) / "windrow-bench.lock").open("a") as lock:
        try:
            fcntl.flock(lock, (fcntl.LOCK_EX if measures_time else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BenchError("another benchmark is running on this machine; wait until it has ended") from error
        with tempfile.TemporaryDirectory(prefix="windrow-bench-") as folder:
            yield Path(folder)


def header(question: str, settings: dict[str, Any]) -> Record:
    """What every result starts with: the question, the command, the settings, the machine, the versions."""
    # Where folders lie on this machine is nobody else's business.
    given = [Path(argument).name if Path(argument).is_absolute() else argument for argument in sys.argv[1:]]
    command = shlex.join(["python", os.path.relpath(sys.argv[0], Path(__file__).parents[1]), *given])
    return {
        "question": question,
        "command": command,
        "settings": settings,
        "machine": describe_machine(),
        "versions": versions(),
    }


def measure(
    question: str,
    what: Measure,
    cases: Sequence[Case],
    *,
    rounds: int,
    settings: dict[str, Any],
    output: Path,
) -> Record:
    """Run all sides of each case in turn, ``rounds`` times; write ``output``.json after each case."""
    record: Record = {**header(question, {**settings, "rounds": rounds}), "measure": asdict(what)}
    record |= {"rounds": [], "summary": [], "notes": []}
    for case in cases:
        done: list[Record] = []
        for number in range(1, (case.rounds or rounds) + 1):
            runs = {}
            for side in case.sides:
                if not side.absent:
                    runs[side.name] = _run_of_case(case, side, number)
                    shown = runs[side.name][what.figure]
                    print(f"{case.name}, round {number}, {side.name}: {shown:,.4g} {what.unit}", file=sys.stderr)
            done.append({"case": case.name, "round": number, "runs": runs})
        record["rounds"] += done
        record["summary"] += summarise(case, [one["runs"] for one in done], what)
        write_json(record, output)
    return record


def _run_of_case(case: Case, side: Side, number: int) -> Figures:
    try:
        return run(side, number)
    except BenchError as error:
        raise BenchError(f"{case.name}, round {number}, {error}") from error


def summarise(case: Case, rounds: Sequence[dict[str, Figures]], what: Measure) -> list[dict[str, Any]]:
    """A row a side: the median of each figure, and how the first side compares with it, round by round."""
    rows: list[dict[str, Any]] = []
    first = case.sides[0]
    for side in case.sides:
        if side.absent:
            rows.append({"case": case.name, "side": side.name, "status": "absent", "reason": side.absent})
            continue
        runs = [figures[side.name] for figures in rounds]
        row: dict[str, Any] = {"case": case.name, "side": side.name, "status": "measured"}
        row["medians"] = {figure: median(one[figure] for one in runs) for figure in runs[0]}
        if side is not first and not first.absent:
            pairs = [(figures[first.name][what.figure], figures[side.name][what.figure]) for figures in rounds]
            row[what.compare] = _spread([_compared(ours, theirs, what) for ours, theirs in pairs])
        rows.append(row)
    return rows


def _compared(ours: float, theirs: float, what: Measure) -> float:
    """How many times as good the first side is, or by how much its figure is higher."""
    if what.compare == "difference":
        return ours - theirs
    return ours / theirs if what.higher_is_better else theirs / ours


def _spread(values: list[float]) -> Figures:
    return {"median": median(values), "min": min(values), "max": max(values)}


@contextmanager
def cancelled_by_interrupts(pool: Executor) -> Iterator[None]:
    """Within, an interrupt ends a script once the jobs of the pool end that have begun."""
    try:
        yield
    except KeyboardInterrupt as error:
        pool.shutdown(cancel_futures=True)
        raise BenchError("interrupted; nothing was written") from error


# --- writing


def write_json(record: Record, output: Path) -> None:
    """Write ``output``.json."""
    output.parent.mkdir(parents=True, exist_ok=True)
    output.with_name(output.name + ".json").write_text(json.dumps(record, indent=1) + "\n")


def write_result(record: Record, output: Path, plot: Callable[[Record, Path], None] | None = None) -> None:
    """Write the record as JSON, as a Markdown table and as a plot (bars, unless ``plot`` draws another)."""
    from tables import markdown

    write_json(record, output)
    text = markdown(record)
    output.with_name(output.name + ".md").write_text(text)
    print(text)
    try:
        from plots import bars

        (plot or bars)(record, output.with_name(output.name + ".png"))
    except ImportError as error:
        print(f"no plot: {error}; pip install 'windrow[viz]'", file=sys.stderr)


# --- command lines


def argument_parser(description: str | None, name: str, *, rounds: int = 3) -> argparse.ArgumentParser:
    """The options that all scripts share."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--rounds", type=int, default=rounds, help=f"how often every side runs (default: {rounds})")
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / name, help="without an extension")
    return parser


def add_text_options(parser: argparse.ArgumentParser, *, words: int | None = None) -> None:
    """Where the data lie, and how many words of the text to use."""
    parser.add_argument("--data", type=Path, default=os.environ.get("WINDROW_DATA"), help="default: $WINDROW_DATA")
    parser.add_argument("--words", type=int, default=words, help=f"of the text (default: {words or 'all'})")


def data_folder(arguments: argparse.Namespace, *needed: str) -> Path:
    """The folder with the data; BenchError unless it holds the files that are needed."""
    if arguments.data is None:
        raise BenchError("give --data or set WINDROW_DATA: the folder with wiki100m.txt (see bench/README.md)")
    for name in needed:
        if not (arguments.data / name).is_file():
            raise BenchError(f"{arguments.data / name} is missing; see bench/README.md for what the folder holds")
    return Path(arguments.data)


def script(main: Callable[[], None]) -> None:
    """Run a script; what goes wrong in a benchmark is one line and exit status 1."""
    try:
        main()
    except BenchError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    if len(sys.argv) != 5 or sys.argv[1] != "--child":
        sys.exit("Error: harness.py is run by the other scripts of this folder, see README.md")
    child(*sys.argv[2:])

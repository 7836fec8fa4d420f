"""Does windrow take damaged files as it should: refused in one line, or answering as sound ones do?

    python bench/fuzz.py                                          # 4,000 files of each reader
    python bench/fuzz.py --readers arpa ngram --inputs 100000
    python bench/fuzz.py --replay arpa bench/results/fuzz-findings/arpa-0123abcd

A reader is whatever opens a file or a command line (fuzz_readers.py, fuzz_options.py). Small sound files of each
(fuzz_seeds.py) are damaged in ways that know their structure (fuzz_mutations.py), and with atheris also by what they
reach in the code (fuzz_coverage.py; ``pip install atheris``). Each reader runs in processes of its own
(fuzz_worker.py), with limits on memory and time for each file; one that ends by a signal, or does not end, is counted
and begun again behind the file. The files of all findings are kept, one for each cause.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fuzz_worker import OPTIONS, Counts, Finding, keep
from harness import RESULTS, BenchError, Record, cancelled_by_interrupts, header, script, session, write_json
from tables import measured_on

WORKER = Path(__file__).with_name("fuzz_worker.py")
_HARD_LIMIT = 4  # times the time that a file may take, after which its process is ended from outside
_START_SECONDS = 120  # for imports, and for kernels that must be compiled
COLUMNS = {"done": "inputs", "accepted": "accepted", "refused": "refused in one line", "tracebacks": "tracebacks",
           "wrong": "wrong answers", "memory": "out of memory", "crashes": "crashes", "slow": "time-outs"}  # fmt: skip


@dataclass
class Result:
    """What came of one reader's files."""

    reader: str
    engine: str
    counts: Counts = field(default_factory=Counts)
    crashes: int = 0
    findings: list[Finding] = field(default_factory=list)
    failed: str = ""  # what went wrong with the trying itself

    def row(self) -> dict[str, Any]:
        counts = asdict(self.counts)
        return {
            "reader": self.reader,
            **counts,
            "crashes": self.crashes,
            "most_mb": round(counts.pop("most_kb") / 1024, 1),
        }


@dataclass(frozen=True)
class Job:
    """How files are tried."""

    inputs: int
    seed: int
    memory_mb: int
    seconds: float
    engine: str
    ends_at: float  # of time.monotonic()


def run_reader(name: str, job: Job, folder: Path) -> Result:
    """Try the files of one reader, in as many processes as it takes."""
    folder.mkdir()
    result = Result(name, job.engine)
    while result.counts.done < job.inputs and time.monotonic() < job.ends_at:
        status = _run_process(name, job, folder)
        result.counts = Counts.read(folder / "progress")
        if status == "done":
            break
        if status == "failed":
            result.failed = f"{name}: the worker failed: {(folder / 'printed').read_text()[-2000:]}"
            break
        if status == "time is up":
            break
        _note_end(name, status, folder, result)
    result.findings = _findings(folder)
    return result


def _run_process(name: str, job: Job, folder: Path) -> str:
    """How a process ended: "done", "slow", "time is up", "failed" by a fault of its own, or a signal."""
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    orders = {**asdict(job), "reader": name, "folder": str(folder)}
    began = folder / "progress"
    stamp = began.stat().st_mtime_ns if began.exists() else 0
    with (folder / "printed").open("wb") as printed:
        process = subprocess.Popen(
            [sys.executable, str(WORKER), json.dumps(orders)],
            stdin=subprocess.DEVNULL, stdout=printed, stderr=printed,
            env={**os.environ, "TMPDIR": str(temporary), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )  # fmt: skip
        try:
            ended = _wait(process, job, began, stamp)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
    if ended:
        return ended
    if process.returncode == 0:
        return "done"
    has_begun = began.exists() and began.stat().st_mtime_ns != stamp
    return signal.Signals(-process.returncode).name if has_begun and process.returncode < 0 else "failed"


def _wait(process: subprocess.Popen[bytes], job: Job, began: Path, stamp: int) -> str:
    """Wait for a process as long as it goes on; "" when it has ended by itself."""
    last, since = stamp, time.monotonic()
    while process.poll() is None:
        now = began.stat().st_mtime_ns if began.exists() else 0
        if now != last:
            last, since = now, time.monotonic()
        allowed = _START_SECONDS if last == stamp else _HARD_LIMIT * job.seconds
        if time.monotonic() > job.ends_at:
            return "time is up"
        if time.monotonic() - since > allowed:
            return "slow"
        time.sleep(0.02)
    return ""


def _note_end(name: str, status: str, folder: Path, result: Result) -> None:
    """A file ended its process, or would not end: keep it, count it, and go on behind it."""
    file = folder / "input" / "files" / _file_of(name)
    kind = "slow" if status == "slow" else "crash"
    cause = f"{kind}: {'killed after its time' if kind == 'slow' else status}"
    told = (folder / "printed").read_text("utf-8", "replace")[-2000:]
    keep(folder, Finding(name, kind, cause, told), file.read_bytes() if file.is_file() else b"")
    result.crashes += kind == "crash"
    result.counts.slow += kind == "slow"
    result.counts.done += 1
    result.counts.write(folder / "progress")


def _file_of(name: str) -> str:
    from fuzz_readers import READERS

    return READERS[name].file if name in READERS else ""


def _findings(folder: Path) -> list[Finding]:
    """The findings with the shortest file for each cause."""
    path = folder / "findings.jsonl"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return list({finding.cause: finding for finding in (Finding(**json.loads(line)) for line in lines)}.values())


# --- reporting


def table(rows: Sequence[dict[str, Any]]) -> str:
    """A row a reader, and their sums."""
    lines = [f"| reader | {' | '.join(COLUMNS.values())} | most MB |", f"|---|{'---:|' * (len(COLUMNS) + 1)}"]
    total = {name: sum(row[name] for row in rows) for name in COLUMNS}
    most = max((row["most_mb"] for row in rows), default=0)
    lines += [
        f"| {row['reader']} | {' | '.join(f'{row[name]:,}' for name in COLUMNS)} | {row['most_mb']:,} |"
        for row in [*rows, {"reader": "all", **total, "most_mb": most}]
    ]
    return "\n".join(lines) + "\n"


def keep_findings(results: Sequence[Result], target: Path) -> list[dict[str, str]]:
    """Copy the files of all findings; what is said of each."""
    kept = []
    for finding in (finding for result in results for finding in result.findings):
        target.mkdir(parents=True, exist_ok=True)
        place = target / Path(finding.file).name
        shutil.copyfile(finding.file, place)
        place.with_name(place.name + ".txt").write_text(f"{finding.reader}\n{finding.cause}\n\n{finding.told}\n")
        kept.append({"reader": finding.reader, "cause": finding.cause, "file": place.name})
    return kept


def replay(name: str, file: Path) -> None:
    """Give one file to its reader again, with the traceback."""
    if name == OPTIONS:
        from fuzz_options import run_command

        return run_command(json.loads(file.read_text()))
    from fuzz_readers import READERS, put, sound_files

    if name not in READERS:
        raise BenchError(f"there is no reader {name!r}; there are {'; '.join([*READERS, OPTIONS])}")
    with session(measures_time=False) as folder:
        place = folder / "files"
        put({**sound_files(name)[0], READERS[name].file: file.read_bytes()}, place)
        READERS[name].ask(place / READERS[name].file)
    return print("accepted")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--inputs", type=int, default=4000, help="files for each reader (default: 4000)")
    parser.add_argument("--readers", nargs="+", metavar="NAME", help="default: all; a beginning of a name will do")
    parser.add_argument("--minutes", type=float, default=90, help="end then, whatever is done (default: 90)")
    parser.add_argument("--seconds", type=float, default=10, help="that one file may take (default: 10)")
    parser.add_argument("--memory-mb", type=int, default=256, help="that one file may take (default: 256)")
    parser.add_argument(
        "--engine", choices=["auto", "atheris", "own"], default="auto", help="auto: atheris if it is there"
    )
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count(), help="processes at a time (default: as many as cores)"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--replay", nargs=2, metavar=("READER", "FILE"), help="give one file to its reader again")
    parser.add_argument("--findings", type=Path, default=RESULTS / "fuzz-findings", help="folder for files of findings")
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "fuzz", help="without an extension")
    return parser.parse_args()


def chosen(asked: Sequence[str] | None) -> list[str]:
    """The readers whose names are asked for, or begin so."""
    from fuzz_readers import READERS

    names = [*READERS, OPTIONS]
    for one in asked or []:
        if not any(name.startswith(one) for name in names):
            raise BenchError(f"there is no reader {one!r}; there are {'; '.join(names)}")
    return [name for name in names if not asked or name.startswith(tuple(asked))]


def engine(asked: str) -> str:
    """ "atheris" or "own"."""
    is_there = importlib.util.find_spec("atheris") is not None
    if asked == "atheris" and not is_there:
        raise BenchError("atheris is not installed: pip install atheris, or --engine own")
    return "atheris" if is_there and asked != "own" else "own"


def main() -> None:
    arguments = parse_arguments()
    if arguments.replay:
        return replay(arguments.replay[0], Path(arguments.replay[1]))
    names, started = chosen(arguments.readers), time.monotonic()
    job = Job(arguments.inputs, arguments.seed, arguments.memory_mb, arguments.seconds, engine(arguments.engine),
              started + 60 * arguments.minutes)  # fmt: skip
    settings = {name: value for name, value in asdict(job).items() if name != "ends_at"}
    record: Record = header("Damaged files and command lines: how they are taken", settings)
    with session(measures_time=False) as folder, ThreadPoolExecutor(arguments.workers) as pool:
        running = [pool.submit(run_reader, name, job, folder / str(n)) for n, name in enumerate(names)]
        results = []
        with cancelled_by_interrupts(pool):
            for one in running:
                results.append(one.result())
                causes = [finding.cause for finding in results[-1].findings]
                print(json.dumps(results[-1].row()), causes, file=sys.stderr, flush=True)
        findings = keep_findings(results, arguments.findings)
    rows = [result.row() for result in results]
    record |= {"minutes": round((time.monotonic() - started) / 60, 1), "rows": rows, "findings": findings}
    record["table"] = table(rows) + "\n" + explanation(record)
    write_json(record, arguments.output)
    arguments.output.with_name(arguments.output.name + ".md").write_text(f"{record['table']}\n{measured_on(record)}\n")
    print(record["table"])
    for failed in filter(None, (result.failed for result in results)):
        raise BenchError(failed)
    return None


def explanation(record: Record) -> str:
    """What the columns mean."""
    settings = record["settings"]
    how = (
        "chosen by what they reach in the code (atheris), and damaged" if settings["engine"] == "atheris" else "damaged"
    )
    return (
        f"Files are {how} by changes that know their structure. Accepted: what is asked of the file is answered, and "
        f"answers are finite and agree. Out of memory: more than {settings['memory_mb']} MB asked for, whatever became "
        f"of it; most MB: what one file took. Time-outs: longer than {settings['seconds']:g} s. "
        f"{record['minutes']:g} minutes.\n"
    )


if __name__ == "__main__":
    script(main)

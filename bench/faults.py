"""Does a command that is stopped lose anything?

    python bench/faults.py                       # 20 kills of each trainer, and signals to every command
    python bench/faults.py --only "lm train" --kills 5 --signals 0

**Kills.** Each trainer is killed (SIGKILL) at a random moment, then repeated, with --resume where it has that and there
is something to resume; what it has written then is compared with that of a run which nothing disturbed.

**Signals.** SIGINT, SIGTERM and SIGHUP are sent to each command at random moments, once or three times. It may end
with one line "Interrupted: ..." and 128 + the signal's number, leave nothing but its state, and be resumed to the
undisturbed result; or, with its output whole, with 0. A signal that comes before windrow's program has begun to run may
end Python as the system does; such runs are counted apart.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from fault_commands import COMMANDS, TRAINERS, Command, content, fresh, left_over, write_inputs
from harness import RESULTS, BenchError, Record, Side, cancelled_by_interrupts, header, run, script, session, write_json
from tables import measured_on

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LIMIT = 300  # seconds of any run
_GOOD = ("interrupted", "finished", "before the program")


@dataclass
class Ended:
    """How a run ended."""

    status: int
    stderr: str
    left: list[str]  # in the folder for temporary files
    had_begun: bool = True  # when the signal came


@dataclass
class Place:
    """The folders of one command's runs."""

    inputs: Path
    folder: Path
    ends_at: float = float("inf")  # of time.monotonic(), for all of its runs

    @property
    def is_time(self) -> bool:
        """Whether another run may begin."""
        return time.monotonic() < self.ends_at

    @property
    def output(self) -> Path:
        return self.folder / "out"

    @property
    def temporary(self) -> Path:
        return self.folder / "tmp"


def start(command: Command, place: Place, *, resume: bool = False) -> subprocess.Popen[bytes]:
    """Start a command; its output and errors go to files."""
    stdin = (place.inputs / command.stdin).open("rb") if command.stdin else subprocess.DEVNULL
    with contextlib.ExitStack() as stack:
        if command.stdin:
            stack.enter_context(stdin)  # type: ignore[arg-type]
        printed, told = (stack.enter_context((place.folder / name).open("wb")) for name in ("stdout", "stderr"))
        return subprocess.Popen(
            command.arguments(place.inputs, place.output, resume=resume),
            stdin=stdin, stdout=printed, stderr=told, env={**os.environ, "TMPDIR": str(place.temporary)},
        )  # fmt: skip


def end(process: subprocess.Popen[bytes], place: Place, *, had_begun: bool = True) -> Ended:
    """Wait for it."""
    try:
        status = process.wait(_LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        status = process.wait()
    left = sorted(path.name for path in place.temporary.iterdir())
    return Ended(status, (place.folder / "stderr").read_text("utf-8", "replace"), left, had_begun)


def written(command: Command, place: Place) -> dict[str, bytes]:
    """What the command has written: its output, or what it printed."""
    return content(place.output / command.output) if command.output else content(place.folder / "stdout")


def begin(place: Place) -> None:
    fresh(place.output)
    fresh(place.temporary)


def undisturbed(command: Command, place: Place) -> tuple[dict[str, bytes], float]:
    """What it writes, and how long it takes."""
    begin(place)
    started = time.monotonic()
    ended = end(start(command, place), place)
    if ended.status != 0 or not written(command, place):
        raise BenchError(f"{command.words}: status {ended.status} without any fault: {ended.stderr[-300:]}")
    return written(command, place), time.monotonic() - started


def resumed(command: Command, place: Place) -> Ended:
    """Repeat the command, with --resume if it has kept a state."""
    state = place.output / f"{Path(command.output).name}.checkpoint"
    state_there = state.exists() or any(place.output.glob("*.checkpoint"))
    return end(start(command, place, resume=command.resumes and state_there), place)


# --- kills


@dataclass
class Kills:
    """What came of the kills of one trainer."""

    name: str
    kills: int = 0
    resumed: int = 0  # those after which there was a state to go on from
    lost: list[str] = field(default_factory=list)
    left: int = 0  # files of killed runs that the next run has not removed

    def row(self) -> dict[str, Any]:
        return {"command": self.name, "kills": self.kills, "resumed": self.resumed, "lost": len(self.lost),
                "left": self.left, "what": self.lost[:3]}  # fmt: skip


def try_kills(name: str, count: int, place: Place, seed: int) -> Kills:
    """Kill a trainer ``count`` times while it runs; each time it is run again to the end."""
    command, dice, result = TRAINERS[name], Random(f"{seed}/{name}"), Kills(name)
    undisturbed(command, place)  # the first run may be slow: it finds nothing in memory
    expected, seconds = undisturbed(command, place)
    for number in range(10 * count):
        if result.kills == count or not place.is_time:
            break
        begin(place)
        process = start(command, place)
        if command.resumes and number % 4:  # three of four when there is something to go on from
            _wait_for_state(process, place)
            killed = _killed(process, dice.uniform(0, 0.3) * seconds, place)
        else:
            killed = _killed(process, dice.uniform(0, 1) * seconds, place)
        if not killed:
            continue  # it was faster this time
        result.kills += 1
        result.resumed += any(place.output.glob("*.checkpoint"))
        ended = resumed(command, place)
        if ended.status != 0:
            result.lost.append(f"status {ended.status}: {ended.stderr.strip()[-300:]}")
        elif written(command, place) != expected:
            result.lost.append("another result")
        result.left += len(ended.left) + len(left_over(place.output))
    return result


def _wait_for_state(process: subprocess.Popen[bytes], place: Place) -> None:
    while process.poll() is None and not any(place.output.glob("*.checkpoint")):
        time.sleep(0.002)


def _killed(process: subprocess.Popen[bytes], seconds: float, place: Place) -> bool:
    """Kill after a while; False if it has ended before."""
    if not still_runs(process, seconds, place):
        return False
    process.kill()
    return process.wait() == -signal.SIGKILL


def still_runs(process: subprocess.Popen[bytes], seconds: float, _: Place) -> bool:
    """Whether it runs after a while."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
        return False
    return True


# --- signals


@dataclass
class Signals:
    """What came of the signals to one command."""

    name: str
    how: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        return {"command": self.name, "signals": sum(self.how.values()), **{name: self.how[name] for name in _GOOD},
                "lost": self.how["fault"], "what": self.faults[:3]}  # fmt: skip


def try_signals(name: str, count: int, place: Place, seed: int) -> Signals:
    """Send each signal ``count`` times once, and ``count`` times three times."""
    command, dice, result = COMMANDS[name], Random(f"{seed}/signals/{name}"), Signals(name)
    undisturbed(command, place)  # the first run may be slow: it finds nothing in memory
    expected, seconds = undisturbed(command, place)
    for sent in SIGNALS:
        for times in [1, 3] * count if place.is_time else []:
            delay, ended = dice.uniform(0, seconds), None
            while ended is None:
                begin(place)
                ended = _signalled(start(command, place), sent, times, delay, dice, place)
                delay *= 0.9
            how = judge(ended, sent, command, place, expected)
            if how == "interrupted" and command.output:
                how = after_interrupt(command, place, expected)
            result.how[how if how in _GOOD else "fault"] += 1
            if how not in _GOOD:
                result.faults.append(f"{sent.name} x {times} after {delay:.2f} of {seconds:.2f} s: {how}")
    return result


def _signalled(
    process: subprocess.Popen[bytes], sent: signal.Signals, times: int, delay: float, dice: Random, place: Place
) -> Ended | None:
    """Wait, send a signal some times, and wait for the end; None if it has ended before the first one."""
    if not still_runs(process, delay, place):
        return None
    had_begun = _catches(process.pid, signal.SIGTERM)
    for _ in range(times):
        process.send_signal(sent)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(dice.choice([0.001, 0.01, 0.1]))
    return end(process, place, had_begun=had_begun)


def _catches(pid: int, sent: signal.Signals) -> bool:
    """Whether the process handles or ignores a signal, as windrow's program does from its first line on."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        handled = [int(line.split()[1], 16) for line in lines if line.startswith(("SigCgt", "SigIgn"))]
    except (OSError, ValueError):
        return True
    return any(mask >> (sent - 1) & 1 for mask in handled)


def judge(ended: Ended, sent: signal.Signals, command: Command, place: Place, expected: dict[str, bytes]) -> str:
    """ "interrupted", "finished", "before the program", or what is wrong."""
    lines = [line for line in ended.stderr.splitlines() if line.strip()]
    if not ended.had_begun and ended.status in (-sent, 1, 130, 128 + sent):
        return "before the program" if not left_over(place.output) else "parts are left beside the output"
    if "Traceback" in ended.stderr:
        return f"a traceback: {lines[-1][:200]}"
    if ended.left:
        return f"left in TMPDIR: {', '.join(ended.left[:3])}"
    if left_over(place.output):
        return f"left beside the output: {', '.join(left_over(place.output)[:3])}"
    if ended.status == 0:
        return "finished" if written(command, place) == expected else "status 0, but the output is not whole"
    told = [line for line in lines if line.startswith("Interrupted: ")]
    if ended.status == 128 + sent and len(told) == 1 and lines[-1] == told[0]:
        return "interrupted"
    return f"status {ended.status}, {lines[-1][:200] if lines else 'without a word'}"


def after_interrupt(command: Command, place: Place, expected: dict[str, bytes]) -> str:
    """ "interrupted" if the command, repeated, gives the undisturbed result; else what is wrong."""
    if written(command, place) == expected:
        return "interrupted" if command.keeps_best else "interrupted, though the output is whole"
    ended = resumed(command, place)
    if ended.status != 0:
        return f"not resumed: status {ended.status}, {ended.stderr.strip()[-200:]}"
    return "interrupted" if written(command, place) == expected else "resumed to another result"


# --- reporting


def table(kills: Sequence[dict[str, Any]], signals: Sequence[dict[str, Any]]) -> str:
    """A row a command, for kills and for signals."""
    text = ""
    if kills:
        text += "| SIGKILL | kills | with a state to resume | lost | files left |\n|---|---:|---:|---:|---:|\n"
        for row in [*kills, _sums("all", kills)]:
            text += f"| {row['command']} | {row['kills']} | {row['resumed']} | {row['lost']} | {row['left']} |\n"
        text += "\n"
    if signals:
        text += "| SIGINT, SIGTERM, SIGHUP | signals | interrupted | finished | before the program | lost |\n"
        text += "|---|---:|---:|---:|---:|---:|\n"
        for row in [*signals, _sums("all", signals)]:
            cells = " | ".join(str(row[name]) for name in ("signals", *_GOOD, "lost"))
            text += f"| {row['command']} | {cells} |\n"
    return text


def _sums(name: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "command": name,
        **{key: sum(row[key] for row in rows) for key, value in rows[0].items() if isinstance(value, int)},
    }


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--kills", type=int, default=20, help="of each trainer (default: 20)")
    parser.add_argument("--signals", type=int, default=4, help="of each kind, once and three times (default: 4)")
    parser.add_argument("--only", nargs="+", default=[""], metavar="NAME", help="commands whose names begin so")
    parser.add_argument("--minutes", type=float, default=120, help="begin no more runs then (default: 120)")
    parser.add_argument("--sentences", type=int, default=20_000, help="of the training text (default: 20,000)")
    parser.add_argument("--workers", type=int, default=1, help="commands at a time (default: 1)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "faults", help="without an extension")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    trainers, commands = (
        [name for name in table if name.startswith(tuple(arguments.only))] for table in (TRAINERS, COMMANDS)
    )
    settings = {name: getattr(arguments, name) for name in ("kills", "signals", "sentences", "seed")}
    record: Record = header("Commands that are killed or sent a signal: what is lost", settings)
    started = time.monotonic()
    for one in SIGNALS:  # whoever runs in the background, or under nohup, begins with some of them ignored
        signal.signal(one, signal.default_int_handler)
    run(Side("warm-up", [sys.executable, "-m", "windrow", "warmup"]))
    with session(measures_time=False) as folder, ThreadPoolExecutor(arguments.workers) as pool:
        write_inputs(folder / "inputs", arguments.sentences)
        jobs = [(try_kills, name, arguments.kills) for name in trainers if arguments.kills]
        jobs += [(try_signals, name, arguments.signals) for name in commands if arguments.signals]

        def work(number: int) -> dict[str, Any]:
            attempt, name, count = jobs[number]
            place = Place(folder / "inputs", folder / str(number), started + 60 * arguments.minutes)
            row = attempt(name, count, place, arguments.seed).row()
            print(row, file=sys.stderr, flush=True)
            return row

        with cancelled_by_interrupts(pool):
            rows = list(pool.map(work, range(len(jobs))))
    record["kills"] = [row for row in rows if "kills" in row]
    record["signals"] = [row for row in rows if "signals" in row]
    record["minutes"] = round((time.monotonic() - started) / 60, 1)
    record["table"] = table(record["kills"], record["signals"]) + "\n" + EXPLANATION
    write_json(record, arguments.output)
    arguments.output.with_name(arguments.output.name + ".md").write_text(f"{record['table']}\n{measured_on(record)}\n")
    print(record["table"])


EXPLANATION = (
    "Lost: the command, run again (with --resume where it had kept a state), did not give the undisturbed result, byte "
    "for byte but for times; or it ended with another status, more than one line, a traceback, or files left. Files "
    "left: what is in TMPDIR and beside the output after the run that followed the kill.\n"
)


if __name__ == "__main__":
    script(main)

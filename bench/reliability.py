"""The table of what was tried to break windrow, how often, and what was lost: from the results of three scripts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from soak import quarters
from tables import number

NAME = "reliability"  # of the place in README.md
_SCRIPTS = ("fuzz", "faults", "soak")
_FAULTS = {"tracebacks": "tracebacks", "wrong": "wrong answers", "memory": "out of memory", "crashes": "crashes",
           "slow": "time-outs"}  # fmt: skip

Row = tuple[str, str, str]  # what was tried, how often, what was lost


def overview(results: Path) -> str:
    """A row for each kind of attempt, with the command that makes it."""
    lines = ["| what was tried | how often | what was lost | command |", "|---|---|---|---|"]
    for name in _SCRIPTS:
        path = results / f"{name}.json"
        if not path.exists():
            lines.append(f"| bench/{name}.py | not measured yet | | |")
            continue
        record = json.loads(path.read_text())
        for what, how_often, lost in _ROWS[name](record):
            lines.append(f"| {what} | {how_often} | {lost} | `{record['command']}` |")
    return "\n".join(lines)


def _of_fuzz(record: dict[str, Any]) -> Iterator[Row]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in record["rows"]:
        groups.setdefault(_kind(row["reader"]), []).append(row)
    for what, rows in groups.items():
        faults = _counted({name: _sum(rows, key) for key, name in _FAULTS.items()})
        yield what, f"{_sum(rows, 'done'):,}; readers: {len(rows)}", faults


def _kind(reader: str) -> str:
    if reader == "options":
        return "random command lines"
    is_state = reader.startswith("checkpoint")
    return "damaged checkpoints, resumed" if is_state else "damaged files, opened and asked"


def _of_faults(record: dict[str, Any]) -> Iterator[Row]:
    kills, signals = record["kills"], record["signals"]
    if kills:
        lost = _counted({"results": _sum(kills, "lost"), "files left behind": _sum(kills, "left")})
        yield (
            "SIGKILL at a random moment, then resumed or run again",
            f"{_sum(kills, 'kills'):,}; trainers: {len(kills)}",
            lost,
        )
    if signals:
        sent = f"{_sum(signals, 'signals'):,}; commands: {len(signals)}"
        yield "SIGINT, SIGTERM, SIGHUP, once or three times", sent, _counted({"runs": _sum(signals, "lost")})


def _of_soak(record: dict[str, Any]) -> Iterator[Row]:
    settings = record["settings"]
    asked = f"{sum(record['asked'].values()):,} questions in {settings['minutes']:g} minutes"
    faults = _counted({"other answers": sum(record["different"].values()), "threads": len(record["failed"])})
    first, last = quarters(record["resident_mb"])
    yield (
        f"models asked from {settings['threads']} threads at once",
        asked,
        f"{faults}; {number(first)} MB in the first quarter of the time, {number(last)} MB in the last",
    )


def _sum(rows: Sequence[dict[str, Any]], key: str) -> int:
    return sum(row[key] for row in rows)


def _counted(faults: dict[str, int]) -> str:
    """What there was of each; "nothing" for none."""
    return ", ".join(f"{count:,} {name}" for name, count in faults.items() if count) or "nothing"


_ROWS = {"fuzz": _of_fuzz, "faults": _of_faults, "soak": _of_soak}

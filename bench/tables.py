"""The Markdown of a result, from its JSON alone."""

from __future__ import annotations

import math
from typing import Any

HEADINGS = {
    "peak_mb": "peak MB",
    "analogies": "analogies, 0 to 1",
    "ws353": "WS-353",
    "simlex999": "SimLex",
    "men3000_natural": "MEN",
}
RATIO = "Ratio: how many times as fast the first row of a group is; the median of the rounds (lowest to highest)."
DIFFERENCE = "Difference: the first row of a group minus this one; the median of the rounds (lowest to highest)."


def markdown(record: dict[str, Any]) -> str:
    """The table, what its columns mean, and what was measured where."""
    what = record["measure"]
    explained = [RATIO if what["compare"] == "ratio" else DIFFERENCE, *record["notes"]]
    return f"{table(record)}\n\n{' '.join(explained)}\n\n{measured_on(record)}\n"


def table(record: dict[str, Any]) -> str:
    """A row a side, grouped by case."""
    what = record["measure"]
    heads = ["", "", what["unit"], what["compare"], *(HEADINGS.get(name, name) for name in what["columns"])]
    rows = [f"| {' | '.join(heads)} |", f"|---|---|{'---:|' * (len(heads) - 2)}"]
    previous = None
    for row in record["summary"]:
        case = row["case"] if row["case"] != previous else ""
        previous = row["case"]
        rows.append(f"| {case} | {row['side']} | {' | '.join(_cells(row, what))} |")
    return "\n".join(rows)


def _cells(row: dict[str, Any], what: dict[str, Any]) -> list[str]:
    if row["status"] == "absent":
        return [f"absent: {row['reason']}"] + [""] * (1 + len(what["columns"]))
    medians, spread = row["medians"], row.get(what["compare"])
    compared = "{} ({} to {})".format(*(number(spread[name], 3) for name in ("median", "min", "max"))) if spread else ""
    others = [number(medians[name]) if name in medians else "" for name in what["columns"]]
    return [number(medians[what["figure"]]), compared, *others]


def number(value: float, digits: int = 4) -> str:
    """So many digits: four are what a benchmark knows, three what a ratio of two such figures does."""
    if value == 0:
        return "0"
    decimals = digits - 1 - math.floor(math.log10(abs(value)))
    return f"{round(value, decimals):,.{max(decimals, 0)}f}"


def measured_on(record: dict[str, Any]) -> str:
    """The machine, the versions and the command, as a paragraph."""
    machine = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in record["machine"].items())
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    rounds = f" Rounds: {record['settings']['rounds']}." if "rounds" in record["settings"] else ""
    return f"Measured with {versions}; {machine}.{rounds} `{record['command']}`"

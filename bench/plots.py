"""The picture of a result, from its JSON alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tables import HEADINGS


def bars(record: dict[str, Any], path: Path) -> None:
    """A bar a side, grouped by case, the rounds as points; what is absent has its name and no bar."""
    from matplotlib.figure import Figure  # without pyplot: no window, no global state
    from matplotlib.ticker import EngFormatter

    what, rows = record["measure"], record["summary"]
    names = list(dict.fromkeys(row["side"] for row in rows))
    figure = Figure(figsize=(8, 1 + 0.3 * len(rows)), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(record["question"], fontsize=10, wrap=True)
    for place, row in enumerate(rows):
        color = f"C{names.index(row['side']) % 10}"
        if row["status"] == "measured":
            axes.barh(place, row["medians"][what["figure"]], color=color, alpha=0.8)
            points = [
                one["runs"][row["side"]][what["figure"]] for one in record["rounds"] if one["case"] == row["case"]
            ]
            axes.plot(points, [place] * len(points), ".", color="black", markersize=3)
    axes.set_yticks(range(len(rows)), [_label(row) for row in rows], fontsize=8)
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter(EngFormatter())
    axes.set_xlabel(what["unit"])
    figure.savefig(path, dpi=120)


def frontier(record: dict[str, Any], path: Path) -> None:
    """Speed against each score, a point a side; upper right is better."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import EngFormatter

    what = record["measure"]
    rows = [row for row in record["summary"] if row["status"] == "measured"]
    scores = [name for name in what["columns"] if name != "peak_mb"]
    figure = Figure(figsize=(10, 4 * ((len(scores) + 1) // 2)), layout="constrained")
    figure.suptitle(record["question"], fontsize=11)
    for place, score in enumerate(scores, 1):
        axes = figure.add_subplot((len(scores) + 1) // 2, 2, place)
        for row in rows:
            x, y = row["medians"][what["figure"]], row["medians"][score]
            axes.plot(x, y, "o", color="C1" if row["side"] == "gensim" else "C0")
            axes.annotate(
                row["side"].removeprefix("windrow "), (x, y), fontsize=7, xytext=(3, 3), textcoords="offset points"
            )
        axes.margins(x=0.15)
        axes.xaxis.set_major_formatter(EngFormatter())
        axes.set_xlabel(what["unit"])
        axes.set_ylabel(HEADINGS.get(score, score))
    figure.savefig(path, dpi=120)


def _label(row: dict[str, Any]) -> str:
    absent = " (absent)" if row["status"] == "absent" else ""
    return f"{row['case']}: {row['side']}{absent}"

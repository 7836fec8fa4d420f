"""Learning curves: what the reports of a training say, column by column, over its epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_LOSS, _RATE, _SPEED = "mean loss per example", "learning rate", "examples per second"
_NORMS = "gradient norm by layer"
_AXES = {_RATE: "from zero", _SPEED: "from zero", _NORMS: "logarithmic"}  # of numbers; others are "plain"

Rows = Sequence[Mapping[str, Any]]


def curves_of(rows: Rows) -> list[dict[str, Any]]:
    """A curve for each column of the reports: its label with the unit, and its lines by name, a number per epoch.

    A number that a report lacks is None; what no two reports have is no curve.
    """
    measure = next((row["measure"] for row in rows if isinstance(row.get("measure"), str)), "score")
    columns = {"loss": _LOSS, "score": f"{measure} of data held back", "learning_rate": _RATE, "per_second": _SPEED}
    lines = {label: {"": _column(rows, name)} for name, label in columns.items()}
    norms = [found if isinstance(found := row.get("gradient_norms"), dict) else {} for row in rows]
    layers = dict.fromkeys(layer for row in norms for layer in row)
    lines[_NORMS] = {layer: _column(norms, layer) for layer in layers}
    epochs = [place if epoch is None else epoch for place, epoch in enumerate(_column(rows, "epoch"), 1)]
    return [
        {"label": label, "epochs": epochs, "lines": drawn, "axis": _AXES.get(label, "plain")}
        for label, named in lines.items()
        if (drawn := _drawn(named))
    ]


def reported_numbers(row: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of a report by name, those of layers too: a row of a table."""
    norms = row.get("gradient_norms")
    of_layers = {f"gradient of {layer}": norm for layer, norm in norms.items()} if isinstance(norms, dict) else {}
    return {name: value for name, value in {**row, **of_layers}.items() if _is_number(value)}


def _column(rows: Rows, name: str) -> list[float | None]:
    return [value if _is_number(value := row.get(name)) else None for row in rows]


def _drawn(lines: dict[str, list[float | None]]) -> dict[str, list[float | None]]:
    """The lines that have at least two points."""
    return {name: line for name, line in lines.items() if len(line) - line.count(None) > 1}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

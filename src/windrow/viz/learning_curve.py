"""The learning curve of a training, from its log of JSON lines."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from windrow.errors import DataError, FormatError
from windrow.viz import figures

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_EVENTS = ("epoch", "words")


class Record(NamedTuple):
    """One report of a training: after ``words`` raw words, the mean loss of the epoch so far and the learning rate."""

    event: str
    words: float
    loss: float
    alpha: float


def plot_learning_curve(log_json_path: str | os.PathLike[str], path: str | os.PathLike[str] | None = None) -> Figure:
    """Draw loss and learning rate over the words read.

    Parameters
    ----------
    log_json_path : str or path
        A log with one JSON object per line, as ``vectors train --log-json`` writes it; of these the events "epoch" and
        "words" are drawn.
    path : str or path, default None
        Save the picture there, as .png, .svg or .pdf.

    Raises
    ------
    FormatError
        Naming the line, for a malformed log.
    DataError
        When it cannot be read.
    """
    if path is not None:
        figures.check_picture_path(path)
    records = read_log(log_json_path)
    with figures.plain_style():
        figure = _draw(records, Path(log_json_path).name)
    if path is not None:
        figures.save_figure(figure, path)
    return figure


def read_log(path: str | os.PathLike[str]) -> list[Record]:
    """The reports of a log by rising number of words; those that a resumed training gave again replace the first."""
    try:
        lines = Path(path).read_text("utf-8").splitlines()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise FormatError(f"{path} is not a log of JSON lines: it is not UTF-8") from error
    records: list[Record] = []
    for number, line in enumerate(lines, 1):
        record = _read_line(line, f"{path}, line {number}") if line.strip() else None
        if record is None:
            continue
        while records and (record.words < records[-1].words or record[:2] == records[-1][:2]):
            records.pop()
        records.append(record)
    if not records:
        raise FormatError(f"{path} holds no event {' or '.join(_EVENTS)}; was it written by --log-json?")
    return records


def _read_line(line: str, where: str) -> Record | None:
    """The report in a line, or None for another event."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{where}: not JSON ({error}); was the log cut short?") from error
    if not isinstance(entry, dict) or not isinstance(entry.get("event"), str):
        raise FormatError(f'{where}: expected an object with an "event"')
    if entry["event"] not in _EVENTS:
        return None
    return Record(entry["event"], *(_number(entry, key, where) for key in Record._fields[1:]))


def _number(entry: dict[str, Any], key: str, where: str) -> float:
    value = entry.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise FormatError(f'{where}: "{key}" must be a number, not {value!r}')
    return float(value)


def _draw(records: list[Record], name: str) -> Figure:
    figure = figures.new_figure(7, 5)
    layout = {"left": 0.11, "right": 0.97, "top": 0.92, "bottom": 0.11, "hspace": 0.08}
    loss, rate = figure.subplots(2, sharex=True, gridspec_kw={"height_ratios": (3, 1), **layout})
    unit, unit_name = (1e6, "million ") if records[-1].words >= 1e6 else (1.0, "")
    label = "epoch so far"
    for epoch in _epochs(records):
        if len(epoch) > 1:
            loss.plot(*_columns(epoch, unit), color=figures.BLUE, linewidth=1.5, label=label)
            label = "_"  # matplotlib leaves such a line out of the legend
    ends = [record for record in records if record.event == "epoch"]
    if ends:
        loss.plot(*_columns(ends, unit), color=figures.ORANGE, linewidth=1, marker="o", markersize=5, label="epoch")
    rate.plot([record.words / unit for record in records], [record.alpha for record in records], color=figures.GREEN)
    loss.set_title(f"Learning curve, {name}", loc="left", fontsize=11, parse_math=False)
    loss.set_ylabel("mean loss")
    rate.set(xlabel=f"{unit_name}words read", ylabel="learning rate")
    rate.set_ylim(bottom=0)
    for axes in (loss, rate):
        axes.grid(color=figures.PALE, linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
    if loss.lines:
        loss.legend(frameon=False, loc="upper right")
    figure.align_ylabels([loss, rate])
    return figure


def _epochs(records: list[Record]) -> list[list[Record]]:
    """The reports of each epoch: the mean starts anew with each, so that no line may join them."""
    epochs: list[list[Record]] = [[]]
    for record in records:
        epochs[-1].append(record)
        if record.event == "epoch":
            epochs.append([])
    return epochs


def _columns(records: list[Record], unit: float) -> tuple[list[float], list[float]]:
    return [record.words / unit for record in records], [record.loss for record in records]

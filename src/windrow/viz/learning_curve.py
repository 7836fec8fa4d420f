"""The learning curve of a training, from its log of JSON lines."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from windrow.errors import DataError, FormatError
from windrow.files.urls import refuse_url
from windrow.viz import figures

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# What a key of a Report was called in the logs of windrow 0.1, which differ by what was trained.
_OLD_KEYS = {
    "examples": ("words", "tokens"),
    "learning_rate": ("alpha",),
    "score": ("valid_perplexity", "f1"),
}
_EVENTS = {"epoch": "epoch", "progress": "progress", "words": "progress"}


# How pictures and pages call what they draw.
LOSS_BY_EPOCH, LOSS_WITHIN = "loss by epoch", "loss since the epoch began"


def of_held_out(measure: str) -> str:
    """How pictures and pages call the score on data held back."""
    return f"{measure.replace('_', ' ')}, held-out data"


class Record(NamedTuple):
    """One report of a training: the mean loss of the epoch so far, and the learning rate, after some examples."""

    event: str  # "epoch" or "progress"
    examples: float
    loss: float
    learning_rate: float
    score: float | None  # on data held back
    measure: str  # what the score is
    unit: str  # what the examples are, where the log says it
    seconds: float | None = None  # of training so far, where the log says it


def plot_learning_curve(
    log_json_path: str | os.PathLike[str], path: str | os.PathLike[str] | None = None, *, theme: str = "light"
) -> Figure:
    """Draw loss, score and learning rate over the examples trained on.

    Parameters
    ----------
    log_json_path : str or path
        A log with one JSON object per line, as every command with ``--log-json`` writes it, or an earlier version did;
        of these the events "epoch" and "progress" are drawn.
    path : str or path, default None
        Save the picture there, as .png, .svg or .pdf.
    theme : {"light", "dark"}, default "light"
        The colors of the picture.

    Raises
    ------
    OptionError
        The theme or the extension of ``path`` is another one.
    FormatError
        Naming the line, for a malformed log.
    DataError
        When it cannot be read.
    """
    colors = figures.theme_of(theme)
    if path is not None:
        figures.check_picture_path(path)
    records = read_log(log_json_path)
    with figures.plain_style(colors):
        figure = _draw(records, Path(log_json_path).name, colors)
    if path is not None:
        figures.save_figure(figure, path)
    return figure


def read_log(path: str | os.PathLike[str]) -> list[Record]:
    """The reports of a log by rising number of examples; those that a resumed training gave again replace the first."""
    records = as_records(_entries(path))
    if not records:
        raise FormatError(f"{path} holds no event epoch or progress; was it written by --log-json?")
    return records


def as_records(entries: Iterable[tuple[Mapping[str, Any], str]]) -> list[Record]:
    """As ``read_log``, of entries that come each with where it stands; none where no entry is a report."""
    records: list[Record] = []
    for entry, where in entries:
        record = _as_record(entry, where)
        if record is None:
            continue
        while records and (record.examples < records[-1].examples or record[:2] == records[-1][:2]):
            records.pop()
        records.append(record)
    return records


def read_norms(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """The epochs of a log that have gradient norms, as ``plot_gradient_norms`` takes them; of one given again the last.

    FormatError, naming the line, where they are no numbers of the same layers.
    """
    rows: dict[float, dict[str, Any]] = {}
    names: list[str] = []
    for entry, where in _entries(path):
        norms = entry.get("gradient_norms")
        if norms is None:
            continue
        if not isinstance(norms, dict) or (names and list(norms) != names):
            raise FormatError(f'{where}: "gradient_norms" must be an object with a number for each layer')
        names = list(norms)
        epoch = _number(entry, "epoch", where)
        rows[epoch] = {"epoch": epoch, "gradient_norms": {name: _number(norms, name, where) for name in names}}
    return [rows[epoch] for epoch in sorted(rows)]


def _entries(path: str | os.PathLike[str]) -> Iterator[tuple[dict[str, Any], str]]:
    """The objects of a log that have an event, each with where it stands."""
    refuse_url(path)
    try:
        lines = Path(path).read_text("utf-8").splitlines()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise FormatError(f"{path} is not a log of JSON lines: it is not UTF-8") from error
    for number, line in enumerate(lines, 1):
        where = f"{path}, line {number}"
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError) as error:
            if number == 1:
                raise FormatError(f"{path} is no log: line 1 is not JSON; give what --log-json wrote") from error
            raise FormatError(f"{where}: not JSON ({error}); was the log cut short?") from error
        if not isinstance(entry, dict) or not isinstance(entry.get("event", _event_of(entry)), str):
            raise FormatError(f'{where}: expected an object with an "event"')
        yield entry, where


def _as_record(entry: Mapping[str, Any], where: str) -> Record | None:
    """The report in an entry, or None for another event."""
    event = _EVENTS.get(str(entry.get("event", _event_of(entry))))
    if event is None:
        return None
    counted, scored = _key(entry, "examples"), _key(entry, "score")
    return Record(
        event=event,
        examples=_number(entry, counted, where),
        loss=_number(entry, "loss", where),
        learning_rate=_number(entry, _key(entry, "learning_rate"), where),
        score=None if entry.get(scored) is None else _number(entry, scored, where),
        measure=str(entry.get("measure") or scored),
        unit=counted,
        seconds=None if entry.get("seconds") is None else _number(entry, "seconds", where),
    )


def _event_of(entry: Mapping[str, Any]) -> str | None:
    """What a line without an event is: language models and taggers of windrow 0.1 wrote only the ends of epochs."""
    return "epoch" if "epoch" in entry and "loss" in entry else None


def _key(entry: Mapping[str, Any], name: str) -> str:
    """The key under which an entry has a number."""
    return next((key for key in _OLD_KEYS[name] if key in entry), name)


def _number(entry: Mapping[str, Any], key: str, where: str) -> float:
    value = entry.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise FormatError(f'{where}: "{key}" must be a number, not {value!r}')
    return float(value)


def _draw(records: list[Record], name: str, theme: figures.Theme) -> Figure:
    judged = [record for record in records if record.score is not None]
    figure = figures.new_figure(7, 5, theme)
    heights = (3, 2, 1) if judged else (3, 1)
    layout = {"left": 0.11, "right": 0.97, "top": 0.92, "bottom": 0.11, "hspace": 0.08}
    axes = figure.subplots(len(heights), sharex=True, gridspec_kw={"height_ratios": heights, **layout})
    loss, rate = axes[0], axes[-1]
    unit, unit_name = (1e6, "million ") if records[-1].examples >= 1e6 else (1.0, "")
    label = LOSS_WITHIN
    for epoch in _epochs(records):
        if len(epoch) > 1:
            loss.plot(*_columns(epoch, unit, "loss"), color=theme.blue, linewidth=1.5, label=label)
            label = "_"  # matplotlib leaves such a line out of the legend
    ends = [record for record in records if record.event == "epoch"]
    marks = {"color": theme.orange, "linewidth": 1, "marker": "o", "markersize": 5}
    if ends:
        loss.plot(*_columns(ends, unit, "loss"), label=LOSS_BY_EPOCH, **marks)
    if judged:
        axes[1].plot(*_columns(judged, unit, "score"), **marks)
        axes[1].set_ylabel(of_held_out(judged[-1].measure))
    rate.plot(*_columns(records, unit, "learning_rate"), color=theme.green)
    loss.set_title(f"Learning curve, {name}", loc="left", fontsize=11, parse_math=False)
    loss.set_ylabel(f"loss, nats per {records[-1].unit.removesuffix('s')}")
    rate.set(xlabel=f"{unit_name}{records[-1].unit}", ylabel="learning rate")
    rate.set_ylim(bottom=0)
    for part in axes:
        part.grid(color=theme.pale, linewidth=0.6)
        part.spines[["top", "right"]].set_visible(False)
    if loss.lines:
        loss.legend(frameon=False, loc="upper right")
    figure.align_ylabels(list(axes))
    return figure


def _epochs(records: list[Record]) -> list[list[Record]]:
    """The reports of each epoch: the mean starts again with each, so that no line may join them."""
    epochs: list[list[Record]] = [[]]
    for record in records:
        epochs[-1].append(record)
        if record.event == "epoch":
            epochs.append([])
    return epochs


def _columns(records: list[Record], unit: float, name: str) -> tuple[list[float], list[float]]:
    return [record.examples / unit for record in records], [getattr(record, name) for record in records]

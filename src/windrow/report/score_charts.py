"""Charts of scores as SVG within a page: bars with intervals, and cosines by human scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from windrow.report import charts, markup
from windrow.viz import figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH = 6.8  # inches
_ROW = 0.2  # inches per bar
_MARGIN = 0.4  # inches below the bars, for the axis
_NAMES, _PLOT = 0.3, 0.54  # of the width: names to the left, bars; what is left is for notes
_LONGEST = 34  # characters of a name
_SMALLEST_DOT, _LARGEST_DOT = 2.0, 12.0  # square points


class Bar(NamedTuple):
    """A score with its bounds, and what stands beside it; pale where it is of less importance."""

    name: str
    value: float
    interval: tuple[float, float] | None
    note: str
    pale: bool = False


def bars(number: int, title: str, rows: Sequence[Bar], *, emphasized: int = 0) -> str:
    """Horizontal bars from 0, with lines for intervals; the last ``emphasized`` in another color."""
    height = _ROW * len(rows) + _MARGIN
    bottom = (_MARGIN - 0.05) / height

    def draw(axes: Axes, theme: figures.Theme) -> None:
        colors = [theme.grey if one.pale else theme.blue for one in rows]
        colors[len(rows) - emphasized :] = [theme.orange] * emphasized
        axes.barh(range(len(rows)), [one.value for one in rows], color=colors, height=0.62, zorder=2)
        for place, one in enumerate(rows):
            if one.interval is not None:
                axes.plot(
                    one.interval, (place, place), color=theme.ink, linewidth=1, marker="|", markersize=4, zorder=3
                )
            axes.annotate(
                one.note, (1.02, place), xycoords=("axes fraction", "data"), va="center", fontsize=6.5, parse_math=False
            )
        axes.set_yticks(range(len(rows)), [_cut(one.name) for one in rows], parse_math=False)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.axvline(0, color=theme.ink, linewidth=0.6)
        ends = [end for one in rows for end in (one.interval or (one.value, one.value))]
        if min(ends) >= 0:
            axes.set_xlim(0, 1.04 * max(ends) or 1)

    told = "; ".join(f"{one.name} {one.value:.3g}" for one in rows)
    return markup.wide_picture(
        title, charts.svg(number, draw, told, (_WIDTH, height), (_NAMES, bottom, _PLOT, 1 - bottom - 0.02))
    )


def scatter(number: int, title: str, points: Sequence[tuple[float, float]], spearman: float) -> str:
    """A dot for each pair: to the right what people find alike, upward what the vectors do."""
    human, cosines = zip(*points, strict=True)

    def draw(axes: Axes, theme: figures.Theme) -> None:
        size = max(_SMALLEST_DOT, min(_LARGEST_DOT, 4000 / len(points)))
        axes.scatter(human, cosines, s=size, color=theme.blue, alpha=0.55, linewidths=0, zorder=2)
        axes.set(xlabel="score that people gave", ylabel="cosine")

    told = f"{len(points):,} pairs, Spearman's correlation {spearman:.3f}"
    return markup.picture(title, charts.svg(number, draw, told, (3.4, 2.6), (0.16, 0.16, 0.81, 0.8)))


def _cut(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"

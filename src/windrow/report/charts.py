"""The curves of a training as SVG within a page: small ones, side by side or below each other as there is space."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from io import StringIO
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from windrow.errors import one_line
from windrow.report import markup
from windrow.viz import figures
from windrow.viz.learning_curve import LOSS_BY_EPOCH, LOSS_WITHIN, Record, of_held_out

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIZE = (3.4, 2.1)  # inches: what is drawn is about as large on a narrow screen, so that its text can be read
_AXES = (0.18, 0.2, 0.79, 0.74)  # left, bottom, width, height: equal, so that charts below each other are aligned
_MOST_SPEEDS = 60  # points of the curve of speed, each a mean
_HIGHEST_STEP = 50  # ratio of the largest to the smallest number from which on an axis is logarithmic

Box = tuple[float, float, float, float]
Points = tuple[list[float], list[float]]
Draw = Callable[["Axes", figures.Theme], None]


class Line(NamedTuple):
    """The numbers of a chart."""

    title: str
    x: list[float]
    y: list[float]
    is_score: bool = False  # of data held back
    is_marked: bool = False  # with a dot for each number
    starts: Sequence[int] = ()  # where a new piece of the line begins, which nothing joins to the one before


def css_variables() -> str:
    """The colors of pictures as variables of CSS, light and dark."""
    rules = {}
    for name, theme in figures.THEMES.items():
        rules[name] = "; ".join(f"{variable}: {color}" for color, variable in _variables(theme).items())
    return (
        f":root {{ {rules['light']} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {rules['dark']} }} }}"
    )


def curves(records: Sequence[Record], norms: Sequence[dict[str, Any]], unit: str) -> str:
    """The charts of a training: loss, score, learning rate, speed, gradients by layer; empty for a single report."""
    if len(records) < 2:
        return ""
    scale, many = (1e6, "million ") if records[-1].examples >= 1e6 else (1.0, "")
    axis = f"{many}{unit}"
    x = [record.examples / scale for record in records]
    judged = [record for record in records if record.score is not None]
    lines = [
        *_losses(records, scale, unit.removesuffix("s")),
        Line(
            of_held_out(judged[-1].measure) if judged else "",
            [record.examples / scale for record in judged],
            [record.score or 0.0 for record in judged],
            is_score=True,
            is_marked=True,
        ),
        Line("learning rate", x, [record.learning_rate for record in records]),
        Line(f"{unit} per second", *_speeds(records, scale)),
    ]
    charts = [_chart(number, line, axis) for number, line in enumerate(lines) if len(set(line.x)) > 1]
    if len(norms) > 1:
        charts.append(_norms_chart(len(lines), norms))
    return f'<div class="charts">{"".join(charts)}</div>'


def _losses(records: Sequence[Record], scale: float, unit: str) -> list[Line]:
    """The mean loss by epoch, and within epochs where there are reports of these."""
    ends = [record for record in records if record.event == "epoch"]
    found = [
        Line(
            f"{LOSS_BY_EPOCH}, nats per {unit}",
            [r.examples / scale for r in ends],
            [r.loss for r in ends],
            is_marked=True,
        )
    ]
    places = {(record.event, record.examples) for record in ends}
    if any(("epoch", record.examples) not in places for record in records):
        starts = [place for place, record in enumerate(records[:-1], 1) if record.event == "epoch"]
        x, y = [r.examples / scale for r in records], [r.loss for r in records]
        found.append(Line(f"{LOSS_WITHIN}, nats per {unit}", x, y, starts=starts))
    return found


def _speeds(records: Sequence[Record], scale: float) -> Points:
    """Examples per second between reports, at most so many; none where the log does not tell the time."""
    every = max(1, len(records) // _MOST_SPEEDS)
    told = [(record.examples, record.seconds) for record in records if record.seconds is not None]
    told = [(0.0, 0.0), *told[every - 1 :: every]]
    pairs = [(a, b) for a, b in pairwise(told) if b[0] > a[0] and b[1] > a[1]]
    return [b[0] / scale for _, b in pairs], [(b[0] - a[0]) / (b[1] - a[1]) for a, b in pairs]


def _chart(number: int, line: Line, axis: str) -> str:
    from matplotlib.ticker import MaxNLocator

    def draw(axes: Axes, theme: figures.Theme) -> None:
        for start, stop in pairwise([0, *line.starts, len(line.x)]):
            x, y = line.x[start:stop], line.y[start:stop]
            marker = "o" if line.is_marked or len(set(x)) == 1 else None  # of a single point there is no line
            axes.plot(x, y, color=theme.blue, linewidth=1.4, marker=marker, markersize=3.5)
        if line.is_score and min(line.y) > 0 and max(line.y) > _HIGHEST_STEP * min(line.y):
            axes.set_yscale("log")
        elif 0 <= min(line.y) < max(line.y) / 2 or min(line.y) == max(line.y) > 0:
            axes.set_ylim(bottom=0)
        axes.set_xlim(left=0)
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.xaxis.set_major_formatter(_spelled)
        if axes.get_yscale() == "linear":
            axes.yaxis.set_major_formatter(_spelled)
        axes.set_xlabel(axis)

    first, last = (f"{_said(line.y[place])} after {_said(line.x[place])} {axis}" for place in (0, -1))
    return markup.picture(line.title, svg(number, draw, f"{line.title}: from {first} to {last}"))


def _said(value: float) -> str:
    """A number in a sentence."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _spelled(value: float, _: object = None) -> str:
    """A number at a tick."""
    return f"{value:,.10g}"


def _norms_chart(number: int, norms: Sequence[dict[str, Any]]) -> str:
    epochs = [row["epoch"] for row in norms]
    layers = list(norms[0]["gradient_norms"])

    def draw(axes: Axes, theme: figures.Theme) -> None:
        for place, layer in enumerate(layers):
            values = [row["gradient_norms"][layer] for row in norms]
            color = theme.colors[place % len(theme.colors)]
            axes.plot(epochs, values, color=color, linewidth=1.4, marker="o", markersize=3, label=layer)
        axes.set_yscale("log")
        axes.set_xlabel("epoch")
        axes.legend(frameon=False, fontsize=6.5)

    last = ", ".join(f"{layer} {norms[-1]['gradient_norms'][layer]:.3g}" for layer in layers)
    return markup.picture("gradient norm by layer", svg(number, draw, f"after the last epoch: {last}"))


def svg(number: int, draw: Draw, alt: str, size: tuple[float, float] = _SIZE, box: Box = _AXES) -> str:
    """A chart whose colors are variables of CSS, with no name that another one on the page has.

    ``size`` is in inches; ``box`` says where in it the axes are: left, bottom, width and height, each 0..1.
    """
    theme = figures.THEMES["light"]
    with figures.plain_style(theme):
        import matplotlib

        matplotlib.rcParams.update({"font.size": 7.5, "xtick.labelsize": 7, "ytick.labelsize": 7})
        figure = figures.new_figure(*size, theme)
        axes = figure.add_axes(box)
        axes.grid(color=theme.pale, linewidth=0.5)
        axes.spines[["top", "right"]].set_visible(False)
        draw(axes, theme)
        stream = StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return _within_html(stream.getvalue(), f"c{number}-", alt, theme)


def _within_html(svg: str, prefix: str, alt: str, theme: figures.Theme) -> str:
    """The picture alone: without the prologue, metadata and style that are for a file of its own."""
    box = re.search(r'viewBox="([^"]*)"', svg)
    assert box is not None
    body = svg[svg.index(">", svg.index("<svg")) + 1 :]
    body = re.sub(r"<metadata>.*?</metadata>|<defs>\s*<style[^>]*>.*?</style>\s*</defs>", "", body, flags=re.DOTALL)
    used = set(re.findall(r'(?:url\(|href=")#([^)"]+)', body))
    body = re.sub(r' id="([^"]*)"', lambda found: f' id="{prefix}{found[1]}"' if found[1] in used else "", body)
    body = re.sub(r'(url\(#|href="#)', rf"\g<1>{prefix}", body)
    body = body.replace("xlink:href", "href")
    body = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font: \1px var(--sans)", body)
    body = re.sub(r"font-family: [^;\"]*", "font-family: var(--sans)", body)
    for color, variable in _variables(theme).items():
        body = re.sub(color, f"var({variable})", body, flags=re.IGNORECASE)
    return f'<svg role="img" aria-label="{markup.text(one_line(alt))}" viewBox="{box[1]}">{body.strip()}'


def _variables(theme: figures.Theme) -> dict[str, str]:
    """The variable of each color of a theme, as SVG writes the color."""
    from matplotlib.colors import to_hex

    named = {"--paper": theme.paper, "--ink": theme.ink, "--grey": theme.grey, "--pale": theme.pale}
    numbered = {f"--c{number}": color for number, color in enumerate(theme.colors) if color != theme.ink}
    return {to_hex(color): variable for variable, color in {**named, **numbered}.items()}

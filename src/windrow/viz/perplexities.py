"""Perplexity by order: how much a longer context helps each of several models."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from windrow.errors import OptionError, check_range, check_whole
from windrow.viz import figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MARKERS = "osD^vP"
_HIGHEST = 1e100  # beyond which a perplexity is as good as infinite, and no axis has room for it


def plot_perplexities(
    perplexities: Mapping[str, Mapping[int, float]],
    lowest: float | None = None,
    path: str | os.PathLike[str] | None = None,
    *,
    theme: str = "light",
) -> Figure:
    """Draw the perplexities of models over their order, a line for each kind of model.

    Parameters
    ----------
    perplexities : mapping of str to mapping of int to float
        For each line its name, and the perplexity, at least 1, by order. Those above 1e100 are left out;
        the legend tells of a line that has no others.
    lowest : float from 1 to 1e100, or None, default None
        The lowest perplexity that is possible, where it is known: a dashed line.
    path : str or os.PathLike, default None
        A file to write: .png, .svg or .pdf.
    theme : {"light", "dark"}, default "light"
        The colors of the picture.

    Returns
    -------
    matplotlib.figure.Figure
        The vertical axis is logarithmic.

    Raises
    ------
    OptionError
        A number is out of range, none is finite, or the extension is another one.
    DataError
        The file cannot be written.

    Examples
    --------
    >>> from windrow import NGramLM
    >>> from windrow.viz import plot_perplexities
    >>> text = ["the cat sat", "the cat ran off", "a dog ran off"]
    >>> found = {order: NGramLM(order, "witten-bell").fit(text).perplexity(["a cat sat"]) for order in (1, 2, 3)}
    >>> figure = plot_perplexities({"Witten-Bell": found}, path="perplexities.png")
    """
    colors = figures.theme_of(theme)
    if path is not None:
        figures.check_picture_path(path)
    lines = {name: _finite(name, by_order) for name, by_order in perplexities.items()}
    orders = sorted({order for points in lines.values() for order in points})
    if not orders:
        raise OptionError("no perplexity is finite, so there is nothing to draw")
    if lowest is not None:
        check_range("lowest", lowest, 1, _HIGHEST)
    with figures.plain_style(colors):
        figures.use_fonts_for(lines)
        figure = figures.new_figure(7, 4.5, colors)
        axes = figure.add_axes((0.1, 0.12, 0.87, 0.78))
        for number, (name, points) in enumerate(lines.items()):
            color, marker = colors.colors[number % len(colors.colors)], _MARKERS[number % len(_MARKERS)]
            label = name if points else f"{name}: infinite"
            axes.plot(list(points), list(points.values()), color=color, marker=marker, markersize=5, label=label)
        if lowest is not None:
            axes.axhline(lowest, color=colors.ink, linestyle="--", linewidth=1, label=f"lowest possible, {lowest:.4g}")
        _label(axes, orders, colors)
    if path is not None:
        figures.save_figure(figure, path)
    return figure


def _finite(name: str, by_order: Mapping[int, float]) -> dict[int, float]:
    """The finite points of a line, by rising order."""
    points = {order: perplexity for order, perplexity in sorted(by_order.items()) if not perplexity > _HIGHEST}
    for order, perplexity in points.items():
        check_whole(f"an order of {name!r}", order, 1)
        check_range(f"the perplexity of {name!r} at order {order}", perplexity, 1)
    return points


def _label(axes: Axes, orders: list[int], theme: figures.Theme) -> None:
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(lambda value, _: f"{value:g}" if f"{value:g}"[0] in "235" else "")
    axes.set_xticks(orders)
    axes.set(xlabel="order (words of an n-gram)", ylabel="perplexity")
    axes.set_title("Perplexity by order", loc="left", fontsize=11)
    axes.grid(color=theme.pale, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    for text in axes.legend(frameon=False).get_texts():
        text.set_parse_math(False)  # a name may contain dollar signs

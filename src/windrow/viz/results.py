"""Pictures of results: analogies by section, gradient norms by epoch, which label is taken for which."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from windrow.errors import DataError, check_whole
from windrow.viz import figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from windrow.evaluation import AnalogyResult

File = str | os.PathLike[str]

_BAR = 0.28  # inches per bar
_DARK_CELL = 0.5  # of a row, from which on a number in the cell is written in the color of the paper


def plot_analogies(result: AnalogyResult, path: File | None = None, *, theme: str = "light") -> Figure:
    """Draw the accuracy of analogies by section, as bars.

    Parameters
    ----------
    result : AnalogyResult
        What ``evaluate_analogies`` returns; sections without a question that could be asked are left out.
    path : str or os.PathLike, default None
        A file to write: .png, .svg or .pdf.
    theme : {"light", "dark"}, default "light"
        The colors of the picture.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        No question could be asked, or the file cannot be written.
    OptionError
        The theme or the extension is another one.

    Examples
    --------
    >>> import numpy as np
    >>> from windrow.evaluation import evaluate_analogies
    >>> from windrow.evaluation.analogy import Section
    >>> from windrow.viz import plot_analogies
    >>> capitals = Section("capitals", (("Athens", "Greece", "Oslo", "Norway"),))
    >>> vectors = np.array([[1, 0], [1, 1], [3, 0], [3, 2]], np.float32)
    >>> figure = plot_analogies(evaluate_analogies([capitals], ["Athens", "Greece", "Oslo", "Norway"], vectors))
    """
    asked = {name: part for name, part in result.to_json()["sections"].items() if part["total"]}
    if not asked:
        raise DataError("no analogy could be asked: each has a word that the vectors lack")
    whole = result.overall
    rows = {name: (part["accuracy"], part["correct"], part["total"]) for name, part in asked.items()}
    rows["all sections"] = (whole.accuracy, len(whole.correct), whole.total)

    def draw(axes: Axes, colors: figures.Theme) -> None:
        axes.barh(
            range(len(rows)),
            [100 * row[0] for row in rows.values()],
            color=[*[colors.blue] * len(asked), colors.orange],
        )
        for place, (accuracy, correct, total) in enumerate(rows.values()):
            axes.text(100 * accuracy + 1, place, f"{correct:,} of {total:,}", va="center", fontsize=8)
        _name_rows(axes, list(rows))
        axes.set(xlim=(0, 118), xticks=range(0, 101, 20), xlabel="correct answers (%)")

    return _figure(7, _BAR * len(rows) + 1, "Analogies", draw, path, theme, rows)


def plot_gradient_norms(
    history: Sequence[Mapping[str, Any]], path: File | None = None, *, theme: str = "light"
) -> Figure:
    """Draw the norm of each layer's gradient by epoch, on a logarithmic axis.

    Gradients vanish where the lines of the first layers lie far below the others; they explode where lines rise by
    factors.

    Parameters
    ----------
    history : sequence of dict
        ``history_`` of a trained network that measures them, such as ``MLPClassifier``.
    path : str or os.PathLike, default None
        A file to write: .png, .svg or .pdf.
    theme : {"light", "dark"}, default "light"
        The colors of the picture.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        The history has no gradient norms, or the file cannot be written.
    OptionError
        The theme or the extension is another one.

    Examples
    --------
    >>> import numpy as np
    >>> from windrow import MLPClassifier
    >>> from windrow.viz import plot_gradient_norms
    >>> model = MLPClassifier(hidden_layer_sizes=4, epochs=3).fit(np.eye(4), [0, 1, 0, 1])
    >>> figure = plot_gradient_norms(model.history_)
    """
    rows = [row for row in history if row.get("gradient_norms")]
    if not rows:
        raise DataError("the history has no gradient norms; MLPClassifier and MLPRegressor measure them")
    names = list(rows[0]["gradient_norms"])

    def draw(axes: Axes, colors: figures.Theme) -> None:
        from matplotlib.ticker import MaxNLocator

        epochs = [row["epoch"] for row in rows]
        for number, name in enumerate(names):
            color, dashes = colors.colors[number % len(colors.colors)], ("-", "--", ":")[number // 8 % 3]
            norms = [row["gradient_norms"][name] for row in rows]
            axes.plot(epochs, norms, color=color, linestyle=dashes, marker="o", markersize=3, label=name)
        axes.set(yscale="log", xlabel="epoch", ylabel="gradient norm")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))

    return _figure(7.5, 3.6, "Gradients by layer", draw, path, theme, names)


def plot_confusion(
    gold: Iterable[Hashable], predicted: Iterable[Hashable], path: File | None = None, *, top: int = 20,
    theme: str = "light",
) -> Figure:  # fmt: skip
    """Draw which label or tag is taken for which: rows are true ones, columns predicted ones, numbers are counts.

    Parameters
    ----------
    gold : iterable of labels
        The true label of each text, or the true tag of each token.
    predicted : iterable of labels
        The predicted ones, in the same order.
    path : str or os.PathLike, default None
        A file to write: .png, .svg or .pdf.
    top : int from 2 to 60, default 20
        How many labels to draw, the most frequent ones.
    theme : {"light", "dark"}, default "light"
        The colors of the picture; a cell is the darker (in the dark theme the lighter), the larger its share of a row.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        There is none, or more of the one than of the other; or the file cannot be written.
    OptionError
        An option is out of range.

    Examples
    --------
    >>> from windrow.viz import plot_confusion
    >>> figure = plot_confusion(["B-PER", "O", "B-LOC", "O"], ["B-PER", "O", "B-PER", "O"])
    """
    labels, counts, different = count_pairs(gold, predicted, top)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)

    def draw(axes: Axes, colors: figures.Theme) -> None:
        from matplotlib.colors import LinearSegmentedColormap

        shades = LinearSegmentedColormap.from_list("shares", [colors.paper, colors.blue])
        axes.imshow(shares, cmap=shades, vmin=0, vmax=1)
        for (row, column), count in np.ndenumerate(counts):
            ink = colors.paper if shares[row, column] > _DARK_CELL else colors.ink
            if count:
                axes.text(column, row, f"{count:,}", ha="center", va="center", fontsize=7, color=ink)
        axes.set_xticks(range(len(labels)), labels, rotation=90, fontsize=8, parse_math=False)
        axes.set_yticks(range(len(labels)), labels, fontsize=8, parse_math=False)
        axes.set(xlabel="predicted", ylabel="true")
        axes.grid(visible=False)

    left_out = f", the {len(labels)} most frequent of {different}" * (different > len(labels))
    size = 2.2 + 0.42 * len(labels)
    return _figure(size, size, f"True and predicted labels{left_out}", draw, path, theme, labels)


def count_pairs(
    gold: Iterable[Hashable], predicted: Iterable[Hashable], top: int
) -> tuple[list[str], NDArray[np.int64], int]:
    """The names of the ``top`` most frequent labels, how often each is taken for each, and how many labels there are.

    Rows of the counts are true labels, columns predicted ones. DataError where there is none, or more of the one.
    """
    check_whole("top", top, 2, 60)
    missing = object()
    pairs = Counter(zip_longest(gold, predicted, fillvalue=missing))
    if not pairs or any(missing in pair for pair in pairs):
        raise DataError("there must be as many predicted labels as true ones, and at least one")
    frequency: Counter[Any] = Counter()
    for pair, count in pairs.items():
        for label in set(pair):
            frequency[label] += count
    labels = sorted((label for label, _ in frequency.most_common(top)), key=str)
    counts = np.array([[pairs[true, found] for found in labels] for true in labels], np.int64)
    return list(map(str, labels)), counts, len(frequency)


def _name_rows(axes: Axes, names: list[str]) -> None:
    axes.set_yticks(range(len(names)), names, fontsize=8, parse_math=False)
    axes.invert_yaxis()


def _figure(
    width: float,
    height: float,
    title: str,
    draw: Callable[[Axes, figures.Theme], None],
    path: File | None,
    theme: str,
    texts: Iterable[str],
) -> Figure:
    """A figure of one part with a title, which ``draw`` fills, and which is saved where there is a path."""
    colors = figures.theme_of(theme)
    if path is not None:
        figures.check_picture_path(path)
    with figures.plain_style(colors):
        figures.use_fonts_for(texts)
        figure = figures.new_figure(width, height, colors)
        figure.set_layout_engine("constrained")
        axes = figure.subplots()
        axes.grid(color=colors.pale, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_title(title, loc="left", fontsize=11, parse_math=False)
        draw(axes, colors)
    if path is not None:
        figures.save_figure(figure, path)
    return figure

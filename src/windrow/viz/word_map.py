"""A map of words: their vectors in two dimensions, by PCA or t-SNE, with labels that can be read."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.projections import METHODS, unit_rows
from windrow.errors import OptionError, check_whole
from windrow.viz import figures
from windrow.viz.labels import Placement, place_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    from windrow.embeddings.vectors import WordVectors

_DOT_RADIUS = 2.2  # points
_LABEL_REACH = 5.0  # how far a label may be from its point, in label heights

_NAMES = {"pca": "principal components", "tsne": "t-SNE"}

Array = NDArray[np.float64]


@dataclass(frozen=True)
class WordMap:
    """A map that was drawn."""

    figure: Figure
    words: list[str]
    coordinates: Array  # (words, 2)
    unlabeled: list[str]  # words for whose labels there was no space


def plot_vectors(
    wv: WordVectors,
    words: Iterable[str] | None = None,
    top: int = 300,
    method: str = "pca",
    path: str | os.PathLike[str] | None = None,
    seed: int = 1,
) -> Figure:
    """Draw word vectors as a map in two dimensions, with labels that do not overlap.

    Vectors are scaled to length 1 first, so that distance in the map follows the cosine. Equal input gives equal files.

    Parameters
    ----------
    wv : WordVectors
        The vectors.
    words : iterable of str, default None
        The words to draw, all of them labeled; None: the first ``top``.
    top : int, at least 2, default 300
        How many of the first words to draw; where there is no space for a label, a word has only a dot.
    method : {"pca", "tsne"}, default "pca"
        Principal components, or t-SNE (van der Maaten & Hinton 2008), which shows groups better and takes longer.
    path : str or os.PathLike, default None
        A file to write: .png, .svg or .pdf.
    seed : int, default 1
        Seed of t-SNE.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    MissingWordError
        A word is unknown.
    OptionError
        An option is out of range, the extension is another one, or matplotlib (for t-SNE scikit-learn) is missing.
    DataError
        The file cannot be written.

    Examples
    --------
    >>> import numpy as np
    >>> from windrow import WordVectors
    >>> from windrow.viz import plot_vectors
    >>> wv = WordVectors(["cat", "dog", "car"], np.array([[3, 1], [3, 2], [-1, 3]], np.float32))
    >>> figure = plot_vectors(wv, ["cat", "dog", "car"], path="map.png")
    """
    return word_map(wv, words, top, method, path, seed).figure


def word_map(
    wv: WordVectors,
    words: Iterable[str] | None = None,
    top: int = 300,
    method: str = "pca",
    path: str | os.PathLike[str] | None = None,
    seed: int = 1,
) -> WordMap:
    """``plot_vectors``, with the coordinates and the words without a label."""
    check_whole("top", top, 2)
    check_whole("seed", seed, 0, 2**32 - 1)
    if method not in METHODS:
        raise OptionError(f"method = {method!r} is not one of {', '.join(METHODS)}")
    if path is not None:
        figures.check_picture_path(path)
    chosen = wv.index_to_key[:top] if words is None else list(dict.fromkeys(words))
    if len(chosen) < 2:
        raise OptionError(f"a map needs at least two words, got {len(chosen)}")
    rows = np.array([wv.get_index(word) for word in chosen])
    wv.check_finite(rows)
    coordinates, axis_labels = METHODS[method](unit_rows(wv.vectors[rows]), seed)
    count = f"{len(chosen)} words" if words is not None else f"the first {len(chosen)} words"
    with figures.plain_style():
        figure, axes = _empty_map(coordinates)
        axes.set_title(f"{count}, {_NAMES[method]}", loc="left", fontsize=12)
        axes.set_xlabel(axis_labels[0], fontsize=9)
        axes.set_ylabel(axis_labels[1], fontsize=9)
        placements = _draw(axes, coordinates, chosen, insist=words is not None)
        unlabeled = [word for word, place in zip(chosen, placements, strict=True) if place is None]
        if unlabeled:
            _note(axes, f"no space for {len(unlabeled)} of {len(chosen)} labels")
    if path is not None:
        figures.save_figure(figure, path)
    return WordMap(figure, chosen, coordinates, unlabeled)


# --- drawing


def _empty_map(coordinates: Array) -> tuple[Figure, Axes]:
    """A figure, and axes without ticks, with about the proportions of the points and space for their labels."""
    span = np.ptp(coordinates, axis=0)
    shape = np.clip(span[1] / span[0] if span[0] > 0 else 1, 0.6, 1.1)  # height by width
    area = np.clip(3 + 0.7 * np.sqrt(len(coordinates)), 6, 24) ** 2 * 0.75  # square inches
    width, height = float(np.sqrt(area / shape)), float(np.sqrt(area * shape))
    figure = figures.new_figure(width, height)
    left, bottom, top = 0.4 / width, 0.4 / height, 0.45 / height  # for axis labels and title, in inches
    axes = figure.add_axes((left, bottom, 1 - 1.5 * left, 1 - bottom - top))
    axes.set(xticks=[], yticks=[])
    return figure, axes


def _draw(axes: Axes, coordinates: Array, words: list[str], insist: bool) -> list[Placement | None]:
    """Draw dots, labels and leader lines; with ``insist`` a label may be as far from its dot as necessary."""
    _fit_limits(axes, coordinates)
    font_size = 11 if len(words) <= 40 else 9 if len(words) <= 150 else 8
    texts = [_label(axes, word, font_size) for word in words]
    pixels_per_point = axes.figure.dpi / 72
    sizes = _extents(texts) + 2 * pixels_per_point  # a margin, for renderers with wider letters
    frame = axes.get_window_extent()
    placements = place_labels(
        axes.transData.transform(coordinates),
        sizes,
        list(frame.extents),
        gap=(_DOT_RADIUS + 1) * pixels_per_point,
        reach=_LABEL_REACH * float(np.median(sizes[:, 1])),
        insist=insist,
    )
    to_data = axes.transData.inverted().transform
    for text, point, place in zip(texts, coordinates, placements, strict=True):
        if place is None:
            text.remove()
            continue
        text.set_position(tuple(to_data(place.center)))
        if place.leader_end is not None:
            end = to_data(place.leader_end)
            axes.plot([point[0], end[0]], [point[1], end[1]], color=figures.GREY, linewidth=0.6, zorder=1)
    labeled = np.array([place is not None for place in placements])
    for dots, color in ((coordinates[~labeled], figures.GREY), (coordinates[labeled], figures.BLUE)):
        axes.scatter(dots[:, 0], dots[:, 1], s=(2 * _DOT_RADIUS) ** 2, color=color, linewidths=0, zorder=2)
    return placements


def _fit_limits(axes: Axes, coordinates: Array) -> None:
    """Limits around the points with space for labels; a unit has the same length on both axes."""
    frame = axes.get_window_extent()
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    available = 0.86 * np.array([frame.width, frame.height])
    unit = float(((high - low) / available).max()) or 1.0  # units of the data per pixel
    middle, half = (low + high) / 2, np.array([frame.width, frame.height]) * unit / 2
    axes.set_xlim(middle[0] - half[0], middle[0] + half[0])
    axes.set_ylim(middle[1] - half[1], middle[1] + half[1])


def _label(axes: Axes, word: str, font_size: int) -> Text:
    # A word may contain dollar signs, which must not start a formula.
    return axes.text(0, 0, word, fontsize=font_size, ha="center", va="center", parse_math=False, zorder=3)


def _extents(texts: list[Text]) -> Array:
    """Width and height of each label in pixels, (texts, 2)."""
    boxes = [text.get_window_extent() for text in texts]
    return np.array([[box.width, box.height] for box in boxes])


def _note(axes: Axes, text: str) -> None:
    axes.text(1, 1.01, text, transform=axes.transAxes, ha="right", va="bottom", fontsize=9, color="#595959")

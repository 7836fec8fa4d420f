"""A map of words: their vectors in two dimensions, by PCA, t-SNE or UMAP, with labels that can be read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.clusters import LARGEST_SEED, cluster_words
from windrow.embeddings.map_words import ENGLISH, as_pairs, map_words
from windrow.embeddings.projections import METHODS, NAMES, unit_rows
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
_SHAPES = "os^DvPX*"  # of the dots of each class

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
    *,
    stop_words: str | Iterable[str] | None = ENGLISH,
    neighbors: int = 0,
    arrows: Iterable[Sequence[str]] = (),
    clusters: int = 1,
    theme: str = "light",
) -> Figure:
    """Draw word vectors as a map in two dimensions, with labels that do not overlap.

    Vectors are scaled to length 1 first, so that distance in the map follows the cosine. Equal input gives equal files.

    Parameters
    ----------
    wv : WordVectors
        The vectors.
    words : iterable of str, default None
        The words to draw, all of them labeled; None: those of ``arrows``, or without these the first ``top``.
    top : int, at least 2, default 300
        How many of the first words to draw, without stop words; where there is no space for a label, a word has only a
        dot.
    method : {"pca", "tsne", "umap"}, default "pca"
        Principal components; or t-SNE (van der Maaten & Hinton 2008) or UMAP (McInnes, Healy & Melville 2018), which
        show groups better and take longer. UMAP needs umap-learn (the extra ``umap``).
    path : str or os.PathLike, default None
        A file to write: .png, .svg or .pdf.
    seed : int, default 1
        Seed of t-SNE, of UMAP and of ``clusters``.
    stop_words : "english", iterable of str, or None, default "english"
        Words to leave out of the first ``top``, in any case: articles, pronouns and other words of English grammar; or
        these. Words without a letter or digit, and markers such as ``</s>``, are left out, too. None: none.
    neighbors : int, at least 0, default 0
        Draw also this many nearest words of each of ``words``.
    arrows : iterable of pairs of str, default ()
        Draw an arrow from the first to the second word of each pair: those of an analogy are parallel.
    clusters : int from 1 to 8, default 1
        Divide the words into this many classes by k-means, with a color and a shape of dots for each.
    theme : {"light", "dark"}, default "light"
        The colors of the picture.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    MissingWordError
        A word is unknown.
    OptionError
        An option is out of range, the extension is another one, or matplotlib (for t-SNE
        scikit-learn, for UMAP umap-learn) is missing.
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
    return word_map(
        wv, words, top, method, path, seed,
        stop_words=stop_words, neighbors=neighbors, arrows=arrows, clusters=clusters, theme=theme,
    ).figure  # fmt: skip


def word_map(
    wv: WordVectors,
    words: Iterable[str] | None = None,
    top: int = 300,
    method: str = "pca",
    path: str | os.PathLike[str] | None = None,
    seed: int = 1,
    *,
    stop_words: str | Iterable[str] | None = ENGLISH,
    neighbors: int = 0,
    arrows: Iterable[Sequence[str]] = (),
    clusters: int = 1,
    theme: str = "light",
) -> WordMap:
    """``plot_vectors``, with the coordinates and the words without a label."""
    check_whole("seed", seed, 0, LARGEST_SEED)
    check_whole("clusters", clusters, 1, len(_SHAPES))
    colors, pairs = figures.theme_of(theme), as_pairs(arrows)
    if method not in METHODS:
        raise OptionError(f"method = {method!r} is not one of {', '.join(METHODS)}")
    if path is not None:
        figures.check_picture_path(path)
    are_named = words is not None or bool(pairs)
    chosen = map_words(wv, words, top, stop_words, neighbors, pairs)
    rows = np.array([wv.get_index(word) for word in chosen])
    wv.check_finite(rows)
    coordinates, axis_labels = METHODS[method](unit_rows(wv.vectors[rows]), seed)
    classes = _classes(wv, chosen, clusters, seed)
    first = "" if are_named else "the first "
    left_out = "" if are_named or chosen == wv.index_to_key[:top] else " without stop words"
    count = f"{first}{len(chosen)} words{left_out}"
    with figures.plain_style(colors):
        figures.use_fonts_for(chosen)
        figure, axes = _empty_map(coordinates, colors)
        axes.set_title(f"{count}, {NAMES[method]}", loc="left", fontsize=12)
        axes.set_xlabel(axis_labels[0], fontsize=9)
        axes.set_ylabel(axis_labels[1], fontsize=9)
        placements = _draw(axes, coordinates, chosen, colors, classes, insist=are_named)
        place_of = dict(zip(chosen, coordinates, strict=True))
        for start, end in pairs:
            _arrow(axes, place_of[start], place_of[end], colors)
        unlabeled = [word for word, place in zip(chosen, placements, strict=True) if place is None]
        if unlabeled:
            _note(axes, f"no space for {len(unlabeled)} of {len(chosen)} labels", colors)
    if path is not None:
        figures.save_figure(figure, path)
    return WordMap(figure, chosen, coordinates, unlabeled)


# --- drawing


def _empty_map(coordinates: Array, theme: figures.Theme) -> tuple[Figure, Axes]:
    """A figure, and axes without ticks, with about the proportions of the points and space for their labels."""
    span = np.ptp(coordinates, axis=0)
    shape = np.clip(span[1] / span[0] if span[0] > 0 else 1, 0.6, 1.1)  # height by width
    area = np.clip(3 + 0.7 * np.sqrt(len(coordinates)), 6, 24) ** 2 * 0.75  # square inches
    width, height = float(np.sqrt(area / shape)), float(np.sqrt(area * shape))
    figure = figures.new_figure(width, height, theme)
    left, bottom, top = 0.4 / width, 0.4 / height, 0.45 / height  # for axis labels and title, in inches
    axes = figure.add_axes((left, bottom, 1 - 1.5 * left, 1 - bottom - top))
    axes.set(xticks=[], yticks=[])
    return figure, axes


def _classes(wv: WordVectors, words: list[str], clusters: int, seed: int) -> NDArray[np.int64]:
    """The class of each word, (words,)."""
    if clusters == 1:
        return np.zeros(len(words), np.int64)
    if clusters > len(words):
        raise OptionError(f"clusters = {clusters} is more than the {len(words)} words of the map; lower it")
    return cluster_words(wv.subset(words), clusters, seed=seed)


def _arrow(axes: Axes, start: Array, end: Array, theme: figures.Theme) -> None:
    look = {"arrowstyle": "-|>", "color": theme.orange, "linewidth": 1, "shrinkA": _DOT_RADIUS, "shrinkB": _DOT_RADIUS}
    axes.annotate("", xy=tuple(end), xytext=tuple(start), arrowprops=look, zorder=1.5)


def _draw(
    axes: Axes, coordinates: Array, words: list[str], theme: figures.Theme, classes: NDArray[np.int64], insist: bool
) -> list[Placement | None]:
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
            axes.plot([point[0], end[0]], [point[1], end[1]], color=theme.grey, linewidth=0.6, zorder=1)
    labeled = np.array([place is not None for place in placements])
    for number in np.unique(classes):
        of_class = classes == number
        unlabeled_color = theme.grey if len(np.unique(classes)) == 1 else theme.colors[number]
        for dots, color in (
            (coordinates[of_class & ~labeled], unlabeled_color),
            (coordinates[of_class & labeled], theme.colors[number]),
        ):
            size, shape = (2 * _DOT_RADIUS) ** 2, _SHAPES[number]
            axes.scatter(dots[:, 0], dots[:, 1], s=size, color=color, marker=shape, linewidths=0, zorder=2)
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


def _note(axes: Axes, text: str, theme: figures.Theme) -> None:
    axes.text(1, 1.01, text, transform=axes.transAxes, ha="right", va="bottom", fontsize=9, color=theme.ink)

"""The likeliest next words as bars, at one temperature or several."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from windrow.errors import OptionError, check_range, check_whole
from windrow.viz import figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from windrow.corpus import Vocabulary


class PredictsWords(Protocol):
    """The part of a language model that is drawn."""

    @property
    def vocabulary(self) -> Vocabulary:
        """The words, by id."""

    def next_word_distribution(self, context: str | Sequence[str] = ..., *, bos: bool = ...) -> NDArray[np.float64]:
        """The probability of each word to follow a context, (words,)."""


def plot_next_words(
    model: PredictsWords,
    context: str | Sequence[str] = "",
    k: int = 10,
    temperatures: Sequence[float] = (1.0,),
    path: str | os.PathLike[str] | None = None,
    *,
    theme: str = "light",
) -> Figure:
    """Draw the probabilities of the words that are likeliest to follow a context.

    Parameters
    ----------
    model : LanguageModel
        Any language model.
    context : str or sequence of str, default empty
        The beginning of a sentence.
    k : int from 1 to 100, default 10
        How many words; those of probability 0 are left out.
    temperatures : sequence of float above 0, default (1.0,)
        A bar per word for each: p becomes p ** (1 / temperature), scaled to sum to 1, as ``generate`` draws words.
    path : str or os.PathLike, default None
        A file to write: .png, .svg or .pdf.
    theme : {"light", "dark"}, default "light"
        The colors of the picture.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    OptionError
        An option is out of range, or the extension is another one.
    DataError
        ``<s>`` or ``</s>`` is in the context, or the file cannot be written.

    Examples
    --------
    >>> from windrow import NGramLM
    >>> from windrow.viz import plot_next_words
    >>> model = NGramLM(2, "witten-bell").fit(["the cat sat", "the cat ran off"])
    >>> figure = plot_next_words(model, "the cat", k=3, temperatures=[0.5, 1, 2], path="next.png")
    """
    colors = figures.theme_of(theme)
    if path is not None:
        figures.check_picture_path(path)
    check_whole("k", k, 1, 100)
    if not len(temperatures):
        raise OptionError("temperatures is empty; give one at least, such as (1.0,)")
    for temperature in temperatures:
        check_range("temperatures", temperature, 0, low_open=True)
    probs = model.next_word_distribution(context)
    best = np.argsort(-probs, kind="stable")[: min(k, np.count_nonzero(probs))]
    words = [model.vocabulary.words[word] for word in best.tolist()]
    shown = context if isinstance(context, str) else " ".join(context)
    title = f"Next word after: {shown}" if shown else "First word of a sentence"
    with figures.plain_style(colors):
        figures.use_fonts_for([*words, title])
        figure = figures.new_figure(6, 0.9 + 0.12 * len(words) * (1 + len(temperatures)), colors)
        axes = figure.subplots()
        heights = [tempered(probs, temperature)[best] for temperature in temperatures]
        _draw(axes, words, heights, temperatures, colors)
        axes.set_title(title, loc="left", fontsize=11, parse_math=False)
        figure.tight_layout()
    if path is not None:
        figures.save_figure(figure, path)
    return figure


def tempered(probs: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Each probability to the power of 1 / temperature, scaled to sum to 1 again."""
    weights = (probs / probs.max()) ** (1 / temperature)
    return np.asarray(weights / weights.sum(), np.float64)


def _draw(
    axes: Axes,
    words: list[str],
    heights: list[NDArray[np.float64]],
    temperatures: Sequence[float],
    theme: figures.Theme,
) -> None:
    thickness = 0.8 / len(heights)
    rows = np.arange(len(words))
    for number, (bars, temperature) in enumerate(zip(heights, temperatures, strict=True)):
        color = theme.colors[number % len(theme.colors)]
        offset = (number - (len(heights) - 1) / 2) * thickness
        axes.barh(rows + offset, bars, height=thickness, color=color, label=f"temperature {temperature:g}")
    axes.invert_yaxis()
    axes.set_yticks(rows, words, parse_math=False)
    axes.set_xlabel("probability")
    axes.spines[["top", "right"]].set_visible(False)
    if len(heights) > 1:
        axes.legend(frameon=False, loc="lower right")

"""``windrow vectors plot`` and ``plot-log``: a map of words, the learning curve of a training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from windrow.cli.groups import Command, command
from windrow.cli.messages import tell
from windrow.cli.missing_files import is_file
from windrow.cli.numbers import WholeNumber
from windrow.cli.options import check_used
from windrow.cli.paths import InputFile
from windrow.cli.pictures import picture_output, theme_option
from windrow.cli.vector_files import open_vectors, vector_options, vectors_argument
from windrow.errors import OptionError


class _WordsCommand(Command):
    """A command in which ``--words`` takes all words that follow it, up to the next option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        repeated: list[str] = []
        taken: int | None = None  # words since --words
        for arg in args:
            if arg.startswith("-"):
                taken = 0 if arg == "--words" else None
            elif taken is not None:
                repeated += ["--words"] * (taken > 0)
                taken += 1
            repeated.append(arg)
        return super().parse_args(ctx, repeated)


def _option_for(word: str) -> str:
    """The option that takes a word too many, or a file of words."""
    return "--only-words" if is_file(word) else "--words"


@command(cls=_WordsCommand, example="windrow vectors plot toy.safetensors -o map.svg", option_for=_option_for)
@vectors_argument
@picture_output
@click.option("--words", multiple=True, metavar="W...", help="The words to draw.  [default: the most frequent]")
@click.option(
    "--top", default=300, type=WholeNumber(2), show_default=True, help="How many of the most frequent words to draw."
)
@click.option("--all-words", is_flag=True, help="Draw frequent words of English grammar, punctuation and markers, too.")
@click.option(
    "--neighbors",
    default=0,
    type=WholeNumber(0),
    show_default=True,
    help="Draw also this many nearest words of each of --words.",
)
@click.option(
    "--arrow",
    "arrows",
    nargs=2,
    multiple=True,
    metavar="FROM TO",
    help="Draw an arrow from a word to another; several show an analogy.",
)
@click.option(
    "--clusters",
    default=1,
    type=WholeNumber(1, 8),
    show_default=True,
    help="Classes of words, found by k-means, with a color for each.",
)
@theme_option
@click.option(
    "--method",
    type=click.Choice(["pca", "tsne", "umap"]),
    default="pca",
    show_default=True,
    help="Principal components; or t-SNE or UMAP, which show groups better and take longer.",
)
@click.option(
    "--seed", default=1, type=WholeNumber(0, 2**32 - 1), show_default=True, help="Seed of t-SNE, UMAP and --clusters."
)
@vector_options
def plot(
    file: str,
    output: Path,
    words: tuple[str, ...],
    top: int,
    method: str,
    seed: int,
    all_words: bool,
    neighbors: int,
    arrows: tuple[tuple[str, str], ...],
    clusters: int,
    theme: str,
    **reading: Any,
) -> None:
    """Draw a map of words in two dimensions; labels do not overlap.

    FILE comes before --words, which takes every word up to the next option. Without --words and --arrow the most
    frequent words are drawn, but not those of English grammar.
    """
    from windrow.viz.figures import check_picture_path
    from windrow.viz.word_map import word_map

    unnamed = (("words", ((),)), ("arrows", ((),)))
    check_used(conditions={"top": unnamed, "all_words": unnamed})
    check_picture_path(output)  # errors come before the long reading
    chosen: dict[str, Any] = {"stop_words": None if all_words else "english", "neighbors": neighbors, "arrows": arrows}
    vectors = open_vectors(file, reading)
    for word in words:
        if word not in vectors and is_file(word):
            raise OptionError(f"--words takes words, and {word} is a file; for the words in it: --only-words {word}")
    drawn = word_map(vectors, words or None, top, method, output, seed, **chosen, clusters=clusters, theme=theme)
    labeled = len(drawn.words) - len(drawn.unlabeled)
    tell(f"{output}: {len(drawn.words)} words, {labeled} of them labeled")


@command("plot-log", example="windrow vectors plot-log log.jsonl -o curve.svg")
@click.argument("log", type=InputFile())
@picture_output
@click.option("--norms", is_flag=True, help="Draw the norm of each layer's gradient; only perceptrons measure it.")
@theme_option
def plot_log(log: str, output: Path, norms: bool, theme: str) -> None:
    """Draw the learning curve of a training, loss and learning rate, from its --log-json file.

    With --norms, the norm of each layer's gradient by epoch, which shows gradients that vanish or explode.
    MLPClassifier and MLPRegressor measure it: write each row of their `history_` as a line of JSON.
    """
    from windrow.viz.learning_curve import plot_learning_curve, read_norms
    from windrow.viz.results import plot_gradient_norms

    if norms:
        plot_gradient_norms(read_norms(log), output, theme=theme)
    else:
        plot_learning_curve(log, output, theme=theme)
    tell(f"{output} written")

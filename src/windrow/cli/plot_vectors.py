"""``windrow vectors plot`` and ``plot-log``: a map of words, the learning curve of a training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from windrow.cli.groups import Command, command
from windrow.cli.messages import tell
from windrow.cli.numbers import WholeNumber
from windrow.cli.options import check_used
from windrow.cli.paths import InputFile, OutputFile
from windrow.cli.vector_files import open_vectors, vector_options, vectors_argument

_output = click.option(
    "-o", "--output", required=True, metavar="PICTURE", type=OutputFile(), help="File to write: .png, .svg or .pdf."
)


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


@command(cls=_WordsCommand, example="windrow vectors plot toy.safetensors -o map.svg")
@vectors_argument
@_output
@click.option("--words", multiple=True, metavar="W...", help="The words to draw.  [default: the most frequent]")
@click.option(
    "--top", default=300, type=WholeNumber(2), show_default=True, help="How many of the most frequent words to draw."
)
@click.option("--method", type=click.Choice(["pca", "tsne"]), default="pca", show_default=True)
@click.option("--seed", default=1, type=WholeNumber(0, 2**32 - 1), show_default=True, help="Seed of t-SNE.")
@vector_options
def plot(file: str, output: Path, words: tuple[str, ...], top: int, method: str, seed: int, **reading: Any) -> None:
    """Draw a map of words in two dimensions; labels do not overlap.

    FILE comes before --words, which takes every word up to the next option.
    """
    from windrow.viz.figures import check_picture_path
    from windrow.viz.word_map import word_map

    check_used(conditions={"top": (("words", ((),)),)})
    check_picture_path(output)  # errors come before the long reading
    drawn = word_map(open_vectors(file, reading), words or None, top, method, output, seed)
    labeled = len(drawn.words) - len(drawn.unlabeled)
    tell(f"{output}: {len(drawn.words)} words, {labeled} of them labeled")


@command("plot-log", example="windrow vectors plot-log log.jsonl -o curve.svg")
@click.argument("log", type=InputFile())
@_output
def plot_log(log: str, output: Path) -> None:
    """Draw the learning curve of a training, loss and learning rate, from its --log-json file."""
    from windrow.viz.learning_curve import plot_learning_curve

    plot_learning_curve(log, output)
    tell(f"{output} written")

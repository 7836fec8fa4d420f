"""``windrow vectors plot`` and ``plot-log``: a map of words, the learning curve of a training."""

from __future__ import annotations

import click

from windrow.cli.options import in_range

_output = click.option("-o", "--output", required=True, metavar="PICTURE", help="File to write: .png, .svg or .pdf.")


class _WordsCommand(click.Command):
    """Lets ``--words`` take all that follows it, up to the next option, as ``--words W...`` promises."""

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


@click.command(cls=_WordsCommand)
@click.argument("file")
@_output
@click.option("--words", multiple=True, metavar="W...", help="The words to draw, instead of the most frequent.")
@click.option("--top", default=300, callback=in_range(2), show_default=True, help="How many words to draw.")
@click.option("--method", type=click.Choice(["pca", "tsne"]), default="pca", show_default=True)
@click.option("--seed", default=1, callback=in_range(0, 2**32 - 1), show_default=True, help="For t-SNE.")
def plot(file: str, output: str, words: tuple[str, ...], top: int, method: str, seed: int) -> None:
    """Draw a map of words in two dimensions; labels do not overlap.

    FILE comes before --words, which takes every word up to the next option.
    """
    from windrow.embeddings.vectors import load_vectors
    from windrow.viz.figures import check_picture_path
    from windrow.viz.word_map import word_map

    check_picture_path(output)  # ask before the long reading
    drawn = word_map(load_vectors(file), words or None, top, method, output, seed)
    labelled = len(drawn.words) - len(drawn.unlabelled)
    click.echo(f"{output}: {len(drawn.words)} words, {labelled} of them labelled", err=True)


@click.command("plot-log")
@click.argument("log")
@_output
def plot_log(log: str, output: str) -> None:
    """Draw the learning curve of a training from what --log-json wrote: loss and learning rate."""
    from windrow.viz.learning_curve import plot_learning_curve

    plot_learning_curve(log, output)
    click.echo(f"{output} written", err=True)

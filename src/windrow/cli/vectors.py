"""``windrow vectors``: neighbors, analogies, evaluation, conversion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from windrow.cli.groups import LazyGroup
from windrow.cli.messages import tell
from windrow.cli.numbers import WholeNumber
from windrow.cli.options import naming_options
from windrow.cli.paths import InputFile, OutputVectors, words_read, words_written
from windrow.cli.vector_files import open_vectors, save_fasttext, vector_options
from windrow.embeddings.endings import DTYPES, endings_told


def _train() -> click.Command:
    from windrow.cli.train_vectors import train

    return train


def _blend() -> click.Command:
    from windrow.cli.blend_vectors import blend

    return blend


def _count() -> click.Command:
    from windrow.cli.count_vectors import count

    return count


def _similar() -> click.Command:
    from windrow.cli.queries import similar

    return similar


def _analogy() -> click.Command:
    from windrow.cli.queries import analogy

    return analogy


def _print() -> click.Command:
    from windrow.cli.print_vectors import print_vectors

    return print_vectors


def _cluster() -> click.Command:
    from windrow.cli.cluster import cluster

    return cluster


def _align() -> click.Command:
    from windrow.cli.align_vectors import align

    return align


def _fetch() -> click.Command:
    from windrow.cli.fetch_vectors import fetch

    return fetch


def _plot() -> click.Command:
    from windrow.cli.plot_vectors import plot

    return plot


def _plot_log() -> click.Command:
    from windrow.cli.plot_vectors import plot_log

    return plot_log


def _evaluate() -> click.Command:
    from windrow.cli.evaluate_vectors import evaluate

    return evaluate


def _compare() -> click.Command:
    from windrow.cli.compare_vectors import compare

    return compare


@click.group(
    "vectors",
    cls=LazyGroup,
    later={
        "train": _train,
        "count": _count,
        "blend": _blend,
        "similar": _similar,
        "analogy": _analogy,
        "evaluate": _evaluate,
        "compare": _compare,
        "print": _print,
        "cluster": _cluster,
        "align": _align,
        "fetch": _fetch,
        "plot": _plot,
        "plot-log": _plot_log,
    },
)
def group() -> None:
    """Word vectors: train or count, query, evaluate, convert."""


@group.command(example="windrow vectors convert toy.safetensors toy.vec")
@click.argument("source", metavar="IN", type=InputFile(words_read))
@click.argument("target", metavar="OUT", type=OutputVectors(words_written, stdout=True))
@click.option(
    "--to",
    "to_format",
    metavar="FORMAT",
    help=f"Format of OUT, an ending without its dot.  [default: the ending of OUT, {endings_told()}]",
)
@click.option(
    "--dtype",
    default=DTYPES[0],
    show_default=True,
    type=click.Choice(DTYPES),
    help="Type of numbers in OUT, of .safetensors and .model2vec: int8 takes a quarter of the bytes.",
)
@click.option("--size", type=WholeNumber(1), metavar="N", help="Keep only the first N dimensions of each vector.")
@vector_options
def convert(source: str, target: Path, to_format: str | None, dtype: str, size: int | None, **reading: Any) -> None:
    """Convert vectors. The content of IN says what it is; the ending of OUT names the format.

    OUT.model2vec is a folder that Model2Vec and sentence-transformers load; it cuts text as the model remembers it.

    --to projector writes what TensorBoard's Embedding Projector loads: numbers to OUT, such as X.tsv, and the words to
    X.metadata.tsv.

    IN may be compressed, or - for standard input; OUT may be - for standard output, as word2vec's text.
    """
    from windrow.embeddings import Word2Vec
    from windrow.embeddings.formats import check_target
    from windrow.embeddings.training.fasttext_state import holds_state
    from windrow.embeddings.vectors import save_vectors
    from windrow.files.writing import STDIO

    with naming_options({"format": "--to"}):
        chosen = check_target(target, to_format, dtype)  # errors come before the long reading
    vectors = open_vectors(source, reading)
    if size is not None:
        with naming_options({"size": "--size"}):
            vectors = vectors.truncated(size)
    told = "standard input" if source == STDIO else source
    tell(f"{told}: {len(vectors)} words of {vectors.vector_size} dimensions")
    model = Word2Vec.load(source) if chosen.extension == "fasttext" and holds_state(source) else None
    if model is not None and size is None and len(model.wv) == len(vectors):  # else only some were wanted
        save_fasttext(model, target)
    else:
        save_vectors(vectors, target, to_format, dtype)
    if str(target) != STDIO:
        tell(f"{target} written")

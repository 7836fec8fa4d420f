"""``windrow vectors cluster``: classes of words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from windrow.cli.groups import command
from windrow.cli.messages import tell
from windrow.cli.numbers import WholeNumber
from windrow.cli.options import naming_options
from windrow.cli.paths import OutputFile
from windrow.cli.vector_files import open_vectors, vector_options, vectors_argument


@command(example="windrow vectors cluster toy.safetensors -k 20 -o classes.txt")
@vectors_argument
@click.option("-k", "--classes", "k", type=WholeNumber(1, checks=False), required=True, help="How many classes.")
@click.option(
    "-o", "--output", type=OutputFile(stdout=True), default="-", help="File to write.  [default: standard output]"
)
@click.option(
    "--seed",
    default=1,
    type=WholeNumber(0, 2**32 - 1, checks=False),
    show_default=True,
    help="Equal seeds give equal classes.",
)
@vector_options
def cluster(file: str, k: int, output: Path, seed: int, **reading: Any) -> None:
    """Divide the words into classes by k-means of their directions, as word2vec's -classes does.

    A line per word, in the order of FILE: the word, a space and the number of its class, from 0 on. Needs
    windrow[sklearn]. --limit N takes only the first words, the most frequent ones.
    """
    from windrow.embeddings.clusters import cluster_words
    from windrow.files.compression import creating
    from windrow.files.writing import STDIO

    vectors = open_vectors(file, reading)
    with naming_options({"k": "--classes"}):
        classes = cluster_words(vectors, k, seed=seed).tolist()
    with creating(output) as stream:
        for word, number in zip(vectors.index_to_key, classes, strict=True):
            stream.write(f"{word} {number}\n".encode())
    if str(output) != STDIO:
        tell(f"{output}: {len(vectors):,} words in {max(classes) + 1:,} classes")

"""``windrow vectors align``: turn word vectors to those of another model."""

from __future__ import annotations

from pathlib import Path

import click

from windrow.cli.groups import command
from windrow.cli.messages import tell
from windrow.cli.paths import InputFile, OutputVectors, words_read, words_written
from windrow.cli.vector_files import VECTORS_OUTPUT, advising_to_convert
from windrow.errors import OptionError


@command(example="windrow vectors align toy.safetensors january.safetensors -o turned.safetensors")
@click.argument("file", metavar="A", type=InputFile(words_read))
@click.argument("other", metavar="B", type=InputFile(words_read))
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="FILE",
    type=OutputVectors(words_written),
    help=VECTORS_OUTPUT,
)
@click.option(
    "--by-words",
    metavar="FILE",
    type=InputFile(),
    help="Align by these words, one per line; both A and B have each.  [default: all that both have]",
)
def align(file: str, other: str, output: Path, by_words: str | None) -> None:
    """Turn the vectors of A so that its words lie as near as possible to the same words of B, and write them.

    Cosines within A stay as they are; those between A and B then have a meaning. The turn is the orthogonal matrix that
    brings the vectors of the common words, each scaled to length 1, closest to each other (orthogonal Procrustes).
    """
    from windrow.corpus.streams import Meter, lines, text_pieces
    from windrow.embeddings.formats import check_target
    from windrow.embeddings.vectors import load_vectors, save_vectors

    if [file, other, by_words].count("-") > 1:
        raise OptionError("standard input, '-', can be read once only; name files for the others")
    check_target(output)  # errors come before the long reading
    with advising_to_convert():
        table, target = load_vectors(file), load_vectors(other)
    words = None
    if by_words is not None:
        listed = lines(text_pieces(by_words, None, Meter(None, None)), by_words)
        words = [word for word in map(str.strip, listed) if word]
    save_vectors(table.align_to(target, words), output)
    common = len(set(words)) if words is not None else sum(map(target.has_index_for, table))
    tell(f"{output}: {len(table):,} words, aligned by {common:,}")

"""``windrow vectors blend``: one table of word vectors from two."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from windrow.cli.groups import command
from windrow.cli.messages import tell
from windrow.cli.options import check_parameters, flags_of, naming_options, setting_options, values_of
from windrow.cli.paths import InputFile, OutputVectors, words_read, words_written
from windrow.cli.saving import save_word_vectors
from windrow.cli.vector_files import VECTORS_OUTPUT, advising_to_convert
from windrow.embeddings.settings import BLEND
from windrow.errors import OptionError


@command(example="windrow vectors blend toy.safetensors counted.safetensors -o blended.safetensors")
@click.argument("file", metavar="A", type=InputFile(words_read))
@click.argument("other", metavar="B", type=InputFile(words_read))
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="FILE",
    type=OutputVectors(words_written, stdout=True),
    help=VECTORS_OUTPUT,
)
@setting_options(BLEND)
def blend(file: str, other: str, output: Path, **options: Any) -> None:
    """Blend the vectors of A, such as trained ones, with those of B, such as counted ones.

    The vectors of each word stand side by side, and principal components bring them back to --size dimensions, in the
    order of their variance. What `vectors train --keep-training-state` wrote has output vectors, too, which make the
    blend better.
    """
    from windrow.embeddings import Blend
    from windrow.embeddings.formats import check_target
    from windrow.files.compression import output_name

    if file == other == "-":
        raise OptionError("standard input, '-', can be read once only; name a file for A or B")
    check_target(output)
    model = Blend(**values_of(BLEND, options))
    check_parameters(model, flags_of(BLEND))
    with advising_to_convert(), naming_options(flags_of(BLEND)):
        wv = model.fit(file, other).wv
    save_word_vectors(wv, output)
    told = f"{output_name(output)}: {len(wv):,} words of {wv.vector_size} dimensions"
    tell(f"{told}, blended from {file} and {other}")

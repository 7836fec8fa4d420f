"""``windrow vectors count``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from windrow.cli.groups import command
from windrow.cli.help import grouped_option
from windrow.cli.logs import stages_bar
from windrow.cli.messages import tell
from windrow.cli.numbers import Size, number_of
from windrow.cli.options import (
    check_parameters,
    check_used,
    flags_of,
    naming_options,
    open_corpus,
    setting_options,
    sources_argument,
    text_of,
    text_options,
    values_of,
)
from windrow.cli.paths import OutputVectors, words_written
from windrow.cli.ray_cluster import ray_cluster, ray_options
from windrow.cli.saving import save_word_vectors
from windrow.cli.vector_files import VECTORS_OUTPUT
from windrow.embeddings.settings import COUNT_VECTORS

_WORKERS = next(setting for setting in COUNT_VECTORS if setting.name == "workers")
_MEMORY = "Memory beyond which counting goes over files: 500M, 2G, 50% of what is free."


@command("count", example="windrow vectors count toyland/train.txt -o counted.safetensors --min-count 1 --size 50")
@sources_argument
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="FILE",
    type=OutputVectors(words_written, stdout=True),
    help=VECTORS_OUTPUT,
)
@setting_options(COUNT_VECTORS, memory={"type": Size(), "metavar": "SIZE", "help": _MEMORY})
@grouped_option(
    "--workers",
    heading="Training",
    type=number_of(_WORKERS),
    help="Threads.  [default: one per core that this process may use]",
)
@grouped_option(
    "--temp-dir",
    heading="Training",
    common=False,
    metavar="DIR",
    help="Folder for temporary files, which are gone afterwards.  [default: what TMPDIR says, else the system's]",
)
@text_options()
@ray_options
def count(sources: tuple[str, ...], output: Path, workers: int | None, **options: Any) -> None:
    """Make word vectors of SOURCEs by counting: text (file, folder, glob, URL, -) or one `corpus build` folder.

    What stands near what is counted in one pass; the positive mutual information is factorized by a truncated singular
    value decomposition. FILE - is word2vec's text on standard output.
    """
    from windrow.embeddings import CountVectors
    from windrow.embeddings.formats import check_target
    from windrow.files.compression import output_name
    from windrow.files.tempfolder import temporary_files_in
    from windrow.machine import available_cores
    from windrow.numeric.compiling import working_time

    check_used(COUNT_VECTORS, {"workers": (), "memory": (("ray", (None,)),)})
    check_target(output)
    threads = available_cores() if workers is None else workers
    model = CountVectors(**values_of(COUNT_VECTORS, options), workers=threads)
    check_parameters(model, flags_of(COUNT_VECTORS))  # before the text is read
    started = working_time()
    with temporary_files_in(options["temp_dir"]), ray_cluster(options) as cluster, cluster.connected():
        corpus = open_corpus(*sources, ray=cluster.workers, **text_of(options))
        with naming_options(flags_of(COUNT_VECTORS)), stages_bar() as show:
            model.fit(corpus, progress=show, ray=cluster.workers)
    save_word_vectors(model.wv, output)
    tell(
        f"{output_name(output)}: {len(model.wv):,} words of {model.wv.vector_size} dimensions, counted in "
        f"{corpus.tokens:,} tokens, in {working_time() - started:.1f} s"
    )
    cluster.tell(corpus.tokens)

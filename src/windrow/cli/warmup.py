"""``windrow warmup``: compile and cache every kernel."""

from __future__ import annotations

import os
import time
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import click


@click.command()
def warmup() -> None:
    """Compile every kernel now, so that no later command waits for the compiler."""
    from windrow.corpus import Corpus
    from windrow.embeddings import Word2Vec
    from windrow.embeddings.word2vec import KERNELS
    from windrow.kernels._jit import CACHE_DIR
    from windrow.outputs import LOSSES

    started = time.monotonic()
    with TemporaryDirectory() as folder:
        text = Path(folder) / "text.txt"
        text.write_text("to be or not to be\n" * 3)
        corpus = Corpus.build(text)
        for sg, kernel, loss in product((0, 1), KERNELS, LOSSES):
            model = Word2Vec(vector_size=4, min_count=1, workers=1, epochs=1, sg=sg, kernel=kernel, loss=loss)
            model.fit(corpus)
    model.wv.most_similar("be")
    model.wv.most_similar_cosmul("be")
    is_kept = CACHE_DIR is not None and os.access(CACHE_DIR, os.W_OK)
    kept = f"kept in {CACHE_DIR}" if is_kept else "not kept: no cache folder can be written; set WINDROW_CACHE_DIR"
    click.echo(f"All kernels compiled in {time.monotonic() - started:.1f} s, {kept}", err=True)

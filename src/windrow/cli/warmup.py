"""``windrow warmup``: compile and cache every kernel."""

from __future__ import annotations

import time

import click


@click.command()
def warmup() -> None:
    """Compile every kernel now, so that no later command waits for the compiler."""
    from windrow.embeddings import Word2Vec
    from windrow.embeddings.word2vec import KERNELS
    from windrow.kernels._jit import CACHE_DIR
    from windrow.outputs import LOSSES

    started = time.monotonic()
    sentences = [["to", "be", "or", "not", "to", "be"]] * 3
    for kernel in KERNELS:
        for loss in LOSSES:
            Word2Vec(vector_size=4, min_count=1, workers=1, epochs=1, kernel=kernel, loss=loss).fit(sentences)
    kept = f"kept in {CACHE_DIR}" if CACHE_DIR else "not kept: no cache folder can be written; set WINDROW_CACHE_DIR"
    click.echo(f"All kernels compiled in {time.monotonic() - started:.1f} s, {kept}", err=True)

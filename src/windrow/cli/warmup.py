"""``windrow warmup``: compile and cache every kernel."""

from __future__ import annotations

import os
import time
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click


@click.command()
def warmup() -> None:
    """Compile every kernel now, so that no later command waits for the compiler."""
    from windrow.corpus import Corpus
    from windrow.corpus.numbering import KERNEL_FROM
    from windrow.embeddings import Word2Vec
    from windrow.embeddings.nearest import compile_batches
    from windrow.embeddings.settings import KERNELS
    from windrow.embeddings.steps import LOSSES
    from windrow.embeddings.training.hot_rows import compile_copies
    from windrow.evaluation.analogy import METHODS, Section, evaluate_analogies
    from windrow.numeric.jit import CACHE_DIR

    started = time.monotonic()
    with TemporaryDirectory() as folder:
        text = Path(folder) / "text.txt"
        text.write_text("to be or not to be\n" * 3)
        corpus = Corpus.build(text)
        for sg, kernel, loss in product((0, 1), KERNELS, LOSSES):
            model = Word2Vec(vector_size=4, min_count=1, workers=1, epochs=1, sg=sg, kernel=kernel, loss=loss)
            model.fit(corpus)
        for workers in (2, 3):  # which add up what they have learned in two ways
            Word2Vec(vector_size=4, min_count=1, workers=workers, epochs=1, deterministic=True).fit(corpus)
        text.write_text("a\n" * KERNEL_FROM)
        Corpus.build(text)
    for method in METHODS:
        question = Section("warmup", (("to", "be", "or", "not"),))
        evaluate_analogies([question], model.wv.index_to_key, model.wv.vectors, method=method)
    _compile_language_models()
    _compile_tagger()
    compile_batches()
    compile_copies()
    is_kept = CACHE_DIR is not None and os.access(CACHE_DIR, os.W_OK)
    kept = f"kept in {CACHE_DIR}" if is_kept else "not kept: no cache folder can be written; set WINDROW_CACHE_DIR"
    click.echo(f"All kernels compiled in {time.monotonic() - started:.1f} s, {kept}", err=True)


def _compile_language_models() -> None:
    from windrow.lm import CELL_NAMES
    from windrow.lm.neural.recurrent import RecurrentLM
    from windrow.lm.neural.window import WindowLM
    from windrow.lm.ngram.model import NGramLM
    from windrow.outputs import HEADS

    with TemporaryDirectory() as folder:
        lines = ["to be or not to be", "or not", "to be"] * 3
        for smoothing in ("modified-kneser-ney", "katz", "jelinek-mercer"):
            model = NGramLM(3, smoothing, discount_fallback=True, entropy_prune=1e-9).fit(lines, heldout=lines)
        NGramLM(3, discount_fallback=True, memory=1 << 20).fit(lines, counts_out=Path(folder) / "counts")
        NGramLM(3, discount_fallback=True).fit_counts(Path(folder) / "counts")
        model.save(Path(folder) / "model.arpa")
        model = NGramLM.load(Path(folder) / "model.arpa")
        model.word_scores("to be")
        model.log_probs(lines)
        model.generate("to", max_new_tokens=2)
    for output, optimizer, objective in product(HEADS, ("adam", "sgd"), ("nce", "sampled-softmax")):
        options: dict[str, Any] = {"output_layer": output, "optimizer": optimizer, "objective": objective, "epochs": 1}
        WindowLM(3, 4, 4, **options).fit(lines).generate("to", max_new_tokens=1)
    for cell in CELL_NAMES:
        RecurrentLM(cell, 4, 4, epochs=1).fit(lines).log_prob("to be")


def _compile_tagger() -> None:
    from windrow.tagging import WindowTagger

    WindowTagger(epochs=1).fit([(["in", "Rome"], ["O", "B-LOC"])] * 8).predict([["in", "Rome"]])

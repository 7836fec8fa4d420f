"""``windrow warmup``: compile and cache every kernel."""

from __future__ import annotations

import os
import time
import warnings
from itertools import product
from typing import Any

from windrow.cli.groups import command
from windrow.cli.messages import tell
from windrow.errors import DataWarning


@command(example="windrow warmup")
def warmup() -> None:
    """Compile every kernel now, so that no later command waits for the compiler."""
    from windrow.corpus import Corpus
    from windrow.corpus.numbering import KERNEL_FROM
    from windrow.distributed import InProcess
    from windrow.embeddings import CountVectors, Word2Vec
    from windrow.embeddings.nearest import compile_batches
    from windrow.embeddings.settings import KERNELS
    from windrow.embeddings.steps import LOSSES
    from windrow.embeddings.training.hot_rows import compile_copies
    from windrow.evaluation.analogy import METHODS, Section, evaluate_analogies
    from windrow.files.tempfolder import temporary_folder
    from windrow.numeric.jit import CACHE_DIR
    from windrow.phrases import Phrases

    started = time.monotonic()
    warnings.simplefilter("ignore", DataWarning)  # no text here is worth training on
    with temporary_folder() as folder:
        text = folder / "text.txt"
        text.write_text("to be or not to be\n" * 3)
        corpus = Corpus.build(text)
        for sg, kernel, loss in product((0, 1), KERNELS, LOSSES):
            model = Word2Vec(vector_size=4, min_count=1, workers=1, epochs=1, sg=sg, kernel=kernel, loss=loss)
            model.fit(corpus)
        for workers, loss in product((2, 3), LOSSES):  # two and more add up what they have learned in two ways
            options: dict[str, Any] = {"vector_size": 4, "min_count": 1, "epochs": 1, "loss": loss}
            Word2Vec(**options, workers=workers, deterministic=True).fit(corpus)
        subwords: dict[str, Any] = {
            "vector_size": 4,
            "min_count": 1,
            "epochs": 1,
            "subwords": True,
            "deterministic": True,
        }
        _ = Word2Vec(**subwords, workers=2).fit(corpus).wv
        Word2Vec(**subwords, workers=1, loss="hs").fit(corpus)  # whose tree is another
        Word2Vec(**subwords).fit(corpus, ray=InProcess(2))
        counted = CountVectors(vector_size=2, min_count=1, sample=0)
        counted.fit(corpus)
        counted.fit(corpus, ray=InProcess(2))  # in parts, which are merged
        text.write_text("\n".join(map(str, range(KERNEL_FROM // 5))))  # more words than a new table has room for
        Corpus.build(text)
        text.write_text(" ".join(map(str, range(1 << 15))))  # more pairs than a new table has room for
        Phrases(connector_words=["1"]).fit(text).transform(corpus)
    for method in METHODS:
        question = Section("warmup", (("to", "be", "or", "not"),))
        evaluate_analogies([question], model.wv.index_to_key, model.wv.vectors, method=method)
    lines = ["to be or not to be", "or not", "to be"] * 3
    _compile_ngram_models(lines)
    _compile_neural_models(lines)
    _compile_tagger()
    _compile_classifier()
    compile_batches()
    compile_copies()
    is_kept = CACHE_DIR is not None and os.access(CACHE_DIR, os.W_OK)
    kept = f"kept in {CACHE_DIR}" if is_kept else "not kept: no cache folder can be written; set WINDROW_CACHE_DIR"
    tell(f"All kernels compiled in {time.monotonic() - started:.1f} s, {kept}")


def _compile_ngram_models(lines: list[str]) -> None:
    from windrow.distributed import InProcess
    from windrow.files.tempfolder import temporary_folder
    from windrow.lm.cache import CacheLM
    from windrow.lm.classes.model import ClassLM
    from windrow.lm.ngram.model import NGramLM
    from windrow.lm.skips.model import SkipNGramLM
    from windrow.lm.unbounded.model import UnboundedNGramLM

    with temporary_folder() as folder:
        counts, arpa, file = (folder / name for name in ("counts", "model.arpa", "model.safetensors"))
        for smoothing in ("modified-kneser-ney", "katz"):
            NGramLM(3, smoothing, discount_fallback=True, entropy_prune=1e-9).fit(lines)
        NGramLM(3, "jelinek-mercer", entropy_prune=1e-9).fit(lines, heldout=lines)
        NGramLM(3, "stupid-backoff").fit(lines).log_probs(lines)
        NGramLM(3, discount_fallback=True, prune=(0, 0, 1), bos=False).fit(lines)
        NGramLM(3, discount_fallback=True).fit(lines, ray=InProcess())
        NGramLM(3, discount_fallback=True, memory=1 << 20).fit(lines, counts_out=counts)
        NGramLM(3, discount_fallback=True, memory=1 << 20).fit(lines * 4000)  # in two parts, which are merged
        NGramLM(3, discount_fallback=True, keep_counts=True).fit(lines).add(lines)
        compact = folder / "compact.safetensors"
        NGramLM(3, discount_fallback=True, compact=True).fit(lines).save(compact)
        NGramLM.load(compact).word_scores("to be")
        NGramLM.load(compact).save(folder / "compact.arpa")
        model = NGramLM(3, discount_fallback=True).fit_counts(counts)
        model.save(file)
        model.save(arpa)
        unbounded = folder / "unbounded.safetensors"
        UnboundedNGramLM(discount_fallback=True).fit(lines).save(unbounded)
        kept = UnboundedNGramLM.load(unbounded)
        kept.word_scores("to be")
        kept.generate("to", max_new_tokens=2)
        kept.score_next(kept.start(), "be")
        list(kept.occurrences("to be"))
        ClassLM(2, 3).fit(lines).word_scores("to be")
        SkipNGramLM(discount_fallback=True).fit(lines).word_scores("to be")
        CacheLM(model.vocabulary, 5).log_prob("to be")
        for path in (file, arpa):  # whose arrays are the file itself, which is read-only, or not
            model = NGramLM.load(path)
            model.save(folder / "again.arpa")
            model.word_scores("to be")
            model.log_probs(lines)
            model.generate("to", max_new_tokens=2)
            list(model.ngrams())
            model.score_next_batch([model.start()], ["to"])
            model.table_.score_after(model.start(), model.encode("to").astype("int64"))


def _compile_neural_models(lines: list[str]) -> None:
    from windrow.lm import CELL_NAMES
    from windrow.lm.neural.recurrent import RecurrentLM
    from windrow.lm.neural.window import WindowLM
    from windrow.outputs import OUTPUT_LAYERS

    layers: list[dict[str, Any]] = [{"output_layer": name} for name in OUTPUT_LAYERS]
    layers.append({"output_layer": "nce", "objective": "sampled-softmax"})
    for layer, optimizer in product(layers, ("adam", "sgd")):
        options: dict[str, Any] = {**layer, "optimizer": optimizer, "epochs": 1}
        model = WindowLM(3, 4, 4, **options).fit(lines)
        model.log_probs(lines)
        model.generate("to", max_new_tokens=1)
        for parameter in model.network_.head.parameters.values():
            parameter.value *= 1e4
        model.log_prob("to be")  # of a network so sure of itself that it needs another way to sum
    WindowLM(3, 4, 4, epochs=1, quantize_bits=8).fit(lines).generate("to", max_new_tokens=1)
    for cell in CELL_NAMES:
        RecurrentLM(cell, 4, 4, epochs=1).fit(lines).log_prob("to be")


def _compile_tagger() -> None:
    from windrow.tagging import WindowTagger

    WindowTagger(epochs=1).fit([(["in", "Rome"], ["O", "B-LOC"])] * 8).predict([["in", "Rome"]])


def _compile_classifier() -> None:
    from windrow.classification import TextClassifier
    from windrow.classification.settings import LOSS_NAMES
    from windrow.files.tempfolder import temporary_folder

    texts, labels = ["to be", "or not", "to be"], ["a", "b", "c"]
    TextClassifier(4, epochs=1).fit([f"__label__{label} {text}" for label, text in zip(labels, texts, strict=True)])
    with temporary_folder() as folder:
        for loss in LOSS_NAMES:
            options: dict[str, Any] = {"word_ngrams": 2, "max_n": 2, "buckets": 100, "epochs": 1}
            model = TextClassifier(4, loss=loss, **options).fit(texts, labels)
            model.predict(texts)
            model.save(folder / "model")
            TextClassifier.load(folder / "model").predict(texts)  # whose arrays are the file, which is read-only

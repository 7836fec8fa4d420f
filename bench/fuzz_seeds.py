"""Small sound files of every kind that windrow reads, from which damaged ones are made."""

from __future__ import annotations

import bz2
import functools
import gzip
import json
import lzma
import pickle
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np

import windrow
from fuzz_mutations import unsigned

Write = Callable[[Path], object]

_FASTTEXT = Path(__file__).parents[1] / "tests" / "classification" / "fasttext"
TEXT = ["the cat sat on the mat", "the dog sat", "a cat ran off", "", "a mouse sat on the dog"] * 4
TAGGED = [(["Ann", "saw", "Rome"], ["B-PER", "O", "B-LOC"]), (["it", "rains"], ["O", "O"])] * 3
WORDS = ["the", "cat", "dog", "naïve", "a_b", "1.5", "sat", "mat", "Ann", "-"]
CONLL = "-DOCSTART- -X- O\n\n# a comment\nAnn NNP B-PER\nsaw VBD O\nRome NNP B-LOC\n\nit PRP O\nrains VBZ O\n" * 2
BUCKETS = """{"format": "windrow perplexity buckets", "version": 1, "buckets": ["head", "middle", "tail"],
 "cutoffs": [3.5, 7.25], "percentiles": [30, 60], "model": {"file": "m", "bytes": 12, "crc32": "0568d4d6"}}
"""
SIMILARITY = "word1\tword2\tscore\nthe\tcat\t9.5\ncat\tdog\t7\nsat\tmat\t1.25\nthe\tdog\t3\nzebra\tcat\t2\n"
RARE_WORDS = "the cat 5.5 4 5 6 7\ncat dog 6.5 6 7 6 7\nsat mat 1.5 0 1 2 3\n"
ANALOGIES = ": capital-common\nthe cat sat mat\ncat dog mat sat\n: gram1-adverb\nthe sat cat mat\nzebra cat the dog\n"
REGISTRY = """[small]
description = "A corpus"
license = "CC0"
size = "1 kB"
mirrors = ["https://example.org/a", "https://example.com/b"]
[[small.file]]
path = "texts/a.txt.gz"
unpack = "gzip"
sha256 = { "a.txt" = "0000000000000000000000000000000000000000000000000000000000000000" }

["other corpus"]
description = "Another"
licence = "MIT"
size = "2 kB"
mirrors = ["https://example.org/c"]
[["other corpus".file]]
path = "c.zip"
unpack = ["c/1.txt", "c/2.txt"]
"""
CSV = 'id,text,more\n1,"the cat, sat",x\n2,the dog sat,y\n3,"a ""quoted"" cat\non two lines",z\n4,,\n'
JSONL = (
    '{"id": 1, "text": "the cat sat"}\n{"text": "the dog", "more": [1, {"a": null}]}\n{"text": ["a", "cat", "ran"]}\n'
)
_LOG = {"event": "epoch", "epoch": 1, "epochs": 3, "examples": 100, "total_examples": 300, "loss": 2.5,
        "learning_rate": 0.02, "per_second": 1000.0, "seconds": 0.1, "score": 150.0,
        "measure": "perplexity"}  # fmt: skip
LOG = "".join(json.dumps({**_LOG, "epoch": n, "examples": 100 * n, "loss": 2.5 / n}) + "\n" for n in (1, 2, 3))


@functools.cache
def small_vectors() -> Any:
    """Ten words of three dimensions."""
    return windrow.WordVectors(WORDS, np.random.default_rng(3).normal(size=(10, 3)).astype(np.float32))


# --- writing


def _text(text: str) -> Write:
    return lambda path: path.write_text(text, encoding="utf-8")


def _packed(pack: Callable[[bytes], bytes], write: Write) -> Write:
    """What ``write`` writes, compressed."""

    def packed(path: Path) -> None:
        write(path)
        path.write_bytes(pack(path.read_bytes()))

    return packed


def _vectors(extension: str, *, pack: Callable[[bytes], bytes] = bytes) -> Write:
    def write(path: Path) -> None:
        saved = path.with_name(f"saved.{extension}")
        small_vectors().save(saved)
        path.write_bytes(pack(saved.read_bytes()))
        saved.unlink()
        if (words := saved.with_name("saved.words.txt")).exists():
            words.rename(path.with_suffix(".words.txt"))

    return write


def _beside_static_vectors(path: Path) -> None:
    """The tokenizer of a folder of static embeddings."""
    small_vectors().save(path.with_name("folder"), format="model2vec")
    for file in path.with_name("folder").iterdir():
        file.replace(path.with_name(file.name))
    path.with_name("folder").rmdir()


@contextmanager
def _gensims_classes(module: str, *names: str) -> Iterator[dict[str, type]]:
    """Within, ``gensim.models.MODULE`` has empty classes of these names, so that gensim need not be installed."""
    full = f"gensim.models.{module}"
    modules = {name: ModuleType(name) for name in ("gensim", "gensim.models", full)}
    classes = {name: type(name, (), {"__module__": full}) for name in names}
    vars(modules[full]).update(classes)
    with patch.dict(sys.modules, modules):
        yield classes


def _gensims(protocol: int, *, of: str = "KeyedVectors", apart: str = "") -> Write:
    """A table as gensim pickles it, or a model that has one.

    ``of``: "Word2VecKeyedVectors" is a table of gensim 3. ``apart``: the vectors are beside it, in an "npy" or "npz".
    """

    def write(path: Path) -> None:
        with _gensims_classes("any", of, "KeyedVectors", "Vocab") as classes:
            model = classes[of]()
            table = classes["KeyedVectors"]() if of == "Word2Vec" else model
            counts = np.arange(10, 0, -1)
            vars(table).update(vector_size=3, __numpys=[])
            if of == "Word2VecKeyedVectors":
                entries = [classes["Vocab"]() for _ in WORDS]
                for row, entry in enumerate(entries):
                    vars(entry).update(count=int(counts[row]), index=row)
                vars(table).update(index2word=list(WORDS), vocab=dict(zip(WORDS, entries, strict=True)))
            else:
                rows = {word: row for row, word in enumerate(WORDS)}
                vars(table).update(index_to_key=list(WORDS), key_to_index=rows, norms=None, expandos={"count": counts})
            vectors = np.array(small_vectors().vectors)
            if apart:
                vars(table)["__numpys"] = ["vectors"]
                beside = f"{path}.wv.vectors" if of == "Word2Vec" else f"{path}.vectors"
                if apart == "npy":
                    np.save(f"{beside}.npy", vectors)
                else:
                    np.savez_compressed(f"{beside}.npz", val=vectors)
            else:
                vars(table)["vectors"] = vectors
            if table is not model:
                vars(model).update(wv=table, lifecycle_events=[{"event": "created"}])
            data = pickle.dumps(model, protocol)
            path.write_bytes(gzip.compress(data) if apart == "npz" else data)

    return write


def _beside(name: str, write: Write) -> Write:
    """What ``write`` writes under this name, for whom a file beside it is damaged."""
    return lambda path: write(path.with_name(name))


def _phrases(path: Path) -> None:
    windrow.Phrases(min_count=2, threshold=0.1, connector_words=["on"], passes=2).fit(TEXT).save(path)


def _gensims_phrases(protocol: int, *, frozen: bool) -> Write:
    """Phrases as gensim pickles them."""

    def write(path: Path) -> None:
        name = "FrozenPhrases" if frozen else "Phrases"
        with _gensims_classes("phrases", name, "original_scorer") as classes:  # a function is named as a class is
            model, scorer = classes[name](), classes["original_scorer"]
            vars(model).update(min_count=1, threshold=0.1, delimiter="_", scoring=scorer)
            vars(model).update(connector_words=frozenset(["on"]))
            if frozen:
                vars(model).update(phrasegrams={"cat_sat": 1.5, "sat_on_mat": 0.5})
            else:
                counts = {"cat": 9, "sat": 8, "mat": 7, "cat_sat": 5, "sat_on_mat": 4}
                vars(model).update(vocab=counts, corpus_word_count=40)
            path.write_bytes(pickle.dumps(model, protocol))

    return write


def _foreign_matrix(path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"embedding": small_vectors().vectors, "scale": np.ones(3)}, path)
    path.with_suffix(".words.txt").write_text("\n".join(WORDS), encoding="utf-8")


def _words_beside_matrix(path: Path) -> None:
    path.write_text("\n".join(WORDS) + "\n", encoding="utf-8")
    np.save(path.with_name("m.npy"), small_vectors().vectors)


def _trained_vectors(**parameters: Any) -> Write:
    def write(path: Path) -> None:
        _trained(parameters).wv.save(path)

    return write


def _training_state(format: str, **parameters: Any) -> Write:
    def write(path: Path) -> None:
        _trained(parameters).save(path, format)

    return write


def _trained(parameters: dict[str, Any]) -> windrow.Word2Vec:
    options = {"vector_size": 4, "min_count": 1, "sample": 0, "epochs": 1, "workers": 1, **parameters}
    return windrow.Word2Vec(**options).fit(TEXT)


def _unbounded(**parameters: Any) -> Write:
    return lambda path: windrow.UnboundedNGramLM(discount_fallback=True, **parameters).fit(TEXT).save(path)


def _ngrams(order: int = 3, smoothing: str = "witten-bell", **parameters: Any) -> Write:
    options = {"discount_fallback": smoothing.endswith("ney"), **parameters}
    return lambda path: windrow.NGramLM(order, smoothing, **options).fit(TEXT).save(path)


def _counts(name: str) -> Write:
    def write(path: Path) -> None:
        target = path.with_name(name)
        windrow.NGramLM(2, "witten-bell").fit(TEXT, counts_out=target)
        target.rename(path)

    return write


_NETWORK = {"embedding_size": 4, "hidden_size": 4, "epochs": 1, "learning_rate": 0.05}


def _window(**parameters: Any) -> Write:
    return lambda path: (
        windrow.WindowLM(**{"order": 3, "batch_size": 16, **_NETWORK, **parameters}).fit(TEXT).save(path)
    )


def _recurrent(cell: str, **parameters: Any) -> Write:
    options = {"cell": cell, "batch_size": 4, "bptt": 8, **_NETWORK, **parameters}
    return lambda path: windrow.RecurrentLM(**options).fit(TEXT).save(path)


def _mixture(method: str) -> Write:
    def write(path: Path) -> None:
        window = windrow.WindowLM(order=2, **_NETWORK).fit(TEXT)
        parts = [windrow.NGramLM(1, "witten-bell").fit(TEXT), window]
        windrow.MixtureLM(parts, [0.25, 0.75], method).save(path)

    return write


def _classes(**parameters: Any) -> Write:
    return lambda path: windrow.ClassLM(4, 3, **parameters).fit(TEXT).save(path)


def _skips(**parameters: Any) -> Write:
    return lambda path: windrow.SkipNGramLM(**parameters).fit(TEXT).save(path)


def _cache(path: Path) -> None:
    from windrow.lm.cache import CacheLM

    CacheLM(windrow.NGramLM(1, "witten-bell").fit(TEXT).vocabulary, 12, pseudo_count=0.5).save(path)


def _tagger(**parameters: Any) -> Write:
    options = {"vector_size": 4, "hidden_size": 4, "window": 3, "epochs": 2, "min_count": 1, **parameters}
    return lambda path: windrow.WindowTagger(**options).fit(TAGGED).save(path)


def _classifier(**parameters: Any) -> Write:
    few_buckets = {"buckets": 50} if {"word_ngrams", "max_n"} & parameters.keys() else {}
    options = {"vector_size": 4, "epochs": 2, **few_buckets, **parameters}
    return lambda path: windrow.TextClassifier(**options).fit(TEXT, [len(text) % 3 for text in TEXT]).save(path)


def _fasttext(name: str) -> Write:
    """A classifier of fastText's, which the tests keep."""
    return lambda path: path.write_bytes((_FASTTEXT / name).read_bytes())


def _fasttext_tree(path: Path) -> None:
    """A classifier whose tree is in its file."""
    windrow.TextClassifier.load(_FASTTEXT / "tied.bin").save(path)


def _corpus(*, signed: bool = True, **options: Any) -> Write:
    """A corpus in the folder of the file; the file is one of its parts. Not ``signed``: without checksums."""

    def write(path: Path) -> None:
        built = path.parent / "built"
        windrow.Corpus.build(TEXT, built, **options)
        for part in built.iterdir():
            part.rename(path.parent / part.name)
        built.rmdir()
        if not signed:
            header = path.with_name("corpus.json")
            header.write_text(json.dumps(unsigned(json.loads(header.read_text("utf-8")))))

    return write


def _parquet(path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    table = {"text": TEXT[:4], "id": [1, 2, 3, None], "tokens": [["the", "cat"], [], None, ["a"]]}
    pyarrow.parquet.write_table(pyarrow.table(table), path)


def _with_file(name: str, text: str, write: Write) -> Write:
    def both(path: Path) -> None:
        path.with_name(name).write_text(text, encoding="utf-8")
        write(path)

    return both


_GLOVE = "".join(f"{word} {n}.5 -{n}.25 1e-{n}\n" for n, word in enumerate(w for w in WORDS if " " not in w))
LIST = "\n".join(WORDS) + "\n"
LINES = "\n".join(TEXT) + "\n"
LABELLED = "".join(f"__label__{'xy'[len(text) % 2]} {text}\n" for text in TEXT)
LABELLED_JSONL = "".join(json.dumps({"text": text, "id": len(text) % 3}) + "\n" for text in TEXT)
_ODD_LINES = "Straße, l'été: ١٢٣ 👩‍👩‍👧 e\u0301\u200b don't\t東京 \ufeff a_b 1,000.5\r\n\r\nTHE END.\u2028x\n"


def _zstd(data: bytes) -> bytes:
    try:
        from backports import zstd
    except ImportError:
        from compression import zstd  # type: ignore[no-redef]
    packed: bytes = zstd.compress(data)
    return packed


_PARTS = {"subwords": True, "max_n": 4, "buckets": 30, "loss": "hs"}

# (kind, variant) -> the file that is damaged, and what writes sound ones
SEEDS: dict[tuple[str, str], tuple[Any, ...]] = {
    ("vectors", "safetensors"): ("v.safetensors", _vectors("safetensors"), _trained_vectors()),
    ("vectors", "word2vec text"): ("v.txt", _vectors("txt")),
    ("vectors", "word2vec binary"): ("v.bin", _vectors("bin")),
    ("vectors", "vec"): ("v.vec", _vectors("vec")),
    ("vectors", "GloVe"): ("v", _text(_GLOVE), _vectors("glove")),
    ("vectors", "TSV"): ("v.tsv", _vectors("tsv")),
    ("vectors", "NumPy"): ("v.npy", _vectors("npy")),
    ("vectors", "Arrow"): ("v.arrow", _vectors("arrow")),
    ("vectors", "JSON lines"): ("v.jsonl", _vectors("jsonl")),
    ("vectors", "small"): (
        "v.safetensors",
        lambda path: small_vectors().save(path, dtype="int8"),
        lambda path: small_vectors().save(path, dtype="float16"),
    ),
    ("tokenizer of vectors", ""): ("tokenizer.json", _beside_static_vectors),
    ("words of a matrix", ""): ("m.words.txt", _words_beside_matrix),
    ("vectors", "foreign safetensors"): ("v.safetensors", _foreign_matrix),
    ("vectors", "gensim"): ("v.kv", _gensims(0), _gensims(4), _gensims(5), _gensims(4, apart="npy")),
    ("vectors", "gensim's models"): (
        "v.model",
        _gensims(4, of="Word2Vec"),
        _gensims(4, of="Word2Vec", apart="npy"),
        _gensims(2, of="Word2VecKeyedVectors"),
    ),
    ("vectors", "gensim, compressed"): ("v.kv.gz", _gensims(4, apart="npz")),
    ("array of gensim", ""): ("v.kv.vectors.npy", _beside("v.kv", _gensims(4, apart="npy"))),
    ("array of gensim", "compressed"): ("v.kv.gz.vectors.npz", _beside("v.kv.gz", _gensims(4, apart="npz"))),
    ("vectors", "Parquet"): ("v.parquet", _vectors("parquet")),
    ("vectors", "gzip"): ("v.gz", _vectors("txt", pack=gzip.compress), _vectors("bin", pack=gzip.compress)),
    ("vectors", "bzip2"): ("v.bz2", _vectors("txt", pack=bz2.compress)),
    ("vectors", "xz"): ("v.xz", _vectors("safetensors", pack=lzma.compress)),
    ("vectors", "zstd"): ("v.zst", _vectors("txt", pack=_zstd)),
    ("training of vectors", ""): ("v", _training_state("safetensors", hs=1), _training_state("safetensors", **_PARTS)),
    ("training of vectors", "fastText"): (
        "v",
        _training_state("fasttext"),
        _training_state("fasttext", **_PARTS),
        _training_state("fasttext", sg=1),
    ),
    ("ngram", ""): (
        "m",
        _ngrams(),
        _ngrams(2, "modified-kneser-ney"),
        _ngrams(2, "jelinek-mercer", weights=(0.5, 0.5)),
    ),
    ("ngram", "counts"): ("m", _ngrams(keep_counts=True), _ngrams(2, keep_counts=True, bos=False, min_count=2)),
    ("ngram", "quantized"): ("m", _ngrams(quantize_bits=4), _ngrams(2, quantize_bits=8)),
    ("ngram", "compact"): ("m", _ngrams(compact=True), _ngrams(2, "absolute", compact=True, discount_fallback=True)),
    ("skips", ""): ("m", _skips(smoothing="witten-bell"), _skips(places=(3, 1), discount_fallback=True, min_count=2)),
    ("classes", ""): ("m", _classes(), _classes(smoothing="witten-bell", min_count=2)),
    ("unbounded", ""): ("m", _unbounded(), _unbounded(min_count=2)),
    ("arpa", ""): ("m.arpa", _ngrams(), _ngrams(1)),
    ("arpa", "gzip"): ("m.arpa.gz", _ngrams(2)),
    ("counts", ""): ("c", _counts("c.txt")),
    ("counts", "gzip"): ("c", _counts("c.txt.gz")),
    ("window", "softmax"): ("m", _window(), _window(tied=True)),
    ("window", "hierarchical"): ("m", _window(output_layer="hierarchical")),
    ("window", "classes"): ("m", _window(output_layer="classes")),
    ("window", "adaptive"): ("m", _window(output_layer="adaptive", cutoffs=(4, 8))),
    ("window", "noise, 8 bits"): ("m", _window(output_layer="nce", noise_words=8), _window(quantize_bits=8)),
    ("recurrent", "LSTM"): ("m", _recurrent("lstm"), _recurrent("lstm", quantize_bits=8)),
    ("recurrent", "GRU"): ("m", _recurrent("gru", output_layer="adaptive", cutoffs=(4, 8))),
    ("recurrent", "Elman"): ("m", _recurrent("elman", layers=2), _recurrent("elman", output_layer="hierarchical")),
    ("mixture", ""): ("m", _mixture("linear"), _mixture("log-linear")),
    ("cache", ""): ("m", _cache),
    ("phrases", ""): ("m", _phrases),
    ("phrases", "gensim"): (
        "m",
        _gensims_phrases(2, frozen=False),
        _gensims_phrases(4, frozen=False),
        _gensims_phrases(4, frozen=True),
    ),
    ("tagger", "CRF"): ("m", _tagger(), _tagger(scheme="bilou", affixes=(2,))),
    ("tagger", "softmax"): ("m", _tagger(output_layer="softmax", scheme="iob2")),
    ("tagger", "logistic"): ("m", _tagger(output_layer="logistic", scheme="io")),
    ("classifier", "softmax"): ("m", _classifier(), _classifier(word_ngrams=2, loss="ova")),
    ("classifier", "tree"): ("m", _classifier(loss="hs", max_n=3), _classifier(loss="ns", word_ngrams=2)),
    ("classifier", "smaller"): ("m", _classifier(word_ngrams=2, cutoff=12, quantize_bits=8), _fasttext_tree),
    ("classifier", "fastText"): ("m", *map(_fasttext, ("hs.bin", "softmax.bin", "norms.ftz"))),
    ("labelled text", ""): ("t", _text(LABELLED)),
    ("labelled records", ""): ("t.jsonl", _text(LABELLED_JSONL)),
    ("corpus", "header"): ("corpus.json", _corpus(signed=False), _corpus(tokenizer="char", min_count=2)),
    ("corpus", "ids"): ("ids.bin", _corpus(signed=False), _corpus()),
    ("corpus", "starts"): ("starts.bin", _corpus(signed=False), _corpus()),
    ("corpus", "vocabulary"): (
        "vocabulary.safetensors",
        _corpus(signed=False),
        _corpus(signed=False, specials=("<unk>",), min_count=3),
        _corpus(),
    ),
    ("vocabulary", ""): ("vocabulary.safetensors", _corpus(), _corpus(specials=("<unk>",))),
    ("text", ""): ("t", _text(LINES), _text(_ODD_LINES)),
    ("text, words", ""): ("t", _text(_ODD_LINES), _text(LINES)),
    ("text, characters", ""): ("t", _text(_ODD_LINES)),
    ("text, paragraphs", ""): ("t", _text(LINES), _text(_ODD_LINES)),
    ("text", "gzip"): ("t.gz", _packed(gzip.compress, _text(LINES))),
    ("text", "bzip2"): ("t.bz2", _packed(bz2.compress, _text(LINES))),
    ("text", "xz"): ("t.xz", _packed(lzma.compress, _text(LINES))),
    ("text", "zstd"): ("t.zst", _packed(_zstd, _text(LINES))),
    ("jsonl", ""): ("t.jsonl", _text(JSONL)),
    ("csv", ""): ("t.csv", _text(CSV)),
    ("parquet", ""): ("t.parquet", _parquet),
    ("limit vocabulary", ""): ("words", _with_file("text", LINES, _text(LIST))),
    ("only words", ""): ("words", _with_file("v.txt", _GLOVE, _text(LIST))),
    ("conll", ""): ("t.conll", _text(CONLL), _text(CONLL.replace(" ", "\t"))),
    ("text to tag", ""): ("t", _text(CONLL), _text(LINES)),
    ("similarity", ""): ("s", _text(SIMILARITY), _text(SIMILARITY.replace("\t", ",")), _text(RARE_WORDS)),
    ("analogies", ""): ("a", _text(ANALOGIES)),
    ("info", ""): (
        "f",
        *map(_vectors, ("safetensors", "txt", "parquet")),
        *(_gensims(4), _fasttext("softmax.bin"), _ngrams(), _tagger(), _text(LINES)),
    ),
    ("registry", ""): ("r.toml", _text(REGISTRY)),
    ("buckets", ""): ("b.json", _text(BUCKETS)),
    ("log", ""): ("log.jsonl", _text(LOG)),
    ("log drawn", ""): ("log.jsonl", _text(LOG)),
}


# --- trainings that were stopped, and what goes on from where they stopped

_VECTORS = {"vector_size": 4, "min_count": 1, "sample": 0, "epochs": 3, "workers": 1}
_LONGER = {**_NETWORK, "epochs": 3}
_TRAININGS: dict[str, tuple[str, dict[str, Any]]] = {
    "vectors, noise": ("Word2Vec", {**_VECTORS, "sg": 1}),
    "vectors, hierarchical": ("Word2Vec", {**_VECTORS, "sg": 0, "loss": "hs"}),
    "vectors, softmax": ("Word2Vec", {**_VECTORS, "loss": "softmax"}),
    "vectors, pairs": ("Word2Vec", {**_VECTORS, "loss": "hs+ns", "kernel": "pair"}),
    "vectors, sub-words": ("Word2Vec", {**_VECTORS, **_PARTS}),
    "vectors, rounds": ("Word2Vec", {**_VECTORS, "workers": 2, "deterministic": True}),
    "recurrent": ("RecurrentLM", {"cell": "lstm", "batch_size": 4, "bptt": 8, "dropout": 0.1, **_LONGER}),
    "recurrent, reset": ("RecurrentLM", {"cell": "gru", "state": "reset", "batch_size": 4, "optimizer": "momentum",
                                         **_LONGER}),
    "window": ("WindowLM", {"order": 3, "batch_size": 16, **_LONGER}),
    "window, noise": ("WindowLM", {"order": 3, "batch_size": 16, "output_layer": "nce", "noise_words": 8, **_LONGER}),
    "tagger": ("WindowTagger", {"vector_size": 4, "hidden_size": 3, "window": 1, "batch_size": 2, "epochs": 3,
                                "min_count": 1}),
    "MLP": ("MLPClassifier", {"hidden_layer_sizes": (3,), "batch_size": 4, "epochs": 3, "early_stopping": True,
                              "validation_fraction": 0.25, "random_state": 2}),
}  # fmt: skip
_X = np.array([[row * 2 % size / size for size in (5, 7)] for row in range(24)], np.float32)
_Y = (_X.sum(axis=1) > 0.9).astype(np.int64)


def _stop(progress: Any, *_: Any) -> None:
    if getattr(progress, "event", "epoch") == "epoch" and progress.epoch == 2:
        raise KeyboardInterrupt


def _fit(name: str, checkpoint: Path, *, resume: bool) -> Any:
    estimator, parameters = _TRAININGS[name]
    model = getattr(windrow, estimator)(**parameters, callbacks=[] if resume else [_stop])
    if estimator == "MLPClassifier":
        return model.fit(_X, _Y, checkpoint=checkpoint, resume=resume)
    data = TAGGED if estimator == "WindowTagger" else TEXT
    valid = {"valid": data[:2]} if estimator in ("RecurrentLM", "WindowTagger") else {}
    return model.fit(data, checkpoint=checkpoint, resume=resume, **valid)


def _write_checkpoint(name: str, path: Path) -> None:
    try:
        _fit(name, path, resume=False)
    except KeyboardInterrupt:
        return
    raise AssertionError(f"the training {name!r} was not stopped")


def _resume(name: str, path: Path) -> Any:
    """Numbers that depend on everything that was learned."""
    model = _fit(name, path, resume=True)
    if hasattr(model, "wv"):
        return model.wv.vectors
    if hasattr(model, "predict_proba"):
        return model.predict_proba(_X)
    return np.array([model.log_prob("the cat sat") if hasattr(model, "log_prob") else len(model.predict([["Ann"]]))])


CHECKPOINTS: Mapping[str, Write] = {name: partial(_write_checkpoint, name) for name in _TRAININGS}
RESUMED: Mapping[str, Callable[[Path], Any]] = {name: partial(_resume, name) for name in _TRAININGS}

"""How each program trains, and what is needed for it. Each function returns seconds of training alone.

What is not timed: imports, reading and encoding the text, counting words, compiling. windrow's ``fit`` is timed
whole, with the making of its tables; its kernels are compiled (or read from the cache) by a short training before.
gensim gets its sentences as lists in memory, every word one object: of its ways of feeding (lists, LineSentence,
corpus_file) the fastest with one worker, or within a few per cent of it. fastText reads and trains in one call: a
call with no epoch is subtracted. word2vec.c reports its rate of training itself.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from importlib.util import find_spec
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data import Options
from machine import version_of

if TYPE_CHECKING:
    from gensim.models import Word2Vec as GensimWord2Vec

    from windrow import Corpus, WordVectors

TINY = [["to", "be", "or", "not", "to", "be"]] * 3


# --- what is there


def absence(package: str) -> str:
    """Why a package cannot be measured; empty if it can."""
    if find_spec(package) is None:
        return f"{package} is not installed"
    if package == "word2vec" and shutil.which("gcc") is None:
        return "no gcc to compile word2vec.c"
    if package == "fasttext" and version_of("fasttext-community") == "absent":
        # In most others DenseMatrix::uniform with one thread fills the first of ten parts and leaves the rest as it is.
        return "of the packages of fastText only fasttext-community is measured: it initializes its whole table"
    return ""


def windrow_parameter(name: str) -> dict[str, float]:
    """Whether Word2Vec has a constructor parameter of this name."""
    from windrow import Word2Vec

    return {"found": name in signature(Word2Vec).parameters}


# --- windrow


def windrow_vectors(corpus: Corpus, options: Options) -> tuple[WordVectors, float]:
    """Train, timed, with warm kernels."""
    from windrow import Word2Vec

    Word2Vec(**{**options, "min_count": 1, "epochs": 1, "workers": 1, "sample": 0}).fit(TINY)
    started = time.perf_counter()
    model = Word2Vec(**options).fit(corpus)
    return model.wv, time.perf_counter() - started


def train_windrow(corpus: str, options: Options, seed: int = 1) -> dict[str, float]:
    from windrow import Corpus

    opened = Corpus.open(corpus)
    _, seconds = windrow_vectors(opened, {**options, "seed": seed})
    return _figures(seconds, opened.tokens * options["epochs"])


# --- gensim


def gensim_model(lines: str | Path, options: Options, feed: str = "lists") -> tuple[GensimWord2Vec, float]:
    """Count words, then train, timed; ``feed`` "lists" or "corpus_file"."""
    from gensim.models import Word2Vec as GensimWord2Vec

    model = GensimWord2Vec(**options)
    if feed == "corpus_file":
        model.build_vocab(corpus_file=str(lines))
        source = {"corpus_file": str(lines), "total_words": model.corpus_total_words}
    else:
        sentences = _sentences(lines)
        model.build_vocab(sentences)
        source = {"corpus_iterable": sentences, "total_examples": model.corpus_count}
    started = time.perf_counter()
    model.train(**source, epochs=model.epochs)
    return model, time.perf_counter() - started


def _sentences(lines: str | Path) -> list[list[str]]:
    """One object a word: less memory, and the hash that gensim asks for is known already."""
    words: dict[str, str] = {}
    with Path(lines).open(encoding="utf-8") as stream:
        return [[words.setdefault(word, word) for word in line.split()] for line in stream]


def train_gensim(lines: str, options: Options, feed: str = "lists", seed: int = 1) -> dict[str, float]:
    model, seconds = gensim_model(lines, {**options, "seed": seed}, feed)
    return _figures(seconds, model.corpus_total_words * options["epochs"])


# --- fastText, without subwords


def fasttext_model(lines: str, options: Options, epochs: int) -> Any:
    """Read the text and train on it, in one call."""
    import fasttext

    given = {
        "model": "skipgram" if options["sg"] else "cbow",
        "loss": options.get("loss") or ("hs" if options["hs"] else "ns"),
        "lr": options["alpha"],
        "dim": options["vector_size"],
        "ws": options["window"],
        "neg": options["negative"],
        "t": options["sample"],
        "minCount": options["min_count"],
        "thread": options["workers"],
    }
    subwords = {"minn": 0, "maxn": 0, "bucket": 0}
    if options.get("subwords"):
        subwords = {"minn": options["min_n"], "maxn": options["max_n"], "bucket": options["buckets"]}
    return fasttext.train_unsupervised(lines, **given, **subwords, epoch=epochs, verbose=0)


def train_fasttext(lines: str, options: Options, words: int) -> dict[str, float]:
    def seconds(epochs: int) -> float:
        started = time.perf_counter()
        fasttext_model(lines, options, epochs)
        return time.perf_counter() - started

    whole = seconds(options["epochs"])
    return _figures(whole - seconds(0), words * options["epochs"])


# --- word2vec.c


def compile_word2vec_c(target: str) -> None:
    """Compile the source that the package brings, as its author's makefile does but for the faster -Ofast."""
    spec = find_spec("word2vec")
    assert spec is not None and spec.submodule_search_locations
    source = Path(spec.submodule_search_locations[0]) / "includes" / "word2vec.c"
    flags = ["-Ofast", "-march=native", "-funroll-loops", "-pthread", "-w"]
    subprocess.run(["gcc", str(source), "-o", target, *flags, "-lm"], check=True, capture_output=True)


def train_word2vec_c(program: str, lines: str, options: Options, words: int) -> dict[str, float]:
    given = {
        "train": lines,
        "output": f"{program}.vectors",
        "size": options["vector_size"],
        "window": options["window"],
        "sample": options["sample"],
        "hs": options["hs"],
        "negative": options["negative"],
        "threads": options["workers"],
        "iter": options["epochs"],
        "min-count": options["min_count"],
        "alpha": options["alpha"],
        "cbow": 1 - options["sg"],
        "binary": 1,
    }
    command = [program, *(text for name, value in given.items() for text in (f"-{name}", str(value)))]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    # Its words are those of its vocabulary; its rate is of processor time, so for one thread only.
    own_words = int(re.findall(r"Words in train file: (\d+)", printed)[-1])
    rate = 1000 * float(re.findall(r"Words/thread/sec: ([\d.]+)k", printed)[-1])
    return _figures(own_words * options["epochs"] / rate, words * options["epochs"])


def _figures(seconds: float, words: float) -> dict[str, Any]:
    return {"seconds": seconds, "words_per_second": words / seconds}

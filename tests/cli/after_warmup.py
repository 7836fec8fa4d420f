"""Warm up, then do what windrow can do; print what each command still had to compile, and what called Python.

``python -m tests.cli.after_warmup FOLDER``: a process of its own, since what another test has called stays in memory.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from click.testing import CliRunner
from numba.core import serialize
from numba.core.dispatcher import Dispatcher

from tests.elsewhere import Elsewhere
from windrow.classification import TextClassifier
from windrow.classification.settings import LOSS_NAMES
from windrow.cli import main
from windrow.embeddings import Word2Vec
from windrow.embeddings.settings import KERNELS
from windrow.embeddings.steps import LOSSES
from windrow.lm import CELL_NAMES
from windrow.lm.ngram import SMOOTHING_NAMES
from windrow.lm.ngram.model import NGramLM
from windrow.lm.ngram.smoothing import SMOOTHINGS
from windrow.outputs import OUTPUT_LAYERS

LINES = ["a b c d e f", "b a c e d", "f f a b", "c d a", "a c b e f d a b"] * 8
TAGGED = "in O\nRome B-LOC\n\nAnn B-PER\nsaw O\nBob B-PER\n\n" * 8
OPTIMIZERS = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam")
SIZES = "--embedding 8 --hidden 8 --epochs 1"


def loaded() -> set[str]:
    """Every kernel with every signature that is in memory, compiled here or read from the cache."""
    dispatchers = [thing for thing in gc.get_objects() if issubclass(type(thing), Dispatcher)]
    kernels = [one for one in dispatchers if one.__module__.startswith("windrow.")]
    return {f"{one.__module__}.{one.__qualname__}{signature}" for one in kernels for signature in one.signatures}


def note_boxing() -> set[str]:
    """The functions that from now on call a kernel whose result Numba makes in Python: an array, a NamedTuple."""
    boxed: set[str] = set()
    plain = serialize._numba_unpickle  # which loads the class of such a result

    def noting(*arguments: Any) -> Any:
        boxed.add(sys._getframe(1).f_code.co_qualname)
        return plain(*arguments)

    serialize._numba_unpickle = noting
    return boxed


def vectors() -> Iterator[str]:
    options = "--size 8 --min-count 1 --epochs 1"
    yield "corpus build text.txt -o corpus"
    for model, loss, kernel in product(["skipgram", "cbow"], LOSSES, KERNELS):
        yield f"vectors train text.txt -o v.safetensors --model {model} --loss {loss} --kernel {kernel} {options}"
    yield f"vectors train corpus -o v.safetensors {options}"
    for model, loss, workers in product(["skipgram", "cbow"], LOSSES, [1, 2, 3]):
        yield (
            f"vectors train text.txt -o v.safetensors --model {model} --loss {loss} --deterministic"
            f" --workers {workers} {options}"
        )
    for model, more in product(["skipgram", "cbow"], ["linear", "harmonic", "none --sample 0"]):
        yield f"vectors train text.txt -o v.safetensors --model {model} --window-weighting {more} {options}"
    yield f"vectors train text.txt -o v.safetensors --model cbow --cbow-sum {options}"
    subwords = f"--subwords --buckets 1000 {options}"
    for model, kernel in product(["skipgram", "cbow"], KERNELS):
        yield f"vectors train text.txt -o s.safetensors {subwords} --model {model} --kernel {kernel}"
    yield f"vectors train text.txt -o s.safetensors {subwords} --min-n 1 --deterministic --workers 2"
    for loss in ("ns", "hs"):
        yield f"vectors train text.txt -o h.safetensors {subwords} --loss {loss} --keep-training-state"
        yield "vectors train text.txt -o h.fasttext --continue-from h.safetensors --frozen --epochs 1"
        yield "vectors train text.txt -o g.fasttext --continue-from h.fasttext --epochs 1"
    counting = "--size 4 --min-count 1 --sample 0"
    for source, more in product(["text.txt", "corpus"], ["", "--window-weighting harmonic --workers 2"]):
        yield f"vectors count {source} -o c.safetensors {counting} {more}"
    yield f"vectors count neighbors.txt -o c.safetensors {counting} --memory 1M"  # in parts, which are merged
    yield "vectors similar s.safetensors abc"
    yield "vectors convert s.safetensors s.bin --to fasttext"
    yield "vectors similar s.bin a"
    for extension in ("safetensors", "txt", "bin", "npy"):
        if extension != "safetensors":
            yield f"vectors convert v.safetensors v.{extension}"
        yield f"vectors similar v.{extension} a"
        yield f"vectors analogy v.{extension} a b c"
        yield f"vectors evaluate v.{extension} --analogies questions.txt --similarity pairs.tsv"


def phrases() -> Iterator[str]:
    learn = "--min-count 1 --threshold 0.1 --connector-words a,b --passes 2"
    yield f"corpus phrases text.txt -o phrases.txt {learn}"
    yield f"corpus phrases corpus -o phrases.corpus {learn}"
    yield "corpus phrases many.txt -o p.safetensors --sentences document --memory 1M"
    yield "corpus phrases text.txt -o - --apply p.safetensors"


def ngrams() -> Iterator[str]:
    plain = "lm train ngram text.txt --order 3"
    train = f"{plain} --discount-fallback"
    for smoothing, order in product(SMOOTHING_NAMES, [1, 3]):
        heldout = "--heldout text.txt" if smoothing == "jelinek-mercer" else ""
        command = train if SMOOTHINGS[smoothing].discounts else plain
        yield f"{command} -o n.safetensors --smoothing {smoothing} --order {order} {heldout}"
        yield "lm perplexity n.safetensors text.txt"
    for more in (
        "--prune 0,0,1", "--entropy-prune 1e-6", "--lmplz-compat", "--no-bos", "--no-eos", "--closed-vocabulary",
        "--unk-mass 0.01", "--min-count 5", "--compact", "--memory 1M", "--counts-out counts.gz",
    ):  # fmt: skip
        yield f"{train} -o n.safetensors {more}"
    yield "lm train ngram long.txt --discount-fallback --order 3 -o n.safetensors --memory 1M"
    yield "lm train ngram many.txt --smoothing mle --order 2 -o m.safetensors"
    yield "lm train ngram counts.gz --from-counts --discount-fallback --order 3 -o n.safetensors"
    yield "lm train class text.txt -o c.safetensors --classes 3 --order 3"
    yield "lm perplexity c.safetensors text.txt"
    yield "lm generate c.safetensors --prompt the --seed 1 --max-new-tokens 3"
    yield "lm train skip text.txt -o s.safetensors --discount-fallback"
    yield "lm perplexity s.safetensors text.txt"
    yield "lm generate s.safetensors --prompt the --seed 1 --max-new-tokens 3"
    yield "lm train ngram text.txt --order inf -o u.safetensors --discount-fallback"
    yield "lm perplexity u.safetensors text.txt"
    yield "lm generate u.safetensors --prompt the --seed 1 --max-new-tokens 3"
    yield "lm convert n.safetensors n.arpa"
    yield "lm convert n.arpa n.arpa.gz"
    yield "lm convert n.arpa q.safetensors --quantize 8"
    yield "lm convert n.arpa r.arpa --renormalize"
    yield "lm prune n.safetensors -o p.safetensors --max-bytes 20K"
    yield "lm prune n.arpa -o p.arpa --entropy-prune 1e-4 --order 2"
    yield f"{train} -o c.safetensors --compact"
    yield "lm perplexity c.safetensors text.txt"
    yield "lm generate c.safetensors --prompt the --seed 1 --max-new-tokens 3"
    yield "lm convert c.safetensors c.arpa"
    yield f"{train} -o k.safetensors --keep-counts --min-count 5"
    yield "lm add k.safetensors text.txt -o k2.safetensors"
    yield "lm prune k.safetensors -o p.safetensors --prune 0,0,1"
    yield "lm filter n.safetensors --vocab text.txt -o f.arpa"
    for name in ("n.safetensors", "n.arpa", "q.safetensors"):
        yield f"lm perplexity {name} text.txt"
        yield f"lm score {name} text.txt --words"
        yield f"lm select {name} text.txt --max-perplexity 9"
        yield f"lm generate {name} --seed 1"
        yield f"lm generate {name} --num-beams 3 --prompt a"
        yield f"lm ngrams {name}"
        yield f"lm ngrams {name} --prefix a --json"
        yield f"lm next {name} a b"
        yield f"lm vocab {name} --probs"


def neural() -> Iterator[str]:
    for kind, output in product(["window", "rnn"], OUTPUT_LAYERS):
        objectives = [" --objective nce", " --objective sampled-softmax"] if output == "nce" else [""]
        for optimizer, objective in product(OPTIMIZERS if output == "softmax" else ["sgd", "adam"], objectives):
            yield (
                f"lm train {kind} text.txt -o {kind}.safetensors --output-layer {output} --optimizer {optimizer}"
                f"{objective} {SIZES} --dropout 0.1 --workers 2"
            )
        yield f"lm perplexity {kind}.safetensors text.txt"
        yield f"lm generate {kind}.safetensors --seed 1"
        if output in ("softmax", "nce"):
            yield f"lm train {kind} text.txt -o t.safetensors --output-layer {output} --tied --valid text.txt {SIZES}"
            yield "lm convert t.safetensors tq.safetensors --quantize 8"
            yield "lm perplexity tq.safetensors text.txt"
            yield "lm generate tq.safetensors --seed 1"
    for cell, state in product(CELL_NAMES, ["reset", "carry"]):
        yield f"lm train rnn text.txt -o r.safetensors --cell {cell} --state {state} --layers 2 --batch 9 {SIZES}"
        yield "lm perplexity r.safetensors text.txt --dynamic 0.1"
        yield "lm score r.safetensors text.txt"
        yield "lm generate r.safetensors --num-beams 2"
    yield "lm mix n.safetensors window.safetensors --tune text.txt -o mix.safetensors --cache 10"
    yield "lm perplexity mix.safetensors text.txt"


def tags() -> Iterator[str]:
    for output in ("crf", "softmax", "logistic"):
        yield f"tag train tagged.conll -o tag.safetensors --epochs 1 --output-layer {output} --valid tagged.conll"
        yield "tag evaluate tag.safetensors tagged.conll"
        yield "tag predict tag.safetensors tagged.conll"


def info() -> Iterator[str]:
    for name in (
        "corpus",
        "v.safetensors",
        "v.bin",
        "s.bin",
        "n.safetensors",
        "n.arpa",
        "rnn.safetensors",
        "mix.safetensors",
    ):
        yield f"info {name}"
    for name in ("tag.safetensors", "c.safetensors", "p.safetensors", "text.txt"):
        yield f"info {name} --json"


def classify() -> Iterator[str]:
    yield "classify train labelled.txt -o c.safetensors --valid labelled.txt --loss hs --word-ngrams 2 --max-n 3"
    yield "classify evaluate c.safetensors labelled.txt -k 2"
    yield "classify predict c.safetensors text.txt --probabilities"
    yield "classify convert c.safetensors small.safetensors --cutoff 9 --quantize 8"
    yield "classify predict small.safetensors text.txt"


def classify_in_python() -> None:
    """Every kind of feature and loss, without the start of a command."""
    for loss, word_ngrams, max_n, workers in product(LOSS_NAMES, [1, 2], [0, 3], [1, 2]):
        model = TextClassifier(8, word_ngrams, max_n=max_n, loss=loss, workers=workers, epochs=1)
        model.fit(LINES, [index % 3 for index in range(len(LINES))]).top_labels(["a b", "new"])
        model.save("classifier")
        TextClassifier.load("classifier").predict(LINES)
    model.fit(LINES, [["x", "y"][: 1 + index % 2] for index in range(len(LINES))])


def partitions_in_python() -> None:
    """N-grams as the workers of a cluster count and estimate them."""
    for smoothing, bos, prune in product(("modified-kneser-ney", "katz"), (True, False), ((), (0, 1))):
        model = NGramLM(3, smoothing, discount_fallback=True, bos=bos, prune=prune)
        model.fit(LINES, ray=Elsewhere(memory=4000))


def replicas_in_python() -> None:
    """Word vectors as the workers of a cluster train them."""
    for loss, kernel, subwords in product(LOSSES, KERNELS, (False, True)):
        model = Word2Vec(vector_size=8, min_count=1, epochs=1, loss=loss, kernel=kernel, subwords=subwords)
        model.fit(LINES, ray=Elsewhere(2))


def steps_in_python() -> None:
    """From word to word, alone and several at once."""
    for name in ("n.safetensors", "n.arpa"):
        model = NGramLM.load(name)
        _, states = model.score_next_batch([model.start()] * 3, ["a", "b", "c"])
        model.score_next(states[0], "b")
        model.table_.score_after(states[0], model.encode("a b").astype(np.int64))


def write_files() -> None:
    for name, text in {
        "text.txt": "\n".join(LINES),
        "long.txt": "\n".join(LINES * 600),
        "many.txt": "\n".join(map(str, range(300_000))),
        "neighbors.txt": "\n".join(f"{number} {number + 1}" for number in range(150_000)),
        "questions.txt": ": letters\na b c d\nb c d e\n",
        "pairs.tsv": "a\tb\t1\nb\tc\t2\na\tf\t3\n",
        "tagged.conll": TAGGED,
        "labelled.txt": "\n".join(f"__label__{'xyz'[index % 3]} {line}" for index, line in enumerate(LINES)),
    }.items():
        Path(name).write_text(text)


def run(command: str) -> None:
    result = CliRunner().invoke(main, command.split())
    if result.exit_code:
        sys.exit(f"{command}: {result.output}")


if __name__ == "__main__":
    boxed = note_boxing()
    os.chdir(sys.argv[1])
    write_files()
    run("warmup")
    missing, before = {}, loaded()
    for part in (vectors, phrases, ngrams, neural, tags, classify, info):
        for command in part():
            run(command)
            after = loaded()
            if after - before:
                missing[command] = sorted(after - before)
            before = after
    for in_python in (classify_in_python, partitions_in_python, replicas_in_python, steps_in_python):
        in_python()
        after = loaded()
        if after - before:
            missing[in_python.__name__] = sorted(after - before)
        before = after
    print(json.dumps({"missing": missing, "boxed": sorted(boxed)}))

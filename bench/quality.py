"""Do windrow's vectors equal gensim's in quality? Both train on the same text; means over seeds, written as a table.

    python bench/quality.py                           # skip-gram with negative sampling, seeds 1 2 3
    python bench/quality.py --modes skipgram-ns cbow-ns skipgram-hs cbow-hs

Reads wiki100m.txt, analogy/ and wordsim/ under $WINDROW_DATA, and writes bench/results/quality.{json,md}.
The text goes to both in lines of 1,000 tokens, because gensim cuts longer sentences at 10,000.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from statistics import mean, stdev

import numpy as np

from windrow import Corpus, Word2Vec, WordVectors
from windrow.evaluation import evaluate_analogies, evaluate_similarity

COMMON = {"vector_size": 100, "window": 5, "sample": 1e-3, "min_count": 5}
MODES = {
    "skipgram-ns": {"sg": 1, "hs": 0, "negative": 5, "alpha": 0.025},
    "cbow-ns": {"sg": 0, "hs": 0, "negative": 5, "alpha": 0.05},
    "skipgram-hs": {"sg": 1, "hs": 1, "negative": 0, "alpha": 0.025},
    "cbow-hs": {"sg": 0, "hs": 1, "negative": 0, "alpha": 0.025},
}
SIMILARITIES = {"ws353": "WS-353", "simlex999": "SimLex", "men3000_natural": "MEN"}
# What is allowed below gensim's mean: half a point of analogies, 0.01 of each correlation.
MARGINS = {"analogies": 0.005, "ws353": 0.01, "simlex999": 0.01, "men3000_natural": 0.01}
LINE_WORDS = 1000

Scores = dict[str, float]


def write_lines(source: Path, target: Path) -> None:
    words = source.read_text(encoding="utf-8").split()
    with target.open("w", encoding="utf-8") as lines:
        for start in range(0, len(words), LINE_WORDS):
            lines.write(" ".join(words[start : start + LINE_WORDS]) + "\n")


def train_windrow(lines: Path, options: dict[str, float]) -> tuple[WordVectors, float]:
    corpus = Corpus.build(lines)
    started = time.perf_counter()
    vectors = Word2Vec(**options).fit(corpus).wv
    return vectors, time.perf_counter() - started


def train_gensim(lines: Path, options: dict[str, float]) -> tuple[WordVectors, float]:
    from gensim.models import Word2Vec as GensimWord2Vec
    from gensim.models.word2vec import LineSentence

    model = GensimWord2Vec(**options)
    model.build_vocab(LineSentence(str(lines)))
    started = time.perf_counter()
    model.train(LineSentence(str(lines)), total_examples=model.corpus_count, epochs=model.epochs)
    seconds = time.perf_counter() - started
    return WordVectors(model.wv.index_to_key, np.array(model.wv.vectors)), seconds


TRAINERS: dict[str, Callable[[Path, dict[str, float]], tuple[WordVectors, float]]] = {
    "gensim": train_gensim,
    "windrow": train_windrow,
}


def evaluate(vectors: WordVectors, data: Path) -> Scores:
    words, table = vectors.index_to_key, vectors.vectors
    questions = data / "analogy" / "questions-words.txt"
    scores = {"analogies": evaluate_analogies(questions, words, table, restrict_vocab=30_000).accuracy}
    for name in SIMILARITIES:
        scores[name] = evaluate_similarity(data / "wordsim" / f"{name}.tsv", words, table).spearman
    return scores


def table(results: dict[str, dict[str, list[Scores]]]) -> str:
    """The means over seeds (and the standard deviation), gensim's row above ours, and whether ours is inside."""
    columns = {"analogies": "analogies %", **SIMILARITIES}
    rows = [f"| mode | | {' | '.join(columns.values())} |", f"|---|---|{'---|' * len(columns)}"]
    for mode, sides in results.items():
        for side, runs in sides.items():
            cells = []
            for name in columns:
                scale, digits = (100, 1) if name == "analogies" else (1, 3)
                values = [scale * run[name] for run in runs]
                spread = stdev(values) if len(values) > 1 else 0.0
                cells.append(f"{mean(values):.{digits}f} ± {spread:.{digits}f}")
            rows.append(f"| {mode} | {side} | {' | '.join(cells)} |")
        if len(sides) == len(TRAINERS):
            verdicts = []
            for name in columns:
                difference = mean(run[name] for run in sides["windrow"]) - mean(run[name] for run in sides["gensim"])
                shown = f"{100 * difference:+.1f}" if name == "analogies" else f"{difference:+.3f}"
                verdicts.append(shown + ("" if difference >= -MARGINS[name] else " **below**"))
            rows.append(f"| | difference | {' | '.join(verdicts)} |")
    return "\n".join(rows) + "\n"


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("WINDROW_DATA"), help="default: $WINDROW_DATA")
    parser.add_argument("--modes", nargs="+", choices=MODES, default=["skipgram-ns"])
    parser.add_argument("--sides", nargs="+", choices=TRAINERS, default=list(TRAINERS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("-o", "--output", type=Path, default=Path(__file__).parent / "results" / "quality")
    arguments = parser.parse_args()
    if arguments.data is None:
        parser.error("give --data or set WINDROW_DATA: the folder with wiki100m.txt, analogy/ and wordsim/")
    return arguments


def main() -> None:
    arguments = parse_arguments()
    results: dict[str, dict[str, list[Scores]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / "lines.txt"
        write_lines(arguments.data / "wiki100m.txt", lines)
        for mode in arguments.modes:
            sides = results.setdefault(mode, {side: [] for side in arguments.sides})
            for seed in arguments.seeds:
                for side, runs in sides.items():
                    options = {**COMMON, **MODES[mode], "epochs": arguments.epochs, "workers": arguments.workers}
                    vectors, seconds = TRAINERS[side](lines, {**options, "seed": seed})
                    runs.append({**evaluate(vectors, arguments.data), "seconds": seconds, "seed": seed})
                    print(mode, side, {name: round(score, 4) for name, score in runs[-1].items()}, flush=True)
    versions = {name: version(name) for name in ("windrow", "gensim", "numba", "numpy")}
    settings = {**COMMON, "epochs": arguments.epochs, "workers": arguments.workers, "seeds": arguments.seeds}
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    machine = f"{platform.machine()}, {os.cpu_count()} cores"
    record = {"settings": settings, "versions": versions, "machine": machine, "results": results}
    arguments.output.with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n")
    arguments.output.with_suffix(".md").write_text(table(results))
    print(table(results))


if __name__ == "__main__":
    main()

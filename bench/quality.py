"""Do windrow's vectors equal gensim's in quality? Both train on the same text; means over seeds, written as a table.

    python bench/quality.py                           # skip-gram with negative sampling, seeds 1 2 3
    python bench/quality.py --modes skipgram-ns cbow-ns skipgram-hs cbow-hs

Reads wiki100m.txt, analogy/ and wordsim/ under $WINDROW_DATA, and writes bench/results/quality.{json,md}.
gensim's ``corpus_file`` feed is a side of its own (--sides): see README.md for why its scores differ.
The text goes to both in lines of 1,000 tokens, because gensim cuts longer sentences at 10,000.
A score is "below" when windrow's mean is under gensim's by more than the noise: the standard deviation from seed to
seed, pooled over both sides (the root of the mean variance). With one seed nobody knows the noise, and there is no
verdict.
"""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import mean, stdev, variance

import numpy as np

from data import COMMON, MODES, QUESTIONS, SIMILARITIES, TEXT, Options, write_lines
from harness import RESULTS, data_folder, header, script, session, write_json
from peers import gensim_model, windrow_vectors
from scores import HEADINGS, Scores, evaluate
from windrow import Corpus, WordVectors

Results = dict[str, dict[str, list[Scores]]]  # mode, side, seeds


def train_windrow(lines: Path, options: Options) -> tuple[WordVectors, float]:
    return windrow_vectors(Corpus.build(lines), options)


def train_gensim(lines: Path, options: Options, feed: str = "lists") -> tuple[WordVectors, float]:
    model, seconds = gensim_model(lines, options, feed)
    return WordVectors(model.wv.index_to_key, np.array(model.wv.vectors)), seconds


TRAINERS: dict[str, Callable[[Path, Options], tuple[WordVectors, float]]] = {
    "gensim": train_gensim,
    "gensim, corpus_file": partial(train_gensim, feed="corpus_file"),
    "windrow": train_windrow,
}
COMPARED = ("gensim", "windrow")


def seed_noise(first: Sequence[float], second: Sequence[float]) -> float | None:
    """The pooled standard deviation of two groups of seeds; None when neither has two."""
    groups = [values for values in (first, second) if len(values) > 1]
    if not groups:
        return None
    freedom = sum(len(values) - 1 for values in groups)
    return math.sqrt(sum((len(values) - 1) * variance(values) for values in groups) / freedom)


def table(results: Results) -> str:
    """The means over seeds (and the standard deviation), gensim's row above ours, and whether ours is inside."""
    rows = [f"| mode | | {' | '.join(HEADINGS.values())} |", f"|---|---|{'---|' * len(HEADINGS)}"]
    for mode, sides in results.items():
        for side, runs in sides.items():
            cells = [_mean_and_spread(name, [run[name] for run in runs]) for name in HEADINGS]
            rows.append(f"| {mode} | {side} | {' | '.join(cells)} |")
        if sides.keys() >= set(COMPARED):
            compared = [_compare(name, sides) for name in HEADINGS]
            rows.append(f"| | difference | {' | '.join(difference for difference, _ in compared)} |")
            rows.append(f"| | noise | {' | '.join(noise for _, noise in compared)} |")
    return "\n".join(rows) + "\n"


def _mean_and_spread(name: str, values: Sequence[float]) -> str:
    spread = stdev(values) if len(values) > 1 else 0.0
    return f"{_shown(name, mean(values))} ± {_shown(name, spread)}"


def _compare(name: str, sides: dict[str, list[Scores]]) -> tuple[str, str]:
    """The difference of the means, marked when it is below the noise; and the noise."""
    theirs, ours = ([run[name] for run in sides[side]] for side in COMPARED)
    difference, noise = mean(ours) - mean(theirs), seed_noise(ours, theirs)
    is_below = noise is not None and difference < -noise
    return (
        _shown(name, difference, "+") + (" **below**" if is_below else ""),
        "unknown" if noise is None else _shown(name, noise),
    )


def _shown(name: str, value: float, sign: str = "") -> str:
    return f"{100 * value:{sign}.1f}" if name == "analogies" else f"{value:{sign}.3f}"


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("WINDROW_DATA"), help="default: $WINDROW_DATA")
    parser.add_argument("--modes", nargs="+", choices=MODES, default=["skipgram-ns"])
    parser.add_argument("--sides", nargs="+", choices=TRAINERS, default=COMPARED)
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--words", type=int, help="of the text (default: all)")
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "quality")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    data = data_folder(arguments, TEXT, QUESTIONS, *(f"wordsim/{name}.tsv" for name in SIMILARITIES))
    settings = {**COMMON, "epochs": arguments.epochs, "workers": arguments.workers, "seeds": arguments.seeds}
    results: Results = {}
    record = {**header("Quality beside gensim", settings), "results": results}
    with session(measures_time=False) as folder:
        lines = folder / "lines.txt"
        write_lines(data / TEXT, lines, arguments.words)
        for mode in arguments.modes:
            sides = results.setdefault(mode, {side: [] for side in arguments.sides})
            for seed in arguments.seeds:
                for side, runs in sides.items():
                    options = {**COMMON, **MODES[mode], "epochs": arguments.epochs, "workers": arguments.workers}
                    vectors, seconds = TRAINERS[side](lines, {**options, "seed": seed})
                    runs.append({**evaluate(vectors, data), "seconds": seconds, "seed": seed})
                    print(mode, side, {name: round(score, 4) for name, score in runs[-1].items()}, flush=True)
    write_json(record, arguments.output)
    arguments.output.with_name(arguments.output.name + ".md").write_text(table(results))
    print(table(results))


if __name__ == "__main__":
    script(main)

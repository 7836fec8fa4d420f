"""What do several workers of a cluster cost and gain?

    python bench/distributed.py counting           # n-grams: see distributed_counting.py
    python bench/distributed.py vectors            # quality by replicas, then speed with one Ray worker and with two
    python bench/distributed.py vectors --parts quality --replicas 8 --seeds 1

Quality: word vectors trained by one process and by 2, 4 and 8 replicas, means over seeds, for the same text. Replicas
train in turn in one process here, which gives the bits that Ray's workers give. "average" beside them is what Spark's
Word2Vec does: each replica trains its part of the text for a whole epoch, and then the mean of all tables is taken.
Bytes per word are those that go from worker to worker: changes of rows, and what they are combined to.

Speed: words per second from the end of the first epoch on, without the start of Ray and its workers.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from data import COMMON, MODES, QUESTIONS, SIMILARITIES, TEXT, Options, encode, write_lines
from distributed_counting import compare_counting
from harness import (
    RESULTS,
    Case,
    Measure,
    Side,
    data_folder,
    header,
    measure,
    prepare,
    script,
    session,
    write_json,
    write_result,
)
from peers import absence
from scores import HEADINGS, Scores, evaluate

if TYPE_CHECKING:
    from quality import Results

PARTS = ("quality", "speed")
_OF_A_SCALE = 4  # bytes, of each row that travels


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("subject", choices=["counting", "vectors"])
    parser.add_argument("--data", type=Path, default=os.environ.get("WINDROW_DATA"), help="default: $WINDROW_DATA")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--modes", nargs="+", choices=MODES, default=["skipgram-ns"])
    parser.add_argument("--replicas", nargs="+", type=int, default=[2, 4, 8])
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3, help="of speed")
    parser.add_argument("--words", type=int, help="of the text (default: all)")
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 2], help="of counting")
    parser.add_argument("--memory", type=int, default=100_000_000, help="bytes that a worker holds in counting")
    parser.add_argument("-o", "--output", type=Path, help="default: results/distributed_SUBJECT")
    arguments = parser.parse_args()
    arguments.output = arguments.output or RESULTS / f"distributed_{arguments.subject}"
    return arguments


def main() -> None:
    arguments = parse_arguments()
    if arguments.subject == "counting":
        compare_counting(arguments, data_folder(arguments, TEXT))
        return
    data = data_folder(arguments, TEXT, QUESTIONS, *(f"wordsim/{name}.tsv" for name in SIMILARITIES))
    with session(measures_time="speed" in arguments.parts) as folder:
        lines, corpus = folder / "lines.txt", folder / "text.corpus"
        write_lines(data / TEXT, lines, arguments.words)
        encode(str(lines), str(corpus))
        if "quality" in arguments.parts:
            compare_quality(corpus, data, arguments)
        if "speed" in arguments.parts:
            compare_speed(corpus, arguments)


# --- quality


def compare_quality(corpus: Path, data: Path, arguments: argparse.Namespace) -> None:
    settings = {**COMMON, "epochs": arguments.epochs, "seeds": arguments.seeds}
    results: Results = {}
    record = {**header("Quality of word vectors by the number of replicas", settings), "results": results}
    output = arguments.output.with_name(arguments.output.name + "_quality")
    most = max(arguments.replicas)
    sides = [(1, False), *((count, False) for count in arguments.replicas), (most, True)]
    for mode in arguments.modes:
        of_mode = results.setdefault(mode, {})
        for seed in arguments.seeds:
            for replicas, averages in sides:
                options = {**COMMON, **MODES[mode], "epochs": arguments.epochs, "seed": seed}
                scores = {**train_replicas(corpus, data, options, replicas, averages), "seed": seed}
                of_mode.setdefault(name_of(replicas, averages), []).append(scores)
                print(mode, name_of(replicas, averages), {name: round(value, 4) for name, value in scores.items()})
                write_json(record, output)
    output.with_name(output.name + ".md").write_text(quality_table(results))
    print(quality_table(results))


def name_of(replicas: int, averages: bool) -> str:
    return "1 process" if replicas == 1 else f"{replicas} replicas{', average' * averages}"


def train_replicas(corpus: Path, data: Path, options: Options, replicas: int, averages: bool) -> Scores:
    from windrow import Corpus, Word2Vec
    from windrow.distributed import InProcess

    opened = Corpus.open(corpus)
    with averaging() if averages else exchanging():
        model = Word2Vec(**{**options, "workers": 1}).fit(opened, ray=InProcess(replicas))
        moved = bytes_per_word(opened.tokens, len(model.wv), model.vector_size, replicas)
    return {**evaluate(model.wv, data), "bytes per word": moved}


@contextmanager
def exchanging() -> Iterator[None]:
    """As windrow does."""
    yield


@contextmanager
def averaging() -> Iterator[None]:
    """One round per epoch, and the mean of all replicas after it."""
    import numpy as np

    from windrow.embeddings.training import replicas
    from windrow.embeddings.training.exchanging import HotOrder

    def share_of_mean(_: HotOrder, number: int, count: int, round_words: float, replicas: int) -> Any:
        return np.full(count, 1 / replicas, np.float32)

    with patch.object(replicas, "WORDS_TOGETHER", 1 << 60), patch.object(HotOrder, "shares", share_of_mean):
        yield


def bytes_per_word(words: int, vocabulary: int, dimensions: int, replicas: int) -> float:
    """Bytes that travel between the workers per word of the text, for two tables.

    Each worker gives to every other one its changes of that one's part of the rows, and takes from it what these
    were combined to.
    """
    from windrow.embeddings.training.exchanging import rows_exchanged
    from windrow.embeddings.training.replicas import number_of_rounds

    rounds = number_of_rounds(words, replicas)
    rows = 2 * sum(rows_exchanged(number, rounds, vocabulary) for number in range(1, rounds + 1))
    return rows * ((dimensions + 1) // 2 + _OF_A_SCALE) * 2 * (replicas - 1) / words


def quality_table(results: Results) -> str:
    """The means over seeds; each side is compared with one process: below it by more than the noise, or not."""
    columns = [*HEADINGS.values(), "bytes per word"]
    rows = [f"| mode | | {' | '.join(columns)} |", f"|---|---|{'---|' * len(columns)}"]
    for mode, sides in results.items():
        alone = sides["1 process"]
        for side, runs in sides.items():
            cells = [_cell(name, [run[name] for run in runs], [run[name] for run in alone]) for name in HEADINGS]
            rows.append(f"| {mode} | {side} | {' | '.join(cells)} | {runs[0]['bytes per word']:.0f} |")
    return "\n".join(rows) + "\n"


def _cell(name: str, values: list[float], alone: list[float]) -> str:
    from quality import seed_noise  # which imports all that is measured

    noise, difference = seed_noise(values, alone), mean(values) - mean(alone)
    shown = f"{100 * mean(values):.1f}" if name == "analogies" else f"{mean(values):.3f}"
    return shown + (" **below**" if noise is not None and difference < -noise else "")


# --- speed


def compare_speed(corpus: Path, arguments: argparse.Namespace) -> None:
    cases = []
    for mode in arguments.modes:
        options = {**COMMON, **MODES[mode], "epochs": max(2, arguments.epochs)}
        given = {"corpus": str(corpus), "options": options}
        sides = [
            Side(f"{count} Ray worker{'s' * (count > 1)}", "distributed:train_on_ray", {**given, "workers": count},
                 absent=absence("ray"))
            for count in (2, 1)
        ]  # fmt: skip
        cases.append(Case(mode, [*sides, Side("1 process", "distributed:train_alone", given)]))
    prepare("peers:train_windrow", corpus=str(corpus), options={**COMMON, **MODES[arguments.modes[0]], "epochs": 1})
    output = arguments.output.with_name(arguments.output.name + "_speed")
    record = measure(
        "Word vectors on a Ray cluster: words a second",
        Measure("words_per_second", "words/s", columns=("worker_cpu_seconds", "worker_peak_mb")),
        cases,
        rounds=arguments.rounds,
        settings={**COMMON, "epochs": max(2, arguments.epochs)},
        output=output,
    )
    write_result(record, output)


def train_on_ray(corpus: str, options: Options, workers: int) -> dict[str, float]:
    from windrow import Corpus, Word2Vec
    from windrow.distributed import RayCluster

    cluster = RayCluster("local", workers)
    with cluster:
        model = Word2Vec(**options).fit(Corpus.open(corpus), ray=cluster)
    used = cluster.usage
    workers_took = {"worker_cpu_seconds": sum(used.cpu_seconds.values()), "worker_peak_mb": used.peak_bytes / 1e6}
    return {**_rate(model.history_), **workers_took}


def train_alone(corpus: str, options: Options) -> dict[str, float]:
    from windrow import Corpus, Word2Vec

    model = Word2Vec(**{**options, "workers": 1}).fit(Corpus.open(corpus))
    return {**_rate(model.history_), "worker_cpu_seconds": model.history_[-1]["seconds"], "worker_peak_mb": 0.0}


def _rate(history: list[dict[str, float]]) -> dict[str, float]:
    """From the end of the first epoch on."""
    first, last = history[0], history[-1]
    seconds = last["seconds"] - first["seconds"]
    return {"seconds": seconds, "words_per_second": (last["examples"] - first["examples"]) / seconds}


if __name__ == "__main__":
    script(main)

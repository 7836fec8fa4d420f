"""N-grams counted by workers of a Ray cluster beside one process: a part of ``distributed.py``.

Counting and estimating a model of order 5, from the encoded corpus to the packed model, which is the same bit for bit.
The first row of a group is compared with each of the others. Ray is started and kernels are loaded before the clock
starts; its start takes some seconds. "cpu_in_all" are the CPU-seconds of all processes, Ray's own included;
"worker_mb" is the most that a worker held of its own beside "idle_mb", what it had before, looked at 50 times a second;
what workers share, the object store, is not theirs. "moved" are the bytes of arrays that they were given and gave back.
"""

from __future__ import annotations

import argparse
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness import BenchError, Case, Figures, Measure, Side, measure, session, write_result
from peers import absence
from train_speed import prepare_text

ORDER = 5
SAMPLED = 0.02  # seconds between two looks at the memory of workers
TICKS = os.sysconf("SC_CLK_TCK")


def compare_counting(arguments: argparse.Namespace, data: Path) -> None:
    """Words a second of one process, and of Ray with each number of workers."""
    what = Measure(
        "words_per_second", "words/s",
        columns=("cpu_in_all", "worker_mb", "idle_mb", "moved_bytes_per_word", "records_mb", "parts"),
    )  # fmt: skip
    with session() as folder:
        text = prepare_text(data, folder, arguments.words)
        given = {"corpus": str(folder / "text.corpus"), "memory": arguments.memory}
        alone = Side("one process", "distributed_counting:count", {**given, "workers": 0})
        apart = [
            Side(f"Ray, {count} worker{'s' * (count > 1)}", "distributed_counting:count", {**given, "workers": count},
                 absent=absence("ray"))
            for count in sorted(arguments.workers, reverse=True)
        ]  # fmt: skip
        record = measure(
            f"Counting and estimating n-grams of order {ORDER}: words a second",
            what,
            [Case("workers", [*apart, alone])],
            rounds=arguments.rounds,
            settings={"order": ORDER, "words": text["words"], "memory": arguments.memory},
            output=arguments.output,
        )
    write_result(record, arguments.output)


# --- what runs in processes of their own


def count(corpus: str, workers: int, memory: int) -> Figures:
    """Train once on a little text, so that all is loaded, then on the corpus."""
    from windrow import Corpus, NGramLM
    from windrow.distributed import RayCluster

    text = Corpus.open(corpus)
    few = Corpus.build([" ".join(map(str, range(n % 7, 50))) for n in range(400)])
    with RayCluster("local", workers, memory) if workers else _nothing() as cluster:
        for _ in range(3 * max(workers, 1)):
            NGramLM(ORDER, "witten-bell").fit(few, ray=cluster)
        moved = cluster.usage.moved_bytes if cluster else 0
        parts = cluster.usage.parts if cluster else 0
        with watched() as seen:
            started = time.perf_counter()
            model = NGramLM(ORDER).fit(text, ray=cluster)
            seconds = time.perf_counter() - started
        if cluster:
            moved, parts = cluster.usage.moved_bytes - moved, cluster.usage.parts - parts
    return {
        "seconds": seconds,
        "words_per_second": text.tokens / seconds,
        "cpu_in_all": seen["cpu_seconds"],
        "worker_mb": seen["worker_mb"],
        "idle_mb": seen["idle_mb"],
        "moved_bytes_per_word": moved / text.tokens,
        "parts": parts,
        "records_mb": 16 * sum(model.table_.sizes) / 1e6,
    }


@contextmanager
def _nothing() -> Iterator[Any]:
    yield None


@contextmanager
def watched() -> Iterator[Figures]:
    """Fills in what this process and all below it took meanwhile, and how much memory of their own workers held."""
    seen: Figures = {}
    before, idle = _cpu_seconds(), _workers_memory()
    peak, done = dict(idle), threading.Event()

    def look() -> None:
        while not done.wait(SAMPLED):
            for process, held in _workers_memory().items():
                peak[process] = max(peak.get(process, 0), held)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        done.set()
        watcher.join()
    seen["cpu_seconds"] = _cpu_seconds() - before
    seen["idle_mb"] = max(idle.values(), default=0) / 1e6
    seen["worker_mb"] = max((held - idle.get(process, held) for process, held in peak.items()), default=0) / 1e6


def _descendants() -> list[int]:
    """This process and all below it."""
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        parents.setdefault(parent, []).append(int(path.parent.name))
    found = [os.getpid()]
    for process in found:
        found += parents.get(process, [])
    if len(found) > 10_000:
        raise BenchError("the tree of processes has a loop")
    return found


def _cpu_seconds() -> float:
    ticks = 0
    for process in _descendants():
        try:
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(map(int, fields[11:15]))  # of the process, in user and system mode, and of its ended children
    return ticks / TICKS


def _workers_memory() -> Figures:
    """Bytes of their own, without what they share, that the workers of Ray hold, by process."""
    held: dict[Any, float] = {}
    for process in _descendants():
        try:
            if not Path(f"/proc/{process}/cmdline").read_text().startswith("ray::"):
                continue
            status = Path(f"/proc/{process}/status").read_text()
        except OSError:
            continue
        own = next(line for line in status.splitlines() if line.startswith("RssAnon:"))
        held[process] = float(own.split()[1]) * 1024
    return held

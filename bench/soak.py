"""Do models give the same answers for hours, to many threads at once, without taking more and more memory?

    python bench/soak.py                      # 8 threads for 10 minutes
    python bench/soak.py --minutes 0.5 --threads 4

Models of every kind are trained on a small artificial language. One thread answers all questions first; then threads
ask, in an order of their own each, and every answer is compared with that of the one thread, bit for bit. The memory of
the process is sampled; it is flat if the last quarter of the samples has no higher median than the first one.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from harness import RESULTS, BenchError, Record, header, script, session, write_json
from tables import measured_on

Question = tuple[str, Callable[[], Any]]  # the kind of question, and what asks it
_SAMPLES = 120  # of the memory
_TOLERANCE_MB = 2.0  # by which the medians of quarters may differ


@dataclass
class Soak:
    """What threads have found so far."""

    asked: Counter[str] = field(default_factory=Counter)
    different: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    resident_mb: list[float] = field(default_factory=list)


def make_questions(folder: Path, sentences: int) -> list[Question]:
    """Questions to a model of every kind, each with an answer that compares."""
    import windrow

    text, tagged = _small_language(folder, sentences)
    lines = text.read_text().splitlines()
    network = {"embedding_size": 24, "hidden_size": 24, "epochs": 1}
    ngrams = windrow.NGramLM(4, discount_fallback=True).fit(text)
    models = {
        "NGramLM.log_prob": ngrams,
        "NGramLM.log_prob, quantized": ngrams.quantized(8),
        "RecurrentLM.log_prob": windrow.RecurrentLM("lstm", **network).fit(lines[:300]),
        "RecurrentLM.log_prob, GRU, adaptive": windrow.RecurrentLM("gru", output_layer="adaptive", **network).fit(
            lines[:300]
        ),
        "WindowLM.log_prob": windrow.WindowLM(3, **network).fit(lines[:300]),
        "WindowLM.log_prob, hierarchical": windrow.WindowLM(3, output_layer="hierarchical", **network).fit(lines[:300]),
    }
    vectors = windrow.Word2Vec(vector_size=50, min_count=1, epochs=1, workers=1).fit(text).wv
    tagger = windrow.WindowTagger(vector_size=16, hidden_size=16, epochs=1, window=3).fit(tagged)
    questions: list[Question] = []
    for line in lines[:100]:
        for kind, model in models.items():
            questions.append((kind, lambda model=model, line=line: float(model.log_prob(line))))
        questions.append(("WindowTagger.predict", lambda line=line: tagger.predict([line.split()])))
    nearest = [lambda word=word: vectors.most_similar(word, topn=10) for word in vectors.index_to_key[:100]]
    return [*questions, *(("WordVectors.most_similar", ask) for ask in nearest)]


def _small_language(folder: Path, sentences: int) -> tuple[Path, Path]:
    from click.testing import CliRunner

    from windrow.cli import main

    CliRunner().invoke(main, ["corpus", "toyland", "-o", str(folder / "toyland"), "--sentences", str(sentences)])
    return folder / "toyland" / "train.txt", folder / "toyland" / "ner-valid.conll"


def soak(questions: Sequence[Question], threads: int, seconds: float) -> Soak:
    """Ask from several threads, and watch the memory."""
    expected = [ask() for _, ask in questions]
    found, ends_at, lock = Soak(), time.monotonic() + seconds, threading.Lock()

    def work(seed: int) -> None:
        dice, asked, different = Random(seed), Counter[str](), Counter[str]()
        try:
            while time.monotonic() < ends_at:
                number = dice.randrange(len(questions))
                kind, ask = questions[number]
                asked[kind] += 1
                different[kind] += ask() != expected[number]
        except Exception as error:
            found.failed.append(f"{kind}: {type(error).__name__}: {error}")
        with lock:
            found.asked.update(asked)
            found.different.update(different)

    workers = [threading.Thread(target=work, args=(seed,)) for seed in range(threads)]
    for worker in workers:
        worker.start()
    found.resident_mb.append(resident_mb())
    while any(worker.is_alive() for worker in workers):
        time.sleep(seconds / _SAMPLES)
        found.resident_mb.append(resident_mb())
    return found


def resident_mb() -> float:
    """The memory of this process that is in use."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError as error:
        raise BenchError("the memory of a process is read from /proc: soak.py needs Linux") from error
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def quarters(samples: Sequence[float]) -> tuple[float, float]:
    """The medians of the first and the last quarter."""
    size = max(1, len(samples) // 4)
    return median(samples[:size]), median(samples[-size:])


def table(found: Soak) -> str:
    """A row a kind of question, and the memory."""
    rows = ["| question | asked | other answers |", "|---|---:|---:|"]
    rows += [f"| {kind} | {count:,} | {found.different[kind]:,} |" for kind, count in sorted(found.asked.items())]
    rows.append(f"| all | {found.asked.total():,} | {found.different.total():,} |")
    first, last = quarters(found.resident_mb)
    is_flat = last - first <= _TOLERANCE_MB
    memory = f"Memory: {first:.1f} MB in the first quarter of the time, {last:.1f} MB in the last"
    failed = f" Failed: {'; '.join(found.failed[:3])}." if found.failed else ""
    return "\n".join(rows) + f"\n\n{memory}: {'flat' if is_flat else '**it grows**'}.{failed}\n"


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--minutes", type=float, default=10, help="(default: 10)")
    parser.add_argument("--threads", type=int, default=8, help="(default: 8)")
    parser.add_argument("--sentences", type=int, default=5000, help="of the language (default: 5000)")
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "soak", help="without an extension")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    settings = {name: getattr(arguments, name) for name in ("minutes", "threads", "sentences")}
    record: Record = header("The same answers, and no more memory, from many threads for long", settings)
    with session(measures_time=False) as folder:
        questions = make_questions(folder, arguments.sentences)
        print(
            f"{len(questions)} questions, {arguments.threads} threads, {arguments.minutes:g} minutes", file=sys.stderr
        )
        found = soak(questions, arguments.threads, 60 * arguments.minutes)
    record |= {"asked": dict(found.asked), "different": dict(found.different), "failed": found.failed,
               "resident_mb": [round(sample, 1) for sample in found.resident_mb], "table": table(found)}  # fmt: skip
    write_json(record, arguments.output)
    arguments.output.with_name(arguments.output.name + ".md").write_text(f"{record['table']}\n{measured_on(record)}\n")
    print(record["table"])


if __name__ == "__main__":
    script(main)

"""How well and how fast does TextClassifier tell texts apart, beside fastText's supervised mode?

    python bench/classify.py
    python bench/classify.py --tasks sentence_polarity --folds 2 --repeated 20000 --rounds 1

Tasks: sentence_polarity and subjectivity (words and pairs of words, 10-fold cross-validation), and the language of a
line of udhr2 (n-grams of 2 to 5 characters; every tenth line of each language is held out). Both sides get the same
lines, folds and settings, and one thread; the seed of each round is another. Three measures, a result file each:

- accuracy: the share of the lines held out that get their own label;
- training: texts per second and epoch, on the texts repeated to 200,000 lines, from the file to the model;
- prediction: texts per second of one call with a list of these lines, by a model that was trained on each once;
  windrow also with a thread for each core, as it does by default, where fastText has one.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from harness import (
    BenchError,
    Case,
    Figures,
    Measure,
    Side,
    argument_parser,
    data_folder,
    measure,
    script,
    session,
    write_result,
)
from peers import absence

PREFIX = "__label__"
_PAIRS = {"vector_size": 50, "word_ngrams": 2, "learning_rate": 0.3, "epochs": 10, "buckets": 200_000}
_CHARACTERS = {"vector_size": 50, "min_n": 2, "max_n": 5, "learning_rate": 0.5, "epochs": 10, "buckets": 500_000}
# Of each task the files with their labels, "" for a label per file, and the settings.
TASKS: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "sentence_polarity": ({"rt-polarity.pos": "good", "rt-polarity.neg": "bad"}, _PAIRS),
    "subjectivity": ({"quote.tok.gt9.5000": "subjective", "plot.tok.gt9.5000": "objective"}, _PAIRS),
    "udhr2": ({"*.txt": ""}, _CHARACTERS),
}
_THEIR_NAMES = {
    "vector_size": "dim", "word_ngrams": "wordNgrams", "min_n": "minn", "max_n": "maxn", "learning_rate": "lr",
    "epochs": "epoch", "buckets": "bucket",
}  # fmt: skip
_EVERY = 10  # line of a language is held out


def labelled_lines(data: Path, task: str) -> list[str]:
    """The lines of a task, each after its label, in an order that is drawn once."""
    found = []
    for pattern, label in TASKS[task][0].items():
        for path in sorted((data / task).glob(pattern)):
            if path.name != "README.txt":
                lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
                found += [f"{PREFIX}{label or path.stem} {line.strip()}" for line in lines if line.strip()]
    if not found:
        raise BenchError(f"{data / task} holds no texts; see bench/README.md for what the folder holds")
    random.Random(1).shuffle(found)
    return found


def folds_of(lines: list[str], task: str, folds: int) -> list[tuple[list[str], list[str]]]:
    """Lines to train on and lines held out: every line once, or of languages every tenth line, once.

    They stay in the order that was drawn: fastText reads them in that order, and learns little from lines that are
    sorted by their labels.
    """
    if task != "udhr2":
        cut = [lines[fold::folds] for fold in range(folds)]
        return [([line for other in cut if other is not held for line in other], held) for held in cut]
    met: Counter[str] = Counter()
    train, held = list[str](), list[str]()
    for line in lines:
        label = line.split(maxsplit=1)[0]
        met[label] += 1
        (train if met[label] % _EVERY else held).append(line)
    return [(train, held)]


def accuracy(side: str, data: str, task: str, folds: int, folder: str, seed: int) -> Figures:
    """The share of the lines held out that get their own label, over all folds."""
    train, predict = _SIDES[side]
    path, right, asked = Path(folder) / f"{side}.txt", 0, 0
    for train_lines, held in folds_of(labelled_lines(Path(data), task), task, folds):
        write(path, train_lines)
        labels, texts = apart(held)
        found = predict(train(path, TASKS[task][1], seed), texts)
        right += sum(one == label for one, label in zip(found, labels, strict=True))
        asked += len(texts)
    return {"accuracy": right / asked}


def training(side: str, data: str, task: str, repeated: int, folder: str, seed: int) -> Figures:
    """Texts per second and epoch, from the file to the model."""
    train, _ = _SIDES[side]
    lines, options, path = labelled_lines(Path(data), task), TASKS[task][1], Path(folder) / f"{side}.txt"
    write(path, lines[:100])
    train(path, options, seed)  # imports, and kernels from their cache
    many = list(islice(cycle(lines), repeated))
    write(path, many)
    started = time.perf_counter()
    train(path, options, seed)
    return {"texts_per_second": len(many) * options["epochs"] / (time.perf_counter() - started)}


def prediction(side: str, data: str, task: str, repeated: int, folder: str, seed: int) -> Figures:
    """Texts per second of one call with a list of them."""
    train, predict = _SIDES[side]
    lines, path = labelled_lines(Path(data), task), Path(folder) / f"{side}.txt"
    write(path, lines)
    model = train(path, TASKS[task][1], seed)
    _, texts = apart(list(islice(cycle(lines), repeated)))
    predict(model, texts[:10])
    started = time.perf_counter()
    predict(model, texts)
    return {"texts_per_second": len(texts) / (time.perf_counter() - started)}


def apart(lines: list[str]) -> tuple[list[str], list[str]]:
    """The labels of lines, and their texts."""
    parts = [line.partition(" ") for line in lines]
    return [label.removeprefix(PREFIX) for label, _, _ in parts], [text for _, _, text in parts]


def write(path: Path, lines: list[str]) -> None:
    """Write lines to train on."""
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _train_windrow(path: Path, options: dict[str, Any], seed: int) -> Any:
    from windrow import TextClassifier

    return TextClassifier(**options, seed=seed).fit(path)


def _predict_windrow(model: Any, texts: list[str]) -> list[str]:
    found: list[str] = model.predict(texts).tolist()
    return found


def _train_fasttext(path: Path, options: dict[str, Any], seed: int) -> Any:
    import fasttext

    given = {_THEIR_NAMES[name]: value for name, value in options.items()}
    return fasttext.train_supervised(str(path), **given, minCount=1, thread=1, seed=seed, verbose=0)


def _predict_fasttext(model: Any, texts: list[str]) -> list[str]:
    return [labels[0].removeprefix(PREFIX) for labels in model.predict(texts)[0]]


_SIDES = {"windrow": (_train_windrow, _predict_windrow), "fasttext": (_train_fasttext, _predict_fasttext)}


_MEASURES = {
    "accuracy": Measure("accuracy", "accuracy, 0 to 1", compare="difference"),
    "training": Measure("texts_per_second", "trained texts/s"),
    "prediction": Measure("texts_per_second", "predicted texts/s"),
}


def main() -> None:
    parser = argument_parser(__doc__, "classify", rounds=5)
    parser.add_argument("--data", type=Path, default=os.environ.get("WINDROW_DATA"), help="default: $WINDROW_DATA")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS), help="default: all")
    parser.add_argument("--measures", nargs="+", choices=_MEASURES, default=list(_MEASURES), help="default: all")
    parser.add_argument("--folds", type=int, default=10, help="of the cross-validation (default: 10)")
    parser.add_argument("--repeated", type=int, default=200_000, help="lines for the rates (default: 200000)")
    arguments = parser.parse_args()
    data = data_folder(arguments, *(f"{task}/README.txt" for task in arguments.tasks if task != "udhr2"))
    with session(measures_time=arguments.measures != ["accuracy"]) as folder:
        for name in arguments.measures:
            sized = {"folds": arguments.folds} if name == "accuracy" else {"repeated": arguments.repeated}
            given = {"data": str(data), "folder": str(folder), **sized}
            cases = []
            for task in arguments.tasks:
                job, of_task = f"classify:{name}", {**given, "task": task}
                ours = Side("windrow", job, {**of_task, "side": "windrow"}, seeded=True)
                theirs = Side("fasttext", job, {**of_task, "side": "fasttext"}, seeded=True, absent=absence("fasttext"))
                cores = os.cpu_count() or 1
                shared = (
                    [replace(ours, name=f"windrow, {cores} threads", threads=cores)] if name == "prediction" else []
                )
                cases.append(Case(task, [*shared, ours, theirs]))
            output = arguments.output.with_name(f"{arguments.output.name}_{name}")
            record = measure(
                f"Telling texts apart: {name}",
                _MEASURES[name],
                cases,
                rounds=arguments.rounds,
                settings={**sized, "options": {task: TASKS[task][1] for task in arguments.tasks}},
                output=output,
            )
            write_result(record, output)


if __name__ == "__main__":
    script(main)

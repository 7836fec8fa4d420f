"""How well do networks without convolutions tell handwritten digits apart, one idea after another?

    python bench/digits.py                                       # all rows: half an hour of one core
    python bench/digits.py --rows quadratic-30 l2 --seeds 1 2 3
    python bench/digits.py --rows dropout --examples 2000 --epochs 3 -o /tmp/try

MNIST (60,000 + 10,000 images); the recipes follow Nielsen's "Neural networks and deep learning" (2015). They were
chosen by accuracy on the last 10,000 training images; the test images judge the network of the last epoch, and draw
its learning curve, no more. A row is written when it is done, and joins the rows that the result has already.
Seconds are those of one processor, for training alone.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from distortions import Distortion
from harness import (
    RESULTS,
    Record,
    data_folder,
    header,
    script,
    session,
    write_json,
)
from mnist import FILES, Digits, read_mnist
from windrow.nn import MLPClassifier, Network, Report
from windrow.nn.schedules import Step

if TYPE_CHECKING:
    from mnist import Examples

QUESTION = "Handwritten digits, one idea after another: error on MNIST's test images"
NOTE = (
    "Of several seeds the median (lowest to highest). Held back: accuracy on the images that chose the recipes; none "
    "where they were trained on afterwards. Processor seconds: training alone, one thread."
)


# --- recipes


@dataclass(frozen=True)
class Falling:
    """A learning rate that falls to 0 along a straight line, to which it may rise in the first epochs."""

    epochs: int
    rising: int = 1

    def __call__(self, epoch: int, scores: Sequence[float]) -> float:
        return max(0.0, min((epoch + 1) / self.rising, 1 - epoch / self.epochs))


@dataclass(frozen=True)
class Recipe:
    """What a row adds to the one before, the accuracy that is published (per cent), MLPClassifier's parameters.

    ``all_images``: those that chose the recipe are trained on, too, as is usual once it is chosen.
    """

    adds: str
    published: float
    options: dict[str, Any]
    all_images: bool = False

    @property
    def network(self) -> str:
        return "-".join(map(str, (784, *self.options["hidden_layer_sizes"], 10)))


BOOK = {"activation": "sigmoid", "initializer": "normal", "optimizer": "sgd", "batch_size": 10}
# First weights as large as the book's saturate some outputs; a rate that starts low lets more of them come back.
QUADRATIC = {"cost": "quadratic", "learning_rate": 15, "schedule": Falling(60, rising=30), "epochs": 60}
MODERN = {"activation": "relu", "initializer": "he", "optimizer": "nesterov", "batch_size": 128}
RECIPES = {
    "quadratic-30": Recipe(
        "quadratic cost",
        95.42,
        {**BOOK, **QUADRATIC, "hidden_layer_sizes": (30,)},
    ),
    "quadratic-100": Recipe(
        "quadratic cost",
        96.59,
        {**BOOK, **QUADRATIC, "hidden_layer_sizes": (100,)},
    ),
    "cross-entropy": Recipe(
        "cross-entropy",
        96.8,
        {
            **BOOK,
            "hidden_layer_sizes": (100,),
            "cost": "cross-entropy",
            "learning_rate": 1,
            "schedule": Falling(30),
            "epochs": 30,
        },
    ),
    "softmax": Recipe(
        "softmax, log-likelihood, smaller first weights",
        97.8,
        {**BOOK, "hidden_layer_sizes": (100,), "initializer": "scaled", "learning_rate": 0.1, "epochs": 60},
    ),
    "l2": Recipe(
        "L2, a larger rate that falls",
        98.04,
        {
            **BOOK,
            "hidden_layer_sizes": (100,),
            "initializer": "scaled",
            "learning_rate": 0.5,
            "schedule": Step(10, 0.5),
            "l2": 5e-5,
            "epochs": 60,
        },
    ),
    "dropout": Recipe(
        "dropout",
        98.7,
        {
            **MODERN,
            "hidden_layer_sizes": (1200, 1200),
            "optimizer": "adam",
            "learning_rate": 1e-3,
            "schedule": Falling(60),
            "dropout": 0.5,
            "input_dropout": 0.2,
            "epochs": 60,
        },
        all_images=True,
    ),
    "expanded": Recipe(
        "expanded training data",
        99.3,
        {
            **MODERN,
            "hidden_layer_sizes": (1000, 1000),
            "learning_rate": 0.15,
            "schedule": Falling(80),
            "augmentation": Distortion(shift=1, degrees=15, scale=0.1, alpha=34, sigma=4),
            "epochs": 80,
        },
        all_images=True,
    ),
}


# --- one row


@dataclass
class Curve:
    """Watches a training: the error on the test images after each epoch, in per cent."""

    test: Examples
    name: str
    errors: list[float] = field(default_factory=list)
    seconds: float = 0.0  # that watching took

    def __call__(self, report: Report, network: Network) -> None:
        started = time.process_time()
        x, y = self.test
        wrong = network.outputs(x).argmax(axis=1) != y
        self.errors.append(round(100 * float(wrong.mean()), 3))
        told = f"{self.name}, epoch {report.epoch}: loss {report.loss:.4f}, test error {self.errors[-1]:.2f} %"
        print(told, file=sys.stderr, flush=True)
        self.seconds += time.process_time() - started


def train(recipe: Recipe, digits: Digits, seed: int, name: str = "") -> dict[str, Any]:
    """Train by a recipe: accuracies of the last epoch in per cent, processor seconds, the learning curve."""
    curve = Curve(digits.test, f"{name}, seed {seed}")
    model = MLPClassifier(**recipe.options, callbacks=[curve], random_state=seed)
    x, y = digits.train
    if recipe.all_images:
        x, y = (np.concatenate(pair) for pair in zip(digits.train, digits.held_back, strict=True))
    started = time.process_time()
    model.fit(x, y)
    seconds = time.process_time() - started - curve.seconds
    figures = {"seed": seed, "test": 100 * model.score(*digits.test), "cpu_seconds": seconds, "curve": curve.errors}
    if not recipe.all_images:
        figures["held_back"] = 100 * model.score(*digits.held_back)
    return figures


# --- the table


def result_of(recipe: Recipe, runs: list[dict[str, Any]], command: str) -> Record:
    """What is kept of a row: enough for the table and the picture, and to run it again."""
    return {
        "adds": recipe.adds,
        "published": recipe.published,
        "network": recipe.network,
        "options": {
            name: value if isinstance(value, int | float | str) else repr(value)
            for name, value in recipe.options.items()
        },
        "all_images": recipe.all_images,
        "command": command,
        "runs": runs,
    }


def table(results: dict[str, Record]) -> str:
    """A row a recipe; of several seeds the median, and the lowest and highest."""
    heads = ["adds", "network", "published %", "test %", "seeds", "held back %", "epochs", "processor seconds"]
    lines = [f"| {' | '.join(heads)} |", f"|---|---|{'---:|' * (len(heads) - 2)}"]
    for result in results.values():
        runs = result["runs"]
        tests, held_back, seconds = (
            [run[name] for run in runs if name in run] for name in ("test", "held_back", "cpu_seconds")
        )
        spread = f" ({min(tests):.2f} to {max(tests):.2f})" if len(tests) > 1 else ""
        cells = [
            result["adds"],
            result["network"],
            f"{result['published']:.2f}",
            f"{median(tests):.2f}{spread}",
            ", ".join(str(run["seed"]) for run in runs),
            f"{median(held_back):.2f}" if held_back else "",
            str(result["options"]["epochs"]),
            f"{median(seconds):.0f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", NOTE]) + "\n"


def merged(record: Record, earlier: Record) -> Record:
    """A new record, which keeps the rows of an earlier one with the same settings."""
    kept = earlier["results"] if earlier.get("settings") == record["settings"] else {}
    results = {**kept, **record["results"]}
    record["results"] = {name: results[name] for name in RECIPES if name in results}
    record["table"] = table(record["results"])  # for report.py
    return record


def write(record: Record, output: Path) -> None:
    """Write ``record`` and what ``output`` has already as JSON, as a table and as learning curves."""
    path = output.with_name(output.name + ".json")
    record = merged(record, json.loads(path.read_text()) if path.exists() else {})
    write_json(record, output)
    output.with_name(output.name + ".md").write_text(record["table"])
    try:
        draw_curves(record, output.with_name(output.name + ".png"))
    except ImportError as error:
        print(f"no plot: {error}; pip install 'windrow[viz]'", file=sys.stderr)


def draw_curves(record: Record, path: Path) -> None:
    """The test error of each recipe by epoch, its first seed."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import ScalarFormatter

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot()
    for name, result in record["results"].items():
        errors = result["runs"][0]["curve"]
        axes.plot(range(1, len(errors) + 1), errors, label=f"{name}, {result['network']}", linewidth=1.2)
    axes.set_yscale("log")
    axes.set_yticks([0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 20])
    axes.yaxis.set_major_formatter(ScalarFormatter())
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.set_xlabel("epoch")
    axes.set_ylabel("test error, %")
    axes.set_title(record["question"], fontsize=10)
    axes.legend(fontsize=8)
    figure.savefig(path, dpi=120)


# --- the command


def main() -> None:
    arguments = read_arguments()
    digits = read_mnist(data_folder(arguments, *FILES))
    settings = {"examples": arguments.examples, "epochs": arguments.epochs}
    if arguments.examples:
        digits = digits.head(arguments.examples)
    with session(measures_time=False):
        for name in arguments.rows:
            recipe = RECIPES[name]
            if arguments.epochs:
                recipe = replace(recipe, options={**recipe.options, "epochs": arguments.epochs})
            runs = [train(recipe, digits, seed, name) for seed in arguments.seeds]
            record = header(QUESTION, settings)
            record["results"] = {name: result_of(recipe, runs, record["command"])}
            write(record, arguments.output)
    print(arguments.output.with_name(arguments.output.name + ".md").read_text())


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--data", type=Path, default=os.environ.get("WINDROW_DATA"), help="default: $WINDROW_DATA")
    parser.add_argument("--rows", nargs="+", choices=RECIPES, default=list(RECIPES))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1])
    parser.add_argument("--examples", type=int, help="the first so many of each set, for a quick try")
    parser.add_argument("--epochs", type=int, help="for a quick try")
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "digits", help="without an extension")
    return parser.parse_args()


if __name__ == "__main__":
    script(main)

"""How long does an epoch of a 784-100-10 network take, beside PyTorch on the same processor core?

    python bench/digits_speed.py
    python bench/digits_speed.py --examples 5000 --rounds 1

Both sides: sigmoid, softmax with log-likelihood, plain SGD, float32, one thread, the 50,000 images of MNIST in memory,
shuffled. PyTorch is eager, without a DataLoader: the examples are gathered once an epoch, batches are slices, and of
its SGD's three ways (a loop, "foreach", "fused") the one is taken that is fastest here, before the clock starts.
windrow's epoch is a whole call of ``partial_fit``, its checks of the data and the gradient norms that it reports with
it. The first epoch is not timed; ``test`` is the accuracy after all of them, so that nobody wins by learning nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

from harness import (
    Case,
    Measure,
    Side,
    argument_parser,
    data_folder,
    measure,
    script,
    session,
    write_result,
)
from machine import version_of
from mnist import FILES, Digits, read_mnist

HIDDEN, RATE = 100, 0.1
BATCH_SIZES = (10, 128)


def train_windrow(data: str, examples: int, batch_size: int, epochs: int) -> dict[str, float]:
    from windrow.nn import MLPClassifier

    digits = _digits(data, examples)
    model = MLPClassifier(
        (HIDDEN,),
        activation="sigmoid",
        initializer="scaled",
        optimizer="sgd",
        learning_rate=RATE,
        batch_size=batch_size,
        random_state=1,
    )
    figures = fastest(lambda: model.partial_fit(*digits.train), epochs)
    return {**figures, "test": model.score(*digits.test)}


def train_torch(data: str, examples: int, batch_size: int, epochs: int) -> dict[str, float]:
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(1)
    digits = _digits(data, examples)
    x, test_x = (torch.from_numpy(rows) for rows, _ in (digits.train, digits.test))
    y, test_y = (torch.from_numpy(labels.astype("int64")) for _, labels in (digits.train, digits.test))
    model = torch.nn.Sequential(torch.nn.Linear(x.shape[1], HIDDEN), torch.nn.Sigmoid(), torch.nn.Linear(HIDDEN, 10))
    options = fastest_sgd(deepcopy(model), x[:2000], y[:2000], batch_size)
    sgd = torch.optim.SGD(model.parameters(), lr=RATE, **options)
    figures = fastest(lambda: torch_epoch(model, sgd, x, y, batch_size), epochs)
    with torch.inference_mode():
        right = (model(test_x).argmax(dim=1) == test_y).float().mean().item()
    return {**figures, "test": right, "fused": options.get("fused", False), "foreach": options.get("foreach", False)}


def torch_epoch(model: Any, sgd: Any, x: Any, y: Any, batch_size: int) -> None:
    import torch
    from torch.nn.functional import cross_entropy

    order = torch.randperm(len(x))
    x, y = x[order], y[order]
    for rows, labels in zip(x.split(batch_size), y.split(batch_size), strict=True):
        sgd.zero_grad()
        cross_entropy(model(rows), labels).backward()
        sgd.step()


def fastest_sgd(model: Any, x: Any, y: Any, batch_size: int) -> dict[str, bool]:
    """The options of torch.optim.SGD with which an epoch of these examples takes least."""
    import torch

    seconds = {}
    for name in ("none", "foreach", "fused"):
        options = {} if name == "none" else {name: True}
        sgd = torch.optim.SGD(model.parameters(), lr=RATE, **options)
        seconds[name] = fastest(lambda sgd=sgd: torch_epoch(model, sgd, x, y, batch_size), 3)["seconds"]
    name = min(seconds, key=seconds.__getitem__)
    return {} if name == "none" else {name: True}


def fastest(epoch: Callable[[], Any], epochs: int) -> dict[str, float]:
    """The seconds of the fastest of some epochs, after one that is not timed."""
    epoch()
    seconds = []
    for _ in range(epochs):
        started = time.perf_counter()
        epoch()
        seconds.append(time.perf_counter() - started)
    return {"seconds": min(seconds)}


def _digits(data: str, examples: int) -> Digits:
    return read_mnist(Path(data)).head(examples)


def main() -> None:
    parser = argument_parser(__doc__, "digits_speed", rounds=5)
    parser.add_argument("--data", type=Path, default=os.environ.get("WINDROW_DATA"), help="default: $WINDROW_DATA")
    parser.add_argument("--examples", type=int, default=50_000, help="images to train on (default: 50000)")
    parser.add_argument("--epochs", type=int, default=3, help="timed, of which the fastest counts (default: 3)")
    arguments = parser.parse_args()
    data = data_folder(arguments, *FILES)
    no_torch = "torch is not installed" if version_of("torch") == "absent" else ""
    cases = []
    for batch_size in BATCH_SIZES:
        given = {
            "data": str(data),
            "examples": arguments.examples,
            "batch_size": batch_size,
            "epochs": arguments.epochs,
        }
        windrow = Side("windrow", "digits_speed:train_windrow", given)
        torch = Side("torch", "digits_speed:train_torch", given, absent=no_torch)
        cases.append(Case(f"batches of {batch_size}", [windrow, torch]))
    with session():
        record = measure(
            "An epoch of a 784-100-10 network: seconds",
            Measure("seconds", "seconds", higher_is_better=False, columns=("test", "peak_mb")),
            cases,
            rounds=arguments.rounds,
            settings={"examples": arguments.examples, "epochs": arguments.epochs, "learning_rate": RATE},
            output=arguments.output,
        )
    write_result(record, arguments.output)


if __name__ == "__main__":
    script(main)

"""Many threads that ask at once, and the answers of one thread to compare theirs with, to the last bit."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")
Question = Callable[[], Any]

THREADS = 8
_SWITCH_SECONDS = 1e-4  # 50 times as often as Python does by itself
_PATIENCE = 60  # seconds until a thread that does not come is an error


def together(tasks: Sequence[Callable[[], T]]) -> list[T]:
    """What the tasks return, each in a thread of its own, all begun at the same moment; raises what one raised."""
    gate = threading.Barrier(len(tasks), timeout=_PATIENCE)
    found: dict[int, T] = {}
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            gate.wait()
            found[number] = tasks[number]()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(tasks))]
    with _switching_often():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if errors:
        raise errors[0]
    return [found[number] for number in range(len(tasks))]


def hammer(questions: Sequence[Question], expected: Sequence[Any], rounds: int = 1) -> None:
    """Every thread asks all questions, each in an order of its own; fails unless all answers are as ``expected``."""

    def ask(thread: int) -> list[int]:
        order = np.random.default_rng(thread).permutation(np.tile(np.arange(len(questions)), rounds)).tolist()
        return [number for number in order if frozen(questions[number]()) != expected[number]]

    wrong = [number for own in together([partial(ask, thread) for thread in range(THREADS)]) for number in own]
    assert not wrong, (
        f"{len(wrong)} of {len(questions) * rounds * THREADS} answers differ, of questions {sorted(set(wrong))}"
    )


def frozen(answer: Any) -> Any:
    """An answer as something that is equal only to the same answer: arrays by their bytes, floats by their digits."""
    if isinstance(answer, np.ndarray):
        return answer.dtype.str, answer.shape, answer.tobytes()
    if isinstance(answer, float | np.floating):
        return float(answer).hex()
    if isinstance(answer, Mapping):
        return tuple((key, frozen(value)) for key, value in answer.items())
    if isinstance(answer, tuple | list):
        return tuple(map(frozen, answer))
    if hasattr(answer, "__dataclass_fields__"):
        return type(answer).__name__, frozen(vars(answer))
    return answer


@contextmanager
def _switching_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(before)

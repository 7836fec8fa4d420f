"""Threads that share the arithmetic of a pass, each a part of the words, the streams or the products."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import cache
from itertools import pairwise
from typing import NamedTuple, TypeVar

from threadpoolctl import ThreadpoolController

from windrow import interrupts
from windrow.machine import available_cores

Result = TypeVar("Result")


class _Crew(NamedTuple):
    """Threads besides the one that shares."""

    pool: ThreadPoolExecutor
    size: int


_CREW: ContextVar[_Crew | None] = ContextVar("_CREW", default=None)


@contextmanager
def crew(workers: int | None = None) -> Iterator[None]:
    """Within, ``share`` has ``workers`` threads, and each product of matrices one.

    None: as many as BLAS has, on the cores that this process may use. Threads of BLAS would share less, product by
    product, and spin between two of them on the cores that others need.
    """
    if workers is None:
        libraries = _libraries().lib_controllers
        workers = min(available_cores(), max((library.num_threads for library in libraries), default=1))
    with _libraries().limit(limits=1):  # NumPy's BLAS and SciPy's are two
        if workers == 1:
            yield
            return
        pool = ThreadPoolExecutor(workers - 1)
        token = _CREW.set(_Crew(pool, workers - 1))
        try:
            yield
        finally:
            _CREW.reset(token)
            with interrupts.held():  # or the pool's locks might stay closed
                pool.shutdown()


def share(size: int, task: Callable[[int, int], Result], least: int = 1) -> list[Result]:
    """``task(first, last)`` for runs that make up ``range(size)``, one per thread, ``least`` long; what they return.

    Runs side by side are of a crew only: without one, and within a task, there is one run.
    """
    interrupts.check()
    found = _CREW.get()
    runs = 1 if found is None else max(1, min(found.size + 1, size // least))
    if found is None or runs == 1:
        return [task(0, size)]
    bounds = [size * run // runs for run in range(runs + 1)]
    token, futures = _CREW.set(None), list[Future[Result]]()
    with interrupts.held():
        try:
            for first, last in pairwise(bounds[1:]):
                # In a copy of this context: what NumPy is told about overflow holds for all.
                futures.append(found.pool.submit(copy_context().run, task, first, last))
            mine = task(0, bounds[1])
        finally:
            wait(futures)  # also after an error: the others write to arrays of this pass
            _CREW.reset(token)
        return [mine, *(future.result() for future in futures)]


@cache
def _libraries() -> ThreadpoolController:
    import scipy.linalg  # noqa: F401 - or its library, loaded during a training, would keep its threads

    return ThreadpoolController().select(user_api="blas")

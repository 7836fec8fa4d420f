"""Threads that share the arithmetic of a pass, each a part of the words, the streams or the products.

And what threads of the caller's must not share: the arrays that a pass keeps for the next one (``Scratch``), and the
threads of BLAS, whose number belongs to the process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import cache
from itertools import pairwise
from threading import Lock, local
from typing import Any, NamedTuple, TypeVar

from threadpoolctl import ThreadpoolController

from windrow import interrupts
from windrow.machine import available_cores

Result = TypeVar("Result")


class Scratch(local):
    """Arrays that are kept from call to call, in a dict: each thread has its own, and a copy none."""

    def __init__(self) -> None:
        self.kept: dict[Any, Any] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return Scratch, ()


class _Crew:
    """Threads besides the one that shares; they begin when something is shared.

    Workers with that one: None for as many as BLAS has, at most one for each core.
    """

    def __init__(self, workers: int | None, blas_threads: int) -> None:
        self._workers = workers
        self._blas_threads = blas_threads
        self._pool: ThreadPoolExecutor | None = None

    @property
    def workers(self) -> int:
        if self._workers is None:  # to ask takes longer than a small pass
            self._workers = min(available_cores(), self._blas_threads)
        return self._workers

    @property
    def pool(self) -> ThreadPoolExecutor:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.workers - 1)
        return self._pool

    def leave(self, outer: _Crew | None) -> None:
        """Give the thread back to the crew it was in, and end the threads."""
        _CREW.set(outer)
        if self._pool is not None:
            with interrupts.held():  # or the pool's locks might stay closed
                self._pool.shutdown()


_CREW: ContextVar[_Crew | None] = ContextVar("_CREW", default=None)


@contextmanager
def crew(workers: int | None = None) -> Iterator[None]:
    """Within, ``share`` has ``workers`` threads, and each product of matrices one.

    None: those of the crew that this thread is in; without one, as many as BLAS has when nobody limits it, on the cores
    that this process may use. Threads of BLAS would share less, product by product, and spin between two of them on the
    cores that others need.
    """
    if workers is None and _CREW.get() is not None:
        yield
        return
    outer = _CREW.get()
    with one_blas_thread() as blas_threads:
        found = _Crew(workers, blas_threads)
        try:
            _CREW.set(found)
            yield
        finally:
            try:
                found.leave(outer)
            except BaseException:
                found.leave(outer)  # an interrupt may have struck before it had begun, see ``_BlasLimit``
                raise


class _BlasLimit:
    """The passes that hold BLAS to one thread, and how many threads its libraries had before the first of them.

    An interrupt may strike anywhere in ``begin`` and ``end``, also as they are called and as they return. So ``end``
    may be called twice, and for a pass that has begun in part or not at all: what it does last says that it is done.
    """

    def __init__(self) -> None:
        self.lock = Lock()  # never held while anything is computed
        self.passes: set[object] = set()
        self.before: list[int] = []

    def begin(self, one: object) -> int:
        """Count a pass in; how many threads BLAS has without any."""
        libraries = _libraries()
        with self.lock:
            if not self.passes:
                self.before = [library.get() for library in libraries]
            is_first = not self.passes
            self.passes.add(one)
            for library, number in zip(libraries, self.before, strict=True):
                if number != 1 and (library.is_of_thread or is_first):
                    library.set(1)
            return max(self.before, default=1)

    def end(self, one: object) -> None:
        """Count a pass out."""
        with self.lock:
            if one not in self.passes:
                return
            is_last = len(self.passes) == 1
            for library, number in zip(_libraries(), self.before, strict=True):
                if number != 1 and (library.is_of_thread or is_last):
                    library.set(number)
            self.passes.discard(one)


_LIMIT = _BlasLimit()
_IS_LIMITED: ContextVar[bool] = ContextVar("_IS_LIMITED", default=False)  # by this thread


@contextmanager
def one_blas_thread() -> Iterator[int]:
    """Within, whatever other threads do, BLAS has one thread; yields how many it has else.

    The number belongs to the process, and the last bits of a product depend on it. If every thread put back what it had
    found, the first to leave would change it for those within, and the last might put back the 1 of another for good.
    """
    if _IS_LIMITED.get():
        yield max(_LIMIT.before, default=1)
        return
    one = object()
    try:
        before = _LIMIT.begin(one)
        _IS_LIMITED.set(True)
        yield before
    finally:
        try:
            _end_limit(one)
        except BaseException:
            _end_limit(one)
            raise


def _end_limit(one: object) -> None:
    _IS_LIMITED.set(False)
    _LIMIT.end(one)


def share(size: int, task: Callable[[int, int], Result], least: int = 1) -> list[Result]:
    """``task(first, last)`` for runs that make up ``range(size)``, one per thread, ``least`` long; what they return.

    Runs side by side are of a crew only: without one, and within a task, there is one run.
    """
    interrupts.check()
    found, runs = _CREW.get(), size // least
    if found is None or runs <= 1 or (runs := min(found.workers, runs)) == 1:
        return [task(0, size)]
    bounds = [size * run // runs for run in range(runs + 1)]
    futures = list[Future[Result]]()
    with interrupts.held():
        try:
            _CREW.set(_Crew(1, 1))
            for first, last in pairwise(bounds[1:]):
                # In a copy of this context, so that settings such as np.errstate hold for all.
                futures.append(found.pool.submit(copy_context().run, task, first, last))
            mine = task(0, bounds[1])
        finally:
            wait(futures)  # also after an error: the others write to arrays of this pass
            _CREW.set(found)
        return [mine, *(future.result() for future in futures)]


class _Library(NamedTuple):
    """A BLAS: the number of its threads, and whether each thread that calls it has one of its own."""

    get: Callable[[], int]
    set: Callable[[int], object]
    is_of_thread: bool


@cache
def _libraries() -> list[_Library]:
    """NumPy's and SciPy's, which are two."""
    import scipy.linalg  # noqa: F401 - or its library, loaded during a training, would keep its threads

    return [
        # From its version 3.8 on, what is public sets nothing while another thread does; here a lock orders them.
        _Library(
            found.get_num_threads,
            getattr(found, "_real_set_num_threads", found.set_num_threads),
            getattr(found, "threading_layer", "") == "openmp",
        )
        for found in ThreadpoolController().select(user_api="blas").lib_controllers
    ]

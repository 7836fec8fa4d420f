"""Workers do the parts of a work; here those of this process, one part after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from windrow import interrupts
from windrow.machine import peak_memory

LEAST_MEMORY = 32 << 20  # bytes for the data of a worker; less would be all overhead
DEFAULT_MEMORY = 1 << 30


@dataclass
class Usage:
    """What the parts of a work took in all.

    Attributes
    ----------
    cpu_seconds : dict of str to float
        Processor time of the parts, by the first digits of the id of the node that did them.
    moved_bytes : int
        Bytes of the arrays that parts gave back, and of those handed out; both may leave a node.
    peak_bytes : int
        The largest peak of a worker's memory, idle size included.
    parts : int
        How many parts were done.
    """

    cpu_seconds: dict[str, float] = field(default_factory=dict)
    moved_bytes: int = 0
    peak_bytes: int = 0
    parts: int = 0

    def add(self, part: PartUsage) -> None:
        """Count one part."""
        self.cpu_seconds[part.node] = self.cpu_seconds.get(part.node, 0.0) + part.cpu_seconds
        self.moved_bytes += part.moved_bytes
        self.peak_bytes = max(self.peak_bytes, part.peak_bytes)
        self.parts += 1


@dataclass(frozen=True)
class PartUsage:
    """What one part took."""

    node: str
    cpu_seconds: float
    moved_bytes: int
    peak_bytes: int


class Member(Protocol):
    """An object that lives in one worker."""

    def call(self, method: str, *arguments: Any, returns: int = 1) -> Any:
        """Call a method; a handle of its result, or a list of handles where there are several ``returns``."""


class Workers(AbstractContextManager["Workers"], Protocol):
    """Whoever does the parts of a work.

    A *handle* stands for a value that may lie on another machine. Handles may be arguments of further parts, which
    then receive the values; within lists and tuples they stay handles.
    """

    @property
    def count(self) -> int:
        """How many parts are done at a time."""

    @property
    def memory(self) -> int:
        """Bytes that a worker may hold, beside what it takes idle."""

    @property
    def usage(self) -> Usage:
        """What the parts took so far."""

    def put(self, value: Any) -> Any:
        """A handle for a value of this process."""

    def map(
        self,
        function: Callable[..., Any],
        parts: Iterable[Sequence[Any]],
        *,
        returns: int = 1,
        on_done: Callable[[int], object] | None = None,
    ) -> list[Any]:
        """``function(*part)`` for each part: its handle, or a list of ``returns`` handles of the values of a tuple.

        ``function`` is one of a module, and gives the same result for the same arguments whenever and wherever it is
        called: a part that is lost is done again. ``on_done`` is called with the number of parts that are done.
        """

    def stream(self, function: Callable[..., Any], parts: Iterable[Sequence[Any]]) -> Iterator[Any]:
        """As ``map``, but gives each result itself, in the order of the parts and as soon as it is there.

        Only some parts are begun ahead of the one whose result is given; the error that is raised is that of the first
        part, in their order, that fails.
        """

    def start(self, kind: Callable[..., Any], *arguments: Any) -> Member:
        """Make an object that lives in a worker of its own until the end."""

    def get(self, handle: Any) -> Any:
        """The value of a handle, once it is there; raises what the part raised."""


class _Here:
    """An object of this process."""

    def __init__(self, value: Any, usage: Usage) -> None:
        self._value, self._usage = value, usage

    def call(self, method: str, *arguments: Any, returns: int = 1) -> Any:
        result, used = measured(getattr(self._value, method), arguments, returns)
        self._usage.add(used)
        return list(result) if returns > 1 else result


class InProcess(nullcontext["InProcess"]):
    """Workers of this process, without Ray: parts are done one after the other, and a handle is the value itself.

    Parameters
    ----------
    count : int, at least 1, default 2
        How many workers the work is cut up for.
    memory : int, default 1 GiB
        Bytes that a worker may hold.
    """

    def __init__(self, count: int = 2, memory: int = DEFAULT_MEMORY) -> None:
        super().__init__(self)
        self.count, self.memory, self.usage = count, memory, Usage()

    def put(self, value: Any) -> Any:
        """The value itself."""
        return value

    def map(
        self,
        function: Callable[..., Any],
        parts: Iterable[Sequence[Any]],
        *,
        returns: int = 1,
        on_done: Callable[[int], object] | None = None,
    ) -> list[Any]:
        """See ``Workers``."""
        results = []
        for part in parts:
            interrupts.check()
            result, used = measured(function, part, returns)
            self.usage.add(used)
            results.append(list(result) if returns > 1 else result)
            if on_done is not None:
                on_done(len(results))
        return results

    def stream(self, function: Callable[..., Any], parts: Iterable[Sequence[Any]]) -> Iterator[Any]:
        """See ``Workers``."""
        for part in parts:
            yield self.map(function, [part])[0]

    def start(self, kind: Callable[..., Any], *arguments: Any) -> Member:
        """See ``Workers``."""
        return _Here(kind(*arguments), self.usage)

    def get(self, handle: Any) -> Any:
        """The value itself."""
        return handle


def measured(
    function: Callable[..., Any], arguments: Sequence[Any], returns: int, node: str = "this process"
) -> tuple[Any, PartUsage]:
    """The result of a call, and what it took; ValueError unless there are as many results as announced."""
    started = time.process_time()
    result = function(*arguments)
    if returns > 1 and len(result) != returns:
        raise ValueError(f"{function.__name__} gave {len(result)} results, not {returns}")
    seconds = time.process_time() - started
    return result, PartUsage(node, seconds, bytes_of(result), peak_memory() or 0)


def bytes_of(value: Any) -> int:
    """Bytes of the arrays in a value."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list | tuple):
        return 0
    return sum(map(bytes_of, value))

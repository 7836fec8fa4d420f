"""Workers of a Ray cluster: Ray schedules, retries and moves data; here it is only asked to."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from windrow import interrupts
from windrow.distributed.workers import DEFAULT_MEMORY, LEAST_MEMORY, Member, Usage, Workers, bytes_of, measured
from windrow.errors import DataError, OptionError, WindrowError, check_whole, needs_package, shown
from windrow.logger import logger
from windrow.machine import available_cores

_POLL = 0.2  # seconds that an interrupt may wait
_RETRIES = 20  # of a part whose worker or node is lost; Ray counts those of its own doing as well
_IN_FLIGHT = 2  # parts per core that are handed to Ray at a time
_LAST_ACCOUNTS = 1.0  # seconds at the end for what the last calls took
_REACHED = 10.0  # seconds for a first answer of a cluster; Ray itself would ask for minutes
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_IGNORE_UNHANDLED_ERRORS": "1",  # they are raised where the result is asked for
}


class LostWorkerError(WindrowError):
    """A worker that held an object is gone, and the object with it."""


class RayCluster:
    """Workers of a Ray cluster, or of a Ray of this machine's own that ends with the work.

    ``Corpus.build`` and ``fit`` of ``NGramLM``, ``Word2Vec`` and ``CountVectors`` take one as ``ray``. As a context
    manager it stays connected from one of them to the next; otherwise each connects, which takes some seconds.

    Parameters
    ----------
    address : str, default "local"
        "local": start a Ray on this machine. "auto": the cluster that runs here, or that RAY_ADDRESS names.
        HOST:PORT: that cluster.
    workers : int, at least 1, or None, default None
        How many parts are done at a time. None: as many as the cluster has cores.
    memory : int, at least 32 MiB, or None, default None
        Bytes of data that a worker may hold beside its idle size of about 200 MB. None: 1 GiB.

    Raises
    ------
    OptionError
        A number is out of range.

    Examples
    --------
    >>> from windrow.distributed import RayCluster
    >>> cluster = RayCluster("local", workers=2)
    >>> cluster.count
    2
    """

    def __init__(self, address: str = "local", workers: int | None = None, memory: int | None = None) -> None:
        _place_of(address)  # raises
        self.address = address
        self._workers = None if workers is None else check_whole("workers", workers, 1)
        self.memory = DEFAULT_MEMORY if memory is None else check_whole("memory", memory, LEAST_MEMORY)
        self.usage = Usage()
        self._accounts: list[Any] = []  # handles of what calls of actors took, as far as it is not in ``usage`` yet
        self._ray: Any = None
        self._users = 0  # how many ``with`` blocks are open
        self._is_ours = False
        self._session: Path | None = None

    def __repr__(self) -> str:
        return f"RayCluster({self.address!r}, workers={self._workers}, memory={self.memory})"

    @property
    def count(self) -> int:
        """How many parts are done at a time."""
        if self._workers is not None:
            return self._workers
        return available_cores() if self._ray is None else self._cores()

    def __enter__(self) -> Self:
        if self._users == 0:
            self._connect()
        self._users += 1
        return self

    def __exit__(self, *_: object) -> None:
        self._users -= 1
        if self._users == 0:
            self._disconnect()

    # --- parts of a work

    def put(self, value: Any) -> Any:
        """See ``Workers``."""
        self.usage.moved_bytes += bytes_of(value)
        return self._ray.put(value)

    def map(
        self,
        function: Callable[..., Any],
        parts: Iterable[Sequence[Any]],
        *,
        returns: int = 1,
        on_done: Callable[[int], object] | None = None,
    ) -> list[Any]:
        """See ``Workers``."""
        task = self._task(function, returns)
        results, pending, done = [], [], 0
        for part in parts:
            *values, used = _sent(task.remote, function, returns, *part)
            results.append(values if returns > 1 else values[0])
            pending.append(used)
            while len(pending) >= self._in_flight:
                pending, done = self._finish_some(pending, done, on_done)
        while pending:
            pending, done = self._finish_some(pending, done, on_done)
        return results

    def stream(self, function: Callable[..., Any], parts: Iterable[Sequence[Any]]) -> Iterator[Any]:
        """See ``Workers``."""
        task = self._task(function, 1)
        # Of each part the handles of its result, and of what it took. Those begun are not canceled after an error: in
        # Ray 2.60 that can end this process ("Tried to complete task that was not pending").
        begun: deque[list[Any]] = deque()
        for part in parts:
            begun.append(_sent(task.remote, function, 1, *part))
            if len(begun) >= self._in_flight:
                yield self._taken(begun)
        while begun:
            yield self._taken(begun)

    def _taken(self, begun: deque[list[Any]]) -> Any:
        """The result of the first part, which is forgotten then, so that Ray can let go of it."""
        value, used = begun[0]
        self._wait_for(used)
        self._finish_some([used], 0, None)
        begun.popleft()
        return self.get(value)

    @property
    def _in_flight(self) -> int:
        """How many parts are handed to Ray at a time: where cores set the limit, also those to come."""
        return self.count if self.count < self._cores() else _IN_FLIGHT * self.count

    def _cores(self) -> int:
        return max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def _task(self, function: Callable[..., Any], returns: int) -> Any:
        return self._ray.remote(_do_part).options(
            num_cpus=1, num_returns=returns + 1, max_retries=_RETRIES, name=function.__name__
        )

    def start(self, kind: Callable[..., Any], *arguments: Any) -> Member:
        """See ``Workers``."""
        # Members work at the same time: where nodes are lost, they share the cores that are left.
        cores = int(self.count <= self._cores())
        actor = self._ray.remote(_Holder).options(
            num_cpus=cores, scheduling_strategy="SPREAD", max_restarts=0, max_task_retries=0
        )
        return _Actor(actor.remote(kind, *arguments), self)

    def get(self, handle: Any) -> Any:
        """See ``Workers``."""
        self._wait_for(handle)
        with _plain_errors():
            value = self._ray.get(handle)
        self._count_calls(0)
        return value

    def _wait_for(self, handle: Any) -> None:
        ready: list[Any] = []
        while not ready:
            ready, _ = self._ready([handle])

    def _ready(self, pending: list[Any]) -> tuple[list[Any], list[Any]]:
        """Which handles have values, after a short while at most, and the others; raises what a part raised."""
        with interrupts.held(), _plain_errors():
            ready, others = self._ray.wait(pending, num_returns=len(pending), timeout=_POLL, fetch_local=False)
            interrupts.check()
            if not ready and self._nodes() == 0:
                raise DataError(f"the Ray cluster at {self.address} has no node any more; start it again")
            return ready, others

    def _count_calls(self, seconds: float) -> None:
        """Add to ``usage`` what calls of actors took that are done now, or so many seconds later."""
        if self._accounts:
            ready, self._accounts = self._ray.wait(self._accounts, num_returns=len(self._accounts), timeout=seconds)
            for account in ready:
                with suppress(self._ray.exceptions.RayError):  # it is raised where the result is asked for
                    self.usage.add(self._ray.get(account))

    def _nodes(self) -> int:
        return sum(node["Alive"] for node in self._ray.nodes())

    def _finish_some(
        self, pending: list[Any], done: int, on_done: Callable[[int], object] | None
    ) -> tuple[list[Any], int]:
        ready, pending = self._ready(pending)
        with _plain_errors():
            for used in self._ray.get(ready):
                self.usage.add(used)
                done += 1
                if on_done is not None:
                    on_done(done)
        return pending, done

    # --- connecting

    def _connect(self) -> None:
        for name, value in _QUIET.items():
            os.environ.setdefault(name, value)
        with needs_package("work on a Ray cluster (ray=, --ray) needs the package ray", "ray"):
            import ray
        is_there = ray.is_initialized()  # by whoever called
        if not is_there:
            _check_reachable(self.address)
        self._ray, self.usage = ray, Usage()
        if is_there:
            return
        logging.getLogger("ray").setLevel(logging.ERROR)  # the rest is for those who start clusters
        self._is_ours = True
        try:
            with interrupts.held(), _plain_errors(f"cannot work with the Ray cluster {self.address!r}"):
                self._init()  # half started it could not be ended
        except BaseException:
            self._disconnect()
            raise
        logger.info("Ray %s: %d nodes, %d workers at a time", ray.__version__, self._nodes(), self.count)

    def _init(self) -> None:
        before = signal.getsignal(signal.SIGTERM)
        try:
            self._ray.init(**self._init_options())
        except SystemExit as error:  # raised by the handler that Ray gives SIGTERM
            signal.signal(signal.SIGTERM, before)
            signal.raise_signal(signal.SIGTERM)
            raise KeyboardInterrupt from error
        finally:
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGTERM, before)  # windrow has plans for it
        if self.address == "local":
            node: Any = self._ray._private.worker._global_node
            self._session = Path(node.get_session_dir_path())

    def _init_options(self) -> dict[str, Any]:
        options: dict[str, Any] = {
            "address": self.address,
            "log_to_driver": False,
            "logging_level": logging.ERROR,
            "configure_logging": False,
        }
        if self.address == "local":
            options |= {"num_cpus": self._workers or available_cores(), "include_dashboard": False}
        return options

    def _disconnect(self) -> None:
        self._count_calls(_LAST_ACCOUNTS)
        ray, self._ray, self._accounts = self._ray, None, []
        if not self._is_ours:
            return
        self._is_ours = False
        with interrupts.held():
            ray.shutdown()
            if self._session is not None:
                shutil.rmtree(self._session, ignore_errors=True)
                self._session = None


class _Holder:
    """What runs in the worker of an actor."""

    def __init__(self, kind: Callable[..., Any], *arguments: Any) -> None:
        self._value = kind(*arguments)

    def call(self, method: str, returns: int, *arguments: Any) -> Any:
        return _do_part(getattr(self._value, method), returns, *arguments)


class _Actor:
    """An object in a worker of its own."""

    def __init__(self, actor: Any, cluster: RayCluster) -> None:
        self._actor, self._cluster = actor, cluster

    def call(self, method: str, *arguments: Any, returns: int = 1) -> Any:
        """See ``Member``."""
        *values, used = self._actor.call.options(num_returns=returns + 1).remote(method, returns, *arguments)
        self._cluster._accounts.append(used)
        return values if returns > 1 else values[0]


def _sent(send: Callable[..., Any], *arguments: Any) -> Any:
    """The handles of what Ray is asked to do; OptionError for arguments that no other process can be given."""
    try:
        return send(*arguments)
    except TypeError as error:
        reason = str(error.__cause__ or error).strip().splitlines()[0]
        raise OptionError(
            f"what is given cannot be sent to workers of a Ray cluster ({reason}); try a function of a module"
        ) from error


def _do_part(function: Callable[..., Any], returns: int, *arguments: Any) -> Any:
    """What a worker does: a part, and the account of it."""
    import ray

    result, used = measured(function, arguments, returns, ray.get_runtime_context().get_node_id()[:8])
    return (*result, used) if returns > 1 else (result, used)


@contextmanager
def _plain_errors(what: str = "work on the Ray cluster failed") -> Iterator[None]:
    """Within, what windrow raised in a worker is raised here as it was, and Ray's own errors in one line."""
    import ray.exceptions

    lost = (ray.exceptions.RayActorError, ray.exceptions.ObjectLostError, ray.exceptions.WorkerCrashedError)
    try:
        yield
    except ray.exceptions.RayTaskError as error:  # which may be a WindrowError, too
        if isinstance(error.cause, WindrowError):
            raise error.cause from None
        if isinstance(error.cause, lost):  # it was to give what this part takes
            raise LostWorkerError("a worker is gone, and what it held with it") from error
        raise DataError(f"{what}: {error.cause!r}") from error
    except WindrowError:  # from a callback
        raise
    except lost as error:
        raise LostWorkerError("a worker is gone, and what it held with it") from error
    except ray.exceptions.OutOfMemoryError as error:
        raise DataError(f"{what}: a node ran out of memory; try fewer workers=... or a lower memory=...") from error
    except ConnectionError as error:
        raise DataError(f"{what}: none runs here; start one with `ray start --head`, or name its HOST:PORT") from error
    except (ray.exceptions.RayError, OSError, RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()
        way_out = "; set TMPDIR to a folder with a short name" if "AF_UNIX" in str(error) else ""
        raise DataError(f"{what}: {reason[0] if reason else type(error).__name__}{way_out}") from error


def _place_of(address: object) -> tuple[str, int] | None:
    """Host and port of a cluster, None for one that need not be named; OptionError for what is no address."""
    if address in ("local", "auto"):
        return None
    host, _, port = address.removeprefix("ray://").rpartition(":") if isinstance(address, str) else ("", "", "")
    if not host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise OptionError(f"ray = {shown(address)} must be 'local', 'auto' or the HOST:PORT of a cluster")
    return host.strip("[]"), int(port)


def _check_reachable(address: str) -> None:
    """Raise DataError for an address where nothing answers."""
    if (place := _place_of(address)) is None:
        return
    try:
        socket.create_connection(place, _REACHED).close()
    except OSError as error:
        reason = error.strerror or error
        raise DataError(f"no Ray cluster answers at {address}: {reason}; start one with `ray start --head`") from error


def workers_of(ray: object) -> Workers:
    """The workers that a user names as ``ray``: the address of a cluster, a RayCluster, or other workers."""
    if isinstance(ray, str):
        return RayCluster(ray)
    if all(hasattr(ray, name) for name in ("map", "start", "put", "get")):
        return ray  # type: ignore[return-value]  # what has these is a Workers
    raise OptionError(f"ray = {shown(ray)} must be 'local', 'auto', the HOST:PORT of a cluster, or a RayCluster")

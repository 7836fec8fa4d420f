"""A Ray cluster of several nodes on this machine, which the tests of this folder share."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import tests
from windrow.distributed import RayCluster

_START = 60  # seconds for a node to start or end; it takes some
_STORE = 80 << 20  # bytes of each node's object store; Ray takes no fewer than 75 MiB
_ROOT = str(Path(tests.__file__).parents[1])


@pytest.fixture(scope="session")
def needs_ray() -> None:
    """Skips what needs Ray where it is not."""
    if find_spec("ray") is None:
        pytest.skip("Ray, an extra of 360 MB, is not installed; .ci/run installs it")


@contextmanager
def _limited(what: str) -> Iterator[None]:
    """Within, what takes too long raises TimeoutError."""

    def late(*_: object) -> None:
        raise TimeoutError(f"{what} took more than {_START} seconds")

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(_START)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _environment_of_nodes() -> Iterator[None]:
    """Within, processes that start have what nodes need; other tests, which run in between, must not have it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")  # read on import: all nodes are at 127.0.0.1
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("PYTHONPATH", os.pathsep.join([_ROOT, *filter(None, [os.environ.get("PYTHONPATH")])]))
        patch.setenv("PYTHONWARNINGS", "ignore")
        yield


class RayNodes:
    """The nodes of a cluster, each with one core and a small object store."""

    def __init__(self) -> None:
        with _environment_of_nodes(), _limited("starting the head of a Ray cluster"):
            from ray.cluster_utils import Cluster

            self._cluster: Any = Cluster(initialize_head=True, head_node_args=self._arguments())
        self.address = self._cluster.address

    def _arguments(self) -> dict[str, Any]:
        return {"num_cpus": 1, "object_store_memory": _STORE, "include_dashboard": False}

    def add(self) -> Any:
        """Start one more node."""
        arguments = self._arguments()
        del arguments["include_dashboard"]
        with _environment_of_nodes(), _limited("starting a node"):
            return self._cluster.add_node(**arguments)

    def remove(self, node: Any) -> None:
        """Kill a node with all that runs on it."""
        with _limited("ending a node"):
            self._cluster.remove_node(node, allow_graceful=False)

    def workers(self, **options: Any) -> RayCluster:
        """The workers of all nodes."""
        return RayCluster(self.address, **options)

    def end(self) -> None:
        """End all nodes."""
        with _limited("ending the Ray cluster"):
            self._cluster.shutdown()


@pytest.fixture(scope="session")
def ray_nodes(needs_ray: None) -> Iterator[RayNodes]:
    """A head and one more node."""
    nodes = RayNodes()
    try:
        nodes.add()
        yield nodes
    finally:
        nodes.end()


@pytest.fixture
def one_more_node(ray_nodes: RayNodes) -> Iterator[Callable[[], Any]]:
    """Starts a node that is gone after the test."""
    added: list[Any] = []

    def add() -> Any:
        added.append(ray_nodes.add())
        return added[-1]

    yield add
    for node in added:
        if node in ray_nodes._cluster.worker_nodes:
            ray_nodes.remove(node)

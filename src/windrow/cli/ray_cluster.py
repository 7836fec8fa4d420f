"""The options of work on a Ray cluster, and its summary at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

from windrow.cli.help import grouped_option
from windrow.cli.messages import tell
from windrow.cli.numbers import Size, WholeNumber
from windrow.cli.options import check_used, naming_options
from windrow.estimator import GIVEN

if TYPE_CHECKING:
    from windrow.distributed import RayCluster

F = TypeVar("F", bound=Callable[..., Any])
_OPTIONS = {"ray": "--ray", "workers": "--ray-workers", "memory": "--memory-per-worker"}  # of a RayCluster's parameters
_MEGA = 1_000_000


def ray_options(command: F) -> F:
    """Add the options that name a cluster, which ``ray_cluster`` takes."""
    for decorator in (
        grouped_option(
            "--memory-per-worker",
            heading="Cluster",
            common=False,
            metavar="SIZE",
            type=Size(),
            help="Memory for the data of a worker, such as 500M.  [default: 1G]",
        ),
        grouped_option(
            "--ray-workers",
            heading="Cluster",
            common=False,
            type=WholeNumber(1),
            help="Parts done at a time.  [default: one per core]",
        ),
        grouped_option(
            "--ray",
            heading="Cluster",
            common=False,
            metavar="ADDRESS",
            help="Work on Ray: HOST:PORT; auto: what runs here; local: start one.",
        ),
    ):
        command = decorator(command)
    return command


class Cluster:
    """The cluster that a command works on, if it does, and since when."""

    def __init__(self, workers: RayCluster | None) -> None:
        self.workers = workers
        self._started = time.monotonic()

    def connected(self) -> AbstractContextManager[object]:
        """Stay connected meanwhile, over several works."""
        return nullcontext() if self.workers is None else self.workers

    def tell(self, words: int) -> None:
        """Tell what the work on so many words took."""
        if self.workers is None:
            return
        used, seconds = self.workers.usage, time.monotonic() - self._started
        by_node = ", ".join(f"{node} {cpu:.1f}" for node, cpu in sorted(used.cpu_seconds.items()))
        tell(
            f"Ray: {used.parts:,} part{'s' * (used.parts != 1)} in {seconds:.1f} s, {words / seconds:,.0f} words/s; "
            f"{sum(used.cpu_seconds.values()):.1f} CPU-seconds (by node: {by_node}); "
            f"{used.moved_bytes / max(words, 1):.1f} bytes moved per word; "
            f"at most {used.peak_bytes / _MEGA:,.0f} MB in a worker"
        )


@contextmanager
def ray_cluster(options: dict[str, Any]) -> Iterator[Cluster]:
    """Take the options of ``ray_options`` out of those of a command; errors within name them."""
    check_used(conditions=dict.fromkeys(("ray_workers", "memory_per_worker"), (("ray", GIVEN),)))
    address, count, memory = (options.pop(name) for name in ("ray", "ray_workers", "memory_per_worker"))
    with naming_options(_OPTIONS):
        if address is None:
            yield Cluster(None)
            return
        from windrow.distributed import RayCluster

        yield Cluster(RayCluster(address, count, memory))

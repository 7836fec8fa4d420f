"""Work beyond one process: parts of it are done by the workers of a Ray cluster, or one by one in this process.

Models and corpora know nothing of Ray: they cut their work into parts, each a function with its arguments, and give
those to ``Workers``.
"""

from windrow.distributed.cluster import RayCluster
from windrow.distributed.workers import InProcess, Workers

__all__ = ["InProcess", "RayCluster", "Workers"]

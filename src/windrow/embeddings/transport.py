"""The transportation problem, which Word Mover's Distance poses: the least cost of moving masses to their places."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import eye_array, kron, vstack
from scipy.spatial.distance import cdist

from windrow.errors import DataError


def transport_cost(
    supply: NDArray[np.float64],
    demand: NDArray[np.float64],
    sources: NDArray[np.floating],
    targets: NDArray[np.floating],
) -> float:
    """The least sum(moved * distance) in which point i sends supply[i] and point j receives demand[j].

    ``sources`` (n, dimensions) and ``targets`` (m, dimensions) are points; ``supply`` (n,) and ``demand`` (m,) have the
    same sum, 1 at most. A linear program, which HiGHS solves to about 1e-7 of the distances.
    """
    distances = cdist(sources.astype(np.float64), targets.astype(np.float64))  # (n, m)
    sent = kron(eye_array(len(sources)), np.ones((1, len(targets))))  # (n, n * m)
    received = kron(np.ones((1, len(sources))), eye_array(len(targets)))  # (m, n * m)
    # The last target gets what is left, so that rounding of the masses cannot make the equations contradict.
    equations = vstack([sent, received.tocsr()[:-1]], format="csr")
    found = linprog(distances.ravel(), A_eq=equations, b_eq=np.concatenate([supply, demand[:-1]]), method="highs")
    if found.fun is None:
        raise DataError(f"no distance of documents of {len(sources)} and {len(targets)} words found: {found.message}")
    return float(found.fun)

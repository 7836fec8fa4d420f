"""What a fit leaves behind when it fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from windrow.errors import WindrowError
from windrow.nn.training.stopping import DivergedError


@contextmanager
def all_or_nothing(estimator: object, trained: str) -> Iterator[bool]:
    """Run a fit of an estimator, which has the attribute ``trained`` once it is trained; yields True if it was before.

    When the fit fails, the estimator is as it was. Only one that was not trained before keeps what a training that had
    begun has left: its last sound parameters when it diverged or was interrupted.
    """
    before = dict(vars(estimator))
    try:
        yield trained in before
    except BaseException as error:
        is_refused = isinstance(error, WindrowError) and not isinstance(error, DivergedError)
        if is_refused or trained in before or trained not in vars(estimator):
            vars(estimator).clear()
            vars(estimator).update(before)
        raise

"""Progress bars: what ``progress=True`` shows, in a notebook or a terminal, beside functions that users give."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

from windrow.errors import OptionError, shown

OnProgress = Callable[[str, float], object]  # called with the stage, and how much of it is done, 0 to 1

OF_STAGES: dict[str, Any] = {"total": 100, "bar_format": "{l_bar}{bar}| {elapsed}"}  # tqdm's options, in percent
_PATIENCE = 0.5  # seconds without a bar, which a text that is read within them needs not have


class BarReport(Protocol):
    """What a training reports."""

    @property
    def epoch(self) -> int: ...  # noqa: D102
    @property
    def examples(self) -> int: ...  # noqa: D102
    @property
    def total_examples(self) -> int: ...  # noqa: D102
    @property
    def loss(self) -> float: ...  # noqa: D102
    def to_json(self) -> dict[str, Any]: ...  # noqa: D102


class Listeners(NamedTuple):
    """Whom a training tells how far it is: several times a second, and after each epoch."""

    progress: Callable[[Any], object] | None
    callbacks: list[Callable[[Any], object]]


NOBODY = Listeners(None, [])


def check_progress(progress: object) -> None:
    """Raise OptionError unless ``progress`` is a function, True for a bar, or False or None for nothing.

    Parameters
    ----------
    progress : object
        What a user gave.
    """
    if progress is not None and not isinstance(progress, bool) and not callable(progress):
        raise OptionError(f"progress = {shown(progress)} must be a function, True for a bar, or False for none")


@contextmanager
def training_bar(progress: Any, unit: str) -> Iterator[Listeners]:
    """Who listens to a training: a bar that counts ``unit`` for True, the user's function, or nobody."""
    if progress is True:
        with _bar(desc="training", unit=unit, unit_scale=True) as bar:
            follow = follow_reports(bar)
            yield Listeners(follow, [follow])  # after an epoch too, so that the bar of a short training ends full
    else:
        yield Listeners(progress, []) if progress else NOBODY


@contextmanager
def bytes_bar(progress: Any) -> Iterator[Callable[[int, int | None], object] | None]:
    """What to call with the bytes read and those in all: a bar for True, the user's function, or nothing."""
    if progress is True:
        with _bar(desc="reading", unit="B", unit_scale=True, leave=False, delay=_PATIENCE) as bar:
            yield follow_bytes(bar)
    else:
        yield progress or None


@contextmanager
def downloads_bar(progress: Any) -> Iterator[Callable[[str, int, int | None], object] | None]:
    """What to call with a file's name, the bytes received and those in all: a bar for True, a function, or nothing."""
    if progress is True:
        with _bar(unit="B", unit_scale=True, delay=_PATIENCE) as bar:
            follow = follow_bytes(bar)

            def show(name: str, done: int, total: int | None) -> None:
                bar.set_description(name, refresh=False)
                follow(done, total)

            yield show
    else:
        yield progress or None


@contextmanager
def stages_bar(progress: Any) -> Iterator[OnProgress | None]:
    """What to call with a stage and the part of it that is done: a bar for True, the user's function, or nothing."""
    if progress is True:
        with _bar(**OF_STAGES) as bar:
            yield follow_stages(bar)
            bar.update(bar.total - bar.n)
    else:
        yield progress or None


def follow_reports(bar: Any) -> Callable[[BarReport], None]:
    """A function that moves a bar of tqdm to where a training is, with its epoch and loss."""

    def show(report: BarReport) -> None:
        bar.total = report.total_examples
        bar.set_postfix(epoch=report.epoch, loss=f"{report.loss:.3f}", refresh=False)
        bar.update(report.examples - bar.n)

    return show


def follow_stages(bar: Any) -> OnProgress:
    """A function that moves a bar of tqdm of ``OF_STAGES`` to how much of a stage is done."""

    def show(stage: str, done: float) -> None:
        bar.set_description(stage, refresh=False)
        bar.update(round(bar.total * done) - bar.n)

    return show


def follow_bytes(bar: Any) -> Callable[[int, int | None], None]:
    """A function that moves a bar of tqdm to the bytes so far, of those in all where they are known."""

    def show(done: int, total: int | None) -> None:
        if done < bar.n:  # the next file
            bar.reset()
        bar.total = total
        bar.update(done - bar.n)

    return show


def _bar(**options: Any) -> Any:
    """A bar as a widget in a notebook that has widgets, else as text on stderr."""
    from tqdm import TqdmWarning

    with warnings.catch_warnings():
        # Where a notebook has no widgets, tqdm says so and writes text: nothing that the user has to mend.
        warnings.simplefilter("ignore", TqdmWarning)
        from tqdm.auto import tqdm

        return tqdm(**options)

"""``windrow classify train --autotune-validation``: the options, the search, and the best settings as a command."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from windrow.classification.settings import TEXT_CLASSIFIER
from windrow.cli.help import grouped_option
from windrow.cli.messages import tell
from windrow.cli.numbers import Number, WholeNumber
from windrow.cli.options import as_typed, flags_of, naming_options
from windrow.cli.paths import Source
from windrow.estimator import GIVEN

if TYPE_CHECKING:
    from windrow.classification import TextClassifier
    from windrow.classification.texts import Labelled
    from windrow.classification.tuning import Trial

F = TypeVar("F", bound=Callable[..., Any])

NAMES = ("seconds", "trials", "metric")  # of ``autotune`` in Python
CONDITIONS = {
    **{f"autotune_{name}": (("autotune_validation", GIVEN),) for name in NAMES},
    "log_json": (("autotune_validation", (None,)),),
}
_OPTIONS = (
    grouped_option(
        "--autotune-metric",
        heading="Training",
        common=False,
        default="f1",
        show_default=True,
        metavar="METRIC",
        help="What is best: f1, f1:LABEL, precision@K or recall@K.",
    ),
    grouped_option(
        "--autotune-trials",
        heading="Training",
        common=False,
        type=WholeNumber(1),
        metavar="N",
        help="At most so many trainings.  [default: as many as the time allows]",
    ),
    grouped_option(
        "--autotune-seconds",
        heading="Training",
        common=False,
        default=300.0,
        type=Number(0, 1e9, low_open=True),
        show_default=True,
        help="How long is searched.",
    ),
    grouped_option(
        "--autotune-validation",
        heading="Training",
        metavar="SOURCE",
        type=Source(),
        help="Find epochs, rate, dimensions and n-grams that are best for these texts, but for those that are given "
        "here; needs windrow[autotune]. Ctrl-C keeps the best so far.",
    ),
)


def autotune_options(command: F) -> F:
    """Add the options of the search."""
    for decorator in _OPTIONS:
        command = decorator(command)
    return command


def search(model: TextClassifier, texts: Labelled, held_back: Labelled, options: dict[str, Any]) -> None:
    """Make a classifier the best that is found for texts held back, and say how it was trained."""
    from windrow.classification import autotune
    from windrow.classification.tuning import TUNED

    given = {name: options[f"autotune_{name}"] for name in NAMES}
    context = click.get_current_context()
    fixed = [name for name in TUNED if context.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    best: list[Trial] = []

    def show(trial: Trial) -> None:
        if trial.score is not None and (not best or trial.score > (best[-1].score or 0)):
            best.append(trial)
            settings = " ".join(_typed(context, trial.settings, tuple(name for name in TUNED if name not in fixed)))
            reached = f"{given['metric']} {trial.score:.4f}"
            tell(f"training {trial.number}, {trial.seconds:.0f} s: {reached} with {settings or 'the defaults'}")

    with naming_options({**flags_of(TEXT_CLASSIFIER), **{name: f"--autotune-{name}" for name in NAMES}}):
        try:
            autotune(model, texts, valid=held_back, fixed=fixed, progress=show, **given)
        finally:
            if best:
                words = ["windrow", "classify", "train", *context.params["sources"]]
                tell(shlex.join([*words, *_typed(context, best[-1].settings)]))


def _typed(context: click.Context, settings: dict[str, Any], only: tuple[str, ...] = ()) -> list[str]:
    """The options of a command that were given, and those of ``settings``, as words; of these ``only`` some."""
    words = []
    for option in context.command.params:
        name = option.name or ""
        is_given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE and not only
        is_set = name in settings and settings[name] != option.default and (not only or name in only)
        if not isinstance(option, click.Option) or name.startswith("autotune_") or not (is_given or is_set):
            continue
        words += as_typed(option, settings.get(name, context.params[name]))
    return words

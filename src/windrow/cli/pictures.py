"""Pictures among the outputs of commands: which file, in which colors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from windrow.cli.help import grouped_option
from windrow.cli.options import check_used
from windrow.cli.paths import OutputFile
from windrow.estimator import GIVEN

F = TypeVar("F", bound=Callable[..., Any])

picture_output = click.option(
    "-o", "--output", required=True, metavar="PICTURE", type=OutputFile(), help="File to write: .png, .svg or .pdf."
)
theme_option = grouped_option(
    "--theme",
    heading="Output",
    type=click.Choice(["light", "dark"]),
    default="light",
    show_default=True,
    help="Colors of the picture.",
)


def plot_options(what: str) -> Callable[[F], F]:
    """Add --plot and --theme to a command that prints numbers; ``what`` of them is drawn, as the help says it."""

    def add(command: F) -> F:
        told = f"Draw {what}: .png, .svg or .pdf."
        return grouped_option("--plot", metavar="PICTURE", type=OutputFile(), help=told)(theme_option(command))

    return add


def check_plot(plot: Path | None) -> None:
    """Refuse, before anything is read, a picture that could not be written, and --theme without one."""
    check_used(conditions={"theme": (("plot", GIVEN),)})
    if plot is not None:
        from windrow.viz.figures import check_picture_path

        check_picture_path(plot)

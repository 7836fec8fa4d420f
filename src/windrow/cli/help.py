"""Help texts: options under headings, the common ones of many, and an example."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from windrow.cli.paths import OutputFile

MOST_LINES = 59  # of --help at 80 columns; where all options take more, --help-all has the others
HEADINGS = ("Options", "Output", "Model", "Training", "Text", "Cluster")  # in this order
_WHOLE = "windrow.help_all"  # in ``ctx.meta``: whether all options are asked for
_LINE = 76  # characters of an example at most, beside its indent and a backslash
F = TypeVar("F", bound=Callable[..., Any])


class Option(click.Option):
    """An option with a ``heading`` in the help; ``common``: shown by --help also where it has no room for all."""

    def __init__(self, *names: Any, heading: str = "", common: bool = True, **attributes: Any) -> None:
        super().__init__(*names, **attributes)
        self.heading, self.common = heading, common


def grouped_option(*names: str, **attributes: Any) -> Callable[[F], F]:
    """As ``click.option``, with ``heading`` and ``common``."""
    return click.option(*names, cls=Option, **attributes)


def heading_of(option: click.Option) -> str:
    """The heading above an option: its own, or as it writes something or not."""
    told = getattr(option, "heading", "")
    return told or ("Output" if isinstance(option.type, OutputFile) or option.name == "as_json" else "Options")


def example_lines(example: str) -> list[str]:
    """An example as a shell takes it, on several lines where it is long."""
    lines = textwrap.wrap(example, _LINE, break_long_words=False, break_on_hyphens=False, subsequent_indent="    ")
    return [*(f"{line} \\" for line in lines[:-1]), *lines[-1:]]


def help_of(command: click.Command, ctx: click.Context, example: str) -> str:
    """The help of a command: whole where it is asked for or short, else with the common options only."""
    whole = _written(command, ctx, example, lambda _: True, is_long=False)
    if len(whole.splitlines()) <= MOST_LINES:
        return whole
    is_whole = ctx.meta.get(_WHOLE, False)
    return _written(command, ctx, example, lambda one: is_whole or getattr(one, "common", True), is_long=True)


def _written(
    command: click.Command, ctx: click.Context, example: str, shows: Callable[[click.Option], bool], *, is_long: bool
) -> str:
    formatter = ctx.make_formatter()
    command.format_usage(ctx, formatter)
    command.format_help_text(ctx, formatter)
    options = [one for one in command.params if isinstance(one, click.Option) and shows(one)]
    for heading in HEADINGS:
        _write(formatter, heading, ctx, (one for one in options if heading_of(one) == heading))
    ours = [command.get_help_option(ctx), help_all] if is_long else [command.get_help_option(ctx)]
    _write(formatter, "Help", ctx, (one for one in ours if one is not None))
    if example:
        with formatter.section("Example"):
            formatter.write("".join(f"  {line}\n" for line in example_lines(example)))
    return formatter.getvalue().rstrip("\n")


def _write(formatter: click.HelpFormatter, heading: str, ctx: click.Context, options: Iterable[click.Option]) -> None:
    records = [record for one in options if (record := one.get_help_record(ctx)) is not None]
    if records:
        with formatter.section(heading):
            formatter.write_dl(records)


def _show_all(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked and not ctx.resilient_parsing:
        ctx.meta[_WHOLE] = True
        click.echo(ctx.get_help(), color=ctx.color)
        ctx.exit()


help_all = click.Option(
    ["--help-all"],
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_all,
    help="Show every option and exit; --help has the common ones.",
)

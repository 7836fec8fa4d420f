"""Arguments that a command does not take: the option that they were meant for."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from windrow.cli.paths import OutputFile, Source, giving_text

# The option that takes an argument too many, by what the argument is; "" for none.
OptionFor = Callable[[str], str]


def with_option(
    error: click.UsageError, command: click.Command, args: Sequence[str], option_for: OptionFor
) -> click.UsageError:
    """The error with the option that takes the arguments which the command has no place for, where that is plain."""
    ctx = error.ctx
    is_of_arguments = type(error) is click.UsageError or isinstance(error, click.MissingParameter)
    if ctx is None or not is_of_arguments or not (extra := _extra(command, ctx, args)):
        return error
    told = error.format_message().removesuffix(".")
    if flag := _output(command, args, extra) or option_for(extra[0]):
        return click.UsageError(f"{told}; did you mean {_typed(flag, command, extra)}?", ctx)
    if any(isinstance(one, click.Argument) and isinstance(one.type, Source) for one in command.params):
        return click.UsageError(f"{told}; {giving_text(ctx)}", ctx)
    return error


def _extra(command: click.Command, ctx: click.Context, args: Sequence[str]) -> list[str]:
    try:
        return command.make_parser(ctx).parse_args([*args])[1]
    except click.UsageError:
        return []


def _output(command: click.Command, args: Sequence[str], extra: Sequence[str]) -> str:
    """The option for what the command writes, if it is not there, and the argument is a file's name with an ending."""
    options = [one for one in command.params if isinstance(one, click.Option) and isinstance(one.type, OutputFile)]
    flags = [one.opts[0] for one in options if "--output" in one.opts and not set(one.opts) & {*args}]
    is_a_name = len(extra) == 1 and Path(extra[0]).suffix not in ("", ".txt")  # as lists of words have
    return flags[0] if flags and is_a_name else ""


def _typed(flag: str, command: click.Command, extra: Sequence[str]) -> str:
    """The option as it takes the arguments: all of them at once, once for each, or together as one text."""
    option = next(one for one in command.params if flag in one.opts)
    if (option.metavar or "").endswith("..."):
        return f"{flag} {shlex.join(extra)}"
    if option.multiple:
        return " ".join(f"{flag} {shlex.quote(one)}" for one in extra)
    return f"{flag} {shlex.quote(' '.join(extra))}"

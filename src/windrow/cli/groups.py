"""Groups of commands whose modules are imported when a command runs, or when the group lists what it has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from windrow.cli.help import help_all, help_of
from windrow.cli.paths import check_paths

_COMMAND = "windrow.command"  # shared by the contexts of a call


class Command(click.Command):
    """A command that checks what it was told to read and to write before it runs.

    ``example``: one that works, which the help shows below the options.
    """

    def __init__(self, *args: Any, example: str = "", **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.example = example

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """As click's, and --help-all."""
        return [*super().get_params(ctx), help_all]

    def get_help(self, ctx: click.Context) -> str:
        """The help with its options under headings."""
        return help_of(self, ctx, self.example)

    def invoke(self, ctx: click.Context) -> Any:
        """Check the paths, and run."""
        check_paths(ctx)
        return super().invoke(ctx)


def command(
    name: str | None = None, cls: type[Command] = Command, *, example: str = ""
) -> Callable[[Callable[..., Any]], Command]:
    """As ``click.command``, for a command of a module of its own."""
    return click.command(name, cls, example=example)


class LazyGroup(click.Group):
    """A group with commands beside its own that functions import; ``later`` has these by the commands' names."""

    command_class = Command

    def __init__(self, *args: Any, later: Mapping[str, Callable[[], click.Command]] | None = None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.later = later or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands, in alphabetical order."""
        return sorted({*self.commands, *self.later})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, imported now."""
        return self.later[cmd_name]() if cmd_name in self.later else super().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's; what is found is kept where ``command_of`` finds it."""
        found = super().resolve_command(ctx, args)
        if not isinstance(found[1], Command | LazyGroup):
            raise TypeError(f"{found[0]} must be made with groups.command, so that it checks its paths")
        ctx.meta[_COMMAND] = found[1]
        return found


def command_of(ctx: click.Context) -> click.Command | None:
    """The command that runs, of a group or of a group in it."""
    command: click.Command | None = ctx.meta.get(_COMMAND)
    return command

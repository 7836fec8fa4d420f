"""Groups of commands whose modules are imported when a command runs, or when the group lists what it has."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

import click

from windrow.cli.help import help_all, help_of
from windrow.cli.messages import TYPED
from windrow.cli.paths import check_paths
from windrow.errors import FormatError

_COMMAND = "windrow.command"  # shared by the contexts of a call


class Command(click.Command):
    """A command that checks what it was told to read and to write before it runs.

    ``example``: one that works, which the help shows below the options. ``option_for``: see ``extra_arguments``.
    """

    def __init__(
        self, *args: Any, example: str = "", option_for: Callable[[str], str] = lambda _: "", **attributes: Any
    ) -> None:
        super().__init__(*args, **attributes)
        self.example = example
        self.option_for = option_for

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """As click's, and --help-all."""
        return [*super().get_params(ctx), help_all]

    def get_help(self, ctx: click.Context) -> str:
        """The help with its options under headings."""
        return help_of(self, ctx, self.example)

    def invoke(self, ctx: click.Context) -> Any:
        """Check the paths, and run."""
        from windrow.cli.logs import telling_of_compiling

        check_paths(ctx)
        try:
            with telling_of_compiling():
                return super().invoke(ctx)
        except FormatError as error:
            from windrow.cli.argument_order import with_order

            raise with_order(error, ctx) from error.__cause__

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click's; for an option that is not there all that begin so are suggested, for arguments their option."""
        ctx.meta[TYPED] = typed = [*args]
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            names = [name for one in self.params for name in (*one.opts, *one.secondary_opts)]
            if begun := sorted(name for name in names if name.startswith(error.option_name)):
                vars(error)["possibilities"] = begun  # which click declares as final
            raise
        except click.UsageError as error:
            from windrow.cli.extra_arguments import with_option

            raise with_option(error, self, typed, self.option_for) from None


def command(
    name: str | None = None, cls: type[Command] = Command, *, example: str = "", **attributes: Any
) -> Callable[[Callable[..., Any]], Command]:
    """As ``click.command``, for a command of a module of its own."""
    return click.command(name, cls, example=example, **attributes)


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

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands with the first sentence of their help, whole."""
        found = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        with formatter.section("Commands"):
            formatter.write_dl([(name, _first_sentence(one)) for name, one in found if one is not None])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's; what is found is kept where ``command_of`` finds it."""
        try:
            found = super().resolve_command(ctx, args)
        except click.UsageError as error:
            if args[0].startswith("-"):
                raise
            meant = _meant(args[0], ctx)
            told = (
                f"Did you mean {' or '.join(meant)}?"
                if meant
                else f"Choose one of {', '.join(self.list_commands(ctx))}."
            )
            told = f"No such command {args[0]!r}. {told}"
            raise click.UsageError(told, error.ctx) from None
        if not isinstance(found[1], Command | LazyGroup):
            raise TypeError(f"{found[0]} must be made with groups.command, so that it checks its paths")
        ctx.meta[_COMMAND] = found[1]
        return found


def _first_sentence(command: click.Command) -> str:
    paragraph = " ".join((command.help or "").partition("\n\n")[0].split())
    return re.split(r"(?<=[.?!]) (?=[A-Z])", paragraph, maxsplit=1)[0]


def _meant(name: str, ctx: click.Context) -> list[str]:
    """Commands of this name in other groups, else one of this group with a name like it, else of others."""
    root = ctx.find_root()
    paths = list(_paths(root.command, root))
    here = tuple(ctx.command_path.removeprefix(root.command_path).split())
    found = [path for path in paths if path[-1] == name]
    for near in ([path for path in paths if path[:-1] == here], paths):
        meant = get_close_matches(name, [path[-1] for path in near], n=1)
        found = found or [path for path in near if path[-1] in meant]
    return [" ".join(["windrow", *path]) for path in found]


def _paths(group: click.Command, ctx: click.Context) -> Iterator[tuple[str, ...]]:
    """The names that lead to each command of a group, and of the groups in it."""
    if isinstance(group, click.Group):
        for name in group.list_commands(ctx):
            yield (name,)
            if (found := group.get_command(ctx, name)) is not None:
                yield from ((name, *path) for path in _paths(found, ctx))


def command_of(ctx: click.Context) -> click.Command | None:
    """The command that runs, of a group or of a group in it."""
    command: click.Command | None = ctx.meta.get(_COMMAND)
    return command


def typed_command(ctx: click.Context) -> str:
    """The command that runs, as it was typed."""
    path = ctx.command_path.removeprefix(ctx.find_root().command_path)
    return shlex.join(["windrow", *path.split(), *ctx.meta.get(TYPED, [])])

"""Messages of the library in the words of the command line.

The library writes a parameter at fault as ``errors = 'strict'``, and a way out as a caller types it: ``try
errors='replace'``, or after a word of advice ``try order = 2 or direct = False``. A command shows its own option in
their place, a way out as it is typed there (``try --order 2 or --no-direct``; of ``field=...`` with the placeholder of
its help), and leaves out advice that it has no option for. ``lower alpha = 10, to 1`` is such a way out, too.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import IO

import click

from windrow.errors import one_line

TYPED = "windrow.typed"  # the key under which the contexts of a call have its words
Options = Mapping[str, str]  # by the name of the parameter
_VALUE = r"""\.\.\.|'[^']*'|"[^"]*"|[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.]*\w)|[A-Za-z_]\w*"""
_KEYWORD = re.compile(rf"(?<![\w-])([a-z]\w*)=({_VALUE})")
_SETTING = re.compile(rf"(?<![\w-])([a-z]\w*) = ({_VALUE})")
_ADVISED = re.compile(rf"\b(?:add|needs|set|try|use) {_SETTING.pattern}(?:(?:,? or|,? and|,) {_SETTING.pattern})*")
_LOWER = re.compile(rf"\b(lower|raise) {_SETTING.pattern}(?:,? to ({_VALUE})(?:,? for example)?)?")
_ADVICE_ALONE = re.compile(r"(?:[,;] or| or|[,;]) try [a-z]\w*=(?:'[^']*'|\.\.\.)(?: or [a-z]\w*='[^']*')*")
_QUOTES = "\"'"
_IN_PYTHON = re.compile(
    r"; to pass sentences, give a list of them"
    r"|(?<=; )(?:open it with windrow[.\w]+|go on with fit\([^)]*\)) or |windrow\.Corpus\.build or "
)
_FAULT = re.compile(r"(?<![\w-])([a-z]\w*) = (True\b(?!, not))?")


def at_the_command_line(message: str, command: click.Command | None) -> str:
    """The message as the user of a command should read it."""
    options = options_of(command)

    def named(found: re.Match[str], after: str) -> str:
        return f"{options[found[1]]}{after}" if found[1] in options else found[0]

    if not {name for name, _ in _KEYWORD.findall(message)} <= options.keys():
        message = _ADVICE_ALONE.sub("", message)
    message = with_settings(_IN_PYTHON.sub("", message), options, command)
    message = with_keywords(message, options, command)
    for name, option in options.items():
        if "_" in name:  # no word that a text would have
            message = re.sub(rf"(?<![\w/.'-]){name}(?![\w/.'-]| = )", option, message)
    return _FAULT.sub(lambda found: named(found, "" if found[2] else " = "), message)


def with_settings(message: str, options: Options, command: click.Command | None) -> str:
    """The message with each ``try name = value`` as the option that is typed instead."""

    def lower(found: re.Match[str]) -> str:
        if found[2] not in options:
            return found[0]
        return f"try {options[found[2]]} {found[4]}" if found[4] else f"{found[1]} {options[found[2]]}"

    message = _LOWER.sub(lower, message)
    return _ADVISED.sub(lambda clause: _SETTING.sub(_typed(options, command), clause[0]), message)


def with_keywords(message: str, options: Options, command: click.Command | None) -> str:
    """The message with each ``name='value'`` as the option that is typed instead."""
    return _KEYWORD.sub(_typed(options, command), message)


def _typed(options: Options, command: click.Command | None) -> Callable[[re.Match[str]], str]:
    def typed(found: re.Match[str]) -> str:
        if found[1] not in options:
            return found[0]
        flag, value = options[found[1]], found[2]
        if value == "...":
            return f"{flag} {_placeholder(flag, command)}"
        if value == "False":
            return switched_off(flag, command)
        return flag if value == "True" else f"{flag} {value if ' ' in value else value.strip(_QUOTES)}"

    return typed


def options_of(command: click.Command | None) -> dict[str, str]:
    """The options of a command by the names of their parameters, those that were typed as they were typed."""
    return {parameter.name: name_typed(parameter) for parameter in getattr(command, "params", [])}


def name_typed(parameter: click.Parameter) -> str:
    """The name under which an option was typed, short or long; its long one where it was not."""
    context = click.get_current_context(silent=True)
    for word in context.meta.get(TYPED, []) if context else []:
        for name in parameter.opts:
            begins = f"{name}=" if name.startswith("--") else name  # -k0
            if word == name or (word.startswith(begins) and name.startswith("-")):
                return name
    return parameter.opts[-1]


def switched_off(flag: str, command: click.Command | None) -> str:
    """The other name of a switch of a command; of what has none, the flag and its value."""
    switches = [one for one in getattr(command, "params", []) if flag in one.opts]
    return next((max(one.secondary_opts, key=len) for one in switches if one.secondary_opts), f"{flag} = False")


def _placeholder(flag: str, command: click.Command | None) -> str:
    """What the help of an option has in the place of its value."""
    found = [one for one in getattr(command, "params", []) if flag in one.opts]
    return next((one.metavar or one.type.name.upper() for one in found), "VALUE")


def tell(message: str) -> None:
    """Show a line on stderr: what was done, or a warning. Nothing ends because nobody can read it."""
    try:
        click.echo(one_line(message), err=True)
    except (OSError, ValueError):  # a full disk, a reader that is gone; a stream that is closed
        silence(sys.stderr)


def silence(stream: IO[str]) -> None:
    """Let what is written to a stream that failed, and what it still holds, go nowhere."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)

"""Messages of the library in the words of the command line.

The library writes a parameter at fault as ``errors = 'strict'``, and a way out as a caller types it: ``try
errors='replace'``, or ``skip_symbols = True``. A command shows its own option in their place, and leaves out advice
that it has no option for.
"""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from typing import IO

import click

from windrow.errors import one_line

_ADVICE = re.compile(r"(?<![\w-])([a-z]\w*)=('[^']*'|\d[\d.]*\b)")
_ADVICE_ALONE = re.compile(r"(?:[,;] or| or|[,;]) try [a-z]\w*='[^']*'(?: or [a-z]\w*='[^']*')*")
_IN_PYTHON = re.compile(r"; to pass sentences, give a list of them")
_FAULT = re.compile(r"(?<![\w-])([a-z]\w*) = (True\b(?!, not))?")


def at_the_command_line(message: str, command: click.Command | None) -> str:
    """The message as the user of a command should read it."""
    options = {parameter.name: parameter.opts[-1] for parameter in getattr(command, "params", [])}

    def named(found: re.Match[str], after: str) -> str:
        return f"{options[found[1]]}{after}" if found[1] in options else found[0]

    if not {name for name, _ in _ADVICE.findall(message)} <= options.keys():
        message = _ADVICE_ALONE.sub("", message)
    message = _IN_PYTHON.sub("", message)
    message = _ADVICE.sub(lambda found: named(found, " " + found[2].strip("'")), message)
    for name, option in options.items():
        if "_" in name:  # no word that a text would have
            message = re.sub(rf"(?<![\w/.'-]){name}(?![\w/.'-]| = )", option, message)
    return _FAULT.sub(lambda found: named(found, "" if found[2] else " = "), message)


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

"""The command line: one file per command group. Only click is imported here; models are imported inside commands."""

from __future__ import annotations

import io
import os
import re
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import click

from windrow import interrupts
from windrow._version import __version__
from windrow.cli.groups import LazyGroup, command_of
from windrow.cli.messages import at_the_command_line, silence, tell
from windrow.cli.paths import what_is_left
from windrow.errors import DataWarning, WindrowError, one_line

_OF_MODEL = re.compile("; the model [^;]*$")  # which is in memory, and ends with the program, unless it is written


class _Program(LazyGroup):
    """The root command: turns windrow's errors into one line and exit status 1."""

    def main(self, args: Sequence[str] | None = None, *others: Any, **options: Any) -> Any:
        """Run; where nobody gives ``args`` or takes the result, windrow is the program, and the process is its own."""
        if args is None and options.get("standalone_mode", True):
            _prepare_process()
        return super().main(args, *others, **options)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, with errors as one line."""
        try:
            with interrupts.raised(), _warnings_as_lines(ctx):
                return super().invoke(ctx)
        except click.ClickException as error:
            vars(error)["message"] = one_line(error.message)  # which click declares as final
            raise
        except (WindrowError, MemoryError) as error:
            if ctx.params.get("debug"):
                raise
            if isinstance(error.__cause__, ImportError) and interrupts.have_just_struck():
                _tell_interrupt(KeyboardInterrupt(), ctx)  # a module of C that is struck says that it cannot be loaded
                ctx.exit(interrupts.exit_status())
            message = f"not enough memory ({error}); ask for less"
            if isinstance(error, WindrowError):
                message = at_the_command_line(str(error), command_of(ctx))
            tell(f"Error: {message}")
            ctx.exit(1)
        except KeyboardInterrupt as error:
            _tell_interrupt(error, ctx)
            ctx.exit(interrupts.exit_status())
        except BrokenPipeError:
            # The reader of our output is gone (`| head`); the interpreter must not flush into the pipe at exit.
            silence(sys.stdout)
            ctx.exit(1)
        except OSError as error:
            # Files raise errors of our own; what is left is standard output.
            if ctx.params.get("debug"):
                raise
            silence(sys.stdout)
            tell(f"Error: cannot write the output: {error.strerror or error}")
            ctx.exit(1)
        except click.exceptions.Exit:
            raise
        except Exception:
            if ctx.params.get("debug") or not interrupts.have_just_struck():
                raise
            _tell_interrupt(KeyboardInterrupt(), ctx)
            ctx.exit(interrupts.exit_status())


def _tell_interrupt(error: KeyboardInterrupt, ctx: click.Context) -> None:
    """One line: what was kept, as the exception has it; without a word, where the terminal is gone."""
    command = command_of(ctx)
    left = what_is_left(command)
    kept = _OF_MODEL.sub(f"; {left}", str(error)) or left
    with suppress(OSError, ValueError):
        if sys.stderr.isatty():
            tell("")  # after a bar
    tell(f"Interrupted: {at_the_command_line(kept, command)}")


@contextmanager
def _warnings_as_lines(ctx: click.Context) -> Iterator[None]:
    """Within, a DataWarning is one line on stderr, each time that it is issued."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", DataWarning)
        show = warnings.showwarning

        def show_line(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
            if category.__module__.startswith("windrow."):  # for users, who need no line of code beside it
                tell(f"Warning: {at_the_command_line(str(message), command_of(ctx))}")
            else:
                show(message, category, *place, **more)

        warnings.showwarning = show_line
        yield


def _prepare_process() -> None:
    """Signals keep the state; terminals that cannot show a word show its code instead.

    A standard input that is closed (``<&-``) is empty, an output that is closed cannot be written to, and what goes to
    a stderr that is closed is lost.
    """
    interrupts.own_process()
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115, PTH123
    if sys.stdout is None:  # and nothing else may get its number
        sys.stdout = open(os.open(os.devnull, os.O_RDONLY), "w", encoding="utf-8")  # noqa: SIM115, PTH123
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _in_us_spelling(name: str) -> str:
    """An option as it is called now; British spellings are taken, too."""
    return {"quantise": "quantize", "normalise": "normalize"}.get(name, name)


def _classify() -> click.Command:
    from windrow.cli.classify import group

    return group


def _corpus() -> click.Command:
    from windrow.cli.corpus import group

    return group


def _demo() -> click.Command:
    from windrow.cli.demo import demo

    return demo


def _explore() -> click.Command:
    from windrow.cli.explore import explore

    return explore


def _info() -> click.Command:
    from windrow.cli.info import info

    return info


def _lm() -> click.Command:
    from windrow.cli.lm import group

    return group


def _report() -> click.Command:
    from windrow.cli.report import report

    return report


def _tag() -> click.Command:
    from windrow.cli.tag import group

    return group


def _vectors() -> click.Command:
    from windrow.cli.vectors import group

    return group


def _verify() -> click.Command:
    from windrow.cli.verify import verify

    return verify


def _warmup() -> click.Command:
    from windrow.cli.warmup import warmup

    return warmup


@click.group(
    cls=_Program,
    later={
        "classify": _classify,
        "corpus": _corpus,
        "demo": _demo,
        "explore": _explore,
        "info": _info,
        "lm": _lm,
        "report": _report,
        "tag": _tag,
        "vectors": _vectors,
        "verify": _verify,
        "warmup": _warmup,
    },
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": 110,
        "token_normalize_func": _in_us_spelling,
    },
)
@click.version_option(__version__, prog_name="windrow")
@click.option("--debug", is_flag=True, help="Show a traceback instead of a one-line error.")
def main(debug: bool) -> None:
    """Train, query and evaluate word vectors, language models, text classifiers and entity taggers.

    `windrow demo` shows them at work on a small corpus. The help of each command ends with an example.
    """

"""The command line: one file per command group. Only click is imported here; models are imported inside commands."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from typing import Any

import click

from windrow._version import __version__
from windrow.errors import WindrowError


class _Program(click.Group):
    """The root command: turns windrow's errors into one line and exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        _prepare_process()
        try:
            return super().invoke(ctx)
        except (WindrowError, MemoryError) as error:
            if ctx.params.get("debug"):
                raise
            message = str(error) if isinstance(error, WindrowError) else f"not enough memory ({error}); ask for less"
            click.echo(f"Error: {message}", err=True)
            ctx.exit(1)
        except KeyboardInterrupt as error:
            # The exception says what was kept; 130 is the shell's status for SIGINT.
            click.echo(f"\nInterrupted: {error if error.args else 'nothing was written'}", err=True)
            ctx.exit(130)
        except BrokenPipeError:
            # The reader of our output is gone (`| head`); the interpreter must not flush into the pipe at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(1)
        except OSError as error:
            # Files raise errors of our own; what is left is standard output.
            if ctx.params.get("debug"):
                raise
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            click.echo(f"Error: cannot write the output: {error.strerror or error}", err=True)
            ctx.exit(1)


def _prepare_process() -> None:
    """Terminals that cannot show a word show its code instead; SIGTERM is an interrupt, so that state is kept."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)


@click.group(cls=_Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="windrow")
@click.option("--debug", is_flag=True, help="Show a traceback instead of a one-line error.")
def main(debug: bool) -> None:
    """Word embeddings at the speed of the machine."""


def _add_commands() -> None:
    from windrow.cli import (
        corpus,
        demo,
        lm,
        plot_vectors,
        tag,
        train_ngram,
        train_rnn,
        train_vectors,
        train_window,
        vectors,
        warmup,
    )

    main.add_command(demo.demo)
    main.add_command(corpus.group)
    for command in (train_vectors.train, plot_vectors.plot, plot_vectors.plot_log):
        vectors.group.add_command(command)
    main.add_command(vectors.group)
    lm.train.add_command(train_ngram.train_ngram)
    lm.train.add_command(train_window.train_window)
    lm.train.add_command(train_rnn.train_rnn)
    main.add_command(lm.group)
    main.add_command(tag.group)
    main.add_command(warmup.warmup)


_add_commands()

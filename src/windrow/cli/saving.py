"""How every command writes what it has trained: to its output or, where that is not possible, somewhere else."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from windrow.cli.messages import silence
from windrow.cli.paths import checkpoint_of
from windrow.errors import DataError, WindrowError
from windrow.files.writing import STDIO, write_failure

CONVERT_VECTORS = "windrow vectors convert"


def save_trained(
    output: Path,
    save: Callable[[Path], object],
    what: str,
    *,
    keep: Callable[[Path], object] | None = None,
    convert: str = "",
) -> None:
    """Let ``save`` write what was trained to ``output``; if that fails, it is kept elsewhere, and a DataError says so.

    ``what`` it is, in a word. Where ``output`` is in another format than windrow's own: ``keep`` writes that, and
    ``convert`` is the command that makes the one from the other.
    """
    from windrow.files.rescue import kept_elsewhere

    try:
        save(output)
        return
    except BrokenPipeError:  # the reader of standard output has enough of it
        raise
    except (WindrowError, OSError, MemoryError) as error:
        told, cause = _reason(error), error
    if str(output) == STDIO:
        silence(sys.stdout)
    try:
        place = kept_elsewhere(keep or save, output, also_beside=keep is not None)
    except DataError as nowhere:
        state = "" if str(output) == STDIO else _state_of(checkpoint_of(output))
        raise DataError(f"{told}; {nowhere}{state}") from cause
    how = f"{convert} {_quoted(place)} {_quoted(output)}" if keep else f"mv {_quoted(place)} {_quoted(output)}"
    raise DataError(f"{told}; the trained {what} is kept in {place}: `{how}` puts it there") from cause


def _reason(error: Exception) -> str:
    if isinstance(error, WindrowError):
        return str(error)
    if isinstance(error, MemoryError):
        return f"not enough memory to write it ({error})"
    assert isinstance(error, OSError)
    return f"cannot write the output: {write_failure(error)}"


def _state_of(checkpoint: Path) -> str:
    return f"; {checkpoint} has the state of the training, from which --resume goes on" if checkpoint.exists() else ""


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))


class Saved(Protocol):
    """A model that can be written to a file."""

    def save(self, path: Path, /) -> None: ...  # noqa: D102


def save_model(model: Saved, output: Path) -> None:
    """Write a language model or tagger that was trained, see ``save_trained``."""
    from windrow.files.sniff import is_arpa

    if is_arpa(output) or str(output) == STDIO:
        save_trained(output, model.save, "model", keep=model.save, convert="windrow lm convert")
    else:
        save_trained(output, model.save, "model")

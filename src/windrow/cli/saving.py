"""How every command writes what it has trained: to its output or, where that is not possible, somewhere else."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from windrow import interrupts
from windrow.cli.messages import silence
from windrow.cli.paths import checkpoint_of
from windrow.errors import DataError, WindrowError
from windrow.files.sniff import ARPA_ENDINGS
from windrow.files.writing import STDIO, write_failure

if TYPE_CHECKING:
    from windrow.corpus import Corpus
    from windrow.embeddings import WordVectors

# Of a file for a model of n-grams, for help texts.
ARPA_WRITTEN = (
    f"an ARPA file if it ends in {' or '.join(f'.{ending}' for ending in ARPA_ENDINGS)}, which .gz may follow"
)


def save_trained(
    output: Path,
    save: Callable[[Path], object],
    what: str,
    *,
    keep: Callable[[Path], object] | None = None,
    convert: str = "",
) -> None:
    """Let ``save`` write what was trained to ``output``; if that fails, it is kept elsewhere, and a DataError says so.

    ``what`` it is, in a word, and "is" or "are". Where ``output`` is in another format than windrow's own: ``keep``
    writes that, and ``convert`` is the command that makes the one from the other.
    """
    from windrow.files.rescue import kept_elsewhere

    interrupts.ignore()  # nothing is left but to write the result
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
    raise _kept(told, f"the trained {what}", place, output, convert if keep else "mv") from cause


def build_corpus(build: Callable[[Path], Corpus], sources: Sequence[str], output: Path) -> Corpus:
    """Let ``build`` make the folder of a corpus; on a full disk it is made elsewhere, and a DataError says where.

    The text is read again for that, so this is not done for standard input.
    """
    from windrow.files.rescue import kept_elsewhere
    from windrow.files.writing import is_of_full_disk

    try:
        return build(output)
    except DataError as error:
        if STDIO in sources or not is_of_full_disk(error):
            raise
        told, cause = str(error), error
    try:
        place = kept_elsewhere(build, output, is_folder=True)
    except DataError as nowhere:
        raise DataError(f"{told}; {nowhere}") from cause
    if output.exists():  # a folder cannot be moved over another
        raise DataError(f"{told}; {output} is as it was, and the new corpus is kept in {place}") from cause
    raise _kept(told, "the corpus is", place, output, "mv") from cause


def _kept(told: str, what: str, place: Path, output: Path, command: str) -> DataError:
    return DataError(f"{told}; {what} kept in {place}: `{command} {_quoted(place)} {_quoted(output)}` puts it there")


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


def save_word_vectors(vectors: WordVectors, output: Path) -> None:
    """Write word vectors that were trained, in the format of the output's name, see ``save_trained``."""
    from windrow.embeddings.formats import extension_of
    from windrow.embeddings.vectors import save_vectors

    def save(place: Path) -> None:
        save_vectors(vectors, place)

    if extension_of(output) == "safetensors":
        save_trained(output, save, "vectors are")
    else:
        save_trained(output, save, "vectors are", keep=save, convert="windrow vectors convert")


class Saved(Protocol):
    """A model that can be written to a file."""

    def save(self, path: Path, /) -> None: ...  # noqa: D102


def save_model(model: Saved, output: Path) -> None:
    """Write a language model or tagger that was trained, see ``save_trained``."""
    from windrow.files.sniff import is_arpa

    if is_arpa(output) or str(output) == STDIO:
        save_trained(output, model.save, "model is", keep=model.save, convert="windrow lm convert")
    else:
        save_trained(output, model.save, "model is")

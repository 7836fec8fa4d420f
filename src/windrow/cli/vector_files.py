"""How commands read a file of word vectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from windrow.cli.numbers import WholeNumber
from windrow.cli.options import naming_options
from windrow.cli.paths import InputFile, words_read
from windrow.embeddings.endings import endings_told
from windrow.errors import OptionError, warn

if TYPE_CHECKING:
    from windrow.embeddings import Word2Vec
    from windrow.embeddings.vectors import WordVectors

F = TypeVar("F", bound=Callable[..., Any])
VECTORS_OUTPUT = f"File whose ending names the format: {endings_told()}."

_VECTOR_OPTIONS = (
    click.option("--from", "format", metavar="FORMAT", help="Format of FILE, such as glove, if its content misleads."),
    click.option("--limit", type=WholeNumber(1, checks=False), metavar="N",
                 help="Read at most N words, the first ones."),
    click.option("--only-words", metavar="FILE", type=InputFile(),
                 help="Read only the words in this file, one per line."),
    click.option("--errors", default="strict", show_default=True, type=click.Choice(["strict", "replace", "ignore"]),
                 help="What to do with bytes of words that are not UTF-8."),
    click.option("--duplicates", default="error", show_default=True, type=click.Choice(["error", "first", "last"]),
                 help="A word that repeats: refuse it, or take its first or last vector."),
    click.option("--nbsp", default="keep", show_default=True, type=click.Choice(["keep", "split"]),
                 help="In text: a no-break space is part of a word, or a space."),
)  # fmt: skip
_READING = ("format", "limit", "only_words", "errors", "duplicates", "nbsp")


vectors_argument = click.argument("file", type=InputFile(words_read))


def vector_options(command: F) -> F:
    """Add the options that say how a file of word vectors is read; ``open_vectors`` takes them."""
    for option in reversed(_VECTOR_OPTIONS):
        command = option(command)
    return command


def open_vectors(file: str, options: dict[str, Any]) -> WordVectors:
    """The vectors in a file, read as the options say, which are taken out of ``options``."""
    from windrow.embeddings.vectors import load_vectors

    return load_vectors(file, **{name: options.pop(name) for name in _READING})


def save_fasttext(model: Word2Vec, path: Path) -> None:
    """Write a binary model of fastText, with the output layer if it can hold that."""
    from windrow.embeddings.vectors import save_vectors

    try:
        model.save(path, format="fasttext")
    except OptionError as error:
        warn(f"{str(error).partition(';')[0]}, so that only the vectors are written")
        save_vectors(model.wv, path, "fasttext")


@contextmanager
def advising_to_convert() -> Iterator[None]:
    """Within, errors about a file of vectors advise to convert it first: this command reads vectors in one way."""
    convert = "`windrow vectors convert` with --"
    flags = {name: name.replace("_", "-") for name in _READING} | {"format": "from"}
    with naming_options({name: convert + flag for name, flag in flags.items()}):
        yield

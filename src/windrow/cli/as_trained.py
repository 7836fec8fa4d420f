"""Text for a trained model: read as its training text was, unless options say otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from windrow.cli.messages import tell
from windrow.cli.options import given_text, open_corpus, text_of
from windrow.errors import OptionError

if TYPE_CHECKING:
    from windrow.corpus import Corpus, TextReader
    from windrow.lm.base import LanguageModel

_FILES = ("format", "field", "delimiter", "errors")  # the others say how text becomes tokens, which a model remembers


class ReadsText(Protocol):
    """A model that remembers how its training text was read."""

    reader: TextReader

    @property
    def provenance_(self) -> Mapping[str, Any]: ...  # noqa: D102


def read_as_trained(model: ReadsText, path: str, options: dict[str, Any], *, needed: bool = True) -> dict[str, Any]:
    """Let the model read strings as it was trained, but for options on the command line; the other text options.

    Warns where an option differs from the training. ``needed``: whether there will be strings to read.
    """
    from windrow.corpus.tokenizers import shown_name

    given = given_reading(options)
    trained = model.reader
    model.reader = trained.changed(**given)
    if needed and model.reader.asks:
        raise OptionError(
            f"the training text of {path} was cut into words by {shown_name(trained.name)}, which is not imported only "
            f"because a file names it; add --tokenizer {shown_name(trained.name)} if you trust it: that runs its module"
        )
    if "tokenizer" in model.provenance_:
        _warn_of_differences(path, trained.options(), given)
    return {name: value for name, value in text_of(options).items() if name in _FILES}


def given_reading(options: dict[str, Any]) -> dict[str, Any]:
    """The options on the command line that say how strings are read."""
    return {name: value for name, value in given_text(options).items() if name not in _FILES}


def _warn_of_differences(path: str, trained: dict[str, Any], given: dict[str, Any]) -> None:
    defaults = {"sentences": "line"}
    for name, value in given.items():
        if (before := trained.get(name, defaults.get(name))) != value:
            told = f"{_shown(name, value)}: the training text of {path} was read with {_shown(name, before)}"
            tell(f"Warning: {told}")


def _shown(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return f"--{'' if value else 'no-'}{name}"
    return f"no --{name}" if value is None else f"--{name} {value}"


def warn_if_forgotten(model: LanguageModel, target: Path) -> None:
    """Warn when a file that is written cannot say how the model reads strings: an ARPA file."""
    from windrow.files.sniff import is_arpa
    from windrow.files.writing import STDIO

    options, plain = model.reader.options(), type(model.reader)().options()
    if (is_arpa(target) or str(target) == STDIO) and options != plain:
        told = " ".join(_shown(name, value) for name, value in options.items() if value != plain.get(name))
        tell(f"Warning: an ARPA file does not say how text is read; give {told} to the commands that read this one")


def warn_if_cut_otherwise(corpus: Corpus, source: str, model: ReadsText, path: str) -> None:
    """Warn when a corpus folder and the training text of a model were not read alike."""
    ours, theirs = corpus.reader.options(), model.reader.options()
    if "tokenizer" in model.provenance_ and ours != theirs:
        differing = sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))
        told = "; ".join(f"{name} {ours.get(name)}, not {theirs.get(name)}" for name in differing)
        tell(f"Warning: {source} was not read as the training text of {path}: {told}")


def corpus_for(model: LanguageModel, path: str, sources: tuple[str, ...], text: dict[str, Any]) -> Corpus:
    """SOURCEs as the model reads them; with a warning for a corpus folder that was read otherwise."""
    from windrow.files.corpus_folder import is_corpus

    if len(sources) == 1 and sources[0] and is_corpus(sources[0]):
        corpus = open_corpus(*sources)
        warn_if_cut_otherwise(corpus, sources[0], model, path)
        return corpus
    files = read_as_trained(model, path, text)
    return open_corpus(*sources, reader=model.reader, **files)

"""Text for a trained model: read as its training text was, unless options say otherwise; and scored line by line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from windrow.cli.messages import tell
from windrow.cli.options import given_text, open_corpus, text_of
from windrow.cli.typed import batches_of_lines, typed_lines, waits_for_answers
from windrow.errors import DataError, OptionError, shown

if TYPE_CHECKING:
    from windrow.corpus import Corpus, TextReader
    from windrow.lm.base import LanguageModel

_FILES = ("format", "field", "delimiter", "errors")  # the others say how text becomes tokens, which a model remembers
_ROWS_AT_A_TIME = 8192


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

    given = {name: value for name, value in given_text(options).items() if name not in _FILES}
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


# --- line by line


class Line(NamedTuple):
    """A sentence, and what else its record holds."""

    text: str | list[str]
    where: str  # for messages
    fields: dict[str, Any]


def scored_lines(
    model: LanguageModel, sources: Sequence[str], files: dict[str, Any], *, form: str, skip_symbols: bool
) -> Iterator[str]:
    """What ``lm score`` prints, one file after the other; ``form`` is "numbers", "words" or "json"."""
    from windrow.corpus.sources import find_files

    found = [file for source in sources for file in find_files(source, files["format"], files["field"])]
    for lines in chain.from_iterable(_batches(file, files, named=len(found) > 1) for file in found):
        sentences = _without_marks(model, lines, skip_symbols)
        if form == "numbers":
            yield "".join(f"{value:.6f}\n" for value in model.log_probs_of_lines(sentences))
        elif form == "words":
            for sentence in sentences:
                yield from _rows(model, sentence)
        else:
            rows = ({**line.fields, **_numbers(model, text)} for line, text in zip(lines, sentences, strict=True))
            yield "".join(f"{json.dumps(row)}\n" for row in rows)


def _rows(model: LanguageModel, sentence: str | list[str]) -> Iterator[str]:
    """A row for each word of a sentence, and an empty one, many at a time."""
    rows = (
        [s.word, f"{s.log10_prob:.6f}", *([str(s.order)] if s.order else []), *(["OOV"] if s.oov else [])]
        for s in model.iter_word_scores(sentence)
    )
    while some := ["\t".join(row) + "\n" for row in islice(rows, _ROWS_AT_A_TIME)]:
        yield "".join(some)
    yield "\n"


def _numbers(model: LanguageModel, sentence: str | list[str]) -> dict[str, Any]:
    """The keys of ``lm perplexity --json``, those of a whole text apart."""
    found = model.evaluate_sentence(sentence).to_json()
    return {name: found[name] for name in ("log10_prob", "tokens", "oov", "perplexity")}


def _without_marks(model: LanguageModel, lines: list[Line], skip: bool) -> list[str | list[str]]:
    """Sentences from which sentence marks are left out, if they are to be; else DataError names the line of one."""
    from windrow.lm.stream import reserved_symbol
    from windrow.lm.symbols import BOS, SPECIALS

    marks = SPECIALS[BOS:]
    sentences: list[str | list[str]] = [line.text for line in lines]
    for place, line in enumerate(lines):
        if not any(mark in line.text for mark in marks):
            continue
        words = model.reader.words_of(line.text)
        found = [word for word in words if word in marks]
        if found and not skip:
            raise reserved_symbol(found[0], line.where, can_skip=True)
        sentences[place] = [word for word in words if word not in marks]
    return sentences


def _batches(source: str, files: dict[str, Any], *, named: bool) -> Iterator[list[Line]]:
    """Lines, many at a time; one at a time when somebody types them or a program waits for the answer.

    ``named``: messages name the file, since it is one of several.
    """
    from windrow.corpus import sources
    from windrow.corpus.streams import Meter, lines, name_of, text_pieces

    live = waits_for_answers(source)
    format, field, errors = sources.file_format(source, **files), files["field"], files["errors"]
    if format in ("text", "jsonl"):
        text = typed_lines(errors) if live else lines(text_pieces(source, errors, Meter(None, None)), name_of(source))
        prefix = f"{name_of(source)}, " if named else ""
        found = _plain(text, prefix) if format == "text" else _records(text, field, prefix)
    else:
        found = _cells(source, files)
    yield from batches_of_lines(found, lambda line: len(line.text), waits=live)


def _plain(text_lines: Iterable[str], prefix: str) -> Iterator[Line]:
    return (Line(line, f"{prefix}line {number}", {}) for number, line in enumerate(text_lines, 1))


def _records(text_lines: Iterable[str], field: str, prefix: str) -> Iterator[Line]:
    for number, line in enumerate(text_lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{prefix}line {number}: not JSON ({error})") from error
        if not isinstance(record, dict) or field not in record:
            there = ", ".join(record) if isinstance(record, dict) else "no object"
            raise DataError(f"{prefix}line {number}: no field {field!r}; there is: {there}")
        text = "" if record[field] is None else record[field]  # every record has its line in the output
        if not isinstance(text, str | list):
            raise DataError(
                f"{prefix}line {number}, field {field!r}: a text or a list of words is needed, not {shown(text)}"
            )
        yield Line(text, f"{prefix}line {number}", record)


def _cells(source: str, files: dict[str, Any]) -> Iterator[Line]:
    from windrow.corpus.sources import read

    for number, sentence in enumerate(read(source, **files), 1):
        yield Line(sentence, f"record {number}", {})

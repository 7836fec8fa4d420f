"""``windrow corpus phrases``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from windrow.cli.as_trained import read_as_trained, warn_if_cut_otherwise
from windrow.cli.groups import command
from windrow.cli.help import grouped_option
from windrow.cli.messages import tell
from windrow.cli.numbers import Size, WholeNumber
from windrow.cli.options import (
    check_parameters,
    check_used,
    flags_of,
    naming_options,
    open_corpus,
    setting_options,
    sources_argument,
    text_of,
    text_options,
    values_of,
)
from windrow.cli.paths import InputFile, OutputFileOrFolder
from windrow.cli.saving import build_corpus, save_trained
from windrow.errors import OptionError, one_line, warn
from windrow.files.writing import STDIO
from windrow.phrases.settings import ENGLISH, PHRASES

if TYPE_CHECKING:
    from windrow.corpus import Corpus
    from windrow.phrases.model import Phrases

_TEXT, _PACKED, _MODEL = (".txt", ".text"), ".gz", ".safetensors"
_FLAGS = {**flags_of(PHRASES), "delimiter": "--join-with"}  # --delimiter is that of CSV
_MEMORY = (
    "Memory for the table of pairs: 500M, 2G, 50% of what is free. Where it does not suffice, the text is read several "
    "times."
)


def _is_file(output: Path) -> bool:
    return str(output) == STDIO or output.suffix.lower() in (*_TEXT, _PACKED, _MODEL)


def _connector_words(_: click.Context, __: click.Parameter, value: str | None) -> str | tuple[str, ...]:
    return value if value == ENGLISH else tuple((value or "").split(",")) if value else ()


@command("phrases", example="windrow corpus phrases toyland/train.txt -o joined.txt --top 3")
@sources_argument
@click.option(
    "-o",
    "--output",
    required=True,
    type=OutputFileOrFolder(_is_file),
    help="Folder to write, a corpus; or text: a .txt or .gz file, or - for standard output; or a .safetensors file, "
    "the phrases alone, for --apply.",
)
@setting_options(PHRASES, memory={"type": Size(), "metavar": "SIZE", "help": _MEMORY})
@grouped_option(
    "--join-with",
    "joiner",
    heading="Output",
    default="_",
    show_default=True,
    metavar="TEXT",
    help="Between joined words.",
)
@grouped_option(
    "--connector-words",
    heading="Model",
    metavar="WORDS",
    callback=_connector_words,
    help="Words that a phrase may have between its first and last one, bird_of_prey: english, or words with commas "
    "between them.",
)
@grouped_option(
    "--apply", heading="Model", metavar="FILE", type=InputFile(), help="Join the phrases of this file, and learn none."
)
@grouped_option(
    "--top",
    heading="Output",
    default=0,
    type=WholeNumber(0),
    help="Print this many phrases, the best, with their scores.",
)
@text_options()
def phrases(sources: tuple[str, ...], output: Path, top: int, joiner: str, **options: Any) -> None:
    """Find words of SOURCEs that belong together, new york, and join them: new_york.

    SOURCE is text (file, folder, glob, URL, -) or one `corpus build` folder. Pairs of words become phrases by their
    score; --passes 2 then joins phrases, too: new_york_city.
    """
    from windrow.corpus.folder import check_replaceable
    from windrow.numeric.compiling import working_time

    _check_used(options)
    if top and str(output) == STDIO:
        raise OptionError("--top prints to standard output, which has the text with -o -; name a file")
    if options["apply"] and output.suffix.lower() == _MODEL:
        raise OptionError(f"{output}: --apply writes the joined text; name a folder or a .txt file for it")
    if not _is_file(output):
        check_replaceable(output)  # before the long work
    started = working_time()
    model, corpus = _applied(sources, options) if options["apply"] else _learned(sources, output, joiner, options)
    if output.suffix.lower() == _MODEL:
        save_trained(output, model.save, "phrases are")
        told = f"{len(model.phrases_):,} phrases"
    else:
        told = _write(model, corpus, sources, output)
    for phrase, score in sorted(model.phrases_.items(), key=lambda row: -row[1])[:top]:
        click.echo(f"{one_line(phrase)}\t{score:.6g}")
    name = "standard output" if str(output) == STDIO else output
    tell(f"{name}: {told} in {working_time() - started:.1f} s")


def _check_used(options: dict[str, Any]) -> None:
    learning = (*values_of(PHRASES, options), "joiner", "connector_words")
    check_used((), {name: (("apply", (None,)),) for name in learning if name != "delimiter"})


def _learned(sources: tuple[str, ...], output: Path, joiner: str, options: dict[str, Any]) -> tuple[Phrases, Corpus]:
    from windrow.phrases.model import Phrases

    model = Phrases(**{**values_of(PHRASES, options), "delimiter": joiner})
    check_parameters(model, _FLAGS)  # before the text is read
    if output.suffix.lower() != _MODEL:
        with naming_options(_FLAGS):
            model.check_joins_corpora()
    corpus = open_corpus(*sources, **text_of(options))
    with naming_options(_FLAGS):
        return model.fit(corpus), corpus


def _applied(sources: tuple[str, ...], options: dict[str, Any]) -> tuple[Phrases, Corpus]:
    from windrow.phrases.model import Phrases

    path = options["apply"]
    model = Phrases.load(path)
    files = read_as_trained(model, path, options)
    corpus = open_corpus(*sources, reader=model.reader, **files)
    warn_if_cut_otherwise(corpus, sources[0], model, path)
    return model, corpus


def _write(model: Phrases, corpus: Corpus, sources: tuple[str, ...], output: Path) -> str:
    """Write the joined text; returns what to tell of it."""
    if _is_file(output):
        joined = model.transform(corpus)
        _write_text(joined, output)
    else:
        joined = build_corpus(lambda folder: model.transform(corpus, folder), sources, output)
    words = len(joined.vocabulary)
    return (
        f"{len(model.phrases_):,} phrases, {corpus.tokens:,} tokens joined to {joined.tokens:,} in {len(joined):,} "
        f"sentences, a vocabulary of {words:,} words,"
    )


def _write_text(corpus: Corpus, output: Path) -> None:
    """One sentence per line, with a space between words."""
    from windrow.files.compression import creating

    missing = corpus.tokens - corpus.info()["kept_tokens"]
    if missing and corpus.vocabulary.unknown_id < 0:
        warn(f"{missing:,} tokens that the corpus leaves out are missing in the text")
    with creating(output) as stream:
        for sentence in corpus.sentences():
            stream.write(f"{' '.join(sentence)}\n".encode())

"""``windrow vectors print``: the vectors of words or of lines of text, one per line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from windrow.cli.groups import command
from windrow.cli.help import grouped_option
from windrow.cli.line_sources import Chunk, Lines, chunks, lines_in
from windrow.cli.messages import tell
from windrow.cli.options import check_used, flags_of, given_text, naming_options, setting_options, text_options
from windrow.cli.paths import Lines as LinesSource
from windrow.cli.paths import OutputFile, Source
from windrow.cli.typed import typed_lines, waits_for_answers
from windrow.cli.vector_files import READING, open_vectors, vector_options, vectors_argument
from windrow.cli.vector_rows import WRITTEN, form_of, written_rows
from windrow.embeddings.settings import SENTENCE_VECTORS
from windrow.errors import MissingWordError, OptionError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from windrow.embeddings.sentence_vectors import SentenceVectors
    from windrow.embeddings.vectors import WordVectors

_OF_STRINGS = ("tokenizer", "lowercase", "language", "normalize")
_WEIGHTING = tuple(setting for setting in SENTENCE_VECTORS if setting.option is not None)
_WEIGHTING_NAMES = tuple(setting.name for setting in _WEIGHTING)
_LEARNING = (*_WEIGHTING_NAMES, "unit_length", "fit")
_FITTED_ON = 100_000  # lines, of which some thousand would be enough
_TOLD = 5  # lines without a known word, before these are only counted


@command("print", example="windrow vectors print toy.safetensors toyland/test.txt --weighting sif -o sentences.npy")
@vectors_argument
@click.argument("source", default="-", type=LinesSource())
@click.option("--words", is_flag=True, help="Each line is a word; it is printed before its vector.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line: the word, text or record, its vector.")
@click.option("-o", "--output", type=OutputFile(stdout=True), metavar="FILE", help=f"Write a file: {WRITTEN}.")
@setting_options(_WEIGHTING, weighting={"default": "unit"})
@grouped_option("--unit-length", heading="Model", is_flag=True, help="Scale the vector of each line to length 1.")
@click.option(
    "--fit",
    type=Source(),
    metavar="TEXT",
    help="Learn idf, frequencies and components from its first 100,000 lines.  [default: those of SOURCE]",
)
@click.option(
    "--save",
    type=OutputFile(),
    metavar="FILE",
    help="Keep vectors and what was learned in a file, for which FILE can stand later.",
)
@text_options(*_OF_STRINGS, as_trained=True)
@grouped_option(
    "--format",
    "text_format",
    heading="Text",
    common=False,
    type=click.Choice(["text", "jsonl", "csv", "parquet"]),
    help="Format of SOURCE.  [default: with --field as its name says, else text]",
)
@text_options("field", "delimiter")
@vector_options
def print_vectors(file: str, source: str, words: bool, as_json: bool, output: Path | None, **options: Any) -> None:
    """Print the vector of each line of SOURCE (file, - for standard input): numbers with spaces between them.

    The vector of a text is a mean of the vectors of its words; by default of each scaled to length 1, as fastText's
    print-sentence-vectors has it. Words without a vector, also of their n-grams, are left out; a text that has no
    others is all zeros, with a warning. Text is read as in the training of the vectors, unless options say otherwise.
    With --field each record is a line, and JSON and Parquet get its fields, too.

    With --words an unknown word is warned of, and has no line in the output.
    """
    if file == source == "-":
        raise OptionError("standard input, '-', cannot be both FILE and SOURCE; name a file for one of them")
    given = given_text({name: options[name] for name in _OF_STRINGS})  # --errors is of FILE
    if words:
        _refuse_beside_words(output)
        for word, vector in _of_words(open_vectors(file, options), source):
            told = json.dumps({"word": word, "vector": vector.tolist()})
            click.echo(told if as_json else " ".join([word, *map(str, vector)]))
        return
    check_used(SENTENCE_VECTORS)
    form = form_of(output, as_json)
    files = {"format": options.pop("text_format"), **{name: options[name] for name in ("field", "delimiter")}}
    files["errors"] = None  # those of FILE have the option
    model = _model(file, source, options, given, files)
    if options["save"] is not None:
        model.save(options["save"])
    unknown = _Unknown()
    with written_rows(output, form) as write:
        for chunk in chunks([source], files):
            lines, rows = _rows_of(model, chunk, files["field"], needs_texts=form in ("jsonl", "parquet"))
            unknown.tell(lines, rows)
            write(lines, rows)
    unknown.tell_rest()


def _given(names: Iterable[str]) -> list[str]:
    """Those of the options that stand on the command line, as they are written."""
    context = click.get_current_context()
    given = {name for name in names if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    return [max(one.opts, key=len) for one in context.command.params if one.name in given]


def _refuse_beside_words(output: Path | None) -> None:
    """Raise OptionError for an option that is for text, which words are not."""
    for flag in _given([*_OF_STRINGS, *_LEARNING, "save", "text_format", "field", "delimiter"]):
        raise OptionError(f"{flag} is for text; leave it out, or --words")
    if output is not None:
        raise OptionError("--words prints; leave -o out, or try `windrow vectors convert --only-words`")


def _model(
    file: str, source: str, options: dict[str, Any], given: dict[str, Any], files: dict[str, Any]
) -> SentenceVectors:
    """What makes vectors of lines: what FILE has kept, or learned now."""
    from windrow.corpus import TextReader
    from windrow.embeddings.formats.sentence_weights import holds_sentence_weights
    from windrow.embeddings.sentence_vectors import SentenceVectors

    if not _given(_LEARNING) and holds_sentence_weights(file):
        for flag in _given(READING):
            raise OptionError(f"{flag}: {file} keeps what was learned; say --weighting, too, or leave it out")
        model = SentenceVectors.load(file)
        if model.reader is not None:
            model.reader = model.reader.changed(**given)
        return model
    vectors = open_vectors(file, options)
    parameters = {name: options[name] for name in _WEIGHTING_NAMES}
    model = SentenceVectors(vectors, **parameters, normalize=options["unit_length"])
    read = TextReader.remembered(vectors.provenance) if "tokenizer" in vectors.provenance else TextReader()
    model.reader = read.changed(**given)
    with naming_options(flags_of(SENTENCE_VECTORS)):
        return model.fit(_texts_to_fit(options, source, files))


def _texts_to_fit(options: dict[str, Any], source: str, files: dict[str, Any]) -> list[Any] | None:
    """The first lines of the text from which weights are learned; None where nothing is."""
    weighting = options["weighting"]
    if weighting not in ("tfidf", "sif"):
        if options["fit"] is not None:
            raise OptionError(f"--fit is for --weighting tfidf or sif, not {weighting}; leave it out")
        return None
    text = options["fit"] or source
    if text == "-":
        if weighting == "sif" and not options["remove_components"] and options["frequencies"] != "texts":
            return None
        raise OptionError(f"--weighting {weighting} learns from text first; name one with --fit")
    found = (one for chunk in chunks([text], files) for one in lines_in(chunk, files["field"]).texts)
    return list(islice(found, _FITTED_ON))


def _rows_of(
    model: SentenceVectors, chunk: Chunk, field: str | None, *, needs_texts: bool
) -> tuple[Lines, NDArray[np.float32]]:
    if chunk.block and field is None and not needs_texts:
        lines = Lines((), (), None, lambda place: f"{chunk.name}, line {chunk.first + place}", block=chunk.block)
        return lines, model.transform_text(chunk.block)
    lines = lines_in(chunk, field)
    return lines, model.transform(lines.texts)


class _Unknown:
    """Tells of lines without a known word: of the first ones one by one, then how many there are."""

    def __init__(self) -> None:
        self._number = 0

    def tell(self, lines: Lines, rows: NDArray[np.float32]) -> None:
        zeros = [place for place in (rows[:, 0] == 0).nonzero()[0].tolist() if not rows[place].any()]
        for place in zeros[: max(0, _TOLD - self._number)]:
            tell(f"Warning: {lines.where(place)}: no word of it has a vector; its own is all zeros")
        self._number += len(zeros)

    def tell_rest(self) -> None:
        if self._number > _TOLD:
            tell(f"Warning: {self._number:,} lines have no word with a vector; theirs are all zeros")


def _of_words(vectors: WordVectors, source: str) -> Iterator[tuple[str, NDArray[np.float32]]]:
    from windrow.corpus.streams import Meter, lines, name_of, text_pieces

    is_live = waits_for_answers(source)
    found = typed_lines("strict") if is_live else lines(text_pieces(source, None, Meter(None, None)), name_of(source))
    for number, line in enumerate(found, 1):
        try:
            if word := line.strip():
                yield word, vectors.get_vector(word)
        except MissingWordError as error:
            tell(f"Warning: line {number}: {error}")

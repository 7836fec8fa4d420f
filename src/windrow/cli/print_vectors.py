"""``windrow vectors print``: the vectors of words or of lines of text, one per line."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from windrow.cli.groups import command
from windrow.cli.messages import tell
from windrow.cli.options import given_text, text_options
from windrow.cli.paths import Lines
from windrow.cli.typed import typed_lines, waits_for_answers
from windrow.cli.vector_files import open_vectors, vector_options, vectors_argument
from windrow.errors import MissingWordError, OptionError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from windrow.corpus import TextReader
    from windrow.embeddings.vectors import WordVectors

_OF_STRINGS = ("tokenizer", "lowercase", "language", "normalize")


class _Answer(NamedTuple):
    """What is printed for a line."""

    name: str  # "word" or "text"
    text: str
    vector: NDArray[np.float32]


@command("print", example="head -2 toyland/test.txt | windrow vectors print toy.safetensors > sentences.vectors")
@vectors_argument
@click.argument("source", default="-", type=Lines())
@click.option("--words", is_flag=True, help="Each line is a word; it is printed before its vector.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line: the word or text, and its vector.")
@text_options(*_OF_STRINGS, as_trained=True)
@vector_options
def print_vectors(file: str, source: str, words: bool, as_json: bool, **options: Any) -> None:
    """Print the vector of each line of SOURCE (file, - for standard input): numbers with spaces between them.

    The vector of a text is the mean of the vectors of its words, each scaled to length 1, as fastText's
    print-sentence-vectors computes it. Words without a vector, also of their n-grams, are left out; a text that has no
    others is all zeros, with a warning. Text is read as in the training of the vectors, unless options say otherwise.

    With --words an unknown word is warned of, and has no line in the output.
    """
    if file == source == "-":
        raise OptionError("standard input, '-', cannot be both FILE and SOURCE; name a file for one of them")
    given = given_text({name: options.pop(name) for name in _OF_STRINGS})  # --errors is of FILE
    if words and given:
        raise OptionError(f"--{next(iter(given))} is for text; leave it out, or --words")
    vectors = open_vectors(file, options)
    answers = _of_words(vectors, source) if words else _of_texts(vectors, source, _reader(vectors, given))
    for answer in answers:
        if as_json:
            click.echo(json.dumps({answer.name: answer.text, "vector": answer.vector.tolist()}))
        else:
            click.echo(" ".join([*([answer.text] if words else []), *map(str, answer.vector)]))


def _reader(vectors: WordVectors, given: dict[str, Any]) -> TextReader:
    """How text becomes words: as the training text was read, but for options that were given."""
    from windrow.corpus import TextReader

    trained = TextReader.remembered(vectors.provenance) if "tokenizer" in vectors.provenance else TextReader()
    return trained.changed(**given)


def _numbered_lines(source: str) -> Iterator[tuple[int, str]]:
    from windrow.corpus.streams import Meter, lines, name_of, text_pieces

    is_live = waits_for_answers(source)
    found = typed_lines("strict") if is_live else lines(text_pieces(source, None, Meter(None, None)), name_of(source))
    return enumerate(found, 1)


def _of_words(vectors: WordVectors, source: str) -> Iterator[_Answer]:
    for number, line in _numbered_lines(source):
        try:
            if word := line.strip():
                yield _Answer("word", word, vectors.get_vector(word))
        except MissingWordError as error:
            tell(f"Warning: line {number}: {error}")


def _of_texts(vectors: WordVectors, source: str, reader: TextReader) -> Iterator[_Answer]:
    import numpy as np

    for number, line in _numbered_lines(source):
        mean = mean_vector(vectors, reader.iter_tokens(line))
        if mean is None:
            tell(f"Warning: line {number}: no word of it has a vector; its own is all zeros")
            mean = np.zeros(vectors.vector_size, np.float32)
        yield _Answer("text", line, mean)


def mean_vector(vectors: WordVectors, batches: Iterator[list[str]]) -> NDArray[np.float32] | None:
    """The mean of the words of a text, of which a long one comes in batches; None if none has a vector."""
    import numpy as np

    total, number = np.zeros(vectors.vector_size), 0
    for words in batches:
        counts = Counter(words)
        # A vector of zeros has no direction, and does not count.
        known = [word for word in counts if word in vectors and vectors.get_vector(word).any()]
        weights = [counts[word] for word in known]
        if known:
            total += vectors.get_mean_vector(known, weights) * np.float64(sum(weights))
            number += sum(weights)
    return (total / number).astype(np.float32) if number else None

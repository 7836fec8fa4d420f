"""``windrow vectors similar`` and ``analogy``: one question from the command line, or one per line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from windrow.cli.groups import command
from windrow.cli.messages import tell
from windrow.cli.numbers import WholeNumber
from windrow.cli.typed import is_a_talk, numbered_batches
from windrow.cli.vector_files import open_vectors, vector_options, vectors_argument
from windrow.errors import DataError, MissingWordError, OptionError

if TYPE_CHECKING:
    from windrow.embeddings.queries import Neighbors
    from windrow.embeddings.vectors import WordVectors

_top = click.option("-k", "--top", default=10, type=WholeNumber(1), show_default=True, help="How many words to print.")
_as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object per question.")
_TERMS = 3  # of an analogy

Question = tuple[str, ...]
Answers = Callable[["WordVectors", list[Question], int], "Iterator[Neighbors]"]


@command(example="windrow vectors similar toy.safetensors queen -k 4")
@vectors_argument
@click.argument("words", nargs=-1, metavar="[WORD]...")
@click.option("--minus", multiple=True, metavar="WORD", help="A word to subtract; may be repeated.")
@_top
@_as_json
@vector_options
def similar(file: str, words: tuple[str, ...], minus: tuple[str, ...], top: int, as_json: bool, **reading: Any) -> None:
    """Print the words nearest to WORD..., one per line: the word, a tab and its cosine.

    Without WORD, words are read from standard input, one per line; each answer follows its word and a tab.
    At a terminal there is a prompt, with a history at the arrow keys; Ctrl-D ends it.
    """
    if not words and minus:
        raise OptionError("--minus is for WORDs that are given; words from standard input are asked one by one")
    if not words and file == "-":
        raise OptionError("standard input, '-', cannot be both FILE and the words; name a file, or give WORD")
    vectors = open_vectors(file, reading)
    if words:
        _print(
            vectors.most_similar(list(words), list(minus), topn=top), {"positive": words, "negative": minus}, as_json
        )
        return
    for word, found in _answers(vectors, top, _as_one_word, _neighbors, "word> "):
        _print(found, {"positive": list(word), "negative": []}, as_json, word[0])


@command(example="windrow vectors analogy toy.safetensors king queen nephew -k 2")
@vectors_argument
@click.argument("words", nargs=-1, metavar="[A B C]")
@_top
@_as_json
@vector_options
def analogy(file: str, words: tuple[str, ...], top: int, as_json: bool, **reading: Any) -> None:
    """Answer "A is to B as C is to ?": one word per line, best first, with a tab and its cosine.

    Without A B C, questions are read from standard input, one per line; each answer follows its question and a tab.
    At a terminal there is a prompt, with a history at the arrow keys; Ctrl-D ends it.
    """
    if len(words) not in (0, _TERMS):
        raise click.UsageError(f"an analogy has three words, A B C; {len(words)} were given")
    if not words and file == "-":
        raise OptionError("standard input, '-', cannot be both FILE and the questions; name a file, or give A B C")
    vectors = open_vectors(file, reading)
    if words:
        a, b, c = words
        _print(vectors.analogy(a, b, c, topn=top), {"a": a, "b": b, "c": c}, as_json)
        return
    for terms, found in _answers(vectors, top, _as_three_words, _analogies, "a b c> "):
        _print(found, dict(zip("abc", terms, strict=True)), as_json, " ".join(terms))


def _answers(
    vectors: WordVectors, top: int, parse: Callable[[str], Question], answer: Answers, prompt: str
) -> Iterator[tuple[Question, Neighbors]]:
    """The questions on standard input with their answers; a warning for one with a word that is not known.

    What is no question ends the command, but not a talk.
    """
    for batch in numbered_batches(prompt):
        questions = []
        for number, line in batch:
            try:
                terms = parse(line)
                for term in terms:
                    vectors.get_vector(term)
                questions += [terms] * bool(terms)
            except MissingWordError as error:
                tell(f"Warning: {error}" if is_a_talk() else f"Warning: line {number}: {error}")
            except DataError as error:
                if is_a_talk():
                    tell(f"Warning: {error}")
                    continue
                raise DataError(f"standard input, line {number}: {error}") from error
        yield from zip(questions, answer(vectors, questions, top), strict=True)


def _as_one_word(line: str) -> Question:
    word = line.strip()
    return (word,) if word else ()


def _as_three_words(line: str) -> Question:
    terms = tuple(line.strip().split("\t") if "\t" in line.strip() else line.split())
    if len(terms) not in (0, _TERMS):
        raise DataError(
            f"{line.strip()[:60]!r} is no question; expected three words, A B C, with spaces or tabs between"
        )
    return terms


def _neighbors(vectors: WordVectors, questions: list[Question], top: int) -> Iterator[Neighbors]:
    yield from vectors.most_similar_batch([word for (word,) in questions], topn=top)


def _analogies(vectors: WordVectors, questions: list[Question], top: int) -> Iterator[Neighbors]:
    for a, b, c in questions:
        yield vectors.analogy(a, b, c, topn=top)


def _print(found: Neighbors, question: dict[str, Sequence[str]], as_json: bool, before: str = "") -> None:
    """Print one word per line, or one JSON object with question and answers; ``before``: what each line begins with."""
    if as_json:
        answers = [{"word": word, "similarity": score} for word, score in found]
        click.echo(json.dumps({**question, "similar": answers}))
    else:
        start = f"{before}\t" if before else ""
        click.echo("".join(f"{start}{word}\t{score:.4f}\n" for word, score in found), nl=False)

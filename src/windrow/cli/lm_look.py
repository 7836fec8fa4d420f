"""``windrow lm vocab``, ``ngrams`` and ``next``: what a language model holds, and what it expects next."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from math import isfinite
from typing import TYPE_CHECKING, Any

import click

from windrow.cli.groups import command
from windrow.cli.lm_files import load_model, warn_of_unknown
from windrow.cli.messages import tell
from windrow.cli.numbers import WholeNumber
from windrow.cli.options import check_used, text_options
from windrow.cli.paths import InputFile
from windrow.cli.typed import numbered_batches
from windrow.errors import DataError, FormatError, OptionError
from windrow.files.writing import STDIO

if TYPE_CHECKING:
    from windrow.lm.base import LanguageModel
    from windrow.lm.ngram.model import NGramLM

_LINES_AT_A_TIME = 8192


@command("vocab", example="windrow lm vocab toy-lm.safetensors --counts --probs")
@click.argument("model", type=InputFile())
@click.option("--counts", is_flag=True, help="Print also how often each word occurs in the training text.")
@click.option("--probs", is_flag=True, help="Print also the probability of each word where no word before is known.")
def vocab(model: str, counts: bool, probs: bool) -> None:
    """Print the words that MODEL knows, of any kind of language model: one per line, in the order of their ids.

    The first are <unk>, <s> and </s>; <s> is never predicted, and has probability 0. A tab stands before each number.
    """
    opened = load_model(model)
    words = opened.vocabulary
    columns: list[Iterable[str]] = [words]
    if counts:
        if not words.counts.any():
            raise OptionError(f"{model} does not hold counts of words, as ARPA files do not; leave --counts out")
        columns.append(map(str, words.counts.tolist()))
    if probs:
        columns.append(f"{prob:.6g}" for prob in opened.next_word_distribution(bos=False).tolist())
    _print(map("\t".join, zip(*columns, strict=True)))


@command(
    "ngrams",
    example="windrow lm ngrams toy-lm.safetensors --order 3 --prefix 'the king'",
    option_for=lambda _: "--prefix",
)
@click.argument("model", type=InputFile())
@click.option("--order", type=WholeNumber(1, checks=False), help="How many words they have.  [default: all orders]")
@click.option("--prefix", default="", metavar="WORDS", help="Only those that begin with these words; <s> may be one.")
@click.option(
    "--text", metavar="WORDS", help="Of a model of unbounded order: where WORDS stand in its text, with those around."
)
@text_options("tokenizer", as_trained=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per n-gram; log10 of 0 is null.")
def ngrams(model: str, order: int | None, prefix: str, text: str | None, as_json: bool, **reading: Any) -> None:
    """List the n-grams of MODEL, an n-gram model, as the lines of an ARPA file.

    A line has the log10 probability of the last word after the others, the words, and below the highest order the log10
    back-off weight, with tabs between them. The lowest order comes first; in it n-grams are in the order of their
    words in `lm vocab`. --prefix is read as in the model's training.

    With --text, of a model of --order inf: a line has the words before WORDS, WORDS themselves, and the words after
    them, with tabs between the three.
    """
    from windrow.cli.as_trained import read_as_trained

    check_used(conditions=dict.fromkeys(("order", "prefix"), (("text", (None,)),)))
    opened = load_model(model)
    read_as_trained(opened, model, reading, needed=bool(prefix or text))
    if text is not None:
        _print_occurrences(opened, model, text, as_json)
        return
    opened = _ngram_model(opened, model)
    if as_json:
        _print(
            json.dumps({"words": words, "log10_prob": _number(prob), "log10_backoff": _number(backoff)})
            for words, prob, backoff in opened.ngrams(order, prefix)
        )
        return
    for lines in _lines_of_arpa(opened, order, prefix):
        click.echo(lines, nl=False)


def _lines_of_arpa(model: NGramLM, order: int | None, prefix: str) -> Iterator[bytes]:
    from windrow.lm.ngram.arpa import lines_of

    orders, ids = model.orders_and_ids(order, prefix)
    words, highest = model.vocabulary.words, model.table_.order
    for k in orders:
        try:
            blocks = lines_of(model.table_.ngrams(k, ids), words, has_backoffs=k < highest)
        except FormatError as error:  # of a word
            raise FormatError(f"{error}; add --json") from error
        yield from map(bytes, blocks)


def _ngram_model(model: LanguageModel, path: str) -> NGramLM:
    from windrow.files.kinds import what_holds
    from windrow.lm.ngram.model import NGramLM
    from windrow.lm.unbounded.model import UnboundedNGramLM

    if isinstance(model, UnboundedNGramLM):
        raise FormatError(f"{path} holds {what_holds(model.kind)}, which has no list of n-grams; add --text WORDS")
    if not isinstance(model, NGramLM):
        raise FormatError(
            f"{path} holds {what_holds(model.kind)}, which has no list of n-grams; name an n-gram model, or see what "
            "follows words with `windrow lm next`"
        )
    return model


def _print_occurrences(model: LanguageModel, path: str, words: str, as_json: bool) -> None:
    from windrow.files.kinds import what_holds
    from windrow.lm.unbounded.model import UnboundedNGramLM

    if not isinstance(model, UnboundedNGramLM):
        told = f"{path} holds {what_holds(model.kind)}, which does not keep its text"
        raise FormatError(f"{told}; train a model with `windrow lm train ngram --order inf`, or leave --text out")
    count = model.count(words)
    matched = 0 if count else model.longest_match(words)
    shorter = f"; how many of its last words do: {matched:,}" if matched else ""
    tell(f"{words!r} stands in the text {count:,} times{shorter}")
    found = model.occurrences(words)
    if as_json:
        _print(json.dumps(one._asdict(), ensure_ascii=False) for one in found)
    else:
        _print("\t".join(map(model.reader.join, one)) for one in found)


def _number(value: float) -> float | None:
    """As JSON has it, which does not have minus infinity."""
    return value if isfinite(value) else None


@command("next", example="windrow lm next toy-lm.safetensors the king -k 5")
@click.argument("model", type=InputFile())
@click.argument("context", nargs=-1, metavar="[WORDS]")
@click.option("-k", "--top", default=10, type=WholeNumber(1), show_default=True, help="How many words to print.")
@click.option("--prob", "words", multiple=True, metavar="WORD", help="Print this word in their place; may be repeated.")
@click.option("--anywhere", is_flag=True, help="WORDS may stand anywhere; without it a sentence begins with them.")
@text_options("tokenizer", as_trained=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per question.")
def next_words(
    model: str,
    context: tuple[str, ...],
    top: int,
    words: tuple[str, ...],
    anywhere: bool,
    as_json: bool,
    **text: Any,
) -> None:
    """Print the likeliest words to follow WORDS, one per line, with a tab and their probability: of any MODEL.

    WORDS are read as in the model's training; without them a sentence begins. With - lines of standard input are
    answered one after the other, each with an empty line at the end. </s> is the end of the sentence.
    """
    from windrow.cli.as_trained import read_as_trained

    is_piped = context == (STDIO,)
    check_used(conditions={"top": (("words", ((),)),)})
    if is_piped and model == STDIO:
        raise OptionError("standard input, '-', cannot be both MODEL and WORDS; name a file, or give WORDS")
    opened = load_model(model)
    read_as_trained(opened, model, text, needed=bool(context))
    for where, line in _contexts() if is_piped else [("", " ".join(context))]:
        try:
            warn_of_unknown(opened, line, where)
            found = _likeliest(opened, line, words, top, not anywhere)
        except DataError as error:
            raise DataError(f"{where}{error}") from error
        if as_json:
            answers = [{"word": word, "probability": prob} for word, prob in found]
            click.echo(json.dumps({"context": line, "next": answers}))
        else:
            click.echo("".join(f"{word}\t{prob:.6f}\n" for word, prob in found), nl=is_piped)


def _contexts() -> Iterator[tuple[str, str]]:
    """Each line of standard input, with what messages say of its place before their own words."""
    for batch in numbered_batches("context> "):
        yield from ((f"standard input, line {number}: ", line) for number, line in batch)


def _likeliest(
    model: LanguageModel, context: str, words: Sequence[str], top: int, bos: bool
) -> list[tuple[str, float]]:
    if not words:
        return model.top_words(context, top, bos=bos)
    return [(word, model.prob(word, context, bos=bos)) for word in words]


def _print(lines: Iterator[str]) -> None:
    """Many lines at a time."""
    while some := list(islice(lines, _LINES_AT_A_TIME)):
        click.echo("\n".join(some))

"""``windrow lm score`` and ``lm select``: lines of text scored one by one, and those that a model finds likely."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any, TypeVar

import click

from windrow.cli.groups import command
from windrow.cli.line_answers import Asked, Tally, answers
from windrow.cli.line_sources import chunks
from windrow.cli.lm_files import check_one_stdin, load_model, skip_symbols_option
from windrow.cli.messages import tell
from windrow.cli.numbers import Number
from windrow.cli.options import check_used, text_options
from windrow.cli.paths import InputFile, Lines
from windrow.errors import DataError, OptionError
from windrow.estimator import GIVEN

_FORMS = ("words", "perplexity", "json")
F = TypeVar("F", bound=Callable[..., Any])


def _line_options(command: F) -> F:
    """Add MODEL, SOURCEs and the options of their text."""
    for decorator in (
        skip_symbols_option,
        text_options(as_trained=True),
        click.argument("sources", nargs=-1, metavar="[SOURCE]...", type=Lines()),
        click.argument("model", type=InputFile()),
    ):
        command = decorator(command)
    return command


@command(example="head -1 toyland/test.txt | windrow lm score toy-lm.safetensors --words")
@_line_options
@click.option(
    "--words", is_flag=True, help="One row per word: the word, its log10 probability, the order that matched."
)
@click.option("--perplexity", is_flag=True, help="The perplexity of each line, not its log10 probability.")
@click.option("--json", is_flag=True, help="One JSON object per line, with the perplexity and the record's own fields.")
def score(model: str, sources: tuple[str, ...], **options: Any) -> None:
    """The log10 probability of each line of SOURCEs (without SOURCE, of standard input), the end of the
    sentence included: one number per line.

    Lines are read as in the model's training, unless options say otherwise. With --format or --field each record is a
    line, and --sentences says what its sentences are; its score is their sum, its perplexity that of all their words.

    The perplexity is 10^(-log10 probability / tokens), unknown words and the end of each sentence included.

    With --words: word, log10 probability, order of the longest n-gram that matched (if the model has one), and OOV for
    a word that the model does not know; an empty line follows each sentence.
    """
    given = [form for form in _FORMS if options.pop(form)]
    if len(given) > 1:
        first, second = given[:2]
        raise OptionError(f"--{first} and --{second} are two ways to print scores; choose one")
    _answer(model, sources, options, Asked(given[0] if given else "log10"))


@command(example="windrow lm select toy-lm.safetensors toyland/test.txt --max-perplexity 30")
@_line_options
@click.option("--max-perplexity", metavar="X", type=Number(0), help="Keep lines of at most this perplexity.")
@click.option("--min-perplexity", metavar="X", type=Number(0), help="Keep lines of at least this perplexity.")
def select(
    model: str,
    sources: tuple[str, ...],
    max_perplexity: float | None,
    min_perplexity: float | None,
    **options: Any,
) -> None:
    """Write those lines of SOURCEs (without SOURCE, of standard input) whose perplexity is in a range.

    Lines and records are written as they stand in their files, CSV below its header; rows of Parquet are written as
    JSON. Perplexities are those of `lm score --perplexity`, records those of --format or --field.
    """
    least = -inf if min_perplexity is None else min_perplexity
    most = inf if max_perplexity is None else max_perplexity
    if max_perplexity is min_perplexity is None:
        raise OptionError("say which lines to keep: --max-perplexity X, --min-perplexity X or both")
    if least > most:
        raise OptionError(f"--min-perplexity {least:g} is above --max-perplexity {most:g}; exchange them")
    tally = _answer(model, sources, options, Asked("lines", least=least, most=most))
    tell(f"kept {tally.passed:,} of {tally.lines:,} {'lines' if options['field'] is None else 'records'}")


def _answer(path: str, sources: tuple[str, ...], options: dict[str, Any], asked: Asked) -> Tally:
    """Print the answer to each line, as soon as it is there; what was answered."""
    from windrow.cli.as_trained import read_as_trained

    check_used(conditions={"sentences": (("field", GIVEN),)})
    sources = sources or ("-",)
    check_one_stdin(path, *sources)
    model = load_model(path)
    files = read_as_trained(model, path, options)
    asked = asked._replace(field=files["field"], skip_symbols=options["skip_symbols"])
    tally, header = Tally(), ""
    for chunk in chunks(sources, files):
        if asked.form == "lines" and chunk.header != header and chunk.header:
            if header:
                raise DataError(f"{chunk.name}: its header differs from that of the files before it; select it alone")
            header = chunk.header
            _print(f"{header}\n", as_written=True)
        for piece in answers(model, asked, chunk, tally):
            _print(piece, as_written=asked.form in ("json", "lines"))
    if tally.replaced:
        told = ", ".join(sorted(tally.replaced))
        tell(f"Warning: fields of the records give way to scores of the same name: {told}")
    return tally


def _print(piece: str, *, as_written: bool) -> None:
    """Print to standard output; ``as_written``: the bytes of a file, whatever the terminal has for an encoding."""
    click.echo(piece.encode("utf-8", "backslashreplace") if as_written else piece, nl=False)

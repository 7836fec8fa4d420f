"""``windrow lm score`` and ``lm select``: lines of text scored one by one, and those that a model finds likely."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from math import inf
from typing import TYPE_CHECKING, Any, TypeVar

import click

from windrow.cli.groups import command
from windrow.cli.line_answers import Answered, Asked, Tally, answered, open_answers, scores_of
from windrow.cli.line_sources import chunks, is_live
from windrow.cli.lm_files import check_one_stdin, load_model, skip_symbols_option
from windrow.cli.messages import tell
from windrow.cli.numbers import Number, WholeNumber
from windrow.cli.options import check_used, text_options
from windrow.cli.paths import InputFile, Lines
from windrow.cli.typed import more_is_typed
from windrow.errors import DataError, OptionError, shown
from windrow.estimator import GIVEN

if TYPE_CHECKING:
    from windrow.lm.base import LanguageModel
    from windrow.lm.buckets import PerplexityBuckets

MOST_WORKERS = 1024
_workers = click.option(
    "--workers",
    default=1,
    type=WholeNumber(1, MOST_WORKERS),
    show_default=True,
    help="Processes that answer, which share the memory of a MODEL of windrow's own format.",
)
_FORMS = ("words", "perplexity", "json")
F = TypeVar("F", bound=Callable[..., Any])


def line_options(command: F) -> F:
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
@line_options
@click.option(
    "--words", is_flag=True, help="One row per word: the word, its log10 probability, the order that matched."
)
@click.option("--perplexity", is_flag=True, help="The perplexity of each line, not its log10 probability.")
@click.option("--json", is_flag=True, help="One JSON object per line, with the perplexity and the record's own fields.")
@click.option(
    "--buckets", type=InputFile(), metavar="FILE", help="With --json: name the bucket of each line; of `lm buckets`."
)
@_workers
def score(model: str, sources: tuple[str, ...], buckets: str | None, **options: Any) -> None:
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
    asked = Asked(given[0] if given else "log10")
    if buckets is not None:
        if asked.form != "json":
            raise OptionError("--buckets is for --json; give that, too, or leave --buckets out")
        asked = asked._replace(buckets=_buckets_for(buckets, model, ())[0])
    _answer(model, sources, options, asked)


@command(example="windrow lm select toy-lm.safetensors toyland/test.txt --max-perplexity 30")
@line_options
@click.option(
    "--buckets", type=InputFile(), metavar="FILE", help="Buckets of perplexity, of `lm buckets`; for --bucket."
)
@click.option("--bucket", multiple=True, metavar="NAME", help="Keep lines of this bucket. May be repeated.")
@click.option("--max-perplexity", metavar="X", type=Number(0), help="Keep lines of at most this perplexity.")
@click.option("--min-perplexity", metavar="X", type=Number(0), help="Keep lines of at least this perplexity.")
@_workers
def select(
    model: str,
    sources: tuple[str, ...],
    max_perplexity: float | None,
    min_perplexity: float | None,
    buckets: str | None,
    bucket: tuple[str, ...],
    **options: Any,
) -> None:
    """Write those lines of SOURCEs (without SOURCE, of standard input) whose perplexity is in a range or a bucket.

    Lines and records are written as they stand in their files, CSV below its header; rows of Parquet are written as
    JSON. Perplexities are those of `lm score --perplexity`, records those of --format or --field.
    """
    least = -inf if min_perplexity is None else min_perplexity
    most = inf if max_perplexity is None else max_perplexity
    if (buckets is None) != (not bucket):
        raise OptionError("--buckets FILE and --bucket NAME go together; give both or none")
    if max_perplexity is None and min_perplexity is None and buckets is None:
        raise OptionError("say which lines to keep: --max-perplexity X, --min-perplexity X, or --buckets and --bucket")
    if least > most:
        raise OptionError(f"--min-perplexity {least:g} is above --max-perplexity {most:g}; exchange them")
    asked = Asked("lines", least=least, most=most)
    if buckets is not None:
        found, places = _buckets_for(buckets, model, bucket)
        asked = asked._replace(buckets=found, kept=places)
    tally = _answer(model, sources, options, asked)
    tell(f"kept {tally.passed:,} of {tally.lines:,} {'lines' if options['field'] is None else 'records'}")


def perplexities_of(path: str, sources: tuple[str, ...], options: dict[str, Any]) -> list[float]:
    """The perplexities that ``lm score --perplexity`` would print."""
    model, files, sources = _opened(path, sources, options)
    asked = Asked(field=files["field"], skip_symbols=options["skip_symbols"])
    return [one for chunk in chunks(sources, files) for one in scores_of(model, asked, chunk)[1].perplexities.tolist()]


def _buckets_for(path: str, model: str, bucket: tuple[str, ...]) -> tuple[PerplexityBuckets, tuple[int, ...]]:
    """The buckets in a file, and the places of those that were named; warns if they are of another model."""
    from windrow.lm.buckets import PerplexityBuckets, model_identity

    buckets = PerplexityBuckets.load(path)
    for name in bucket:
        if name not in buckets.names:
            raise OptionError(f"--bucket {name!r} is none of {path}; there is: {', '.join(buckets.names)}")
    if buckets.model and buckets.model != model_identity(model):
        other = shown(buckets.model.get("file"))
        tell(f"Warning: {path} was made with another model, {other}; its cutoffs may not fit")
    return buckets, tuple(buckets.names.index(name) for name in bucket)


def _opened(
    path: str, sources: tuple[str, ...], options: dict[str, Any]
) -> tuple[LanguageModel, dict[str, Any], tuple[str, ...]]:
    """The model, set to read strings as the options say, how files are read, and which files."""
    from windrow.cli.as_trained import read_as_trained

    check_used(conditions={"sentences": (("field", GIVEN),)})
    sources = sources or ("-",)
    check_one_stdin(path, *sources)
    model = load_model(path)
    return model, read_as_trained(model, path, options), sources


def _answer(path: str, sources: tuple[str, ...], options: dict[str, Any], asked: Asked) -> Tally:
    """Print the answer to each line, as soon as it is there; what was answered."""
    workers = options.pop("workers")
    if workers > 1 and path == "-":
        raise OptionError("--workers open MODEL each for itself, which cannot be standard input; name a file")
    model, files, sources = _opened(path, sources, options)
    asked = asked._replace(field=files["field"], skip_symbols=options["skip_symbols"])
    tally, header = Tally(), ""
    with ExitStack() as stack:
        if workers > 1:
            found = _of_workers(stack, workers, path, options, asked, sources, files)
        else:
            found = (answered(model, asked, chunk) for chunk in chunks(sources, files))
        for one in found:
            if asked.form == "lines" and one.header not in ("", header):
                if header:
                    raise DataError(f"{one.name}: its header differs from that of the files before it; select it alone")
                header = one.header
                _print(f"{header}\n", as_written=True)
            for piece in one.pieces:
                _print(piece, as_written=asked.form in ("json", "lines"))
            tally.add(one.tally)
    if tally.replaced:
        told = ", ".join(sorted(tally.replaced))
        tell(f"Warning: fields of the records give way to scores of the same name: {told}")
    return tally


def _of_workers(
    stack: ExitStack,
    workers: int,
    path: str,
    options: dict[str, Any],
    asked: Asked,
    sources: tuple[str, ...],
    files: dict[str, Any],
) -> Iterator[Answered]:
    """The answers of processes, each of which opens the model; they end with ``stack``."""
    from windrow.cli.as_trained import given_reading
    from windrow.distributed.processes import Processes

    processes = stack.enter_context(Processes(workers, open_answers, path, given_reading(options), asked))
    return processes.answers(chunks(sources, files), more_is_typed if is_live(sources) else lambda: True)


def _print(piece: str | bytes, *, as_written: bool) -> None:
    """Print to standard output; ``as_written``: the bytes of a file, whatever the terminal has for an encoding."""
    if isinstance(piece, str) and as_written:
        piece = piece.encode("utf-8", "backslashreplace")
    click.echo(piece, nl=False)

"""``windrow lm mix``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from windrow.cli.groups import command
from windrow.cli.lm_files import load_model, skip_symbols_option
from windrow.cli.messages import tell
from windrow.cli.numbers import Number, WholeNumber
from windrow.cli.options import check_used, naming_options, text_options
from windrow.cli.paths import InputFile, OutputFile, Source
from windrow.cli.saving import ARPA_WRITTEN, save_model
from windrow.errors import OptionError, one_line
from windrow.estimator import GIVEN, Condition

if TYPE_CHECKING:
    from windrow.lm.base import LanguageModel


def _weights(_: click.Context, parameter: click.Parameter, value: str | None) -> tuple[float, ...] | None:
    try:
        return None if value is None else tuple(map(float, value.split(",")))
    except ValueError as error:
        raise OptionError(f"{parameter.opts[-1]} {value!r} must be numbers with commas between them") from error


@command(
    "mix", example="windrow lm mix toy-lm.safetensors toy-wb.safetensors --tune toyland/valid.txt -o mixed.safetensors"
)
@click.argument("models", nargs=-1, required=True, metavar="MODEL MODEL...", type=InputFile())
@click.option("--tune", metavar="SOURCE", type=Source(), help="Held-out text that the weights are fitted to.")
@click.option("--weights", metavar="W,W,...", callback=_weights, help="Weights of the models, in place of --tune.")
@click.option(
    "-o",
    "--output",
    required=True,
    type=OutputFile(stdout=True),
    metavar="FILE",
    help=f"File to write: {ARPA_WRITTEN}, or is - for standard output; that holds a single n-gram model.",
)
@click.option(
    "--method",
    default="linear",
    show_default=True,
    type=click.Choice(["linear", "log-linear"]),
    help="Add the weighted probabilities of the models, or their weighted logarithms.",
)
@click.option(
    "--cache", type=WholeNumber(1, checks=False), metavar="WORDS", help="Add a cache model over this many last words."
)
@click.option(
    "--cache-order",
    default=1,
    show_default=True,
    type=WholeNumber(1, checks=False),
    metavar="N",
    help="Let the cache count n-grams up to this length, too.",
)
@click.option(
    "--cache-decay",
    default=0.0,
    show_default=True,
    type=Number(0, checks=False),
    metavar="RATE",
    help="In the cache, what is d words ago counts exp(-RATE d) times.",
)
@click.option(
    "--cache-documents",
    is_flag=True,
    help="Let the cache forget at blank lines, which end documents.",
)
@text_options(as_trained=True)
@skip_symbols_option
def mix(
    models: tuple[str, ...],
    tune: str | None,
    weights: tuple[float, ...] | None,
    output: Path,
    method: str,
    cache: int | None,
    cache_order: int,
    cache_decay: float,
    cache_documents: bool,
    skip_symbols: bool,
    **text: Any,
) -> None:
    """Mix language models, with the weights that suit held-out text best, or with given ones.

    The mixture knows the words of all models. A word that a model lacks gets an equal share of the probability that it
    gives to unknown words. With --cache, the last weight is that of the cache.

    A linear mixture of n-gram models can be written as a single one, in an ARPA file: the n-grams are those of all
    models, each with the probability that the mixture gives it, and back-off weights are computed again.
    """
    from windrow.cli.as_trained import corpus_for
    from windrow.files.compression import output_name
    from windrow.files.writing import STDIO
    from windrow.lm.mixture import MixtureLM
    from windrow.lm.reading import leader
    from windrow.lm.storing import check_name

    if (tune is None) == (weights is None):
        raise OptionError("give --tune SOURCE, to which weights are fitted, or --weights W,W: one of the two")
    of_text: tuple[Condition, ...] = (("tune", GIVEN),)
    of_cache: tuple[Condition, ...] = (("cache", GIVEN),)
    conditions = dict.fromkeys((*text, "skip_symbols"), of_text)
    conditions |= dict.fromkeys(("cache_order", "cache_decay", "cache_documents"), of_cache)
    check_used(conditions=conditions)
    _check_files_of_mix(models, tune, output)
    names, parts = _parts_of_mix(
        models, cache, order=cache_order, decay=cache_decay, across_documents=not cache_documents
    )
    with naming_options({"weights": "--weights", "method": "--method"}):
        mixture = MixtureLM(parts, weights, method)
    check_name(output, mixture.unlike_ngrams)  # before the text is read
    if tune is not None:
        first = leader(parts)
        mixture.fit(corpus_for(parts[first], names[first], (tune,), text), skip_symbols=skip_symbols)
    save_model(mixture, output)
    for name, weight in zip(names, mixture.weights_, strict=True):
        show = tell if str(output) == STDIO else click.echo
        show(one_line(f"{weight:.4f}\t{name}"))
    tell(f"{output_name(output)}: {method} mixture of {len(parts)} models")


def _check_files_of_mix(models: tuple[str, ...], tune: str | None, output: Path) -> None:
    """Refuse what cannot be read or written, before anything is."""
    from windrow.files.sniff import is_arpa
    from windrow.lm.ngram.counts_text import check_compression
    from windrow.lm.storing import check_target

    check_target(output)
    if is_arpa(output):
        check_compression(output, "ARPA files")
    if [*models, tune].count("-") > 1:
        raise OptionError("standard input, '-', can be read once only; name files for the other MODELs or SOURCE")


def _parts_of_mix(models: tuple[str, ...], cache: int | None, **of_cache: Any) -> tuple[list[str], list[LanguageModel]]:
    """The models of a mixture, with what they are called."""
    from windrow.lm.cache import CacheLM
    from windrow.lm.mixture import MixtureLM

    parts = [load_model(path) for path in models]
    names = list(models)
    if cache is not None:
        named = {name: f"--cache-{name}" for name in ("order", "decay")}
        with naming_options({"size": "--cache", "across_documents": "--cache-documents", **named}):
            union = MixtureLM(parts).vocabulary
            parts.append(CacheLM(union, cache, predicts_end=parts[0].predicts_end, **of_cache))
        names.append(f"cache of {cache} words")
    if len(parts) < 2:
        raise OptionError("a mixture needs two models; name another MODEL, or add --cache WORDS")
    return names, parts

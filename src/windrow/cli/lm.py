"""``windrow lm``: the group of commands, and those that measure language models and convert them."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from windrow.cli.groups import LazyGroup
from windrow.cli.lm_files import check_one_stdin, load_model, skip_symbols_option
from windrow.cli.messages import tell
from windrow.cli.numbers import Number, WholeNumber
from windrow.cli.options import naming_options, sources_argument, text_options
from windrow.cli.paths import InputFile, OutputFile
from windrow.errors import OptionError

if TYPE_CHECKING:
    from windrow.evaluation.perplexity import Perplexity
    from windrow.lm.base import LanguageModel

_as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def _ngram() -> click.Command:
    from windrow.cli.train_ngram import train_ngram

    return train_ngram


def _class() -> click.Command:
    from windrow.cli.train_class import train_class

    return train_class


def _skip() -> click.Command:
    from windrow.cli.train_skip import train_skip

    return train_skip


def _window() -> click.Command:
    from windrow.cli.train_window import train_window

    return train_window


def _rnn() -> click.Command:
    from windrow.cli.train_rnn import train_rnn

    return train_rnn


def _plot() -> click.Command:
    from windrow.cli.plot_perplexities import plot

    return plot


def _buckets() -> click.Command:
    from windrow.cli.buckets import buckets

    return buckets


def _score() -> click.Command:
    from windrow.cli.score import score

    return score


def _select() -> click.Command:
    from windrow.cli.score import select

    return select


def _generate() -> click.Command:
    from windrow.cli.generate import generate

    return generate


def _mix() -> click.Command:
    from windrow.cli.mix_models import mix

    return mix


def _next() -> click.Command:
    from windrow.cli.lm_look import next_words

    return next_words


def _ngrams() -> click.Command:
    from windrow.cli.lm_look import ngrams

    return ngrams


def _vocab() -> click.Command:
    from windrow.cli.lm_look import vocab

    return vocab


def _add() -> click.Command:
    from windrow.cli.add_text import add

    return add


def _prune() -> click.Command:
    from windrow.cli.smaller_ngrams import prune

    return prune


def _filter() -> click.Command:
    from windrow.cli.smaller_ngrams import filter_words

    return filter_words


@click.group(
    "lm",
    cls=LazyGroup,
    later={
        "add": _add,
        "buckets": _buckets,
        "filter": _filter,
        "generate": _generate,
        "mix": _mix,
        "next": _next,
        "ngrams": _ngrams,
        "plot": _plot,
        "prune": _prune,
        "score": _score,
        "select": _select,
        "vocab": _vocab,
    },
)
def group() -> None:
    """Language models: train, measure, draw, score, generate, look into, mix, convert, make smaller, add text."""


@group.group(cls=LazyGroup, later={"ngram": _ngram, "class": _class, "skip": _skip, "window": _window, "rnn": _rnn})
def train() -> None:
    """Train a language model."""


@group.command(example="windrow lm perplexity toy-lm.safetensors toyland/test.txt")
@click.argument("model", type=InputFile())
@sources_argument
@text_options(as_trained=True)
@skip_symbols_option
@click.option(
    "--dynamic",
    type=Number(0, low_open=True, checks=False),
    metavar="RATE",
    help="Recurrent models: go on learning from SOURCE, at this rate.",
)
@_as_json
def perplexity(
    model: str, sources: tuple[str, ...], skip_symbols: bool, dynamic: float | None, as_json: bool, **text: Any
) -> None:
    """The perplexity of MODEL on SOURCEs: text (file, folder, glob, URL, -) or one folder made by `corpus build`."""
    from windrow.cli.as_trained import corpus_for

    check_one_stdin(model, *sources)
    opened = load_model(model)
    evaluate = opened.evaluate if dynamic is None else _learning(model, opened, dynamic)
    corpus = corpus_for(opened, model, sources, text)
    with naming_options({"dynamic_rate": "--dynamic"}):
        result = evaluate(corpus, skip_symbols=skip_symbols)
    if as_json:
        click.echo(json.dumps(result.to_json()))
        return
    click.echo(f"perplexity                {result.perplexity:.4f}")
    click.echo(f"perplexity excluding OOV  {result.perplexity_excluding_oov:.4f}")
    click.echo(f"log10 probability         {result.log10_prob:.4f}")
    click.echo(f"tokens                    {result.tokens:,}")
    click.echo(f"OOV                       {result.oov:,}")


def _learning(path: str, model: LanguageModel, rate: float) -> Callable[..., Perplexity]:
    """Dynamic evaluation."""
    from windrow.files.kinds import what_holds
    from windrow.lm.neural.recurrent import RecurrentLM

    if not isinstance(model, RecurrentLM):
        raise OptionError(f"{path} holds {what_holds(model.kind)}; --dynamic is for recurrent models")
    return partial(model.evaluate, dynamic_rate=rate)


@group.command(example="windrow lm convert small.safetensors small.arpa.gz")
@click.argument("source", type=InputFile())
@click.argument("target", type=OutputFile(stdout=True))
@click.option(
    "--quantize",
    type=WholeNumber(2, 8, checks=False),
    metavar="BITS",
    help="Round probabilities of n-grams to so many bits (8: half the size), or a network's output weights to 8 bits.",
)
@click.option(
    "--renormalize",
    is_flag=True,
    help="Compute the back-off weights of an n-gram model again, so that its probabilities sum to one.",
)
def convert(source: str, target: Path, quantize: int | None, renormalize: bool) -> None:
    """Convert an n-gram model between an ARPA file and windrow's own; or make any model smaller.

    TARGET is an ARPA file if it ends in .arpa or .lm, which .gz may follow, or is - for standard output.

    A linear mixture of n-gram models becomes a single one, as `lm mix -o FILE.arpa` makes it.
    """
    from windrow.cli.as_trained import warn_if_forgotten
    from windrow.files.compression import output_name
    from windrow.files.kinds import what_holds
    from windrow.lm.neural.base import NeuralLM
    from windrow.lm.ngram.model import NGramLM
    from windrow.lm.static_mixture import StaticMixture
    from windrow.lm.storing import check_target

    check_target(target)
    model = load_model(source)
    if isinstance(model, StaticMixture) and not model.unlike_ngrams:
        model = model.to_ngram()
    with naming_options({"quantize_bits": "--quantize"}):
        if isinstance(model, NGramLM):
            model = model.renormalized() if renormalize else model
            (model if quantize is None else model.quantized(quantize)).save(target)
            warn_if_forgotten(model, target)
            told = f"order {model.table_.order}, {sum(model.table_.sizes):,} n-grams"
        elif isinstance(model, NeuralLM) and quantize is not None and not renormalize:
            model.quantized(quantize).save(target)
            told = f"output weights of {quantize} bits"
        else:
            raise OptionError(
                f"{source} holds {what_holds(model.kind)}; only n-gram models are converted, linear mixtures of "
                "them, and networks with --quantize 8"
            )
    tell(f"{output_name(target)}: {told}")

"""``windrow lm``: measure language models, score and generate text, mix and convert them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from windrow.cli.groups import LazyGroup
from windrow.cli.lm_files import check_one_stdin, load_model, skip_symbols_option, warn_of_unknown
from windrow.cli.messages import tell
from windrow.cli.numbers import Number, WholeNumber
from windrow.cli.options import (
    check_used,
    naming_options,
    sources_argument,
    text_options,
)
from windrow.cli.paths import InputFile, OutputFile, Source
from windrow.cli.saving import ARPA_WRITTEN, save_model
from windrow.errors import OptionError, one_line
from windrow.estimator import GIVEN, Condition
from windrow.lm.settings import MOST_BEAMS, MOST_LENGTH_PENALTY, MOST_NEW_TOKENS, MOST_SEQUENCES, MOST_WORDS_HELD

if TYPE_CHECKING:
    from windrow.corpus import TextReader
    from windrow.evaluation.perplexity import Perplexity
    from windrow.lm.base import LanguageModel

_as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def _ngram() -> click.Command:
    from windrow.cli.train_ngram import train_ngram

    return train_ngram


def _class() -> click.Command:
    from windrow.cli.train_class import train_class

    return train_class


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


@group.group(cls=LazyGroup, later={"ngram": _ngram, "class": _class, "window": _window, "rnn": _rnn})
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


@group.command(
    example="windrow lm generate toy-lm.safetensors --prompt 'the king' --num-beams 4", option_for=lambda _: "--prompt"
)
@click.argument("model", type=InputFile())
@click.option("--prompt", default="", help="Words to go on from; without it a sentence from its beginning.")
@click.option(
    "--max-new-tokens",
    default=50,
    type=WholeNumber(1, MOST_NEW_TOKENS),
    show_default=True,
    help=f"At most {MOST_WORDS_HELD:,} of all sequences: they are held in memory.",
)
@click.option("--greedy", is_flag=True, help="The likeliest word each time, not a drawn one.")
@click.option(
    "--temperature",
    default=1.0,
    type=Number(0, low_open=True, checks=False),
    show_default=True,
    help="Below 1: likelier words more often.",
)
@click.option(
    "--top-k",
    default=0,
    type=WholeNumber(0, checks=False),
    show_default=True,
    help="Draw from the k likeliest words; 0: from all.",
)
@click.option(
    "--top-p",
    default=1.0,
    type=Number(0, 1, checks=False),
    show_default=True,
    help="Draw from the likeliest words that have this probability together.",
)
@click.option(
    "--num-beams",
    default=1,
    type=WholeNumber(1, MOST_BEAMS, checks=False),
    show_default=True,
    help="Above 1: beam search. Time and memory grow with them.",
)
@click.option(
    "--length-penalty",
    default=1.0,
    type=Number(-MOST_LENGTH_PENALTY, MOST_LENGTH_PENALTY, checks=False),
    show_default=True,
    help="Beams are compared by score / length^penalty.",
)
@click.option(
    "--num-return-sequences",
    default=1,
    type=WholeNumber(1, MOST_SEQUENCES, checks=False),
    show_default=True,
    help="How many texts: without drawing at most --num-beams.",
)
@click.option(
    "--repetition-penalty",
    default=1.0,
    type=Number(0, low_open=True, checks=False),
    show_default=True,
    help="Above 1: words seen before less often.",
)
@click.option(
    "--no-repeat-ngram-size",
    default=0,
    type=WholeNumber(0, checks=False),
    show_default=True,
    help="No n-gram of this size twice.",
)
@click.option("--seed", type=WholeNumber(0, checks=False), help="The same seed draws the same text.")
@click.option("--allow-unknown", is_flag=True, help="Let <unk> appear.")
@click.option("--strict", is_flag=True, help="Refuse a prompt with unknown words.")
@text_options("tokenizer", as_trained=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per text, with log10 probabilities.")
def generate(model: str, prompt: str, greedy: bool, as_json: bool, **options: Any) -> None:
    """Generate text, one line per sequence; a single one word by word as it is drawn.

    The prompt is read as in the model's training. Models of characters write characters, others words with spaces
    between them.
    """
    from windrow.cli.as_trained import read_as_trained

    one_beam: tuple[Condition, ...] = (("num_beams", (1,)),)
    drawn = (("greedy", (False,)), *one_beam)
    apart = {
        "greedy": one_beam,
        "length_penalty": (("num_beams", range(2, sys.maxsize)),),
        "strict": (("prompt", GIVEN),),
    }
    check_used(conditions={**dict.fromkeys(("temperature", "top_k", "top_p"), drawn), **apart})
    if greedy and (texts := options["num_return_sequences"]) > 1:
        beams = f", or try --num-beams {texts} in its place" * (texts <= MOST_BEAMS)
        raise OptionError(f"--greedy has one text, the same each time; leave it out to draw {texts:,}{beams}")
    opened = load_model(model)
    read_as_trained(opened, model, {"tokenizer": options.pop("tokenizer")}, needed=bool(prompt))
    sampling = options["num_beams"] == 1 and not greedy
    is_live = not as_json and options["num_beams"] == 1 and options["num_return_sequences"] == 1
    streamer = _Live(prompt, opened.reader) if is_live else None
    if not options["strict"]:  # before a line of text has begun
        warn_of_unknown(opened, prompt)
    with naming_options({"do_sample": "no --greedy"}):
        found = opened.generate(prompt, do_sample=sampling, streamer=streamer, **options)
    if streamer is not None:
        streamer.finish()
        return
    for generation in found:
        click.echo(json.dumps(generation.to_json()) if as_json else generation.text)


class _Live:
    """Prints the prompt, and each word as soon as it is drawn."""

    def __init__(self, prompt: str, reader: TextReader) -> None:
        self._reader = reader
        self._prompt = reader.words_of(prompt)
        self._last: str | None = None

    def __call__(self, word: str) -> None:
        if self._last is None:
            click.echo(self._reader.join([*self._prompt, word]), nl=False)
        else:  # what joining one more word adds
            before = len(self._reader.join([self._last]))
            click.echo(self._reader.join([self._last, word])[before:], nl=False)
        self._last = word
        sys.stdout.flush()

    def finish(self) -> None:
        """End the line; a prompt after which nothing came stands alone."""
        click.echo(self._reader.join(self._prompt) if self._last is None else "")


def _weights(_: click.Context, parameter: click.Parameter, value: str | None) -> tuple[float, ...] | None:
    try:
        return None if value is None else tuple(map(float, value.split(",")))
    except ValueError as error:
        raise OptionError(f"{parameter.opts[-1]} {value!r} must be numbers with commas between them") from error


@group.command(
    example="windrow lm mix toy-lm.safetensors toy-wb.safetensors --tune toyland/valid.txt -o mixed.safetensors"
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
    conditions = {**dict.fromkeys((*text, "skip_symbols"), of_text), "cache_order": of_cache, "cache_decay": of_cache}
    check_used(conditions=conditions)
    _check_files_of_mix(models, tune, output)
    names, parts = _parts_of_mix(models, cache, cache_order, cache_decay)
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


def _parts_of_mix(
    models: tuple[str, ...], cache: int | None, order: int, decay: float
) -> tuple[list[str], list[LanguageModel]]:
    """The models of a mixture, with what they are called."""
    from windrow.lm.cache import CacheLM
    from windrow.lm.mixture import MixtureLM

    parts = [load_model(path) for path in models]
    names = list(models)
    if cache is not None:
        with naming_options({"size": "--cache", "order": "--cache-order", "decay": "--cache-decay"}):
            union = MixtureLM(parts).vocabulary
            parts.append(CacheLM(union, cache, predicts_end=parts[0].predicts_end, order=order, decay=decay))
        names.append(f"cache of {cache} words")
    if len(parts) < 2:
        raise OptionError("a mixture needs two models; name another MODEL, or add --cache WORDS")
    return names, parts


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

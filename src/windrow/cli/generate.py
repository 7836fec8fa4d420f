"""``windrow lm generate``."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from windrow.cli.groups import command
from windrow.cli.lm_files import load_model, warn_of_unknown
from windrow.cli.numbers import Number, WholeNumber
from windrow.cli.options import check_used, naming_options, text_options
from windrow.cli.paths import InputFile
from windrow.errors import OptionError
from windrow.estimator import GIVEN, Condition
from windrow.lm.settings import MOST_BEAMS, MOST_LENGTH_PENALTY, MOST_NEW_TOKENS, MOST_SEQUENCES, MOST_WORDS_HELD

if TYPE_CHECKING:
    from windrow.corpus import TextReader


@command(
    "generate",
    example="windrow lm generate toy-lm.safetensors --prompt 'the king' --num-beams 4",
    option_for=lambda _: "--prompt",
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

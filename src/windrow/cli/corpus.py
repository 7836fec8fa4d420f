"""``windrow corpus``: build and inspect corpora, download public ones, generate Toyland, join phrases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from windrow.cli.fetching import fetch_and_tell, fetching_options, registry_option, show_entries
from windrow.cli.groups import LazyGroup
from windrow.cli.logs import bytes_bar
from windrow.cli.messages import tell
from windrow.cli.numbers import WholeNumber
from windrow.cli.options import sources_argument, text_options, text_source
from windrow.cli.paths import InputFile, OutputFolder
from windrow.cli.ray_cluster import ray_cluster, ray_options
from windrow.cli.saving import build_corpus

_as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def _phrases() -> click.Command:
    from windrow.cli.phrases import phrases

    return phrases


@click.group("corpus", cls=LazyGroup, later={"phrases": _phrases})
def group() -> None:
    """Build, inspect, download and generate corpora; join phrases."""


@group.command(example="windrow corpus build toyland/train.txt -o toy.corpus")
@sources_argument
@click.option("-o", "--output", required=True, type=OutputFolder(replaced=True), help="Folder to write.")
@text_options()
@click.option(
    "--min-count",
    default=1,
    show_default=True,
    type=WholeNumber(1, checks=False),
    help="Leave out words that occur fewer times than this.",
)
@click.option("--max-vocab", type=WholeNumber(1, checks=False), help="Keep only this many words, the most frequent.")
@ray_options
def build(sources: tuple[str, ...], output: Path, min_count: int, max_vocab: int | None, **text: Any) -> None:
    """Read SOURCEs in one pass and write them as word ids into a folder.

    SOURCE is a file (compressed or not), folder, glob, URL (http, https; by fsspec s3, gs, gcs, az, abfs, hf), or - for
    standard input. One line is one sentence, unless --sentences says otherwise.
    """
    from windrow.corpus import Corpus

    with ray_cluster(text) as cluster:
        given = {"min_count": min_count, "max_vocab": max_vocab, "ray": cluster.workers, **text}

        def build_in(folder: Path) -> Corpus:
            with bytes_bar("reading") as show:
                return Corpus.build(text_source(sources), folder, progress=show, **given)

        corpus = build_corpus(build_in, sources, output)
    tell(
        f"{output}: {corpus.tokens:,} tokens in {len(corpus):,} sentences, "
        f"a vocabulary of {len(corpus.vocabulary):,} words"
    )
    cluster.tell(corpus.tokens)


@group.command(example="windrow corpus info toy.corpus")
@click.argument("directory", metavar="DIR", type=InputFile())
@_as_json
def info(directory: str, as_json: bool) -> None:
    """Show what a corpus holds: tokens, sentences, types, coverage, the most frequent words."""
    from windrow.corpus import Corpus

    corpus = Corpus.open(directory)
    corpus.verify()
    facts = corpus.info()
    if as_json:
        click.echo(json.dumps(facts))
        return
    width = max(map(len, facts))
    for name, value in facts.items():
        click.echo(f"{name.replace('_', ' '):<{width}}  {readable(name, value)}")


@group.command("list", example="windrow corpus list")
@registry_option
@_as_json
def list_command(registry: str | None, as_json: bool) -> None:
    """List the public corpora that can be downloaded."""
    from windrow.corpus.registry import list_corpora

    show_entries(list_corpora(registry), as_json, "corpora")


@group.command("fetch", example="windrow corpus fetch text8 -o text8")
@click.argument("name")
@fetching_options
def fetch_command(name: str, output: Path | None, registry: str | None, **allowed: bool) -> None:
    """Download a public corpus, or resume its download. Prints the paths of its files.

    Each file is compared with the checksum and size that the registry states. Only https is used, unless --allow-http
    says otherwise.
    """
    from windrow.corpus.registry import fetch

    fetch_and_tell(fetch, name, output, registry=registry, **allowed)


@group.command(example="windrow corpus toyland -o toyland")
@click.option("-o", "--output", required=True, type=OutputFolder(), help="Folder to write.")
@click.option(
    "--sentences",
    type=WholeNumber(1, checks=False),
    help="Number of training sentences, at most 1,000,000.  [default: 25000]",
)
@click.option("--seed", type=WholeNumber(0, checks=False), help="Equal seeds give equal files.  [default: 1]")
def toyland(output: Path, **options: int | None) -> None:
    """Generate Toyland, a corpus with known answers: text, exact probabilities, analogies, entities."""
    from windrow.corpus.toyland import generate

    summary = generate(output, **{name: value for name, value in options.items() if value is not None})
    tell(
        f"{output}: {summary['sentences']['train']:,} training sentences, {summary['types']:,} different words; "
        f"the lowest perplexity that a model can have is {summary['perplexity']:.4f}"
    )


def readable(name: str, value: Any) -> str:
    """A fact about a file as people read it."""
    if name == "coverage":
        return f"{value:.2%}"
    if name == "most_frequent":
        return ", ".join(f"{word} {count:,}" for word, count in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name == "ngrams" and isinstance(value, list) and all(isinstance(one, int) for one in value):
        return f"{sum(value):,} (by length: {', '.join(f'{one:,}' for one in value)})"
    if isinstance(value, list):
        mark = ", " if all(isinstance(one, str) for one in value) else " "
        return mark.join(readable(name, one) for one in value) or "none"
    if isinstance(value, float):
        return f"{value:.6g}"
    return "none" if value is None else f"{value:,}" if isinstance(value, int) else str(value)

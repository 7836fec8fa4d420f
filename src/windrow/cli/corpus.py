"""``windrow corpus``: build and inspect corpora, download public ones, generate Toyland."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from windrow.cli.groups import LazyGroup
from windrow.cli.options import bytes_bar, sources_argument, text_options, text_source

_as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.group("corpus", cls=LazyGroup)
def group() -> None:
    """Build, inspect, download and generate corpora."""


@group.command()
@sources_argument
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder to write.")
@text_options()
@click.option("--min-count", default=1, show_default=True, type=int, help="Leave out words that occur less often.")
@click.option("--max-vocab", type=int, help="Keep only the most frequent words.")
def build(sources: tuple[str, ...], output: Path, min_count: int, max_vocab: int | None, **text: Any) -> None:
    """Read SOURCEs in one pass and write them as word ids into a folder.

    SOURCE is a file (compressed or not), folder, glob, URL, or - for standard input. One line is one sentence, unless
    --sentences says otherwise.
    """
    from windrow.corpus import Corpus

    with bytes_bar("reading") as show:
        corpus = Corpus.build(
            text_source(sources), output, min_count=min_count, max_vocab=max_vocab, progress=show, **text
        )
    click.echo(
        f"{output}: {corpus.tokens:,} tokens in {len(corpus):,} sentences, "
        f"a vocabulary of {len(corpus.vocabulary):,} words",
        err=True,
    )


@group.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@_as_json
def info(directory: Path, as_json: bool) -> None:
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
        click.echo(f"{name.replace('_', ' '):<{width}}  {_readable(name, value)}")


@group.command("list")
@click.option("--registry", type=click.Path(path_type=Path), help="Another registry of corpora, a TOML file.")
@_as_json
def list_command(registry: Path | None, as_json: bool) -> None:
    """List the public corpora that can be downloaded."""
    from windrow.corpus.registry import list_corpora

    corpora = list_corpora(registry)
    if as_json:
        # "licence" is the old name of "license", for programs that read it.
        more = [{"licence": corpus.license, "verifiable": corpus.verifiable} for corpus in corpora]
        rows = [asdict(corpus) | further for corpus, further in zip(corpora, more, strict=True)]
        click.echo(json.dumps({"corpora": rows}))
        return
    for corpus in corpora:
        checksum = "" if corpus.verifiable else "; no checksum known"
        click.echo(f"{corpus.name}: {corpus.description}")
        click.echo(f"    {corpus.size}; {corpus.license}{checksum}")


@group.command("fetch")
@click.argument("name")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder to write.  [default: ./NAME]")
@click.option("--registry", type=click.Path(path_type=Path), help="Another registry of corpora, a TOML file.")
def fetch_command(name: str, output: Path | None, registry: Path | None) -> None:
    """Download a public corpus, or resume its download. Prints the paths of its files."""
    from windrow.corpus.registry import fetch

    with bytes_bar(name) as show:
        files = fetch(name, output or Path(name), lambda _, done, total: show(done, total), registry)
    for file in files:
        click.echo(file.path)
        click.echo(f"{file.path.name}: SHA-256 {file.sha256}, {_verdict(file.verified)}", err=True)


@group.command()
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder to write.")
@click.option("--sentences", type=int, help="Number of training sentences, at most 1,000,000.  [default: 25000]")
@click.option("--seed", type=int, help="Equal seeds give equal files.  [default: 1]")
def toyland(output: Path, **options: int | None) -> None:
    """Generate Toyland, a corpus with known answers: text, exact probabilities, analogies, entities."""
    from windrow.corpus.toyland import generate

    summary = generate(output, **{name: value for name, value in options.items() if value is not None})
    click.echo(
        f"{output}: {summary['sentences']['train']:,} training sentences, {summary['types']:,} types; "
        f"no model has a perplexity below {summary['perplexity']:.4f}",
        err=True,
    )


def _readable(name: str, value: Any) -> str:
    if name == "coverage":
        return f"{value:.2%}"
    if name == "most_frequent":
        return ", ".join(f"{word} {count:,}" for word, count in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " ".join(map(str, value)) or "none"
    return "none" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _verdict(verified: bool) -> str:
    return "as the registry says" if verified else "not verified: the registry has no checksum for it"

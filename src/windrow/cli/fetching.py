"""What the commands share that list and download what a registry has: corpora and word vectors."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from windrow.cli.logs import bytes_bar
from windrow.cli.messages import tell
from windrow.cli.paths import InputFile, OutputFolder
from windrow.errors import one_line

if TYPE_CHECKING:
    from windrow.corpus.registry import FetchedFile, RegisteredCorpus

F = TypeVar("F", bound=Callable[..., Any])

registry_option = click.option("--registry", type=InputFile(), help="Another registry, a TOML file.")


def fetching_options(command: F) -> F:
    """Add the options of a download: output, registry, unverified, allow_http."""
    for option in (
        click.option("--allow-http", is_flag=True, help="Also ask mirrors that are not encrypted."),
        click.option("--unverified", is_flag=True, help="Also take files of which the registry knows no checksum."),
        registry_option,
        click.option("-o", "--output", type=OutputFolder(), help="Folder to write.  [default: ./NAME]"),
    ):
        command = option(command)
    return command


def show_entries(entries: Sequence[RegisteredCorpus], as_json: bool, key: str) -> None:
    """Print the entries of a registry; as JSON under ``key``."""
    if as_json:
        # "licence" is the old name of "license", for programs that read it.
        more = [{"licence": entry.license, "verifiable": entry.verifiable} for entry in entries]
        rows = [asdict(entry) | further for entry, further in zip(entries, more, strict=True)]
        click.echo(json.dumps({key: rows}))
        return
    for entry in entries:
        checksum = "" if entry.verifiable else "; no checksum known"
        click.echo(f"{entry.name}: {entry.description}")
        click.echo(f"    {entry.size}; {entry.license}{checksum}")


def fetch_and_tell(
    fetch: Callable[..., list[FetchedFile]], name: str, output: Path | None, **options: str | bool | None
) -> None:
    """Download an entry of a registry, print the paths of its files, and tell what is known of each."""
    with bytes_bar(name) as show:
        files = fetch(name, output or Path(name), lambda _, done, total: show(done, total), **options)
    for file in files:
        click.echo(one_line(str(file.path)))
        tell(f"{file.path.name}: SHA-256 {file.sha256}, {_verdict(file.verified)}")


def _verdict(verified: bool) -> str:
    if verified:
        return "as the registry says"
    return "not verified: the registry has no checksum for it; a registry of your own can state this one"

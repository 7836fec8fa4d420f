"""``windrow vectors fetch``: public word vectors by name."""

from __future__ import annotations

from pathlib import Path

import click

from windrow.cli.fetching import fetch_and_tell, fetching_options, show_entries
from windrow.cli.groups import command
from windrow.errors import OptionError


@command(example="windrow vectors fetch glove-6b")
@click.argument("name", required=False)
@fetching_options
@click.option("--json", "as_json", is_flag=True, help="Print the list as one JSON object.")
def fetch(name: str | None, output: Path | None, registry: str | None, as_json: bool, **allowed: bool) -> None:
    """Download public word vectors, or resume their download; without NAME list them. Prints the paths of the files.

    Each file is compared with the checksum and size that the registry states; one of which it knows no checksum is
    downloaded only with --unverified. Only https is used, unless --allow-http says otherwise.
    """
    from windrow.corpus.registry import fetch, list_corpora
    from windrow.embeddings.registry import REGISTRY

    registry = str(REGISTRY) if registry is None else registry
    if name is None:
        if output is not None or any(allowed.values()):
            raise OptionError("--output, --unverified and --allow-http are for a download; name what to fetch")
        show_entries(list_corpora(registry), as_json, "vectors")
    elif as_json:
        raise OptionError("--json is for the list; leave it out, or NAME")
    else:
        fetch_and_tell(fetch, name, output, registry=registry, **allowed)

"""``windrow verify``: compare files with their checksums."""

from __future__ import annotations

import click

from windrow.cli.groups import command
from windrow.cli.paths import InputFile
from windrow.errors import WindrowError


@command(example="windrow verify toy.corpus")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=InputFile())
def verify(files: tuple[str, ...]) -> None:
    """Compare models, checkpoints and corpus folders with the checksums in them.

    Prints one line per FILE: "FILE: OK"; what is damaged; or why there is nothing to compare with, as in files of an
    older windrow and of other formats. The exit status is 1 if one of them is damaged or cannot be read. Files of up to
    64 MB are compared whenever they are opened; this is for larger ones.
    """
    from windrow.files.writing import shortened
    from windrow.verification import why_unverified

    is_damaged = False
    for file in files:
        try:
            reason = why_unverified(file)
        except WindrowError as error:
            is_damaged = True
            click.echo(str(error))
        else:
            click.echo(f"{shortened(file)}: {f'no checksum: {reason}' if reason else 'OK'}")
    if is_damaged:
        raise click.exceptions.Exit(1)

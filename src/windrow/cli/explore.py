"""``windrow explore``: trained models in a browser."""

from __future__ import annotations

import click

from windrow.cli.groups import command
from windrow.cli.messages import tell
from windrow.cli.numbers import WholeNumber
from windrow.cli.paths import InputFile
from windrow.cli.vector_files import advising_to_convert


@command(example="windrow explore toy.safetensors toy-lm.safetensors")
@click.argument("files", nargs=-1, required=True, metavar="MODEL...", type=InputFile())
@click.option("--port", default=0, type=WholeNumber(0, 65535), help="Port to listen at.  [default: one that is free]")
@click.option("--analogies", metavar="FILE", type=InputFile(), help="Analogies in Google's format, to score vectors.")
@click.option("--similarity", metavar="FILE", type=InputFile(), help="Word pairs with human scores, to score vectors.")
@click.option("--open/--no-open", "open_browser", default=False, help="Open the page in the default browser.")
def explore(
    files: tuple[str, ...], port: int, analogies: str | None, similarity: str | None, open_browser: bool
) -> None:
    """Look at trained models in a browser: word vectors, language models, taggers and text classifiers.

    Prints the address of a page, which only this machine can open and only with the token in it. The page searches
    words, completes them, shows neighbors, analogies, scores and maps; colors a sentence by the surprise of each word,
    shows the likeliest next words, generates texts; highlights entities; and tells how each MODEL was trained. Ctrl-C
    stops.
    """
    from windrow.explore.opened import Opened
    from windrow.explore.scores import Questions
    from windrow.explore.server import Explorer

    questions = Questions.read(analogies, similarity)
    with advising_to_convert():
        opened = [Opened.of(file, questions) for file in files]
    explorer = Explorer(opened, port)
    click.echo(explorer.address)
    tell("Ctrl-C stops")
    if open_browser:
        click.launch(explorer.address)
    try:
        explorer.serve()
    except KeyboardInterrupt:  # the way to end it, and nothing is left undone
        tell("Stopped.")

"""``windrow lm train rnn``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from windrow.cli.train_neural import train, training_options
from windrow.lm import CELL_NAMES, STATE_NAMES


@click.command("rnn")
@training_options
@click.option("--cell", default="lstm", show_default=True, type=click.Choice(CELL_NAMES))
@click.option("--layers", default=1, show_default=True)
@click.option("--embedding", default=200, show_default=True, help="Numbers a word vector.")
@click.option("--hidden", default=200, show_default=True, help="Numbers a layer.")
@click.option(
    "--state",
    default="carry",
    show_default=True,
    type=click.Choice(STATE_NAMES),
    help="What is remembered at the end of a sentence: all, or nothing.",
)
@click.option("--bptt", default=35, show_default=True, help="Words that a step goes back.")
@click.option("--batch", default=20, show_default=True, help="Streams read side by side.")
@click.option("--clip", type=float, default=0.25, show_default=True, help="Longest gradient; inf: any.")
def train_rnn(source: str, target: Path, **options: Any) -> None:
    """Train a recurrent language model on SOURCE: text (file, folder, glob, URL, - ) or a `corpus build` folder.

    The state is in FILE.checkpoint after every epoch; the same command with --resume goes on from there.
    """
    from windrow.lm.neural.recurrent import RecurrentLM

    train(RecurrentLM, source, target, options)

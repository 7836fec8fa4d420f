"""``windrow lm train window``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from windrow.cli.train_neural import train, training_options


@click.command("window")
@training_options
@click.option("--order", default=5, show_default=True, help="Words in the window, the predicted one included.")
@click.option("--embedding", default=60, show_default=True, help="Numbers a word vector.")
@click.option("--hidden", default=100, show_default=True, help="Numbers in the hidden layer.")
@click.option("--direct", is_flag=True, help="The output layer also sees the word vectors.")
@click.option("--batch", default=512, show_default=True, help="Words a step.")
@click.option("--clip", type=float, help="Longest gradient.")
def train_window(source: str, target: Path, **options: Any) -> None:
    """Train a window language model on SOURCE: text (file, folder, glob, URL, - ) or a `corpus build` folder.

    The state is in FILE.checkpoint after every epoch; the same command with --resume goes on from there.
    """
    from windrow.lm.neural.window import WindowLM

    train(WindowLM, source, target, options)

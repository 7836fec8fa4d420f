"""``windrow lm train window``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from windrow.cli.train_neural import train, training_command
from windrow.lm.neural.settings import WINDOW_LM


@training_command(
    "window", WINDOW_LM, "windrow lm train window toyland/train.txt -o toy-window.safetensors --order 4 --epochs 2"
)
def train_window(sources: tuple[str, ...], output: Path, **options: Any) -> None:
    """Train a window language model on SOURCEs: text (file, folder, glob, URL, -) or one `corpus build` folder.

    The state is in FILE.checkpoint after every epoch (--help-all has other intervals); the same command with --resume
    goes on from there.
    """
    from windrow.lm.neural.window import WindowLM

    train(WindowLM, sources, output, options)

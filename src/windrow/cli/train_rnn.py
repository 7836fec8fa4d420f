"""``windrow lm train rnn``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from windrow.cli.train_neural import train, training_command
from windrow.lm.neural.settings import RECURRENT_LM


@training_command(
    "rnn",
    RECURRENT_LM,
    "windrow lm train rnn toyland/train.txt -o toy-rnn.safetensors --valid toyland/valid.txt --embedding 100 "
    "--hidden 100 --state reset --epochs 6 --lr 0.003",
)
def train_rnn(sources: tuple[str, ...], output: Path, **options: Any) -> None:
    """Train a recurrent language model on SOURCEs: text (file, folder, glob, URL, -) or one `corpus build` folder.

    The state is in FILE.checkpoint after every epoch (--help-all has other intervals); the same command with --resume
    goes on from there.
    """
    from windrow.lm.neural.recurrent import RecurrentLM

    train(RecurrentLM, sources, output, options)

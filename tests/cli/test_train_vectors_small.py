"""``windrow vectors train`` on text that is too small, or with a learning rate that is too high."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from windrow.cli import main


def train(folder: Path, text: str, *options: object) -> Result:
    (folder / "text.txt").write_text(text)
    arguments = ["vectors", "train", folder / "text.txt", "-o", folder / "new.safetensors", *options]
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_a_single_word_is_told(tmp_path: Path) -> None:
    trained = train(tmp_path, "a a a a a a\n" * 9)
    assert trained.exit_code == 0
    assert "the only word is 'a': there is nothing to tell it from; keep rarer words" in trained.stderr


def test_a_text_of_rare_words_names_the_option(tmp_path: Path) -> None:
    refused = train(tmp_path, "a b c a\n")
    assert refused.exit_code == 1
    assert "no word occurs 5 times" in refused.stderr
    assert "(the most frequent: 2 times); try --min-count 2, or give more text\n" in refused.stderr
    assert train(tmp_path, "a b c a b\n", "--min-count", 2).exit_code == 0
    assert "the most frequent: once" in train(tmp_path, "a b c\n").stderr


def test_epochs_without_a_word_to_train_on_are_told(tmp_path: Path) -> None:
    trained = train(tmp_path, "the queen said a word here\n", "--min-count", 1, "--workers", 1)
    assert trained.exit_code == 0
    told = r"Warning: no word was trained on in [34] of 5 epochs: all were sub-sampled; try --sample 0\n"
    assert re.match(told, trained.stderr)
    followed = train(tmp_path, "the queen said a word here\n", "--min-count", 1, "--workers", 1, "--sample", 0)
    assert "Warning" not in followed.stderr


@pytest.mark.parametrize("kernel", ["block", "pair"])
def test_divergence_names_options_and_writes_nothing(tmp_path: Path, kernel: str) -> None:
    options = ["--alpha", 10, "--min-alpha", 10, "--cbow-sum", "--loss", "softmax", "--sample", 0, "--kernel", kernel]
    diverged = train(tmp_path, "A C G T T G A C C A\n" * 500, "--model", "cbow", *options, "--workers", 1)
    assert diverged.exit_code == 1
    assert diverged.stderr.endswith(f"; try --alpha 1{' or --kernel pair' * (kernel == 'block')}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["text.txt"]

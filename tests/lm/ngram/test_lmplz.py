"""Models against those that lmplz made of the same text with the same options; see lmplz/README.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from tests.lm.ngram.test_estimation import read_arpa
from windrow.cli import main

FOLDER = Path(__file__).with_name("lmplz")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("vocab_pad", "--order 3 --discount-fallback --vocab-pad 50"),
        ("interpolate_unigrams_0", "--order 3 --discount-fallback --no-interpolate-unigrams"),
        ("discount_fallback", "--order 3 --discount-fallback --fallback-discounts 0.4,0.9,1.2"),
        (
            "limited_pad",
            f"--order 2 --discount-fallback --fallback-discounts 0.4,0.9,1.2 --vocab-pad 12 --vocab {FOLDER}/words.txt",
        ),
        ("pruned_0", "--order 2 --discount-fallback --no-interpolate-unigrams --prune 0,1"),
    ],
)
def test_the_command_makes_the_model_of_lmplz(name: str, options: str, tmp_path: Path) -> None:
    arguments: list[Any] = ["lm", "train", "ngram", FOLDER / "text.txt", "-o", tmp_path / "m.arpa", *options.split()]

    result = CliRunner().invoke(main, [*map(str, arguments), "--lmplz-compat"])

    assert result.exit_code == 0, result.stderr
    for ours, theirs in zip(read_arpa(tmp_path / "m.arpa"), read_arpa(FOLDER / f"{name}.arpa"), strict=True):
        assert ours.keys() == theirs.keys()
        found, expected = (np.array([level[gram] for gram in theirs]) for level in (ours, theirs))
        expected[:, 0][np.isneginf(expected[:, 0])] = -99  # as ARPA files have a probability of 0
        np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6)

"""pyctcdecode, a decoder of speech that imports kenlm, with windrow's models in kenlm's place: the same beams."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from windrow import NGramLM
from windrow.compat import kenlm as ours

kenlm = pytest.importorskip("kenlm", reason="kenlm builds on Linux with Python 3.11 and 3.12")
pytest.importorskip("pyctcdecode", reason="pyctcdecode asks for NumPy 1: install it with --no-deps, and pygtrie")

LETTERS = ["", " ", *"abcdeghnorst"]
TEXT = ["the cat sat on the road", "a dog had the bone", "the dog sat on a stone", "a cat ran to the dog"]
OPTIONS = {"alpha": 1.5, "beta": 0.2, "unk_score_offset": -3.0, "lm_score_boundary": False}


def decoder_with(module: Any, path: str, monkeypatch: pytest.MonkeyPatch, **options: Any) -> Any:
    """A decoder of a pyctcdecode that imports ``module`` as kenlm."""
    monkeypatch.setitem(sys.modules, "kenlm", module)
    for name in [name for name in sys.modules if name.partition(".")[0] == "pyctcdecode"]:
        monkeypatch.delitem(sys.modules, name)
    return importlib.import_module("pyctcdecode").build_ctcdecoder(LETTERS, path, **options)


def heard(text: str, seed: int) -> np.ndarray:
    """Made-up logits of a text: noise, with the right letter often likeliest, and a blank now and then."""
    dice = np.random.default_rng(seed)
    letters = [LETTERS.index(letter) for letter in text for _ in range(dice.integers(1, 3))]
    logits = dice.normal(size=(2 * len(letters), len(LETTERS)))
    logits[::2][np.arange(len(letters)), letters] += 3
    logits[1::2, 0] += 3
    return logits


@pytest.mark.parametrize("options", [{}, OPTIONS])
def test_beams_are_those_with_kenlm(options: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(tmp_path / "model.arpa")
    NGramLM(3, "witten-bell").fit(TEXT).save(path)
    found = []
    for module in (kenlm, ours):
        decoder = decoder_with(module, path, monkeypatch, **options)
        beams, state = [], None
        for seed, text in enumerate([*TEXT, "the goat had a boat"]):
            logits = heard(text, seed)
            beams.append([(beam[0], beam[-1]) for beam in decoder.decode_beams(logits, beam_width=10)[:10]])
            (best, state, *_), *_ = decoder.decode_beams(logits, beam_width=10, lm_start_state=state)  # goes on
            beams.append([(best, 0.0)])
        folder = tmp_path / module.__name__
        folder.mkdir()
        decoder.save_to_dir(str(folder))
        again = type(decoder).load_from_dir(str(folder))
        assert again.decode(logits, beam_width=10) == decoder.decode(logits, beam_width=10)
        found.append(beams)
    assert any("the" in beam[0][0] for beam in found[0])
    for theirs, mine in zip(*found, strict=True):
        assert [text for text, _ in mine] == [text for text, _ in theirs]
        np.testing.assert_allclose([score for _, score in mine], [score for _, score in theirs], atol=1e-4)

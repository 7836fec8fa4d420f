from __future__ import annotations

from pathlib import Path

import pytest

import peers
from data import COMMON, MODES, encode

OPTIONS = {**COMMON, "vector_size": 8, "min_count": 1, "epochs": 2, "workers": 1}
TEXT = "the cat sat on the mat and the dog sat on the log\n" * 20


def test_a_package_that_is_not_there_is_absent() -> None:
    assert peers.absence("no_such_package") == "no_such_package is not installed"
    assert peers.absence("numpy") == ""


def test_fasttext_is_absent_unless_it_is_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = {"fasttext": "0.9.3"}
    monkeypatch.setattr(peers, "find_spec", lambda name: object())
    monkeypatch.setattr(peers, "version_of", lambda name: installed.get(name, "absent"))
    assert "0.9.2" in peers.absence("fasttext")
    installed["fasttext"] = "0.9.2"
    assert peers.absence("fasttext") == ""


def test_parameters_are_looked_up_by_name() -> None:
    assert peers.windrow_parameter("block_size") == {"found": True}
    assert peers.windrow_parameter("no_such_parameter") == {"found": False}


@pytest.mark.parametrize("mode", ["skipgram-ns", "cbow-hs"])
@pytest.mark.parametrize("feed", ["lists", "corpus_file"])
def test_both_sides_count_the_same_words(tmp_path: Path, mode: str, feed: str) -> None:
    pytest.importorskip("gensim")  # which has no wheel for every Python
    lines, corpus = str(tmp_path / "lines.txt"), str(tmp_path / "text.corpus")
    Path(lines).write_text(TEXT)
    assert encode(lines, corpus)["words"] == len(TEXT.split())
    options = {**OPTIONS, **MODES[mode]}
    for figures in (peers.train_windrow(corpus, options), peers.train_gensim(lines, options, feed)):
        assert figures["words_per_second"] * figures["seconds"] == pytest.approx(2 * len(TEXT.split()))

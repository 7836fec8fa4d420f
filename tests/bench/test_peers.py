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
    installed = {"fasttext": "0.9.3", "fasttext-wheel": "0.9.2"}
    monkeypatch.setattr(peers, "find_spec", lambda name: object())
    monkeypatch.setattr(peers, "version_of", lambda name: installed.get(name, "absent"))
    assert "fasttext-community" in peers.absence("fasttext")
    installed["fasttext-community"] = "0.11.9"
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


@pytest.mark.parametrize("sg", [0, 1])
@pytest.mark.parametrize("loss", ["ns", "hs", "softmax"])
def test_fasttext_trains_every_word(tmp_path: Path, sg: int, loss: str) -> None:
    """A table of which only a part was initialized trains, too, but what it costs tells nothing."""
    pytest.importorskip("fasttext", reason="fastText is of the bench extra")
    lines = tmp_path / "lines.txt"
    lines.write_text(TEXT)
    options = {**OPTIONS, **MODES["cbow-ns"], "sample": 1, "sg": sg, "loss": loss}
    start, end = (peers.fasttext_model(str(lines), options, epochs) for epochs in (0, 2))
    before, after = (model.get_input_matrix() for model in (start, end))
    assert set(start.words) == {*TEXT.split(), "</s>"}
    assert (abs(before) <= 1 / OPTIONS["vector_size"]).all()
    assert (before != 0).any(axis=1).all()
    assert (before != after).any(axis=1).all()
    figures = peers.train_fasttext(str(lines), options, len(TEXT.split()))
    assert figures["words_per_second"] * figures["seconds"] == pytest.approx(2 * len(TEXT.split()))


@pytest.mark.parametrize("mode", ["skipgram-ns", "cbow-hs"])
def test_word2vec_c_writes_a_vector_for_every_word(tmp_path: Path, mode: str) -> None:
    pytest.importorskip("word2vec", reason="word2vec.c is of the bench extra")
    lines, program = tmp_path / "lines.txt", tmp_path / "word2vec"
    lines.write_text(TEXT * 50)  # its rate is of whole hundredths of a second
    peers.compile_word2vec_c(str(program))
    figures = peers.train_word2vec_c(str(program), str(lines), {**OPTIONS, **MODES[mode]}, words=13_000)
    assert figures["words_per_second"] * figures["seconds"] == pytest.approx(2 * 13_000)
    written = (tmp_path / "word2vec.vectors").read_bytes()
    words, size = map(int, written.partition(b"\n")[0].split())
    assert (words, size) == (len({*TEXT.split(), "</s>"}), OPTIONS["vector_size"])

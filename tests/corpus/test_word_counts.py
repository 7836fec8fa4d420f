"""Lists of words and counts, and corpora of their words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import windrow
from windrow import Corpus, Vocabulary, Word2Vec
from windrow.cli import main
from windrow.corpus.word_counts import read_word_counts, write_word_counts
from windrow.errors import DataError, OptionError

TEXT = ["the cat sat on the mat", "a dog saw the cat", "the dog sat"] * 4


@given(st.dictionaries(st.text("abcé中", min_size=1), st.integers(0, 10**18 - 1), min_size=1))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, counts: dict[str, int]) -> None:
    path = tmp_path_factory.mktemp("counts") / "counts.txt.gz"
    vocabulary = Vocabulary.from_counts(list(counts), list(counts.values()))
    if len(vocabulary):
        write_word_counts(vocabulary, path)
        read = read_word_counts(path)
        assert (read.words, read.counts.tolist()) == (vocabulary.words, vocabulary.counts.tolist())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("the 3\ncat\n", "counts, line 2: expected a word and its count, got 'cat'"),
        ("the 3\n\nnew york 2\n", "counts, line 3: expected a word and its count, got 'new york 2'"),
        ("the -3\n", "line 1: expected a word and its count"),
        ("the 3.5\n", "line 1: expected a word and its count"),
        ("the ٣\n", "line 1: expected a word and its count"),
        (f"the {'9' * 19}\n", "line 1: expected a word and its count"),
        ("the 3\ncat 2\nthe 1\n", "line 3: the word 'the' is there twice; take one out"),
        ("</s> 7\n", "there is no word in it"),
        ("", "there is no word in it"),
    ],
)
def test_malformed_lists(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "counts").write_text(text)
    with pytest.raises(DataError, match=told):
        read_word_counts(tmp_path / "counts")


def test_a_corpus_has_the_words_of_a_given_vocabulary_with_its_counts() -> None:
    vocabulary = Vocabulary(["mat", "unheard", "the"], np.array([9, 5, 2]))
    corpus = Corpus.build(TEXT[:3], vocabulary=vocabulary)
    assert corpus.vocabulary.words == vocabulary.words
    assert corpus.vocabulary.counts.tolist() == [9, 5, 2]
    assert list(corpus.sentences()) == [["the", "the", "mat"], ["the"], ["the"]]
    assert (corpus.tokens, corpus.info()["coverage"]) == (14, 5 / 14)
    with pytest.raises(DataError, match="no word of it is in the vocabulary; are both cut into words alike"):
        Corpus.build(["x y"], vocabulary=vocabulary)
    with pytest.raises(OptionError, match="leave out specials, min_count and max_vocab"):
        Corpus.build(TEXT, vocabulary=vocabulary, min_count=2)
    with pytest.raises(OptionError, match="vocabulary must be a Vocabulary, not list"):
        Corpus.build(TEXT, vocabulary=["the"])  # type: ignore[arg-type]


def test_the_own_vocabulary_of_a_text_changes_nothing() -> None:
    plain = Corpus.build(TEXT, min_count=2)
    given_back = Corpus.build(TEXT, vocabulary=plain.vocabulary)
    assert given_back.fingerprint == plain.fingerprint


def test_training_saves_and_reads_vocabularies(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("\n".join(TEXT))
    train = [
        "vectors",
        "train",
        str(tmp_path / "text"),
        "--size",
        "4",
        "--epochs",
        "2",
        "--workers",
        "1",
        "--sample",
        "0",
    ]

    def run(name: str, *options: object) -> str:
        result = CliRunner().invoke(main, [*train, "-o", str(tmp_path / name), *map(str, options)])
        return result.stderr if result.exit_code else ""

    counts = tmp_path / "counts"
    assert run("a.safetensors", "--min-count", 8, "--save-vocab", counts) == ""
    assert counts.read_text().startswith("the 16\n")
    assert sorted(counts.read_text().split("\n")) == ["", "cat 8", "dog 8", "sat 8", "the 16"]
    assert run("b.safetensors", "--min-count", 1, "--read-vocab", counts) == ""
    first, second = (windrow.load(tmp_path / name) for name in ("a.safetensors", "b.safetensors"))
    assert first.index_to_key == second.index_to_key
    np.testing.assert_array_equal(first.vectors, second.vectors)  # the same words at the same places of the text
    expected = Word2Vec(vector_size=4, epochs=2, sg=1, workers=1, min_count=1, sample=0).fit(
        Corpus.build(TEXT, vocabulary=read_word_counts(counts))
    )
    np.testing.assert_array_equal(expected.wv.vectors, second.vectors)
    assert "its words are fixed" in _refused(tmp_path, counts)
    assert "is read and written" in run("c.safetensors", "--read-vocab", counts, "--save-vocab", counts)


def _refused(folder: Path, counts: Path) -> str:
    Corpus.build(TEXT, folder / "corpus")
    arguments = ["vectors", "train", folder / "corpus", "-o", folder / "x.txt", "--read-vocab", counts]
    return CliRunner().invoke(main, list(map(str, arguments))).stderr

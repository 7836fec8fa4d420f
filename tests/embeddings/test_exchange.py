"""Files of word2vec with gensim's options, and gensim's own tables: each side reads what the other writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from windrow.embeddings.vectors import WordVectors
from windrow.errors import DataError, FormatError, MissingWordError, OptionError

models = pytest.importorskip("gensim.models", reason="gensim has no wheel for this Python")
KeyedVectors, Word2Vec = models.KeyedVectors, models.Word2Vec

WORDS = ["ash", "Öl", "oak", "elm"]
ROWS = np.random.default_rng(1).normal(size=(4, 3)).astype(np.float32)
COUNTS = np.array([3, 9, 1, 9])


@pytest.fixture
def wv() -> WordVectors:
    return WordVectors(WORDS, ROWS, COUNTS)


@pytest.fixture
def theirs() -> KeyedVectors:
    table = KeyedVectors(3)
    table.add_vectors(WORDS, ROWS)
    for word, count in zip(WORDS, COUNTS.tolist(), strict=True):
        table.set_vecattr(word, "count", count)
    return table


def assert_same_table(mine: Any, other: Any) -> None:
    assert list(mine.index_to_key) == list(other.index_to_key)
    np.testing.assert_array_equal(mine.vectors, other.vectors)


WRITING = {
    "text": {},
    "binary": {"binary": True},
    "no header": {"write_header": False},
    "with a prefix": {"prefix": "*dt_"},
}


@pytest.mark.parametrize("how", WRITING.values(), ids=WRITING)
@pytest.mark.parametrize("name", ["v.txt", "v.of.mine", "v.gz"])
def test_both_write_what_both_read(
    how: dict[str, Any], name: str, wv: WordVectors, theirs: KeyedVectors, tmp_path: Path
) -> None:
    """With the most frequent words first; of equal counts the first word."""
    reading = {"binary": "binary" in how, "no_header": "write_header" in how}
    tables = []
    for table in (wv, theirs):
        table.save_word2vec_format(str(tmp_path / name), **how)
        tables += [kind.load_word2vec_format(str(tmp_path / name), **reading) for kind in (WordVectors, KeyedVectors)]
    prefix = how.get("prefix", "")
    assert list(tables[0].index_to_key) == [prefix + word for word in ("Öl", "elm", "ash", "oak")]
    for table in tables[1:]:
        assert_same_table(tables[0], table)


def test_words_of_equal_counts_stay_in_their_order(tmp_path: Path) -> None:
    words, counts = [f"w{row}" for row in range(90)], np.random.default_rng(5).integers(3, size=90)
    wv = WordVectors(words, np.ones((90, 1), np.float32), counts)
    for table, name in ((wv, "mine"), (wv.to_gensim(), "theirs")):
        table.save_word2vec_format(str(tmp_path / name))
    assert (tmp_path / "mine").read_bytes() == (tmp_path / "theirs").read_bytes()


def test_counts_in_a_second_file(wv: WordVectors, theirs: KeyedVectors, tmp_path: Path) -> None:
    for table, name in ((wv, "mine"), (theirs, "theirs")):
        table.save_word2vec_format(str(tmp_path / f"{name}.txt"), fvocab=str(tmp_path / f"{name}.counts"))
    assert (tmp_path / "mine.counts").read_bytes() == (tmp_path / "theirs.counts").read_bytes()
    read = WordVectors.load_word2vec_format(tmp_path / "mine.txt", fvocab=tmp_path / "theirs.counts")
    assert read.counts is not None
    assert read.counts.tolist() == [9, 9, 3, 1]


def test_another_attribute_to_sort_by(wv: WordVectors, tmp_path: Path) -> None:
    for word, value in zip(WORDS, (0.5, 2, -1, 7), strict=True):
        wv.set_vecattr(word, "weight", value)
    wv.save_word2vec_format(tmp_path / "v.txt", sort_attr="weight")
    assert WordVectors.load(tmp_path / "v.txt").index_to_key == ["elm", "Öl", "ash", "oak"]
    wv.set_vecattr("ash", "weight", "heavy")
    with pytest.raises(OptionError, match="not every word has a number there"):
        wv.save_word2vec_format(tmp_path / "v.txt", sort_attr="weight")


def test_limit_and_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_bytes(b"3 2\nash 1 2\ncaf\xe9 3 4\nelm 5 6\n")
    read = WordVectors.load_word2vec_format
    assert read(tmp_path / "v.txt", limit=1).index_to_key == ["ash"]
    assert read(tmp_path / "v.txt", unicode_errors="replace").index_to_key == ["ash", "caf\ufffd", "elm"]
    assert read(tmp_path / "v.txt", unicode_errors="ignore").index_to_key == ["ash", "caf", "elm"]
    with pytest.raises(FormatError, match="is not UTF-8; try unicode_errors='replace' or unicode_errors='ignore'"):
        read(tmp_path / "v.txt")


def test_vectors_of_known_words_are_taken(wv: WordVectors, theirs: KeyedVectors, tmp_path: Path) -> None:
    other = WordVectors(["elm", "fig", "ash"], np.arange(9, dtype=np.float32).reshape(3, 3))
    for binary in (False, True):
        other.save_word2vec_format(tmp_path / "v", binary=binary)
        wv.intersect_word2vec_format(tmp_path / "v", binary=binary)
        assert wv["elm"].tolist() == [0, 1, 2]
        assert wv["ash"].tolist() == [6, 7, 8]
        np.testing.assert_array_equal(wv["oak"], ROWS[2])
        assert "fig" not in wv
    other.save_word2vec_format(tmp_path / "v")
    theirs.vectors_lockf = np.ones(4, np.float32)
    theirs.intersect_word2vec_format(str(tmp_path / "v"))
    assert_same_table(wv, theirs)


REFUSED: list[tuple[Callable[[WordVectors, Path], Any], type[Exception], str]] = [
    (lambda wv, p: wv.load_word2vec_format(p / "t", encoding="latin-1"), OptionError, "read as UTF-8; convert"),
    (lambda wv, p: wv.load_word2vec_format(p / "t", datatype=np.float64), OptionError, "numbers are float32 here"),
    (lambda wv, p: wv.load_word2vec_format(p / "t", binary=True, no_header=True), OptionError, "no_header is for text"),
    (lambda wv, p: wv.load_word2vec_format(p / "t", binary=True), FormatError, "not its binary; say binary=False"),
    (lambda wv, p: wv.load_word2vec_format(p / "g"), FormatError, "no header .*say no_header=True"),
    (lambda wv, p: wv.load_word2vec_format(p / "twice"), FormatError, "duplicates='first'"),
    (lambda wv, p: wv.load_word2vec_format(p / "t", limit=0), OptionError, "limit = 0"),
    (lambda wv, p: wv.load_word2vec_format(p / "t", fvocab=p / "few"), DataError, "lacks the count of 'elm'"),
    (lambda wv, p: wv.load_word2vec_format(p / "t", fvocab=p / "t"), FormatError, "line 2: expected a word and its"),
    (
        lambda wv, p: wv.load_word2vec_format(p / "t", fvocab=p / "l1"),
        FormatError,
        "line 1: .* not UTF-8; try unicode_",
    ),
    (lambda wv, p: wv.save_word2vec_format(p / "x", append=True), OptionError, "append: files are written whole"),
    (lambda wv, p: wv.save_word2vec_format(p / "x", total_vec=9), OptionError, "total_vec = 9, but there are 4"),
    (lambda wv, p: wv.save_word2vec_format(p / "x", binary=True, write_header=False), OptionError, "is for text"),
    (lambda wv, p: wv.save_word2vec_format(p / "x", sort_attr="size"), OptionError, "'size' was not set for any word"),
    (lambda wv, p: wv.head(2).save_word2vec_format("https://a/b"), DataError, "https"),
    (lambda wv, p: wv.intersect_word2vec_format(p / "t", lockf=0.0), OptionError, "freeze words in the training"),
    (lambda wv, p: wv.intersect_word2vec_format(p / "t"), OptionError, r"shape \(words, 3\), got \(2, 2\)"),
    (lambda wv, p: wv.intersect_word2vec_format(p / "u"), FormatError, "none of the 4 words"),
    (lambda wv, p: WordVectors.from_gensim({"a": 1}), OptionError, "a dict is no table of vectors; give a KeyedV"),
    (lambda wv, p: WordVectors.from_gensim(KeyedVectors(3)), OptionError, "neither 0"),
]


@pytest.mark.parametrize(("ask", "kind", "message"), REFUSED, ids=[message[:30] for _, _, message in REFUSED])
def test_what_is_refused(
    ask: Callable[[WordVectors, Path], Any], kind: type[Exception], message: str, wv: WordVectors, tmp_path: Path
) -> None:
    (tmp_path / "t").write_text("2 2\nash 1.000000 2.000000\nelm 3.000000 4.000000\n")
    (tmp_path / "u").write_text("1 2\nfig 1 2\n")
    (tmp_path / "g").write_text("ash 1 2\nelm 3 4\n")
    (tmp_path / "twice").write_text("2 2\nash 1 2\nash 3 4\n")
    (tmp_path / "few").write_text("ash 5\n")
    (tmp_path / "l1").write_bytes(b"caf\xe9 5\n")
    with pytest.raises(kind, match=message):
        ask(wv, tmp_path)
    np.testing.assert_array_equal(wv.vectors, ROWS)


def test_counts_are_needed_for_a_file_of_counts(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="fvocab needs counts"):
        WordVectors(WORDS, ROWS).save_word2vec_format(tmp_path / "x", fvocab=tmp_path / "y")
    assert not list(tmp_path.iterdir())


def test_tables_come_from_gensim_and_go_there(wv: WordVectors, theirs: KeyedVectors) -> None:
    for mine, other in ((WordVectors.from_gensim(theirs), wv), (WordVectors.from_gensim(wv.to_gensim()), wv)):
        assert_same_table(mine, other)
        assert mine.counts is not None
        assert mine.counts.tolist() == COUNTS.tolist()
    there = wv.to_gensim()
    assert isinstance(there, KeyedVectors)
    assert there.get_vecattr("Öl", "count") == 9
    assert [word for word, _ in there.most_similar("ash")] == [word for word, _ in wv.most_similar("ash")]
    assert WordVectors.from_gensim(WordVectors(WORDS, ROWS).to_gensim()).counts is None


def test_copies_of_gensims_tables_do_not_change_with_them(theirs: KeyedVectors) -> None:
    mine = WordVectors.from_gensim(theirs)
    theirs.vectors[0] = 9
    np.testing.assert_array_equal(mine["ash"], ROWS[0])
    with pytest.raises(MissingWordError):
        mine["fig"]


def test_a_model_is_not_its_table() -> None:
    model = Word2Vec([["ash", "elm"]] * 9, vector_size=2, min_count=1, epochs=1)
    with pytest.raises(OptionError, match="a Word2Vec is no table of vectors; give its wv"):
        WordVectors.from_gensim(model)
    assert WordVectors.from_gensim(model.wv).counts is not None

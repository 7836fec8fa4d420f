"""How texts and labels become numbers: the same words as each text by itself has, whatever cuts them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow.classification import numbered
from windrow.classification.numbered import Numbered
from windrow.classification.texts import read_labelled, read_texts, read_unlabelled, split_labels
from windrow.corpus import TextReader
from windrow.errors import DataError

READERS = {
    "whitespace": TextReader(),
    "lower case": TextReader(lowercase=True),
    "word": TextReader(tokenizer="word"),
    "word, lower case, NFKC": TextReader(tokenizer="word", lowercase=True, normalize="nfkc"),
    "Turkish, NFC": TextReader(lowercase=True, language="tr", normalize="nfc"),
    "char": TextReader(tokenizer="char", lowercase=True),
    "own": TextReader(tokenizer=lambda text: text.replace("-", " ").split()),
}
# Line ends and other white space, final sigmas, what normalization takes apart or joins, joiners, labels, half a pair.
PIECES = (
    *("a", "Ab", "ΟΔΟΣ", "I", "İ", "i\u0307", "\u0301", "e\u0301", "\u00a8", "ﬁ", "'", "-", "_", "😀", "\u200d"),
    *("9\ufe0f", " ", "  ", "\n", "\r\n", "\t", "\u3000", "\x1c", "#x", " #Y", "#", " # ", "</s>", "\0", "\ud800"),
)  # fmt: skip


def texts_for(reader: TextReader) -> st.SearchStrategy[list[str]]:
    """A tokenizer of one's own gets no half of a pair: its tokens are checked."""
    pieces = st.sampled_from(PIECES[: len(PIECES) - callable(reader.tokenizer)])
    return st.lists(st.lists(pieces, max_size=8).map("".join), max_size=6)


@pytest.fixture(params=[0, 1 << 14], ids=["kernel", "python"])
def kernel_from(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(numbered, "_KERNEL_FROM", request.param)
    return int(request.param)


@pytest.mark.parametrize("name", READERS)
def test_words_of_texts_are_those_of_each(kernel_from: int, name: str) -> None:
    reader = READERS[name]

    @given(texts_for(reader))
    @settings(max_examples=60, deadline=None)
    def check(texts: list[str]) -> None:
        found = read_texts(texts, reader)
        assert list(found.to_lists()) == [reader.tokens(text) for text in texts]
        assert len(set(found.words)) == len(found.words)

    check()


@pytest.mark.parametrize("name", READERS)
def test_labels_among_the_words_are_those_of_each_text(kernel_from: int, name: str) -> None:
    reader = READERS[name]

    @given(texts_for(reader))
    @settings(max_examples=60, deadline=None)
    def check(texts: list[str]) -> None:
        expected = [split_labels(text, reader, "#") for text in texts]
        assert list(read_unlabelled(texts, reader, "#").to_lists()) == [words for _, words in expected]
        if any(labels for labels, _ in expected):
            found = read_labelled(texts, None, reader, "#")
            pairs = list(zip(found.labels.to_lists(), found.texts.to_lists(), strict=True))
            assert pairs == [(labels, words) for labels, words in expected if labels or words]
        else:
            with pytest.raises(DataError, match=r"no label|is empty"):
                read_labelled(texts, None, reader, "#")

    check()


def test_tokens_are_taken_as_they_are_but_for_their_case() -> None:
    reader = TextReader(tokenizer="word", lowercase=True)
    found = read_texts(["A dog, old", ["Red", "wine,"]], reader)

    assert list(found.to_lists()) == [["a", "dog", "old"], ["red", "wine,"]]


@pytest.mark.parametrize("name", ["whitespace", "word, lower case, NFKC", "char"])
def test_a_file_is_its_lines(kernel_from: int, name: str, tmp_path: Path) -> None:
    """Blank lines apart; also where a line is cut by the reading, and the words by the hash table's first size."""
    lines = [f"#even Line{number} ΟΔΟΣ\u3000 xyz #b" if number % 3 else "" for number in range(9000)]
    (tmp_path / "a.txt").write_text("\r\n".join(lines))
    by_lines = read_labelled(lines, None, READERS[name], "#")
    by_file = read_labelled(tmp_path / "a.txt", None, READERS[name], "#")

    assert len(by_file.texts) == 6000
    assert list(by_file.texts.to_lists()) == list(by_lines.texts.to_lists())
    assert list(by_file.labels.to_lists()) == [["even", "b"]] * 6000


def test_words_are_replaced_by_several_or_none() -> None:
    lists = [["b", "a"], [], ["c", "b"]]
    found = Numbered.of_lists(lists)
    by = Numbered.of_lists([["y", "x"], [], ["y"]])  # of b, a, c

    assert list(found.replaced(by.words, by.lists).to_lists()) == [["y", "x"], [], ["y", "y", "x"]]

"""The kernel gives the corpus that Python gives, whatever the text and wherever it is cut."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.naive import tokenize as naive
from windrow import Corpus
from windrow.corpus import numbering, streams, tokenizers
from windrow.errors import DataError, WindrowError
from windrow.files.leftovers import MARKER

NEVER = sys.maxsize
SPACES = " \t\n\r\x0b\x1c\x1f\x85\xa0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000"
# Letters of one to four bytes, some that change under lower case, a byte order mark, and what is nearly white space.
LETTERS = "abΣσςİÉé\u0301\u200b\ufeff\u3001漢😀\x08\x1b"  # noqa: RUF001

texts = st.text(st.sampled_from(SPACES + "\n\r " + LETTERS + "abc"), max_size=80)
pieces_of_bytes = st.sampled_from([b"\xff", b"\xe2\x80", b"\xc2", b"\xed\xa0\x80", b"\xf0\x9f", b"\xc0\x80", b"\r\n"])
byte_texts = st.lists(st.one_of(texts.map(str.encode), st.binary(max_size=3), pieces_of_bytes)).map(b"".join)
cuts = st.fixed_dictionaries({"chunk_bytes": st.integers(1, 9), "batch_chars": st.integers(1, 20)})
options = st.fixed_dictionaries(
    {
        "lowercase": st.booleans(),
        "min_count": st.integers(1, 2),
        "max_vocab": st.sampled_from([None, 4]),
        "specials": st.sampled_from([(), ("<unk>",), ("a", "<s>"), ("<s>", "é", "<unk>")]),
    }
)


def built(source, kernel_from: int, chunk_bytes: int = 1 << 22, batch_chars: int = 1 << 16, **options):
    """The files of a corpus, or the message that it cannot be built; the tables start with room for one word."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numbering, "KERNEL_FROM", kernel_from)
        patch.setattr(numbering, "_FIRST_WORDS", 1)
        patch.setattr(numbering, "_FIRST_BYTES", 1)
        patch.setattr(numbering, "_MOST_IDS", 5)
        patch.setattr(numbering, "_MOST_ENDS", 2)
        patch.setattr(streams, "CHUNK_BYTES", chunk_bytes)
        patch.setattr(tokenizers, "BATCH_CHARS", batch_chars)
        try:
            corpus = Corpus.build(source, **options)
        except WindrowError as error:
            return type(error), str(error)
    return contents(corpus)


def contents(corpus: Corpus) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in corpus.path.iterdir() if path.name != MARKER}


@settings(max_examples=120, deadline=None)
@given(byte_texts, st.sampled_from(["strict", "replace", "ignore"]), st.integers(0, 40), cuts, options)
@example("\ufeffa\r\nΣΣ b".encode(), "strict", 0, {"chunk_bytes": 1, "batch_chars": 1}, {"lowercase": True})
@example(b"a b\r\n\xe2\x80", "strict", 0, {"chunk_bytes": 2, "batch_chars": 1}, {})
@example(b"a a\ra a", "strict", 0, {"chunk_bytes": 1, "batch_chars": 1}, {})
@example(b"a\0b", "ignore", 0, {"chunk_bytes": 2, "batch_chars": 1}, {})
def test_files_of_any_bytes(tmp_path_factory, content, errors, kernel_from, cuts, options):
    path = tmp_path_factory.getbasetemp() / "bytes.txt"
    path.write_bytes(content)
    # Where a block has two faults, its end decides which is told, and carriage returns alone are seen in the first one.
    in_python = cuts if b"\0" in content or b"\r" in content else {}

    ours = built(path, kernel_from, **cuts, errors=errors, **options)

    assert ours == built(path, NEVER, **in_python, errors=errors, **options)


@pytest.mark.filterwarnings("ignore:.*is a single word:windrow.errors.DataWarning")
@settings(max_examples=80, deadline=None)
@given(st.lists(st.one_of(texts, texts.map(str.split))), st.integers(0, 40), cuts, options)
@example([["A\0", "ΣΣ"], "b c", [], ["d"]], 3, {"chunk_bytes": 1, "batch_chars": 1}, {"lowercase": True})
def test_strings_and_lists_of_tokens(items, kernel_from, cuts, options):
    assert built(items, kernel_from, **cuts, **options) == built(items, NEVER, **options)


@settings(max_examples=80, deadline=None)
@given(texts.map(lambda text: text + "\n"), st.sampled_from([0, 20, NEVER]), st.lists(st.integers(0, 9)))
def test_words_are_numbered_as_they_are_first_seen(text, kernel_from, lengths):
    seen, ids, ends = numbering.SeenWords(), [], []
    pieces = [text[start : start + 7] for start in range(0, len(text), 7)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numbering, "KERNEL_FROM", kernel_from)
        patch.setattr(tokenizers, "BATCH_CHARS", 1)

        for batch in seen.number(pieces, tokenizers.find_tokenizer("whitespace"), folds=False):
            ends += (len(ids) + batch.ends).tolist()
            ids += batch.ids.tolist()

    assert naive.Numbered(ids, ends, seen.words(), seen.counts.tolist()) == naive.tokenize(text)


def test_words_of_a_user_are_not_those_of_the_kernel():
    """A callable that splits at white space has a name of its own in the corpus, and stays in Python."""
    whole = tokenizers.find_tokenizer(str.split)

    assert whole.split is not str.split
    assert tokenizers.find_tokenizer("whitespace").split is str.split


@pytest.mark.parametrize("begin", [b"", b"a ", b"\n\n"])
def test_words_longer_than_every_block(tmp_path, begin):
    path = tmp_path / "long.txt"
    path.write_bytes(begin + b"x" * 3_000_001 + b" " + b"x" * 3_000_000 + b"y " + b"x" * 3_000_001)

    assert built(path, 0, 1 << 16) == built(path, NEVER)


def test_a_text_of_words_that_all_differ(tmp_path):
    count = 150_000
    path = tmp_path / "distinct.txt"
    path.write_text(" ".join(map(str, range(count))))

    corpus = Corpus.build(path, tmp_path / "a.corpus")

    assert path.stat().st_size < numbering.KERNEL_FROM  # Python numbers it
    assert corpus.vocabulary.words == [*map(str, reversed(range(count)))]
    assert built(path, 0) == contents(corpus)


def test_white_space_is_no_text(tmp_path):
    path = tmp_path / "spaces.txt"
    path.write_text("\u3000 \n\t\r\n" * 10_000, "utf-8")

    assert built(path, 0, 1000) == (DataError, f"{path}: the text is empty: there is no token in it")


def test_an_interrupted_build_leaves_nothing(tmp_path, monkeypatch):
    path = tmp_path / "text.txt"
    path.write_text("some words of a text\n" * 1000)
    monkeypatch.setattr(numbering, "KERNEL_FROM", 0)
    monkeypatch.setattr(streams, "CHUNK_BYTES", 1000)
    monkeypatch.setattr(tokenizers, "BATCH_CHARS", 1000)
    written = []

    def interrupt(read_bytes: int, _total: int | None) -> None:
        if read_bytes > 10_000:
            written.extend(file.stat().st_size for file in Path(tmp_path).rglob("ids.bin"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Corpus.build(path, tmp_path / "a.corpus", progress=interrupt)

    assert max(written) > 4 * 1000
    assert list(tmp_path.iterdir()) == [path]


def test_counts_go_on_where_python_left_off():
    seen = numbering.SeenWords()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numbering, "KERNEL_FROM", 9)
        patch.setattr(tokenizers, "BATCH_CHARS", 1)
        stream = seen.number(["b a b ", "a c ", "b\n"], tokenizers.find_tokenizer("whitespace"), folds=False)
        ids = np.concatenate([batch.ids.copy() for batch in stream])

    assert ids.tolist() == [0, 1, 0, 1, 2, 0]
    assert seen.words() == ["b", "a", "c"]
    assert seen.counts.tolist() == [3, 2, 1]

"""Sentences from files, and words from texts, as gensim gives them."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.compat.gensim import utils
from windrow.compat.gensim.models.callbacks import CallbackAny2Vec
from windrow.compat.gensim.models.word2vec import LineSentence, PathLineSentences
from windrow.errors import DataError, OptionError

gensim = pytest.importorskip("gensim", reason="gensim has no wheel for this Python")
TEXT = "the cat sat  on\tthe mat\n\n  \nä dog\n" + "long " * 25 + "\nno end"


@pytest.mark.parametrize(
    "options", [{}, {"limit": 4}, {"max_sentence_length": 10}, {"limit": 5, "max_sentence_length": 2}]
)
@pytest.mark.parametrize("name", ["text.txt", "text.gz"])
def test_sentences_of_a_file(options: dict[str, int], name: str, tmp_path: Path) -> None:
    content = TEXT.encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    mine = LineSentence(tmp_path / name, **options)
    expected = list(gensim.models.word2vec.LineSentence(str(tmp_path / name), **options))
    assert list(mine) == list(mine) == expected  # twice: a training goes over them again and again
    assert expected


@pytest.mark.parametrize("lines", [io.BytesIO(TEXT.encode()), io.StringIO(TEXT), TEXT.splitlines()])
def test_sentences_of_what_is_open(lines: Any) -> None:
    sentences = LineSentence(lines)
    assert list(sentences) == list(sentences) == [line.split() for line in TEXT.splitlines() if line.strip()]


def test_sentences_of_a_folder(tmp_path: Path) -> None:
    for number in (10, 2, 1):
        (tmp_path / f"{number}.txt").write_text(f"file {number}\nsecond line\n")
    for options in ({}, {"limit": 1}, {"max_sentence_length": 1}):
        theirs = gensim.models.word2vec.PathLineSentences(str(tmp_path), **options)
        mine = PathLineSentences(tmp_path, **options)
        assert list(mine) == list(mine) == list(theirs)
    assert mine.input_files == [str(tmp_path / f"{number}.txt") for number in (1, 10, 2)]
    assert list(PathLineSentences(tmp_path / "2.txt")) == [["file", "2"], ["second", "line"]]
    (tmp_path / "folder").mkdir()
    assert len(list(PathLineSentences(tmp_path))) == 6


@pytest.mark.parametrize(
    ("ask", "kind", "message"),
    [
        (lambda folder: PathLineSentences(folder / "away"), DataError, "is no folder and no file"),
        (lambda folder: list(LineSentence(folder / "away")), DataError, "cannot read"),
        (lambda folder: list(LineSentence(folder / "latin")), DataError, "latin, line 2 is not UTF-8"),
        (lambda folder: list(LineSentence([b"caf\xe9"])), DataError, "the source, line 1 is not UTF-8"),
        (lambda folder: LineSentence(folder, max_sentence_length=0), OptionError, "max_sentence_length = 0"),
        (lambda folder: LineSentence(folder, limit=0), OptionError, "limit = 0"),
        (lambda folder: LineSentence(3), OptionError, "source = 3 must be a file"),
    ],
)
def test_what_is_refused(ask: Callable[[Path], Any], kind: type[Exception], message: str, tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"ok\ncaf\xe9\n")
    with pytest.raises(kind, match=message):
        ask(tmp_path)


@given(st.text(st.sampled_from("aBÀéß_1²٣ .-İ\nfi漢e\u0301")), st.booleans(), st.integers(0, 4), st.integers(0, 9))
def test_words_of_a_text(text: str, deacc: bool, min_len: int, max_len: int) -> None:
    mine, theirs = utils, gensim.utils
    assert mine.simple_preprocess(text, deacc, min_len, max_len) == theirs.simple_preprocess(
        text, deacc, min_len, max_len
    )
    assert list(mine.tokenize(text, deacc=deacc)) == list(theirs.tokenize(text, deacc=deacc))
    assert mine.deaccent(text) == theirs.deaccent(text)


def test_words_of_bytes() -> None:
    assert utils.simple_preprocess(b"caf\xe9 und Wein") == gensim.utils.simple_preprocess(b"caf\xe9 und Wein")
    assert list(utils.tokenize(b"caf\xe9", encoding="latin-1")) == ["café"]
    with pytest.raises(DataError, match="the text is not utf8; try errors='ignore'"):
        list(utils.tokenize(b"caf\xe9"))
    with pytest.raises(OptionError, match="min_len = -1"):
        utils.simple_preprocess("a", min_len=-1)


def test_callbacks_have_gensims_hooks() -> None:
    hooks = {name for name in vars(gensim.models.callbacks.CallbackAny2Vec) if name.startswith("on_")}
    assert hooks == {name for name in vars(CallbackAny2Vec) if name.startswith("on_")}
    assert [getattr(CallbackAny2Vec(), hook)("model") for hook in hooks] == [None] * 4

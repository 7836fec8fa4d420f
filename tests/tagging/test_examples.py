"""Sentences given in Python: tokens are checked, tables and mappings refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from windrow import WindowTagger
from windrow.errors import DataError, OptionError
from windrow.tagging.examples import read_examples

SENTENCES = [(["in", "Rome"], ["O", "B-LOC"]), (["we", "wait"], ["O", "O"])] * 10


@pytest.fixture(scope="module")
def tagger() -> WindowTagger:
    return WindowTagger(hidden_size=4, epochs=2).fit(SENTENCES)


def test_columns_and_numbers_are_taken(tagger: WindowTagger) -> None:
    expected = tagger.predict([["in", "Rome"], ["17", "3"]])
    assert tagger.predict(pd.Series([["in", "Rome"], [17, np.int32(3)]])) == expected
    assert tagger.predict([np.array(["in", "Rome"]), (17, 3)]) == expected
    WindowTagger(hidden_size=4, epochs=1).fit([([17, "Rome"], ["O", "B-LOC"])] * 5)


@pytest.mark.parametrize(
    ("sentences", "error", "message"),
    [
        (pd.DataFrame({"tokens": [["in"]]}), OptionError, "is a table"),
        ({"a": ["in"]}, OptionError, "give its values"),
        ({("in", "Rome")}, OptionError, "has no order"),
        ("in Rome", DataError, "sentence 1 is a string; give a list of its tokens"),
        (["in", "Rome"], DataError, "sentence 1 is a string; give a list of its tokens"),
        ([["in"], None], DataError, "sentence 2 must be a list of tokens, not NoneType"),
        ([["in"], b"in"], DataError, "sentence 2 must be a list of tokens, not bytes"),
        ([["in"], {"in": 1}], DataError, "sentence 2 must be a list of tokens, not dict"),
        ([["in", 1.5]], DataError, "sentence 1: the token 1.5 must be a string"),
        ([["in", True]], DataError, "sentence 1: the token True must be a string"),
    ],
)
def test_what_is_no_list_of_sentences(
    tagger: WindowTagger, sentences: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        tagger.predict(sentences)


@pytest.mark.parametrize("tokens", [[1.5, "Rome"], {"in", "Rome"}, {"in": 1, "Rome": 2}, b"in"])
def test_tokens_of_a_training_sentence_are_checked(tokens: Any) -> None:
    with pytest.raises(DataError, match=r"^sentence 1"):
        WindowTagger().fit([(tokens, ["O", "B-LOC"])])


def test_files_in_a_folder_and_of_a_glob(tmp_path: Path) -> None:
    for name, token in (("b.conll", "Rome"), ("a.conll", "Oslo")):
        (tmp_path / name).write_text(f"{token} B-LOC\n")
    expected = [(["Oslo"], ["B-LOC"]), (["Rome"], ["B-LOC"])]
    for source in (tmp_path, str(tmp_path / "*.conll"), [tmp_path]):
        assert read_examples(source) == expected

"""Sources that look like sentences or records and are none: each is refused in one line that says what helps."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from windrow import Corpus, NGramLM, WordVectors
from windrow.errors import DataError, OptionError


def refused(source: Any, said: str, **options: Any) -> None:
    with pytest.raises((DataError, OptionError), match=said) as caught:
        Corpus.build(source, **options)
    assert "\n" not in str(caught.value)


def test_names_of_files_are_no_sentences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.txt", "b"):
        Path(name).write_text("the owl\n")
    Path("folder").mkdir()
    refused(["a.txt", "missing.txt"], "look like names of files.*Path")
    refused(["missing.csv", "data/more.jsonl.gz"], "look like names of files")
    refused(["*.txt"], "look like names of files")
    refused(glob.iglob("[ab]*"), "look like names of files|name existing files")  # noqa: PTH207
    refused((name for name in ["a.txt", "b"]), "name existing files")
    refused(["./folder"], "name existing files")
    assert len(Corpus.build(["a.txt is a file", "b"])) == 2
    assert len(Corpus.build(["/", ".", "folder"])) == 3
    assert len(Corpus.build(iter(["the owl", "b", "a.txt"]))) == 3


def test_names_of_files_at_doors_that_take_no_paths() -> None:
    model = NGramLM(2, "witten-bell").fit(["the owl hoots"])
    with pytest.raises(OptionError, match="look like names of files, but in a list they are sentences; read the files"):
        model.log_probs(["a.txt", "b.txt"])


@pytest.mark.parametrize("prompt", [None, 5, float("nan"), b"the", {"the"}, WordVectors(["the"], np.eye(1)), [None]])
def test_prompts_and_sentences_of_another_type(prompt: Any) -> None:
    model = NGramLM(2, "witten-bell").fit(["the owl hoots"])
    for ask in (model.generate, model.log_prob):
        with pytest.raises(DataError, match=r"^the (prompt|sentence): (text must be|the token None)"):
            ask(prompt)


def test_word_vectors_are_no_sentences() -> None:
    refused(WordVectors(["owl", "cat"], np.eye(2, dtype=np.float32)), "the WordVectors holds words and their vectors")


def test_a_text_in_place_of_a_path_is_shown_in_one_line() -> None:
    refused(
        "the owl\nthe cat", r"cannot read the owl\\nthe cat: No such file or directory; to pass sentences, give a list"
    )
    refused("the owl hoots " * 100, "File name too long; to pass sentences, give a list")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "x.csv",
            "id,text\n1,the owl, too\n",
            "line 2: 3 fields, but the header has 2; a text that holds the delimiter",
        ),
        ("x.csv", "text,text\na,b\n", "several columns are called 'text'"),
        ("x.json", '[{"text": "the owl"}]\n', r"one object per line: jq -c '\.\[\]' FILE"),
        ("x.json", '[\n{"text": "the owl"}\n]\n', r"one object per line: jq -c '\.\[\]' FILE"),
        ("x.json", '{\n"text": "the owl"\n}\n', r"one object per line: jq -c \. FILE"),
    ],
)
def test_records_that_would_lose_text(name: str, content: str, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    refused(tmp_path / name, said, field="text")


def test_empty_fields_after_the_last_column_are_dropped(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("id,text\n1,the owl,, \n")
    assert list(Corpus.build(tmp_path / "x.csv", field="text").sentences()) == [["the", "owl"]]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("min_count", 1.5), ("min_count", float("inf")), ("max_vocab", 2.5), ("max_vocab", float("inf")),
        ("lowercase", "false"), ("lowercase", None), ("lowercase", 2), ("specials", None),
    ],
)  # fmt: skip
def test_values_of_another_type(option: str, value: object) -> None:
    refused(["the owl"], f"{option} = ", **{option: value})

"""Tables and rows for other programs: Parquet and Arrow as pyarrow reads them, JSON lines as Python's json does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest
from pyarrow import feather, ipc, parquet

import windrow
from windrow import WordVectors
from windrow.embeddings.vectors import load_vectors
from windrow.errors import FormatError

WORDS = ["the", 'a "b"\\', "naïve", "日本語"]


def small(counts: bool = True) -> WordVectors:
    vectors = np.random.default_rng(3).normal(size=(4, 3)).astype(np.float32)
    return WordVectors(WORDS, vectors, np.array([9, 5, 2, 0]) if counts else None)


@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize("extension", ["parquet", "arrow", "jsonl", "jsonl.gz"])
def test_counts_come_back(extension: str, counts: bool, tmp_path: Path) -> None:
    path, wv = tmp_path / f"x.{extension}", small(counts)
    wv.save(path, extension.removesuffix(".gz"))
    back = windrow.load(path)
    assert isinstance(back, WordVectors)
    assert back.index_to_key == WORDS and np.array_equal(back.vectors, wv.vectors)
    assert (None if back.counts is None else back.counts.tolist()) == ([9, 5, 2, 0] if counts else None)
    chosen = load_vectors(path, only_words=["naïve", "the"])
    assert (None if chosen.counts is None else chosen.counts.tolist()) == ([9, 2] if counts else None)


@pytest.mark.parametrize("extension", ["parquet", "arrow"])
def test_tables_as_arrow_reads_them(extension: str, tmp_path: Path) -> None:
    small().save(tmp_path / f"x.{extension}")
    read: Any = parquet.read_table if extension == "parquet" else feather.read_table
    table = read(tmp_path / f"x.{extension}")
    assert table.schema.names == ["word", "vector", "count"]
    assert table["vector"].type == pyarrow.list_(pyarrow.float32(), 3)
    assert table["word"].to_pylist() == WORDS
    assert np.array_equal(np.array(table["vector"].to_pylist(), np.float32), small().vectors)


def test_feather_of_others_and_a_table_of_something_else(tmp_path: Path) -> None:
    feather.write_feather(pyarrow.table({"w": ["a", "b"], "d0": [0.5, 1], "d1": [2.0, 3]}), tmp_path / "x.feather")
    assert load_vectors(tmp_path / "x.feather").vectors.tolist() == [[0.5, 2], [1, 3]]
    table = pyarrow.table({"text": ["a", "b"]})
    with ipc.new_file(tmp_path / "y.arrow", table.schema) as writer:
        writer.write_table(table)
    with pytest.raises(FormatError, match="expected a column of lists of numbers, or a column per dimension"):
        load_vectors(tmp_path / "y.arrow")
    (tmp_path / "z.arrow").write_bytes((tmp_path / "y.arrow").read_bytes()[:200])
    with pytest.raises(FormatError, match=r"z\.arrow is not a valid Arrow file"):
        load_vectors(tmp_path / "z.arrow")
    for counts in ([1, -1], [1, None], [0.5, 1]):  # damaged, or another column of this name
        columns = {"word": ["a", "b"], "vector": [[1.0], [2.0]], "count": counts}
        parquet.write_table(pyarrow.table(columns), tmp_path / "c.parquet")
        if counts == [1, None]:
            assert load_vectors(tmp_path / "c.parquet").counts is None
        else:
            with pytest.raises(FormatError, match=r"out of range|expected a column of lists"):
                load_vectors(tmp_path / "c.parquet")


def test_lines_as_json_reads_them(tmp_path: Path) -> None:
    small().save(tmp_path / "x.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text("utf-8").splitlines()]
    assert [list(row) for row in rows] == [["id", "word", "vector", "count"]] * 4
    assert [(row["id"], row["word"], row["count"]) for row in rows] == list(
        zip(range(4), WORDS, [9, 5, 2, 0], strict=True)
    )
    assert np.array_equal(np.array([row["vector"] for row in rows], np.float32), small().vectors)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"word": "b", "vector": [1]}', "line 3: 1 numbers, expected 2 as in the first line"),
        ('{"word": "b", "vector": [1, "2"]}', "line 3: expected an object such as"),
        ('{"word": "b", "vector": [1, true]}', "line 3: expected an object such as"),
        ('{"word": 7, "vector": [1, 2]}', "line 3: expected an object such as"),
        ('{"word": "b", "vec', "line 3: expected an object such as .*; was the file cut short"),
        ("[1, 2]", "line 3: expected an object such as"),
        ('{"word": "b", "vector": [1, NaN]}', "line 3: a number is NaN or infinite"),
        ('{"word": "b", "vector": [1, 1e39]}', "line 3: a number is NaN or infinite"),
        ('{"word": "b", "vector": [1, 1' + "0" * 400 + "]}", "line 3: expected an object such as"),
        ('{"word": "b", "vector": [1, 2], "count": -1}', "line 3: the count must be a whole number"),
        ('{"word": "a", "vector": [1, 2]}', "line 3: the word 'a' was on line 1 already"),
        ('{"word": "", "vector": [1, 2]}', "line 3: there is no word"),
    ],
)
def test_lines_that_are_wrong(line: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text(f'{{"word": "a", "vector": [1, 2], "more": null}}\n\n{line}\n')
    with pytest.raises(FormatError, match=told):
        load_vectors(tmp_path / "x.jsonl")


def test_no_line_at_all(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text("\n\n")
    with pytest.raises(FormatError, match="holds no words"):
        load_vectors(tmp_path / "x.jsonl", "jsonl")

"""Tables, arrays, mappings and other objects as sources: a column is read, what is no list of sentences is refused."""

from __future__ import annotations

import csv
import io
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import dataset

from windrow import Corpus, MixtureLM, NGramLM, RecurrentLM, WindowLM, Word2Vec
from windrow.errors import DataError, DataWarning, OptionError
from windrow.lm.cache import CacheLM

TEXTS = ["the owl sat", "a mouse ran off", "the mouse sat"]
COLUMNS = {"id": [1, 2, 3], "text": TEXTS}


class LazyFrame:
    """As polars has it: no iteration, no subscription; columns come with what it collects."""

    def __init__(self, columns: dict[str, list[Any]]) -> None:
        self._columns = columns

    def collect_schema(self) -> Any:
        return type("Schema", (), {"names": lambda _: list(self._columns)})()

    def select(self, name: str) -> LazyFrame:
        return LazyFrame({name: self._columns[name]})

    def collect(self) -> dict[str, list[Any]]:
        return self._columns


class RowsOnly:
    """As streamed data sets: rows are dicts, and a column cannot be asked for."""

    column_names = ("id", "text")

    def __iter__(self) -> Any:
        return iter([dict(zip(COLUMNS, row, strict=True)) for row in zip(*COLUMNS.values(), strict=True)])


def rows_of_database() -> sqlite3.Cursor:
    database = sqlite3.connect(":memory:")
    database.row_factory = sqlite3.Row
    database.execute("create table notes (id, text)")
    database.executemany("insert into notes values (?, ?)", zip(*COLUMNS.values(), strict=True))
    return database.execute("select * from notes")


TABLES = {
    "pandas": lambda: pd.DataFrame(COLUMNS),
    "Arrow table": lambda: pa.table(COLUMNS),
    "Arrow batch": lambda: pa.RecordBatch.from_pydict(COLUMNS),
    "Arrow data set": lambda: dataset.dataset(pa.table(COLUMNS)),
    "Arrow reader of batches": lambda: pa.table(COLUMNS).to_reader(max_chunksize=2),
    "chunks of pandas": lambda: pd.read_csv(io.StringIO(pd.DataFrame(COLUMNS).to_csv(index=False)), chunksize=2),
    "lazy frame": lambda: LazyFrame(COLUMNS),
    "streamed rows": RowsOnly,
    "structured array": lambda: pd.DataFrame(COLUMNS).to_records(index=False),
    "rows of a structured array": lambda: list(pd.DataFrame(COLUMNS).to_records(index=False)),
    "dict of columns": lambda: COLUMNS,
    "list of dicts": lambda: list(RowsOnly()),
    "named tuples": lambda: list(pd.DataFrame(COLUMNS).itertuples()),
    "csv.DictReader": lambda: csv.DictReader(
        io.StringIO("id,text\n" + "".join(f"{n},{t}\n" for n, t in enumerate(TEXTS)))
    ),
    "rows of a database": rows_of_database,
}


def lines(corpus: Corpus) -> list[str]:
    return [" ".join(sentence) for sentence in corpus.sentences()]


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_a_column_is_text_and_a_table_is_not(table: Any) -> None:
    assert lines(Corpus.build(table(), field="text")) == TEXTS
    with pytest.raises((OptionError, DataError), match=r"field=.*it has: .*id, text$") as caught:
        Corpus.build(table())
    assert "\n" not in str(caught.value)
    with pytest.raises((OptionError, DataError), match=r"no (column|field) 'body'; there is: .*id, text$"):
        Corpus.build(table(), field="body")


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_log_probs_refuses_a_table(table: Any) -> None:
    model = NGramLM(2, "witten-bell").fit(TEXTS)
    with pytest.raises((OptionError, DataError), match=r"id, text$|take the text out of it"):
        model.log_probs(table())


def test_libraries_are_not_imported_to_recognize_their_tables() -> None:
    program = "import sys, windrow; windrow.Corpus.build(['a b']); print([m for m in sys.modules if m in {'pandas', 'polars', 'pyarrow', 'datasets'}])"  # noqa: E501
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(TEXTS),
        pd.Series(TEXTS).astype("category"),
        pd.Index(TEXTS),
        pa.array(TEXTS),
        pa.chunked_array([TEXTS[:1], TEXTS[1:]]),
        np.array(TEXTS),
        np.array(TEXTS, object),
        dict.fromkeys(TEXTS).keys(),
        dict(enumerate(TEXTS)).values(),
        pa.array([text.split() for text in TEXTS]),
        pd.Series([text.split() for text in TEXTS]),
    ],
    ids=lambda column: type(column).__name__,
)
def test_columns_and_arrays_are_sentences(column: Any) -> None:
    assert lines(Corpus.build(column)) == TEXTS
    model = NGramLM(2, "witten-bell").fit(TEXTS)
    np.testing.assert_array_equal(model.log_probs(column), model.log_probs(TEXTS))


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(["the owl", None, float("nan"), pd.NA, pd.NaT, "", " \t", "sat"]),
        pd.Series(["the owl", None, pd.NA, "", None, " ", None, "sat"], dtype="string"),
        pa.array(["the owl", None, "", " ", None, None, None, "sat"]),
        np.array(["the owl", None, np.float32("nan"), "", "", "", "", "sat"], object),
    ],
    ids=["Series", "string Series", "Arrow", "array"],
)
def test_cells_without_text_are_left_out_and_counted(column: Any) -> None:
    with pytest.warns(DataWarning, match="left out 6 records without text"):
        assert lines(Corpus.build(column)) == ["the owl", "sat"]
    with pytest.warns(DataWarning, match="left out 6 records without text"):
        assert lines(Corpus.build(pd.DataFrame({"t": list(column)}, dtype=object), field="t")) == ["the owl", "sat"]


@pytest.mark.parametrize("cell", [3, 2.5, True, b"bytes", {"a": 1}, pd.Timestamp("2020-01-01")])
def test_cells_that_are_no_text_are_refused_with_their_row(cell: Any) -> None:
    with pytest.raises(DataError, match="row 2 of 't'"):
        Corpus.build(pd.DataFrame({"t": ["the owl", cell]}, dtype=object), field="t")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (Counter(TEXTS), "counts of words, not their order"),
        ({1: "the owl", 2: "sat"}, "give its values"),
        ({1: "the owl"}.items(), "give the values of the mapping"),
        ({"train": pd.DataFrame(COLUMNS), "test": pd.DataFrame(COLUMNS)}, "several tables; give one.*: train, test"),
        (set(TEXTS), r"no order.*sorted\(...\)"),
        (frozenset(TEXTS), "no order"),
        (np.arange(4), "holds numbers"),
        (np.ones((2, 2)), "2 dimensions"),
        (np.array([["the owl"], ["sat"]]), "2 dimensions"),
        (np.array("the owl"), "0 dimensions"),
        (pd.Series([1.5, 2]), "holds numbers"),
        (bytearray(b"the owl"), "not bytearray"),
        (pd.DataFrame(COLUMNS).groupby("id"), "2 dimensions"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_list_of_sentences_is_refused(source: Any, message: str) -> None:
    model = NGramLM(2, "witten-bell").fit(TEXTS)
    for door in (Corpus.build, Word2Vec().fit, NGramLM().fit, model.perplexity, model.log_probs):
        with pytest.raises(OptionError, match=message) as caught:
            door(source)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (pd.DataFrame(COLUMNS), "not DataFrame"),
        ({"the", "owl"}, "not set, which has no order"),
        (Path("a.txt"), "a list of paths must hold nothing else"),
        (b"the owl", "decode it"),
        (np.array(3), "not ndarray"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_sentence_is_refused(item: Any, message: str) -> None:
    with pytest.raises(DataError, match=f"sentence 2: .*{message}") as caught:
        Corpus.build(["fine", item])
    assert "\n" not in str(caught.value)


def test_a_file_is_read_as_text_only_when_it_was_opened_so(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("\n".join(TEXTS), "utf-8")
    with path.open(encoding="utf-8") as file:
        assert lines(Corpus.build(file)) == TEXTS
    with path.open("rb") as file, pytest.raises(DataError, match="opened as text"):
        Corpus.build(file)


def test_whole_numbers_are_tokens() -> None:
    ids = [[5, 71, 5], np.array([71, 8], np.int32), (8,)]
    assert lines(Corpus.build(ids)) == ["5 71 5", "71 8", "8"]
    model = NGramLM(2, "witten-bell").fit(ids)
    assert model.log_prob([5, np.int64(71)]) == model.log_prob("5 71")
    np.testing.assert_array_equal(model.log_probs(ids), model.log_probs(["5 71 5", "71 8", "8"]))
    assert [score.word for score in model.word_scores([5, 71])] == ["5", "71", "</s>"]
    assert model.log_prob([5, 9]) == model.log_prob("5 9")  # 9 is unknown, which a word may be


@pytest.mark.parametrize(
    "ask", ["encode", "log_prob", "word_scores", "evaluate_sentence", "log_probs", "evaluate_lines"]
)
def test_ids_are_not_taken_for_words_in_silence(ask: str) -> None:
    model = NGramLM(2, "witten-bell").fit(["a b", "b a"])
    sentence = [[3, np.int32(4)]] if ask in ("log_probs", "evaluate_lines") else [3, np.int32(4)]
    told = r"the sentence holds numbers, which are read as words such as '3', of which the model knows none; .*decode"
    with pytest.raises(DataError, match=told):
        getattr(model, ask)(sentence)
    assert model.log_prob(["3"]) == model.log_prob("3")  # an unknown word like others


@pytest.mark.parametrize("token", [1.0, True, np.True_, np.float32(2), None, pd.DataFrame(COLUMNS)])
def test_other_numbers_are_no_tokens(token: Any) -> None:
    with pytest.raises(DataError, match=r"sentence 1: the token .* must be a string") as caught:
        Corpus.build([["a", token]])
    assert "\n" not in str(caught.value)


def test_strings_that_name_files_are_not_taken_for_sentences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("owl.txt", "mouse.txt"):
        Path(name).write_text("the owl sat\n", "utf-8")
    names = ["owl.txt", "mouse.txt"]
    for source in (names, tuple(names), np.array(names), pd.Series(names)):
        with pytest.raises(OptionError, match=r"existing files.*\[Path\(p\) for p in \.\.\.\]"):
            Corpus.build(source)
    assert lines(Corpus.build([*names, "the owl"])) == [*names, "the owl"]
    assert lines(Corpus.build([Path(name) for name in names])) == ["the owl sat"] * 2


DOORS = {
    "Word2Vec.fit": lambda table: Word2Vec(min_count=1, sample=0, vector_size=4).fit(table, field="text").wv,
    "NGramLM.fit": lambda table: NGramLM(2, "witten-bell").fit(table, field="text").vocabulary,
    "heldout": lambda table: NGramLM(2, "jelinek-mercer").fit(table, field="text", heldout=table).vocabulary,
    "WindowLM.fit": lambda table: WindowLM(2, hidden_size=4, epochs=1).fit(table, field="text", valid=table).vocabulary,
    "RecurrentLM.fit": lambda table: (
        RecurrentLM(hidden_size=4, epochs=1).fit(table, field="text", valid=table).vocabulary
    ),
}


@pytest.mark.parametrize("words_of", DOORS.values(), ids=DOORS)
def test_every_fit_takes_a_field(words_of: Any) -> None:
    words = words_of(pd.DataFrame(COLUMNS))
    assert all(word in words for text in TEXTS for word in text.split())
    assert "id" not in words


def test_what_measures_takes_a_field() -> None:
    table = pd.DataFrame(COLUMNS)
    model = NGramLM(2, "witten-bell").fit(TEXTS)
    assert model.perplexity(table, field="text") == model.perplexity(TEXTS)
    assert model.evaluate(table, field="text") == model.evaluate(TEXTS)
    network = RecurrentLM(hidden_size=4, epochs=1).fit(TEXTS)
    assert network.evaluate(table, field="text", dynamic_rate=0.1) == network.evaluate(TEXTS, dynamic_rate=0.1)
    parts = [model, CacheLM(model.vocabulary)]
    mixed, expected = MixtureLM(parts).fit(table, field="text"), MixtureLM(parts).fit(TEXTS)
    np.testing.assert_array_equal(mixed.weights_, expected.weights_)


def test_a_corpus_has_no_fields() -> None:
    corpus = Corpus.build(TEXTS)
    with pytest.raises(OptionError, match="a Corpus has no fields"):
        NGramLM(2, "witten-bell").fit(corpus, field="text")


@pytest.mark.parametrize(
    "source",
    [["owl", "mouse"] * 10, [["owl"], ["mouse"]] * 10, ["owl", "", "mouse"] * 10],
    ids=["strings", "lists", "empty lines"],
)
def test_a_flat_list_of_words_is_told(source: Any) -> None:
    with pytest.warns(DataWarning, match=r"each of the \d+ sentences is a single word.*\[words\]"):
        Corpus.build(source)


@pytest.mark.parametrize("source", [["owl", "mouse"] * 10 + ["an owl"], ["owl", "mouse"], ["owl mouse"] * 20])
def test_other_sentences_are_not(source: Any) -> None:
    Corpus.build(source)  # a warning is an error in these tests

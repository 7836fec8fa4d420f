"""Column files: what is read of well-formed ones, and what is said of others."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.errors import DataError, FormatError, OptionError
from windrow.tagging.conll import TaggedSentence, read_conll, read_conll_lines, split_by_document, write_conll

TWO = [TaggedSentence(["In", "Rome"], ["O", "B-LOC"], 0), TaggedSentence(["Yes"], ["O"], 0)]


def read(text: str, **options: int | None) -> list[TaggedSentence]:
    return list(read_conll_lines(text.split("\n"), "x.conll", **options))


@pytest.mark.parametrize(
    "text",
    [
        "In O\nRome B-LOC\n\nYes O\n",
        "In\tO\nRome\tB-LOC\n\nYes\tO",
        "\n\n \t\nIn O\nRome   B-LOC\n\n\nYes O\n\n\n",
        "In O\r\nRome B-LOC\r\n\r\nYes O\r\n",
        "In IN x O\nRome NNP y B-LOC\n\t\nYes UH z O\n",
        "#comment\nIn O\nRome B-LOC\n#\n\nYes O",
        "# sentence 1\nIn\tO\nRome\tB-LOC\n\n# sentence 2\nYes\tO\n",
    ],
)
def test_forms_of_one_file(text: str) -> None:
    assert read(text) == TWO


def test_a_file_as_it_is_and_compressed(tmp_path: Path) -> None:
    text = "In O\nRome B-LOC\n\nYes O\n"
    (tmp_path / "a.conll").write_text(text)
    (tmp_path / "a.conll.gz").write_bytes(gzip.compress(text.encode()))
    assert list(read_conll(tmp_path / "a.conll")) == list(read_conll(tmp_path / "a.conll.gz")) == TWO


def test_a_hash_with_a_tag_is_a_token() -> None:
    assert read("# O\n#rome B-LOC\n#\n") == [TaggedSentence(["#", "#rome"], ["O", "B-LOC"], 0)]


def test_only_tabs_and_spaces_part_columns() -> None:
    assert read("a\u00a0b O\n")[0].tokens == ["a\u00a0b"]
    assert read("New York\tB-LOC\n")[0].tokens == ["New York"]


def test_documents_are_counted() -> None:
    text = "a O\n\n-DOCSTART- -X- -X- O\n\nb O\n\nc O\n-DOCSTART-\nd O\n"
    assert [(s.tokens, s.document) for s in read(text)] == [(["a"], 0), (["b"], 1), (["c"], 1), (["d"], 2)]


def test_columns_may_be_chosen() -> None:
    assert read("1 Rome B-LOC x\n", token_column=1, tag_column=-2) == [TaggedSentence(["Rome"], ["B-LOC"], 0)]
    assert read("Rome\n\nYes\n", tag_column=None) == [
        TaggedSentence(["Rome"], ["O"], 0),
        TaggedSentence(["Yes"], ["O"], 0),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("In O\nRome x B-LOC\n", r"x\.conll, line 2: 3 columns, but line 1 has 2; give"),
        ("In x O\n\nRome\n", r"x\.conll, line 3: 1 column, but line 1 has 3"),
        ("In\tO\nRome B-LOC\n", r"x\.conll, line 2: 1 column, but line 1 has 2"),
        ("In\nRome\n", r"x\.conll, line 1: 1 column; expected a token and its tag"),
        ("In O\nRome LOC\n", r"x\.conll, line 2: the tag 'LOC' is neither O nor .*another column"),
        ("In\tO\n\tB-LOC\n", r"x\.conll, line 2: column 0 is empty"),
        ("In\tO\nRome\t\n", r"x\.conll, line 2: column -1 is empty"),
    ],
)
def test_malformed_files(text: str, message: str) -> None:
    with pytest.raises(FormatError, match=message) as caught:
        read(text)
    assert "\n" not in str(caught.value)


def test_a_column_that_is_not_there() -> None:
    with pytest.raises(FormatError, match="there is no column 5, the line has 2 columns"):
        read("In O\n", tag_column=5)
    with pytest.raises(OptionError, match="token_column"):
        read("In O\n", token_column="first")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"caf\xe9 O\n")
    with pytest.raises(DataError, match="not UTF-8"):
        list(read_conll(tmp_path / "latin"))
    with pytest.raises(DataError, match="No such file"):
        list(read_conll(tmp_path / "none"))


def test_sentences_come_one_by_one() -> None:
    def endless():
        while True:
            yield from ("a O", "")

    sentences = read_conll_lines(endless(), "endless")
    assert next(sentences) == next(sentences)


TOKENS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1).filter(lambda t: t != "-DOCSTART-")
PAIRS = st.lists(st.tuples(TOKENS, st.sampled_from(["O", "B-LOC", "I-LOC"])), min_size=1, max_size=5)


@given(st.lists(PAIRS, max_size=4))
def test_what_is_written_is_read(sentences: list[list[tuple[str, str]]]) -> None:
    expected = [TaggedSentence([t for t, _ in pairs], [g for _, g in pairs], 0) for pairs in sentences]
    stream = io.StringIO()
    write_conll(expected, stream)
    assert read(stream.getvalue()) == expected


def test_documents_are_not_parted() -> None:
    sentences = [TaggedSentence([str(i)], ["O"], i // 3) for i in range(60)]
    parts = split_by_document(sentences, (0.8, 0.1, 0.1), seed=3)
    documents = [{s.document for s in part} for part in parts]
    assert [len(found) for found in documents] == [16, 2, 2]
    assert set.union(*documents) == set(range(20))
    assert sorted((s for part in parts for s in part), key=lambda s: int(s.tokens[0])) == sentences
    assert all(part == sorted(part, key=lambda s: int(s.tokens[0])) for part in parts)
    assert parts == split_by_document(sentences, (0.8, 0.1, 0.1), seed=3)
    assert parts != split_by_document(sentences, (0.8, 0.1, 0.1), seed=4)


def test_too_few_documents() -> None:
    with pytest.raises(DataError, match=r"1 documents .* do not fill 3 parts"):
        split_by_document([TaggedSentence(["a"], ["O"], 0)])
    with pytest.raises(OptionError, match="above 0"):
        split_by_document([], (1, 0))

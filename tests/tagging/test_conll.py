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
        ("In\tO\n\tB-LOC\n", r"x\.conll, line 2: the first column is empty"),
        ("In\tO\nRome\t\n", r"x\.conll, line 2: the last column is empty"),
        ("vitamin B\n", r"no token has the tag O; is this running text\?"),
        ("plan E\n\nplan E\n", r"no token has the tag O; is this running text\?"),
    ],
)
def test_malformed_files(text: str, message: str) -> None:
    with pytest.raises(FormatError, match=message) as caught:
        read(text)
    assert "\n" not in str(caught.value)


def test_a_column_that_is_not_there() -> None:
    with pytest.raises(FormatError, match="line 1: there is no 6th column, the line has 2 columns"):
        read("In O\n", tag_column=5)
    with pytest.raises(OptionError, match="token_column"):
        read("In O\n", token_column="first")


@pytest.mark.parametrize("column", [-3, 2])
def test_a_column_of_tokens_that_is_not_there(column: int) -> None:
    with pytest.raises(FormatError, match=r"line 1: there is no third (last )?column, the line has 2 columns"):
        read("In O\n", token_column=column)


GERMEVAL = (
    "#\thttp://de.wikipedia.org/wiki/Rom [2009-10-17]\n1\tIn\tO\tO\n2\tRom\tB-LOC\tB-PER\n\n"
    "#\tn-tv.de vom 26.02.2005 [2005-02-26]\n1\tJa\tO\tO\n"
)
CONLLU = (
    "# newdoc id = a\n# sent_id = 1\n# text = In New York B-LOC\n1\tIn\tin\tADP\tO\n2\tNew York\tx\tPROPN\tB-LOC\n\n"
)


def test_numbered_tokens_and_several_tags() -> None:
    expected = [TaggedSentence(["In", "Rom"], ["O", "B-LOC"], 0), TaggedSentence(["Ja"], ["O"], 0)]
    for text in (GERMEVAL, GERMEVAL.replace("\n", "\r\n"), GERMEVAL.replace("\t", "  ")):
        if "\t" in text:
            assert read(text, token_column=1, tag_column=2) == expected
        assert read(text.replace("#\t", "# "), token_column=-3, tag_column=-2) == expected
        assert read(text.replace("#\t", "# "), token_column=1)[0].tags == ["O", "B-PER"]
    assert read(CONLLU, token_column=1) == [TaggedSentence(["In", "New York"], ["O", "B-LOC"], 0)]


def test_lines_of_conllu_between_the_tokens_are_none() -> None:
    text = "1\tGo\t_\tO\n2-3\tau\t_\t_\n2\tà\t_\tO\n3\tle\t_\tO\n4\tLido\t_\tB-LOC\n4.1\tis\t_\t_\n\n"
    first = "# au Lido\n1-2\tau\t_\t_\n1\tà\t_\tO\n2\tle\t_\tI-PER\n"
    assert read(text + first, token_column=1) == [
        TaggedSentence(["Go", "à", "le", "Lido"], ["O", "O", "O", "B-LOC"], 0),
        TaggedSentence(["à", "le"], ["O", "I-PER"], 0),
    ]
    assert read("1-2 O\n3.5 B-LOC\n") == [TaggedSentence(["1-2", "3.5"], ["O", "B-LOC"], 0)]


def test_words_of_characters_have_bare_tags_without_o() -> None:
    assert read("中 B\n国 E\n人 S\n") == [TaggedSentence(["中", "国", "人"], ["B", "E", "S"], 0)]


@pytest.mark.parametrize(
    ("text", "tag_column"),
    [
        (GERMEVAL, -1),
        (CONLLU, -1),
        ("1 In\n2 Rome\n", None),
        ("1-2 InRome x O\n1 In x O\n2 Rome x O\n", -1),
        ("0 In O\n1 Rome O\n", None),
    ],
)
def test_numbers_are_not_taken_for_tokens(text: str, tag_column: int | None) -> None:
    with pytest.raises(FormatError, match=r"the first column numbers the tokens; .* token_column=N"):
        read(text, tag_column=tag_column)
    assert read(text, token_column=0, tag_column=tag_column)[0].tokens[-2:] in (["1", "2"], ["0", "1"])


def test_the_name_of_a_document_is_not_taken_for_tokens() -> None:
    text = "#begin document (bc/x); part 000\nbc/x 0 In O\nbc/x 0 Rome B-LOC\nbc/x 0 we O\n#end document\n"
    with pytest.raises(FormatError, match=r"line 2: the first column is 'bc/x' in the whole sentence; .* token_column"):
        read(text)
    assert read(text, token_column=2) == [TaggedSentence(["In", "Rome", "we"], ["O", "B-LOC", "O"], 0)]
    assert read("ha O\nha O\nha O\n")[0].tokens == ["ha", "ha", "ha"]


def test_a_ragged_line_is_told_with_the_line_that_set_the_number_of_columns() -> None:
    with pytest.raises(FormatError, match=r"line 2: 3 columns, but line 4 has 2"):
        read("\n#begin 1 2\n\nIn O\n")


@pytest.mark.parametrize("text", ["1 O\n2 O\n", "a x O\nb y O\n\n1 x O\n2 y O\n", "2 x O\n3 y O\n", "1 x O\n"])
def test_numbers_that_are_tokens(text: str) -> None:
    assert [sentence.tokens[-1] for sentence in read(text)][-1] in "123"


@pytest.mark.parametrize("separator", ["\t", " "])
def test_comments(separator: str) -> None:
    body = ["In IN O", "Rome NNP B-LOC", "", "Yes UH O"]
    plain = read("\n".join(body).replace(" ", separator))
    comments = ["#", "# a", "# a b", "# a b c d", "#\ta", "#word", "# sent_id = 12"]
    for comment in comments:
        lines = [line.replace(" ", separator) for line in body]
        for place in range(5):
            text = "\n".join([*lines[:place], comment, *lines[place:]])
            assert read(text) == plain, (comment, place)
    assert read("#rome NNP B-LOC\n# # O\n#1 CD O\nx y O".replace(" ", separator))[0].tokens == ["#rome", "#", "#1", "x"]
    with pytest.raises(FormatError, match="line 2: 4 columns, but line 1 has 3"):
        read("x y O\n#rome NNP z B-LOC".replace(" ", separator))
    with pytest.raises(FormatError, match="line 2: the tag 'LOC'"):
        read("x y O\n#rome NNP LOC".replace(" ", separator))


def test_one_column_has_hashes_among_its_tokens() -> None:
    assert read("# one\nIn\n#\n#rome\n\nYes", tag_column=None) == [
        TaggedSentence(["In", "#", "#rome"], ["O", "O", "O"], 0),
        TaggedSentence(["Yes"], ["O"], 0),
    ]


def test_a_document_may_start_between_spaces_before_tabs() -> None:
    text = "-DOCSTART- -X- -X- O\n\nIn\tO\nNew York\tB-LOC\n\n-DOCSTART-\tO\n\nYes\tO\n"
    assert read(text) == [
        TaggedSentence(["In", "New York"], ["O", "B-LOC"], 1),
        TaggedSentence(["Yes"], ["O"], 2),
    ]


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

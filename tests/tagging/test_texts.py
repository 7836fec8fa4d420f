"""What is taken for a column file, and that its lines keep their places."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.errors import DataWarning, FormatError, OptionError
from windrow.tagging import texts
from windrow.tagging.texts import read_texts, write_tagged


def tokens_of(text: str, folder: Path, form: str = "auto", **options: int) -> list[list[str]]:
    (folder / "text").write_text(text, encoding="utf-8", newline="")
    return [piece.tokens for piece in read_texts(folder / "text", form, **options) if piece.tokens]


@pytest.mark.parametrize(
    "text",
    [
        "In O\nRome B-LOC\n",
        "In O\nRome B-LOC\n\nYes O\n",
        "In\tO\nNew York\tB-LOC\n",
        "Oslo\tS-LOC\n",
        "\ufeffIn\tO\r\nRome\tB-LOC\r\n",
        "# text = In Rome B\n1\tIn\tO\n2\tRome\tB-LOC\n",
        "-DOCSTART- -X- O O\n\nIn IN O O\nRome NNP O M-LOC\n",
        "In\nRome\n\nYes\n",
        "a\u00a0b O\nRome O\n",
        "New B-LOC\nYork I-LOC\n",
    ],
)
def test_files_of_columns(text: str, tmp_path: Path) -> None:
    if text.startswith("# text"):
        with pytest.raises(FormatError, match="the first column numbers the tokens"):
            tokens_of(text, tmp_path)
        assert tokens_of(text, tmp_path, token_column=1) == [["In", "Rome"]]
        return
    found = tokens_of(text, tmp_path)
    assert found == tokens_of(text, tmp_path, "conll")
    assert {" ", "O", "B-LOC"}.isdisjoint(chain.from_iterable(found))


@pytest.mark.parametrize(
    "text",
    [
        "use plan B\n",
        "on I-95\n",
        "type O\n",
        "You and I\nWe and I\n",
        "plan B\n\nplan S\n",
        "in a U-Bahn\nwith an M-16\n",
        "blood of type O\ntype O\n",
        "In O\nRome B-LOC x\n",
        "In O\nRome LOC\n",
        "Yes\n",
        "\n\n",
        "",
    ],
)
def test_texts_whose_words_look_like_tags(text: str, tmp_path: Path) -> None:
    assert tokens_of(text, tmp_path) == [line.split() for line in text.split("\n") if line.strip()]


def test_lines_of_one_word_are_taken_for_sentences_with_a_warning(tmp_path: Path) -> None:
    with pytest.warns(
        DataWarning, match=r"text: each line is one word, .*; if a line is a token, choose format='conll'"
    ):
        assert tokens_of("Yes\nNo\n", tmp_path) == [["Yes"], ["No"]]
    assert tokens_of("Yes\nNo\n", tmp_path, "text") == [["Yes"], ["No"]]
    assert tokens_of("Yes\nNo\n", tmp_path, "conll") == [["Yes", "No"]]


@pytest.mark.parametrize("text", ["In O\nRome B-LOC\nand\nOslo B-LOC\n", "In\tO\nRome\tB-LOC\nand we\tO\tO\n"])
def test_columns_with_a_line_that_does_not_fit_are_no_text(text: str, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"text, line 3: \d columns?, but line 1 has 2; .* if it is text, choose"):
        tokens_of(text, tmp_path)
    assert tokens_of(text, tmp_path, "text") == [line.split() for line in text.splitlines()]


TABLES = {
    "tags without a prefix": "In\tO\nRome\tLOC\n",
    "a line of headings": "token\ttag\nIn\tO\nRome\tB-LOC\n",
    "tags first": "O\tIn\nB-LOC\tRome\n",
    "CoNLL-2012": "#begin document (x)\nx 0 0 In -\nx 0 1 Rome (GPE)\nx 0 2 we -\n\nx 0 0 Yes -\n#end document\n",
    "CoNLL-U": "# text = In Rome\n1\tIn\tin\tADP\t_\n2\tRome\tRome\tPROPN\t_\n\n1\tYes\tyes\tINTJ\t_\n",
}


@pytest.mark.parametrize("text", TABLES.values(), ids=TABLES)
def test_columns_without_tags_are_not_cut_into_words_unasked(text: str, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"columns, but not a tag .* format='conll' .* format='text'"):
        tokens_of(text, tmp_path)
    assert tokens_of(text, tmp_path, "text") == [line.split() for line in text.splitlines() if line]


@pytest.mark.parametrize(
    "name", ["a.conll", "a.CONLLU", "dev.iob2", "x.v4_gold_conll", "a.bio", "a.conll.gz", "a.conll03"]
)
def test_the_name_of_a_file_says_that_it_has_columns(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("In O\nRome LOC\n")
    assert [piece.tokens for piece in read_texts(tmp_path / name)] == [["In", "Rome"]]
    (tmp_path / name).write_text("In O\nthis is text\n")
    with pytest.raises(
        FormatError, match=r"line 2: 3 columns, but line 1 has 2; .*; if it is text, choose format='text'"
    ):
        list(read_texts(tmp_path / name))


@pytest.mark.parametrize("text", ["a b\nc d\n\ne f\ng h\n", "a b c\nd e f\n", "a b c\n\nd e f\n", "a\tb c\n"])
def test_texts_of_equally_long_lines(text: str, tmp_path: Path) -> None:
    assert tokens_of(text, tmp_path) == [line.split() for line in text.splitlines() if line]


def test_a_line_that_does_not_fit_far_behind_is_told_with_a_way_out(tmp_path: Path) -> None:
    many = "In O\nRome O\n\n" * 400
    with pytest.raises(
        FormatError, match=r"line 1201: 3 columns, but line 1 has 2; .*; if it is text, choose format='text'"
    ):
        tokens_of(f"{many}this is text\n", tmp_path)
    with pytest.raises(
        FormatError,
        match=r"blank lines between sentences; is this running text\? put a token on each line$",
    ):
        tokens_of(f"{many}this is text\n", tmp_path, "conll")
    assert tokens_of(f"{many}this is text\n", tmp_path, "text")[-1] == ["this", "is", "text"]


def test_options_that_contradict(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="token_column = N is for column files"):
        tokens_of("a b\n", tmp_path, "text", token_column=1)
    with pytest.raises(OptionError, match="is not one of auto, text, conll"):
        tokens_of("a b\n", tmp_path, "columns")
    with pytest.raises(OptionError, match="token_column"):
        tokens_of("a b\n", tmp_path, token_column="x")


LINES = st.lists(
    st.sampled_from(["a O", "b-c B-LOC", "# O", "# x y", "#", "", " ", "-DOCSTART- O", "-DOCSTART-", "\u00a0 O"]),
    max_size=12,
)


@given(lines=LINES)
def test_each_line_of_columns_has_one_in_the_output(lines: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "columns"
    path.write_text("".join(f"{line}\n" for line in ["first O", *lines]), encoding="utf-8")
    pieces = list(read_texts(path, "conll"))
    written = io.StringIO()
    write_tagged(pieces, (["X"] * len(piece.tokens) for piece in pieces if piece.tokens), written)
    found = written.getvalue().split("\n")[:-1]
    assert len(found) == len(lines) + 1
    for line, tagged in zip(["first O", *lines], found, strict=True):
        if line.startswith("-DOCSTART-"):
            assert tagged == "-DOCSTART-\tO"
        elif not line.strip(" ") or line in ("#", "# x y"):
            assert tagged == line.strip()
        else:
            assert tagged == f"{line.split(' ')[0]}\tX"


def test_lines_between_the_tokens_of_conllu_keep_their_places(tmp_path: Path) -> None:
    (tmp_path / "x.conllu").write_text("# au Lido\n1-2\tau\n1\tà\n2\tle\n3\tLido\n3.1\tis\n\n", encoding="utf-8")
    pieces = list(read_texts(tmp_path / "x.conllu", token_column=1))
    written = io.StringIO()
    write_tagged(pieces, iter([["X"] * 3]), written)
    assert written.getvalue() == "# au Lido\nau\tO\nà\tX\nle\tX\nLido\tX\nis\tO\n\n"


def test_an_endless_file_is_read_bit_by_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(*_: object) -> Iterator[str]:
        while True:
            yield from ("In O\n", "Rome O\n", "\n", "# a comment\n")

    monkeypatch.setattr(texts, "text_pieces", endless)
    assert [piece.tokens for piece in islice(read_texts("-"), 4)] == [["In", "Rome"], [], [], ["In", "Rome"]]

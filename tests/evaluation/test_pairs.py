"""Files of word pairs as they are published, and what is refused."""

from __future__ import annotations

import gzip
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.errors import DataError, OptionError
from windrow.evaluation import evaluate_similarity, read_pairs, read_questions
from windrow.evaluation.pairs import WordPair

# The first lines of files in the layouts of published ones; each says "old new 1.58", then "smart clever 9.2".
PUBLISHED = {
    "SimLex-999": "word1\tword2\tPOS\tSimLex999\tconc(w1)\tconc(w2)\tconcQ\tAssoc(USF)\tSimAssoc333\tSD(SimLex)\n"
    "old\tnew\tA\t1.58\t2.72\t2.81\t2\t7.25\t1\t0.41\nsmart\tclever\tA\t9.2\t1.75\t2.46\t1\t7.11\t1\t0.67\n",
    "WordSim-353 combined.csv": "Word 1,Word 2,Human (mean)\nold,new,1.58\nsmart,clever,9.2\n",
    "WordSim-353 combined.tab": "Word 1\tWord 2\tHuman (mean)\nold\tnew\t1.58\nsmart\tclever\t9.2\n",
    "WordSim-353 set1.csv": "Word 1,Word 2,Human (mean),1,2,3\nold,new,1.58,2,1,1.7\nsmart,clever,9.2,9,9,9.6\n",
    "WordSim-353 with comments": "# Word 1\tWord 2\tHuman\nold\tnew\t1.58\nsmart\tclever\t9.2\n",
    "MEN": "old new 1.580000\nsmart clever 9.200000\n",
    "MTurk": "old,new,1.58\nsmart,clever,9.2\n",
    "RG-65": "old;new;1.58\nsmart;clever;9.2\n",
    "RW": "old\tnew\t1.58\t1\t2\t3\t0\nsmart\tclever\t9.2\t9\t8\t10\t10\n",
    "SimLex-999 in German": "Word 1,Word 2,Average Score,1,2\nold,new,1.58,1,2\nsmart,clever,9.2,9,9.4\n",
    "pandas": ",word1,word2,similarity\n0,old,new,1.58\n1,smart,clever,9.2\n",
    "quoted": '"word1","word2","score"\n"old","new","1.58"\n"smart","clever","9.2"\n',
    "the score first": "1.58 old new\n9.2 smart clever\n",
    "a header of its own": "wort_a;wort_b;urteil;wortart\nold;new;1.58;A\nsmart;clever;9.2;A\n",
    "a header in another order": "rating\tsecond\tfirst\tid\n1.58\told\tnew\t1\n9.2\tsmart\tclever\t2\n",
}
EXPECTED = [WordPair("old", "new", 1.58), WordPair("smart", "clever", 9.2)]


@pytest.mark.parametrize("name", PUBLISHED)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
@pytest.mark.parametrize("start", ["", "\ufeff", "# a comment\n"])
def test_published_layouts_are_read(name: str, end: str, start: str, tmp_path: Path) -> None:
    path = tmp_path / "pairs"
    path.write_bytes((start + PUBLISHED[name].replace("\n", end)).encode())
    if name == "a header of its own":
        with pytest.raises(DataError, match=r"which of the 4 columns are they\? .* columns='1,2,3'"):
            read_pairs(path)
        assert read_pairs(path, columns="wort_a,wort_b,urteil") == EXPECTED
    else:
        assert read_pairs(path) == EXPECTED


AMBIGUOUS = {
    "SCWS": (
        '1\told\tA\tnew\tA\tan <b> old </b> "man\t... <b> new </b> one\t1.58\t1\t2\n'
        '2\tsmart\tA\tclever\tA\tas <b> smart </b>\ta <b> clever </b> "one"\t9.2\t9\t9.4\n',
        ["2,4,8", (2, 4, 8)],
    ),
    "SimVerb": ("old\tnew\tV\t1.58\tNONE\nsmart\tclever\tV\t9.2\tSYNONYMS\n", ["1,2,4"]),
    "WordSim-353 agreed": ("A\told\tnew\t1.58\ni\tsmart\tclever\t9.2\n", ["2, 3, 4"]),
    "Multi-SimLex": (
        "ID,Word 1,Word 2,Annotator 1,Annotator 2\n1,old,new,1.58,2\n2,smart,clever,9.2,9\n",
        ["Word 1,Word 2,Annotator 1", ("word 1", "WORD 2", "annotator 1"), '"Word 1",3,4', [2, 3, 4]],
    ),
    "a frequency": ("old new 70 1.58\nsmart clever 30 9.2\n", ["1,2,4"]),
}


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_columns_that_nothing_tells_are_asked_for(name: str, tmp_path: Path) -> None:
    text, columns = AMBIGUOUS[name]
    (tmp_path / "pairs").write_text(text)
    with pytest.raises(DataError, match=r"pairs, line 1: expected two words and a number, got .* columns='1,2,\d'"):
        read_pairs(tmp_path / "pairs")
    for named in columns:
        assert read_pairs(tmp_path / "pairs", columns=named) == EXPECTED  # type: ignore[arg-type]


def test_columns_may_be_given_where_the_header_would_choose_others(tmp_path: Path) -> None:
    (tmp_path / "pairs").write_text(PUBLISHED["SimLex-999"])
    assert read_pairs(tmp_path / "pairs", columns="word1,word2,Assoc(USF)")[0] == ("old", "new", 7.25)
    assert read_pairs(tmp_path / "pairs", columns=(2, 1, 10))[1] == ("clever", "smart", 0.67)
    vectors = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    words = ["old", "new", "smart", "clever"]
    found = [
        evaluate_similarity(tmp_path / "pairs", words, vectors, columns=columns).spearman
        for columns in (None, "word1,word2,Assoc(USF)")
    ]
    assert found[0] == -found[1]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("word1,word2", r"columns = 'word1,word2' must be three columns"),
        ("1,1,2", "must be three columns"),
        ((1, 2, 3.5), "must be three columns"),
        ("", "must be three columns"),
        ("word1,word2,rank", r"columns = 'rank': the first line of .*pairs has word1, word2, POS"),
        ("1,2,11", "columns = 11: .* has the columns 1 to 10"),
        ("0,1,2", "columns = 0: .* has the columns 1 to 10"),
    ],
)
def test_columns_that_are_not_there(columns: Any, message: str, tmp_path: Path) -> None:
    (tmp_path / "pairs").write_text(PUBLISHED["SimLex-999"])
    with pytest.raises(OptionError, match=message):
        read_pairs(tmp_path / "pairs", columns=columns)


@given(
    separator=st.sampled_from(["\t", ",", " ", "   "]),
    header=st.sampled_from(["", "word1{0}word2{0}score\n", "# a comment\n", "# one\n# two\na{0}b{0}human\n"]),
    end=st.sampled_from(["\n", "\r\n", "\n\n"]),
    pairs=st.lists(
        st.tuples(st.sampled_from(["cat", "naïve", "3", "nan"]), st.sampled_from(["dog", "e-5"]), st.floats(-9, 9)),
        min_size=1,
        max_size=4,
    ),
)
def test_the_fields_may_be_parted_in_any_usual_way(
    separator: str, header: str, end: str, pairs: list[Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "pairs.txt"
    lines = [f"{first}{separator}{second}{separator}{score}{end}" for first, second, score in pairs]
    path.write_text(header.format(separator) + "".join(lines), encoding="utf-8", newline="")
    assert read_pairs(path) == [WordPair(*pair) for pair in pairs]


def test_words_may_hold_spaces_between_tabs_and_the_delimiter_may_be_given(tmp_path: Path) -> None:
    (tmp_path / "p").write_text("New York\tcity\t7\nLondon, UK\tcity\t8\n")
    assert read_pairs(tmp_path / "p") == [("New York", "city", 7), ("London, UK", "city", 8)]
    (tmp_path / "p").write_text("a;b;1\nc d;e;2\n")
    assert read_pairs(tmp_path / "p", delimiter=";") == [("a", "b", 1), ("c d", "e", 2)]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a\tb\t2\t1\t3\nc\td\t2\t1\t3\tx\n", "which of the 5 columns are they"),
        (b"a\tb\t1\nc\td\n", "line 2: expected two words and a number, got"),
        (b"a\tb\t1\nc\td\tmuch\n", "line 2: expected two words"),
        (b"a\tb\tnoun\nc\td\tnoun\n", "line 2: expected two words"),  # only one line can be a header
        (b"a\tb\t1\t2\n", "line 1: expected two words"),
        (b"a b 1\nc d inf\n", "line 2: expected two words"),
        (b"a b 1\nc \xff 2\n", "line 2: not UTF-8"),
        (b"# nothing\n", "holds no word pairs"),
        (b"", "holds no word pairs"),
        (b"word1\tword2\tscore\n", "holds no word pairs"),
        (b"word1,word2,score,n\na,b,1,2\nc,d,,2\n", "line 3: expected two words"),
        (b"word1,word2,score,n\na,b,1,2\nc,d,e,1,2\n", "line 3: expected two words"),
        (b"a b 1\nNew York b 1\n", "line 2: expected two words"),
        (b"a,b,1\n,b,1\n", "line 2: expected two words"),
    ],
)
def test_wrong_pair_files(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "pairs.txt").write_bytes(data)
    with pytest.raises(DataError, match=message):
        read_pairs(tmp_path / "pairs.txt")


@pytest.mark.parametrize("score", ["8,5", "85%", "nan"])
def test_a_record_with_another_kind_of_number_is_no_header(score: str, tmp_path: Path) -> None:
    (tmp_path / "x.tsv").write_text(f"king\tqueen\t{score}\nman\twoman\t7\nking\tman\t1\n")
    for columns in (None, "1,2,3"):
        with pytest.raises(DataError, match=f"line 1: '{score}' is no number; write it as 8.5"):
            read_pairs(tmp_path / "x.tsv", columns=columns)


def test_files_that_are_compressed_or_of_an_old_mac(tmp_path: Path) -> None:
    pairs = "king\tqueen\t8.5\nman\twoman\t7\n"
    (tmp_path / "x.tsv.gz").write_bytes(gzip.compress(pairs.encode()))
    assert [pair.score for pair in read_pairs(tmp_path / "x.tsv.gz")] == [8.5, 7]
    (tmp_path / "x.tsv").write_text(pairs.replace("\n", "\r"), newline="")
    with pytest.raises(DataError, match="carriage returns alone end its lines"):
        read_pairs(tmp_path / "x.tsv")


def test_lines_that_are_no_csv_are_refused_as_any_other(tmp_path: Path) -> None:
    for data in (b"3\nking\tqueen\t8\n", b"king,queen,8\nman,wo\rman,x\n", b'king,queen,8\nman,"' + b"a" * 200_000):
        (tmp_path / "x.csv").write_bytes(data)
        with pytest.raises(DataError, match=r"line [12]: expected two words and a number"):
            read_pairs(tmp_path / "x.csv")
    (tmp_path / "x.csv").write_bytes(b"king,queen,8\nman,wo\rman,7\n")
    assert read_pairs(tmp_path / "x.csv")[1] == ("man", "wo\rman", 7.0)


@pytest.mark.parametrize("columns", ["1\n,2,3", "1,2," + "9" * 5000, "a" * 200_000])
def test_columns_that_cannot_be_are_refused(columns: str, tmp_path: Path) -> None:
    (tmp_path / "x.tsv").write_text("king\tqueen\t8.5\nman\twoman\t7\n")
    with pytest.raises(OptionError, match="columns = "):
        read_pairs(tmp_path / "x.tsv", columns=columns)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<!DOCTYPE html>\n<title>404</title>\n", "is a web page, not text"),
        ("old\tnew\t1\n".encode("utf-16"), "is text in UTF-16; convert it first"),
        (pickle.dumps([("old", "new", 1.0)]), "is a Python pickle, not text"),
    ],
)
def test_files_that_are_no_text_are_named(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(content)
    for read in (read_pairs, read_questions):
        with pytest.raises(DataError, match=said):
            read(tmp_path / "x")

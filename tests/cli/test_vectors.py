"""`windrow vectors`: what goes to stdout, what to stderr, and the exit status."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner, Result

from windrow.cli import main
from windrow.embeddings.subwords import NgramVectors, Subwords
from windrow.embeddings.vectors import WordVectors, load_vectors, save_vectors
from windrow.evaluation import evaluate_analogies, evaluate_similarity

WORDS = ["man", "woman", "king", "queen", "Åse", "prince", "princess", "cat"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Vectors with a royal and a female direction, and files to evaluate them on."""
    folder = tmp_path_factory.mktemp("cli")
    rng = np.random.default_rng(1)
    female, royal, young = np.eye(12)[:3] * 3
    places = [0, female, royal, royal + female, young, royal + young, royal + young + female, -royal]
    base = np.eye(12)[3:4] * 2
    vectors = (base + np.array([place + np.zeros(12) for place in places])).astype(np.float32)
    vectors += 0.05 * rng.normal(size=vectors.shape).astype(np.float32)
    save_vectors(WordVectors(WORDS, vectors), folder / "v.safetensors")
    (folder / "family.txt").write_text(
        ": royals\nman woman king queen\nman woman prince princess\nman woman cat king\nman woman king x\n"
        ": gram1-number\nman king woman queen\n"
    )
    (folder / "pairs.tsv").write_text("king\tqueen\t8\nman\tcat\t2\nman\twoman\t6\nman\tnobody\t1\n")
    return folder


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(main, ["vectors", *map(str, arguments)])


def test_similar_prints_a_word_and_its_cosine_a_line(folder: Path) -> None:
    result = run("similar", folder / "v.safetensors", "king", "woman", "--minus", "man", "-k", "3")
    wv = load_vectors(folder / "v.safetensors")
    expected = wv.most_similar(["king", "woman"], ["man"], topn=3)
    assert result.exit_code == 0
    assert result.stdout == "".join(f"{word}\t{score:.4f}\n" for word, score in expected)
    assert expected[0][0] == "queen"


def test_similar_as_json(folder: Path) -> None:
    result = run("similar", folder / "v.safetensors", "Åse", "--json", "-k", 2)
    found = json.loads(result.stdout)
    assert (found["positive"], found["negative"]) == (["Åse"], [])
    expected = load_vectors(folder / "v.safetensors").most_similar("Åse", topn=2)
    assert [(one["word"], one["similarity"]) for one in found["similar"]] == expected


def test_analogy(folder: Path) -> None:
    lines = run("analogy", folder / "v.safetensors", "man", "woman", "prince", "-k", 1).stdout.splitlines()
    assert [line.split("\t")[0] for line in lines] == ["princess"]
    found = json.loads(run("analogy", folder / "v.safetensors", "man", "woman", "prince", "--json").stdout)
    assert found["c"] == "prince"
    assert found["similar"][0]["word"] == "princess"


def test_evaluate_as_json_has_the_keys_of_the_contract(folder: Path) -> None:
    result = run(
        "evaluate",
        folder / "v.safetensors",
        "--json",
        *("--analogies", folder / "family.txt", "--similarity", folder / "pairs.tsv"),
    )
    wv = load_vectors(folder / "v.safetensors")
    assert json.loads(result.stdout) == {
        "analogies": {"family": evaluate_analogies(folder / "family.txt", wv.index_to_key, wv.vectors).to_json()},
        "similarity": {"pairs": evaluate_similarity(folder / "pairs.tsv", wv.index_to_key, wv.vectors).to_json()},
        "categories": {},
        "outliers": {},
    }
    family = json.loads(result.stdout)["analogies"]["family"]
    assert (family["correct"], family["total"], family["skipped"]) == (3, 4, 1)
    assert family["sections"]["royals"]["total"] == 3
    assert json.loads(result.stdout)["similarity"]["pairs"]["oov"] == 0.25


def test_evaluate_draws_the_answers_to_one_file(folder: Path, tmp_path: Path) -> None:
    asked = ["evaluate", folder / "v.safetensors", "--analogies", folder / "family.txt"]
    picture, twin = tmp_path / "a.svg", tmp_path / "family.txt"
    twin.write_bytes((folder / "family.txt").read_bytes())
    assert run(*asked, "--plot", picture).stdout == run(*asked).stdout
    assert {"2 of 3", "3 of 4"} <= {text.text for text in ElementTree.parse(picture).iter() if text.text}
    for more, said in (
        (["--plot", tmp_path / "a.gif"], "must end in one of"),
        (["--plot", picture, "--analogies", twin], "give --analogies FILE once"),
        (["--theme", "dark"], "--theme is for --plot"),
    ):
        result = run(*asked, *more)
        assert (result.exit_code, result.stdout) == (1, "")
        assert said in result.stderr


def test_evaluate_prints_aligned_tables(folder: Path) -> None:
    result = run(
        "evaluate",
        folder / "v.safetensors",
        *("--analogies", folder / "family.txt", "--similarity", folder / "pairs.tsv"),
    )
    first, second = result.stdout.split("\n\n")
    for table in (first, second):
        assert len({len(line) for line in table.splitlines()}) == 1
    rows = {line.split()[0]: line.split()[1:] for line in first.splitlines()}
    assert [rows["total"][0], *rows["total"][3:]] == ["75.0%", "3", "4", "1"]
    assert rows["syntactic"] == rows["gram1-number"] == ["100.0%", "[100.0%,", "100.0%]", "1", "1", "0"]
    assert "family.txt" in result.stderr  # progress
    assert second.splitlines()[1].split()[-2:] == ["3", "25.0%"]


def test_evaluate_claims_no_accuracy_where_nothing_was_asked(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "far.txt").write_text(": known\nman woman king queen\n: unknown\na b c d\n")
    result = run("evaluate", folder / "v.safetensors", "--analogies", tmp_path / "far.txt")
    rows = {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines()}
    assert rows["unknown"] == ["-", "-", "0", "0", "1"]
    assert rows["known"][3:] == ["1", "1", "0"]


def test_json_is_ascii_so_that_any_terminal_can_print_it(folder: Path, tmp_path: Path) -> None:
    twin = tmp_path / "ähnlich.txt"
    twin.write_text(": é\nman woman king queen\n", encoding="utf-8")
    lines = [
        run("similar", folder / "v.safetensors", "Åse", "--json").stdout,
        run("analogy", folder / "v.safetensors", "man", "woman", "Åse", "--json").stdout,
        run("evaluate", folder / "v.safetensors", "--analogies", twin, "--json").stdout,
    ]
    assert all(line.isascii() for line in lines)
    assert json.loads(lines[1])["c"] == "Åse"
    assert list(json.loads(lines[2])["analogies"]["ähnlich"]["sections"]) == ["é"]


def test_evaluate_restricts_the_vocabulary_and_tells_files_of_one_name_apart(folder: Path) -> None:
    (folder / "other").mkdir()
    twin = folder / "other" / "family.txt"
    twin.write_text(": x\nman woman king queen\n")
    arguments = ["evaluate", folder / "v.safetensors", "--json", "--restrict-vocab", 4]
    found = json.loads(run(*arguments, "--analogies", folder / "family.txt", "--analogies", twin).stdout)
    assert list(found["analogies"]) == [str(folder / "family.txt"), str(twin)]
    assert found["analogies"][str(folder / "family.txt")]["skipped"] == 3  # prince, cat, x
    assert found["similarity"] == {}


def test_evaluate_with_the_columns_and_the_case_of_the_user(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("id,a,b,n,m\n1,King,queen,1,9\n2,man,cat,2,2\n3,man,woman,3,6\n")
    arguments = ["evaluate", folder / "v.safetensors", "--json", "--similarity", tmp_path / "p.csv"]
    refused = run(*arguments)
    assert refused.exit_code == 1
    assert "which of the 5 columns are they? Name or number them, such as --columns 1,2,4" in refused.stderr
    wv = load_vectors(folder / "v.safetensors")
    for columns in ("a,b,m", "2,3,5"):
        found = json.loads(run(*arguments, "--columns", columns).stdout)["similarity"]["p"]
        assert (found["pairs"], found["oov"]) == (3, 0)
        expected = evaluate_similarity(tmp_path / "p.csv", wv.index_to_key, wv.vectors, columns=columns)
        assert found == expected.to_json()
    exactly = json.loads(run(*arguments, "--columns", "a,b,m", "--case-sensitive").stdout)["similarity"]["p"]
    assert exactly["pairs"] == 2
    (tmp_path / "q.txt").write_text(": x\nMan woman king queen\n")
    arguments = ["evaluate", folder / "v.safetensors", "--json", "--analogies", tmp_path / "q.txt"]
    assert json.loads(run(*arguments).stdout)["analogies"]["q"]["correct"] == 1
    assert json.loads(run(*arguments, "--case-sensitive").stdout)["analogies"]["q"]["skipped"] == 1


def test_convert_there_and_back(folder: Path, tmp_path: Path) -> None:
    chain = ["v.txt", "v.bin", "v.glove", "v.tsv", "v.npy", "v.vec.gz", "v.safetensors"]
    source = folder / "v.safetensors"
    for name in chain:
        result = run("convert", source, tmp_path / name)
        assert (result.exit_code, result.stdout) == (0, "")
        assert "8 words of 12 dimensions" in result.stderr
        source = tmp_path / name
    assert np.array_equal(load_vectors(source).vectors, load_vectors(folder / "v.safetensors").vectors)
    (tmp_path / "v.glove").rename(tmp_path / "glove.6B.txt")
    assert run("convert", tmp_path / "glove.6B.txt", tmp_path / "w.bin").exit_code == 0
    assert load_vectors(tmp_path / "w.bin").index_to_key == WORDS
    refused = run("convert", tmp_path / "glove.6B.txt", tmp_path / "w.bin", "--from", "txt")
    assert refused.exit_code == 1
    assert "say --from glove" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["similar", "none.txt", "king"], "cannot read none.txt"),
        (["similar", "V", "king", "-k", "0"], r"-k = 0 is out of range; the allowed range is \[1, inf\)"),
        (["evaluate", "V", "--restrict-vocab", "0"], "--restrict-vocab = 0 is out of range"),
        (["similar", "V", "king", "--minus", "king"], "the terms cancel out"),
        (["similar", "V", "kings"], "the word 'kings' is not in the vocabulary; did you mean 'king'"),
        (["analogy", "V", "man", "woman", "kings"], "did you mean 'king'"),
        (["similar", "pairs.tsv", "king"], "line 1 is .*; expected a word and its numbers"),
        (["evaluate", "V"], "give --analogies FILE or --similarity FILE"),
        (["evaluate", "V", "--analogies", "family.txt", "--columns", "1,2,3"], "--columns is for files of word pairs"),
        (["evaluate", "V", "--similarity", "pairs.tsv", "--columns", "1,2,x"], "--columns = 'x': the first line"),
        (["evaluate", "V", "--analogies", "pairs.tsv"], "holds word pairs with scores, not questions of analogies"),
        (["evaluate", "V", "--similarity", "family.txt"], "holds questions of analogies, not word pairs with scores"),
        (["convert", "V", "x.doc"], "no vector format has this extension"),
        (["convert", "none.doc", "x.txt"], "cannot read none.doc"),
        (["convert", "V", "nowhere/x.txt"], "the folder nowhere does not exist"),
        (["convert", "none.txt", "nowhere/x.txt"], "the folder nowhere does not exist"),
        (["convert", "V", "x.txt", "--from", "arpa"], "choose one of safetensors"),
    ],
)
def test_bad_input_is_one_line_and_status_1(
    folder: Path, arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    before = sorted(folder.rglob("*"))
    result = run(*("v.safetensors" if argument == "V" else argument for argument in arguments))
    assert result.exit_code == 1
    last = result.stderr.splitlines()[-1]
    assert last.startswith("Error: ")
    assert re.search(message, last)
    assert result.stdout == ""
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("arguments", [["similar"], ["similar", "v", "w", "-k", "x"], ["evalute"]])
def test_wrong_usage_is_status_2(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


def test_as_a_program(folder: Path) -> None:
    command = [sys.executable, "-m", "windrow", "vectors", "analogy"]
    good = subprocess.run([*command, "v.safetensors", *WORDS[:3]], cwd=folder, capture_output=True, check=False)
    assert good.returncode == 0
    assert good.stdout.decode().splitlines()[0].startswith("queen\t")
    assert good.stderr == b""
    bad = subprocess.run([*command, "v.safetensors", "a", "b", "c"], cwd=folder, capture_output=True, check=False)
    assert (bad.returncode, bad.stdout) == (1, b"")
    assert bad.stderr.startswith(b"Error: the word ")
    assert bad.stderr.count(b"\n") == 1


def test_the_command_line_starts_without_numpy() -> None:
    code = "import sys, windrow.cli.vectors; print(sorted({'numpy', 'scipy', 'numba'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


# --- questions on standard input


def asked(*arguments: Any, questions: str) -> Result:
    return CliRunner().invoke(main, ["vectors", *map(str, arguments)], input=questions)


def test_words_from_standard_input_have_the_answers_of_single_questions(folder: Path) -> None:
    result = asked("similar", folder / "v.safetensors", "-k", 3, questions="king\n\n  Åse \nqueen")
    expected = [
        f"{word}\t{line}"
        for word in ("king", "Åse", "queen")
        for line in run("similar", folder / "v.safetensors", word, "-k", 3).stdout.splitlines()
    ]
    assert result.stdout.splitlines() == expected


def test_questions_as_json_lines(folder: Path) -> None:
    result = asked("similar", folder / "v.safetensors", "--json", questions="king\nqueen\n")
    assert [json.loads(line)["positive"] for line in result.stdout.splitlines()] == [["king"], ["queen"]]
    result = asked(
        "analogy", folder / "v.safetensors", "--json", "-k", 1, questions="man woman king\nman\tking\twoman\n"
    )
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(line["a"], line["b"], line["c"]) for line in lines] == [("man", "woman", "king"), ("man", "king", "woman")]
    assert [line["similar"][0]["word"] for line in lines] == ["queen", "queen"]


def test_analogies_from_standard_input(folder: Path) -> None:
    result = asked("analogy", folder / "v.safetensors", "-k", 1, questions="man woman prince\n")
    single = run("analogy", folder / "v.safetensors", "man", "woman", "prince", "-k", 1)
    assert result.stdout == f"man woman prince\t{single.stdout}"


def test_unseen_words_from_standard_input_are_answered_by_their_ngrams(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    subwords, _ = Subwords.of(WORDS, 3, 4, 1000)
    ngrams = NgramVectors(subwords, rng.normal(size=(len(subwords.used), 6)).astype(np.float32))
    vectors = WordVectors(WORDS, rng.normal(size=(len(WORDS), 6)).astype(np.float32), None, ngrams)
    save_vectors(vectors, tmp_path / "v.safetensors")
    result = asked("similar", tmp_path / "v.safetensors", "-k", 2, questions="kings\nxyz\nmankind\n")
    assert result.stderr == "Warning: line 2: the word 'xyz' is not in the vocabulary\n"
    expected = [(word, found) for word in ("kings", "mankind") for found, _ in vectors.most_similar(word, topn=2)]
    assert [tuple(line.split("\t")[:2]) for line in result.stdout.splitlines()] == expected
    result = asked("analogy", tmp_path / "v.safetensors", "-k", 1, questions="mankind kings cats\n")
    assert result.stdout.split("\t")[:2] == ["mankind kings cats", vectors.analogy("mankind", "kings", "cats", 1)[0][0]]


def test_a_question_with_an_unknown_word_is_warned_of_and_the_others_go_on(folder: Path) -> None:
    result = asked("similar", folder / "v.safetensors", "-k", 1, questions="kings\nqueen\n")
    assert result.exit_code == 0
    assert "Warning: line 1: the word 'kings' is not in the vocabulary; did you mean 'king'" in result.stderr
    assert [line.split("\t")[0] for line in result.stdout.splitlines()] == ["queen"]


@pytest.mark.parametrize(
    ("arguments", "questions", "message"),
    [
        (["analogy", "V"], "man woman\n", "standard input, line 1: 'man woman' is no question; expected three words"),
        (["analogy", "V", "man", "woman"], "", "an analogy has three words, A B C; 2 were given"),
        (["similar", "V", "--minus", "man"], "king\n", "--minus is for WORDs that are given"),
        (["similar", "-"], "king\n", "cannot be both FILE and the words"),
        (["analogy", "-"], "king\n", "cannot be both FILE and the questions"),
    ],
)
def test_questions_that_cannot_be_asked(folder: Path, arguments: list[str], questions: str, message: str) -> None:
    vectors = str(folder / "v.safetensors")
    result = asked(*[vectors if argument == "V" else argument for argument in arguments], questions=questions)
    assert result.exit_code in (1, 2)
    assert message in result.stderr
    assert result.stdout == ""


def test_convert_names_its_own_options_and_keeps_its_input(folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "v.txt"
    assert run("convert", folder / "v.safetensors", source).exit_code == 0
    before = source.read_bytes()
    for target, more, said in (
        (source, (), "is read and written"),
        ("v.txt.bz2", (), "files are not written as .bz2; choose .gz, or none"),
        ("v", ("--to", "gensim"), "--to = 'gensim'; choose one of"),
        ("-", ("--to", "npy"), "--to = 'npy' cannot go to standard output"),
        ("v.bin", ("--from", "bin"), "not its binary; say --from txt"),
    ):
        refused = run("convert", source, tmp_path / target if target != "-" else target, *more)
        assert refused.exit_code == 1
        assert said in refused.stderr
        assert refused.stderr.count("\n") == 1
        assert [file.name for file in tmp_path.iterdir()] == ["v.txt"]
    assert source.read_bytes() == before


def test_the_files_of_the_projector(folder: Path, tmp_path: Path) -> None:
    convert = ("convert", folder / "v.safetensors", tmp_path / "points.tsv", "--to", "projector")
    result = run(*convert)
    assert (result.exit_code, result.stdout) == (0, "")
    assert (tmp_path / "points.metadata.tsv").read_text() == "".join(f"{word}\n" for word in WORDS)
    found = np.loadtxt(tmp_path / "points.tsv", np.float32, delimiter="\t")
    np.testing.assert_array_equal(found, load_vectors(folder / "v.safetensors").vectors)

    (tmp_path / "points.tsv").rename(tmp_path / "points.metadata.tsv")
    for arguments, told in (
        (
            ("convert", tmp_path / "points.metadata.tsv", tmp_path / "points.tsv", "--to", "projector"),
            "read and written",
        ),
        (("convert", folder / "v.safetensors", "-", "--to", "projector"), "cannot go to standard output"),
        (("convert", folder / "v.safetensors", tmp_path / "x.tsv.gz", "--to", "projector"), "leave out the .gz"),
        (("convert", tmp_path / "points.metadata.tsv", tmp_path / "y.txt", "--from", "projector"), "choose one of"),
    ):
        refused = run(*arguments)
        assert refused.exit_code == 1
        assert told in refused.stderr

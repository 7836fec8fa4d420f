"""``windrow corpus phrases``: corpora, text and models of phrases."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import windrow
from windrow import Corpus
from windrow.cli import main

TEXT = "she moved to new york\nnew york is large\n\nthey love new york\na new idea\n"
JOINED = TEXT.replace("new york", "new_york")
LEARN = ["--min-count", "1", "--threshold", "2"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text(TEXT)


def run(*arguments: str, input: str | None = None) -> Result:
    return CliRunner().invoke(main, ["corpus", "phrases", *arguments], input=input)


def test_text_to_text() -> None:
    result = run("text.txt", "-o", "-", *LEARN)
    assert (result.exit_code, result.stdout) == (0, JOINED)
    assert result.stderr.startswith(
        "standard output: 1 phrases, 16 tokens joined to 13 in 5 sentences, a vocabulary of 11 words, in "
    )
    run("-", "-o", "joined.txt", *LEARN, input=TEXT)
    assert Path("joined.txt").read_text() == JOINED
    run("text.txt", "-o", "joined.txt.gz", *LEARN, "--join-with", "~")
    assert gzip.decompress(Path("joined.txt.gz").read_bytes()).decode() == JOINED.replace("_", "~")


def test_to_a_corpus_from_text_and_corpus() -> None:
    Corpus.build("text.txt", "plain.corpus")
    for source in ("text.txt", "plain.corpus"):
        assert run(source, "-o", "joined.corpus", *LEARN).exit_code == 0
        assert Corpus.open("joined.corpus").fingerprint == Corpus.build(JOINED.splitlines()).fingerprint
    result = run("plain.corpus", "-o", "plain.corpus", *LEARN)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "plain.corpus is read and written" in result.stderr


def test_phrases_are_kept_and_joined_elsewhere() -> None:
    assert "p.safetensors: 1 phrases in " in run("text.txt", "-o", "p.safetensors", *LEARN).stderr
    assert windrow.load("p.safetensors").phrases_ == {"new_york": pytest.approx(3.5)}

    result = run("-", "-o", "-", "--apply", "p.safetensors", input="old New York\nnew york\n")
    assert result.stdout == "old New York\nnew_york\n"
    result = run("-", "-o", "-", "--apply", "p.safetensors", "--lowercase", input="old New York\n")
    assert result.stdout == "old new_york\n"
    assert "Warning: --lowercase: the training text of p.safetensors was read with --no-lowercase" in result.stderr
    result = run("-", "-o", "a.corpus", "--apply", "p.safetensors", input="nothing\n")
    assert "Warning: standard input: no phrase occurs in it" in result.stderr


def test_the_best_are_printed() -> None:
    result = run("text.txt", "-o", "x.txt", "--min-count", "1", "--threshold", "0.1", "--top", "2", "--scoring", "npmi")
    assert result.exit_code == 0
    rows = [line.split("\t") for line in result.stdout.splitlines()]
    phrases = windrow.Phrases(min_count=1, threshold=0.1, scoring="npmi").fit(TEXT.splitlines()).phrases_
    assert rows == [[phrase, f"{score:.6g}"] for phrase, score in list(phrases.items())[:2]]


def test_connector_words_and_passes() -> None:
    text = "birds of the prey\nbirds of the prey\nprey fly by\na b c\na b c\n"
    options = ["--min-count", "1", "--threshold", "0.1", "--max-phrases", "5"]
    assert run("-", "-o", "-", "--connector-words", "of,the", *options, input=text).stdout.startswith(
        "birds_of_the_prey"
    )
    assert run("-", "-o", "-", "--connector-words", "english", *options, input=text).stdout.startswith("birds_of_the_")
    twice = run("-", "-o", "-", "--passes", "2", *options, input=text).stdout
    assert twice == "birds_of_the_prey\n" * 2 + "prey fly by\n" + "a_b_c\n" * 2


def test_what_a_corpus_leaves_out_is_told() -> None:
    Corpus.build("text.txt", "rare.corpus", min_count=2)
    result = run("rare.corpus", "-o", "-", "--min-count", "1", "--threshold", "0.1")
    assert result.stdout == "new_york\nnew_york\n\nnew_york\nnew\n"
    assert "Warning: 9 tokens that the corpus leaves out are missing in the text" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-o", "text.txt"], "text.txt is read and written; choose another name for the output"),
        (["-o", "-", "--threshold", "-1"], "--threshold = -1.0 is out of range; the allowed range is (0, inf)"),
        (["-o", "-", "--scoring", "npmi"], "out of range; with --scoring npmi it is from -1 to 1: try --threshold 0.5"),
        (["-o", "-", "--memory", "1"], "--memory = 1 is out of range"),
        (["-o", "-", "--top", "3"], "--top prints to standard output, which has the text with -o -; name a file"),
        (["-o", "-", "--apply", "none"], "cannot read none: No such file or directory"),
        (["-o", "-", "--apply", "v"], "holds word vectors, not phrases"),
        (
            ["-o", "q.safetensors", "--apply", "p"],
            "q.safetensors: --apply writes the joined text; name a folder or a .txt file",
        ),
        (["-o", "-", "--apply", "p", "--passes", "2"], "--passes has no effect with --apply; leave one of them out"),
        (["-o", "-", "--apply", "p", "--join-with", "2"], "--join-with has no effect with --apply"),
        (["-o", "-", "--apply", "p", "--connector-words", "a"], "--connector-words has no effect with --apply"),
        (["-o", "-", *LEARN, "--join-with", " "], "--join-with = ' ' is none for words of a corpus"),
        (["-o", "folder"], "folder exists and is not a windrow corpus"),
        (["-o", "folder.txt"], "folder.txt: it is a folder"),
        (["-o", "none/a.txt"], "the folder none does not exist"),
    ],
)
def test_what_is_refused(arguments: list[str], said: str) -> None:
    windrow.Phrases(min_count=1, threshold=2).fit(TEXT.splitlines()).save("p")
    windrow.WordVectors(["a"], [[1.0]]).save("v.safetensors")
    Path("v.safetensors").rename("v")
    Path("folder").mkdir()
    Path("folder.txt").mkdir()
    before = sorted(Path().rglob("*"))
    result = run("text.txt", *arguments)
    assert (result.exit_code, result.stderr.count("\n"), result.stdout) == (1, 1, "")
    assert said in result.stderr
    assert sorted(Path().rglob("*")) == before

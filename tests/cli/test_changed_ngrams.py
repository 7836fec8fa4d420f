"""`windrow lm prune`, `filter`, `add` and `convert --renormalize`: what they write and say, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import windrow
from windrow.cli import main


def run(*arguments: object, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, ["lm", *map(str, arguments)], input=stdin)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("text").write_text("the cat sat\na dog ran\nthe dog sat\n" * 3)
    Path("more").write_text("a cat ran\nthe cat ran\n")
    Path("words").write_text("the cat\nzebra\n")
    train = ("train", "ngram", "text", "--order", 2, "--smoothing", "witten-bell")
    assert run(*train, "-o", "m.safetensors").exit_code == 0
    assert run(*train, "-o", "c.safetensors", "--keep-counts").exit_code == 0
    return tmp_path


def test_what_is_written_is_told(here: Path) -> None:
    pruned = run("prune", "m.safetensors", "-o", "p.arpa", "--max-ngrams", 12)
    assert pruned.stderr.startswith("p.arpa: order 2, 12 of 19 n-grams (by length: 9, 3), entropy threshold 0.")
    filtered = run("filter", "m.safetensors", "--vocab", "words", "-o", "f.arpa")
    assert filtered.stderr == (
        "f.arpa: order 2, 10 of 19 n-grams (by length: 5, 5), 2 of 6 words; of words it lacks 1\n"
    )
    added = run("add", "c.safetensors", "more", "-o", "a.safetensors")
    assert added.stderr.startswith("a.safetensors: order 2, 19 + 2 n-grams (by length: 9, 12) in ")
    both = windrow.NGramLM(2, "witten-bell").fit([Path("text"), Path("more")])
    assert windrow.load("a.safetensors").log_prob("a cat sat") == both.log_prob("a cat sat")
    often = run("prune", "a.safetensors", "-o", "-", "--prune", "0,1")
    assert "ngram 2=" in often.stdout
    assert CliRunner().invoke(main, ["info", "a.safetensors"]).stdout.count("keeps counts") == 1


def test_discounts_that_both_texts_do_not_give_are_chosen_in_a_new_training(here: Path) -> None:
    Path("real").write_text("".join(f"w{n} " * (40 // n) + "\n" for n in range(1, 41)))  # as Zipf has it
    train = ("train", "ngram", "real", "--order", 1, "--keep-counts", "-o", "kn.safetensors")
    assert run(*train).exit_code == 0
    twice = run("add", "kn.safetensors", "real", "-o", "twice.safetensors")
    told = "no 1-gram has the (adjusted) count 1: the corpus is too small, or not natural text, to estimate discounts"
    way_out = "train one model on all the text with `windrow lm train ngram --discount-fallback`"
    assert (twice.exit_code, twice.stderr) == (1, f"Error: {told}; {way_out}\n")
    assert not Path("twice.safetensors").exists()


def test_a_file_from_elsewhere_is_mended(here: Path) -> None:
    lines = ["\\data\\", "ngram 1=4", "\\1-grams:", "-0.5 <unk>", "-99 <s>", "-0.5 </s>", "-0.5 a", "\\end\\"]
    Path("wrong.arpa").write_text("\n".join(lines))
    assert run("convert", "wrong.arpa", "right.arpa", "--renormalize").exit_code == 0
    assert windrow.load("right.arpa").next_word_distribution().sum() == pytest.approx(1, abs=1e-6)
    told = run("prune", "wrong.arpa", "-o", "p.arpa", "--entropy-prune", 0).stderr
    assert told.startswith(
        "Warning: wrong.arpa: the probabilities after 1 of 1 contexts do not sum to one, but to 0.9487"
    )


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (
            "prune m.safetensors -o p.arpa",
            "nothing says what to leave out; give --entropy-prune, --max-ngrams, --max-bytes, --prune or --order",
        ),
        (
            "prune m.safetensors -o p.arpa --max-bytes 9K",
            "--max-bytes is the size of windrow's own file; of an ARPA file try --max-ngrams",
        ),
        ("prune m.safetensors -o p --max-bytes x", "--max-bytes 'x' must be a size such as 500K, 100M or 2G"),
        ("prune m.safetensors -o p --prune 1,x", "--prune '1,x' must be whole numbers with commas between them"),
        (
            "prune m.safetensors -o p --prune 0,1",
            "m.safetensors keeps no counts; to prune it by counts, train it with --keep-counts",
        ),
        (
            "prune m.safetensors -o p --max-ngrams 3",
            "--max-ngrams = 3: there are 9 words, which are all kept; try --max-ngrams 9 or more",
        ),
        ("prune m.safetensors -o p --order 3", "--order = 3 is out of range; the allowed range is [1, 2]"),
        (
            "filter - --vocab - -o p",
            "standard input, '-', cannot be both MODEL and --vocab; name a file for one of them",
        ),
        (
            "filter m.safetensors --vocab more.words -o p",
            "cannot read more.words: No such file or directory",
        ),
        (
            "add m.safetensors more -o p",
            "m.safetensors keeps no counts; to add text to it, train it with --keep-counts",
        ),
        (
            "add c.safetensors more -o p.arpa",
            "p.arpa: an ARPA file keeps no counts; name a .safetensors file and convert that",
        ),
        (
            "train ngram text -o p.arpa --keep-counts",
            "p.arpa: an ARPA file cannot hold counts (--keep-counts); name a .safetensors file",
        ),
    ],
)
def test_one_line_says_what_is_wrong(here: Path, typed: str, told: str) -> None:
    before = sorted(here.iterdir())
    result = run(*typed.split())
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"Error: {told}")
    assert result.stderr.count("\n") == 1
    assert sorted(here.iterdir()) == before


def test_other_models_are_refused(here: Path) -> None:
    assert run("train", "window", "text", "-o", "w", "--epochs", 1, "--hidden", 2, "--embedding", 2).exit_code == 0
    for typed, done in (
        ("prune w -o p --order 1", "only n-gram models are pruned"),
        ("filter w --vocab words -o p", "only n-gram models are filtered"),
        ("add w more -o p", "text is added to n-gram models only"),
        ("convert w p --renormalize --quantize 8", "only n-gram models are converted"),
    ):
        assert done in run(*typed.split()).stderr

"""``windrow lm train ngram --order inf``."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

import windrow
from windrow.cli import main


def run(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, [str(word) for word in words])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_text("The cat sat on the mat\nthe cat ran off\na dog ran off\n" * 3)


def test_a_model_is_trained_and_asked():
    train = ("lm", "train", "ngram", "text.txt", "-o", "m.safetensors", "--order", "inf", "--lowercase")
    code, out, told = run(*train, "--discount-fallback", "--report", "page.html")
    assert (code, out) == (0, "")
    assert told.startswith("m.safetensors: unbounded order, 42 tokens, ")
    model = windrow.load("m.safetensors", expected=windrow.UnboundedNGramLM)
    assert model.count("The CAT") == 6
    assert windrow.UnboundedNGramLM(discount_fallback=True).fit(
        windrow.Corpus.build("text.txt", lowercase=True)
    ).log_prob("the cat sat") == model.log_prob("the cat sat")
    rows = CliRunner().invoke(main, ["lm", "score", "m.safetensors", "--words"], input="the cat ran zebra\n").stdout
    assert [row.split("\t")[0::2][:2] for row in rows.splitlines()[:5]] == [
        ["the", "2"], ["cat", "3"], ["ran", "4"], ["zebra", "1"], ["</s>", "1"],
    ]  # fmt: skip
    assert "UnboundedNGramLM(discount_fallback=True)" in Path("page.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("-o m --prune 0,1", "--prune has no effect with --order inf; leave it out"),
        ("-o m --memory 1G", "--memory has no effect with --order inf; leave it out"),
        ("-o m --no-bos", "--bos has no effect with --order inf; leave it out"),
        ("-o m --vocab text.txt", "--vocab has no effect with --order inf; leave it out"),
        ("-o m --smoothing katz", "--order inf has the smoothing modified-kneser-ney, not katz; leave it out"),
        ("-o m.arpa", "m.arpa: an ARPA file cannot hold a model of unbounded order; name a .safetensors file"),
        ("-o -", "standard output, '-', is for ARPA files, which cannot hold a model of unbounded order"),
        ("-o m", "no 1-gram has the (adjusted) count"),
        ("-o m --order 101", "--order = 101 is out of range"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(options, message):
    code, _, told = run("lm", "train", "ngram", "text.txt", "--order", "inf", *options.split())
    assert (code, told.count("\n")) == (1, 1)
    assert told.startswith(f"Error: {message}")


def test_another_word_than_inf_is_no_order():
    code, _, told = run("lm", "train", "ngram", "text.txt", "-o", "m", "--order", "infinite")
    assert code == 2
    assert "'infinite' is not a valid integer, nor inf" in told

"""``windrow lm train ngram --order inf``."""

from __future__ import annotations

import json
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


def test_words_are_found_in_the_text():
    run("lm", "train", "ngram", "text.txt", "-o", "m.safetensors", "--order", "inf", "--discount-fallback")
    look = ("lm", "ngrams", "m.safetensors", "--text")
    assert run(*look, "cat ran") == (0, "the\tcat ran\toff\n" * 3, "'cat ran' stands in the text 3 times\n")
    code, out, _ = run(*look, "a dog", "--json")
    assert (code, [json.loads(line) for line in out.splitlines()]) == (
        0, [{"before": [], "words": ["a", "dog"], "after": ["ran", "off"]}] * 3,
    )  # fmt: skip
    told = "'dog cat ran' stands in the text 0 times; how many of its last words do: 2\n"
    assert run(*look, "dog cat ran") == (0, "", told)
    assert run(*look, "zebra") == (0, "", "'zebra' stands in the text 0 times\n")


def test_a_list_of_n_grams_and_the_text_are_of_different_models():
    run("lm", "train", "ngram", "text.txt", "-o", "inf", "--order", "inf", "--discount-fallback")
    run("lm", "train", "ngram", "text.txt", "-o", "two", "--order", 2, "--smoothing", "witten-bell")
    refused = {
        (
            "inf",
        ): "inf holds an n-gram language model of unbounded order, which has no list of n-grams; add --text WORDS",
        (
            "two",
            "--text",
            "cat",
        ): "two holds an n-gram language model, which does not keep its text; train a model with "
        "`windrow lm train ngram --order inf`, or leave --text out",
        ("inf", "--text", ""): "no word is given; give at least one",
        ("inf", "--text", "a", "--order", "3"): "--order has no effect with --text; leave one of them out",
    }
    for words, message in refused.items():
        assert run("lm", "ngrams", *words) == (1, "", f"Error: {message}\n")


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

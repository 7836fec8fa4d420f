"""`windrow lm vocab`, `ngrams` and `next`: what a model holds, and what it expects next."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import windrow
from tests.lm.contract import MODELS
from windrow.cli import main
from windrow.lm.base import LANGUAGE_MODELS

LINES = ["the cat sat", "the dog sat down", "a cat ran", "the cat ran off", "a mouse"]
KINDS = {
    "n-grams",
    "n-grams of unbounded order",
    "classes",
    "skips",
    "window",
    "window, 8 bits",
    "recurrent",
    "mixture of vocabularies",
    "cache",
}


def run(*arguments: Any, **options: Any) -> Result:
    result = CliRunner().invoke(main, ["lm", *map(str, arguments)], **options)
    assert isinstance(result.exception, SystemExit | None), result.exception
    return result


def printed(*arguments: Any, **options: Any) -> str:
    result = run(*arguments, **options)
    assert (result.exit_code, result.stderr) == (0, ""), result.stderr
    return result.stdout


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> windrow.NGramLM:
    """A model, which is also in the files m and m.arpa of the current folder."""
    monkeypatch.chdir(tmp_path)
    model = windrow.NGramLM(3, discount_fallback=True).fit(LINES)
    model.save("m")
    model.save("m.arpa")
    return model


@pytest.fixture(params=sorted(KINDS))
def any_model(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A model of each kind, which is also in the file m of the current folder."""
    monkeypatch.chdir(tmp_path)
    model = MODELS[request.param]()
    model.save("m")
    return windrow.load("m")


def test_every_kind_is_tried() -> None:
    assert {type(MODELS[name]()).kind for name in KINDS} >= {kind for kind in LANGUAGE_MODELS if kind != "toy-lm"}


# --- vocab


def test_words_are_in_the_order_of_their_ids(any_model: Any) -> None:
    assert printed("vocab", "m").splitlines() == any_model.vocabulary.words
    rows = [line.split("\t") for line in printed("vocab", "m", "--probs").splitlines()]
    assert [word for word, _ in rows] == any_model.vocabulary.words
    assert [float(prob) for _, prob in rows] == pytest.approx(any_model.next_word_distribution(bos=False), rel=1e-5)


@pytest.mark.usefixtures("model")
def test_counts_are_those_of_the_text() -> None:
    words = " ".join(LINES).split()
    marks = {"<unk>": "0", "<s>": "0", "</s>": str(len(LINES))}
    rows = dict(line.split("\t") for line in printed("vocab", "m", "--counts").splitlines())
    assert rows == {word: str(words.count(word)) for word in words} | marks
    both = printed("vocab", "m", "--counts", "--probs").splitlines()
    assert [line.split("\t")[:2] for line in both] == [list(row) for row in rows.items()]


@pytest.mark.usefixtures("model")
def test_counts_that_no_file_has_are_refused() -> None:
    result = run("vocab", "m.arpa", "--counts")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: m.arpa does not hold counts of words, as ARPA files do not; leave --counts out\n"


# --- ngrams


@pytest.mark.parametrize("name", ["m", "m.arpa"])
def test_ngrams_are_the_lines_of_the_arpa_file(model: windrow.NGramLM, name: str) -> None:
    sections = Path("m.arpa").read_text().split("-grams:\n")[1:]
    orders = [section.partition("\n\n")[0].splitlines() for section in sections]
    assert list(map(len, orders)) == model.table_.sizes

    assert printed("ngrams", name).splitlines() == [line for lines in orders for line in lines]
    for order, lines in enumerate(orders, 1):
        assert printed("ngrams", name, "--order", order).splitlines() == lines
    for prefix in ("the", "the cat", "<s> the", "<s>"):
        expected = [line for lines in orders for line in lines if f"{line.split(chr(9))[1]} ".startswith(f"{prefix} ")]
        assert len(expected) > 1
        assert printed("ngrams", name, "--prefix", prefix).splitlines() == expected


def test_ngrams_as_json(model: windrow.NGramLM) -> None:
    rows = [json.loads(line) for line in printed("ngrams", "m", "--json").splitlines()]
    assert [tuple(row["words"]) for row in rows] == [gram.words for gram in model.ngrams()]
    assert [row["log10_prob"] for row in rows] == [
        None if gram.words == ("<s>",) else gram.log10_prob for gram in model.ngrams()
    ]
    assert [row["log10_backoff"] for row in rows] == [gram.log10_backoff for gram in model.ngrams()]


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--order", "4"], "--order = 4 is out of range; the allowed range is [1, 3]"),
        (["--order", "1", "--prefix", "the cat"],
         "--prefix = 'the cat' holds 2 words, more than n-grams of order 1 have; give fewer"),
        (["--prefix", "dgo"], "the word 'dgo' is not in the vocabulary; did you mean 'dog'?"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_ngrams_that_there_cannot_be(options: list[str], told: str, form: list[str]) -> None:
    result = run("ngrams", "m", *options, *form)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"Error: {told}\n")


@pytest.mark.usefixtures("model")
def test_words_after_the_model_are_a_prefix() -> None:
    assert run("ngrams", "m", "the", "cat").stderr.endswith("; did you mean --prefix 'the cat'?\n")


def test_a_model_without_ngrams(tmp_path: Path) -> None:
    MODELS["window"]().save(tmp_path / "w")
    told = run("ngrams", tmp_path / "w").stderr
    assert told == (
        f"Error: {tmp_path / 'w'} holds a language model of a window of words, which has no list of n-grams; name an "
        "n-gram model, or see what follows words with `windrow lm next`\n"
    )


def test_words_that_would_break_the_lines(tmp_path: Path) -> None:
    model = windrow.NGramLM(1, "witten-bell").fit(["a b"])
    model.vocabulary.words[3] = "new york"
    model.save(tmp_path / "m")
    result = run("ngrams", tmp_path / "m")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "cannot hold the word 'new york'" in result.stderr
    assert result.stderr.endswith("; add --json\n")
    rows = map(json.loads, printed("ngrams", tmp_path / "m", "--json").splitlines())
    assert ["new york"] in [row["words"] for row in rows]


@pytest.mark.skipif(os.name == "nt", reason="pipes of a shell")
def test_a_reader_who_has_seen_enough_hears_nothing(tmp_path: Path) -> None:
    words = [f"word{number}" for number in range(40_000)]
    windrow.NGramLM(2, "witten-bell").fit([words]).save(tmp_path / "m")
    for arguments in ("ngrams", "vocab", "vocab --probs", "ngrams --json"):
        name, *flags = arguments.split()
        command = [sys.executable, "-m", "windrow", "lm", name, str(tmp_path / "m"), *flags]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None and process.stderr is not None
            assert process.stdout.readline()
            process.stdout.close()
            assert process.stderr.read() == b""
            assert process.wait() == 1


# --- next


def test_the_likeliest_words_of_every_model(any_model: Any) -> None:
    for words in ("", "a", "a b"):
        for flags, bos in (([], True), (["--anywhere"], False)):
            rows = [line.split("\t") for line in printed("next", "m", *words.split(), "-k", 3, *flags).splitlines()]
            expected = any_model.top_words(words, 3, bos=bos)
            assert [word for word, _ in rows] == [word for word, _ in expected]
            assert [float(prob) for _, prob in rows] == pytest.approx([prob for _, prob in expected], abs=1e-6)


def test_next_as_json_and_of_given_words(model: windrow.NGramLM) -> None:
    found = json.loads(printed("next", "m", "the cat", "--json", "-k", 2))
    answers = [{"word": word, "probability": prob} for word, prob in model.top_words("the cat", 2)]
    assert found == {"context": "the cat", "next": answers}
    assert printed("next", "m", "the cat", "--prob", "ran", "--prob", "zebra").splitlines() == [
        f"{word}\t{model.prob(word, 'the cat'):.6f}" for word in ("ran", "zebra")
    ]
    assert run("next", "m", "--prob", "ran", "-k", 2).stderr == (
        "Error: --top has no effect with --prob; leave one of them out\n"
    )


def test_lines_are_answered_in_blocks(model: windrow.NGramLM) -> None:
    lines = ["the cat", "", "a"]
    blocks = printed("next", "m", "-", "-k", 2, input="\n".join(lines)).split("\n\n")
    assert blocks.pop() == ""
    assert blocks == [printed("next", "m", *line.split(), "-k", 2).removesuffix("\n") for line in lines]
    as_json = printed("next", "m", "-", "-k", 2, "--json", input="\n".join(lines)).splitlines()
    assert [json.loads(line)["context"] for line in as_json] == lines


@pytest.mark.usefixtures("model")
def test_what_is_said_of_contexts() -> None:
    warned = run("next", "m", "-", input="the cat\nThe zebra\n")
    assert warned.exit_code == 0
    assert warned.stderr == (
        "Warning: standard input, line 2: not in the vocabulary, read as <unk>: The, zebra; did you mean the?\n"
    )
    marked = run("next", "m", "-", "--json", input="the cat\n<s> the\n")
    assert marked.exit_code == 1
    assert marked.stderr.startswith("Error: standard input, line 2: the sentence holds '<s>', which marks")
    assert len(marked.stdout.splitlines()) == 1
    assert run("next", "-", "-", input="").stderr == (
        "Error: standard input, '-', cannot be both MODEL and WORDS; name a file, or give WORDS\n"
    )
    assert run("next", "m", "--prob", "the cat").stderr.startswith("Error: 'the cat' is not one word")

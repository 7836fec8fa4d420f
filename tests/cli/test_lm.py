"""`windrow lm`: what goes to stdout, what to stderr, and the exit status."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import windrow
from windrow.cli import main
from windrow.lm.ngram import SMOOTHING_NAMES
from windrow.lm.ngram.smoothing import SMOOTHINGS

TEXT = "the cat sat\nthe dog sat down\na cat ran\nthe cat ran off\na dog\nthe dog ran\n\na mouse\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A text, and a model of it."""
    folder = tmp_path_factory.mktemp("lm")
    (folder / "text.txt").write_text(TEXT)
    trained = run(
        "train", "ngram", folder / "text.txt", "-o", folder / "m.safetensors", "--order", 3, "--discount-fallback"
    )
    assert trained.exit_code == 0, trained.output
    return folder


def run(*arguments: Any, **options: Any) -> Result:
    return CliRunner().invoke(main, ["lm", *map(str, arguments)], **options)


def test_training_tells_what_it_made(folder: Path) -> None:
    result = run(
        "train", "ngram", folder / "text.txt", "-o", folder / "w.arpa", "--smoothing", "witten-bell", "--order", 2
    )

    assert (result.exit_code, result.stdout) == (0, "")
    sizes = windrow.load(folder / "w.arpa").table_.sizes
    assert f"w.arpa: order 2, {sum(sizes)} n-grams (by length: {sizes[0]}, {sizes[1]}) in" in result.stderr


@pytest.mark.parametrize(
    ("typed", "given"),
    [
        ("0.4,0.9/0.3", ((0.4, 0.9), (0.3,))),
        ("0.4, 0.9 / estimate", ((0.4, 0.9), None)),
        ("estimate/estimate", (None, None)),
    ],
)
def test_discounts_of_each_order(typed: str, given: tuple[Any, ...], folder: Path, tmp_path: Path) -> None:
    target, fallback = tmp_path / "m.safetensors", None in given
    options = ("--order", 2, "--smoothing", "absolute", "--discounts", typed, *["--discount-fallback"] * fallback)

    result = run("train", "ngram", folder / "text.txt", "-o", target, *options)

    assert result.exit_code == 0, result.output
    found = windrow.load(target)
    assert [one if one is None else tuple(one) for one in found.discounts] == list(given)
    expected = windrow.NGramLM(2, "absolute", discounts=given, discount_fallback=fallback)
    np.testing.assert_array_equal(
        found.log_probs(["the cat"]), expected.fit(folder / "text.txt").log_probs(["the cat"])
    )


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (
            "0.5,x/0.5",
            "--discounts '0.5,x/0.5': '0.5,x' must be numbers with commas between them, such as 0.5,1,1.5/0.6",
        ),
        ("0.5//", "--discounts '0.5//': '' must be numbers with commas between them"),
        ("0.5", "--discounts = ((0.5,),): give one for each of the 2 orders, not 1"),
        ("0.5/1.5", "the discount of count 1 = 1.5 is out of range; the allowed range is [0, 1]"),
        ("nan/0.5", "the discount of count 1 = nan"),
    ],
)
def test_discounts_that_are_none(typed: str, said: str, folder: Path, tmp_path: Path) -> None:
    result = run("train", "ngram", folder / "text.txt", "-o", tmp_path / "m", "--order", 2, "--discounts", typed)

    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {said}")
    assert result.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_smoothings_offered_are_those_that_there_are() -> None:
    assert tuple(SMOOTHINGS) == SMOOTHING_NAMES


def test_perplexity(folder: Path) -> None:
    expected = windrow.load(folder / "m.safetensors").evaluate(folder / "text.txt")

    plain = run("perplexity", folder / "m.safetensors", folder / "text.txt")
    as_json = run("perplexity", folder / "m.safetensors", folder / "text.txt", "--json")

    assert f"perplexity                {expected.perplexity:.4f}\n" in plain.stdout
    assert json.loads(as_json.stdout) == expected.to_json()
    assert set(expected.to_json()) == {"perplexity", "perplexity_excluding_oov", "log10_prob", "tokens", "oov"}


def test_perplexity_of_a_corpus_folder(folder: Path) -> None:
    windrow.Corpus.build(folder / "text.txt", folder / "text.corpus")

    result = run("perplexity", folder / "m.safetensors", folder / "text.corpus", "--json")

    assert json.loads(result.stdout) == windrow.load(folder / "m.safetensors").evaluate(folder / "text.txt").to_json()


def test_a_line_in_a_number_out(folder: Path) -> None:
    model = windrow.load(folder / "m.safetensors")
    lines = TEXT.split("\n")[:-1]

    from_file = run("score", folder / "m.safetensors", folder / "text.txt")
    typed = run("score", folder / "m.safetensors", input=b"\xef\xbb\xbf" + TEXT.encode())

    assert from_file.stdout == typed.stdout
    np.testing.assert_allclose(list(map(float, from_file.stdout.split())), model.log_probs(lines), atol=1e-6)


def test_lines_of_several_sources_one_after_the_other(folder: Path, tmp_path: Path) -> None:
    model, first, second = folder / "m.safetensors", tmp_path / "first.txt", tmp_path / "second.txt"
    first.write_text("the cat\nthe <s>\n")
    second.write_text("the dog ran\n")
    alone = [run("score", model, source, "--skip-symbols").stdout for source in (first, second)]

    assert run("score", model, first, second, "--skip-symbols").stdout == "".join(alone)
    refused = run("score", model, second, first)
    assert (refused.exit_code, refused.stdout) == (1, alone[1])
    assert f"{first}, line 2 holds '<s>'" in refused.stderr


def test_words_of_a_line(folder: Path) -> None:
    result = run("score", folder / "m.safetensors", "--words", input="the zebra\na\n")

    rows = [line.split("\t") for line in result.stdout.split("\n")]
    assert [row[0] for row in rows] == ["the", "zebra", "</s>", "", "a", "</s>", "", ""]
    assert rows[1][2:] == ["1", "OOV"]
    expected = windrow.load(folder / "m.safetensors").word_scores("the")[0].log10_prob
    assert float(rows[0][1]) == pytest.approx(expected, abs=1e-6)


def test_warnings_are_one_line_on_stderr(folder: Path, tmp_path: Path) -> None:
    windrow.load(folder / "m.safetensors").save(tmp_path / "m.arpa")
    (tmp_path / "other.arpa").write_text((tmp_path / "m.arpa").read_text().replace("<unk>", "<UNK>"))

    results = [run("score", tmp_path / name, input="a zebra ran\n") for name in ("m.arpa", "other.arpa")]

    assert results[0].stdout == results[1].stdout
    assert [result.stderr for result in results] == ["", f"Warning: {tmp_path}/other.arpa: <UNK> is read as <unk>\n"]


def test_an_arpa_file_through_a_pipe(folder: Path, tmp_path: Path) -> None:
    windrow.load(folder / "m.safetensors").save(tmp_path / "m.arpa")
    text = (tmp_path / "m.arpa").read_text()
    (tmp_path / "text").write_text("a zebra ran\n")

    converted = run("convert", "-", tmp_path / "c.safetensors", input=text.replace("<unk>", "<UNK>"))
    through = run("convert", "-", "-", input=text)
    scores = [run("score", name, tmp_path / "text", input=text).stdout for name in ("-", tmp_path / "c.safetensors")]

    assert converted.stderr.startswith("Warning: standard input: <UNK> is read as <unk>\n")
    assert (through.exit_code, through.stdout) == (0, run("convert", tmp_path / "m.arpa", "-").stdout)
    assert scores[0] == scores[1] == run("score", tmp_path / "m.arpa", tmp_path / "text").stdout


def test_answers_come_line_by_line(folder: Path) -> None:
    command = [sys.executable, "-m", "windrow", "lm", "score", str(folder / "m.safetensors")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("the cat\n")
        process.stdin.flush()
        assert float(process.stdout.readline()) < 0  # before the input ends
        process.stdin.close()
        assert process.stdout.read() == ""


def test_lines_are_cut_as_in_training(folder: Path) -> None:
    options = ("--smoothing", "witten-bell", "--order", 2, "--tokenizer", "word", "--lowercase")
    run("train", "ngram", folder / "text.txt", "-o", folder / "word.safetensors", *options)

    result = run("score", folder / "word.safetensors", "--words", input="The CAT, it's\n")

    assert [line.split("\t")[0] for line in result.stdout.splitlines()] == ["the", "cat", "it's", "</s>", ""]


@pytest.mark.parametrize("words", [(), ("--words",)])
def test_marks_are_told_by_line_or_left_out(folder: Path, words: tuple[str, ...]) -> None:
    (folder / "marks.txt").write_text("the cat\n" * 2500 + "the <s> cat\n")
    asked = ("score", folder / "m.safetensors", folder / "marks.txt", *words)

    refused, skipped = run(*asked), run(*asked, "--skip-symbols")

    assert refused.exit_code == 1
    assert "line 2501 holds '<s>'" in refused.stderr
    assert skipped.exit_code == 0
    size = len(skipped.stdout) // 2501
    assert skipped.stdout == skipped.stdout[:size] * 2501


def test_texts_with_marks(folder: Path) -> None:
    (folder / "mark.txt").write_text("the cat </s> sat\n")
    (folder / "none.txt").write_text("the cat sat\n")
    asked = ("perplexity", folder / "m.safetensors")
    mixed = ("mix", folder / "m.safetensors", "--cache", 9, "-o", folder / "mixed.safetensors", "--tune")

    for command in asked, mixed:
        refused = run(*command, folder / "mark.txt")
        assert refused.exit_code == 1
        assert f"sentence 1 of {folder / 'mark.txt'} holds '</s>'" in refused.stderr
    assert run(*asked, folder / "mark.txt", "--skip-symbols").stdout == run(*asked, folder / "none.txt").stdout
    assert run(*mixed, folder / "mark.txt", "--skip-symbols").exit_code == 0


def test_input_that_is_no_text(folder: Path) -> None:
    result = run("score", folder / "m.safetensors", input=b"the cat\ncaf\xe9\n")

    assert (result.exit_code, result.stdout.count("\n")) == (1, 1)
    told = "standard input, line 2: invalid continuation byte; it must be UTF-8: convert it, or try --errors replace"
    assert result.stderr == f"Error: {told}\n"


def test_a_vocabulary_in_a_file(folder: Path) -> None:
    (folder / "words.txt").write_text("the cat\nran")
    options = ("--smoothing", "witten-bell", "--order", 2, "--vocab", folder / "words.txt")

    result = run("train", "ngram", folder / "text.txt", "-o", folder / "v.lm", *options)

    assert result.exit_code == 0, result.output
    rows = run("score", folder / "v.lm", "--words", input="the dog ran\n").stdout.splitlines()
    assert [row.endswith("OOV") for row in rows[:-1]] == [False, True, False, False]


def test_convert_there_and_back(folder: Path) -> None:
    assert run("convert", folder / "m.safetensors", folder / "c.arpa.gz").exit_code == 0
    assert run("convert", folder / "c.arpa.gz", folder / "c.safetensors").exit_code == 0

    first, second = (windrow.load(folder / name).log_probs(["the cat"]) for name in ("m.safetensors", "c.safetensors"))
    np.testing.assert_allclose(first, second, atol=1e-5)


def test_an_arpa_file_on_standard_output(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    options = ("--order", 2, "--smoothing", "witten-bell")
    run("train", "ngram", folder / "text.txt", "-o", tmp_path / "m.arpa", *options)

    trained = run("train", "ngram", folder / "text.txt", "-o", "-", *options)
    converted = run("convert", tmp_path / "m.arpa", "-")

    assert trained.stdout == converted.stdout == (tmp_path / "m.arpa").read_text()
    assert trained.stderr.startswith("standard output: order 2, ")
    assert converted.stderr.startswith("standard output: order 2, ")
    assert [path.name for path in tmp_path.iterdir()] == ["m.arpa"]


N_GRAMS = [
    ("train", "ngram", "none", "-o"),
    ("convert", "none"),
    ("mix", "none", "none", "--tune", "none", "-o"),
]
OTHERS = [
    ("train", "ngram", "none", "--smoothing", "stupid-backoff", "-o"),
    ("train", "rnn", "none", "-o"),
    ("train", "window", "none", "-o"),
]


@pytest.mark.parametrize("arguments", [*N_GRAMS, *OTHERS])
def test_names_that_would_mislead_are_refused_before_anything_is_read(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("m.bin", "m.binary", "M.KLM", "m.blm", "m.mmap", "m.trie"):
        result = run(*arguments, name)
        assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
        assert f"Error: {name}: windrow does not write the binary files of KenLM" in result.stderr
        assert ("build_binary" in result.stderr) == (arguments in N_GRAMS)
    if arguments in OTHERS:
        assert "Error: standard output, '-', is for ARPA files, which cannot hold " in run(*arguments, "-").stderr
    assert not list(tmp_path.iterdir())


def test_counts_out_and_in(folder: Path) -> None:
    counts, options = folder / "counts.txt", ("--order", 3, "--discount-fallback")
    run("train", "ngram", folder / "text.txt", "-o", folder / "1.safetensors", "--counts-out", counts, *options)
    result = run("train", "ngram", counts, "--from-counts", "-o", folder / "2.safetensors", *options)

    assert result.exit_code == 0, result.output
    first, second = (windrow.load(folder / f"{n}.safetensors").log_prob("the dog ran") for n in (1, 2))
    assert first == pytest.approx(second, abs=1e-5)


TRAIN = ("train", "ngram", "{text}", "-o", "{out}")
MIX = ("mix", "{model}", "{model}")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*TRAIN, "--order", 9, "--smoothing", "witten-bell"), "the longest sentence has 6"),
        ((*TRAIN, "--min-count", 0), "Error: --min-count = 0 is out of range"),
        ((*TRAIN, "--quantize", 9), "Error: --quantize = 9 is out of range"),
        ((*TRAIN, "--unk-mass", 1.0), "Error: --unk-mass = 1.0"),
        ((*TRAIN, "--order", 9, "--smoothing", "witten-bell"), "Error: --order = 9: the longest"),
        ((*TRAIN, "--order", 3), "try --discount-fallback or --smoothing witten-bell"),
        ((*TRAIN, "--memory", "many"), "--memory 'many' must be a size such as 500M, 2G or 50%"),
        ((*TRAIN, "--memory", "101%"), "--memory '101%' must be a size such as 500M, 2G or 50%"),
        ((*TRAIN, "--prune", "0,x"), "--prune '0,x' must be numbers with commas"),
        ((*TRAIN, "--prune", "0,,1"), "--prune '0,,1' must be numbers with commas"),
        ((*TRAIN, "--smoothing", "mle", "--backoff"), "or witten-bell, not mle; leave it out"),
        ((*TRAIN, "--smoothing", "stupid-backoff", "--interpolate"), "not stupid-backoff; leave it out"),
        ((*TRAIN, "--smoothing", "mle", "--discount-fallback"), "--discount-fallback is for --smoothing modified-"),
        (("train", "ngram", "{missing}", "-o", "{out}"), "missing"),
        (("train", "ngram", "{text}", "-o", "{missing}/m.arpa"), "does not exist; make it first"),
        (("perplexity", "{text}", "{text}"), "text.txt"),
        (("score", "{missing}"), "missing"),
        ((*TRAIN, "--vocab", "{missing}"), "missing"),
        ((*TRAIN, "--heldout", "{text}"), "--heldout is for --smoothing jelinek-mercer"),
        ((*TRAIN, "--counts-out", "{out}"), "out.safetensors is named twice for what is written"),
        (("train", "ngram", "{missing}", "-o", "{text}.arpa.xz"), "not as .xz"),
        (("train", "ngram", "{missing}", "-o", "{text}.arpa", "--smoothing", "stupid-backoff"), "stupid back-off"),
        ((*TRAIN, "--counts-out", "{text}.bz2"), "not as .bz2"),
        (("mix", "{model}", "--tune", "{text}", "-o", "{out}"), "a mixture needs two models"),
        ((*MIX, "--weights", "1,0", "-o", "{text}.arpa.xz"), "not as .xz"),
        (("mix", "-", "{model}", "--tune", "-", "-o", "{out}"), "standard input, '-', can be read once only"),
        ((*MIX, "--tune", "{text}", "--method", "log-linear", "-o", "{missing}.arpa"), "cannot hold a log-linear mix"),
        ((*MIX, "--tune", "{text}", "--cache", 9, "-o", "-"), "cannot hold a mixture with a CacheLM"),
        ((*MIX, "--tune", "{missing}", "--cache", 9, "-o", "{missing}.lm"), "name a .safetensors file"),
        (("convert", "{missing}.arpa", "{out}"), "missing.arpa"),
        (("score", "-"), "cannot be both MODEL and SOURCE"),
        (("perplexity", "-", "-"), "cannot be both MODEL and SOURCE"),
    ],
)
def test_mistakes_get_one_line(folder: Path, arguments: tuple[Any, ...], message: str) -> None:
    names = {"text": "text.txt", "out": "out.safetensors", "missing": "missing", "model": "m.safetensors"}
    places = {name: folder / path for name, path in names.items()}

    result = run(*(str(argument).format(**places) for argument in arguments))

    assert result.exit_code == 1, result.output
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert message in result.stderr
    assert not (folder / "out.safetensors").exists()


def test_generated_text_begins_with_its_prompt(folder: Path) -> None:
    live = run("generate", folder / "m.safetensors", "--prompt", " the  cat", "--seed", 1)
    again = run("generate", folder / "m.safetensors", "--prompt", "the cat", "--seed", 1, "--json")

    assert live.stdout == f"{json.loads(again.stdout)['text']}\n"
    assert live.stdout.startswith("the cat")


def test_a_refused_prompt_prints_nothing(folder: Path) -> None:
    result = run("generate", folder / "m.safetensors", "--prompt", "the zebra", "--strict")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "'zebra' is not in the vocabulary" in result.stderr


@pytest.mark.parametrize("how", [(), ("--json",), ("--greedy",), ("--num-beams", 2)])
def test_unknown_words_of_a_prompt_are_told_before_the_text(folder: Path, how: tuple[Any, ...]) -> None:
    prompt = ("--prompt", "the zebra met the zebra", "--seed", 1)
    result = run("generate", folder / "m.safetensors", *prompt, *how)

    told = "Warning: not in the vocabulary, read as <unk>: zebra, met\n"
    assert (result.exit_code, result.stderr) == (0, told)
    assert result.output == told + result.stdout  # both streams in the order in which they were written


def test_a_mixture_of_models_of_different_words(tmp_path: Path) -> None:
    for name, text in (("one", "a b a\nb a b\n" * 9), ("two", "x b x\nb x b\n" * 9), ("held", "a b x\n")):
        (tmp_path / name).write_text(text, "utf-8")
    for name in ("one", "two"):
        arguments = ("train", "ngram", tmp_path / name, "-o", tmp_path / f"{name}.m", "--order", 2)
        assert run(*arguments, "--smoothing", "witten-bell").exit_code == 0
    models = (tmp_path / "one.m", tmp_path / "two.m")
    mixed = ("mix", *models, "-o", tmp_path / "mixed")
    assert run(*mixed, "--tune", tmp_path / "held").exit_code == 0
    shown = run("perplexity", tmp_path / "mixed", tmp_path / "held", "--json").stdout
    assert json.loads(shown)["oov"] == 0

    given = run(*mixed, "--weights", "0.25,0.75")
    assert given.stdout == f"0.2500\t{models[0]}\n0.7500\t{models[1]}\n"
    for more, said in (
        ((), "give --tune SOURCE, to which weights are fitted, or --weights W,W: one of the two"),
        (("--weights", "1,0", "--tune", tmp_path / "held"), "give --tune SOURCE"),
        (("--weights", "1,x"), "--weights '1,x' must be numbers with commas between them"),
        (("--weights", "1,1"), "--weights = [1.0, 1.0] sum to 2"),
        (("--weights", "1,0", "--lowercase"), "--lowercase is for --tune; give that, too"),
    ):
        refused = run(*mixed, *more)
        assert refused.exit_code == 1
        assert refused.stderr.startswith(f"Error: {said}")


@pytest.fixture(scope="module")
def two_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models one.m and two.m of texts with different words, and text held out."""
    folder = tmp_path_factory.mktemp("two")
    for name, text, order in (("one", "a b a\nb a b\n" * 9, 3), ("two", "x b x\nx b\n" * 9, 2)):
        (folder / name).write_text(text, "utf-8")
        options = ("--order", order, "--smoothing", "witten-bell")
        assert run("train", "ngram", folder / name, "-o", folder / f"{name}.m", *options).exit_code == 0
    (folder / "held").write_text("a b x\nx b\n", "utf-8")
    return folder


@pytest.mark.parametrize("weights", [("--weights", "0.25,0.75"), ("--tune", "held")])
def test_a_mixture_of_ngrams_as_a_single_model(two_models: Path, tmp_path: Path, weights: tuple[str, str]) -> None:
    option, value = weights
    parts = (two_models / "one.m", two_models / "two.m")
    mix = ("mix", *parts, option, two_models / value if option == "--tune" else value, "-o")

    exact = run(*mix, tmp_path / "m.safetensors")
    single = run(*mix, tmp_path / "m.arpa")
    compressed = run(*mix, tmp_path / "m.arpa.gz")
    printed = run(*mix, "-")
    converted = run("convert", tmp_path / "m.safetensors", "-")

    assert [result.exit_code for result in (exact, single, compressed, printed, converted)] == [0] * 5
    assert exact.stdout == single.stdout == compressed.stdout
    assert printed.stderr == f"{exact.stdout}standard output: linear mixture of 2 models\n"
    assert printed.stdout == (tmp_path / "m.arpa").read_text("utf-8")
    mixture, model, unpacked = (windrow.load(tmp_path / name) for name in ("m.safetensors", "m.arpa", "m.arpa.gz"))
    (tmp_path / "converted").write_text(converted.stdout, "utf-8")
    again = windrow.load(tmp_path / "converted")
    assert again.table_.sizes == model.table_.sizes
    assert again.log_prob("a b") == pytest.approx(model.log_prob("a b"), abs=1e-5)
    assert type(model).__name__ == "NGramLM"
    assert model.vocabulary.words == mixture.vocabulary.words
    assert model.log_prob("x b") == unpacked.log_prob("x b")
    for context, word in (("", "x"), ("", "a"), ("x", "b"), ("a", "b")):  # bigrams of the one or the other
        place = model.vocabulary.id_of(word)
        expected = mixture.next_word_distribution(context)[place]
        assert model.next_word_distribution(context)[place] == pytest.approx(expected, abs=1e-6)


def test_a_mixture_that_is_no_single_model_is_not_converted(two_models: Path, tmp_path: Path) -> None:
    mix = ("mix", two_models / "one.m", two_models / "two.m", "--weights", "0.5,0.5", "--method", "log-linear")
    assert run(*mix, "-o", tmp_path / "m").exit_code == 0

    refused = run("convert", tmp_path / "m", tmp_path / "m.arpa")

    assert refused.exit_code == 1
    assert refused.stderr.count("\n") == 1
    assert "holds a mixture of language models; only n-gram models are converted" in refused.stderr
    assert not (tmp_path / "m.arpa").exists()


def test_marks_that_the_counts_lack_are_told_with_the_option(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "counts").write_text("the\t3\ncat\t2\nthe cat\t2\n")
    command = ["train", "ngram", tmp_path / "counts", "--from-counts", "-o", tmp_path / "m.arpa", "--order", 2]
    command += ["--smoothing", "witten-bell"]
    refused = run(*command)
    assert refused.stderr.endswith("the </s> of the counts: they have none; try --no-eos\n")
    assert run(*command, "--no-eos").stderr.endswith("the <s> of the counts: they have none; try --no-bos\n")
    assert run(*command, "--no-eos", "--no-bos").exit_code == 0


@pytest.mark.parametrize("options", ["--greedy --num-return-sequences 2", "--num-beams 2 --num-return-sequences 3"])
def test_advice_on_several_texts_is_true(folder: Path, options: str) -> None:
    generate = ("generate", folder / "m.safetensors", "--seed", 1)
    refused = run(*generate, *options.split())
    assert refused.exit_code == 1
    beams = re.search(r"try --num-beams \d+", refused.stderr)
    assert beams, refused.stderr
    texts = options[-1]
    as_advised = run(*generate, "--num-return-sequences", texts, *beams[0].split()[1:])
    assert (as_advised.exit_code, as_advised.stdout.count("\n")) == (0, int(texts))
    assert ("leave it out to draw 2" in refused.stderr) == ("greedy" in options)
    many = run(*generate, "--num-beams", 2, "--num-return-sequences", 2000)
    assert "try --num-return-sequences 2\n" in many.stderr

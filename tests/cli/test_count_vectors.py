"""``windrow vectors count``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import windrow
from windrow.cli import main

SMALL = "--min-count 1 --size 4 --window 3"
LINES = [f"the {a} sees the {b} and a {c}" for a, b, c in zip("abcdefab", "bcdeabcd", "cdefghab", strict=True)] * 4


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text").write_text("\n".join(LINES) + "\n")


def run(command: str) -> Result:
    return CliRunner().invoke(main, command.split())


def test_the_vectors_of_the_estimator(tmp_path: Path) -> None:
    result = run(f"vectors count text -o v.safetensors {SMALL} --shift 1.5 --seed 3 --workers 2")
    assert result.exit_code == 0, result.stderr
    assert (result.stdout, result.stderr.count("\n")) == ("", 1)
    assert result.stderr.startswith("v.safetensors: 11 words of 4 dimensions, counted in 256 tokens, in ")
    model = windrow.CountVectors(vector_size=4, window=3, min_count=1, shift=1.5, seed=3)
    np.testing.assert_array_equal(windrow.load("v.safetensors").vectors, model.fit(Path("text")).wv.vectors)
    assert run("vectors similar v.safetensors a -k 1").exit_code == 0


def test_a_corpus_and_standard_output() -> None:
    assert run("corpus build text -o corpus").exit_code == 0
    from_corpus, from_text = (run(f"vectors count {source} -o - {SMALL}") for source in ("corpus", "text"))
    assert from_corpus.exit_code == 0, from_corpus.stderr
    assert from_corpus.stdout == from_text.stdout
    assert from_text.stdout.startswith("11 4\n")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            "--size 50",
            "--size = 50 needs as many context words, and there are 11; set --size 11 at most",
        ),
        ("--min-count 99", "no word occurs 99 times in the corpus (the most frequent: 64 times); try --min-count"),
        ("--window 1 --contexts 1 --size 1 --sample 1e-9", "no two words stand near each other: there is nothing to"),
        ("--memory 1K", "--memory"),
        ("--ray-workers 2", "--ray-workers is for --ray"),
        ("--memory 2M --ray local", "--memory has no effect with --ray"),
        ("--temp-dir none", "no file can be made there"),
    ],
)
def test_refused_in_one_line(options: str, said: str) -> None:
    result = run(f"vectors count text -o v.safetensors {SMALL} {options}")
    assert (result.exit_code in (1, 2), result.stdout) == (True, "")
    assert said in result.stderr.splitlines()[-1]
    assert not Path("v.safetensors").exists()


def test_blend() -> None:
    assert run(f"vectors count text -o c.safetensors {SMALL}").exit_code == 0
    train = "vectors train text -o v.safetensors --min-count 1 --size 4 --epochs 1 --workers 1 --keep-training-state"
    assert run(train).exit_code == 0
    result = run("vectors blend v.safetensors c.safetensors -o b.safetensors --size 5 --second-weight 1")
    assert (result.exit_code, result.stdout) == (0, ""), result.stderr
    assert result.stderr == "b.safetensors: 11 words of 5 dimensions, blended from v.safetensors and c.safetensors\n"
    model = windrow.Blend(vector_size=5, second_weight=1).fit("v.safetensors", "c.safetensors")
    np.testing.assert_array_equal(windrow.load("b.safetensors").vectors, model.wv.vectors)
    made = run("info b.safetensors --command")
    assert made.stderr == "Error: b.safetensors, word vectors, does not say which command made it\n"
    assert "second_weight" in run("info b.safetensors").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "c.safetensors c.safetensors --size 9",
            "--size = 9 is more than the two tables have dimensions together",
        ),
        ("- -", "standard input, '-', can be read once only"),
        ("c.safetensors text", "text"),
        ("c.safetensors none", "none"),
    ],
)
def test_a_blend_refused_in_one_line(words: str, said: str) -> None:
    assert run(f"vectors count text -o c.safetensors {SMALL}").exit_code == 0
    result = run(f"vectors blend {words} -o b.safetensors")
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert said in result.stderr
    assert not Path("b.safetensors").exists()


RECIPE = "vectors train text -o r.safetensors --recipe blend --workers 1 --epochs 3 --min-count 1 --size 4 --window 3"


@pytest.mark.parametrize(
    ("favor", "small_text", "trained", "counted", "weights"),
    [
        ("", 0, 8, {"vector_size": 8, "window": 3}, (0.8, 0.5, 0.3)),
        ("", 10**6, 4, {"vector_size": 8, "window": 3}, (0.8, 0, 0.15)),
        ("--favor relatedness", 0, 8, {"vector_size": 5, "window": 6}, (1, 1, 0.3)),
        ("--favor relatedness", 10**6, 4, {"vector_size": 5, "window": 6}, (1, 1, 0.3)),
    ],
)
def test_a_recipe_trains_counts_and_blends(
    monkeypatch: pytest.MonkeyPatch,
    favor: str,
    small_text: int,
    trained: int,
    counted: dict[str, int],
    weights: tuple[float, float, float],
) -> None:
    monkeypatch.setattr("windrow.embeddings.recipes._SMALL_TEXT", small_text)
    result = run(f"{RECIPE} {favor} --save-vocab words")
    assert result.exit_code == 0, result.stderr
    assert result.stderr.startswith("r.safetensors: 11 words of 4 dimensions; 3 epochs")
    small: dict[str, int] = {"min_count": 1, "workers": 1}
    corpus = windrow.Corpus.build(Path("text"))
    model = windrow.Word2Vec(
        vector_size=trained, window=3, sg=1, epochs=3, loss="ns", window_weighting="shrink", **small
    )
    model.fit(corpus)
    second, output, exponent = weights
    blend = windrow.Blend(vector_size=4, second_weight=second, output_weight=output, spectrum_exponent=exponent)
    blend.fit(model, windrow.CountVectors(**counted, **small).fit(corpus))
    written = windrow.load("r.safetensors")
    np.testing.assert_array_equal(written.vectors, blend.wv.vectors)
    assert written.provenance["recipe"] == "blend"
    assert written.provenance.get("favor", "") == favor.removeprefix("--favor ")
    assert len(Path("words").read_text().splitlines()) == 11


def test_a_recipe_that_is_interrupted_while_it_counts_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(RECIPE).exit_code == 0
    expected = windrow.load("r.safetensors").vectors
    Path("r.safetensors").unlink()

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("windrow.embeddings.count_vectors.count_cooccurrences", interrupted)
        result = run(RECIPE)
    assert result.exit_code == 130
    assert "r.safetensors.checkpoint has the state of the training" in result.stderr
    assert not Path("r.safetensors").exists()

    assert run(f"{RECIPE} --resume").exit_code == 0
    np.testing.assert_array_equal(windrow.load("r.safetensors").vectors, expected)
    assert not Path("r.safetensors.checkpoint").exists()


@pytest.mark.parametrize("option", ["--subwords", "--keep-training-state", "--report p.html", "--continue-from s"])
def test_what_a_recipe_cannot_do(option: str) -> None:
    windrow.Word2Vec(vector_size=4, min_count=1, workers=1, epochs=1).fit(Path("text")).save("s")
    result = run(f"{RECIPE} {option}")
    assert (result.exit_code, result.stdout) == (1, "")
    way_out = "`windrow report` afterwards" if "report" in option else "then `vectors count` and `vectors blend`"
    said = f"Error: {option.split(maxsplit=1)[0]} is for one trained model, and --recipe writes a blend of two: "
    assert (result.stderr.startswith(said), way_out in result.stderr, result.stderr.count("\n")) == (True, True, 1)


def test_vectors_to_start_from_keep_their_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("windrow.embeddings.recipes._SMALL_TEXT", 0)
    windrow.Word2Vec(vector_size=3, min_count=1, workers=1, epochs=1).fit(Path("text")).wv.save("v")
    result = run(f"{RECIPE.replace('--size 4 ', '')} --vectors v")
    assert result.exit_code == 0, result.stderr
    written = windrow.load("r.safetensors")
    assert (written.vector_size, written.provenance["first"]["vector_size"]) == (3, 3)


def test_favor_is_for_a_recipe() -> None:
    assert "--favor is for --recipe" in run("vectors train text -o v.safetensors --favor relatedness").stderr

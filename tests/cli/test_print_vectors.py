"""`windrow vectors print`, and the prompt of `similar` and `analogy`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from pyarrow import parquet

from windrow import SentenceVectors, Word2Vec, WordVectors
from windrow.cli import main

WORDS = ["the", "cat", "Åse", "sat", "none"]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    vectors = np.random.default_rng(3).normal(size=(5, 4)).astype(np.float32)
    vectors[4] = 0
    path = tmp_path_factory.mktemp("print") / "v.safetensors"
    WordVectors(WORDS, vectors).save(path)
    return path


def run(*arguments: Any, **options: Any) -> Result:
    return CliRunner().invoke(main, ["vectors", "print", *map(str, arguments)], **options)


def naive_sentence_vector(words: list[str], table: dict[str, np.ndarray]) -> np.ndarray:
    """As fastText's getSentenceVector of unsupervised models: the mean of those that have a direction."""
    total, count = np.zeros(4), 0
    for word in words:
        if word in table and np.linalg.norm(table[word]) > 0:
            total += table[word] / np.linalg.norm(table[word])
            count += 1
    return total / max(count, 1)


def test_the_vector_of_a_line_is_the_mean_of_unit_vectors(file: Path, tmp_path: Path) -> None:
    lines = ["the cat sat sat", "none Åse unheard", "the", "unheard", ""]
    (tmp_path / "text").write_text("\n".join(lines) + "\n")
    wv = WordVectors.load(file)
    table = {word: wv.vectors[row].astype(np.float64) for row, word in enumerate(WORDS)}

    printed, piped = run(file, tmp_path / "text"), run(file, input="\n".join(lines) + "\n")

    assert (printed.exit_code, printed.stdout) == (0, piped.stdout), printed.exception
    found = np.array([row.split() for row in printed.stdout.splitlines()], np.float32)
    np.testing.assert_allclose(found, [naive_sentence_vector(line.split(), table) for line in lines], atol=1e-6)
    assert printed.stderr == "".join(
        f"Warning: {tmp_path / 'text'}, line {number}: no word of it has a vector; its own is all zeros\n"
        for number in (4, 5)
    )


def test_unseen_words_have_vectors_of_their_ngrams(tmp_path: Path) -> None:
    model = Word2Vec(vector_size=4, min_count=1, epochs=1, workers=1, sample=0, subwords=True, buckets=1000)
    wv = model.fit(["the cat sat on the mat"] * 9).wv
    wv.save(tmp_path / "v.safetensors")
    result = run(tmp_path / "v.safetensors", input="the cats\n")
    table = {word: wv[word].astype(np.float64) for word in ("the", "cats")}
    assert "cats" not in wv.key_to_index
    np.testing.assert_allclose(
        np.array(result.stdout.split(), np.float32), naive_sentence_vector(["the", "cats"], table), atol=1e-6
    )
    assert result.stderr == ""


def test_words_stand_before_their_vectors_to_the_last_bit(file: Path) -> None:
    result = run(file, "--words", input="Åse\nxyz\n\nnone\n")

    wv = WordVectors.load(file)
    rows = [row.split(" ") for row in result.stdout.splitlines()]
    assert [row[0] for row in rows] == ["Åse", "none"]
    np.testing.assert_array_equal(np.array([row[1:] for row in rows], np.float32), wv.vectors[[2, 4]])
    assert result.stderr == "Warning: line 2: the word 'xyz' is not in the vocabulary\n"


def test_json_lines(file: Path) -> None:
    found = [json.loads(line) for line in run(file, "--json", input="the cat\n").stdout.splitlines()]
    wv = WordVectors.load(file)
    assert [one["text"] for one in found] == ["the cat"]
    np.testing.assert_allclose(found[0]["vector"], wv.get_mean_vector(["the", "cat"]), atol=1e-7)
    assert json.loads(run(file, "--json", "--words", input="Åse\n").stdout)["word"] == "Åse"


def test_text_is_read_as_the_training_text_was(file: Path, tmp_path: Path) -> None:
    wv = WordVectors.load(file)
    wv.provenance = {"tokenizer": "word", "lowercase": True, "tokenizer_version": 2}
    wv.save(tmp_path / "v.safetensors")
    text = "The CAT, sat!\n"
    assert run(tmp_path / "v.safetensors", input=text).stdout == run(file, input="the cat sat\n").stdout
    given = ("--tokenizer", "word", "--lowercase")
    assert run(file, *given, input=text).stdout == run(file, input="the cat sat\n").stdout
    asked = run(tmp_path / "v.safetensors", "--tokenizer", "whitespace", "--no-lowercase", input=text)
    assert "line 1: no word" in asked.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["-", "-"], "standard input, '-', cannot be both FILE and SOURCE; name a file for one of them"),
        (["FILE", "--words", "--tokenizer", "char"], "--tokenizer is for text; leave it out, or --words"),
        (["FILE", "--words", "--weighting", "mean"], "--weighting is for text; leave it out, or --words"),
        (
            ["FILE", "--words", "-o", "x"],
            "--words prints; leave -o out, or try `windrow vectors convert --only-words`",
        ),
        (["FILE", "--json", "-o", "x.npy"], "--json: x.npy is no file of JSON; name a .jsonl, or leave --json out"),
        (
            ["FILE", "--weighting", "tfidf"],
            "--weighting tfidf learns from text first; name one with --fit",
        ),
        (["FILE", "--weighting", "mean", "--sif-a", "1"], "--sif-a is for --weighting sif, not mean; leave it out"),
        (["FILE", "--fit", "missing"], "--fit is for --weighting tfidf or sif, not unit; leave it out"),
        (["FILE", "missing"], "cannot read missing: No such file or directory"),
    ],
)
def test_what_cannot_be_printed(options: list[str], told: str, file: Path) -> None:
    result = run(*(file if option == "FILE" else option for option in options), input="")
    assert (result.exit_code, result.stderr) == (1, f"Error: {told}\n")


def test_errors_and_duplicates_are_of_the_file_of_vectors(tmp_path: Path) -> None:
    """--errors is also an option of texts elsewhere: here it was refused, or ended in a traceback."""
    (tmp_path / "v.txt").write_bytes(b"2 2\ncat\xff 1 0\ndog 0 2\n")
    asked = [tmp_path / "v.txt", "--errors", "ignore"]
    assert run(*asked, "--lowercase", input="DOG\n").stdout == "0.0 1.0\n"
    assert run(*asked, "--words", input="cat\n").stdout == "cat 1.0 0.0\n"


def lines_of(number: int) -> list[str]:
    dice = np.random.default_rng(number)
    return [" ".join(dice.choice([*WORDS[:4], "zzz"], length)) for length in dice.integers(0, 6, number)]


@pytest.mark.parametrize("weighting", ["mean", "tfidf", "sif", "unit"])
def test_files_hold_the_vectors_of_lines(weighting: str, file: Path, tmp_path: Path) -> None:
    texts = lines_of(60)
    (tmp_path / "text").write_text("\n".join(texts) + "\n")
    model = SentenceVectors(WordVectors.load(file), weighting=weighting)
    if weighting == "sif":  # the file has no counts
        model.set_params(frequencies="texts")
    expected = model.fit(texts).transform(texts)
    for name in ("v.npy", "v.parquet", "v.jsonl", "v.txt"):
        assert run(file, tmp_path / "text", "--weighting", weighting, "-o", tmp_path / name).exit_code == 0
    np.testing.assert_array_equal(np.load(tmp_path / "v.npy"), expected)
    table = parquet.read_table(tmp_path / "v.parquet").to_pydict()
    assert table["text"] == texts
    np.testing.assert_array_equal(np.array(table["vector"], np.float32), expected)
    rows = [json.loads(line) for line in (tmp_path / "v.jsonl").read_text().splitlines()]
    assert [row["text"] for row in rows] == texts
    np.testing.assert_array_equal(np.array([row["vector"] for row in rows], np.float32), expected)
    np.testing.assert_array_equal(np.loadtxt(tmp_path / "v.txt", np.float32), expected)


def test_lines_without_known_words_are_counted(file: Path) -> None:
    told = run(file, "-o", "-", input="the\n" + "zzz\n" * 9).stderr.splitlines()
    assert len(told) == 6
    assert told[0] == "Warning: standard input, line 2: no word of it has a vector; its own is all zeros"
    assert told[-1] == "Warning: 9 lines have no word with a vector; theirs are all zeros"


def test_what_was_learned_is_kept(file: Path, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("\n".join(lines_of(60)) + "\n")
    learned = run(file, "--weighting", "sif", "--unit-length", "--fit", tmp_path / "text", "--save",
                  tmp_path / "s.safetensors", input="the cat\n")  # fmt: skip
    again = run(tmp_path / "s.safetensors", input="the cat\n")
    assert (again.exit_code, again.stdout) == (0, learned.stdout)
    assert np.linalg.norm(np.array(again.stdout.split(), float)) == pytest.approx(1, abs=1e-5)
    plain = run(tmp_path / "s.safetensors", "--weighting", "unit", input="the cat\n")
    assert plain.stdout == run(file, input="the cat\n").stdout != again.stdout
    refused = run(tmp_path / "s.safetensors", "--limit", 2, input="the cat\n")
    assert "--limit: " in refused.stderr
    assert refused.stderr.endswith("keeps what was learned; say --weighting, too, or leave it out\n")
    folded = run(tmp_path / "s.safetensors", "--lowercase", input="THE cat\n")
    assert folded.stdout == again.stdout


def test_records_keep_their_fields(file: Path, tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text('{"id": 1.50, "text": "the cat"}\n{"id": 2, "text": null}\n')
    (tmp_path / "r.csv").write_text("id,text\n7,the cat\n")
    of_json = run(file, tmp_path / "r.jsonl", "--field", "text", "--json")
    first, second = of_json.stdout.splitlines()
    assert first.startswith('{"id": 1.50, "text": "the cat", "vector": [')
    assert json.loads(second)["vector"] == [0, 0, 0, 0]
    row = json.loads(run(file, tmp_path / "r.csv", "--field", "text", "--json").stdout)
    assert (row["id"], row["vector"]) == ("7", json.loads(first)["vector"])
    assert run(file, tmp_path / "r.jsonl", "--field", "text", "-o", tmp_path / "r.parquet").exit_code == 0
    table = parquet.read_table(tmp_path / "r.parquet").to_pydict()
    assert (table["id"], table["text"]) == ([1.5, 2], ["the cat", None])
    assert table["vector"][0] == json.loads(first)["vector"]
    (tmp_path / "r.jsonl").write_text('{"text": "the", "vector": 3}\n')
    clash = run(file, tmp_path / "r.jsonl", "--field", "text", "--json")
    assert clash.stderr == "Warning: the field 'vector' of the records gives way to the vectors\n"
    assert len(json.loads(clash.stdout)["vector"]) == 4


def test_bytes_that_are_no_text_leave_no_file(file: Path, tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"the cat\n\xff\n")
    result = run(file, tmp_path / "text", "-o", tmp_path / "v.npy")
    assert result.stderr == f"Error: {tmp_path / 'text'}: byte 0xff at offset 8 is not UTF-8; convert the file\n"
    assert not (tmp_path / "v.npy").exists()


def _typed_at_a_terminal(arguments: list[str], typed: list[str]) -> tuple[int, str]:
    """Run the program at a terminal of its own, and type each line when it prompts."""
    import pty

    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(TERM="dumb", INPUTRC=os.devnull)
        os.execv(sys.executable, [sys.executable, "-m", "windrow", *arguments])
    shown, end = "", time.monotonic() + 60
    waiting = list(typed)
    while time.monotonic() < end:
        try:
            shown += os.read(terminal, 1 << 12).decode()
        except OSError:  # the program has ended
            break
        if shown.endswith("> ") and waiting:
            os.write(terminal, waiting.pop(0).encode())
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.close(terminal)
    return status, shown.replace("\r\n", "\n")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_a_prompt_with_a_history(file: Path) -> None:
    up = "\x10"  # Ctrl-P, as the arrow key
    status, shown = _typed_at_a_terminal(
        ["vectors", "analogy", str(file), "-k", "1"],
        ["the cat sat\n", "the cat\n", "the cat xyz\n", f"{up * 3}\n", "\x04"],
    )
    by_pipe = subprocess.run(
        [sys.executable, "-m", "windrow", "vectors", "analogy", str(file), "-k", "1"],
        input="the cat sat\n", capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert status == 0
    assert shown.count(by_pipe) == 2
    assert "Warning: 'the cat' is no question; expected three words" in shown
    assert "Warning: the word 'xyz' is not in the vocabulary" in shown

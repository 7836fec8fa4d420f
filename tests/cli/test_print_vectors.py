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

from windrow import Word2Vec, WordVectors
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

    assert (printed.exit_code, printed.stdout) == (0, piped.stdout)
    found = np.array([row.split() for row in printed.stdout.splitlines()], np.float32)
    np.testing.assert_allclose(found, [naive_sentence_vector(line.split(), table) for line in lines], atol=1e-6)
    assert printed.stderr == "".join(
        f"Warning: line {number}: no word of it has a vector; its own is all zeros\n" for number in (4, 5)
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
    assert found == [{"text": "the cat", "vector": wv.get_mean_vector(["the", "cat"]).tolist()}]
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

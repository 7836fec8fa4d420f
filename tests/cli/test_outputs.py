"""Where commands write: "-" is standard output or refused, inputs stay, and no name promises another file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import windrow
from windrow.cli import main

TEXT = "the cat sat\na dog sat\n"
TAGGED = "In O\nRome B-LOC\n\nwe O\n"
SMALL = ["--order", "2", "--smoothing", "witten-bell"]
TINY = ["--epochs", "1", "--embedding", "2", "--hidden", "2"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a small file of each kind."""
    monkeypatch.chdir(tmp_path)
    Path("text").write_text(TEXT)
    Path("tagged").write_text(TAGGED)
    windrow.NGramLM(2, "witten-bell").fit(["a b", "b a"]).save("lm.arpa")
    windrow.WordVectors(["a", "b"], [[1.0, 2.0], [3.0, 4.0]]).save("v.txt")
    return tmp_path


@pytest.mark.parametrize(
    "command",
    [
        ["corpus", "build", "text", "-o", "-"],
        ["corpus", "toyland", "-o", "-", "--sentences", "10"],
        ["vectors", "train", "text", "-o", "v.bin", "--log-json", "-"],
        ["vectors", "plot", "v.txt", "-o", "-"],
        ["lm", "train", "rnn", "text", "-o", "-", *TINY],
        ["lm", "train", "window", "text", "-o", "w.safetensors", "--log-json", "-", *TINY],
        ["lm", "mix", "lm.arpa", "lm.arpa", "--weights", "1,1", "-o", "-"],
        ["tag", "train", "tagged", "-o", "-", "--epochs", "1"],
        ["tag", "train", "tagged", "-o", "t", "--checkpoint", "-", "--epochs", "1"],
        ["tag", "train", "tagged", "-o", "t", "--log-json", "-", "--epochs", "1"],
    ],
    ids=lambda command: " ".join(command[:5]),
)
def test_no_file_is_called_as_standard_output(folder: Path, command: list[str]) -> None:
    before = sorted(folder.iterdir())
    result = CliRunner().invoke(main, command)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith("Error: ")
    assert sorted(folder.iterdir()) == before


def test_what_is_called_as_standard_output_is_not_in_its_way(folder: Path) -> None:
    Path("-").mkdir()
    trained = CliRunner().invoke(main, ["lm", "train", "ngram", "text", "-o", "-", *SMALL])
    converted = CliRunner().invoke(main, ["lm", "convert", "lm.arpa", "-"])
    assert trained.stdout.startswith("\\data\\")
    assert converted.stdout == Path("lm.arpa").read_text()


@pytest.mark.parametrize(
    "command",
    [
        ["lm", "convert", "lm.arpa", "./lm.arpa"],
        ["lm", "convert", "lm.arpa", "link.arpa"],
        ["lm", "mix", "lm.arpa", "v.safetensors", "--weights", "1,1", "-o", "v.safetensors"],
        ["vectors", "convert", "v.txt", "./v.txt"],
    ],
)
def test_a_model_that_is_read_is_not_replaced(folder: Path, command: list[str]) -> None:
    Path("link.arpa").symlink_to("lm.arpa")
    windrow.load("lm.arpa").save("v.safetensors")
    before = {path: path.read_bytes() for path in folder.iterdir()}
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 1
    assert "is read and written; choose another name" in result.stderr
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("name", ["m.txt", "m.gz", "m.safetensors.gz", "m.JSON", "m.zst"])
def test_names_of_text_and_of_compressed_files_are_not_for_models(folder: Path, name: str) -> None:
    for command in (
        ["lm", "convert", "lm.arpa", name],
        ["lm", "train", "ngram", "text", "-o", name, *SMALL],
        ["lm", "train", "rnn", "text", "-o", name, *TINY],
        ["lm", "mix", "lm.arpa", "lm.arpa", "--weights", "1,1", "-o", name],
    ):
        result = CliRunner().invoke(main, command)
        assert result.exit_code == 1
        assert "is neither text nor compressed; name a .safetensors" in result.stderr
        assert (".arpa.gz file" in result.stderr) == (command[1] in ("convert", "mix") or command[2] == "ngram")
        assert not Path(name).exists()


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
@pytest.mark.parametrize(
    ("command", "status", "told"),
    [
        ("lm perplexity lm.arpa text >&-", 1, "Error: cannot write the output: Bad file descriptor\n"),
        ("lm convert lm.arpa - >&-", 1, "Error: cannot write the output: Bad file descriptor\n"),
        ("lm score lm.arpa <&-", 0, ""),
        ("lm perplexity lm.arpa - <&-", 1, "Error: standard input: the text is empty: there is no token in it\n"),
        ("lm convert lm.arpa copy.arpa <&- >&-", 0, "copy.arpa: order 2, 11 n-grams\n"),
    ],
)
def test_closed_standard_streams(folder: Path, command: str, status: int, told: str) -> None:
    windrow_command = f"'{sys.executable}' -m windrow {command}"
    ended = subprocess.run(["sh", "-c", windrow_command], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (status, "", told)

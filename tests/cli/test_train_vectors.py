"""``windrow vectors train`` and ``demo``, as a shell runs them."""

from __future__ import annotations

import gzip
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import windrow
from windrow.cli import main
from windrow.embeddings import WordVectors, vectors
from windrow.errors import DataError, FormatError

TOYLAND = Path(__file__).parents[2] / "corpora" / "toyland"
FAST = ["--size", "16", "--epochs", "1", "--workers", "1"]


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def start(*arguments: str | Path, **options: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "windrow", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)  # type: ignore[call-overload, no-any-return]


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text("".join((TOYLAND / "train.txt").read_text("utf-8").splitlines(keepends=True)[:3000]), "utf-8")
    return path


def test_text_to_vectors_and_a_summary(text: Path, tmp_path: Path) -> None:
    output, log = tmp_path / "v.safetensors", tmp_path / "log.jsonl"
    result = run("vectors", "train", text, "-o", output, *FAST, "--epochs", "2", "--log-json", log)
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    assert re.fullmatch(
        r".*v\.safetensors: [\d,]+ words of 16 dimensions; 2 epochs of [\d,]+ words in .* words/s\), "
        r"final negative-sampling loss [\d.]+ nats per word\n",
        result.stderr,
    )
    vectors = windrow.load(output)
    assert vectors.vector_size == 16
    assert vectors.provenance["seed"] == 1
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    assert [row["epoch"] for row in rows if row["event"] == "epoch"] == [1, 2]
    assert {"examples", "total_examples", "loss", "learning_rate", "seconds"} <= rows[0].keys()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.jsonl", "text.txt", "v.safetensors"]


@pytest.mark.parametrize(
    "options",
    [
        ["--model", "cbow", "--cbow-sum"],
        ["--loss", "hs", "--window-weighting", "harmonic"],
        ["--loss", "hs+ns", "--kernel", "pair"],
        ["--loss", "softmax", "--max-vocab", "50", "--min-count", "1"],
        ["--negative", "3", "--ns-exponent", "0.5", "--sample", "0", "--window", "2", "--seed", "9"],
    ],
)
def test_the_options_reach_the_model(options: list[str], text: Path, tmp_path: Path) -> None:
    output = tmp_path / "v.safetensors"
    assert run("vectors", "train", text, "-o", output, *FAST, *options).exit_code == 0
    names = {
        "--cbow-sum": ("cbow_mean", 0), "harmonic": ("window_weighting", "harmonic"), "hs+ns": ("loss", "hs+ns"),
        "pair": ("kernel", "pair"), "50": ("max_final_vocab", 50), "3": ("negative", 3), "9": ("seed", 9),
        "cbow": ("sg", 0),
    }  # fmt: skip
    provenance = windrow.load(output).provenance
    for option in options:
        if option in names:
            name, value = names[option]
            assert provenance[name] == value


def test_a_corpus_folder_a_pipe_and_text_give_the_same_vectors(text: Path, tmp_path: Path) -> None:
    assert run("corpus", "build", text, "-o", tmp_path / "c").exit_code == 0
    for source, name in ((text, "text.txt.vec"), (tmp_path / "c", "corpus.vec")):
        assert run("vectors", "train", source, "-o", tmp_path / name, *FAST).exit_code == 0
    with (
        text.open() as stream,
        start("vectors", "train", "-", "-o", tmp_path / "pipe.vec", *FAST, stdin=stream) as piped,
    ):
        piped.communicate(timeout=60)
    expected = (tmp_path / "text.txt.vec").read_bytes()
    assert (tmp_path / "corpus.vec").read_bytes() == expected
    assert (tmp_path / "pipe.vec").read_bytes() == expected


def _bad_inputs(folder: Path) -> dict[str, tuple[list[str | Path], str]]:
    (folder / "empty.txt").write_text("")
    (folder / "blank.txt").write_text(" \n\n \t\n")
    (folder / "rare.txt").write_text("each word once only")
    (folder / "latin1.txt").write_bytes("good text, then caf\xe9".encode("latin-1"))
    (folder / "binary.txt").write_bytes(b"some text\0\1\2")
    (folder / "folder").mkdir()
    (folder / "broken.txt.gz").write_bytes(gzip.compress(b"many words " * 10_000)[:-50])
    good = TOYLAND / "valid.txt"
    out = folder / "out.txt"
    return {
        "missing file": ([folder / "nowhere.txt", "-o", out], "nowhere.txt: No such file or directory"),
        "empty text": ([folder / "empty.txt", "-o", out], "empty.txt.*empty"),
        "blank text": ([folder / "blank.txt", "-o", out], "blank.txt.*empty"),
        "rare words": ([folder / "rare.txt", "-o", out], "no word occurs 5 times.*try --min-count 1"),
        "not UTF-8": ([folder / "latin1.txt", "-o", out], r"latin1.txt.*offset 19"),
        "NUL bytes": ([folder / "binary.txt", "-o", out], "binary.txt.*NUL.*9"),
        "no text in folder": ([folder / "folder", "-o", out], "holds no readable text"),
        "broken gzip": ([folder / "broken.txt.gz", "-o", out], "broken.txt.gz"),
        "no such output folder": ([good, "-o", folder / "no" / "v.txt"], "the folder .*no does not exist"),
        "unknown extension": ([good, "-o", folder / "v.pickle"], "use .safetensors, .txt"),
        "output is a folder": ([good, "-o", folder / "folder.txt"], "is a folder"),
        "a name too long": ([good, "-o", folder / ("x" * 246 + ".txt")], "cannot write .*name too long"),
        "size": ([good, "-o", out, "--size", "0"], r"--size = 0 .*\[1, 100000\]"),
        "sample": ([good, "-o", out, "--sample", "1.5"], r"--sample = 1.5 .*\[0, 1\)"),
        "workers": ([good, "-o", out, "--workers", "0"], r"--workers = 0 .*\[1, 1024\]"),
        "checkpoint interval": ([good, "-o", out, "--checkpoint-every", "-1"], "the allowed range is \\[0, inf\\)"),
        "tokenizer": ([good, "-o", out, "--tokenizer", "words"], "choose whitespace, word, char"),
    }


def test_bad_input_gets_one_line_and_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "folder.txt").mkdir()
    cases = _bad_inputs(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    for name, (arguments, message) in cases.items():
        result = run("vectors", "train", *arguments)
        assert result.exit_code == 1, name
        assert re.fullmatch(rf"Error: .*{message}.*\n", result.stderr), (name, result.stderr)
        assert result.stdout == "", name
    assert sorted(tmp_path.rglob("*")) == before


def test_errors_option_goes_on_where_strict_stops(tmp_path: Path) -> None:
    source = tmp_path / "latin1.txt"
    source.write_bytes(b"caf\xe9 " * 10)
    for errors, word in (("replace", "caf\ufffd"), ("ignore", "caf")):
        output = tmp_path / f"{errors}.txt"
        assert run("vectors", "train", source, "-o", output, *FAST, "--errors", errors).exit_code == 0
        assert windrow.load(output).index_to_key == [word]


def test_a_full_disk_is_told_and_nothing_is_half_written(text: Path, tmp_path: Path) -> None:
    """A limit on the size of files stands for the full disk: writes past it fail in the same way."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    before = sorted(tmp_path.iterdir())
    arguments = ["vectors", "train", text, "-o", tmp_path / "v.safetensors", *FAST, "--size", "300"]
    with start(*arguments, preexec_fn=limit) as training:
        _, errors = training.communicate(timeout=60)
    assert training.returncode == 1
    assert re.fullmatch(r"Error: cannot write .*disk full\?; nor could it be kept in .*\n", errors)
    assert sorted(tmp_path.iterdir()) == before


def test_ctrl_c_keeps_the_state_and_resume_ends_as_if_nothing_had_been(text: Path, tmp_path: Path) -> None:
    output = tmp_path / "v.txt"
    arguments = ["vectors", "train", text, "--size", "16", "--epochs", "400", "--workers", "1"]
    log = tmp_path / "log.jsonl"
    with start(*arguments, "-o", output, "--log-json", log) as training:
        end = time.monotonic() + 60
        while not (log.exists() and log.stat().st_size):
            assert time.monotonic() < end
            time.sleep(0.02)
        training.send_signal(signal.SIGINT)
        _, errors = training.communicate(timeout=60)
    assert training.returncode == 130
    assert re.search(r"Interrupted: training stopped at .*v\.txt\.checkpoint; add --resume to go on", errors)
    assert not output.exists()
    again = run(*arguments, "-o", output)
    assert again.exit_code == 1
    assert "add --resume" in again.stderr
    assert run(*arguments, "-o", output, "--resume", "--log-json", log).exit_code == 0
    assert run(*arguments, "-o", tmp_path / "unbroken.txt").exit_code == 0
    assert output.read_bytes() == (tmp_path / "unbroken.txt").read_bytes()
    words = [json.loads(line)["examples"] for line in log.read_text().splitlines()]
    assert words == sorted(words)
    assert not output.with_name("v.txt.checkpoint").exists()


def test_that_there_is_nothing_to_resume_is_told(text: Path, tmp_path: Path) -> None:
    result = run("vectors", "train", text, "-o", tmp_path / "v.txt", *FAST, "--resume")

    assert result.exit_code == 0
    assert f"Warning: {tmp_path / 'v.txt.checkpoint'} is not there; training starts from the beg" in result.stderr


def test_a_polite_kill_keeps_the_state_too(text: Path, tmp_path: Path) -> None:
    output, log = tmp_path / "v.txt", tmp_path / "log.jsonl"
    with start("vectors", "train", text, "-o", output, "--epochs", "5000", "--log-json", log) as training:
        end = time.monotonic() + 60
        while not (log.exists() and log.stat().st_size):
            assert time.monotonic() < end
            time.sleep(0.02)
        training.terminate()
        _, errors = training.communicate(timeout=60)
    assert "its state is kept in" in errors
    assert output.with_name("v.txt.checkpoint").exists()


@pytest.mark.parametrize("error", [DataError, MemoryError])
def test_a_result_that_cannot_be_written_is_not_lost(
    error: type[Exception], text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, written = tmp_path / "v.txt", vectors.save_vectors

    def save(found: WordVectors, place: Path) -> None:
        if place == output:
            raise error("no space left")
        written(found, place)

    with monkeypatch.context() as patched:
        patched.setattr(vectors, "save_vectors", save)
        result = run("vectors", "train", text, "-o", output, *FAST)
    assert result.exit_code == 1
    found = re.fullmatch(r"Error: .*no space left.*; .* `windrow (vectors convert .*)` puts it there\n", result.stderr)
    assert found
    assert run(*found[1].split()).exit_code == 0
    assert output.exists()
    assert not output.with_name("v.txt.checkpoint").exists()


_KILLED_WHILE_WRITING = """
import os, signal, sys
from windrow.embeddings import vectors
from windrow.cli import main
vectors.save_vectors = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
main(sys.argv[1:])
"""


def test_a_process_killed_before_the_vectors_are_written_can_be_resumed(text: Path, tmp_path: Path) -> None:
    output, checkpoint = tmp_path / "v.txt", tmp_path / "v.txt.checkpoint"
    arguments = ["vectors", "train", text, "-o", output, *FAST, "--epochs", "60"]
    command = [sys.executable, "-c", _KILLED_WHILE_WRITING, *map(str, arguments), "--checkpoint-every", "0.05"]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert checkpoint.exists()
    assert not output.exists()
    assert run(*arguments, "--resume").exit_code == 0
    assert not checkpoint.exists()
    resumed = output.read_bytes()
    assert run(*arguments).exit_code == 0
    assert output.read_bytes() == resumed


def test_no_file_is_written_over_another_of_the_command(text: Path, tmp_path: Path) -> None:
    before = text.read_bytes()
    for arguments in (
        [text, "-o", text],
        [text, "-o", tmp_path / "v.vec", "--log-json", text],
        [text, "-o", tmp_path / "v.vec", "--log-json", tmp_path / "folder" / ".." / "v.vec"],
        [text, "-o", tmp_path / "v.vec", "--log-json", tmp_path / "v.vec.checkpoint"],
    ):
        (tmp_path / "folder").mkdir(exist_ok=True)
        result = run("vectors", "train", *arguments)
        assert result.exit_code == 1
        assert re.search("is (named twice|read and written)", result.stderr)
    assert text.read_bytes() == before


def test_a_corpus_keeps_its_words_and_must_be_sound(text: Path, tmp_path: Path) -> None:
    corpus, output = tmp_path / "c", tmp_path / "v.vec"
    assert run("corpus", "build", text, "-o", corpus).exit_code == 0
    result = run("vectors", "train", corpus, "-o", output, *FAST, "--lowercase")
    assert result.exit_code == 1
    assert "--lowercase is for text" in result.stderr
    ids = (corpus / "ids.bin").read_bytes()
    (corpus / "ids.bin").write_bytes(np.full(len(ids) // 4, 10**6, np.int32).tobytes())
    result = run("vectors", "train", corpus, "-o", output, *FAST)
    assert result.exit_code == 1
    assert "ids.bin is damaged" in result.stderr
    assert not output.exists()


def test_words_that_the_terminal_cannot_show_are_shown_by_code(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("\u4f60\u597d world " * 20, "utf-8")
    assert run("vectors", "train", tmp_path / "text.txt", "-o", tmp_path / "v.vec", *FAST).exit_code == 0
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    with start("vectors", "similar", tmp_path / "v.vec", "world", env=environment) as shown:
        out, errors = shown.communicate(timeout=60)
    assert shown.returncode == 0, errors
    assert out.startswith("\\u4f60\\u597d\t")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_output_to_a_full_device_is_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "windrow", "corpus", "list"]
        shown = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert shown.returncode == 1
    assert re.fullmatch(r"Error: cannot write the output: .*\n", shown.stderr)


def test_demo_names_its_options() -> None:
    assert run("demo", "--seed", -1).stderr.startswith("Error: --seed = -1 is out of range")


def test_demo_tells_the_whole_story(tmp_path: Path) -> None:
    output = tmp_path / "toyland.safetensors"
    result = run("demo", "-o", output)
    assert result.exit_code == 0, result.output
    accuracy = re.search(r"All [\d,]+ questions of 14 kinds: ([\d.]+)% answered correctly", result.stdout)
    assert accuracy is not None
    assert float(accuracy[1]) >= 90
    assert "king is to queen as nephew is to ... niece" in result.stdout
    assert np.isfinite(windrow.load(output).vectors).all()


def test_vectors_on_standard_output(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("a b c d\n" * 50)
    options = [
        tmp_path / "text",
        "--size",
        "4",
        "--min-count",
        "1",
        "--epochs",
        "1",
        "--workers",
        "1",
        "--seed",
        "3",
        "--sample",
        "0",
    ]
    run("vectors", "train", *options, "-o", tmp_path / "vectors.txt")
    piped = run("vectors", "train", *options, "-o", "-")
    assert piped.stdout == (tmp_path / "vectors.txt").read_text()
    assert piped.stderr.startswith("standard output: 4 words of 4 dimensions; ")
    assert {path.name for path in tmp_path.iterdir()} == {"text", "vectors.txt"}
    refused = run("vectors", "train", *options, "-o", "-", "--checkpoint-every", "5")
    assert refused.exit_code == 1
    assert "where the state is kept, too; give -o FILE" in refused.stderr


def test_training_continues_with_the_options_of_the_model(text: Path, tmp_path: Path) -> None:
    first, second, more = tmp_path / "first.safetensors", tmp_path / "second.safetensors", tmp_path / "more.txt"
    more.write_text("a zeppelin flies over the dam\n" * 200, "utf-8")
    options = [
        "--model",
        "cbow",
        "--cbow-sum",
        "--loss",
        "hs+ns",
        "--window",
        "3",
        "--lowercase",
        "--keep-training-state",
    ]
    assert run("vectors", "train", text, "-o", first, *FAST, *options).exit_code == 0
    result = run("vectors", "train", more, "-o", second, "--continue-from", first, "--epochs", "3", "--workers", "1",
                 "--frozen", "--min-count", "5")  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "Warning" not in result.stderr
    before, after = windrow.load(first), windrow.load(second)
    expected = {"sg": 0, "cbow_mean": 0, "loss": "hs+ns", "window": 3, "vector_size": 16, "epochs": 3, "min_count": 5}
    assert after.provenance.items() >= expected.items() | {"lowercase": True}.items()
    assert after.index_to_key == [*before.index_to_key, *after.index_to_key[len(before) :]]
    assert {"zeppelin", "flies"} <= set(after.index_to_key)
    np.testing.assert_array_equal(after.vectors[: len(before)], before.vectors)
    with pytest.raises(FormatError, match="vectors alone"):  # nobody asked for the state of the second
        windrow.Word2Vec.load(second)


def test_subwords_continue_with_those_of_the_model(text: Path, tmp_path: Path) -> None:
    first, second, third = (tmp_path / f"{name}.safetensors" for name in ("first", "second", "third"))
    subwords = ("--subwords", "--max-n", "4", "--buckets", "500", "--keep-training-state")
    assert run("vectors", "train", text, "-o", first, *FAST, *subwords).exit_code == 0
    more = ("vectors", "train", text, "--epochs", "1", "--workers", "1")
    for output, start in ((second, ("--continue-from", first)), (third, ("--subwords", "--vectors", first))):
        result = run(*more, "-o", output, *start, "--frozen")
        assert result.exit_code == 0, result.output
        before, after = windrow.load(first), windrow.load(output)
        np.testing.assert_allclose(after["the"], before["the"], atol=1e-5)
        np.testing.assert_allclose(after["thezzz"], before["thezzz"], atol=1e-5)
    refused = run(*more, "-o", third, "--continue-from", first, "--max-n", "5")
    assert (
        "--max-n = 5, --buckets = 500 does not fit the model to continue from; set --min-n 3, --max-n 4"
        in refused.stderr
    )


def test_vectors_of_a_file_are_where_training_starts(text: Path, tmp_path: Path) -> None:
    given, output = tmp_path / "given.txt", tmp_path / "v.vec"
    numbers = np.random.default_rng(5).normal(size=(2, 7)).astype(np.float32)
    windrow.WordVectors(["the", "nowhere"], numbers).save(given)
    result = run(
        "vectors", "train", text, "-o", output, "--epochs", "1", "--workers", "1", "--vectors", given, "--frozen"
    )
    assert result.exit_code == 0, result.output
    np.testing.assert_array_equal(windrow.load(output)["the"], numbers[0])  # of seven dimensions, as the file
    assert "nowhere" not in windrow.load(output)


def test_what_training_cannot_go_on_from_is_refused_in_one_line(text: Path, tmp_path: Path) -> None:
    plain, state, output = (tmp_path / f"{name}.safetensors" for name in ("plain", "state", "output"))
    assert run("vectors", "train", text, "-o", plain, *FAST).exit_code == 0
    assert run("vectors", "train", text, "-o", state, *FAST, "--keep-training-state").exit_code == 0
    for options, told in (
        (["--continue-from", plain], f"give --vectors {plain} instead of --continue-from"),
        (["--continue-from", state, "--size", "9"], "set --size 16"),
        (["--continue-from", state, "--loss", "hs"], "set --loss ns"),
        (["--continue-from", state, "--vectors", plain], "--vectors has no effect with --continue-from"),
        (["--vectors", plain, "--size", "9"], "set --size 16"),
        (["--frozen"], "--frozen is for --vectors or --continue-from"),
        (["--continue-from", text], "is text, not word vectors"),
    ):
        result = run("vectors", "train", text, "-o", output, *options)
        assert (result.exit_code, result.stderr.count("\n")) == (1, 1), result.output
        assert told in result.stderr
        assert not output.exists()
    result = run("vectors", "train", text, "-o", tmp_path / "v.txt", "--keep-training-state")
    assert "name a .safetensors file" in result.stderr

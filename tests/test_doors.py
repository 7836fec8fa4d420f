"""Every door takes what people bring: by content, whatever the name, compressed, through a pipe; or says what it is."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import pickle
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from click.testing import CliRunner, Result

import windrow
from windrow.cli import main
from windrow.errors import FormatError, OptionError, WindrowError
from windrow.sklearn import DocumentVectorizer

from .corpus.compressors import zstd

WORDS = ["cat", "kitten", "dog", "naïve", "2004"]
VECTORS = windrow.WordVectors(WORDS, np.random.default_rng(3).normal(size=(5, 4)).astype(np.float32))
FASTTEXT = Path(__file__).parent / "classification" / "fasttext"
FORMATS = ("safetensors", "txt", "vec", "bin", "glove", "tsv", "npy", "parquet", "arrow", "jsonl")
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd.compress,
}
NAMES = ["vectors", "vectors.txt", "vectors.bin", "model.kv", "x.glove", "x.arpa", "x.safetensors", "x.gz"]


def run(*arguments: Any, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)], input=stdin)


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The bytes of the same vectors in each format."""
    folder = tmp_path_factory.mktemp("formats")
    for name in FORMATS:
        VECTORS.save(folder / f"v.{name}")
    return {name: (folder / f"v.{name}").read_bytes() for name in FORMATS}


@pytest.fixture(scope="module")
def arpa(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("arpa") / "a.arpa"
    windrow.NGramLM(2, "witten-bell").fit(["a b c", "b a c", "c c a"]).save(path)
    return path.read_bytes()


def put(folder: Path, name: str, data: bytes) -> Path:
    (folder / name).write_bytes(data)
    (folder / name).with_suffix(".words.txt").write_text("\n".join(WORDS), encoding="utf-8")  # for .npy
    return folder / name


def same(found: Any) -> bool:
    return bool(found.index_to_key == WORDS and np.array_equal(found.vectors, VECTORS.vectors))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("format", FORMATS)
def test_the_content_decides_and_not_the_name(format: str, name: str, content: Any, tmp_path: Path) -> None:
    path = put(tmp_path, name, content[format])

    assert same(windrow.load(path))
    assert same(windrow.WordVectors.load(path))


@pytest.mark.parametrize("compression", COMPRESS)
@pytest.mark.parametrize("format", FORMATS)
def test_compressed_files(format: str, compression: str, content: Any, tmp_path: Path) -> None:
    path = put(tmp_path, "vectors.data", COMPRESS[compression](content[format]))

    assert same(windrow.load(path))


@pytest.mark.parametrize("compression", COMPRESS)
@pytest.mark.parametrize("name", ["model", "model.txt", "lm.gz", "x.safetensors"])
def test_arpa_under_any_name(name: str, compression: str, arpa: bytes, tmp_path: Path) -> None:
    path = put(tmp_path, name, COMPRESS[compression](arpa))
    model = windrow.load(path)

    assert isinstance(model, windrow.NGramLM)
    assert windrow.NGramLM.load(path).log_prob("a b") == model.log_prob("a b")


@pytest.mark.parametrize("compression", COMPRESS)
@pytest.mark.parametrize("name", ["model", "m.vec", "m.safetensors"])
def test_classifiers_under_any_name(name: str, compression: str, tmp_path: Path) -> None:
    windrow.TextClassifier(4, epochs=1).fit(["a b", "c d"], ["x", "y"]).save(tmp_path / "ours")
    for kept in (tmp_path / "ours", FASTTEXT / "hs.bin", FASTTEXT / "cut.ftz"):
        expected = windrow.load(kept).predict_proba(["a food1"])
        path = put(tmp_path, name, COMPRESS[compression](kept.read_bytes()))
        for found in (windrow.load(path), windrow.TextClassifier.load(path)):
            assert np.array_equal(found.predict_proba(["a food1"]), expected)
        label = str(windrow.load(kept).classes_[0]).encode()
        text = put(tmp_path, "t", b"__label__%s a\n" % label)
        piped = run("classify", "evaluate", "-", text, stdin=path.read_bytes())
        assert piped.exit_code == 0, piped.output


@pytest.mark.parametrize("format", [name for name in FORMATS if name != "npy"])
def test_a_pipe_is_as_good_as_a_file(format: str, content: Any, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(content[format],))
    writer.start()
    try:
        assert same(windrow.load(pipe))
    finally:
        writer.join()


@pytest.mark.parametrize("format", ["txt", "bin", "glove", "safetensors"])
def test_standard_input_and_output(format: str, content: Any, tmp_path: Path) -> None:
    done = run("vectors", "convert", "-", "-", "--to", "tsv", stdin=content[format])
    (tmp_path / "out").write_bytes(done.stdout_bytes)

    assert done.exit_code == 0
    assert same(windrow.load(tmp_path / "out"))
    assert "standard input: 5 words of 4 dimensions" in done.stderr


def test_standard_input_and_output_of_a_process(content: Any, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "windrow", "vectors", "convert", "-", "-", "--to", "tsv"]
    done = subprocess.run(command, input=content["bin"], capture_output=True, check=True)
    (tmp_path / "out").write_bytes(done.stdout)

    assert same(windrow.load(tmp_path / "out"))
    assert b"standard input: 5 words of 4 dimensions" in done.stderr


def test_standard_output_takes_what_can_be_streamed(content: Any, tmp_path: Path) -> None:
    path = put(tmp_path, "v", content["bin"])
    refused = run("vectors", "convert", path, "-", "--to", "npy")

    assert refused.exit_code == 1
    assert "cannot go to standard output; choose one of txt, vec, bin, glove, tsv" in refused.stderr
    assert run("vectors", "convert", path, "-").stdout.startswith("5 4\ncat ")


@pytest.mark.parametrize("format", ["txt", "glove", "npy"])
def test_every_command_and_argument_that_takes_vectors(format: str, content: Any, tmp_path: Path) -> None:
    path = put(tmp_path, "vectors.kv", COMPRESS["xz"](content[format]))
    (tmp_path / "text").write_text("cat dog kitten\n" * 30)
    (tmp_path / "tags").write_text("cat B-X\ndog O\n\n" * 30)
    (tmp_path / "labels").write_text("__label__a cat dog\n__label__b kitten\n")
    (tmp_path / "pairs").write_text("cat\tkitten\t9\ncat\tdog\t3\ndog\tkitten\t2\n")
    commands: list[list[Any]] = [
        ["vectors", "similar", path, "cat"],
        ["vectors", "analogy", path, "cat", "kitten", "dog"],
        ["vectors", "evaluate", path, "--similarity", tmp_path / "pairs"],
        ["vectors", "convert", path, tmp_path / "out.bin"],
        ["vectors", "plot", path, "-o", tmp_path / "map.png"],
        ["vectors", "train", tmp_path / "text", "-o", tmp_path / "v.vec", "--vectors", path, "--min-count", 1],
        ["lm", "train", "window", tmp_path / "text", "-o", tmp_path / "w", "--vectors", path, "--embedding", 4,
         "--epochs", 1, "--hidden", 3],
        ["lm", "train", "rnn", tmp_path / "text", "-o", tmp_path / "r", "--vectors", path, "--embedding", 4,
         "--epochs", 1, "--hidden", 3],
        ["tag", "train", tmp_path / "tags", "-o", tmp_path / "t", "--vectors", path, "--epochs", 1],
        ["classify", "train", tmp_path / "labels", "-o", tmp_path / "c", "--vectors", path, "--size", 4],
    ]  # fmt: skip
    for command in commands:
        result = run(*command)
        assert result.exit_code == 0, (command, result.stderr)
    assert DocumentVectorizer(path).fit_transform(["cat dog"]).any()
    assert windrow.WindowLM(2, 4, 3, vectors=path, epochs=1).fit(["cat dog"] * 9).given_words_ == 2


# --- what is refused, and what it says


def test_what_cannot_be_opened_says_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "vectors.bin").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 2\n")
    (tmp_path / "model.safetensors").write_bytes(pickle.dumps({"a": 1}))
    (tmp_path / "x.arpa").write_bytes(b"<!DOCTYPE html><html></html>")
    (tmp_path / "tags").write_bytes(b"mmap lm http://kheafield.com/code format version 5\n\0")
    for command, message in [
        (["vectors", "similar", "vectors.bin", "a"], "is a pointer of git-lfs, not the file itself; .*git lfs pull"),
        (
            ["lm", "score", "model.safetensors"],
            "is a Python pickle, as gensim's .model and .kv files are",
        ),
        (["lm", "perplexity", "x.arpa", "tags"], "is a web page"),
        (["tag", "predict", "tags"], "is a binary of KenLM; give the ARPA file"),
        (["tag", "predict", "x.arpa"], "is a web page"),
        (["classify", "predict", "model.safetensors"], "is a Python pickle"),
        (["lm", "convert", "vectors.bin", "y.arpa"], "git lfs pull"),
        (["vectors", "plot", "model.safetensors", "-o", "m.png"], "is a Python pickle"),
    ]:
        result = run(*[tmp_path / part if (tmp_path / part).exists() else part for part in command])
        assert result.exit_code == 1
        assert re.search(message, result.stderr), (command, result.stderr)
        assert result.stderr.count("\n") == 1


def test_a_pickle_is_never_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(tmp_path / "sprung"),)

    (tmp_path / "a.model").write_bytes(pickle.dumps(Trap()))
    for open_it in (windrow.load, windrow.WordVectors.load, windrow.NGramLM.load, windrow.WindowTagger.load):
        with pytest.raises(FormatError, match="pickle"):
            open_it(tmp_path / "a.model")
    assert not (tmp_path / "sprung").exists()


def test_a_matrix_of_somebody_else_needs_its_words(tmp_path: Path) -> None:
    safetensors.numpy.save_file({"embedding": VECTORS.vectors, "scale": np.ones(3)}, tmp_path / "m.safetensors")
    with pytest.raises(FormatError, match=r"needs its words, one per line, in .*m\.words\.txt"):
        windrow.load(tmp_path / "m.safetensors")
    (tmp_path / "m.words.txt").write_text("\n".join(WORDS), encoding="utf-8")
    assert same(windrow.load(tmp_path / "m.safetensors"))
    safetensors.numpy.save_file({"a": VECTORS.vectors, "b": VECTORS.vectors}, tmp_path / "m.safetensors")
    with pytest.raises(FormatError, match=r"expected one matrix .*found 2 of them: a, b"):
        windrow.load(tmp_path / "m.safetensors")


def test_options_of_vectors_are_refused_for_other_models(arpa: bytes, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="limit: these are for word vectors"):
        windrow.load(put(tmp_path, "a", arpa), limit=3)
    with pytest.raises(OptionError, match="choose one of safetensors"):
        windrow.load(tmp_path / "a", format="word2vec")


def test_an_arpa_file_has_no_vectors(arpa: bytes, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="holds an n-gram language model, not word vectors; open it with"):
        windrow.WordVectors.load(put(tmp_path, "a.bin", arpa))


# --- tolerant reading

ROWS = b"3 2\r\nthe 1 2\r\ncat 3 4\r\nthe 5 6\r\n"
CUT = b"2 2\n\xd1\x8b\xd1 1 2\ncat 3 4\n"


def test_rows_that_repeat(tmp_path: Path) -> None:
    path = put(tmp_path, "a.txt", ROWS)
    with pytest.raises(FormatError, match=r"line 4: the word 'the' was on line 2 already; .*duplicates='first'"):
        windrow.load(path)
    assert windrow.load(path, duplicates="first").vectors.tolist() == [[1, 2], [3, 4]]
    assert windrow.load(path, duplicates="last").vectors.tolist() == [[5, 6], [3, 4]]
    refused = run("vectors", "similar", path, "the")
    assert "line 4: the word 'the' was on line 2 already; take one out, or try --duplicates first" in refused.stderr
    assert run("vectors", "similar", path, "the", "--duplicates", "first").exit_code == 0


def test_words_that_are_not_utf8(tmp_path: Path) -> None:
    path = put(tmp_path, "a", CUT)
    with pytest.raises(FormatError, match=r"line 2: the word .* is not UTF-8; try errors='replace' or errors='ignore'"):
        windrow.load(path)
    assert windrow.load(path, errors="replace").index_to_key == ["ы�", "cat"]
    assert windrow.load(path, errors="ignore").index_to_key == ["ы", "cat"]
    assert "try --errors replace or --errors ignore" in run("vectors", "plot", path, "-o", tmp_path / "m.png").stderr


def test_commands_that_read_vectors_in_one_way_name_the_command_that_has_options(tmp_path: Path) -> None:
    path = put(tmp_path, "a", ROWS)
    (tmp_path / "tags").write_text("cat B-X\ndog O\n\n" * 30)
    trained = ("train", tmp_path / "tags", "-o", tmp_path / "t", "--vectors", path)
    for words in (
        ("tag", *trained),
        ("vectors", *trained),
        ("info", path),
        ("report", path, "-o", tmp_path / "p.html"),
    ):
        refused = run(*words)
        assert refused.exit_code == 1
        assert "`windrow vectors convert` with --duplicates first" in refused.stderr, words
    latin = put(tmp_path, "b", CUT)
    cut = put(tmp_path, "c", b"1 2\n\xd1 " + np.array([1, 2], "<f4").tobytes() + b"\n")
    for damaged in (latin, cut):
        assert "try `windrow vectors convert` with --errors replace" in run("info", damaged).stderr
    refused = run(
        "vectors", "train", tmp_path / "tags", "-o", tmp_path / "t", "--vectors", latin, "--errors", "replace"
    )
    assert "try `windrow vectors convert` with --errors replace" in refused.stderr  # its own --errors is for text
    (tmp_path / "counts.txt").write_text("the 100\ncat 20\n")
    refused = run("tag", "train", tmp_path / "tags", "-o", tmp_path / "t", "--vectors", tmp_path / "counts.txt")
    assert "if it does, say `windrow vectors convert` with --from glove" in refused.stderr


@pytest.mark.parametrize("format", FORMATS)
def test_a_part_of_the_words(format: str, content: Any, tmp_path: Path) -> None:
    path = put(tmp_path, "v", content[format])
    (tmp_path / "list").write_text("dog\n\nunicorn\r\ncat\n")

    first = windrow.load(path, limit=2)
    chosen = windrow.load(path, only_words=tmp_path / "list")
    both = windrow.load(path, only_words=["kitten", "dog", "2004"], limit=2)

    assert (first.index_to_key, chosen.index_to_key, both.index_to_key) == (WORDS[:2], ["cat", "dog"], WORDS[1:3])
    assert np.array_equal(chosen.vectors, VECTORS.vectors[[0, 2]])
    with pytest.raises(FormatError, match="has none of the 1 words of only_words"):
        windrow.load(path, only_words=["unicorn"])
    with pytest.raises(OptionError, match="limit = 0 is out of range"):
        windrow.load(path, limit=0)
    assert "--limit = 0 is out of range" in run("vectors", "similar", path, "cat", "--limit", 0).stderr


def test_words_with_white_space(tmp_path: Path) -> None:
    rows = "the 0.5 1.5\nat name@domain.com 2.5 3.5\nwindows 10 4.5 5.5\n. . . 6.5 7.5\nnon\u00a0breaking 8.5 9.5\n"
    path = put(tmp_path, "glove.txt", rows.encode())
    words = ["the", "at name@domain.com", "windows 10", ". . .", "non\u00a0breaking"]

    assert windrow.load(path).index_to_key == words
    assert windrow.load(path, nbsp="split").index_to_key == [*words[:-1], "non breaking"]
    put(tmp_path, "w2v", b"5 2\n" + rows.encode())
    assert windrow.load(tmp_path / "w2v").index_to_key == words


@pytest.mark.parametrize("start", ["\ufeff", ""])
@pytest.mark.parametrize("end", ["\n", "\r\n", " \n", "\t\n"])
@pytest.mark.parametrize("between", [" ", "\t", "  "])
@pytest.mark.parametrize("header", ["", "2 3"])
def test_marks_and_separators(start: str, end: str, between: str, header: str, tmp_path: Path) -> None:
    lines = [*([header] if header else []), between.join(["the", "1", "2", "3"]), between.join(["cat", "4", "5", "6"])]
    path = put(tmp_path, "v", (start + "".join(line + end for line in lines)).encode())

    found = windrow.load(path)

    assert found.index_to_key == ["the", "cat"]
    assert found.vectors.tolist() == [[1, 2, 3], [4, 5, 6]]


def test_a_row_that_is_cut_short_does_not_change_the_dimensions(tmp_path: Path) -> None:
    path = put(tmp_path, "v", b"the 1.5 2.5 3.5\ncat 4.5 5.5 6.5\ndog 7.5 8.5\n")
    with pytest.raises(FormatError, match="line 3: 2 numbers, expected 3; was the file cut short"):
        windrow.load(path)


def test_no_memory_because_a_header_says_so(tmp_path: Path) -> None:
    for data in (b"1 900000000000\nthe 1 2\n", b"900000000000 2\nthe 1 2\n"):
        for pack in COMPRESS.values():
            with pytest.raises(WindrowError, match=r"too small|need .* GiB of memory|cut short"):
                windrow.load(put(tmp_path, "v", pack(data)))


def test_a_text_in_place_of_a_model_is_told_so_at_each_door(tmp_path: Path) -> None:
    text, arpa = tmp_path / "text", tmp_path / "m.arpa"
    text.write_text("the owl hoots\n")
    windrow.NGramLM(2, "witten-bell").fit(text).save(arpa)
    for arguments, said in (
        (("lm", "score", text, text), "is text, not a language model; train on it with `windrow lm train ngram`"),
        (("tag", "predict", text, text), "is text, not an entity tagger; give what `windrow tag train` writes"),
        (("classify", "predict", text, text), "is text, not a text classifier"),
        (("classify", "evaluate", arpa, text), "holds an n-gram language model, not a text classifier"),
        (("tag", "predict", arpa, text), "holds an n-gram language model, not an entity tagger"),
        (("lm", "convert", arpa, arpa), "is read and written; choose another name"),
    ):
        refused = run(*arguments)
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert said in refused.stderr


@pytest.mark.parametrize("packed", COMPRESS)
def test_other_files_in_the_place_of_a_model_are_called_what_they_are(
    packed: str, arpa: bytes, content: dict[str, bytes], tmp_path: Path
) -> None:
    for data, what in (
        (b"some text\nof two lines\n", "is text"),
        (arpa, "holds an n-gram language model"),
        (content["npy"], "NumPy array"),
    ):
        (tmp_path / "model").write_bytes(COMPRESS[packed](data))
        tagged = run("tag", "predict", tmp_path / "model", stdin=b"a b\n")
        assert (tagged.exit_code, tagged.stderr.count("\n")) == (1, 1)
        assert f"{what}, not an entity tagger" in tagged.stderr
    (tmp_path / "model").write_bytes(COMPRESS[packed](b"some text\nof two lines\n"))
    scored = run("lm", "score", tmp_path / "model", stdin=b"a b\n")
    assert (
        scored.stderr
        == f"Error: {tmp_path / 'model'} is text, not a language model; train on it with `windrow lm train ngram`\n"
    )

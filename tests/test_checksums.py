"""A damaged byte anywhere in a file of windrow's is told in one line that names the file, and never answered from."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import random
import shutil
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from safetensors.numpy import load_file

import windrow
from tests.golden.unfinished import UNFINISHED, header_of
from windrow import models
from windrow.cli import main
from windrow.corpus import encoded
from windrow.errors import DataError, FormatError, WindrowError
from windrow.files import model_file

GOLDEN = Path(__file__).parent / "golden"
WRITTEN = GOLDEN / "0.1.0-checksums"
CORPORA = sorted((WRITTEN / "corpora").iterdir())
OF_LATER_KINDS = [
    GOLDEN / f"0.1.0-{kind}" for kind in ("classifier", "small-classifier", "phrases", "unbounded", "classes", "skips")
]
FILES = sorted(path for folder in (WRITTEN, *OF_LATER_KINDS) for path in folder.glob("*/*") if path.is_file())
MODELS = [path for path in FILES if path.parent.name != "checkpoints"]
OLDER = sorted(GOLDEN.glob("*-c850ed4/*/*.safetensors"))
FLIPS = 40  # for each file
START_FLIPS = 20  # of them in the first bytes, by which a file is known


def named(path: Path) -> str:
    return path.relative_to(GOLDEN).as_posix()


def opened(path: Path) -> Any:
    """By the door of its kind: a checkpoint is resumed from."""
    if path.is_dir():
        return windrow.Corpus.open(path)
    if path.name in UNFINISHED:
        unfinished = UNFINISHED[path.name]
        return unfinished.fit(unfinished.model(), path, resume=True)
    return windrow.load(path)


def flipped(content: bytes, byte: int, bit: int) -> bytes:
    other = bytearray(content)
    other[byte] ^= 1 << bit
    return bytes(other)


def flips_of(content: bytes, seed: str) -> list[bytes]:
    dice = random.Random(seed)
    places = [dice.randrange(min(64, len(content))) for _ in range(START_FLIPS)]
    places += [dice.randrange(len(content)) for _ in range(FLIPS - START_FLIPS)]
    return [flipped(content, place, dice.randrange(8)) for place in places]


def assert_damaged(open_it: Callable[[], Any], name: Path) -> None:
    with pytest.raises(FormatError, match="is damaged") as caught:
        open_it()
    assert "\n" not in str(caught.value)
    assert str(name) in str(caught.value)


# --- flipped bits


@pytest.mark.parametrize("path", FILES, ids=named)
def test_a_flipped_bit_anywhere(path: Path, tmp_path: Path) -> None:
    copy, content = tmp_path / path.name, path.read_bytes()
    for other in flips_of(content, path.name):
        copy.write_bytes(other)
        assert_damaged(lambda: opened(copy), copy)


@pytest.mark.parametrize("path", CORPORA, ids=named)
def test_a_flipped_bit_anywhere_in_a_corpus(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / path.name
    shutil.copytree(path, folder)
    for file in sorted(folder.iterdir()):
        content = file.read_bytes()
        for other in flips_of(content, file.name):
            file.write_bytes(other)
            assert_damaged(lambda: opened(folder), file)
        file.write_bytes(content)
    assert opened(folder).verify() is True


def test_there_is_a_file_of_every_kind() -> None:
    assert {header_of(path)["kind"] for path in FILES} | {"vocabulary"} == {*models.MODEL_KINDS, *models.OTHER_KINDS}


def test_a_damaged_corpus_is_not_read_as_text(tmp_path: Path) -> None:
    """Whatever bit of its header is damaged, by which it is known."""
    folder = tmp_path / "a.corpus"
    shutil.copytree(CORPORA[0], folder)
    content = (folder / "corpus.json").read_bytes()
    for byte in range(60):
        (folder / "corpus.json").write_bytes(flipped(content, byte, byte % 8))
        with pytest.raises(DataError, match="is a corpus, not text"):
            windrow.Corpus.build(folder)
        result = CliRunner().invoke(main, ["vectors", "train", str(folder), "-o", str(tmp_path / "v.bin")])
        assert result.exit_code == 1
        assert "corpus.json is damaged" in result.output


def test_commands_tell_it_too(tmp_path: Path) -> None:
    for name, arguments in (
        ("vectors/skipgram.safetensors", ["vectors", "similar", "FILE", "the"]),
        ("ngram/witten-bell.safetensors", ["lm", "perplexity", "FILE", "TEXT"]),
        ("tagger/crf-iobes.safetensors", ["tag", "predict", "FILE", "TEXT"]),
    ):
        (tmp_path / "FILE").write_bytes(flipped((WRITTEN / name).read_bytes(), -9, 0))
        (tmp_path / "TEXT").write_text("the dam\n")
        result = CliRunner().invoke(main, [str(tmp_path / a) if a in ("FILE", "TEXT") else a for a in arguments])

        assert result.exit_code == 1
        assert result.output.startswith(f"Error: {tmp_path / 'FILE'} is damaged: the array ")
        assert result.output.count("\n") == 1


# --- packed, and through pipes


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("path", MODELS, ids=named)
def test_a_compressed_file_is_compared(path: Path, compress: Callable[[bytes], bytes], tmp_path: Path) -> None:
    packed, content = tmp_path / "packed", path.read_bytes()
    packed.write_bytes(compress(content))
    assert windrow.verify(packed) is True
    packed.write_bytes(compress(flipped(content, -1, 0)))

    assert_damaged(lambda: windrow.load(packed), packed)
    assert_damaged(lambda: windrow.verify(packed), packed)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="only POSIX has pipes in folders")
def test_what_comes_through_a_pipe_is_compared(tmp_path: Path) -> None:
    content = MODELS[0].read_bytes()
    for damaged in (False, True):
        pipe = tmp_path / f"pipe{damaged}"
        os.mkfifo(pipe)
        sent = flipped(content, -1, 0) if damaged else content
        writer = threading.Thread(target=pipe.write_bytes, args=(sent,))
        writer.start()
        if damaged:
            assert_damaged(lambda pipe=pipe: windrow.load(pipe), pipe)  # type: ignore[misc]
        else:
            assert type(windrow.load(pipe)) is type(windrow.load(MODELS[0]))
        writer.join()


# --- what stands in a file


@pytest.mark.parametrize("path", FILES, ids=named)
def test_another_program_recomputes_the_checksums(path: Path) -> None:
    """As the documentation describes them, with zlib and a reader of safetensors."""
    content = path.read_bytes()
    end = 8 + int.from_bytes(content[:8], "little")
    layout = json.loads(content[8:end])
    own = layout.pop("__metadata__")["crc32"]
    zeroed = content[:end].replace(f'"crc32":"{own}"'.encode(), b'"crc32":"00000000"')
    assert own == f"{zlib.crc32(zeroed):08x}"

    arrays = load_file(path)
    assert header_of(path)["crc32_of"] == {name: f"{zlib.crc32(arrays[name].tobytes()):08x}" for name in layout}


@pytest.mark.parametrize("path", CORPORA, ids=named)
def test_another_program_recomputes_those_of_a_corpus(path: Path) -> None:
    content = (path / "corpus.json").read_bytes()
    header = json.loads(content)
    zeroed = content.replace(f'"crc32": "{header["crc32"]}"'.encode(), b'"crc32": "00000000"')
    assert header["crc32"] == f"{zlib.crc32(zeroed):08x}"
    others = {file.name: f"{zlib.crc32(file.read_bytes()):08x}" for file in path.iterdir()}
    del others["corpus.json"]
    assert header["crc32_of"] == others


def test_texts_that_look_like_checksums(tmp_path: Path) -> None:
    """The fields are found by their bytes: what users name so is written otherwise."""
    names = {'"crc32":"00000000"': np.ones(3), 'x"crc32": "12345678"': np.zeros(2), "crc32": np.arange(4)}
    path = tmp_path / "model"
    model_file.save(path, "test", names, {"crc32": "00000000", '"crc32":"': ['"crc32":"ffffffff"']})

    assert model_file.verify(path) is True
    stored = model_file.load(path)
    assert stored.arrays.keys() == names.keys()
    assert load_file(path).keys() == names.keys()


# --- large files, and those without a checksum


def test_a_large_file_is_compared_by_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "large"
    content = (WRITTEN / "vectors" / "skipgram.safetensors").read_bytes()
    path.write_bytes(content)
    monkeypatch.setattr(model_file, "CHECKED_BYTES", len(content) - 1)
    end = 8 + int.from_bytes(content[:8], "little")
    offsets = {name: entry["data_offsets"] for name, entry in json.loads(content[8:end]).items() if "dtype" in entry}

    path.write_bytes(flipped(content, end + offsets["vectors"][0], 0))
    assert len(windrow.load(path)) > 0  # the arrays are not read when it is opened
    with pytest.raises(FormatError, match=r"large is damaged: the array 'vectors' is not what was written"):
        windrow.verify(path)

    path.write_bytes(flipped(content, end - 40, 0))
    assert_damaged(lambda: windrow.load(path), path)  # the header always is

    path.write_bytes(flipped(content, end + offsets["vectors"][0], 0))
    monkeypatch.setattr(model_file, "CHECKED_BYTES", len(content))
    assert_damaged(lambda: windrow.load(path), path)


def test_a_large_corpus_is_compared_by_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "large.corpus"
    shutil.copytree(CORPORA[0], folder)
    monkeypatch.setattr(encoded, "CHECKED_BYTES", 4)
    (folder / "ids.bin").write_bytes(flipped((folder / "ids.bin").read_bytes(), 0, 1))

    corpus = windrow.Corpus.open(folder)
    with pytest.raises(FormatError, match=r"ids\.bin is damaged: it is not what was written"):
        corpus.verify()
    with pytest.raises(FormatError, match=r"ids\.bin is damaged"):
        windrow.verify(folder)


@pytest.mark.parametrize("path", OLDER[:: len(OLDER) // 8], ids=lambda path: path.stem)
def test_files_of_before_open_without_a_checksum(path: Path) -> None:
    assert windrow.verify(path) is False
    windrow.load(path)


def test_half_of_the_checksums_is_damage(tmp_path: Path) -> None:
    """Else a single damaged name of a field would turn a file into an older one, which has none."""
    path = tmp_path / "model"
    model_file.save(path, "test", {"a": np.ones(3)}, {})
    content = path.read_bytes()

    for field, other in ((b'"crc32":', b'"crc3x":'), (b'\\"crc32_of\\":', b'\\"crc32_oo\\":')):
        changed = content.replace(field, other)
        assert changed != content
        path.write_bytes(changed)
        assert_damaged(lambda: model_file.load(path), path)


# --- windrow verify


def test_verify_gives_a_line_for_each_file(tmp_path: Path) -> None:
    sound, bad = WRITTEN / "ngram" / "witten-bell.safetensors", tmp_path / "bad.safetensors"
    bad.write_bytes(flipped(sound.read_bytes(), -1, 3))
    arpa, text, older = tmp_path / "a.arpa", tmp_path / "text.txt", OLDER[0]
    windrow.load(sound).save(arpa)
    text.write_text("the cat sat\n")
    (tmp_path / "empty").touch()
    unrecognizable = tmp_path / "not.safetensors"
    unrecognizable.write_bytes(bytes(range(200)))
    files = [sound, bad, older, arpa, text, tmp_path / "nowhere", tmp_path / "empty", unrecognizable, CORPORA[0]]

    result = CliRunner().invoke(main, ["verify", *map(str, files)])

    assert result.exit_code == 1
    assert result.output.splitlines() == [
        f"{sound}: OK",
        f"{bad} is damaged: the array 'word_bytes' is not what was written; take it from a copy, or make it again",
        f"{older}: no checksum: written by an older windrow",
        f"{arpa}: no checksum: it is an n-gram model in ARPA format",
        f"{text}: no checksum: it is text",
        f"cannot read {tmp_path / 'nowhere'}: No such file or directory",
        f"{tmp_path / 'empty'} is empty; was a download or a copy interrupted?",
        f"{unrecognizable} is damaged: it does not begin as a safetensors file does",
        f"{CORPORA[0]}: OK",
    ]


def test_verify_ends_well_where_nothing_is_damaged(tmp_path: Path) -> None:
    files = [*FILES, *CORPORA, *OLDER[:2], *sorted(GOLDEN.glob("*-c850ed4/corpora/plain"))]
    result = CliRunner().invoke(main, ["verify", *map(str, files)])

    assert result.exit_code == 0
    assert result.output.count(": OK\n") == len(FILES) + len(CORPORA)
    assert result.output.count("no checksum: written by an older windrow") == 3
    assert windrow.verify(CORPORA[0]) is True


def test_a_folder_that_is_no_corpus(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["verify", str(tmp_path), str(MODELS[0])])

    assert result.exit_code == 1
    assert result.output.splitlines() == [
        f"{tmp_path} is not a windrow corpus: it holds no corpus.json",
        f"{MODELS[0]}: OK",
    ]
    with pytest.raises(WindrowError):
        windrow.verify("")

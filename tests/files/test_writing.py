"""Files that appear whole or not at all, behind links, with the permissions that they had."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import windrow
from windrow.corpus.toyland import generate
from windrow.errors import DataError, FormatError, OptionError, one_line
from windrow.files.writing import atomic_write, check_writable, followed, remove_written
from windrow.nn.training.report import Report
from windrow.viz.learning_curve import plot_learning_curve

LM = windrow.NGramLM(2, "witten-bell").fit(["a b", "b a"])
VECTORS = windrow.WordVectors(["a", "b"], [[1.0, 2.0], [3.0, 4.0]])
LOG = json.dumps(Report("epoch", 1, 1, examples=9, total_examples=9, loss=1, learning_rate=1, seconds=1).to_json())


def _plot(path: Path) -> None:
    log = path.parent / "log"
    log.write_text(LOG)
    plot_learning_curve(log, path)


SAVES: dict[str, Callable[[Path], object]] = {
    **dict.fromkeys(("v.safetensors", "v.txt", "v.bin", "v.txt.gz", "v.parquet", "v.npy"), VECTORS.save),
    "m.safetensors": LM.save,
    "m.arpa": LM.save,
    "m.arpa.gz": LM.save,
    "counts": lambda path: windrow.NGramLM(2, "witten-bell").fit(["a b"], counts_out=path),
    "mixture": windrow.MixtureLM([LM, LM], [0.5, 0.5]).save,
    "plot.png": _plot,
}


@pytest.mark.parametrize("name", SAVES)
@pytest.mark.parametrize("exists", [True, False])
def test_a_symbolic_link_stays_and_leads_to_what_was_written(name: str, exists: bool, tmp_path: Path) -> None:
    """Also over several links, relative ones, in other folders, and where the file is not there yet."""
    for folder in ("links", "files", "plain"):
        (tmp_path / folder).mkdir()
    SAVES[name](tmp_path / "plain" / name)
    expected = (tmp_path / "plain" / name).read_bytes()
    real = tmp_path / "files" / f"real {name}"
    if exists:
        real.write_text("before")
    (tmp_path / "files" / name).symlink_to(real)
    link = tmp_path / "links" / name
    link.symlink_to(Path("..", "files", name))

    SAVES[name](link)

    assert link.is_symlink()
    assert (tmp_path / "files" / name).is_symlink()
    assert not real.is_symlink()
    assert real.read_bytes() == expected
    assert not [path for path in tmp_path.rglob("*") if ".part" in path.name]


def test_a_corpus_behind_a_link_is_replaced_there(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("real")
    for text in (["a b"], ["c d e"]):
        assert windrow.Corpus.build(text, link).tokens == len(text[0].split())
        assert link.is_symlink()
        assert windrow.Corpus.open(tmp_path / "real").tokens == len(text[0].split())
    generate(tmp_path / "toy", sentences=5)
    (tmp_path / "other").symlink_to(tmp_path / "toy")
    generate(tmp_path / "other", sentences=6)
    assert (tmp_path / "toy" / "train.txt").read_text().count("\n") == 6


def test_links_in_a_circle_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(DataError, match=r"cannot write .*a: Too many levels of symbolic links$"):
        LM.save(tmp_path / "a")
    with pytest.raises(DataError, match="Too many levels"):
        windrow.Corpus.build(["a"], tmp_path / "b")
    with pytest.raises(DataError, match="Too many levels"):
        generate(tmp_path / "b")
    with pytest.raises(OSError, match="Too many levels"):
        followed(tmp_path / "a")


def test_a_link_into_a_folder_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "a.arpa").symlink_to("missing/a.arpa")
    with pytest.raises(DataError, match=r"cannot write .*a.arpa: the folder .*missing does not exist"):
        LM.save(tmp_path / "a.arpa")
    (tmp_path / "f.arpa").symlink_to(tmp_path)
    with pytest.raises(DataError, match="it is a folder"):
        LM.save(tmp_path / "f.arpa")


def test_what_is_removed_is_the_file_not_the_link(tmp_path: Path) -> None:
    link, real = tmp_path / "link", tmp_path / "real"
    link.symlink_to("real")
    real.write_text("")
    for _ in range(2):
        remove_written(link)
        assert link.is_symlink()
        assert not real.exists()


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444, 0o666])
def test_a_file_that_is_replaced_hands_on_its_permissions(mode: int, tmp_path: Path) -> None:
    file = tmp_path / "v.txt"
    file.write_text("before")
    file.chmod(mode)
    before = os.umask(0)
    os.umask(before)
    with atomic_write(file) as temporary:
        assert stat.S_IMODE(temporary.stat().st_mode) == (mode | 0o600) & ~before  # not wider while it is written
        temporary.write_text("after")
    assert stat.S_IMODE(file.stat().st_mode) == mode
    assert file.read_text() == "after"


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_a_new_file_is_as_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with atomic_write(tmp_path / "new") as temporary:
            temporary.unlink()  # as a library might that makes it anew
            os.close(os.open(temporary, os.O_CREAT | os.O_WRONLY, 0o600))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640


def test_a_link_under_the_temporary_name_is_not_followed(tmp_path: Path) -> None:
    """Somebody else who may write in the folder cannot make us write elsewhere."""
    victim = tmp_path / "victim"
    victim.write_text("as it was")
    (tmp_path / f".v.txt.{os.getpid()}.part").symlink_to(victim)
    VECTORS.save(tmp_path / "v.txt")
    assert victim.read_text() == "as it was"
    assert windrow.load(tmp_path / "v.txt").index_to_key == ["a", "b"]


@pytest.mark.parametrize("name", ["", "-", "\0", "a\0b", ".", "/", "missing/x", "x" * 300, "new/", "new/."])
def test_names_that_are_none_of_a_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError) as caught:
        check_writable(name)
    assert "\n" not in str(caught.value)
    if not name.startswith("new"):
        with pytest.raises(DataError):
            windrow.Corpus.build(["a"], name)
    assert list(tmp_path.iterdir()) == []


def test_an_error_is_one_line_whatever_it_names(tmp_path: Path) -> None:
    place = tmp_path / "two\nlines\r\x1b[1m"
    for call in (windrow.load, windrow.Corpus.open, windrow.WordVectors.load):
        with pytest.raises(DataError) as caught:
            call(place)
        assert r"two\nlines\r\x1b[1m" in str(caught.value)
        assert str(caught.value).isprintable()
    assert str(FormatError("a\u2028b\tc\x85")) == "a\\u2028b\tc\\x85"
    assert one_line(one_line("a\nb")) == one_line("a\nb")


def test_threads_may_write_one_file_at_a_time(tmp_path: Path) -> None:
    """The last one to end has its contents there, whole; nothing of the others is left."""
    with atomic_write(tmp_path / "out") as first:
        with atomic_write(tmp_path / "out") as second:
            assert first != second
            first.write_text("first")
            second.write_text("second")
        assert (tmp_path / "out").read_text() == "second"
    assert (tmp_path / "out").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


NO_NAMES: dict[str, Callable[[Any], object]] = {
    **{f"save of {type(one).__name__}": one.save for one in (LM, VECTORS, windrow.MixtureLM([LM, LM]))},
    "counts": lambda path: windrow.NGramLM(2, "witten-bell").fit(["a b"], counts_out=path),
    "fit_counts": lambda path: windrow.NGramLM(2, "witten-bell").fit_counts(path),
    "build": lambda path: windrow.Corpus.build(["a b"], path),
    "open": windrow.Corpus.open,
    "load": windrow.load,
    "verify": windrow.verify,
    "Word2Vec": lambda path: windrow.Word2Vec(min_count=1).fit(["a b"], checkpoint=path),
    "WindowLM": lambda path: windrow.WindowLM(2).fit(["a b"], checkpoint=path),
    "WindowTagger": lambda path: windrow.WindowTagger().fit([(["a"], ["B-X"])], checkpoint=path),
    "MLPClassifier": lambda path: windrow.MLPClassifier().fit([[1.0], [2.0]], [0, 1], checkpoint=path),
}


@pytest.mark.parametrize("door", NO_NAMES)
@pytest.mark.parametrize("value", [5, b"name"])
def test_what_is_no_name_of_a_file_is_told_so(door: str, value: object) -> None:
    told = rf"^(path|checkpoint) = {value!r} must be the name of a file or folder, not {type(value).__name__}$"
    with pytest.raises(OptionError, match=told):
        NO_NAMES[door](value)

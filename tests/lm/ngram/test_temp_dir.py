"""Where counting has its temporary files, and that nothing is left there."""

from __future__ import annotations

import gc
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from windrow import NGramLM
from windrow.cli import main
from windrow.errors import DataError, OptionError
from windrow.files.tempfolder import temporary_files_in, temporary_folder, temporary_place
from windrow.lm.ngram import merging

TEXT = [" ".join(f"w{place * step % 97}" for place in range(200)) for step in range(1, 201)]  # too much for 1 MB
OPTIONS: dict[str, Any] = {"order": 2, "smoothing": "witten-bell"}


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files; those of the system cannot be made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files of counts, as they are made."""
    paths: list[Path] = []
    in_file = merging._in_file

    def told(array: Any, path: Path) -> Any:
        paths.append(path)
        return in_file(array, path)

    monkeypatch.setattr(merging, "_in_file", told)
    return paths


def test_counts_are_there_while_they_are_needed(work: Path, written: list[Path]) -> None:
    model = NGramLM(**OPTIONS, memory=1 << 20).fit(TEXT, temp_dir=work)

    assert written
    assert all(work in path.parents for path in written)
    assert not list(work.iterdir())
    with temporary_files_in(work):
        expected = NGramLM(**OPTIONS).fit(TEXT)
    np.testing.assert_array_equal(model.log_probs(TEXT[:9]), expected.log_probs(TEXT[:9]))


def test_counts_as_text_are_read_there(work: Path, tmp_path: Path) -> None:
    NGramLM(**OPTIONS).fit(TEXT[:5], counts_out=tmp_path / "counts", temp_dir=work)
    with pytest.raises(FileNotFoundError):
        NGramLM(**OPTIONS).fit_counts(tmp_path / "counts")
    NGramLM(**OPTIONS).fit_counts(tmp_path / "counts", temp_dir=str(work))
    assert not list(work.iterdir())


def test_the_place_is_that_of_before_afterwards(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(work.parent)
    before = temporary_place()
    with pytest.raises(ZeroDivisionError), temporary_files_in("work"), temporary_files_in(None):
        monkeypatch.chdir("/")  # the folder stays the same
        with temporary_folder() as folder:
            assert folder.parent == work
        1 / 0  # noqa: B018
    assert temporary_place() == before


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        (
            "nowhere",
            DataError,
            "temp_dir = .*nowhere: no file can be made there: No such file or directory; name ",
        ),
        ("file", DataError, "temp_dir = .*file: no file can be made there: Not a directory; name another folder"),
        ("a" * 300, DataError, "temp_dir = .*: no file can be made there: File name too long; name another folder"),
    ],
)
def test_what_is_no_folder_for_them(name: str, error: type[Exception], said: str, work: Path) -> None:
    (work / "file").touch()
    with pytest.raises(error, match=f"^{said}"):
        NGramLM(**OPTIONS).fit(TEXT, temp_dir=work / name)


@pytest.mark.parametrize(
    ("given", "said"), [("", "temp_dir is an empty name"), (5, "temp_dir = 5"), ("a\0b", "temp_dir = ")]
)
def test_what_is_no_name(given: Any, said: str) -> None:
    with pytest.raises((OptionError, DataError), match=said):
        NGramLM(**OPTIONS).fit(TEXT, temp_dir=given)


# --- the command line


def run(work: Path, *options: str) -> Any:
    (work.parent / "text").write_text("\n".join(TEXT))
    typed = ["lm", "train", "ngram", str(work.parent / "text"), "-o", str(work.parent / "m.arpa"), "--order", "2"]
    return CliRunner().invoke(main, [*typed, "--smoothing", "witten-bell", "--memory", "1M", *options])


def test_the_command(work: Path, written: list[Path]) -> None:
    assert run(work, "--temp-dir", str(work)).exit_code == 0
    assert all(work in path.parents for path in written)
    assert written
    assert not list(work.iterdir())
    missing = run(work, "--temp-dir", str(work / "no"))
    assert missing.stderr.startswith(f"Error: --temp-dir = {work / 'no'}: no file can be made there: No such file or ")
    assert missing.stderr.count("\n") == 1
    assert run(work, "--temp-dir=").stderr == "Error: --temp-dir is an empty name; name a folder, or leave it out\n"


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_nothing_is_left_after_an_end_in_the_middle(
    error: type[BaseException], work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        assert list(work.iterdir())  # it has begun
        raise error

    monkeypatch.setattr(merging, "_in_file", fail)
    assert run(work, "--temp-dir", str(work)).exit_code != 0
    gc.collect()  # the traceback of the error, which knows the text
    assert not list(work.iterdir())
    assert not (work.parent / "m.arpa").exists()

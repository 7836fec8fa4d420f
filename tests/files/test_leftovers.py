"""What killed runs leave behind: removed by the next run, unless it is in use, or somebody else's."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from windrow import Corpus
from windrow.errors import DataWarning
from windrow.files import leftovers, tempfolder, writing
from windrow.files.leftovers import MARKER, machine
from windrow.files.tempfolder import temporary_folder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="nothing is removed on Windows")

_IN_FOLDER = """
import sys
from windrow.files.tempfolder import temporary_folder
with temporary_folder() as folder:
    (folder / "data").write_bytes(b"x" * 1000)
    print(folder, flush=True)
    sys.stdin.read()
"""
_IN_FILE = """
import sys
from windrow.files.writing import atomic_write
with atomic_write(sys.argv[1]) as path:
    path.write_bytes(b"half")
    print(path, flush=True)
    sys.stdin.read()
"""
_IN_CORPUS = """
import sys
from windrow import Corpus
def sentences():
    yield "the cat sat"
    print("begun", flush=True)
    sys.stdin.read()
Corpus.build(sentences(), sys.argv[1])
"""


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A TMPDIR of each test's own, where this process has not looked yet."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr(leftovers, "_SWEPT", set())


@contextmanager
def running(program: str, *arguments: object) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A process that has made something, and waits; and what it printed."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield process, Path(process.stdout.readline().decode().strip())
        finally:
            process.kill()


def killed(program: str, *arguments: object) -> Path:
    """What a process had made when it was killed with SIGKILL."""
    with running(program, *arguments) as (process, made):
        process.kill()
        process.wait()
    return made


def left_folder(parent: Path, content: str | None = None) -> Path:
    """A folder as a killed run leaves it."""
    folder = parent / "windrow-left"
    folder.mkdir()
    (folder / MARKER).write_text(machine() if content is None else content)
    (folder / "data").write_text("x")
    return folder


def test_the_temporary_folder_of_a_killed_run_is_removed_and_told(tmp_path: Path) -> None:
    folder = killed(_IN_FOLDER)
    assert (folder / "data").exists()
    with (
        pytest.warns(DataWarning, match=rf"^removed what killed runs had left in .*: {folder.name}$"),
        temporary_folder(),
    ):
        assert not folder.exists()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_the_temporary_folder_of_a_live_run_stays() -> None:
    with running(_IN_FOLDER) as (_, folder), temporary_folder() as mine:
        leftovers._SWEPT.clear()
        leftovers.sweep_temporary_folders(mine.parent, "windrow-")
        assert (folder / "data").exists()
        assert mine.exists()


@pytest.mark.parametrize("content", ["", "0" * 16, machine()[:8], "x" * 100, "\udcff"])
def test_folders_of_other_machines_and_with_damaged_markers_stay(content: str, tmp_path: Path) -> None:
    folder = left_folder(tmp_path / "tmp", "")
    (folder / MARKER).write_bytes(content.encode("utf-8", "surrogateescape"))
    with temporary_folder():
        assert (folder / "data").exists()


def test_what_only_looks_like_a_left_over_stays(tmp_path: Path) -> None:
    mine = tmp_path / "tmp" / "windrow-results"
    mine.mkdir()
    (mine / "notes").write_text("x")
    elsewhere = left_folder(tmp_path)
    link = tmp_path / "tmp" / "windrow-link"
    link.symlink_to(elsewhere)
    marker_link = tmp_path / "tmp" / "windrow-marker"
    marker_link.mkdir()
    (marker_link / MARKER).symlink_to(elsewhere / MARKER)
    (tmp_path / "tmp" / "windrow-file").write_text(machine())
    with temporary_folder():
        assert (mine / "notes").exists()
        assert (elsewhere / "data").exists()
        assert marker_link.exists()
        assert (tmp_path / "tmp" / "windrow-file").exists()


def test_links_within_a_left_over_are_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("x")
    folder = left_folder(tmp_path / "tmp")
    (folder / "link").symlink_to(precious)
    with pytest.warns(DataWarning, match="killed runs"), temporary_folder():
        assert not folder.exists()
    assert (precious / "file").exists()


def test_folders_of_other_users_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = left_folder(tmp_path / "tmp")
    uid = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: uid + 1)
    with temporary_folder():
        assert folder.exists()


def test_without_locks_nothing_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = left_folder(tmp_path / "tmp")
    monkeypatch.setattr(leftovers, "fcntl", None)
    with temporary_folder() as mine:
        assert folder.exists()
        assert (mine / MARKER).read_text() == ""  # so that no other process takes it for one that is left
    assert not mine.exists()


def test_two_runs_that_remove_the_same_do_no_harm(tmp_path: Path) -> None:
    folder = left_folder(tmp_path / "tmp")
    programs = [subprocess.Popen([sys.executable, "-c", _IN_FOLDER], stdin=subprocess.PIPE) for _ in range(4)]
    for program in programs:
        program.communicate(timeout=60)
        assert program.returncode == 0
    assert not folder.exists()
    assert list((tmp_path / "tmp").iterdir()) == []


BEFORE = "0" * 8 + leftovers._digits("this machine")  # of which the system says that it is this one


@pytest.fixture
def known_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "machine", lambda: "1" * 8 + BEFORE[8:])


@pytest.mark.usefixtures("known_machine")
def test_what_is_left_from_before_the_machine_was_started_is_removed(tmp_path: Path) -> None:
    """Whatever process has the number now; but not if somebody holds it."""
    part = tmp_path / f".a.{os.getppid()}-{BEFORE}-0.part"
    part.write_bytes(b"half")
    folder = left_folder(tmp_path / "tmp", BEFORE)
    with leftovers.hold(part), leftovers.hold(folder / MARKER), temporary_folder():
        leftovers.sweep_beside(tmp_path / "out.bin")
    assert part.exists()
    assert folder.exists()

    leftovers._SWEPT.clear()
    with pytest.warns(DataWarning, match=part.name):
        leftovers.sweep_beside(tmp_path / "out.bin")
    with pytest.warns(DataWarning, match=folder.name), temporary_folder():
        pass
    assert not part.exists()
    assert not folder.exists()


def test_where_the_system_does_not_say_which_machine_it_is_nothing_from_before_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = "1" * 8 + leftovers._UNKNOWN
    monkeypatch.setattr(leftovers, "machine", lambda: unknown)
    folder = left_folder(tmp_path / "tmp", "2" * 8 + leftovers._UNKNOWN)
    with temporary_folder():
        assert folder.exists()


# --- beside outputs


def test_the_half_written_file_of_a_killed_run_is_removed_and_told(tmp_path: Path) -> None:
    part = killed(_IN_FILE, tmp_path / "first.bin")
    assert part.read_bytes() == b"half"
    told = r"^removed what killed runs had left in .*: \.first\.bin\.\d+-\w+-\w+\.part$"
    with pytest.warns(DataWarning, match=told), writing.atomic_write(tmp_path / "second.bin") as path:
        path.write_text("whole")
    assert {path.name for path in tmp_path.iterdir()} == {"second.bin", "tmp"}


def test_the_half_written_file_of_a_live_run_stays(tmp_path: Path) -> None:
    with running(_IN_FILE, tmp_path / "first.bin") as (_, part), writing.atomic_write(tmp_path / "second.bin"):
        assert part.read_bytes() == b"half"


def test_a_lock_protects_what_a_process_with_another_number_writes(tmp_path: Path) -> None:
    """As in a container that has process numbers of its own."""
    part = tmp_path / f".out.bin.{2**22 + 1}-{machine()}.part"
    part.write_bytes(b"half")
    with leftovers.hold(part):
        leftovers.sweep_beside(tmp_path / "out.bin")
        assert part.exists()
    leftovers._SWEPT.clear()
    with pytest.warns(DataWarning, match="killed runs"):
        leftovers.sweep_beside(tmp_path / "out.bin")
    assert not part.exists()


def test_what_a_killed_process_of_the_same_number_left_is_removed(tmp_path: Path) -> None:
    """As in containers, where the first process has the number 1 each time."""
    with writing.atomic_write(tmp_path / "out.bin") as own:
        own.write_bytes(b"half")
        other = own.with_name(re.sub(r"-\w+\.part$", "-ffffff.part", own.name))
        other.write_bytes(b"half")
        leftovers._SWEPT.clear()
        with pytest.warns(DataWarning, match=r"killed runs had left in .*: \.out\.bin\.\d+-\w+-ffffff\.part$"):
            leftovers.sweep_beside(tmp_path / "out.bin")
        assert own.exists()
        assert not other.exists()


def test_names_of_others_and_new_empty_files_stay(tmp_path: Path) -> None:
    gone = 2**22 + 1  # above every process number
    names = [f".a.{gone}.part", f".a.{gone}-{'0' * 16}.part", f".a.{gone}-{machine()[:8]}.part", "a.part",
             f"a.{gone}-{machine()}.part", f".a.x-{machine()}.part", f".a.{gone}-{machine()}.part.txt",
             f".a.{os.getppid()}-{machine()}.part"]  # fmt: skip
    for name in names:
        (tmp_path / name).write_text("mine")
    new = tmp_path / f".b.{gone}-{machine()}.part"
    new.touch()  # whoever made it may be about to lock it
    leftovers.sweep_beside(tmp_path / "out.bin")
    assert all((tmp_path / name).exists() for name in names)
    assert new.exists()
    os.utime(new, (time.time() - 100,) * 2)
    leftovers._SWEPT.clear()
    with pytest.warns(DataWarning, match="killed runs"):
        leftovers.sweep_beside(tmp_path / "out.bin")
    assert not new.exists()


def test_the_half_built_corpus_of_a_killed_run_is_removed(tmp_path: Path) -> None:
    killed(_IN_CORPUS, tmp_path / "corpus")
    assert len(list(tmp_path.glob(".corpus.*.part"))) == 1
    with pytest.warns(DataWarning, match=r"killed runs had left .*: \.corpus\."):
        Corpus.build(["the dog sat"], tmp_path / "corpus")
    assert {path.name for path in tmp_path.iterdir()} == {"corpus", "tmp"}


def test_a_corpus_that_a_killed_run_had_moved_away_is_put_back(tmp_path: Path) -> None:
    Corpus.build(["the dog sat"], tmp_path / "corpus")
    leftovers._SWEPT.clear()
    (tmp_path / "corpus").rename(tmp_path / f".corpus.{2**22 + 1}-{machine()}.old")
    with pytest.warns(DataWarning, match=r"killed runs had left .*: corpus \(put back\)$"):
        Corpus.build(["the cat ran"], tmp_path / "other")
    assert set(Corpus.open(tmp_path / "corpus").vocabulary.words) == {"the", "dog", "sat"}


def test_a_folder_is_looked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[Path] = []
    scan = os.scandir
    monkeypatch.setattr(leftovers.os, "scandir", lambda path: looked.append(Path(path)) or scan(path))
    for _ in range(3):
        with writing.atomic_write(tmp_path / "out.bin"):
            pass
    assert looked == [tmp_path]


def test_temporary_folders_begin_as_they_are_looked_for() -> None:
    with temporary_folder() as folder:
        assert folder.name.startswith(tempfolder._PREFIX)

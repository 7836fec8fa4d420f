"""The cache of compiled kernels: never stale, never in the way, whatever happens to its files."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numba.core.codegen import JITCPUCodegen

import windrow
from windrow.numeric import jit
from windrow.numeric.jit import kernel

__test__ = not jit.DISABLE_JIT  # without the compiler there is nothing to keep

_HELPER = """
from windrow.numeric.jit import kernel

@kernel(allocates=True)
def helper(x):
    return x + STEP
"""
_CALLER = """
import sys
import numpy as np
from windrow.numeric import jit
from windrow.numeric.helper import helper

@jit.kernel(allocates=True)
def caller(x):
    return 10 * helper(x)

if __name__ == "__main__":
    for dtype in sys.argv[1:]:
        result = caller(np.ones(2, dtype))
        assert result.dtype == dtype
        print(result.tolist())
    print(sum(caller.stats.cache_hits.values()), "hits;", jit.CACHE_DIR)
"""
_TRAINER = """
import hashlib
from windrow import Word2Vec
sentences = [["to", "be", "or", "not", "to", "be"]] * 30
model = Word2Vec(vector_size=16, min_count=1, workers=1, epochs=2, sample=0, kernel="pair").fit(sentences)
print(hashlib.sha256(model.wv.vectors.tobytes()).hexdigest())
"""


def environment(**changes: str | Path | None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in changes}
    return kept | {name: str(value) for name, value in changes.items() if value is not None}


def start(*arguments: str | Path, **changes: str | Path | None) -> subprocess.Popen[str]:
    command = [sys.executable, *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(**changes)
    )


def finish(process: subprocess.Popen[str]) -> str:
    """What it has printed; it must have ended well, and without a word of complaint."""
    with process:
        output, errors = process.communicate(timeout=600)
    assert (process.returncode, errors) == (0, "")
    return output


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the sources with two more kernels, one that calls the other from another file."""
    copy = tmp_path / "sources" / "windrow"
    shutil.copytree(Path(windrow.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "numeric" / "helper.py").write_text(_HELPER.replace("STEP", "1"))
    (copy / "numeric" / "caller.py").write_text(_CALLER)
    return copy


def test_an_edited_helper_reaches_its_callers(package: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"

    def call() -> str:
        arguments = ("-m", "windrow.numeric.caller", "float64")
        return finish(start(*arguments, PYTHONPATH=package.parent, WINDROW_CACHE_DIR=cache, PYTHONSAFEPATH="1"))

    assert call().startswith("[20.0, 20.0]\n0 hits")
    assert call().startswith("[20.0, 20.0]\n1 hits")
    (package / "numeric" / "helper.py").write_text(_HELPER.replace("STEP", "2"))
    assert call().startswith("[30.0, 30.0]\n0 hits")
    assert len(list(cache.iterdir())) == 2
    (package / "numeric" / "helper.py").write_text(_HELPER.replace("STEP", "1"))  # a branch left and come back to
    assert call().startswith("[20.0, 20.0]\n1 hits")


def test_processes_that_start_at_once_share_a_cache(package: Path, tmp_path: Path) -> None:
    """Each begins with another signature of the same function, and all of them end with all."""
    dtypes = ["float32", "float64", "int64"]
    orders = [[*dtypes[first:], *dtypes[:first]] for first in range(len(dtypes))]
    places = {"PYTHONPATH": package.parent, "WINDROW_CACHE_DIR": tmp_path / "cache", "PYTHONSAFEPATH": "1"}
    for process in [start("-m", "windrow.numeric.caller", *order, **places) for order in orders]:
        assert "20" in finish(process)
    assert "3 hits" in finish(start("-m", "windrow.numeric.caller", *dtypes, **places))
    assert not list(tmp_path.rglob("*.part"))


def test_trainings_that_start_at_once_in_an_empty_cache_give_equal_vectors(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    runs = [start("-c", _TRAINER, WINDROW_CACHE_DIR=cache, TMPDIR=tmp_path) for _ in range(2)]
    first, second = map(finish, runs)
    assert first == second
    (folder,) = cache.iterdir()
    kept = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert finish(start("-c", _TRAINER, WINDROW_CACHE_DIR=cache, TMPDIR=tmp_path)) == first
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == kept  # nothing was compiled again
    names = {path.name.rpartition("-")[0] for path in kept}
    assert "windrow.embeddings.steps.negative_sampling._train_pairs" in names
    assert not [name for name in names if "softmax" in name or "block_step" in name]  # only what this model needs


@pytest.mark.parametrize("home", ["below a file", "unknown"])
def test_without_a_place_to_write_kernels_are_compiled_each_time(home: str, package: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    places = {
        "below a file": {"WINDROW_CACHE_DIR": tmp_path / "file" / "cache"},
        "unknown": dict.fromkeys(["WINDROW_CACHE_DIR", "XDG_CACHE_HOME", "HOME", "LOCALAPPDATA", "USERPROFILE"]),
    }
    script = tmp_path / "run.py"  # as for a user number that the system has no name for
    script.write_text(
        "import pwd, runpy, sys\n"
        "pwd.getpwuid = {}.__getitem__\n"
        "runpy.run_module('windrow.numeric.caller', run_name='__main__')\n"
    )
    output = finish(start(script, "float64", PYTHONPATH=package.parent, **places[home]))
    assert output == "[20.0, 20.0]\n0 hits; None\n"


_UMASK_0 = "import os, runpy; os.umask(0); runpy.run_module('windrow.numeric.caller', run_name='__main__')"


@pytest.mark.skipif(os.name != "posix", reason="rights of another kind")
def test_folders_of_the_cache_are_made_for_their_user_alone(package: Path, tmp_path: Path) -> None:
    places = {"PYTHONPATH": package.parent, "WINDROW_CACHE_DIR": tmp_path / "new" / "cache"}
    for hits in (0, 1):
        assert finish(start("-c", _UMASK_0, "float64", **places)).startswith(f"[20.0, 20.0]\n{hits} hits")
    made = [path for path in (tmp_path / "new").rglob("*") if path.is_dir()]
    assert len(made) == 2
    assert {path.stat().st_mode & 0o777 for path in [tmp_path / "new", *made]} == {0o700}


def pretend(monkeypatch: pytest.MonkeyPatch, place: Path, **changes: int) -> None:
    """Let a file or folder have another owner, as only root could arrange."""
    names = (
        "st_mode",
        "st_ino",
        "st_dev",
        "st_nlink",
        "st_uid",
        "st_gid",
        "st_size",
        "st_atime",
        "st_mtime",
        "st_ctime",
    )
    real = {name: getattr(os, name) for name in ("stat", "fstat")}
    there = os.stat(place)  # noqa: PTH116

    def changed(status: os.stat_result) -> os.stat_result:
        if (status.st_ino, status.st_dev) != (there.st_ino, there.st_dev):
            return status
        return os.stat_result([changes.get(name, getattr(status, name)) for name in names])

    for name, function in real.items():
        monkeypatch.setattr(os, name, lambda *place, function=function, **how: changed(function(*place, **how)))


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that may be used, in a folder of its own."""
    folder = tmp_path / "mine" / "cache"
    monkeypatch.setenv("WINDROW_CACHE_DIR", str(folder))
    assert jit._open_cache() is not None
    return folder


posix = pytest.mark.skipif(os.name != "posix", reason="rights of another kind")
SOMEBODY = 54321
PLACES = {
    "the folder of a version": lambda root: next(root.iterdir()),
    "the root": lambda root: root,
    "above": lambda root: root.parent,
    "farther above": lambda root: root.parents[1],
}


@posix
@pytest.mark.parametrize("mode", [0o777, 0o775, 0o757])
@pytest.mark.parametrize("place", ["the root", "the folder of a version"])
def test_a_cache_that_others_may_write_to_is_not_used(root: Path, place: str, mode: int) -> None:
    folder = PLACES[place](root)
    folder.chmod(mode)
    with pytest.warns(jit.CacheWarning, match=f"^others may write to {folder}, so no kernels are loaded from there"):
        assert jit._open_cache() is None
    folder.chmod(0o700)
    assert jit._open_cache() == next(root.iterdir())


@posix
@pytest.mark.parametrize("place", PLACES)
def test_a_cache_of_somebody_else_is_not_used(root: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    folder = PLACES[place](root)
    pretend(monkeypatch, folder, st_uid=SOMEBODY)
    with pytest.warns(jit.CacheWarning, match="belongs to another user") as caught:
        assert jit._open_cache() is None
    (warning,) = caught
    assert str(warning.message).startswith(f"{folder} ") and "\n" not in str(warning.message)


@posix
@pytest.mark.parametrize("place", PLACES)
def test_a_cache_of_root_is_used(root: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: SOMEBODY)
    for folder in (*root.iterdir(), root, root.parent):
        pretend(monkeypatch, folder, st_uid=SOMEBODY)
    for folder in root.parents:
        if folder.stat().st_uid not in (0, SOMEBODY):
            pretend(monkeypatch, folder, st_uid=0)
    pretend(monkeypatch, PLACES[place](root), st_uid=0)
    assert jit._open_cache() == next(root.iterdir())


@posix
@pytest.mark.parametrize(
    ("mode", "danger"), [(0o777, True), (0o757, True), (0o775, True), (0o1777, False), (0o755, False), (0o700, False)]
)
@pytest.mark.parametrize("place", ["above", "farther above"])
def test_a_folder_that_others_could_replace_is_not_used(root: Path, place: str, mode: int, danger: bool) -> None:
    folder = PLACES[place](root)
    before = folder.stat().st_mode
    folder.chmod(mode)
    if os.geteuid() and mode == 0o775:
        danger = folder.stat().st_gid != os.geteuid()  # a group of one
    try:
        if not danger:
            assert jit._open_cache() == next(root.iterdir())
            return
        with pytest.warns(jit.CacheWarning, match=f"^others may write to {folder} and so replace {root}: no kernels"):
            assert jit._open_cache() is None
    finally:
        folder.chmod(before)


@posix
def test_the_group_of_one_user_may_write_above(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: SOMEBODY)
    for folder in (*root.iterdir(), root, *root.parents[1:]):
        pretend(monkeypatch, folder, st_uid=0, st_mode=0o40755)
    pretend(monkeypatch, root.parent, st_uid=SOMEBODY, st_gid=SOMEBODY, st_mode=0o40775)
    assert jit._open_cache() == next(root.iterdir())
    pretend(monkeypatch, root.parent, st_uid=SOMEBODY, st_gid=100, st_mode=0o40775)
    with pytest.warns(jit.CacheWarning, match="others may write"):
        assert jit._open_cache() is None


@posix
def test_what_a_container_cannot_name_may_stand_above(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, root.parents[1], st_uid=65534)
    assert jit._open_cache() == next(root.iterdir())
    pretend(monkeypatch, root, st_uid=65534)
    with pytest.warns(jit.CacheWarning, match="belongs to another user"):
        assert jit._open_cache() is None


@posix
def test_a_link_is_followed_before_anything_is_trusted(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = tmp_path / "link"
    link.symlink_to(root)
    monkeypatch.setenv("WINDROW_CACHE_DIR", str(link))
    assert jit._open_cache() == next(root.iterdir())  # not through the link, which may be changed
    pretend(monkeypatch, root.parent, st_uid=SOMEBODY)
    with pytest.warns(jit.CacheWarning, match=f"^{root.parent} belongs to another user"):
        assert jit._open_cache() is None


@posix
def test_commands_say_it_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache").chmod(0o777)
    (tmp_path / "text.txt").touch()
    arguments = ("-m", "windrow", "lm", "train", "ngram", tmp_path / "text.txt", "-o", tmp_path / "out.safetensors")
    _, said = start(*arguments, WINDROW_CACHE_DIR=tmp_path / "cache").communicate(timeout=600)
    assert [line.partition(":")[0] for line in said.splitlines()] == ["Warning", "Error"], said
    assert said.startswith(f"Warning: others may write to {tmp_path / 'cache'}, so no kernels are loaded from there;")


@posix
def test_nothing_is_pruned_in_a_folder_of_somebody_else(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    next(root.iterdir()).rmdir()
    for number in range(9):
        (root / f"kernels-{number:016x}").mkdir()
    pretend(monkeypatch, root, st_uid=SOMEBODY)
    with pytest.warns(jit.CacheWarning):
        assert jit._open_cache() is None
    assert len(list(root.iterdir())) == 10


def tripler() -> Callable[[float], float]:
    """A kernel that knows nothing yet, as in a process that has just started."""

    @kernel
    def triple(x: float) -> float:
        return 3 * x

    return triple


def hits_of(function: Callable[[float], float]) -> int:
    return sum(function.stats.cache_hits.values())  # type: ignore[attr-defined]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "kernels-0123456789abcdef"
    monkeypatch.setattr(jit, "CACHE_DIR", folder)
    return folder


def test_kept_code_is_found_by_signature(cache: Path) -> None:
    assert tripler()(2.0) == 6.0
    again = tripler()
    assert again(2.5) == 7.5
    assert hits_of(again) == 1
    assert again(2) == 6
    assert hits_of(again) == 1
    assert len(list(cache.iterdir())) == 2


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _replace(path: Path, data: bytes) -> None:
    path.write_bytes(hashlib.sha256(data).digest() + data)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:20]),
        lambda path: path.write_bytes(path.read_bytes()[:-100]),
        _flip,
        lambda path: _replace(path, b"no pickle"),
    ],
)
def test_a_damaged_file_is_compiled_again_and_mended(damage: Callable[[Path], None], cache: Path) -> None:
    tripler()(2.0)
    (path,) = cache.iterdir()
    damage(path)
    after = tripler()
    assert after(2.0) == 6.0
    assert hits_of(after) == 0
    mended = tripler()
    assert mended(2.0) == 6.0
    assert hits_of(mended) == 1


@posix
@pytest.mark.parametrize("change", [{"st_uid": SOMEBODY}, {"st_mode": 0o100664}, {"st_mode": 0o100646}])
def test_a_file_that_others_may_have_written_is_replaced(
    cache: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, int]
) -> None:
    tripler()(2.0)
    (path,) = cache.iterdir()
    with monkeypatch.context() as patched:
        pretend(patched, path, **change)
        after = tripler()
        assert after(2.0) == 6.0
        assert hits_of(after) == 0
    (path,) = cache.iterdir()
    assert not path.stat().st_mode & 0o022
    mended = tripler()
    assert mended(2.0) == 6.0
    assert hits_of(mended) == 1


def test_the_code_of_another_signature_is_not_taken(cache: Path) -> None:
    """Files that have changed places stand for two keys of the same digest."""
    function = tripler()
    function(2.0)
    (as_float,) = cache.iterdir()
    function(2)
    (as_int,) = set(cache.iterdir()) - {as_float}
    shutil.copy(as_int, as_float)
    again = tripler()
    assert again(2.5) == 7.5
    assert hits_of(again) == 0


def test_the_code_for_another_processor_is_not_taken(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home folder may be shared by machines."""
    tripler()(2.0)
    monkeypatch.setattr(JITCPUCodegen, "magic_tuple", lambda _: ("x86_64-unknown-linux-gnu", "another processor", ""))
    for hits in (0, 1):
        function = tripler()
        assert function(2.5) == 7.5
        assert hits_of(function) == hits
    assert len(list(cache.iterdir())) == 2


def test_a_cache_pruned_by_another_process_is_made_again(cache: Path) -> None:
    function = tripler()
    function(2.0)
    shutil.rmtree(cache)
    assert function(2) == 6
    assert len(list(cache.iterdir())) == 1


def test_a_cache_that_cannot_be_written_any_more_is_done_without(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    function = tripler()
    function(2.0)

    def full(path: Path, data: bytes) -> None:
        with path.open("wb") as stream:
            stream.write(data[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        assert function(2) == 6
    assert len(list(cache.iterdir())) == 1
    shutil.rmtree(cache)
    cache.write_text("a file where the folder was")
    assert function(np.float32(2)) == 6


def test_pruning_keeps_the_caches_used_last_and_whatever_is_not_a_cache(tmp_path: Path) -> None:
    caches = [tmp_path / f"kernels-{number:016x}" for number in range(7)]
    others = [tmp_path / name for name in ("photos", "kernels-of-truth", "0123456789abcdef")]
    for age, folder in enumerate([*caches, *others]):
        folder.mkdir()
        (folder / "content").write_text("x")
        os.utime(folder, (10**9 - age, 10**9 - age))
    jit.prune(tmp_path)
    assert set(tmp_path.iterdir()) == {*caches[:4], *others}


def test_old_parts_of_kernels_are_removed_and_nothing_else(tmp_path: Path) -> None:
    old, new, other = (tmp_path / f"{name}.part" for name in ("0" * 32, "1" * 32, "mine"))
    for path in (old, new, other):
        path.write_text("x")
    for path in (old, other):
        os.utime(path, (10**9, 10**9))
    jit.remove_old_parts(tmp_path)
    assert set(tmp_path.iterdir()) == {new, other}


def test_pruning_bears_folders_that_vanish_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kernels-0123456789abcdef").mkdir()
    listed = [*tmp_path.iterdir(), *(tmp_path / f"kernels-{number:016x}" for number in range(5))]
    monkeypatch.setattr(Path, "iterdir", lambda _: iter(listed))
    jit.prune(tmp_path)
    assert (tmp_path / "kernels-0123456789abcdef").is_dir()

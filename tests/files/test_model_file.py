"""The model file: what it gives back, what it refuses, and that it is never half there."""

from __future__ import annotations

import json
import os
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from windrow.errors import DataError, FormatError
from windrow.files import model_file, writing

ARRAYS = {
    "table": np.arange(12, dtype=np.float32).reshape(3, 4),
    "counts": np.array([3, 2, 1], np.int64),
    "none": np.zeros((0, 4), np.float32),
}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    model_file.save(path, "test", ARRAYS, {"size": 4, "name": "ä"}, {"seed": 1})
    return path


def test_round_trip_by_memory_map(model: Path) -> None:
    stored = model_file.load(model, "test")
    assert (stored.kind, stored.config) == ("test", {"size": 4, "name": "ä"})
    assert stored.provenance["seed"] == 1
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(stored.arrays[name], array)
        assert stored.arrays[name].dtype == array.dtype
    assert isinstance(stored.arrays["table"], np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        stored.arrays["table"][0, 0] = 9


def test_other_programs_read_it_as_safetensors(model: Path) -> None:
    for name, array in load_file(model).items():
        np.testing.assert_array_equal(array, ARRAYS[name])


NUMBERS = [np.float16, np.float32, np.float64, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32]
NUMBERS += [np.uint64, np.bool_]


def test_the_library_reads_arrays_of_every_type_and_layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_file, "_SLICE_BYTES", 100)  # many slices, the last one shorter
    dice = np.random.default_rng(1)
    arrays = {f"of {np.dtype(number)}": dice.integers(0, 2, (7, 23)).astype(number) for number in NUMBERS}
    arrays |= {"columns": np.asfortranarray(dice.random((5, 9))), "every other": dice.random(99)[::2]}
    arrays |= {"big": np.arange(300, dtype=">i4"), "ü": np.float64([[[1.5]]]), "empty": np.zeros((3, 0), np.int8)}
    arrays["scalar"] = np.array(2.5)
    path = tmp_path / "arrays"

    model_file.save(path, "test", arrays, {})

    read = load_file(path)
    assert read.keys() == arrays.keys()
    stored = model_file.load(path).arrays
    for name, array in arrays.items():
        assert read[name].dtype == array.dtype.newbyteorder("=")
        np.testing.assert_array_equal(read[name], array)
        np.testing.assert_array_equal(stored[name], array)
        assert stored[name].ctypes.data % array.dtype.itemsize == 0


def test_a_map_is_written_without_a_copy_of_it_all(tmp_path: Path) -> None:
    numbers = np.memmap(tmp_path / "numbers", np.int64, "w+", shape=1 << 22)
    numbers[:] = np.arange(numbers.size)
    tracemalloc.start()

    model_file.save(tmp_path / "model", "test", {"numbers": numbers}, {})

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < numbers.nbytes / 2
    np.testing.assert_array_equal(model_file.load(tmp_path / "model").arrays["numbers"], numbers)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept_open = Path.open
    monkeypatch.setattr(Path, "open", lambda path, mode: kept_open(Path("/dev/full") if mode == "wb" else path, mode))

    with pytest.raises(DataError, match=r"cannot write .*model: .*; is the disk full\?"):
        model_file.save(tmp_path / "model", "test", ARRAYS, {})

    assert list(tmp_path.iterdir()) == []


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=()), min_size=1), max_size=20))
def test_words_of_any_unicode_come_back(words: list[str]) -> None:
    assert model_file.unpack_words(model_file.pack_words(words), "x") == words


def _header(model: Path, **changes: object) -> None:
    """Write the same arrays under another header."""
    header = {"format": "windrow", "version": 1, "kind": "test", "config": {}, "provenance": {}} | changes
    save_file({"table": ARRAYS["table"]}, model, metadata={"windrow": json.dumps(header)})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 99}, "format version 99.*update windrow"),
        ({"kind": "other"}, "unknown kind 'other', not test"),
        ({"format": "else"}, "not one of windrow's"),
        ({"version": "new"}, "not one of windrow's"),
        ({"config": [1]}, "not one of windrow's"),
        ({"provenance": None}, "not one of windrow's"),
    ],
)
def test_headers_that_are_refused(changes: dict[str, object], message: str, model: Path) -> None:
    _header(model, **changes)
    with pytest.raises(FormatError, match=message):
        model_file.load(model, "test")


def test_files_that_are_refused(model: Path, tmp_path: Path) -> None:
    whole = model.read_bytes()
    for length in (0, 4, 100, len(whole) - 1):
        model.write_bytes(whole[:length])
        reason = r"is empty; was a download" if length == 0 else r"not a valid safetensors file.*cut short"
        with pytest.raises(FormatError, match=reason):
            model_file.load(model)
    model.write_bytes(whole + b"more")
    with pytest.raises(FormatError):
        model_file.load(model)
    model.write_bytes((2**60).to_bytes(8, "little") + whole[8:])  # a header longer than any file
    with pytest.raises(FormatError):
        model_file.load(model)
    save_file({"a": ARRAYS["table"]}, model)
    with pytest.raises(FormatError, match="not one of windrow's"):
        model_file.load(model)
    with pytest.raises(FormatError, match="is a folder"):
        model_file.load(tmp_path)
    with pytest.raises(DataError, match=r"cannot read .*nowhere"):
        model_file.load(tmp_path / "nowhere")


def test_the_old_file_stays_when_writing_fails(model: Path) -> None:
    before = model.read_bytes()
    with pytest.raises(RuntimeError), writing.atomic_write(model) as temporary:
        temporary.write_bytes(b"half")
        raise RuntimeError
    assert model.read_bytes() == before
    assert [path.name for path in model.parent.iterdir()] == [model.name]


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"the folder .*no does not exist"):
        writing.check_writable(tmp_path / "no" / "model")
    with pytest.raises(DataError, match="is a folder; name a file in it"):
        writing.check_writable(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="only POSIX has pipes in folders")
def test_a_device_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="a device or a pipe; name a file"), writing.atomic_write(tmp_path / "pipe"):
        pass
    assert not (tmp_path / "pipe").is_file()


@pytest.mark.skipif(os.name != "posix", reason="the umask is POSIX's")
def test_the_file_has_the_permissions_that_the_umask_gives(model: Path) -> None:
    plain = model.with_name("plain")
    plain.touch()
    assert model.stat().st_mode == plain.stat().st_mode


def test_numbers_that_are_not_finite_are_found_by_row() -> None:
    table = np.zeros((70_000, 2), np.float32)
    model_file.check_finite(table, "vectors", "x")
    table[69_999, 1] = np.inf
    with pytest.raises(FormatError, match=r"x: vectors holds a number that is not finite \(row 70000\)"):
        model_file.check_finite(table, "vectors", "x")


@pytest.mark.parametrize(
    ("offsets", "message"),
    [([0, 5, 3], "do not fit"), ([1, 3], "do not fit"), ([0, 2], "do not fit"), ([], "do not fit")],
)
def test_word_offsets_that_do_not_fit(offsets: list[int], message: str) -> None:
    arrays = {"word_bytes": np.frombuffer(b"abc", np.uint8), "word_offsets": np.array(offsets, np.int64)}
    with pytest.raises(FormatError, match=message):
        model_file.unpack_words(arrays, "x")


def test_a_vocabulary_that_is_missing_or_not_utf8() -> None:
    with pytest.raises(FormatError, match="holds no vocabulary"):
        model_file.unpack_words({}, "x")
    arrays = {"word_bytes": np.frombuffer(b"\xff", np.uint8), "word_offsets": np.array([0, 1])}
    with pytest.raises(FormatError, match="not UTF-8"):
        model_file.unpack_words(arrays, "x")


# --- a file that is replaced while it is opened


def _replaced_at(moment: str, path: Path, number: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, before a function of model_file does its work, a file with another number takes the place of ``path``."""
    whole = getattr(model_file, moment)

    def replacing(*arguments: Any) -> Any:
        monkeypatch.setattr(model_file, moment, whole)
        _numbered(path, number)
        return whole(*arguments)

    monkeypatch.setattr(model_file, moment, replacing)


def _numbered(path: Path, number: float) -> None:
    model_file.save(path, "numbers", {"n": np.full(9, number)}, {"n": number})


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be replaced there")
@pytest.mark.parametrize("checked_bytes", [0, model_file.CHECKED_BYTES])
@pytest.mark.parametrize(
    ("moment", "number"), [("_check_safetensors", 2.0), ("own_fits", 1.0), ("_verify_arrays", 1.0), ("_map_array", 1.0)]
)
def test_a_file_that_is_replaced_meanwhile(
    tmp_path: Path, moment: str, number: float, checked_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_file, "CHECKED_BYTES", checked_bytes)
    path = tmp_path / "numbers"
    _numbered(path, 1.0)
    _replaced_at(moment, path, 2.0, monkeypatch)

    found = model_file.load(path)

    assert found.config == {"n": number}
    np.testing.assert_array_equal(found.arrays["n"], np.full(9, number))


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be replaced there")
def test_a_file_that_is_replaced_all_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "numbers"
    _numbered(path, 1.0)
    monkeypatch.setattr(model_file, "_check_safetensors", lambda *_: _numbered(path, 2.0))

    with pytest.raises(DataError, match="replaced 10 times while it was opened; try again later"):
        model_file.load(path)

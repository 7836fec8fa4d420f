"""Whatever a file or a command line says: an answer, or one line that says what is wrong.

A minute's worth of what ``bench/fuzz.py`` does at length, the same inputs each time.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz_options import run_command, write_inputs
from fuzz_readers import Files, put, quietly
from fuzz_worker import asked_for_memory, memory_limit
from tests.strategies import READERS, command_lines, damaged_files, made_up_texts
from windrow.errors import WindrowError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="what is mapped cannot be written again there")

MEMORY_MB = 1024  # beyond what there is; a header can ask for far more, a kernel that must be compiled does not
TEXTS = [name for name in READERS if not name.startswith(("checkpoint", "window", "recurrent", "tagger", "mixture"))]


def few(examples: int) -> settings:
    """So many examples, the same ones each time."""
    checks = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]
    return settings(max_examples=examples, derandomize=True, database=None, deadline=None, suppress_health_check=checks)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def check(reader: str, files: Files, folder: Path) -> None:
    """The file is accepted and answers, or is refused in one line, for little memory."""
    place = folder / "place"
    shutil.rmtree(place, ignore_errors=True)
    put(files, place)
    try:
        with memory_limit(MEMORY_MB):
            quietly(READERS[reader].ask, place / READERS[reader].file)
    except WindrowError as error:
        assert len(str(error).splitlines()) == 1, str(error)
        assert not asked_for_memory(error), str(error)


@pytest.mark.parametrize("reader", READERS)
def test_damaged_files(reader: str, folder: Path) -> None:
    @few(30)
    @given(damaged_files(reader))
    def take(files: Files) -> None:
        check(reader, files, folder)

    take()


@pytest.mark.parametrize("reader", TEXTS)
def test_made_up_files(reader: str, folder: Path) -> None:
    @few(15)
    @given(made_up_texts(reader))
    def take(files: Files) -> None:
        check(reader, files, folder)

    take()


@pytest.fixture
def at_work(tmp_path: Path) -> Iterator[Path]:
    before = Path.cwd()
    yield tmp_path
    os.chdir(before)


@few(120)
@given(command_lines())
def test_command_lines(at_work: Path, arguments: list[str]) -> None:
    place = at_work / "place"
    os.chdir(at_work)
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    write_inputs(place)
    os.chdir(place)
    try:
        with memory_limit(MEMORY_MB):
            run_command(arguments)
    except WindrowError as error:
        assert len(str(error).splitlines()) == 1, arguments


@few(50)
@given(st.text(), st.text())
def test_every_error_is_one_line(name: str, value: str) -> None:
    told = str(WindrowError(f"{name}: {value!r}"))

    assert len(told.splitlines()) <= 1
    assert name.replace("\t", "").isprintable() <= told.startswith(name)

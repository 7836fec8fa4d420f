"""Marks that follow from where a test is, and signals as a terminal has them."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent


def pytest_configure() -> None:
    """Commands that tests start take signals, also where the tests run in the background or under nohup."""
    for name, usual in (("SIGINT", signal.default_int_handler), ("SIGHUP", signal.SIG_DFL)):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)


def is_of_kernels(path: Path) -> bool:
    return not {"kernels", "numeric", "outputs", "recurrent", "steps"}.isdisjoint(path.relative_to(TESTS).parts)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of kernels carry the mark ``kernels``, so that they can be run again for other processors."""
    for item in items:
        if is_of_kernels(item.path):
            item.add_marker("kernels")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With ``-m kernels`` files of other tests are not even imported."""
    others = collection_path.suffix == ".py" and not is_of_kernels(collection_path)
    return True if others and config.option.markexpr == "kernels" else None


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes are named by their parameter: those of a compressed file hold the time, and every worker must find
    tests of the same names.
    """
    return argname if isinstance(val, bytes) and not val.isascii() else None


@pytest.fixture(autouse=True, scope="module")
def own_temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Commands that a module starts are not told of what the killed ones of another module have left."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(tmp_path_factory.mktemp("tmp")))
        yield

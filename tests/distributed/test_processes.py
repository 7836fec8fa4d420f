"""Processes answer in the order of the questions, and end with who asks them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from windrow.distributed.processes import Processes
from windrow.errors import DataError


def opens(factor: int) -> Callable[[int], tuple[int, int]]:
    """Answers with a product and the process; 13 is refused, 99 is the end of the process."""

    def ask(question: int) -> tuple[int, int]:
        if question == 13:
            raise DataError("thirteen")
        if question == 99:
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
        time.sleep(0.02 * (question % 3 == 0))  # so that the first to be asked is not the first to be done
        return factor * question, os.getpid()

    return ask


def fails() -> Callable[[int], int]:
    raise DataError("cannot be opened")


def test_answers_come_in_the_order_of_the_questions() -> None:
    with Processes(2, opens, 10) as processes:
        found = list(processes.answers(range(12)))
        again = list(processes.answers([5]))
    assert [answer for answer, _ in [*found, *again]] == [*range(0, 120, 10), 50]
    pids = {pid for _, pid in found}
    assert len(pids) == 2
    assert os.getpid() not in pids
    assert all(map(is_gone, pids))


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_processes_start_as_they_are_needed() -> None:
    with Processes(1000, opens, 2) as processes:
        assert [answer for answer, _ in processes.answers([4])] == [8]
        assert list(processes.answers([])) == []
        assert len(processes._all) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_what_the_terminal_sends_reaches_no_process() -> None:
    script = """
import os, signal
from tests.distributed.test_processes import opens
from windrow.distributed.processes import Processes

if __name__ == "__main__":  # a fresh program, as what multiprocessing does for its first process counts
    with Processes(3, opens, 1) as processes:
        pids = {pid for _, pid in processes.answers(range(6))}
        for pid in pids:
            for name in ("SIGINT", "SIGHUP"):
                os.kill(pid, getattr(signal, name))
        again = {pid for _, pid in processes.answers(range(6))}
    print(len(pids), again == pids)
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert (ran.stdout, ran.stderr) == ("3 True\n", "")


def test_answers_are_given_before_a_wait() -> None:
    given: list[int] = []

    def questions() -> Iterator[int]:
        yield 1
        assert given == [2]
        yield 2
        assert given == [2, 4]

    with Processes(2, opens, 2) as processes:
        for answer, _ in processes.answers(questions(), lambda: False):
            given.append(answer)


def test_an_error_comes_in_its_place() -> None:
    found = []
    with Processes(2, opens, 1) as processes, pytest.raises(DataError, match="thirteen"):
        for answer, _ in processes.answers([1, 2, 13, 3, 4]):
            found.append(answer)
    assert found == [1, 2]
    with Processes(2, fails) as processes, pytest.raises(DataError, match="cannot be opened"):
        list(processes.answers([1, 2]))


def test_a_process_that_ends_is_told() -> None:
    told = r"^worker \d ended (by signal 9, as systems do when memory is short|with status \d+), .*; try workers = 1$"
    with Processes(2, opens, 1) as processes, pytest.raises(DataError, match=told):
        list(processes.answers([1, 99, 2, 3]))


@pytest.mark.skipif(sys.platform == "win32", reason="signals and process groups of POSIX")
@pytest.mark.parametrize("by", ["SIGINT", "SIGKILL"])
def test_processes_end_with_who_asks_them(by: str, tmp_path: Path) -> None:
    script = (
        "import sys, time\n"
        "from tests.distributed.test_processes import opens\n"
        "from windrow.distributed.processes import Processes\n"
        "with Processes(2, opens, 1) as processes:\n"
        "    for _, pid in processes.answers([1, 2]):\n"
        "        print(pid, flush=True)\n"
        "    time.sleep(60)\n"
    )
    path = os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": path},
    ) as process:
        assert process.stdout is not None
        pids = [int(process.stdout.readline()) for _ in range(2)]
        if by == "SIGINT":
            os.killpg(process.pid, signal.SIGINT)  # as a terminal sends Ctrl-C, to all of them
        else:
            process.kill()
        _, errors = process.communicate(timeout=30)
    assert errors.count(b"Traceback") == (by == "SIGINT")  # that of the script alone
    deadline = time.monotonic() + 20
    while not all(map(is_gone, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert all(map(is_gone, pids))

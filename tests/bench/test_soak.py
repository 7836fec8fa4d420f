"""That ``bench/soak.py`` notices another answer, a question that fails, and memory that grows."""

from __future__ import annotations

import threading
from collections import Counter

import soak

_main = threading.main_thread()


def in_a_thread() -> bool:
    return threading.current_thread() is not _main


def test_answers_are_compared_with_those_of_one_thread() -> None:
    found = soak.soak([("same", lambda: 1), ("other", in_a_thread)], threads=3, seconds=0.2)

    assert found.asked["same"] > 0
    assert found.different == Counter(other=found.asked["other"])
    assert found.failed == []
    assert "| other |" in soak.table(found)


def test_a_question_that_fails_is_told() -> None:
    def fails() -> int:
        return 1 // (not in_a_thread())

    found = soak.soak([("fails", fails)], threads=2, seconds=0.2)

    assert len(found.failed) == 2
    assert "ZeroDivisionError" in soak.table(found)


def test_memory_that_grows() -> None:
    assert soak.quarters([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 9.0]) == (1.5, 8.0)
    for samples, word in (([100.0] * 100, "flat"), ([100.0 + n for n in range(100)], "**it grows**")):
        assert word in soak.table(soak.Soak(resident_mb=samples))

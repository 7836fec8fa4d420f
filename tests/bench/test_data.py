from __future__ import annotations

from pathlib import Path

import pytest

from data import LINE_WORDS, write_closed_text, write_lines


def test_lines_hold_the_first_words_in_order(tmp_path: Path) -> None:
    words = [f"w{i}" for i in range(2 * LINE_WORDS + 500)]
    (tmp_path / "text").write_text(" ".join(words))
    told = write_lines(tmp_path / "text", tmp_path / "lines", 2 * LINE_WORDS + 7)
    lines = [line.split() for line in (tmp_path / "lines").read_text().splitlines()]
    assert [len(line) for line in lines] == [LINE_WORDS, LINE_WORDS, 7]
    assert [word for line in lines for word in line] == words[: 2 * LINE_WORDS + 7]
    assert told == {"words": 2 * LINE_WORDS + 7, "bytes": (tmp_path / "lines").stat().st_size}


def test_a_closed_text_has_just_the_most_frequent_words(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("a rare b a b c a b c d d once")  # a b: 3, c d: 2
    told = write_closed_text(tmp_path / "text", tmp_path / "lines", 3, vocabulary=4)
    assert (tmp_path / "lines").read_text().split() == ["a", "b", "a", "c", "d"]
    assert told["words"] == 5
    with pytest.raises(ValueError, match="only 6 different words"):
        write_closed_text(tmp_path / "text", tmp_path / "lines", 3, vocabulary=7)

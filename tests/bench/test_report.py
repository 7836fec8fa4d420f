from __future__ import annotations

import json
from pathlib import Path

import report

TEXT = """Before.

<!-- results: speed -->

old table

<!-- end of results -->

Between.

<!-- results: memory -->
<!-- end of results -->
"""
RECORD = {
    "command": "python bench/speed.py",
    "settings": {"rounds": 3},
    "machine": {"cpu": "abacus", "cores": 1},
    "versions": {"python": "3.11"},
    "measure": {"figure": "rate", "unit": "words/s", "compare": "ratio", "columns": ["peak_mb"]},
    "summary": [
        {"case": "cbow", "side": "ours", "status": "measured", "medians": {"rate": 1234567.0, "peak_mb": 1.5}},
        {
            "case": "cbow",
            "side": "theirs",
            "status": "measured",
            "medians": {"rate": 1000.0, "peak_mb": 20.0},
            "ratio": {"median": 1234.0, "min": 1.0, "max": 2000.0},
        },
        {"case": "skip-gram", "side": "theirs", "status": "absent", "reason": "not installed"},
    ],
    "notes": ["A note."],
}


def test_tables_go_between_their_markers_and_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "speed.json").write_text(json.dumps(RECORD))
    filled = report.rewrite(TEXT, tmp_path)
    assert "old table" not in filled
    assert filled.startswith("Before.\n\n<!-- results: speed -->\n")
    assert "\n\nBetween.\n\n<!-- results: memory -->\n\nnot measured yet\n\n<!-- end of results -->\n" in filled
    for line in (
        "| cbow | ours | 1,235,000 |  | 1.500 |",
        "|  | theirs | 1,000 | 1,230 (1.00 to 2,000) | 20.00 |",
        "| skip-gram | theirs | absent: not installed |  |  |",
        "Measured with python 3.11; cpu abacus, cores 1. Rounds: 3. `python bench/speed.py`",
    ):
        assert f"\n{line}\n" in filled
    assert "A note." in filled
    assert report.rewrite(filled, tmp_path) == filled


def test_a_plot_is_shown_where_there_is_one(tmp_path: Path) -> None:
    (tmp_path / "speed.json").write_text(json.dumps(RECORD))
    assert "![speed]" not in report.section("speed", tmp_path)
    (tmp_path / "speed.png").write_bytes(b"")
    assert report.section("speed", tmp_path).endswith("![speed](results/speed.png)")

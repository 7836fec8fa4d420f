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


def test_reliability_is_read_from_three_results(tmp_path: Path) -> None:
    assert report.section("reliability", tmp_path).count("not measured yet") == 3
    row = {"done": 50, "accepted": 1, "refused": 46, "tracebacks": 2, "wrong": 0, "memory": 0, "crashes": 1, "slow": 0}
    names = ("arpa", "checkpoint, window", "checkpoint, tagger", "options")
    sound = dict.fromkeys(row, 0) | {"done": 50}
    records = {
        "fuzz": {"rows": [{**(row if name == "arpa" else sound), "reader": name} for name in names]},
        "faults": {
            "kills": [{"kills": 20, "lost": 0, "left": 0}] * 2,
            "signals": [{"signals": 24, "lost": 1}] * 3,
        },
        "soak": {
            "settings": {"minutes": 10, "threads": 8},
            **{"asked": {"a": 1000, "b": 500}, "different": {"a": 0}, "failed": [], "resident_mb": [200.0, 201.0]},
        },
    }
    for name, record in records.items():
        (tmp_path / f"{name}.json").write_text(json.dumps({"command": f"python bench/{name}.py", **record}))

    lines = report.section("reliability", tmp_path).splitlines()[2:]

    assert [line.split(" | ")[1:3] for line in lines] == [
        ["50; readers: 1", "2 tracebacks, 1 crashes"],
        ["100; readers: 2", "nothing"],
        ["50; readers: 1", "nothing"],
        ["40; trainers: 2", "nothing"],
        ["72; commands: 3", "3 runs"],
        ["1,500 questions in 10 minutes", "nothing; 200.0 MB in the first quarter of the time, 201.0 MB in the last"],
    ]
    assert all(line.endswith(".py` |") for line in lines)

"""Put the tables of all results into README.md, between their markers.

    python bench/report.py                     # after the scripts have written results/*.json

A table stands between ``<!-- results: NAME -->`` and ``<!-- end of results -->``. Where results/NAME.json is missing,
the place says "not measured yet".
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import reliability
from harness import RESULTS
from tables import markdown, measured_on

README = Path(__file__).parent / "README.md"
MARKED = re.compile(r"(<!-- results: (\S+) -->\n).*?(<!-- end of results -->)", re.DOTALL)


def rewrite(text: str, results: Path) -> str:
    """The text with every marked place filled from ``results``."""
    return MARKED.sub(lambda place: f"{place[1]}\n{section(place[2], results)}\n\n{place[3]}", text)


def section(name: str, results: Path) -> str:
    """A table, what it was measured on, and its plot if there is one."""
    if name == reliability.NAME:
        return reliability.overview(results)
    path = results / f"{name}.json"
    if not path.exists():
        return "not measured yet"
    parts = [shown(json.loads(path.read_text())).strip()]
    if path.with_suffix(".png").exists():
        parts.append(f"![{name}](results/{name}.png)")
    return "\n\n".join(parts)


def shown(record: dict[str, Any]) -> str:
    if "table" in record:
        return f"{record['table']}\n{measured_on(record)}"
    if "summary" in record:
        return markdown(record)
    from quality import table

    return f"{table(record['results'])}\n{measured_on(record)}"


if __name__ == "__main__":
    README.write_text(rewrite(README.read_text(), RESULTS))

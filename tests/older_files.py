"""Files as windrow wrote them before there were checksums: what is wrong in them is found by other checks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def without_checksums(path: Path) -> Path:
    """Take the checksums out of a model file; the path."""
    content = path.read_bytes()
    end = 8 + int.from_bytes(content[:8], "little")
    layout = json.loads(content[8:end])
    header = json.loads(layout["__metadata__"]["windrow"])
    del header["crc32_of"]
    start = json.dumps({**layout, "__metadata__": {"windrow": json.dumps(header)}}, separators=(",", ":")).encode()
    start += b" " * (-len(start) % 8)
    path.write_bytes(len(start).to_bytes(8, "little") + start + content[end:])
    return path


def edit_header(folder: Path, **changes: Any) -> None:
    """Take the checksums out of the header of a corpus, and change other fields."""
    header = json.loads((folder / "corpus.json").read_text())
    kept = {name: value for name, value in header.items() if not name.startswith("crc32")}
    (folder / "corpus.json").write_text(json.dumps({**kept, **changes}))

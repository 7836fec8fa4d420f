"""Small files that pages take as given."""

from __future__ import annotations

from pathlib import Path

import numpy as np

NAMES = ["king", "queen", "man", "woman", "cat", "dog"]
# Numbers with many low counts, as words of natural text have them.
DRAWN = np.random.default_rng(4).zipf(1.4, (400, 7)).clip(max=300)
SENTENCES = [f"{NAMES[i % 6]} {' '.join(map('word{}'.format, row))} {NAMES[i % 5]}" for i, row in enumerate(DRAWN)]


def write_articles(folder: str | Path) -> None:
    """A folder with one text of 400 sentences."""
    Path(folder).mkdir()
    Path(folder, "a.txt").write_text("\n".join(SENTENCES) + "\n", "utf-8")

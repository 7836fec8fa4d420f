"""What tells the folder of a corpus from a folder of text."""

from __future__ import annotations

import json
import os
from pathlib import Path

CORPUS_HEADER, CORPUS_FORMAT = "corpus.json", "windrow-corpus"
CORPUS_FILES = ("ids.bin", "starts.bin", "vocabulary.safetensors")  # beside the header
_LONGEST_HEADER = 1 << 16  # bytes


def is_corpus(folder: str | os.PathLike[str]) -> bool:
    """Whether ``folder`` holds what ``Corpus.build`` makes, of whatever version, and even when it is damaged."""
    try:
        with Path(folder, CORPUS_HEADER).open("rb") as file:
            content = file.read(_LONGEST_HEADER)  # someone's own corpus.json may be large
    except (OSError, ValueError):
        return False
    try:
        header = json.loads(content)
        if isinstance(header, dict) and header.get("format") == CORPUS_FORMAT:
            return True
    except (ValueError, RecursionError):
        # Perhaps it is cut short; it should not be read as a text of a few words.
        if f'"format": "{CORPUS_FORMAT}"'.encode() in content[:100]:
            return True
    return all(Path(folder, name).is_file() for name in CORPUS_FILES)

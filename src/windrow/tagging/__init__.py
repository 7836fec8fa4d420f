"""Entities: CoNLL files, tagging schemes, and the word-window tagger."""

from __future__ import annotations

from windrow.tagging.conll import TaggedSentence, read_conll, split_by_document, write_conll
from windrow.tagging.schemes import SCHEMES, convert, detect_scheme
from windrow.tagging.tagger import WindowTagger

__all__ = [
    "WindowTagger",
    "TaggedSentence",
    "read_conll",
    "split_by_document",
    "write_conll",
    "SCHEMES",
    "convert",
    "detect_scheme",
]

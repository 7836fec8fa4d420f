"""Entities: CoNLL files, tagging schemes, and the word-window tagger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windrow._lazy import lazy_names

if TYPE_CHECKING:
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

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "WindowTagger": "windrow.tagging.tagger",
        **dict.fromkeys(("TaggedSentence", "read_conll", "split_by_document", "write_conll"), "windrow.tagging.conll"),
        **dict.fromkeys(("SCHEMES", "convert", "detect_scheme"), "windrow.tagging.schemes"),
    },
)

"""Phrases (collocations): counted, scored and joined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windrow._lazy import lazy_names

if TYPE_CHECKING:
    from windrow.phrases.model import Phrases
    from windrow.phrases.settings import ENGLISH_CONNECTOR_WORDS

__all__ = ["ENGLISH_CONNECTOR_WORDS", "Phrases"]

__getattr__, __dir__ = lazy_names(
    __name__, {"Phrases": "windrow.phrases.model", "ENGLISH_CONNECTOR_WORDS": "windrow.phrases.settings"}
)

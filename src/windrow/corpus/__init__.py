"""Text in, ids out: sources, tokenizers, the vocabulary, and the encoded corpus on disk."""

from __future__ import annotations

from windrow.corpus.encoded import Corpus
from windrow.corpus.reading import TextReader
from windrow.corpus.vocabulary import Vocabulary

__all__ = ["Corpus", "TextReader", "Vocabulary"]

"""Texts given in gensim's ways, and the words of them that a vocabulary keeps."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from windrow.corpus import Corpus
from windrow.corpus.opening import as_corpus
from windrow.errors import DataError, OptionError
from windrow.files.compression import COMPRESSED

_DISCARD, _KEEP = 1, 2  # what a trim_rule answers, as gensim.utils.RULE_DISCARD and RULE_KEEP
TrimRule = Callable[[str, int, int], int]


class CorpusError(DataError, RuntimeError, TypeError):
    """A text that cannot be trained on. As in gensim it is also a RuntimeError, or where it is no text a TypeError."""


def corpus_of(sentences: Any, corpus_file: str | os.PathLike[str] | None) -> Corpus:
    """A text that is given in one of gensim's two ways."""
    if (sentences is None) == (corpus_file is None):
        raise CorpusError("give sentences or corpus_file, one of them")
    if corpus_file is not None:
        if not isinstance(corpus_file, str | os.PathLike) or not Path(corpus_file).is_file():
            raise CorpusError(f"corpus_file = {corpus_file!r} is no file")
        if Path(corpus_file).suffix.lower() in COMPRESSED:
            raise CorpusError(f"corpus_file = {corpus_file!r} is compressed; give it as sentences instead")
        sentences = Path(corpus_file)
    elif not isinstance(sentences, Iterable | os.PathLike | Corpus):
        raise CorpusError(f"sentences = {sentences!r} must be an iterable of lists of words")
    try:
        return as_corpus(sentences)
    except (DataError, OptionError) as error:
        raise CorpusError(str(error)) from error


def counts_of(corpus: Corpus, by_count: bool) -> dict[str, int]:
    """The counts of words, by decreasing count, or in the order in which they first occur."""
    words, counts = corpus.vocabulary.words, corpus.vocabulary.counts.tolist()
    if by_count:
        return dict(zip(words, counts, strict=True))
    ids, first = np.unique(corpus.ids, return_index=True)
    order = ids[np.argsort(first)]
    return {words[word_id]: counts[word_id] for word_id in order.tolist() if word_id >= 0}


def kept_words(
    counts: Mapping[str, int], min_count: int, max_final_vocab: int | None, trim_rule: TrimRule | None
) -> dict[str, int]:
    """The words that a vocabulary keeps, and their counts."""
    if max_final_vocab is not None and max_final_vocab < len(counts):
        min_count = max(min_count, sorted(counts.values(), reverse=True)[max_final_vocab] + 1)
    return {word: count for word, count in counts.items() if _is_kept(word, count, min_count, trim_rule)}


def _is_kept(word: str, count: int, min_count: int, trim_rule: TrimRule | None) -> bool:
    answer = None if trim_rule is None else trim_rule(word, count, min_count)
    return count >= min_count if answer not in (_DISCARD, _KEEP) else answer == _KEEP

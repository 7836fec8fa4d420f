"""Lists of words and their counts as text, one "word count" per line, as word2vec's -save-vocab writes them."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np

from windrow.corpus.streams import Meter, lines, name_of, text_pieces
from windrow.corpus.vocabulary import Vocabulary
from windrow.errors import DataError, check_path
from windrow.files.compression import creating

_SENTENCE_END = "</s>"
_COUNT = re.compile("[0-9]{1,18}")


def read_word_counts(path: str | os.PathLike[str]) -> Vocabulary:
    """Read a list of words and counts; words with higher counts come first, those with equal ones as in the file.

    Parameters
    ----------
    path : str or os.PathLike
        The file, compressed or not: a word, white space and its count on each line. ``</s>``, with which word2vec's
        lists begin, is left out: it marks the ends of lines there, which are no words here.

    Returns
    -------
    Vocabulary

    Raises
    ------
    DataError
        The file cannot be read, a line is something else, a word is there twice, or there is none.

    Examples
    --------
    >>> from pathlib import Path
    >>> from windrow.corpus.word_counts import read_word_counts
    >>> path = Path("counts.txt")
    >>> characters = path.write_text("</s> 9\\ncat 2\\nthe 7\\n")
    >>> vocabulary = read_word_counts(path)
    >>> vocabulary.words, vocabulary.counts.tolist()
    (['the', 'cat'], [7, 2])
    """
    check_path("path", path)
    name = name_of(os.fspath(path))
    counts: dict[str, int] = {}
    for number, line in enumerate(lines(text_pieces(os.fspath(path), None, Meter(None, None)), name), 1):
        fields = line.split()
        if not fields:
            continue
        if len(fields) != 2 or not _COUNT.fullmatch(fields[1]):
            raise DataError(f"{name}, line {number}: expected a word and its count, got {line.strip()[:60]!r}")
        if fields[0] in counts:
            raise DataError(f"{name}, line {number}: the word {fields[0]!r} is there twice; take one out")
        counts[fields[0]] = int(fields[1])
    counts.pop(_SENTENCE_END, None)
    if not counts:
        raise DataError(f"{name}: there is no word in it; expected a word and its count on each line")
    words = sorted(counts, key=lambda word: -counts[word])
    return Vocabulary(words, np.array([counts[word] for word in words], np.int64))


def write_word_counts(vocabulary: Vocabulary, path: str | os.PathLike[str]) -> None:
    """Write the words and their counts, which ``read_word_counts`` reads back; specials are left out.

    Parameters
    ----------
    vocabulary : Vocabulary
        The words.
    path : str or os.PathLike
        The file; ``.gz`` at the end compresses it.

    Raises
    ------
    DataError
        The file cannot be written.
    """
    check_path("path", path)
    first = len(vocabulary.specials)
    with creating(Path(path)) as stream:
        for word, count in zip(vocabulary.words[first:], vocabulary.counts[first:].tolist(), strict=True):
            stream.write(f"{word} {count}\n".encode())

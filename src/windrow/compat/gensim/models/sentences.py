"""Sentences from files of one per line, as gensim reads them: the words between white space, as often as asked."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from itertools import islice
from pathlib import Path
from typing import Any

from windrow.errors import DataError, OptionError, check_whole
from windrow.files.compression import reading

MAX_WORDS_IN_BATCH = 10_000  # gensim's longest sentence

_Source = str | os.PathLike[str] | Iterable[str | bytes]


class LineSentence:
    """The sentences of a file, one per line, its words separated by white space; each run over it opens it again.

    ``windrow.Corpus`` reads more kinds of texts, and reads each once for all runs.

    Parameters
    ----------
    source : str, os.PathLike, or an open file or other iterable of lines
        A file in UTF-8, compressed or not; or lines, which must be iterable more than once, or have ``seek``.
    max_sentence_length : int, at least 1, default 10,000
        Longer lines are cut into sentences of so many words.
    limit : int, at least 1, or None, default None
        Read at most so many lines; None: all.

    Raises
    ------
    OptionError
        A number is out of range, or the source is none of these.
    DataError
        When it is read: the file cannot be read, or is not UTF-8.

    Examples
    --------
    >>> from pathlib import Path
    >>> from windrow.compat.gensim.models.word2vec import LineSentence
    >>> _ = Path("text.txt").write_text("the cat sat\\nthe dog\\n")
    >>> list(LineSentence("text.txt", max_sentence_length=2))
    [['the', 'cat'], ['sat'], ['the', 'dog']]
    """

    def __init__(
        self, source: _Source, max_sentence_length: int = MAX_WORDS_IN_BATCH, limit: int | None = None
    ) -> None:
        if not isinstance(source, Iterable | os.PathLike):
            raise OptionError(f"source = {source!r} must be a file, or an iterable of lines")
        self.source = source
        self.max_sentence_length = check_whole("max_sentence_length", max_sentence_length, 1)
        self.limit = None if limit is None else check_whole("limit", limit, 1)

    def __iter__(self) -> Iterator[list[str]]:
        with _lines(self.source) as lines:
            for number, line in enumerate(islice(lines, self.limit), 1):
                words = _decoded(line, self.source, number).split()
                for start in range(0, len(words), self.max_sentence_length):
                    yield words[start : start + self.max_sentence_length]


class PathLineSentences:
    """The sentences of all files in a folder, in the order of their names, as ``LineSentence`` reads each.

    Parameters
    ----------
    source : str or os.PathLike
        A folder; or one file. Folders in it are left out.
    max_sentence_length : int, at least 1, default 10,000
        Longer lines are cut into sentences of so many words.
    limit : int, at least 1, or None, default None
        Read at most so many lines of each file; None: all.

    Raises
    ------
    OptionError
        A number is out of range.
    DataError
        There is no such folder or file; or, when it is read: a file cannot be read, or is not UTF-8.
    """

    def __init__(
        self,
        source: str | os.PathLike[str],
        max_sentence_length: int = MAX_WORDS_IN_BATCH,
        limit: int | None = None,
    ) -> None:
        place = Path(source)
        if not place.exists():
            raise DataError(f"{place} is no folder and no file; was it moved?")
        files = sorted(file for file in place.iterdir() if file.is_file()) if place.is_dir() else [place]
        self.source, self.limit, self.max_sentence_length = source, limit, max_sentence_length
        self.input_files = [str(file) for file in files]
        self._parts = [LineSentence(file, max_sentence_length, limit) for file in files]

    def __iter__(self) -> Iterator[list[str]]:
        for part in self._parts:
            yield from part


@contextmanager
def _lines(source: Any) -> Iterator[Iterable[str | bytes]]:
    if hasattr(source, "seek"):
        source.seek(0)
    with reading(Path(source)) if isinstance(source, str | os.PathLike) else nullcontext(source) as lines:
        yield lines


def _decoded(line: str | bytes, source: _Source, number: int) -> str:
    if isinstance(line, str):
        return line
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        name = os.fspath(source) if isinstance(source, str | os.PathLike) else "the source"
        raise DataError(f"{name}, line {number} is not UTF-8; convert the file") from error

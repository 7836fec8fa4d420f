"""Texts and labels as users give them: two lists, or lines whose labels stand among the words, as fastText has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import TextReader
from windrow.corpus.sources import describe, locations, read
from windrow.corpus.streams import lines
from windrow.corpus.tables import cells_of
from windrow.corpus.tokenizers import as_tokens
from windrow.errors import DataError

_TEXTS = "X must be a list or one column of texts"

Labels = Sequence[Any]  # of one text


class Labelled(NamedTuple):
    """The words of each text, and its labels."""

    words: list[list[str]]
    labels: list[Labels]


def read_texts(texts: Any, reader: TextReader) -> Iterator[list[str]]:
    """The words of each text, a str or a list of tokens; DataError for anything else."""
    for number, text in enumerate(cells_of(texts, expected=_TEXTS), 1):
        if isinstance(text, str):
            yield reader.tokens(text)
        else:
            yield reader.folded(as_tokens(text, f"text {number}"))


def read_labelled(source: Any, y: Any, reader: TextReader, prefix: str) -> Labelled:
    """Texts and their labels: ``y``, or without it the words of a line that begin with ``prefix``.

    ``source``: a list or column of texts; without ``y`` also files. Raises DataError where there is no label.
    """
    if y is None:
        found = Labelled([], [])
        for line in _lines(source):
            labels, words = _split(line, reader, prefix)
            if words or labels:
                found.words.append(words)
                found.labels.append(labels)
        if not any(found.labels):
            raise DataError(
                f"{describe(source)} holds no label, a word that begins with {prefix!r}; give labels as y, or another "
                "label_prefix"
            )
        return found
    texts = list(read_texts(source, reader))
    of_texts = [as_labels(one, number) for number, one in enumerate(_column(y), 1)]
    if len(texts) != len(of_texts):
        raise DataError(f"there are {len(texts)} texts but {len(of_texts)} labels; give one, or a list, for each text")
    if not texts:
        raise DataError("there is no text; give at least two, with different labels")
    return Labelled(texts, of_texts)


def as_labels(given: Any, number: int) -> Labels:
    """The labels of one text: itself, or those of a list."""
    several = isinstance(given, list | tuple | set | frozenset | np.ndarray) and np.ndim(list(given)) == 1
    found = list(given) if several else [given]
    for one in found:
        if not isinstance(one, str | int | np.integer | bool | np.bool_) or one == "":
            raise DataError(f"text {number} has the label {one!r}; labels are strings or whole numbers")
    return found


def find_classes(labels: Iterable[Labels]) -> NDArray[Any]:
    """The different labels, sorted; DataError for fewer than two, and for strings mixed with numbers."""
    found = {label for one in labels for label in one}
    if len({isinstance(label, str) for label in found}) > 1:
        raise DataError("labels mix strings and numbers; make them all strings")
    if len(found) < 2:
        raise DataError(f"there {'is 1 label' if found else 'are no labels'}; give texts of two at least to tell apart")
    return np.array(sorted(found))


def _column(y: Any) -> Iterator[Any]:
    if isinstance(y, str):
        raise DataError("y must have a label, or a list of labels, for each text; it is a string")
    if getattr(y, "ndim", 0) == 1:  # of an array or a column, which may hold numbers
        return iter(np.asarray(y).tolist())
    return iter(cells_of(y, expected="y must be a list or one column of labels"))


def _lines(source: Any) -> Iterator[str]:
    if locations(source) is None:
        for number, line in enumerate(cells_of(source, expected=_TEXTS), 1):
            if not isinstance(line, str):
                raise DataError(f"text {number} must be a str whose labels stand among its words, or give them as y")
            yield line
        return
    pieces = (piece if isinstance(piece, str) else " ".join(piece) + "\n" for piece in read(source))
    yield from lines(pieces, describe(source))


def _split(line: str, reader: TextReader, prefix: str) -> tuple[list[str], list[str]]:
    """The labels of a line, without the prefix, and its words. Only words are lower-cased, as the text is."""
    if prefix not in line:
        return [], reader.tokens(line)
    tokens = line.split()
    labels = [token.removeprefix(prefix) for token in tokens if token.startswith(prefix)]
    return list(filter(None, labels)), reader.tokens(" ".join(t for t in tokens if not t.startswith(prefix)))

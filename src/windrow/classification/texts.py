"""Texts and labels as users give them: two lists, or lines whose labels stand among the words, as fastText has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import TextReader
from windrow.corpus.records import Cell
from windrow.corpus.sources import describe, locations, read, read_records
from windrow.corpus.streams import lines
from windrow.corpus.tables import cells_of, is_missing
from windrow.corpus.tokenizers import as_tokens
from windrow.errors import DataError, shown

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
        lines = _lines(source) if locations(source) is None else _lines_of_files(source)
        hint = f"a word that begins with {prefix!r}; give labels as y, or another label_prefix"
        return _collected((split_labels(line, reader, prefix) for line in lines), describe(source), hint)
    texts = list(read_texts(source, reader))
    of_texts = [as_labels(one, number) for number, one in enumerate(_column(y), 1)]
    if len(texts) != len(of_texts):
        raise DataError(f"there are {len(texts)} texts but {len(of_texts)} labels; give one, or a list, for each text")
    if not texts:
        raise DataError("there is no text; give at least two, with different labels")
    return Labelled(texts, of_texts)


def read_files(
    source: Any,
    reader: TextReader,
    prefix: str,
    *,
    field: str | None = None,
    label_field: str | None = None,
    label_separator: str | None = None,
    **files: Any,
) -> Labelled:
    """Texts and their labels in files: lines, or records whose texts are in ``field``, their labels in ``label_field``.

    Without ``label_field`` labels stand among the words. A record has one label, a list of them, or several in one
    string with ``label_separator`` between them. ``files``: further options of ``sources.read``. Labels are strings.
    """
    if field is None:
        found = (split_labels(line, reader, prefix) for line in _lines_of_files(source, **files))
    elif label_field is None:
        found = (split_labels(text, reader, prefix) for text, _ in read_records(source, field=field, **files))
    else:
        found = (
            (_labels_of(cell, label_separator), reader.words_of(text))
            for text, (cell,) in read_records(source, [label_field], field=field, **files)
        )
    among_words = f"a word that begins with {prefix!r}; set label_prefix, or name the field that holds them"
    return _collected(found, describe(source), among_words if label_field is None else f"in the field {label_field!r}")


def _collected(found: Iterable[tuple[Labels, list[str]]], name: str, hint: str) -> Labelled:
    """All texts that have words or labels; DataError where no text has a label."""
    labelled = Labelled([], [])
    for labels, words in found:
        if words or labels:
            labelled.words.append(words)
            labelled.labels.append(labels)
    if not any(labelled.labels):
        raise DataError(f"{name} holds no label, {hint}")
    return labelled


def _labels_of(cell: Cell, separator: str | None) -> list[str]:
    """The labels in a field of a record, as strings; none where it is empty."""
    where, value = cell
    if is_missing(value):
        return []
    several = value.split(separator) if separator and isinstance(value, str) else value
    found = []
    for one in several if isinstance(several, list) else [several]:
        if not isinstance(one, str | int):
            raise DataError(f"{where}: the label {shown(one)} must be a string or a whole number")
        if (label := str(one).strip()).splitlines() not in ([], [label]) or "\t" in label:
            raise DataError(f"{where}: the label {shown(label)} must have no tab and no line break in it")
        found.append(label)
    return list(filter(None, found))


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


def _lines(texts: Any) -> Iterator[str]:
    for number, line in enumerate(cells_of(texts, expected=_TEXTS), 1):
        if not isinstance(line, str):
            raise DataError(f"text {number} must be a str whose labels stand among its words, or give them as y")
        yield line


def _lines_of_files(source: Any, **files: Any) -> Iterator[str]:
    pieces = (piece if isinstance(piece, str) else " ".join(piece) + "\n" for piece in read(source, **files))
    return lines(pieces, describe(source))


def split_labels(text: str | Sequence[str], reader: TextReader, prefix: str) -> tuple[list[str], list[str]]:
    """The labels among the words of a text, without the prefix, and the other words, which alone are lower-cased."""
    if isinstance(text, str) and prefix not in text:
        return [], reader.tokens(text)
    tokens = text.split() if isinstance(text, str) else text
    labels = [token.removeprefix(prefix) for token in tokens if token.startswith(prefix)]
    words = [token for token in tokens if not token.startswith(prefix)]
    return list(filter(None, labels)), reader.words_of(" ".join(words) if isinstance(text, str) else words)

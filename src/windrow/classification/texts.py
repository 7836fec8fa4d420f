"""Texts and labels as users give them: two lists, or lines whose labels stand among the words, as fastText has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import compress
from typing import Any, NamedTuple, TypeGuard

import numpy as np
from numpy.typing import NDArray

from windrow.classification.kernels.rows import Rows
from windrow.classification.numbered import Numbered, joined
from windrow.corpus import TextReader
from windrow.corpus.records import Cell
from windrow.corpus.sources import describe, locations, read, read_records
from windrow.corpus.streams import lines
from windrow.corpus.tables import cells_of, is_missing
from windrow.corpus.tokenizers import as_tokens
from windrow.errors import DataError, shown

_TEXTS = "X must be a list or one column of texts"
_BETWEEN_SPACES = ("whitespace", "word")  # the tokenizers that need not see more than what stands between white space

Text = str | Sequence[str]
Labels = Sequence[Any]  # of one text


class Labelled(NamedTuple):
    """The words of each text, and its labels."""

    texts: Numbered
    labels: Numbered


def read_texts(texts: Any, reader: TextReader) -> Numbered:
    """The words of each text, a str or a list of tokens; DataError for anything else. ``Numbered`` is left as it is."""
    if isinstance(texts, Numbered):
        return texts
    given = list(cells_of(texts, expected=_TEXTS))
    if _are_cut_at_spaces(given, reader):
        return _read_types(Numbered.of_pieces(joined(given)), reader)
    return Numbered.of_pieces(
        reader.tokens(text) if isinstance(text, str) else reader.folded(as_tokens(text, f"text {number}"))
        for number, text in enumerate(given, 1)
    )


def read_unlabelled(texts: Sequence[Text], reader: TextReader, prefix: str) -> Numbered:
    """The words of texts without the labels among them; tokens are taken as they are."""
    return _split_all(texts, reader, prefix).texts


def read_labelled(source: Any, y: Any, reader: TextReader, prefix: str) -> Labelled:
    """Texts and their labels: ``y``, or without it the words of a line that begin with ``prefix``.

    ``source``: a list or column of texts; without ``y`` also files. Raises DataError where there is no label.
    ``Labelled`` is left as it is.
    """
    if isinstance(source, Labelled):
        return source
    if y is None:
        found = _of_lines(source, reader, prefix) if locations(source) else _split_all(_lines(source), reader, prefix)
        hint = f"a word that begins with {prefix!r}; give labels as y, or another label_prefix"
        return _checked(found, describe(source), hint)
    texts = read_texts(source, reader)
    of_texts = [[one] if type(one) is str and one else as_labels(one, n) for n, one in enumerate(_column(y), 1)]
    if len(texts) != len(of_texts):
        raise DataError(f"there are {len(texts)} texts but {len(of_texts)} labels; give one, or a list, for each text")
    if not of_texts:
        raise DataError("there is no text; give at least two, with different labels")
    return Labelled(texts, Numbered.of_lists(of_texts))


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
        found = _of_lines(source, reader, prefix, **files)
    elif label_field is None:
        found = _split_all([text for text, _ in read_records(source, field=field, **files)], reader, prefix)
    else:
        texts, of_texts = list[Text](), list[Labels]()
        for text, (cell,) in read_records(source, [label_field], field=field, **files):
            texts.append(text)
            of_texts.append(_labels_of(cell, label_separator))
        found = Labelled(_words_of_all(texts, reader), Numbered.of_lists(of_texts))
    among_words = (
        f"a word that begins with {prefix!r}; name the fields of records, field=... and label_field=..., "
        "or try label_prefix=..."
    )
    return _checked(found, describe(source), among_words if label_field is None else f"in the field {label_field!r}")


def _checked(found: Labelled, name: str, hint: str) -> Labelled:
    """All texts that have words or labels; DataError where no text has a label."""
    if not found.labels.words:
        if not found.texts.words:
            raise DataError(f"{name} is empty: there is no text in it")
        raise DataError(f"{name} holds no label, {hint}")
    is_empty = (np.diff(found.texts.lists.starts) == 0) & (np.diff(found.labels.lists.starts) == 0)
    return Labelled(found.texts.without(is_empty), found.labels.without(is_empty)) if is_empty.any() else found


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


def find_classes(labels: Numbered) -> NDArray[Any]:
    """The different labels, sorted; DataError for fewer than two, and for strings mixed with numbers."""
    found = labels.words
    if len({isinstance(label, str) for label in found}) > 1:
        raise DataError("labels mix strings and numbers; make them all strings")
    if len(found) < 2:
        raise DataError(f"there {'is 1 label' if found else 'are no labels'}; give texts of two at least to tell apart")
    return np.array(sorted(found))


def class_rows(labels: Numbered, classes: NDArray[Any]) -> Rows:
    """The classes of each text by their numbers."""
    numbers = {label: number for number, label in enumerate(classes.tolist())}
    return Rows(np.array([numbers[label] for label in labels.words], np.int32)[labels.lists.ids], labels.lists.starts)


def _column(y: Any) -> Iterator[Any]:
    if isinstance(y, str):
        raise DataError("y must have a label, or a list of labels, for each text; it is a string")
    if getattr(y, "ndim", 0) == 1:  # of an array or a column, which may hold numbers
        return iter(np.asarray(y).tolist())
    return cells_of(y, expected="y must be a list or one column of labels", may_name_files=True)


def _lines(texts: Any) -> Iterator[str]:
    for number, line in enumerate(cells_of(texts, expected=_TEXTS), 1):
        if not isinstance(line, str):
            raise DataError(f"text {number} must be a str whose labels stand among its words, or give them as y")
        yield line


def _of_lines(source: Any, reader: TextReader, prefix: str, **files: Any) -> Labelled:
    """The lines of files, of which only the words are in memory, as numbers."""
    at_spaces = reader.tokenizer in _BETWEEN_SPACES
    pieces = read(source, as_utf8=at_spaces, **files)
    if at_spaces:
        return _read_labelled_types(Numbered.of_pieces(pieces), reader, prefix)
    whole = lines((piece if isinstance(piece, str) else " ".join(piece) + "\n" for piece in pieces), describe(source))
    return _split_each(whole, reader, prefix)


def _are_cut_at_spaces(texts: Sequence[Any], reader: TextReader) -> TypeGuard[Sequence[str]]:
    """Whether all are strings, whose words are those of what stands between white space."""
    return reader.tokenizer in _BETWEEN_SPACES and all(issubclass(kind, str) for kind in set(map(type, texts)))


def _words_of_all(texts: Sequence[Text], reader: TextReader) -> Numbered:
    """The words of texts; tokens are taken as they are."""
    if _are_cut_at_spaces(texts, reader):
        return _read_types(Numbered.of_pieces(joined(texts)), reader)
    return Numbered.of_pieces(map(reader.words_of, texts))


def _split_all(texts: Iterable[Text], reader: TextReader, prefix: str) -> Labelled:
    """The words of texts, and the labels among them; tokens are taken as they are."""
    given = list(texts)
    if _are_cut_at_spaces(given, reader):
        return _read_labelled_types(Numbered.of_pieces(joined(given)), reader, prefix)
    return _split_each(given, reader, prefix)


def _read_types(raw: Numbered, reader: TextReader) -> Numbered:
    """From what stands between white space to words, each different one once."""
    if reader.is_plain:
        return raw
    found = Numbered.of_lists(map(reader.tokens, raw.words))
    return raw.replaced(found.words, found.lists)


def _read_labelled_types(raw: Numbered, reader: TextReader, prefix: str) -> Labelled:
    """As ``_read_types``, with what begins with the prefix as labels."""
    is_label = [word.startswith(prefix) for word in raw.words]
    labels = [word.removeprefix(prefix) if own else "" for word, own in zip(raw.words, is_label, strict=True)]
    found = Labelled(
        _those(raw, np.logical_not(is_label)), _those(raw, np.array([label != "" for label in labels], bool))
    )
    names = [label for label in labels if label]
    return Labelled(_read_types(found.texts, reader), Numbered(names, found.labels.lists))


def _those(raw: Numbered, is_kept: NDArray[np.bool_]) -> Numbered:
    """Some of the words."""
    starts = np.zeros(len(raw.words) + 1, np.int64)
    np.cumsum(is_kept, out=starts[1:])
    words = list(compress(raw.words, is_kept.tolist()))
    return raw.replaced(words, Rows(np.arange(len(words), dtype=np.int32), starts))


def _split_each(texts: Iterable[Text], reader: TextReader, prefix: str) -> Labelled:
    """As ``_split_all``, text by text."""
    labels = list[Labels]()

    def words() -> Iterator[list[str]]:
        for text in texts:
            found, own = split_labels(text, reader, prefix)
            labels.append(found)
            yield own

    return Labelled(Numbered.of_pieces(words()), Numbered.of_lists(labels))


def split_labels(text: Text, reader: TextReader, prefix: str) -> tuple[list[str], list[str]]:
    """The labels among the words of a text, without the prefix, and the other words, which alone are lower-cased."""
    if isinstance(text, str) and prefix not in text:
        return [], reader.tokens(text)
    tokens = text.split() if isinstance(text, str) else text
    labels = [token.removeprefix(prefix) for token in tokens if token.startswith(prefix)]
    words = [token for token in tokens if not token.startswith(prefix)]
    return list(filter(None, labels)), reader.words_of(" ".join(words) if isinstance(text, str) else words)

"""Files of word pairs with human scores, as they are published: with and without header, in any usual separation."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from windrow.errors import DataError
from windrow.evaluation.list_files import numbered_lines
from windrow.evaluation.pair_columns import (
    Columns,
    Record,
    Table,
    chosen_columns,
    column_names,
    found_columns,
    is_number,
)

_MARKS = "\t;,"
_QUOTING_MARKS = ";,"  # quotes between tabs or spaces are part of a word


class WordPair(NamedTuple):
    """Two words, and how alike people find them."""

    first: str
    second: str
    score: float


def read_pairs(
    path: str | os.PathLike[str], delimiter: str | None = None, columns: str | Sequence[str | int] | None = None
) -> list[WordPair]:
    """Read word pairs: two words and a score per line, as SimLex-999, WordSim-353, MEN and others have them.

    Empty lines and lines that start with ``#`` are skipped. Of more than three columns the header tells which hold the
    words and the score. Without header, two words and then numbers are understood when the first number lies between
    the others of its line, as the mean of single ratings does (Rare Words).

    Parameters
    ----------
    path : str or os.PathLike
        A UTF-8 file.
    delimiter : str or None, default None
        What separates the fields; None: tabs, semicolons, commas or white space, as the first line has them.
    columns : str, sequence of three str or int, or None, default None
        The columns of the two words and of the score: names from the header, or numbers from 1; a str has them with
        commas between. None: by the header, or the only ones that it can be.

    Returns
    -------
    list of WordPair
        Each has ``first``, ``second`` and ``score``.

    Raises
    ------
    OptionError
        ``columns`` is not three names or numbers of columns that the file has.
    DataError
        The file cannot be read, holds no pair, does not show which columns to take, or has a line of another kind,
        which the message names.

    Examples
    --------
    >>> from pathlib import Path
    >>> from windrow.evaluation import read_pairs
    >>> path = Path("pairs.tsv")
    >>> characters = path.write_text("tiger\\tcat\\t7.35\\n")
    >>> read_pairs(path)
    [WordPair(first='tiger', second='cat', score=7.35)]
    >>> characters = path.write_text("word1\\tword2\\tPOS\\tSimLex999\\tconc\\nold\\tnew\\tA\\t1.58\\t2.7\\n")
    >>> read_pairs(path, columns="word1,word2,conc")
    [WordPair(first='old', second='new', score=2.7)]
    """
    names = column_names(columns)
    lines = [(number, line) for number, line in numbered_lines(path) if line.strip() and not line.startswith("#")]
    if lines and lines[0][1].startswith(":"):
        raise DataError(f"{path} holds questions of analogies, not word pairs with scores; use evaluate_analogies")
    mark = _separator(lines[0][1]) if lines and delimiter is None else delimiter
    table = Table(str(path), [Record(number, line, _fields(line, mark)) for number, line in lines])
    pairs = []
    if table.records:
        chosen = found_columns(table) if names is None else chosen_columns(table, names)
        pairs = [_pair(table, chosen, record, mark) for record in table.records[chosen.header :]]
    if not pairs:
        raise DataError(f"{path} holds no word pairs; expected lines such as 'tiger<TAB>cat<TAB>7.35'")
    return pairs


def _separator(line: str) -> str | None:
    """What separates the fields of a first line: the mark that gives three or more, else white space (None)."""
    for mark in _MARKS:
        if len(_fields(line, mark)) > 2:
            return mark
    return None if len(line.split()) > 2 else next((mark for mark in _MARKS if mark in line), None)


def _fields(line: str, mark: str | None) -> list[str]:
    fields = line.split(mark)
    if mark is not None and mark in _QUOTING_MARKS:
        with suppress(csv.Error):  # a carriage return within the line, or an endless field
            fields = next(csv.reader([line.rstrip("\r\n")], delimiter=mark, skipinitialspace=True), [])
    fields = [field.strip() for field in fields]
    while fields and not fields[-1]:
        fields.pop()
    return fields


def _pair(table: Table, columns: Columns, record: Record, mark: str | None) -> WordPair:
    """The pair in a record; between spaces, a record with fewer or more fields than others has a word with a space."""
    fields, (first, second, score, _) = record.fields, columns
    fits = max(first, second, score) < len(fields) <= table.width and (mark is not None or len(fields) == table.width)
    if not fits or not is_number(fields[score]) or not fields[first] or not fields[second]:
        raise DataError(
            f"{table.name}, line {record.number}: expected two words and a number, got {record.line.strip()[:60]!r}; "
            "separate the fields by tabs, commas or spaces"
        )
    return WordPair(fields[first], fields[second], float(fields[score]))

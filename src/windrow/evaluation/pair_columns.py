"""Which columns of a file of word pairs hold the words and the score: as the user says, the header, or the numbers."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple, NoReturn

from windrow.errors import DataError, OptionError

# Names without spaces and marks: "Human (mean)" is "humanmean".
_SCORE = re.compile(
    "(human|gold|standard|avg|average|mean|rating|score|value|sim|similarity|relatedness|simlex|999|judge?ment)+"
)
_WORD = re.compile("(word|w|term|token|lemma|noun|verb|concept|phrase)(1|2|a|b)|(first|second)(word)?|(word)(one|two)")

_LIKE_A_NUMBER = re.compile(r"[-+]?\d+([.,]\d+)?\s*%?|[-+]?nan", re.IGNORECASE)


class Record(NamedTuple):
    """A line, and its fields."""

    number: int  # from 1
    line: str
    fields: list[str]


class Columns(NamedTuple):
    """The columns of the words and of the score, from 0; and how many lines the header has, 0 or 1."""

    first: int
    second: int
    score: int
    header: int


class Table:
    """The records of a file, and which of its columns hold numbers."""

    def __init__(self, name: str, records: Sequence[Record]) -> None:
        self.name = name
        self.records = records
        self.names = records[0].fields if records else []  # if it is a header
        self.width = len(self.names)

    def numeric(self, start: int) -> list[int]:
        """The columns that have a number in every record from ``start`` on which has that column."""
        fields = [record.fields for record in self.records[start:]]
        columns = ([row[column] for row in fields if column < len(row)] for column in range(self.width))
        return [column for column, cells in enumerate(columns) if cells and all(map(is_number, cells))]


def is_number(field: str) -> bool:
    """Whether a field is a finite number."""
    try:
        return math.isfinite(float(field)) and "_" not in field  # float() takes '1_0'
    except ValueError:
        return False


def column_names(columns: str | Sequence[str | int] | None) -> list[str | int] | None:
    """The three columns that ``columns`` names: numbers count from 0 now. OptionError unless there are three."""
    if columns is None:
        return None
    given: list[str | int] = []
    with suppress(csv.Error):  # a line break, or an endless name
        given += next(csv.reader([columns], skipinitialspace=True), []) if isinstance(columns, str) else columns
    if len(given) != 3 or len(set(given)) != 3 or not all(isinstance(one, str | int) for one in given):
        raise OptionError(
            f"columns = {columns!r} must be three columns: of the first word, the second word and the score, "
            "by their names or numbers, as in '1,2,4'"
        )
    return [int(one) - 1 if re.fullmatch(r"\s*\d{1,9}\s*", str(one)) else one for one in given]


def chosen_columns(table: Table, names: Sequence[str | int]) -> Columns:
    """The columns that the user names; OptionError for one that is not there."""
    first, second, score = (_index(table, name) for name in names)
    by_name = any(isinstance(name, str) for name in names)
    has_header = by_name or not is_number("".join(table.names[score : score + 1]))
    if has_header and not by_name:
        _refuse_numbers_of_other_kinds(table)
    return Columns(first, second, score, int(has_header))


def found_columns(table: Table) -> Columns:
    """The columns that the header names, or that can only be those; DataError if several could."""
    if _has_header(table):
        return _by_header(table)
    numeric = table.numeric(0)
    text = [column for column in range(table.width) if column not in numeric]
    if table.width <= 3:
        if len(numeric) == 1 and len(text) == 2:
            return Columns(text[0], text[1], numeric[0], header=0)
        return Columns(0, 1, 2, header=0)  # and the line that has no number there is refused
    if text == [0, 1] and _is_mean_of_others(table):
        return Columns(0, 1, 2, header=0)
    _refuse(table, 0)


def _has_header(table: Table) -> bool:
    if not any(map(is_number, table.names)):
        return True
    names = list(map(_plain, table.names))  # some number the columns of single ratings
    return any(_WORD.fullmatch(name) for name in names) and any(_SCORE.fullmatch(name) for name in names)


def _by_header(table: Table) -> Columns:
    _refuse_numbers_of_other_kinds(table)
    names, numeric = list(map(_plain, table.names)), table.numeric(1)
    text = [column for column in range(len(names)) if column not in numeric]
    words = [column for column, name in enumerate(names) if _WORD.fullmatch(name)]
    words = text if len(words) != 2 else words
    scores = [column for column, name in enumerate(names) if _SCORE.fullmatch(name) and column not in words]
    scores = [column for column in numeric if column not in words] if len(scores) != 1 else scores
    if len(words) == 2 and len(scores) == 1:
        return Columns(words[0], words[1], scores[0], header=1)
    if len(names) <= 3:
        return Columns(0, 1, 2, header=1)
    _refuse(table, 1)


def _refuse_numbers_of_other_kinds(table: Table) -> None:
    """Raise DataError if what looks like a header is a record whose number is written in another way."""
    for field in table.names:
        if _LIKE_A_NUMBER.fullmatch(field) and not is_number(field):
            raise DataError(f"{table.name}, line {table.records[0].number}: {field!r} is no number; write it as 8.5")


def _is_mean_of_others(table: Table) -> bool:
    """Whether two words come first, then a number that lies between the two or more others of its line."""
    rests = [record.fields[2:] for record in table.records]  # some may be longer than the table is wide
    if not all(is_number(field) for rest in rests for field in rest):
        return False
    ratings = [list(map(float, rest)) for rest in rests]
    return all(len(row) > 2 and min(row[1:]) <= row[0] <= max(row[1:]) for row in ratings)


def _index(table: Table, name: str | int) -> int:
    if isinstance(name, int):
        if not 0 <= name < table.width:
            raise OptionError(f"columns = {name + 1}: {table.name} has the columns 1 to {table.width}")
        return name
    for form in (str, str.lower):
        found = [column for column, known in enumerate(table.names) if form(known) == form(name.strip())]
        if len(found) == 1:
            return found[0]
    raise OptionError(f"columns = {name!r}: the first line of {table.name} has {', '.join(table.names)[:200]}")


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name.lower())


def _refuse(table: Table, header: int) -> NoReturn:
    number, line, _ = table.records[0]
    score = next(iter(column for column in table.numeric(header) if column > 1), 2) + 1
    raise DataError(
        f"{table.name}, line {number}: expected two words and a number, got {line.strip()[:60]!r}; which of the "
        f"{table.width} columns are they? Name or number them, such as columns='1,2,{score}'"
    )

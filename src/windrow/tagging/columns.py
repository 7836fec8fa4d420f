"""The lines of column files: which are tokens, and what else there is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Literal, NamedTuple

from windrow.errors import DataError, FormatError, OptionError, check_whole
from windrow.evaluation.spans import parse_tag

DOCUMENT_START = "-DOCSTART-"
_BLANKS = " \t\r"  # other white space may be a token, such as U+00A0
# Comments: those of CoNLL-U and GermEval, and the ones that part the documents of CoNLL-2012.
_COMMENTS = ("# ", "#\t", "#begin document", "#end document")
_IF_TEXT = "; is this running text? put {} on each line"
_IF_TAGGED_TEXT = _IF_TEXT.format("a token and its tag")
_PLAIN_TAG = re.compile(r"[A-Z]-[A-Z][A-Z_]+")  # such as B-LOC, and no word such as U-Bahn or I-95
BETWEEN_NUMBERS = re.compile(r"\d+[-.]\d+")  # CoNLL-U: 3-4, words that are written as one; 8.1, one that is left out
_ORDINALS = {1: "first", 2: "second", 3: "third"}


class Columns(NamedTuple):
    """Which columns are read, counted from 0, or from the end if negative.

    ``token`` None: the first, which is refused if it numbers the tokens. ``tag`` None: every tag is O.
    """

    token: int | None = None
    tag: int | None = -1

    def check(self) -> None:
        """Raise OptionError for what is no whole number."""
        for name, column in (("token_column", self.token), ("tag_column", self.tag)):
            if column is not None:
                check_whole(name, column)

    def refuse_for_lists(self) -> None:
        """Raise OptionError if columns are named where there are none: sentences are given as lists."""
        if self != Columns():
            raise OptionError("token_column and tag_column are for files; sentences given as lists have no columns")


class Row(NamedTuple):
    """A line: a token's, with its fields, or another."""

    number: int  # from 1
    line: str
    kind: Literal["token", "blank", "comment", "document", "between"]
    fields: list[str]

    def field(self, column: int, name: str) -> str:
        """The field in a column; FormatError if it is not there or empty."""
        if not -len(self.fields) <= column < len(self.fields):
            raise FormatError(
                f"{self.place(name)}: there is no {_nth(column)} column, the line has {_count(self.fields)}"
            )
        if not self.fields[column].strip(_BLANKS):
            raise FormatError(f"{self.place(name)}: the {_nth(column)} column is empty")
        return self.fields[column]

    def place(self, name: str) -> str:
        """The line, for messages about the file ``name``."""
        return f"{name}, line {self.number}"


def rows_of(text: Iterable[str], name: str, columns: Columns) -> Iterator[Row]:
    """The rows of a column file, one for each line; FormatError for ragged columns.

    Columns are separated by tabs if the first token's line has one, else by spaces and tabs. A line ``#``, ``# ...``,
    ``#begin document`` or ``#end document`` is a comment, unless it has as many columns as the tokens' lines and a tag
    where they have one. Lines of CoNLL-U that are numbered 3-4 or 8.1 are between the tokens.
    """
    lines = enumerate(text, 1)
    head = _head(lines)
    separator, first, first_number = _layout(head)
    width = len(first)
    for number, line in chain(head, lines):
        fields = _fields(line, separator)
        kind = _kind(line, fields, first, columns)
        if kind == "token" and len(fields) != width:
            raise FormatError(
                f"{name}, line {number}: {_count(fields)}, but line {first_number} has {width}; "
                "give every token the same columns, and blank lines between sentences"
                + (_IF_TEXT.format("a token") if columns.tag is None else _IF_TAGGED_TEXT)
                * (separator != "\t")
            )
        yield Row(number, line, kind, fields)


def tag_of(row: Row, name: str, columns: Columns) -> str:
    """The tag of a token; FormatError for what is none."""
    if columns.tag is None:
        return "O"
    if len(row.fields) == 1:
        raise FormatError(
            f"{row.place(name)}: 1 column; expected a token and its tag, separated by a tab or spaces{_IF_TAGGED_TEXT}"
        )
    tag = row.field(columns.tag, name)
    try:
        parse_tag(tag)
    except DataError as error:
        hint = "is the tag in another column? Number it: tag_column=N" + _IF_TAGGED_TEXT * ("\t" not in row.line)
        raise FormatError(f"{row.place(name)}: {error}; {hint}") from error
    return tag


def check_no_text(row: Row, tags: Iterable[str], name: str) -> None:
    """Raise FormatError for tags that may be the last words of a text, of which ``row`` is the last line.

    Such as "vitamin B", or lines that end in I.
    """
    found = set(tags)
    if "\t" not in row.line and not are_plain_tags(found) and (len(row.fields) > 2 or len(found) == 1):
        raise FormatError(f"{name}: no token has the tag O{_IF_TAGGED_TEXT}, with a tab between them")


def are_plain_tags(tags: Iterable[str]) -> bool:
    """Whether tags are hardly words of a text: there is O among them, or all are such as B-LOC."""
    found = set(tags)
    return "O" in found or all(map(_PLAIN_TAG.fullmatch, found))


def is_tag(field: str) -> bool:
    """Whether a field can be a tag."""
    try:
        parse_tag(field)
    except DataError:
        return False
    return True


def _head(lines: Iterator[tuple[int, str]]) -> list[tuple[int, str]]:
    """The lines up to the first that is a token's for certain."""
    head = []
    for number, line in lines:
        head.append((number, line))
        if line.strip(_BLANKS) and not line.startswith("#") and not _starts_document(line):
            break
    return head


def _layout(head: Sequence[tuple[int, str]]) -> tuple[str | None, list[str], int]:
    """What separates columns (None: spaces and tabs), and the columns of the first token's line and its number."""
    number, last = head[-1] if head else (1, "")
    if last.startswith("#") or _starts_document(last) or not last.strip(_BLANKS):
        # Every line may be a comment; "#" may also be a token.
        marked = ((place, line) for place, line in head if line.startswith("#") and len(_fields(line, None)) > 1)
        number, last = next(marked, (number, last))
    separator = "\t" if "\t" in last else None
    return separator, _fields(last, separator), number


def _kind(
    line: str, fields: list[str], first: list[str], columns: Columns
) -> Literal["token", "blank", "comment", "document", "between"]:
    if not fields:
        return "blank"
    if _is_between(fields, first, columns):
        return "between"
    if _starts_document(line) or fields[columns.token or 0 :][:1] == [DOCUMENT_START]:
        return "document"
    if not line.startswith("#") or _is_like(first, fields, columns):
        return "token"
    return "comment" if len(fields) == 1 or line.startswith(_COMMENTS) else "token"


def _is_between(fields: list[str], first: list[str], columns: Columns) -> bool:
    """Whether a line of CoNLL-U is numbered between its tokens, which are numbered in a column before theirs."""
    is_numbered = first[0].isdigit() or BETWEEN_NUMBERS.fullmatch(first[0]) is not None
    return is_numbered and bool(columns.token) and BETWEEN_NUMBERS.fullmatch(fields[0]) is not None


def _is_like(first: list[str], fields: list[str], columns: Columns) -> bool:
    """Whether a line has as many columns as the first token's, and a tag where that one has its tag."""
    if len(fields) != len(first):
        return False
    if columns.tag is None:
        return is_tag(fields[-1]) or not is_tag(first[-1])
    return -len(fields) <= columns.tag < len(fields) and is_tag(fields[columns.tag])


def _starts_document(line: str) -> bool:
    return line.split(maxsplit=1)[:1] == [DOCUMENT_START]


def _fields(line: str, separator: str | None) -> list[str]:
    """The columns of a line. Only spaces and tabs separate them: a token may hold other white space of Unicode."""
    line = line.rstrip("\r")
    if not line.strip(_BLANKS):
        return []
    if separator:
        return line.rstrip(" ").split(separator)
    return [field for field in line.replace("\t", " ").split(" ") if field]


def _count(fields: Sequence[str]) -> str:
    return "1 column" if len(fields) == 1 else f"{len(fields)} columns"


def _nth(column: int) -> str:
    """A column in words, which are the same wherever one begins to count."""
    number = column + 1 if column >= 0 else -column
    ordinal = _ORDINALS.get(number, f"{number}th")
    if column >= 0:
        return ordinal
    return "last" if number == 1 else f"{ordinal} last"

"""Text to be tagged: lines of tokens, or column files, whose lines are kept in their places."""

from __future__ import annotations

import os
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice, pairwise, repeat
from typing import IO, NamedTuple

from windrow.corpus import TextReader
from windrow.corpus.streams import Meter, lines, name_of, text_pieces
from windrow.errors import FormatError, OptionError, warn
from windrow.tagging.columns import DOCUMENT_START, Columns, Row, are_plain_tags, is_tag, rows_of
from windrow.tagging.conll import sentences_of

FORMATS = ("auto", "text", "conll")
_LOOKED_AT = 1000  # lines
_LONGEST_ROW = 1 << 20  # characters
_COLUMN_NAME = re.compile(r"[._](conll\w*|iob\w*|bio|bioes|bilou|bmes)(\.(gz|bz2|xz|zst))?$", re.IGNORECASE)
_PLAIN = TextReader()


class Piece(NamedTuple):
    """A sentence, or lines between sentences, and how it is written: each line, None for that of the next token."""

    tokens: list[str]
    lines: Iterable[str | None]  # to be gone through once


def read_texts(
    source: str | os.PathLike[str],
    form: str = "auto",
    token_column: int | None = None,
    *,
    reader: TextReader = _PLAIN,
    errors: str = "strict",
    typed: Iterable[str] | None = None,
) -> Iterator[Piece]:
    """The sentences of ``source``, a file or ``-``, one by one: "text", a line each, or "conll", of any columns.

    ``reader`` cuts the lines of text into tokens; ``errors`` as of ``Corpus.build``. ``typed``: the lines, where they
    are read elsewhere.

    "auto" takes it for a column file if its name says so (.conll, .conllu, .iob, ...), if each of its first thousand
    lines can be one, see ``_has_columns``, or if ``token_column`` is given. Raises FormatError for ragged columns and
    for columns that may be either, DataError for a file that cannot be read.
    """
    if form not in FORMATS:
        raise OptionError(f"format = {form!r} is not one of {', '.join(FORMATS)}")
    if form == "text" and token_column is not None:
        raise OptionError(
            "token_column = N is for column files, a text has no columns; leave it out, or choose format='conll'"
        )
    name, columns = name_of(os.fspath(source)), Columns(token_column, None)
    columns.check()
    text = iter(typed) if typed is not None else lines(text_pieces(os.fspath(source), errors, Meter(None, None)), name)
    guessed = form == "auto" and token_column is None
    is_named = _COLUMN_NAME.search(os.fspath(source)) is not None
    head = _first_lines(text) if guessed and not is_named else deque()
    is_text = form == "text" or (guessed and not is_named and not _has_columns(head, name))
    text = chain(_taken(head), text)
    if is_text:
        yield from (
            Piece(tokens, chain(repeat(None, len(tokens)), [""])) for tokens in map(reader.tokens, text) if tokens
        )
        return
    if reader != _PLAIN:
        or_text = "; if each line is a sentence, choose format='text'" if guessed else ""
        raise OptionError(f"{name} holds one token per line; leave out tokenizer and normalize{or_text}")
    try:
        yield from (_piece(rows, name, columns) for rows in sentences_of(rows_of(text, name, columns), name, columns))
    except FormatError as error:
        if guessed:
            raise FormatError(f"{error}; if it is text, choose format='text'") from error
        raise


def write_tagged(pieces: Iterable[Piece], predicted: Iterator[Sequence[str]], stream: IO[str]) -> None:
    """Write a line per token, with a tab before its tag, and the other lines where they were.

    ``predicted``: the tags of each piece that has tokens.
    """
    for tokens, written in pieces:
        tagged = zip(tokens, next(predicted), strict=True) if tokens else iter(())
        for line in written:
            stream.write(("\t".join(next(tagged)) if line is None else line) + "\n")


def _piece(rows: Sequence[Row], name: str, columns: Columns) -> Piece:
    tokens = [row.field(columns.token or 0, name) for row in rows if row.kind == "token"]
    return Piece(tokens, [_written(row, name, columns) for row in rows])


def _written(row: Row, name: str, columns: Columns) -> str | None:
    """What stands for a row in the output; what is no token, but has fields, has a tag, as conlleval expects it."""
    match row.kind:
        case "document":
            return f"{DOCUMENT_START}\tO"
        case "between":
            return f"{row.field(columns.token or 0, name)}\tO"
        case "comment":
            return row.line.rstrip("\r")
        case "blank":
            return ""
    return None


def _first_lines(text: Iterator[str]) -> deque[str]:
    """Those by which a column file is known; none after a line that is too long for one."""
    head: deque[str] = deque()
    for line in islice(text, _LOOKED_AT):
        head.append(line)
        if len(line) > _LONGEST_ROW:
            break
    return head


def _taken(lines: deque[str]) -> Iterator[str]:
    """The lines, which are held no longer then."""
    while lines:
        yield lines.popleft()


def _has_columns(head: Iterable[str], name: str) -> bool:
    """Whether each line can be one of a column file by the rules of its reader, and the lines together look like one.

    Words may look like tags: "vitamin B", "I-95", "Malcolm and I". So the last column has to be a tag in each line of
    a token, O in some line or in all such as B-LOC, and, without tabs, at least one sentence has to have two lines.
    Files of one column are known by blank lines between their sentences. FormatError for columns without tags, see
    ``_is_table``, and for those of which some lines have more or fewer than others, see ``_refuse_ragged``.
    """
    if any(len(line) > _LONGEST_ROW for line in head):
        return False
    try:
        rows = list(rows_of(head, name, Columns(None, None)))
    except FormatError as error:
        _refuse_ragged(head, error)
        return False
    words = [row for row in rows if row.kind == "token"]
    if not words:
        return False
    width = len(words[0].fields)
    if width == 1:
        is_parted = any(row.kind == "blank" for row in rows)
        if len(words) > 1 and not is_parted:
            warn(
                f"{name}: each line is one word, taken for a sentence of its own; if a line is a token, choose "
                "format='conll'"
            )
        return is_parted
    tags = [row.fields[-1] for row in words]
    if not all(map(is_tag, tags)):
        if _is_table(rows, words):
            raise FormatError(
                f"{name}: each line has {width} columns, but not a tag in the last; choose format='conll' if a line is "
                "a token, format='text' if it is a sentence"
            )
        return False
    between = pairwise(row for row in rows if row.kind != "comment")
    has_sentence = any(first.kind == second.kind == "token" for first, second in between)
    return "\t" in words[0].line or (has_sentence and are_plain_tags(tags))


def _refuse_ragged(head: Iterable[str], error: FormatError) -> None:
    """Raise FormatError where a few lines have more or fewer columns than most, all of which end in a tag."""
    words = [line.split() for line in head if line.split()]
    width, lines = Counter(map(len, words)).most_common(1)[0]
    last = [fields[-1] for fields in words if len(fields) == width]
    if width > 1 and 2 * lines > len(words) and "O" in last and all(map(is_tag, last)):
        raise FormatError(f"{error}; if it is text, choose format='text'") from error


def _is_table(rows: Sequence[Row], words: Sequence[Row]) -> bool:
    """Whether lines with equal numbers of columns have them on purpose: by tabs; by spaces, in groups of lines."""
    if "\t" in words[0].line:
        return len(words) > 1
    kinds = ["blank", *(row.kind for row in rows)]
    groups = sum(before != "token" and kind == "token" for before, kind in pairwise(kinds))
    return len(words[0].fields) > 2 and groups > 1 and len(words) >= 2 * groups

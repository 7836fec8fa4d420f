"""CoNLL column files: a token a line with its tag, blank lines between sentences."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import IO, NamedTuple

import numpy as np

from windrow.corpus.streams import Meter, lines, name_of, text_pieces
from windrow.errors import DataError, FormatError, OptionError, check_whole
from windrow.evaluation.spans import parse_tag

DOCUMENT_START = "-DOCSTART-"


class TaggedSentence(NamedTuple):
    """A sentence with its tags.

    Parameters
    ----------
    tokens : list of str
        The words.
    tags : list of str
        As many tags.
    document : int, default 0
        The number of the document that it is from: -DOCSTART- lines so far.
    """

    tokens: list[str]
    tags: list[str]
    document: int = 0


def read_conll(
    source: str | os.PathLike[str], token_column: int = 0, tag_column: int | None = -1
) -> Iterator[TaggedSentence]:
    """Read the sentences of a column file one by one.

    Columns are separated by tabs if the first token's line has one, else by spaces. A ``#`` line without a second
    column is a comment. -DOCSTART- lines are dropped, each begins a document.

    Parameters
    ----------
    source : str or path
        The file, compressed or not; ``-`` is standard input.
    token_column : int, default 0
        Where the token is, counted from 0, or from the end if negative.
    tag_column : int or None, default -1
        Where the tag is; None: every tag is O.

    Raises
    ------
    FormatError
        With the line, for columns that are ragged or missing and for what is no tag.
    DataError
        For a file that cannot be read.
    """
    text = lines(text_pieces(os.fspath(source), None, Meter(None, None)))
    return read_conll_lines(text, name_of(os.fspath(source)), token_column, tag_column)


def read_conll_lines(
    text: Iterable[str], name: str, token_column: int = 0, tag_column: int | None = -1
) -> Iterator[TaggedSentence]:
    """``read_conll`` of lines; errors call them ``name``."""
    check_whole("token_column", token_column)
    if tag_column is not None:
        check_whole("tag_column", tag_column)
    tokens: list[str] = []
    tags: list[str] = []
    document = 0
    for number, fields in _rows(text, name):
        if fields and fields[0] != DOCUMENT_START:
            place = f"{name}, line {number}"
            tokens.append(_column(fields, token_column, place))
            tags.append(_tag(fields, tag_column, place))
        else:
            if tokens:
                yield TaggedSentence(tokens, tags, document)
                tokens, tags = [], []
            document += bool(fields)
    if tokens:
        yield TaggedSentence(tokens, tags, document)


def _rows(text: Iterable[str], name: str) -> Iterator[tuple[int, list[str]]]:
    """Line numbers from 1, and the fields of each line: none in a blank one; comments are left out."""
    numbered = enumerate(text, 1)
    head: list[tuple[int, str]] = []
    separator = None
    for number, line in numbered:
        head.append((number, line))
        if line.strip() and not line.startswith("#"):
            separator = "\t" if "\t" in line else None
            break
    width, width_line = 0, 0
    for number, line in chain(head, numbered):
        fields = _fields(line, separator)
        if len(fields) == 1 and line.startswith("#"):
            continue
        if fields and fields[0] != DOCUMENT_START:
            if width and len(fields) != width:
                raise FormatError(
                    f"{name}, line {number}: {_columns(len(fields))}, but line {width_line} has "
                    f"{width}; give every token the same columns, and blank lines between sentences"
                )
            width, width_line = len(fields), width_line or number
        yield number, fields


def _fields(line: str, separator: str | None) -> list[str]:
    """The columns of a line. Only spaces and tabs separate them: a token may hold other white space of Unicode."""
    line = line.rstrip("\r")
    if not line.strip(" \t"):
        return []
    if separator:
        return line.rstrip(" ").split(separator)
    return [field for field in line.replace("\t", " ").split(" ") if field]


def _columns(count: int) -> str:
    return "1 column" if count == 1 else f"{count} columns"


def _column(fields: Sequence[str], column: int, place: str) -> str:
    if not -len(fields) <= column < len(fields):
        raise FormatError(f"{place}: there is no column {column}, the line has {_columns(len(fields))}")
    if not fields[column].strip():
        raise FormatError(f"{place}: column {column} is empty")
    return fields[column]


def _tag(fields: Sequence[str], column: int | None, place: str) -> str:
    if column is None:
        return "O"
    if len(fields) == 1:
        raise FormatError(f"{place}: 1 column; expected a token and its tag, separated by a tab or spaces")
    tag = _column(fields, column, place)
    try:
        parse_tag(tag)
    except DataError as error:
        raise FormatError(f"{place}: {error}; is the tag in another column?") from error
    return tag


def write_conll(sentences: Iterable[Sequence[Sequence[str]]], stream: IO[str]) -> None:
    """Write one line per token, with a tab before its tag, and a blank line after each sentence.

    Parameters
    ----------
    sentences : iterable of (tokens, tags)
        TaggedSentence or pairs.
    stream : text file
        Where to write.

    Examples
    --------
    >>> import sys
    >>> from windrow.tagging import write_conll
    >>> write_conll([(["Rome"], ["B-LOC"])], sys.stdout)  # doctest: +NORMALIZE_WHITESPACE
    Rome    B-LOC
    <BLANKLINE>
    """
    for tokens, tags, *_ in sentences:
        stream.write("".join(f"{token}\t{tag}\n" for token, tag in zip(tokens, tags, strict=True)) + "\n")


def split_by_document(
    sentences: Iterable[TaggedSentence], shares: Sequence[float] = (0.8, 0.1, 0.1), seed: int = 1
) -> list[list[TaggedSentence]]:
    """Share out whole documents at random, so that no part knows another's names; the order of sentences is kept.

    Parameters
    ----------
    sentences : iterable of TaggedSentence
        Sentences that know their document.
    shares : sequence of float > 0, default (0.8, 0.1, 0.1)
        Relative sizes of the parts, in documents.
    seed : int, default 1
        Equal seeds give equal parts.

    Raises
    ------
    DataError
        When a part would be empty.
    """
    if not shares or min(shares) <= 0:
        raise OptionError(f"shares = {tuple(shares)!r} must all be above 0")
    kept = list(sentences)
    documents = sorted({sentence.document for sentence in kept})
    order = np.random.default_rng(seed).permutation(len(documents))
    bounds = np.round(np.cumsum(shares) / np.sum(shares) * len(documents)).astype(int)
    part_of = {documents[place]: int(np.searchsorted(bounds, rank, "right")) for rank, place in enumerate(order)}
    parts: list[list[TaggedSentence]] = [[] for _ in shares]
    for sentence in kept:
        parts[part_of[sentence.document]].append(sentence)
    if not all(parts):
        told = f"{len(documents)} documents (separated by {DOCUMENT_START} lines) do not fill {len(parts)} parts"
        raise DataError(told)
    return parts

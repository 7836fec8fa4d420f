"""CoNLL column files: a token a line with its tag, blank lines between sentences."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import IO, NamedTuple

import numpy as np

from windrow.corpus.streams import Meter, lines, name_of, text_pieces
from windrow.errors import DataError, FormatError, OptionError
from windrow.tagging.columns import BETWEEN_NUMBERS, DOCUMENT_START, Columns, Row, check_no_text, rows_of, tag_of


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
    source: str | os.PathLike[str], token_column: int | None = None, tag_column: int | None = -1
) -> Iterator[TaggedSentence]:
    """Read the sentences of a column file one by one.

    Columns are separated by tabs if the first token's line has one, else by spaces. A line ``#`` or ``# ...`` is a
    comment, unless it has a tag as the tokens have. -DOCSTART- lines are dropped, each begins a document; so are lines
    of CoNLL-U that are numbered 3-4 or 8.1, where ``token_column`` is another than the first.

    Parameters
    ----------
    source : str or path
        The file, compressed or not; ``-`` is standard input.
    token_column : int or None, default None
        Where the token is, counted from 0, or from the end if negative. None: in the first column, unless that numbers
        the tokens, which is an error.
    tag_column : int or None, default -1
        Where the tag is; None: every tag is O.

    Raises
    ------
    FormatError
        With the line, for columns that are ragged or missing and for what is no tag.
    DataError
        For a file that cannot be read.

    Examples
    --------
    >>> from pathlib import Path
    >>> from windrow.tagging import read_conll
    >>> path = Path("places.tsv")
    >>> characters = path.write_text("# a comment\\n1\\tin\\tO\\n2\\tRome\\tB-LOC\\n")
    >>> list(read_conll(path, token_column=1))
    [TaggedSentence(tokens=['in', 'Rome'], tags=['O', 'B-LOC'], document=0)]
    """
    name = name_of(os.fspath(source))
    text = lines(text_pieces(os.fspath(source), None, Meter(None, None)), name)
    return read_conll_lines(text, name, token_column, tag_column)


def read_conll_lines(
    text: Iterable[str], name: str, token_column: int | None = None, tag_column: int | None = -1
) -> Iterator[TaggedSentence]:
    """``read_conll`` of lines; errors call them ``name``."""
    columns = Columns(token_column, tag_column)
    columns.check()
    document, last, found = 0, None, set[str]()
    for rows in sentences_of(rows_of(text, name, columns), name, columns):
        document += sum(row.kind == "document" for row in rows)
        words = [row for row in rows if row.kind == "token"]
        if words:
            tags = [tag_of(row, name, columns) for row in words]
            found.update(tags)
            last = words[-1]
            yield TaggedSentence([row.field(columns.token or 0, name) for row in words], tags, document)
    if last is not None:
        check_no_text(last, found, name)


def sentences_of(rows: Iterable[Row], name: str, columns: Columns) -> Iterator[list[Row]]:
    """The rows of each sentence, those of comments and between its tokens among them; every other row alone.

    FormatError where the first column is not that of the tokens, by the first sentence, and nobody chose it.
    """
    sentence: list[Row] = []
    unsure = columns.token is None
    for row in chain(rows, [None]):
        if row is not None and (row.kind in ("token", "between") or (sentence and row.kind == "comment")):
            sentence.append(row)
            continue
        if sentence:
            words = [one for one in sentence if one.kind == "token"]
            if unsure and len(words) > 1:
                _refuse_numbers(words, name, columns)
                unsure = False
            yield sentence
            sentence = []
        if row is not None:
            yield [row]


def _refuse_numbers(words: Sequence[Row], name: str, columns: Columns) -> None:
    """Raise FormatError if the first column numbers the tokens, or names their document, beside others."""
    column, width = [row.fields[0] for row in words], len(words[0].fields)
    numbers = [field for field in column if not BETWEEN_NUMBERS.fullmatch(field)]
    counted = [[str(first + place) for place in range(len(numbers))] for first in (0, 1)]
    if width > (1 if columns.tag is None else 2) and numbers in counted:
        told = "numbers the tokens"
    elif width > 2 and len(words) > 2 and len(set(column)) == 1:
        told = f"is {column[0][:60]!r} in the whole sentence"
    else:
        return
    raise FormatError(
        f"{words[0].place(name)}: the first column {told}; number the column that has the tokens: token_column=N"
    )


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

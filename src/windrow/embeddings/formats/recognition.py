"""Which format of word vectors a file has: by its content, and by its name only where the content leaves it open."""

from __future__ import annotations

import re
from pathlib import Path

from windrow.embeddings.formats.jsonl import is_row
from windrow.embeddings.formats.rows import is_number, parse_header
from windrow.embeddings.formats.text import dimensions_of, first_lines
from windrow.errors import FormatError
from windrow.files.kinds import KINDS, wrong_kind
from windrow.files.sniff import first_bytes, is_text, is_utf8, recognize, refuse_foreign

_QUOTED = re.compile(rb"([\"']).+\1")
_NAMED = re.compile(r"\.(glove|tsv)(\.\w+)?$", re.IGNORECASE)
_BY_MARK = {
    "windrow": "safetensors",
    "safetensors": "safetensors",
    "npy": "npy",
    "parquet": "parquet",
    "arrow": "arrow",
    "fasttext": "fasttext",
    "pickle": "gensim",
}


_TRAIN = f"; if it is a text: train on it with `windrow {KINDS['word-vectors'].maker}`"
_STARTS_OF_NUMBERS = b"+-.,0123456789nNiI"


class NoVectorsError(FormatError):
    """A file in which no word vectors were found; whoever asked for something else says so in other words."""


def recognize_vectors(path: Path) -> str | None:
    """The format of a file, as a key of ``FORMATS``, or "gensim"; None where only its name can tell.

    FormatError for a kind of file that holds no vectors, or none that windrow reads; DataError if it cannot be read.
    """
    start = first_bytes(path, whole_line=True)
    kind = recognize(start)
    if kind in _BY_MARK:
        return _BY_MARK[kind]
    refuse_foreign(kind, path)
    if kind == "arpa":
        raise wrong_kind(path, "ngram-lm", "word-vectors")
    lines = first_lines(start)
    if not lines:
        raise FormatError(f"{path} holds nothing but white space")
    if is_row(lines[0]):
        return "jsonl"
    header = parse_header(lines[0])
    if header is not None:
        if len(lines) > 2 and all(_is_counted(line.split(), header[1]) for line in lines[1:]):
            raise FormatError(f"{path} has a count after each word; take that column out, or say format='txt'")
        body = start.partition(b"\n")[2]
        return "bin" if _are_binary_rows(body, *header) else _with_header(body, header[1])
    if not is_text(start):
        return None
    if not (dim := dimensions_of(start)):
        shown = lines[0].strip()[:60].decode("utf-8", "backslashreplace")
        raise NoVectorsError(
            f"{path} holds no word vectors: line 1, {shown!r}, is neither a word and its numbers, nor a header "
            f"'words dimensions'{_told_comma(lines) or _TRAIN}"
        )
    found = "tsv" if b"\t" in lines[0].strip() else "glove"
    _refuse_tables(lines, dim, found, path)
    return found


def _refuse_tables(lines: list[bytes], dim: int, found: str, path: Path) -> None:
    """Raise FormatError for rows of numbers that are something else than vectors."""
    rows = [line.split() for line in lines]
    if dim == 1 and not _NAMED.search(path.name):
        what = "holds no word vectors: each line ends in one number, as in a list of counts or scores; if it does"
    elif all(is_number(word) and b"." in word for word, *_ in rows):
        what = (
            "holds no words: its lines hold numbers only, as numpy.savetxt writes them; numpy.save it, with the words "
            "in X.words.txt; if the first numbers are words"
        )
    elif len(rows) > 1 and all(_QUOTED.fullmatch(word) for word, *_ in rows):
        what = "has its words in quotes; write it without them (in R: quote = FALSE); if they belong to the words"
    elif len(rows) > 1 and dim > 1 and all(len(row) > dim and _is_count(row[-dim], row[1 - dim]) for row in rows):
        what = "has a count after each word; take that column out; if it is a dimension"
    else:
        return
    raise NoVectorsError(f"{path} {what}, say format='{found}'")


def _is_counted(row: list[bytes], dim: int) -> bool:
    """Whether a row is a word, a count and the numbers of a vector."""
    return len(row) == dim + 2 > 2 and _is_count(row[1], row[2]) and is_number(row[2])


def _is_count(first: bytes, second: bytes) -> bool:
    """Whether a whole number stands before a fraction."""
    return first.isdigit() and first != b"0" and b"." in second


def _told_comma(lines: list[bytes]) -> str:
    """A hint for rows whose fields have commas or semicolons between them, or decimal commas."""
    row = lines[-1]  # the first may be a header
    for mark in (b",", b";"):
        _, *numbers = row.strip().split(mark)
        if numbers and all(map(is_number, numbers)):
            return "; write tabs between the fields, and no header: pandas has to_csv(FILE, sep='\\t', header=False)"
    decimal = row.replace(b",", b".").split()[1:]
    return "; write decimal points" if b"," in row and decimal and all(map(is_number, decimal)) else ""


def _are_binary_rows(body: bytes, words: int, dim: int) -> bool:
    """Whether bytes are exactly so many binary rows; those of a small file may look like text."""
    at = 0
    for _ in range(words if len(body) >= words * (4 * dim + 2) else 0):
        space = body.find(b" ", at)
        at = space + 1 + 4 * dim
        if space < 0 or at > len(body):
            return False
        at += body[at : at + 1] == b"\n"
    fields = body.partition(b"\n")[0].split()
    are_meant_as_numbers = len(fields) > dim and all(field[0] in _STARTS_OF_NUMBERS for field in fields[-dim:])
    return at == len(body) > 0 and not are_meant_as_numbers


def _with_header(body: bytes, dim: int) -> str:
    """The text format if the line after the header ends in as many numbers as it claims, or is text all the same."""
    fields = body.partition(b"\n")[0].split()
    if not fields or (0 < dim < len(fields) and all(map(is_number, fields[-dim:]))):
        return "txt"
    return "txt" if is_text(body) and (is_utf8(body) or any(map(is_number, fields[1:]))) else "bin"

"""Which format of word vectors a file has: by its content, and by its name only where the content leaves it open."""

from __future__ import annotations

from pathlib import Path

from windrow.embeddings.formats.rows import is_number, parse_header
from windrow.embeddings.formats.text import dimensions_of, first_lines
from windrow.errors import FormatError
from windrow.files.sniff import first_bytes, is_text, recognize, refuse_foreign

_BY_MARK = {"windrow": "safetensors", "safetensors": "safetensors", "npy": "npy", "parquet": "parquet"}


def recognize_vectors(path: Path) -> str | None:
    """The format of a file, as a key of ``FORMATS``; None where only its name can tell.

    FormatError for a kind of file that holds no vectors, or none that windrow reads; DataError if it cannot be read.
    """
    start = first_bytes(path)
    kind = recognize(start)
    refuse_foreign(kind, path)
    if kind in _BY_MARK:
        return _BY_MARK[kind]
    if kind == "arpa":
        raise FormatError(f"{path} is an n-gram model in ARPA format; it holds no word vectors")
    lines = first_lines(start)
    if not lines:
        raise FormatError(f"{path} holds nothing but white space")
    header = parse_header(lines[0])
    if header is not None:
        return _with_header(start.partition(b"\n")[2], header[1])
    if not is_text(start):
        return None
    if not dimensions_of(start):
        shown = lines[0].strip()[:60].decode("utf-8", "backslashreplace")
        raise FormatError(
            f"{path} holds no word vectors: line 1, {shown!r}, is neither a word and its numbers, nor a header "
            "'words dimensions'"
        )
    return "tsv" if b"\t" in lines[0].strip() else "glove"


def _with_header(body: bytes, dim: int) -> str:
    """The text format if the line after the header ends in as many numbers as it claims, or looks like one damaged."""
    fields = body.partition(b"\n")[0].split()
    if not fields or (0 < dim < len(fields) and all(map(is_number, fields[-dim:]))):
        return "txt"
    return "txt" if is_text(body) and any(map(is_number, fields[1:])) else "bin"

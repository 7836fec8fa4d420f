"""Files of word vectors: word2vec text and binary, fastText, GloVe, TSV, NumPy, and windrow's own.

A format is a row of ``FORMATS``: a reader that returns ``VectorData``, and a writer that takes it.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from windrow.embeddings.formats.binary import read_binary, write_binary
from windrow.embeddings.formats.contract import VectorData, VectorFormat, check_words
from windrow.embeddings.formats.npy import check_npy_places, read_npy, write_npy
from windrow.embeddings.formats.stored import read_model, write_model
from windrow.embeddings.formats.text import read_text, write_text
from windrow.errors import FormatError, OptionError
from windrow.files.gzip import is_packed
from windrow.files.model_file import check_finite

__all__ = [
    "FORMATS",
    "VectorData",
    "VectorFormat",
    "check_target",
    "extension_of",
    "find_format",
    "format_of",
    "read_vectors",
    "write_vectors",
]


def read_vectors(path: str | os.PathLike[str], format: str | None = None) -> VectorData:
    """Read word vectors; ``format`` is an extension without its dot, by default that of ``path``.

    Raises FormatError, which names file and line or row, for a file that is malformed, truncated or of another kind,
    for a word that repeats or a number that is not finite; DataError when the file cannot be read.
    """
    return find_format(path, format).read(Path(path))


def write_vectors(data: VectorData, path: str | os.PathLike[str], format: str | None = None) -> None:
    """Write word vectors; ``format`` is an extension without its dot, by default that of ``path``.

    The file appears whole or not at all, and text reads back to the same float32 numbers. Only
    ``safetensors`` keeps counts and provenance. Raises FormatError for a word that the format cannot hold,
    OptionError for a number that is not finite.
    """
    chosen = check_target(path, format)
    check_words(data.words, chosen, path)
    try:
        check_finite(data.vectors, "the table", path)
    except FormatError as error:
        raise OptionError(f"cannot write {error}; if training diverged, lower alpha") from error
    chosen.write(data, Path(path))


def check_target(path: str | os.PathLike[str], format: str | None = None) -> VectorFormat:
    """The format that ``write_vectors`` would use; errors about ``path`` are raised here already, before long work."""
    chosen = find_format(path, format)
    chosen.check(Path(path))
    return chosen


def find_format(path: str | os.PathLike[str], name: str | None = None) -> VectorFormat:
    """The format called ``name``, or that of the extension of ``path``; FormatError when there is none."""
    key = extension_of(path) if name is None else name
    if key not in FORMATS:
        if name is not None:
            raise OptionError(f"format = {name!r}; choose one of {', '.join(FORMATS)}")
        raise FormatError(f"{path}: no vector format has this extension; use .{', .'.join(FORMATS)}")
    if is_packed(Path(path)) and not FORMATS[key].gzip:
        raise FormatError(f"{path}: .{key} files are not read or written through gzip; unpack the file first")
    return FORMATS[key]


def extension_of(path: str | os.PathLike[str]) -> str:
    """The extension that names the format, in lower case, without its dot and without ``.gz``."""
    file = Path(path)
    return Path(file.stem if is_packed(file) else file.name).suffix.lower().removeprefix(".")


def format_of(path: str | os.PathLike[str]) -> str:
    """The format that the extension names, else windrow's own."""
    extension = extension_of(path)
    return extension if extension in FORMATS else "safetensors"


_BETWEEN_FIELDS = r" \t\n\v\f\r"  # white space, as C and Python's bytes see it
_read_word2vec = partial(read_text, header=True, separator=b" ")
_write_word2vec = partial(write_text, header=True, separator=b" ")

_ROWS = (
    VectorFormat("safetensors", "windrow's own", read_model, write_model),
    VectorFormat("txt", "word2vec's text", _read_word2vec, _write_word2vec, _BETWEEN_FIELDS, gzip=True),
    VectorFormat("vec", "fastText's text", _read_word2vec, _write_word2vec, _BETWEEN_FIELDS, gzip=True),
    VectorFormat("bin", "word2vec's binary", read_binary, write_binary, _BETWEEN_FIELDS, gzip=True),
    VectorFormat(
        "glove",
        "GloVe's text, without a header",
        partial(read_text, header=False, separator=b" "),
        partial(write_text, header=False, separator=b" "),
        _BETWEEN_FIELDS,
        gzip=True,
    ),
    VectorFormat(
        "tsv",
        "a word and its numbers, separated by tabs",
        partial(read_text, header=False, separator=b"\t"),
        partial(write_text, header=False, separator=b"\t"),
        r"\t\n\r",
        gzip=True,
    ),
    VectorFormat("npy", "a NumPy matrix, words in X.words.txt", read_npy, write_npy, r"\n\r", check=check_npy_places),
)
FORMATS = {row.extension: row for row in _ROWS}

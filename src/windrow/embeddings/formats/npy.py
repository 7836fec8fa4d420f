"""A NumPy matrix, and its words beside it, one per line."""

from __future__ import annotations

import os
from pathlib import Path
from tokenize import TokenError

import numpy as np

from windrow.embeddings.formats.contract import VectorData, add_word
from windrow.errors import DataError, FormatError
from windrow.files.gzip import creating, reading
from windrow.files.model_file import atomic_write, check_finite, check_writable


def read_npy(path: Path) -> VectorData:
    """Read a matrix of floating point, (words, dimensions), and its words from ``X.words.txt``."""
    beside = _words_beside(path)
    if path.exists() and not beside.exists():
        raise FormatError(f"{path} needs its words, one per line, in {beside}, which does not exist")
    try:
        matrix = np.lib.format.open_memmap(path, mode="r")
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, EOFError, SyntaxError, OverflowError, TokenError) as error:  # NumPy raises all of these
        raise FormatError(f"{path} is not a valid .npy file ({error}); was it cut short?") from error
    if matrix.ndim != 2 or 0 in matrix.shape or matrix.dtype.kind != "f":
        found = f"shape {matrix.shape} of type {matrix.dtype}"
        raise FormatError(f"{path}: expected a matrix (words, dimensions) of floating point, found {found}")
    words = _read_words(beside)
    if len(words) != len(matrix):
        raise FormatError(f"{path} has {len(matrix)} rows, but {beside} has {len(words)} words")
    with np.errstate(over="ignore"):  # an infinity is found next
        vectors = np.asarray(matrix, np.float32)
    check_finite(vectors, "the matrix", path)
    return VectorData(words, vectors)


def _read_words(path: Path) -> list[str]:
    lines: dict[str, int] = {}
    with reading(path) as stream:
        for number, line in enumerate(stream, 1):
            add_word(lines, line.rstrip(b"\r\n"), path, "line", number)
    return list(lines)


def write_npy(data: VectorData, path: Path) -> None:
    """Write the matrix, and its words to ``X.words.txt``."""
    # The words are synced before the matrix gets its name, and get theirs right after it. Words beside another matrix
    # with the same number of rows would be read without an error.
    with atomic_write(_words_beside(path)) as temporary:
        with temporary.open("wb") as stream:
            stream.writelines(word.encode() + b"\n" for word in data.words)
            stream.flush()
            os.fsync(stream.fileno())
        with creating(path) as stream:
            np.save(stream, data.vectors)


def check_npy_places(path: Path) -> None:
    """Raise DataError unless both files could be written, and both or none of them exist, or only the matrix."""
    beside = _words_beside(path)
    check_writable(path)
    check_writable(beside)
    if beside.exists() and not path.exists():
        raise DataError(f"cannot write {path}: {beside} exists without it; move that away, or choose another name")


def _words_beside(path: Path) -> Path:
    return path.with_suffix(".words.txt")

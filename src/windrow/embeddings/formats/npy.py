"""A NumPy matrix, and its words beside it, one per line."""

from __future__ import annotations

import os
import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tokenize import TokenError

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.formats.contract import ReadOptions, VectorData
from windrow.embeddings.formats.rows import chosen_rows
from windrow.errors import DataError, FormatError
from windrow.files.compression import COMPRESSED, creating, reading
from windrow.files.local import is_copy_of_a_pipe, local_file
from windrow.files.model_file import check_finite
from windrow.files.sniff import refuse_bare_returns
from windrow.files.writing import atomic_write, check_writable

_WITH_COUNT = re.compile(rb"\S+[ \t]\d+")


def read_npy(path: Path, options: ReadOptions) -> VectorData:
    """Read a matrix of floating point, (words, dimensions), and its words from ``X.words.txt``."""
    if path.exists():
        check_words_beside(path)
    with local_file(path, unpack=True) as file:
        vectors = read_matrix(file)
        check_finite(vectors, "the matrix", file)
        return with_words_beside(vectors, path, options)


def read_matrix(path: Path) -> NDArray[np.float32]:
    """A matrix of floating point, mapped into memory where it is float32; FormatError for something else."""
    try:
        _check_header_length(path)
        matrix = np.lib.format.open_memmap(path, mode="r")
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, EOFError, SyntaxError, OverflowError, TokenError) as error:  # NumPy raises all of these
        if "Python objects" in str(error):
            raise FormatError(f"{path} is not a valid .npy file: it holds Python objects; save float32") from error
        raise FormatError(f"{path} is not a valid .npy file ({error}); was it cut short?") from error
    if matrix.ndim != 2 or 0 in matrix.shape or matrix.dtype.kind != "f":
        found = f"shape {matrix.shape} of type {matrix.dtype}"
        raise FormatError(f"{path}: expected a matrix (words, dimensions) of floating point, found {found}")
    with np.errstate(over="ignore"):  # the caller finds an infinity
        return np.asarray(matrix, np.float32)


def _check_header_length(path: Path) -> None:
    """Raise ValueError for a header longer than its file: for that much NumPy takes memory."""
    with path.open("rb") as stream:
        start = stream.read(12)
    is_first_version = start[6:7] <= b"\x01"  # which has two bytes for the length
    if not is_first_version and int.from_bytes(start[8:12], "little") > path.stat().st_size:
        raise ValueError("its header is longer than the file")


def check_words_beside(path: Path) -> None:
    """Raise FormatError if the words of a matrix are not in the file beside it."""
    beside = words_beside(path)
    if is_copy_of_a_pipe(path):
        raise FormatError(f"{path} is a matrix, whose words are in a file beside it; name the file, instead of a pipe")
    if not beside.exists():
        raise FormatError(f"{path} needs its words, one per line, in {beside}, which does not exist")


def with_words_beside(vectors: NDArray[np.float32], path: Path, options: ReadOptions) -> VectorData:
    """A matrix that was in ``path``, with the words that its neighbor lists, one per line."""
    beside = words_beside(path)
    words = listed_words(beside)
    if len(words) != len(vectors):
        raise FormatError(f"{path} has {len(vectors)} rows, but {beside} has {len(words)} words")
    if len(words) > 1 and all(map(_WITH_COUNT.fullmatch, words)):
        raise FormatError(f"{beside}: each line is a word and a count; keep the words only: cut -f1 -d' ' FILE")
    chosen, wanted, _ = chosen_rows(words, vectors, beside, "line", options)
    return VectorData(chosen, wanted)


def listed_words(path: Path) -> list[bytes]:
    """The words of a file that has one per line."""
    with reading(path) as stream:
        words = [line.rstrip(b"\r\n") for line in stream]
    if words:
        refuse_bare_returns(words[0], str(path), fields=1)
        words[0] = words[0].removeprefix(BOM_UTF8)
    return words


def write_npy(data: VectorData, path: Path) -> None:
    """Write the matrix, and its words to ``X.words.txt``."""
    with write_beside(data.words, words_beside(path)), creating(path) as stream:
        np.save(stream, data.vectors)


@contextmanager
def write_beside(words: list[str], path: Path) -> Iterator[None]:
    """Within, the file of vectors is written to which these words belong.

    The words are synced before the vectors get their name, and get theirs right after it. Words beside other vectors
    of the same number would be read without an error.
    """
    with atomic_write(path) as temporary:
        with temporary.open("wb") as stream:
            stream.writelines(word.encode() + b"\n" for word in words)
            stream.flush()
            os.fsync(stream.fileno())
        yield


def check_npy_places(path: Path) -> None:
    """Raise DataError unless both files could be written, and both or none of them exist, or only the matrix."""
    beside = words_beside(path)
    check_writable(path)
    check_writable(beside)
    if beside.exists() and not path.exists():
        raise DataError(f"cannot write {path}: {beside} exists without it; move that away, or choose another name")


def words_beside(path: Path) -> Path:
    """The file of words that belongs to a matrix: ``X.words.txt`` for ``X.npy``."""
    matrix = path.with_suffix("") if path.suffix.lower() in COMPRESSED else path
    return matrix.with_suffix(".words.txt")

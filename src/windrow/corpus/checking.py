"""Whether the files of a corpus are as they were written, and lead no kernel out of its arrays."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.corpus.folder import IDS, STARTS, path_errors
from windrow.corpus.vocabulary import Vocabulary
from windrow.errors import FormatError
from windrow.files.checksums import PARTS, digits_of_file

_BLOCK = 1 << 20  # ids or starts handled at a time


def compare_arrays(folder: Path, header: Mapping[str, Any], largest: float) -> None:
    """Compare ids and sentence starts with the checksums in the header, if it has any, where the files are not larger.

    The vocabulary, a model file, is compared when it is opened. Raises FormatError for a file that differs.
    """
    if PARTS in header:
        small = [name for name in (IDS, STARTS) if (folder / name).stat().st_size <= largest]
        _compare(folder, header, small)


def compare_files(folder: Path, header: Mapping[str, Any]) -> bool:
    """Compare all files with the checksums in the header; False where it has none. FormatError for one that differs."""
    _compare(folder, header, header.get(PARTS, ()))
    return PARTS in header


def _compare(folder: Path, header: Mapping[str, Any], names: Iterable[str]) -> None:
    with path_errors("read", folder):
        for name in names:
            if digits_of_file(folder / name) != header[PARTS][name]:
                raise FormatError(f"{folder / name} is damaged: it is not what was written; build the corpus again")


def words_digest(vocabulary: Vocabulary) -> Any:
    """The SHA-256 with which a fingerprint begins; ids and sentence starts follow."""
    digest = hashlib.sha256("\n".join(vocabulary.words).encode("utf-8", "surrogatepass"))
    digest.update(np.ascontiguousarray(vocabulary.counts).data)
    return digest


def compare_fingerprint(folder: Path, header: Mapping[str, Any], vocabulary: Vocabulary) -> None:
    """Raise FormatError unless words, counts, ids and sentence starts have the fingerprint in the header."""
    digest = words_digest(vocabulary)
    with path_errors("read", folder):
        for name in (IDS, STARTS):
            with (folder / name).open("rb") as stream:
                while block := stream.read(_BLOCK):
                    digest.update(block)
    if digest.hexdigest()[:16] != header["fingerprint"]:
        raise FormatError(
            f"{folder} is damaged: its ids, sentence starts or words are not those of its fingerprint; "
            "build the corpus again"
        )


def check_ranges(folder: Path, ids: NDArray[np.int32], starts: NDArray[np.int64], vocabulary: Vocabulary) -> None:
    """Raise FormatError for an id that stands for no word, and for sentence starts that are not in order."""
    lowest = min(vocabulary.unknown_id, 0)
    for begin in range(0, len(ids), _BLOCK):
        block = ids[begin : begin + _BLOCK]
        if block.min() < lowest or block.max() >= len(vocabulary):
            raise FormatError(f"{folder / IDS} is damaged: it holds ids out of range; build the corpus again")
    # Starts that are in order are also in range: opening has checked the first and the last.
    for begin in range(0, len(starts) - 1, _BLOCK):
        block_starts = starts[begin : begin + _BLOCK + 1]
        if (block_starts[1:] < block_starts[:-1]).any():  # a difference could overflow
            raise FormatError(f"{folder / STARTS} is damaged: the starts are not in order; build the corpus again")

"""What TensorBoard's Embedding Projector (projector.tensorflow.org) loads: numbers in one file, words in another."""

from __future__ import annotations

from pathlib import Path

from windrow.embeddings.formats.contract import VectorData, VectorFormat
from windrow.embeddings.formats.npy import write_beside
from windrow.files.compression import creating
from windrow.files.writing import check_writable


def metadata_beside(path: Path) -> Path:
    """The file of words that belongs to one of numbers: ``X.metadata.tsv`` for ``X.tsv``."""
    return path.with_suffix(".metadata.tsv")


def write_projector(data: VectorData, path: Path) -> None:
    """Write a line of numbers with tabs between them for each word, and the words to ``X.metadata.tsv``."""
    with write_beside(data.words, metadata_beside(path)), creating(path) as stream:
        for row in data.vectors:
            stream.write("\t".join(map(str, row)).encode() + b"\n")


def _check_places(path: Path) -> None:
    check_writable(path)
    check_writable(metadata_beside(path))


# Nothing reads it: it is no row of ``FORMATS``, and no extension chooses it.
PROJECTOR = VectorFormat(
    "projector", "TensorBoard's projector", NotImplemented, write_projector, r"\t\n\r", check=_check_places
)

"""From a text to the files of a corpus, in one pass with bounded memory."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow._version import __version__
from windrow.corpus import sources
from windrow.corpus.folder import FORMAT_VERSION, IDS, STARTS, VOCABULARY, disk_errors
from windrow.corpus.numbering import Numbered, SeenWords
from windrow.corpus.reading import TextReader
from windrow.corpus.sources import CORPUS_FORMAT, CORPUS_HEADER
from windrow.corpus.vocabulary import Vocabulary
from windrow.errors import DataError

_BLOCK = 1 << 20  # ids or starts handled at a time
_NO_LIMITS = {"min_count": 1, "max_vocab": None}


def write_corpus(
    folder: Path,
    source: Any,
    reader: TextReader,
    *,
    files: Mapping[str, Any],
    limits: Mapping[str, Any] = _NO_LIMITS,
    specials: Sequence[str] = (),
    fold_lists: bool = True,
) -> None:
    """Write the files of a corpus.

    ``files``: format, field, delimiter, errors and progress of ``Corpus.build``; ``limits``: min_count and max_vocab.
    ``fold_lists``: whether the tokens of lists are lower-cased and normalized as text is.
    """
    rules, seen = reader.rules, SeenWords()
    pieces = sources.read(source, sentences=reader.sentences, **files)
    sentences = _write_provisional(folder, seen.number(pieces, rules, reader.folds, fold_lists))
    _finish(folder, seen, sentences, {**reader.stored(), **limits}, specials, sources.describe(source))


def _write_provisional(folder: Path, batches: Iterable[Numbered]) -> int:
    """Write sentence starts and provisional ids, numbered as words first occur. Returns the number of sentences."""
    tokens = sentences = 0
    with ExitStack() as files:
        with disk_errors(folder):
            # Unbuffered, so that closing cannot fail; the batches are large.
            ids_file = files.enter_context((folder / IDS).open("wb", buffering=0))
            starts_file = files.enter_context((folder / STARTS).open("wb", buffering=0))
            np.zeros(1, np.int64).tofile(starts_file)
        for ids, ends in batches:
            with disk_errors(folder):
                ids.tofile(ids_file)
                (ends + tokens).tofile(starts_file)
            tokens += len(ids)
            sentences += len(ends)
    return sentences


def _finish(
    folder: Path, seen: SeenWords, sentences: int, settings: dict[str, Any], specials: Sequence[str], source_name: str
) -> None:
    """Fix the vocabulary, rewrite the ids accordingly, and write the header."""
    words, counts = seen.words(), seen.counts
    tokens = int(counts.sum())
    if not tokens:
        raise DataError(f"{source_name}: the text is empty: there is no token in it")
    vocabulary, new_ids = Vocabulary.renumbering(
        words,
        counts,
        min_count=settings["min_count"],
        max_size=settings["max_vocab"],
        specials=specials,
    )
    if len(vocabulary) == len(specials):
        raise DataError(
            f"{source_name}: no word occurs {settings['min_count']} times (min_count), "
            f"the most frequent one {counts.max()} times; try a lower min_count"
        )
    kept_tokens = int(counts[new_ids >= 0].sum())
    new_ids[new_ids < 0] = vocabulary.unknown_id
    with disk_errors(folder):
        digest = hashlib.sha256("\n".join(vocabulary.words).encode("utf-8", "surrogatepass"))
        digest.update(vocabulary.counts.data)
        _rewrite_ids(folder / IDS, new_ids, digest.update)
        _read_blocks(folder / STARTS, digest.update)
        vocabulary.save(folder / VOCABULARY)
        header = {
            "format": CORPUS_FORMAT,
            "version": FORMAT_VERSION,
            "windrow": __version__,
            "tokens": tokens,
            "sentences": sentences,
            "types": len(words),
            "vocabulary": len(vocabulary),
            "kept_tokens": kept_tokens,
            **settings,
            "fingerprint": digest.hexdigest()[:16],
        }
        (folder / CORPUS_HEADER).write_text(json.dumps(header, indent=1) + "\n", "utf-8")


def _rewrite_ids(path: Path, new_ids: NDArray[np.int32], on_block: Callable[[bytes], object]) -> None:
    """Replace each provisional id by ``new_ids[id]``, in place, so that the disk never holds the ids twice."""
    with path.open("r+b") as stream:
        while block := stream.read(4 * _BLOCK):
            rewritten = new_ids[np.frombuffer(block, np.int32)].tobytes()
            stream.seek(-len(block), os.SEEK_CUR)
            stream.write(rewritten)
            on_block(rewritten)


def _read_blocks(path: Path, on_block: Callable[[bytes], object]) -> None:
    with path.open("rb") as stream:
        while block := stream.read(4 * _BLOCK):
            on_block(block)

"""From a text to the files of a corpus, in one pass with bounded memory."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from windrow._version import __version__
from windrow.corpus import sources
from windrow.corpus.checking import words_digest
from windrow.corpus.folder import FORMAT_VERSION, IDS, STARTS, VOCABULARY, disk_errors
from windrow.corpus.numbering import MergedWords, Numbered, SeenWords
from windrow.corpus.reading import TextReader
from windrow.corpus.shards import Shards
from windrow.corpus.vocabulary import Vocabulary
from windrow.distributed.workers import Workers
from windrow.errors import DataError
from windrow.files.checksums import OWN, PARTS, TO_COME, Crc, digits_of_file, with_own
from windrow.files.corpus_folder import CORPUS_FORMAT, CORPUS_HEADER

_BLOCK = 1 << 18  # ids or starts handled at a time
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
    vocabulary: Vocabulary | None = None,
    workers: Workers | None = None,
) -> None:
    """Write the files of a corpus.

    ``files``: format, field, delimiter, errors and progress of ``Corpus.build``; ``limits``: min_count and max_vocab.
    ``fold_lists``: whether the tokens of lists are lower-cased and normalized as text is; ``vocabulary``: the words to
    keep, with counts of their own, in place of the limits; ``workers``: who reads the text, in place of this process.
    """

    def write(batches: Iterable[Numbered], seen: Words) -> None:
        settings = {**reader.stored(), **limits}
        write_numbered(folder, batches, seen, settings, specials, sources.describe(source), given=vocabulary)

    if workers is None:
        in_order = SeenWords()
        pieces = sources.read(source, sentences=reader.sentences, as_utf8=reader.is_plain, **files)
        write(in_order.number(pieces, reader.rules, reader.folds, fold_lists), in_order)
        return
    options, merged = dict(files), MergedWords()
    progress = options.pop("progress")
    shards = Shards(source, reader, options)
    with workers:
        write(shards.numbered(workers, merged, progress), merged)


class LeftOut(NamedTuple):
    """What an earlier corpus, of which one is made, left out of its vocabulary."""

    tokens: int
    types: int


class Words(Protocol):
    """Words by their provisional ids, which are known once all of a text is numbered."""

    @property
    def counts(self) -> NDArray[np.int64]: ...  # noqa: D102
    def words(self) -> list[str]: ...  # noqa: D102


def write_numbered(
    folder: Path,
    batches: Iterable[Numbered],
    seen: Words,
    settings: dict[str, Any],
    specials: Sequence[str],
    source_name: str,
    *,
    left_out: LeftOut | None = None,
    given: Vocabulary | None = None,
) -> None:
    """Write the files of a corpus from provisional ids, -1 for what was ``left_out`` already.

    ``settings``: how the text was read, ``min_count`` and ``max_vocab``, as the header has them. ``given``: the
    vocabulary, in place of that of the text.
    """
    sizes = _write_provisional(folder, batches)
    _finish(folder, seen, sizes, settings, specials, source_name, left_out, given)


def _write_provisional(folder: Path, batches: Iterable[Numbered]) -> tuple[int, int]:
    """Write sentence starts and provisional ids, numbered as words first occur. Returns how many tokens, sentences."""
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
    return tokens, sentences


def _finish(
    folder: Path,
    seen: Words,
    sizes: tuple[int, int],
    settings: dict[str, Any],
    specials: Sequence[str],
    source_name: str,
    left_out: LeftOut | None,
    given: Vocabulary | None,
) -> None:
    """Fix the vocabulary, rewrite the ids accordingly, and write the header."""
    words, counts, (tokens, sentences) = seen.words(), seen.counts, sizes
    if not tokens:
        raise DataError(f"{source_name}: the text is empty: there is no token in it")
    limits: Mapping[str, Any] = settings if left_out is None else _NO_LIMITS
    if given is None:
        vocabulary, new_ids = Vocabulary.renumbering(
            words, counts, min_count=limits["min_count"], max_size=limits["max_vocab"], specials=specials
        )
    else:
        vocabulary, new_ids = given, given.encode(words)
        if not (new_ids >= 0).any():
            raise DataError(f"{source_name}: no word of it is in the vocabulary; are both cut into words alike?")
    if len(vocabulary) == len(specials):
        raise DataError(
            f"{source_name}: no word occurs {settings['min_count']} times (min_count), "
            f"the most frequent one {counts.max()} times; try a lower min_count"
        )
    left_out = left_out or LeftOut(int(counts[new_ids < 0].sum()), 0)
    new_ids = np.append(new_ids, np.int32(-1))  # the last is that of -1
    new_ids[new_ids < 0] = vocabulary.unknown_id
    with disk_errors(folder):
        digest = words_digest(vocabulary)
        ids, starts = Crc(), Crc()
        for block in _rewritten_ids(folder / IDS, new_ids):
            digest.update(block)
            ids.update(block)
        for block in _blocks(folder / STARTS):
            digest.update(block)
            starts.update(block)
        vocabulary.save(folder / VOCABULARY)
        header = {
            "format": CORPUS_FORMAT,
            "version": FORMAT_VERSION,
            "windrow": __version__,
            "tokens": tokens,
            "sentences": sentences,
            "types": len(words) + left_out.types,
            "vocabulary": len(vocabulary),
            "kept_tokens": tokens - left_out.tokens,
            **settings,
            "fingerprint": digest.hexdigest()[:16],
            OWN: TO_COME,
            PARTS: {IDS: ids.digits, STARTS: starts.digits, VOCABULARY: digits_of_file(folder / VOCABULARY)},
        }
        (folder / CORPUS_HEADER).write_bytes(with_own(f"{json.dumps(header, indent=1)}\n".encode()))


def _rewritten_ids(path: Path, new_ids: NDArray[np.int32]) -> Iterator[Any]:
    """Replace each provisional id by ``new_ids[id]``, in place, so that the disk never holds the ids twice."""
    old, new = (np.empty(_BLOCK, np.int32) for _ in range(2))  # filled again and again, so that the pages are warm
    with path.open("r+b") as stream:
        while size := stream.readinto(old.data):
            rewritten = new[: size // 4]
            new_ids.take(old[: size // 4], out=rewritten, mode="wrap")  # so that -1 takes the last entry
            stream.seek(-size, os.SEEK_CUR)
            stream.write(rewritten.data)
            yield rewritten.data


def _blocks(path: Path) -> Iterator[Any]:
    with path.open("rb") as stream:
        while block := stream.read(4 * _BLOCK):
            yield block

"""A text read by workers: its files are cut into shards, workers number their words, and here they become one text.

Words are numbered as they first occur, so that those of shards, joined in the order of the text, have the ids that one
pass over it would give them.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from errno import ENOENT
from pathlib import Path
from tempfile import TemporaryFile, gettempdir
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import sources
from windrow.corpus.folder import disk_errors
from windrow.corpus.numbering import MergedWords, Numbered, SeenWords
from windrow.corpus.reading import TextReader
from windrow.corpus.records import RecordReader, check_delimiter
from windrow.corpus.sources import SourceFile
from windrow.corpus.streams import CHUNK_BYTES, STDIN, Meter, ReadProgress, byte_ranges
from windrow.distributed.workers import Workers
from windrow.errors import DataError, OptionError, WindrowError
from windrow.files.urls import is_url
from windrow.files.writing import shortened

_SHARE = (
    8  # of a worker's memory a shard takes one part in so many: its words and their ids may take several times that
)
_SHARDS_EACH = 4  # for each worker, at least, so that all end at about the same time
_BLOCK = 1 << 20  # ids handled at a time
_READER = ("tokenizer", "lowercase", "language", "normalize", "sentences", "version")  # its options, for a worker


class NumberedShard(NamedTuple):
    """What a worker found in a shard."""

    words: NDArray[np.uint8]  # a newline after each, in the order in which they first occur
    counts: NDArray[np.int64]
    ids: NDArray[np.int32]  # of the tokens, into words
    ends: NDArray[np.int64]  # how many tokens come before each end of a sentence
    empty: int  # records without text
    read_bytes: int


class Shards:
    """The shards of the files that a source names.

    ``files``: format, field, delimiter and errors of ``Corpus.build``. Raises as ``sources.read`` does, and OptionError
    for what only this process can read.
    """

    def __init__(self, source: Any, reader: TextReader, files: Mapping[str, Any]) -> None:
        self._files = sources.files_of(source, **files)
        _check_files(self._files)
        reader.rules  # noqa: B018  # raises the error of a tokenizer here
        self._name, self._reader, self._options = sources.describe(source), reader, files
        self._total = sources.total_bytes(self._files)

    def numbered(self, workers: Workers, seen: MergedWords, progress: ReadProgress | None) -> Iterator[Numbered]:
        """Let workers number the words; gives their ids among all words, which ``seen`` takes up."""
        reader = {name: getattr(self._reader, name) for name in _READER}
        shards = _shards(self._files, self._size(workers), self._reader)
        parts = ((shard, str(Path.cwd()), reader, self._options) for shard in shards)
        empty = read_bytes = 0
        for shard in workers.stream(number_shard, parts):
            yield from _with_new_ids(shard, seen)
            empty += shard.empty
            read_bytes += shard.read_bytes
            if progress is not None:
                progress(read_bytes, self._total)
        sources.tell_what_is_empty(empty, self._name)

    def _size(self, workers: Workers) -> int:
        """Bytes of a shard: few enough for the memory of a worker, and for all workers to have some."""
        fair = sys.maxsize if self._total is None else self._total // (_SHARDS_EACH * workers.count)
        return min(workers.memory // _SHARE, max(CHUNK_BYTES, fair))


def _check_files(files: Sequence[SourceFile]) -> None:
    if not files:
        raise OptionError(
            "workers of a Ray cluster read files and URLs, not sentences from Python; write them to a file, "
            "or leave out ray=..."
        )
    for name, *_ in files:
        if name == STDIN or not (is_url(name) or Path(name).is_file()):
            what = "standard input" if name == STDIN else shortened(name)
            raise OptionError(
                f"{what} cannot be read by workers of a Ray cluster; write it to a file, or leave out ray=..."
            )


def _shards(files: Iterable[SourceFile], size: int, reader: TextReader) -> Iterator[list[SourceFile]]:
    """Files cut into shards of about ``size`` bytes: parts of a large plain text, whole files, several small ones."""
    shard: list[SourceFile] = []
    room = size
    for file in files:
        for part in _parts_of(file, size, reader):
            bytes_here = _bytes_of(part)
            if shard and bytes_here > room:
                yield shard
                shard, room = [], size
            shard.append(part)
            room -= bytes_here
    if shard:
        yield shard


def _parts_of(file: SourceFile, size: int, reader: TextReader) -> Iterator[SourceFile]:
    if file.format == "text" and reader.sentences == "line":
        yield from (file._replace(part=part) for part in byte_ranges(file.name, size, reader.rules.by_line))
    else:
        yield file


def _bytes_of(file: SourceFile) -> int:
    if is_url(file.name):
        return sys.maxsize  # not known, so that it gets a shard of its own
    try:
        size = Path(file.name).stat().st_size
    except OSError:  # removed meanwhile; who reads it will say so
        return 0
    return min(size, file.part.stop) - file.part.start


def _with_new_ids(shard: NumberedShard, seen: MergedWords) -> Iterator[Numbered]:
    """The ids of a shard's tokens among all words, in blocks, of which the first has all the ends of sentences."""
    new_ids = seen.add(shard.words.tobytes().decode("utf-8", "surrogatepass").split("\n")[:-1], shard.counts)
    yield Numbered(new_ids[shard.ids[:_BLOCK]], shard.ends)
    for first in range(_BLOCK, len(shard.ids), _BLOCK):
        yield Numbered(new_ids[shard.ids[first : first + _BLOCK]], shard.ends[:0])


# --- what a worker does


def number_shard(
    shard: Sequence[SourceFile], folder: str, reader: Mapping[str, Any], files: Mapping[str, Any]
) -> NumberedShard:
    """Read the files of a shard and number their words.

    ``folder``: to which their names are relative; ``reader``: the options of a TextReader.
    """
    text, meter, seen = TextReader(**reader), Meter(None, None), SeenWords()
    records = RecordReader(files["field"] or "", files["errors"], check_delimiter(files["delimiter"]))
    pieces = (piece for file in shard for piece in _pieces(file, folder, records, meter, text))
    with _Spool(np.int32) as ids, _Spool(np.int64) as ends:
        for batch in seen.number(pieces, text.rules, text.folds):
            ends.add(batch.ends + ids.size)
            ids.add(batch.ids)
        words = "".join(f"{word}\n" for word in seen.words()).encode("utf-8", "surrogatepass")
        found = np.frombuffer(words, np.uint8), seen.counts, ids.array(), ends.array()
    return NumberedShard(*found, records.empty, meter.read_bytes)


def _pieces(file: SourceFile, folder: str, records: RecordReader, meter: Meter, text: TextReader) -> Iterator[Any]:
    """The sentences of a file; errors name it as the user does."""
    if is_url(file.name):
        yield from sources.file_sentences(file, records, meter, text.sentences, as_utf8=text.is_plain)
        return
    path = str(Path(folder, file.name))
    with suppress(OSError):  # other faults are reported when the file is opened
        if not Path(path).exists():
            raise DataError(
                f"cannot read {shortened(file.name)} on the node {platform.node()}: {os.strerror(ENOENT)}; every node "
                "must see the files: put them into a folder that all share, or name URLs"
            )
    try:
        named = file._replace(name=path)
        yield from sources.file_sentences(named, records, meter, text.sentences, as_utf8=text.is_plain)
    except WindrowError as error:
        error.args = tuple(str(part).replace(path, file.name) for part in error.args)
        raise


class _Spool:
    """Arrays one after the other in a temporary file: a shard takes no more memory the longer it is."""

    def __init__(self, kind: type[np.generic]) -> None:
        self._kind, self.size = kind, 0
        self._place = f"{gettempdir()} on the node {platform.node()}"
        with disk_errors(self._place):
            self._file = TemporaryFile()  # noqa: SIM115  # closed by __exit__

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, array: NDArray[Any]) -> None:
        with disk_errors(self._place):
            self._file.write(array.data)
        self.size += len(array)

    def array(self) -> NDArray[Any]:
        """All that was added, also once the file is closed."""
        with disk_errors(self._place):
            self._file.flush()
        return np.asarray(np.memmap(self._file, self._kind)) if self.size else np.zeros(0, self._kind)

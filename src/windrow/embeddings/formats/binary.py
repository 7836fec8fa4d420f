"""word2vec's binary: a word, a space, and the bytes of its float32 numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from windrow.embeddings.formats.contract import ReadOptions, VectorData
from windrow.embeddings.formats.rows import RowReader, check_fits, is_number, read_header
from windrow.errors import FormatError
from windrow.files.compression import creating, reading

_CHUNK = 1 << 20  # bytes read at a time
_LONGEST_WORD = 1 << 16  # bytes before the space that ends a word


def read_binary(path: Path, options: ReadOptions) -> VectorData:
    """Read a header "words dimensions" and the rows; what the header claims is checked against the file's size."""
    with reading(path) as stream:
        words, dim = read_header(stream, path, number_bytes=4)
        check_fits(words, dim, path, options)
        table = RowReader(path, "row", options, dim, words)
        buffer, start = b"", 0
        while table.seen < words and not table.is_full:
            space = buffer.find(b" ", start)
            end = space + 1 + 4 * dim
            if space >= 0 and end <= len(buffer):
                # word2vec.c ends a row with a line feed, gensim does not.
                word, number = buffer[start:space].lstrip(b"\n"), table.seen + 1
                _refuse_garbled(word, table, number)
                if (place := table.place(word, number)) is not None:
                    table.put(place, np.frombuffer(buffer, "<f4", dim, space + 1))
                start = end
                continue
            if space < 0 and len(buffer) - start > _LONGEST_WORD:
                raise FormatError(f"{table.at(table.seen + 1)}: no space ends the word; is the file binary?")
            table.check_finite()
            more = stream.read(max(_CHUNK, len(buffer) - start))  # no more at a time than was there before
            if not more:
                break
            if not table.seen and not start:
                _refuse_text(more, table)
            buffer, start = buffer[start:] + more, 0
        if table.seen == words and (buffer[start:] + stream.read(_CHUNK)).strip(b"\n"):
            raise FormatError(f"{path} has more after the {words} words of its header; was the header edited?")
    return table.finish()


def _refuse_text(start: bytes, table: RowReader) -> None:
    fields = start.partition(b"\n")[0].split()
    if len(fields) == table.dim + 1 and all(map(is_number, fields[1:])):
        raise FormatError(f"{table.path} is word2vec's text, not its binary; say format='txt'")


def _refuse_garbled(word: bytes, table: RowReader, row: int) -> None:
    """A space in a word shifts what follows it by some bytes, which the next word shows: it has some of a vector."""
    if b"\n" in word or b"\0" in word:
        raise FormatError(
            f"{table.at(row)}: {word[:40]!r} is no word; does the one before it hold a space, which this format cannot?"
        )


def write_binary(data: VectorData, path: Path) -> None:
    """The inverse of ``read_binary``."""
    with creating(path) as stream:
        stream.write(b"%d %d\n" % data.vectors.shape)
        for word, row in zip(data.words, data.vectors, strict=True):
            stream.write(word.encode() + b" " + row.astype("<f4").tobytes() + b"\n")

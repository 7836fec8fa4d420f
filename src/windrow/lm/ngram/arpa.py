"""ARPA files of back-off models, as KenLM, SRILM and others write and read them."""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import Vocabulary
from windrow.corpus.streams import Meter, name_of, text_pieces
from windrow.errors import FormatError, OptionError
from windrow.kernels import arpa as kernels
from windrow.kernels.arpa import Rows
from windrow.kernels.ngram_estimate import find_words
from windrow.kernels.tokenise import PAD, WordTable, new_table, with_room
from windrow.lm.ngram.count_files import grams_between
from windrow.lm.ngram.estimation import find_ngram
from windrow.lm.ngram.levels import BackoffModel, Floats, Int32s, Level
from windrow.lm.stream import BOS, SPECIALS
from windrow.storage import atomic_write, pack_words

ZERO = -99.0  # how log10 of 0 is written
_BLOCK = 1 << 15  # n-grams written at a time
_FIRST_ROWS = 1 << 14
_SHOWN = 60  # characters of a line in a message
_COUNT = re.compile(r"ngram\s+(\d+)\s*=\s*(\d+)\s*")
_REASONS = {
    kernels.NO_NUMBER: "does not begin with a log10 probability",
    kernels.NO_BACKOFF: "has something that is no number after its words",
    kernels.FEW_WORDS: "has fewer words than the order of its section",
    kernels.MANY_WORDS: "has more words than the order of its section",
    kernels.UNKNOWN_WORD: "has a word that is not among the 1-grams",
    kernels.POSITIVE: "has a log10 probability above 0",
}

# --- writing


def write_arpa(model: BackoffModel, path: str | os.PathLike[str]) -> None:
    """Write a model as an ARPA file, compressed when the name ends in .gz.

    Reading it gives the same float32 numbers. log10 of 0 is written as -99, that of ``<s>`` as 0, as lmplz does.
    Raises OptionError for a model that the format cannot tell: one whose unseen contexts have a back-off weight
    (stupid back-off), or with white space in a word; DataError when the file cannot be written.
    """
    if model.unseen_backoff:
        raise OptionError("an ARPA file cannot hold stupid back-off: its weight applies to contexts not stored, too")
    for word in model.vocabulary.words:
        if not word or re.search(r"[\x00- ]", word):
            raise OptionError(f"an ARPA file cannot hold the word {word!r}: it is empty or has white space in it")
    packed = pack_words(model.vocabulary.words)
    with atomic_write(path) as temporary, _opened(temporary, str(path).endswith(".gz")) as file:
        header = "".join(f"ngram {k}={size}\n" for k, size in enumerate(model.sizes, 1))
        file.write(f"\\data\\\n{header}".encode())
        for k in range(1, model.order + 1):
            file.write(f"\n\\{k}-grams:\n".encode())
            for lines in _blocks(model, k, packed["word_bytes"], packed["word_offsets"]):
                file.write(lines)
        file.write(b"\n\\end\\\n")


@contextmanager
def _opened(path: Path, compressed: bool) -> Iterator[IO[bytes]]:
    with path.open("wb") as raw:
        if not compressed:
            yield raw
            return
        with gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0) as file:
            yield file  # type: ignore[misc]


def _blocks(
    model: BackoffModel, k: int, word_bytes: NDArray[np.uint8], offsets: NDArray[np.int64]
) -> Iterator[memoryview]:
    """The lines of an order."""
    level = model.levels[k - 1]
    lengths = np.diff(offsets)
    for first in range(0, level.words.size, _BLOCK):
        last = min(level.words.size, first + _BLOCK)
        ids = grams_between(model.levels[:k], first, last)
        probs = _finite(level.log10_probs[first:last])
        if k == 1 and first <= BOS < last:
            probs[BOS - first] = 0
        has_backoffs = level.log10_backoffs is not None
        backoffs = _finite(level.log10_backoffs[first:last]) if level.log10_backoffs is not None else probs
        room = int(lengths[ids].sum()) + (last - first) * (k + 1 + 2 * kernels.NUMBER_BYTES)
        out = np.empty(room, np.uint8)
        size = kernels.write_lines(Rows(ids, probs, backoffs), has_backoffs, word_bytes, offsets, out)
        yield out[:size].data


def _finite(values: Floats) -> NDArray[np.float32]:
    return np.where(np.isneginf(values), np.float32(ZERO), values).astype(np.float32)


# --- reading


def read_arpa(path: str | os.PathLike[str]) -> BackoffModel:
    """Read an ARPA file, compressed or not, of whatever program.

    ``<unk>``, ``<s>`` and ``</s>`` come first in the vocabulary, the other words as in the file; those missing get the
    probability 0, as does what is -99 or less. A missing back-off is 0. A missing context of a longer n-gram is added
    with the probability that the model gives it.
    Raises FormatError, with the line, for a file that is malformed or cut short; DataError if it cannot be read.
    """
    file = os.fspath(path)
    text = _Text(file)
    sizes = _read_header(text)
    vocabulary, unigrams = _read_unigrams(text, sizes)
    table = _word_table(vocabulary, file)
    orders = [unigrams, *(_read_order(text, k, sizes, table) for k in range(2, len(sizes) + 1))]
    text.expect_end()
    return _as_model(file, vocabulary, orders)


class _Text:
    """The file in blocks of whole lines, and how many lines have been read."""

    def __init__(self, file: str) -> None:
        self.name = name_of(file)
        self.line = 0
        self._pieces = text_pieces(file, "strict", Meter(None, None))
        self._held = b""
        self._bytes = bytes(PAD)
        self.block = np.frombuffer(self._bytes, np.uint8)
        self.at = 0

    def more(self) -> bool:
        """Whether there is text left; the next block is read when this one is done."""
        while self.at >= self.block.size - PAD:
            piece = next(self._pieces, None)
            if piece is None:
                return False
            lines, newline, rest = piece.encode().rpartition(b"\n")
            if not newline:
                self._held += rest
                continue
            self._bytes = b"".join([self._held, lines, b"\n", bytes(PAD)])
            self.block = np.frombuffer(self._bytes, np.uint8)
            self._held, self.at = rest, 0
        return True

    def next_line(self) -> str | None:
        """The next line that is not blank, without white space round it; None at the end."""
        while self.more():
            stop = self._bytes.index(b"\n", self.at)
            line = self._bytes[self.at : stop].decode().strip(" \t\r\n\v\f")
            self.at = stop + 1
            self.line += 1
            if line:
                return line
        return None

    def fail(self, what: str) -> NoReturn:
        """Raise FormatError for the line read last."""
        raise FormatError(f"{self.name}, line {self.line}: {what}")

    def fail_at_end(self, missing: str) -> NoReturn:
        """Raise FormatError for a file that ends too early."""
        raise FormatError(f"{self.name}: the file ends after line {self.line}, before {missing}; was it cut short?")

    def expect_end(self) -> None:
        """Read the mark at the end."""
        line = self.next_line()
        if line is None:
            self.fail_at_end("\\end\\")
        if line != "\\end\\":
            self.fail(f"\\end\\ is expected here, not {_shown(line)}")


def _shown(line: str) -> str:
    return repr(line if len(line) <= _SHOWN else f"{line[:_SHOWN]}...")


def _read_header(text: _Text) -> list[int]:
    """How many n-grams each order is said to have."""
    while (line := text.next_line()) != "\\data\\":  # comments may come first
        if line is None:
            raise FormatError(f"{text.name} is no ARPA file: it has no line \\data\\")
    sizes: list[int] = []
    while (line := text.next_line()) is not None and not line.startswith("\\"):
        found = _COUNT.fullmatch(line)
        if not found:
            text.fail(f"'ngram K=NUMBER' is expected here, not {_shown(line)}")
        if int(found[1]) != len(sizes) + 1:
            text.fail(f"the number of {len(sizes) + 1}-grams is expected here, not {_shown(line)}")
        sizes.append(int(found[2]))
    if line is None:
        text.fail_at_end("the 1-grams")
    if not sizes or line != "\\1-grams:":
        text.fail(f"\\1-grams: is expected here, not {_shown(line)}")
    return sizes


def _read_unigrams(text: _Text, sizes: list[int]) -> tuple[Vocabulary, Rows]:
    """The vocabulary, and its n-grams in its order."""
    numbers: dict[str, tuple[float, float]] = {}
    while (line := text.next_line()) is not None and not line.startswith("\\"):
        fields = re.split("[\x00- ]+", line)
        values = [_number(field) for field in [fields[0], *fields[2:]]]
        if len(fields) > 3 or len(fields) < 2 or None in values:
            text.fail(f"'log10p<tab>word<tab>back-off' is expected here, not {_shown(line)}")
        if values[0] > 0 and fields[1] != SPECIALS[BOS]:  # type: ignore[operator]
            text.fail(f"the log10 probability {fields[0]} is above 0")
        if fields[1] in numbers:
            text.fail(f"the word {fields[1]!r} is there twice")
        numbers[fields[1]] = values[0], values[1] if len(values) > 1 else 0.0  # type: ignore[assignment]
    _check_size(text, line, 1, len(numbers), sizes)
    words = [*SPECIALS, *(word for word in numbers if word not in SPECIALS)]
    probs, backoffs = np.array([numbers.get(word, (ZERO, 0.0)) for word in words], np.float32).T
    probs[BOS] = ZERO  # it is never predicted, whatever is written
    ids = np.arange(len(words), dtype=np.int32)[:, None]
    return Vocabulary(words, np.zeros(len(words), np.int64), SPECIALS), Rows(ids, probs.copy(), backoffs.copy())


def _number(field: str) -> float | None:
    try:
        value = float(field)
    except ValueError:
        return None
    return value if np.isfinite(value) and "_" not in field else None


def _check_size(text: _Text, line: str | None, k: int, found: int, sizes: list[int]) -> None:
    """Raise FormatError unless a section ends as it should, and has as many n-grams as the header says."""
    ending = "\\end\\" if k == len(sizes) else f"\\{k + 1}-grams:"
    if line is None:
        text.fail_at_end(ending)
    if line != ending:
        text.fail(f"{ending} is expected here, not {_shown(line)}")
    if found != sizes[k - 1]:
        text.fail(f"there are {found:,} {k}-grams, but the header says {sizes[k - 1]:,}; the file is damaged")
    if k == len(sizes):
        text.at -= len(line) + 1  # expect_end reads it once more
        text.line -= 1


def _word_table(vocabulary: Vocabulary, file: str) -> WordTable:
    packed = pack_words(vocabulary.words)
    word_bytes = np.concatenate([packed["word_bytes"], np.zeros(PAD, np.uint8)])
    most = 1 << len(vocabulary).bit_length()
    # Each word also takes a newline, and its bytes are written eight at a time.
    table = with_room(new_table(most, 0), 0, word_bytes.size + len(vocabulary))
    if kernels.enter_words(word_bytes, packed["word_offsets"], table) >= 0:
        raise FormatError(f"{file}: a word is among the 1-grams twice")
    return table


def _read_order(text: _Text, k: int, sizes: list[int], table: WordTable) -> Rows:
    """The n-grams of an order above the first, as they come; room grows with what is read, not with what is said."""
    rows = _room(k, min(sizes[k - 1], _FIRST_ROWS))
    filled = 0
    while text.more():
        text.at, filled, lines, status = kernels.parse_lines(text.block, text.at, k, table, rows, filled)
        text.line += lines
        if status == kernels.ROWS_FULL:
            rows = _enlarged(rows, min(max(2 * filled, _FIRST_ROWS), max(sizes[k - 1], filled + 1)))
        elif status == kernels.END_OF_SECTION:
            break
        elif status != kernels.END_OF_TEXT:
            text.fail(f"the {k}-gram {_shown(text.next_line() or '')} {_REASONS[status]}")
    line = text.next_line()
    _check_size(text, line, k, filled, sizes)
    return Rows(rows.ids[:filled], rows.log10_probs[:filled], rows.log10_backoffs[:filled])


def _room(k: int, size: int) -> Rows:
    return Rows(np.empty((size, k), np.int32), np.empty(size, np.float32), np.empty(size, np.float32))


def _enlarged(rows: Rows, size: int) -> Rows:
    larger = _room(rows.ids.shape[1], size)
    for new, old in zip(larger, rows, strict=True):
        new[: len(old)] = old
    return larger


# --- to a model


def _as_model(file: str, vocabulary: Vocabulary, orders: list[Rows]) -> BackoffModel:
    """Sort the n-grams of every order; add the contexts that are missing."""
    model = BackoffModel(vocabulary, [])
    added: list[list[NDArray[np.int32]]] = [[] for _ in orders]
    k = 1
    while k <= len(orders):
        rows = orders[k - 1]
        contexts = _context_places(model.levels[: k - 1], rows.ids)
        if (contexts < 0).any():
            missing = np.unique(rows.ids[contexts < 0, :-1], axis=0)
            added[k - 2].append(missing)
            orders[k - 2] = _with_rows(orders[k - 2], missing)
            k -= 1
            del model.levels[k - 1 :]
            continue
        model.levels.append(_level(file, vocabulary, rows, contexts, len(model.levels[-1].words) if k > 1 else 1))
        k += 1
    assert model.levels[-1].log10_backoffs is not None
    model.levels[-1] = model.levels[-1]._replace(log10_backoffs=None)
    for ids in (row for parts in added for part in parts for row in part):
        level = model.levels[len(ids) - 1]
        level.log10_probs[find_ngram(model, ids)] = _backed_off(model, ids.tolist())
    return model


def _context_places(levels: list[Level], ids: NDArray[np.int32]) -> Int32s:
    """The place of each n-gram's context among those of its order, -1 where it is not stored."""
    places = np.zeros(len(ids), np.int32)
    for level, words in zip(levels, ids.T, strict=False):
        found = np.empty(len(ids), np.int32)
        find_words(level.starts, level.words, places, np.ascontiguousarray(words), found)
        places = found
    return places


def _with_rows(rows: Rows, missing: NDArray[np.int32]) -> Rows:
    """Rows, and n-grams whose probability is not known yet."""
    nothing = np.zeros(len(missing), np.float32)
    return Rows(
        np.concatenate([rows.ids, missing]),
        np.concatenate([rows.log10_probs, nothing]),
        np.concatenate([rows.log10_backoffs, nothing]),
    )


def _level(file: str, vocabulary: Vocabulary, rows: Rows, contexts: Int32s, number_of_contexts: int) -> Level:
    keys = contexts.astype(np.int64) << 32 | rows.ids[:, -1]
    order: Any = slice(None)
    if (keys[1:] <= keys[:-1]).any():
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
    if (equal := np.flatnonzero(keys[1:] == keys[:-1])).size:
        words = " ".join(vocabulary.decode(rows.ids[order][equal[0]]))
        raise FormatError(f"{file}: the {rows.ids.shape[1]}-gram {words!r} is there twice")
    starts = np.searchsorted(keys, np.arange(number_of_contexts + 1, dtype=np.int64) << 32).astype(np.int32)
    probs, backoffs = rows.log10_probs[order], rows.log10_backoffs[order]
    probs[probs <= ZERO], backoffs[backoffs <= ZERO] = -np.inf, -np.inf
    return Level(starts, np.ascontiguousarray(rows.ids[order, -1]), probs, backoffs)


def _backed_off(model: BackoffModel, ids: list[int]) -> float:
    """log10 p of the last word by the shorter n-grams."""
    total = 0.0
    for first in range(1, len(ids)):
        context = find_ngram(model, ids[first - 1 : -1])
        backoffs = model.levels[len(ids) - first - 1].log10_backoffs
        assert backoffs is not None
        total += float(backoffs[context]) if context >= 0 else 0.0
        place = find_ngram(model, ids[first:])
        if place >= 0:
            return total + float(model.levels[len(ids) - first - 1].log10_probs[place])
    return total

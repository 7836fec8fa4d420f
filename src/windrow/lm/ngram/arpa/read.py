"""ARPA files to back-off models, whatever program wrote them."""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from collections.abc import Callable
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import Vocabulary
from windrow.corpus.kernels.eight_bytes import PAD
from windrow.corpus.kernels.word_hash import for_more_text, for_twice_the_words, new_word_hash
from windrow.corpus.streams import Meter, name_of, text_pieces
from windrow.errors import DataError, FormatError
from windrow.lm.ngram.arpa.contexts import add_missing, places_of
from windrow.lm.ngram.arpa.special_words import Renumbering, renumbering
from windrow.lm.ngram.kernels import arpa as kernels
from windrow.lm.ngram.kernels.arpa import LOG10_OF_ZERO, Rows
from windrow.lm.ngram.levels import BackoffModel, Int32s, Level, gram_keys
from windrow.lm.symbols import BOS, SPECIALS, UNK

_BLOCK = 1 << 15  # n-grams read at a time
_FIRST_WORDS, _FIRST_BYTES = 1 << 12, 1 << 16  # that a new table of words can hold
_LONGEST_LINE = 1 << 20  # bytes
_DATA, _END, _FIRST_SECTION = "\\data\\", "\\end\\", "\\1-grams:"
_SHOWN = 60  # characters of a line in a message
_COUNT = re.compile(r"ngram[ \t]+([0-9]{1,9})[ \t]*=[ \t]*([0-9]{1,18})", re.IGNORECASE)
_BLANK_LINES = re.compile(rb"(?:[ \t\r]*\n)*")
_Parse = Callable[[NDArray[np.uint8], int, Rows], tuple[int, int, int]]  # text, byte, rows -> byte, rows read, status
_REASONS = {
    kernels.NO_NUMBER: "does not begin with a log10 probability",
    kernels.POSITIVE: "has a log10 probability above 0",
    kernels.FEW_WORDS: "has fewer words than the order of its section",
    kernels.UNKNOWN_WORD: "has a word that is not among the 1-grams",
    kernels.NO_BACKOFF: "has more after its words than a log10 back-off",
}


def read_arpa(path: str | os.PathLike[str], tell: Callable[[str], object] | None = None) -> BackoffModel:
    """Read an ARPA file, compressed or not, of whatever program.

    ``<unk>``, ``<s>`` and ``</s>`` come first in the vocabulary, the other words as in the file. Other spellings of
    the three, such as ``<UNK>`` or ``!ENTER``, are read as they where the file lacks them; ``<UNK>`` always, as KenLM
    does. ``tell`` is called with a sentence if there are such, or no ``<s>`` or ``</s>`` at all. Probability 0 get
    ``<s>``, those of the three that the file lacks, and n-grams whose log10 probability is -99 or less. A missing
    back-off is 0. A missing context of a longer n-gram is added with the probability that the model gives it. Numbers
    are right to a unit in the last place of float32; words are split at spaces and tabs only.
    Raises FormatError, which names the line, for a file that is malformed or cut short; DataError if it cannot be read.
    """
    text = _Text(os.fspath(path))
    sizes = _read_header(text)
    unigrams, words = _read_unigrams(text, sizes)
    levels = [unigrams]
    while len(levels) < len(sizes):
        levels.append(_read_level(text, sizes, levels, words))
    while (line := text.next_line()) is not None:
        text.fail(f"nothing is expected after {_END}, not {_shown(line)}")
    if tell is not None and words.special.told:
        tell(f"{text.name}: {'; '.join(words.special.told)}")
    spelled = words.special.spelled
    return BackoffModel(Vocabulary(spelled, np.zeros(len(spelled), np.int64), SPECIALS), levels)


class _Text:
    """The file in blocks of whole lines, and the number of the last line read."""

    def __init__(self, file: str) -> None:
        self.name = name_of(file)
        self.line = 0
        # Bytes that are not UTF-8 come as surrogates, so that an error can name their line.
        self._pieces = text_pieces(file, "surrogateescape", Meter(None, None), expected="arpa")
        self._held = b""
        self._bytes = bytes(PAD)
        self.block = np.frombuffer(self._bytes, np.uint8)
        self.at = 0

    def more(self) -> bool:
        """Whether there is text left; the next block is read when this one is done."""
        while self.at >= self.block.size - PAD:
            piece = self._next_piece()
            if piece is None:
                return False
            lines, newline, rest = piece.rpartition(b"\n")
            if not newline:
                self._held += rest
                if len(self._held) > _LONGEST_LINE:
                    self.line += 1
                    self.fail(f"the line has more than {_LONGEST_LINE:,} bytes; is this an ARPA file?")
                continue
            self._bytes = b"".join([self._held, lines, b"\n", bytes(PAD)])
            self.block = np.frombuffer(self._bytes, np.uint8)
            self._held, self.at = rest, 0
        return True

    def _next_piece(self) -> bytes | None:
        try:
            piece = next(self._pieces, None)
            return None if piece is None else piece.encode()
        except DataError as error:
            if isinstance(error.__cause__, OSError) and error.__cause__.errno is not None:
                raise
            raise FormatError(str(error)) from error  # without a line: blocks are read ahead
        except UnicodeEncodeError as error:
            self.line += 1 + error.object.count("\n", 0, error.start)
            self.fail("there is a byte that is not UTF-8; convert the file")

    def next_line(self) -> str | None:
        """The next line that is not blank, without white space round it; None at the end."""
        while self.more():
            stop = self._bytes.index(b"\n", self.at)
            line = self._bytes[self.at : stop].decode().strip(" \t\r")
            self.at = stop + 1
            self.line += 1
            if line:
                return line
        return None

    def skip_blank_lines(self) -> None:
        """Go to the next line of this block that is not blank."""
        found = _BLANK_LINES.match(self._bytes, self.at)
        assert found is not None
        self.line += found[0].count(b"\n")
        self.at = found.end()

    def fail(self, what: str) -> NoReturn:
        """Raise FormatError for the last line read."""
        raise FormatError(f"{self.name}, line {self.line}: {what}")

    def fail_at_end(self, missing: str) -> NoReturn:
        """Raise FormatError for a file that ends too early."""
        raise FormatError(f"{self.name}: the file ends after line {self.line}, before {missing}; was it cut short?")


def _shown(line: str) -> str:
    return repr(line if len(line) <= _SHOWN else f"{line[:_SHOWN]}...")


def _is_mark(line: str, mark: str) -> bool:
    """Whether a line is the mark of a part, as programs and people write them: ``\\DATA\\``, ``\\1-Grams``."""
    return "".join(line.lower().split()).removesuffix(":") == mark.removesuffix(":")


def _read_header(text: _Text) -> list[int]:
    """How many n-grams each order has, by the header."""
    while (line := text.next_line()) is None or not _is_mark(line, _DATA):  # comments may come first
        if line is None:
            raise FormatError(f"{text.name} is no ARPA file: none of its {text.line} lines is {_DATA}")
    sizes: list[int] = []
    while (line := text.next_line()) is not None and not line.startswith("\\"):
        found = _COUNT.fullmatch(line)
        if not found:
            text.fail(f"'ngram K=NUMBER' is expected here, not {_shown(line)}")
        if int(found[1]) != len(sizes) + 1:
            text.fail(f"the number of {len(sizes) + 1}-grams is expected here, not {_shown(line)}")
        sizes.append(int(found[2]))
    if line is None:
        text.fail_at_end(_FIRST_SECTION)
    if not sizes or not _is_mark(line, _FIRST_SECTION):
        text.fail(f"{_FIRST_SECTION if sizes else 'the number of 1-grams'} is expected here, not {_shown(line)}")
    return sizes


class _Words:
    """The words by id: the special symbols first, then as in the file."""

    def __init__(self) -> None:
        self.table = new_word_hash(_FIRST_WORDS, _FIRST_BYTES)
        self.known = 0
        self.special = Renumbering(np.empty(0, np.int32), [], False, [])
        lines = "".join(f"0 {special}\n" for special in SPECIALS).encode() + bytes(PAD)
        self.parse(np.frombuffer(lines, np.uint8), 0, _new_rows(1, len(SPECIALS)))

    def parse(self, block: NDArray[np.uint8], at: int, rows: Rows) -> tuple[int, int, int]:
        """Read 1-grams; returns the byte reached, how many rows were read, and why it stopped."""
        self.table = for_more_text(self.table, self.known, block.size - at)
        if self.known == self.table.counts.size:
            self.table = for_twice_the_words(self.table)
        at, size, self.known, status = kernels.parse_unigrams(block, at, self.table, self.known, rows)
        return at, size, status

    def renumber(self, ids: Int32s, order: int) -> None:
        """Find the symbols among the words when all are known; ``ids``: those of the 1-grams."""
        spelled = self.table.arena[: self.table.offsets[self.known]].tobytes().decode().split("\n")[:-1]
        self.special = renumbering(spelled, set(ids[ids < len(SPECIALS)].tolist()), order)


def _new_rows(k: int, size: int) -> Rows:
    return Rows(np.empty((size, k), np.int32), np.empty(size, np.float32), np.empty(size, np.float32))


def _first(rows: Rows, size: int) -> Rows:
    return Rows(rows.ids[:size], rows.log10_probs[:size], rows.log10_backoffs[:size])


class _Section:
    """The n-grams of an order as they are read; the arrays grow with them, whatever the header says."""

    def __init__(self, k: int, sizes: list[int]) -> None:
        self.k, self.promised = k, sizes[k - 1]
        self.with_unk: list[NDArray[np.int64]] | None = None  # rows with <unk>, where it has two spellings
        self.ending = _END if k == len(sizes) else f"\\{k + 1}-grams:"
        self.size = 0
        self.keys = np.empty(0, np.int64)  # place of the context << 32 | last word
        self.probs = np.empty(0, np.float32)
        self.backoffs = np.empty(0, np.float32) if k < len(sizes) else None
        self.missing: list[tuple[NDArray[np.int64], Int32s]] = []  # rows whose context is not stored, and their words
        self._runs = [(0, 0)]  # (row, line): from there on, rows are on consecutive lines

    def append(self, contexts: Int32s, rows: Rows, line: int) -> None:
        """Add rows, the first of them on ``line``; ``contexts``: their places, -1 for one that is not stored."""
        here = slice(self.size, self.size + contexts.size)
        if here.stop > self.keys.size:
            self._resize(min(max(2 * here.stop, _BLOCK), self.promised))
        self.keys[here] = gram_keys(contexts, rows.ids[:, -1])
        self.probs[here] = rows.log10_probs
        if self.backoffs is not None:
            self.backoffs[here] = rows.log10_backoffs
        if self.with_unk is not None:
            self.with_unk.append(np.flatnonzero((rows.ids == UNK).any(axis=1)) + self.size)
        if (lost := np.flatnonzero(contexts < 0)).size:
            self.missing.append((lost + self.size, rows.ids[lost]))
        if line - self.size != self._runs[-1][1] - self._runs[-1][0]:
            self._runs.append((self.size, line))
        self.size = here.stop

    def _resize(self, size: int) -> None:
        # In place, as a copy would need the memory twice; no other reference to the arrays exists.
        for array in (self.keys, self.probs, self.backoffs):
            if array is not None:
                array.resize(size, refcheck=False)

    def line_of(self, row: int) -> int:
        """The line of a row."""
        first, line = self._runs[bisect_right(self._runs, row, key=lambda run: run[0]) - 1]
        return line + row - first

    def level(self, text: _Text, contexts: int) -> Level:
        """The n-grams sorted; ``contexts``: how many n-grams the order below has."""
        self._resize(self.size)
        keys, probs, backoffs = self.keys, self.probs, self.backoffs
        if (keys[1:] <= keys[:-1]).any():
            order = self._in_order(text)
            keys, probs = keys[order], probs[order]
            backoffs = None if backoffs is None else backoffs[order]
        starts = np.searchsorted(keys, np.arange(contexts + 1, dtype=np.int64) << 32).astype(np.int32)
        for numbers in (probs, backoffs):
            if numbers is not None:
                numbers[numbers <= LOG10_OF_ZERO] = -np.inf
        return Level(starts, keys.astype(np.int32), probs, backoffs)  # the lower half of a key is the word

    def _in_order(self, text: _Text) -> NDArray[np.int64]:
        """The rows in the order of their keys; FormatError for an n-gram that is there twice.

        With ``<unk>`` in two spellings, of two 1-grams the last counts, and of longer n-grams the first, as in KenLM.
        """
        order = np.argsort(self.keys, kind="stable")
        is_twice = self.keys[order[1:]] == self.keys[order[:-1]]
        twice = order[1:][is_twice]
        if self.with_unk is not None:
            twice = np.setdiff1d(twice, np.concatenate([np.empty(0, np.int64), *self.with_unk]))
        if twice.size:
            text.line = self.line_of(int(twice.min()))
            text.fail(f"this {self.k}-gram is there for the second time")
        is_kept = ~(np.append(is_twice, False) if self.k == 1 else np.insert(is_twice, 0, False))
        kept: NDArray[np.int64] = order[is_kept]
        return kept


def _read_rows(text: _Text, section: _Section, parse: _Parse, levels: list[Level]) -> None:
    """Read the lines of a section, up to the one that ends it."""
    rows = _new_rows(section.k, _BLOCK)
    while text.more():
        text.at, size, status = parse(text.block, text.at, _first(rows, section.promised - section.size))
        if size:
            found = _first(rows, size)
            section.append(places_of(levels, found.ids[:, :-1]), found, text.line + 1)
            text.line += size
        if status == kernels.BLANK_LINE:
            text.skip_blank_lines()
        elif status == kernels.SECTION:
            break
        elif status == kernels.ROWS_FULL and section.size == section.promised:
            text.next_line()
            text.fail(f"the header says {section.promised:,} {section.k}-grams, here is one more")
        elif status in _REASONS:
            text.fail(f"the {section.k}-gram {_shown(text.next_line() or '')} {_REASONS[status]}")
    line = text.next_line()
    if line is None:
        text.fail_at_end(section.ending)
    if not _is_mark(line, section.ending):
        text.fail(f"{section.ending} is expected here, not {_shown(line)}")
    if section.size < section.promised:
        text.fail(f"{section.size:,} {section.k}-grams end here, but the header says {section.promised:,}")


def _read_unigrams(text: _Text, sizes: list[int]) -> tuple[Level, _Words]:
    """The level, which has a row for every word, and the words."""
    section, words = _Section(1, sizes), _Words()
    _read_rows(text, section, words.parse, [])
    read_ids = section.keys[: section.size].astype(np.int32)  # whose context, the empty one, has the place 0
    words.renumber(read_ids, len(sizes))
    section.keys[: section.size] = words.special.new_ids[read_ids]
    if words.special.merges:
        section.with_unk = [np.flatnonzero(section.keys[: section.size] == UNK)]
    found = section.level(text, 1)
    size = len(words.special.spelled)
    ids = np.arange(size, dtype=np.int32)
    probs = np.full(size, -np.inf, np.float32)
    probs[found.words] = found.log10_probs
    probs[BOS] = -np.inf  # it is never predicted, whatever is written
    backoffs = None
    if found.log10_backoffs is not None:
        backoffs = np.zeros(size, np.float32)
        backoffs[found.words] = found.log10_backoffs
    return Level(np.array([0, size], np.int32), ids, probs, backoffs), words


def _read_level(text: _Text, sizes: list[int], levels: list[Level], words: _Words) -> Level:
    """The order above ``levels``; contexts that are missing are added to them."""
    section = _Section(len(levels) + 1, sizes)
    section.with_unk = [] if words.special.merges else None

    def parse(block: NDArray[np.uint8], at: int, rows: Rows) -> tuple[int, int, int]:
        at, size, status = kernels.parse_lines(block, at, words.table, rows)
        rows.ids[:size] = words.special.new_ids[rows.ids[:size]]
        return at, size, status

    _read_rows(text, section, parse, levels)
    if section.missing:
        where = np.concatenate([rows for rows, _ in section.missing])
        ids = np.concatenate([ids for _, ids in section.missing])
        added_before = add_missing(levels, ids[:, :-1])
        has_context = section.keys[: section.size] >= 0
        keys = section.keys[: section.size][has_context]
        moved_by = np.searchsorted(added_before, keys >> 32, "right")  # places, for each row's context
        section.keys[: section.size][has_context] = keys + (moved_by << 32)
        section.keys[where] = gram_keys(places_of(levels, ids[:, :-1]), ids[:, -1])
    return section.level(text, levels[-1].words.size)

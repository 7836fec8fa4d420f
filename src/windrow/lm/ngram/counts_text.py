"""Write and read counts as text: one n-gram per line, ``w1 w2 ... wk<TAB>count``, as SRILM writes them.

All orders are in one file; an order without n-grams is one line with the count 0. Where ``<s>`` does not mark the
beginning of sentences, n-grams that stand there have one more field, ``^``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import Vocabulary
from windrow.corpus.numbering import SeenWords
from windrow.corpus.streams import Meter, lines, text_pieces
from windrow.corpus.tokenizers import find_tokenizer
from windrow.errors import DataError, FormatError, OptionError, check_path, warn
from windrow.files import compression
from windrow.files.compression import COMPRESSED
from windrow.files.model_file import pack_words
from windrow.files.tempfolder import temporary_folder
from windrow.files.writing import shortened
from windrow.lm.ngram.kernels import counts as kernels
from windrow.lm.ngram.kernels.bisect import find_children
from windrow.lm.ngram.kernels.counts import LINE_END, Int32s, Int64s, Spelling
from windrow.lm.ngram.levels import CountLevel, Level, NGramCounts
from windrow.lm.ngram.merging import MOST, forget, read_only
from windrow.lm.symbols import BOS, EOS, IN_TEXTS, SPECIALS

INITIAL = "^"
_MOST_WORDS = 255  # of an n-gram
_MOST_OF_WORD = 2**63 - 1
_BLOCK = 1 << 16  # n-grams handled at a time
_OUT_BYTES = 1 << 22


# --- writing


def write_counts(counts: NGramCounts, path: str | os.PathLike[str]) -> None:
    """Write the counts of all orders, the lowest first, compressed with gzip when the name ends in ``.gz``.

    The unigrams are the whole vocabulary, in its order. The file appears whole or not at all.
    Raises DataError for words that such a file cannot hold, and when it cannot be written.
    """
    check_compression(path, "counts")
    spelling = _spelling(counts.vocabulary.words)
    longest = int(np.diff(spelling.offsets).max(initial=0))
    out = np.empty(max(_OUT_BYTES, counts.order * (longest + 1) + LINE_END), np.uint8)
    with compression.creating(Path(path)) as file:
        for k, level in enumerate(counts.levels, 1):
            if not level.words.size:
                file.write(f"{' '.join(SPECIALS[:1] * k)}\t0\n".encode())
            for first in range(0, level.words.size, _BLOCK):
                here = slice(first, min(first + _BLOCK, level.words.size))
                grams = grams_between(counts.levels[:k], here.start, here.stop)
                numbers = level.counts[here].astype(np.int64)
                marks = (
                    np.zeros(len(grams), np.bool_) if counts.initial is None else np.array(counts.initial[k - 1][here])
                )
                row = 0
                while row < len(grams):
                    row, size = kernels.format_grams(grams, row, numbers, marks, spelling, out)
                    file.write(out[:size].data)
                forget(array for above in counts.levels[:k] for array in above)


def write_counts_beside(counts: NGramCounts, path: str | os.PathLike[str]) -> None:
    """As ``write_counts``, beside a model that is worth more: a disk that takes no file is only warned of."""
    try:
        write_counts(counts, path)
    except DataError as error:
        if not isinstance(error.__cause__, OSError):
            raise
        warn(f"training goes on without a file of counts: {error}")


def check_compression(path: str | os.PathLike[str], what: str) -> None:
    """Raise OptionError for a file name that asks for another compression than gzip."""
    check_path("path", path)
    suffix = Path(path).suffix.lower()
    if suffix in COMPRESSED - {".gz"}:
        raise OptionError(f"{shortened(path)}: {what} are compressed as .gz or not at all, not as {suffix}")


def grams_between(levels: Sequence[CountLevel | Level], first: int, last: int) -> Int32s:
    """The ids of the n-grams ``first`` to ``last - 1`` of the highest of ``levels``: (last - first, order) int32."""
    if len(levels) == 1:
        return np.arange(first, last, dtype=np.int32)[:, None]
    starts, words = levels[-1].starts, levels[-1].words
    grams = np.empty((last - first, len(levels)), np.int32)
    if last > first:
        # Searched for in the type of the array, which NumPy would convert otherwise.
        begin = int(starts.searchsorted(np.int32(first), "right")) - 1
        end = int(starts.searchsorted(np.int32(last - 1), "right"))
        ends = np.clip(starts[begin : end + 1].astype(np.int64), first, last)
        grams[:, :-1] = np.repeat(grams_between(levels[:-1], begin, end), ends[1:] - ends[:-1], axis=0)
        grams[:, -1] = words[first:last]
    return grams


def _spelling(words: list[str]) -> Spelling:
    text = "\n".join(words)
    if text.split() != words or "\0" in text or text.encode(errors="ignore").decode() != text:
        unfit = next(word for word in words if word.split() != [word] or "\0" in word or not _is_utf8(word))
        raise DataError(
            f"a count file cannot hold the word {unfit!r}: it has white space, NUL or half a character in it"
        )
    packed = pack_words(words)
    return Spelling(read_only(packed["word_bytes"]), packed["word_offsets"])


def _is_utf8(word: str) -> bool:
    return word.encode(errors="ignore").decode() == word


# --- reading


class _Lines(NamedTuple):
    """The lines of a file in numbers, by order: (n, k + 2), the words, the count and whether there is a mark.

    The number of a word or a count is that of its text in ``tokens``, which are in the order of first appearance.
    """

    tokens: list[str]
    by_order: list[Int32s]


def read_counts(path: str | os.PathLike[str]) -> NGramCounts:
    """Read a file of counts, compressed or not, with its lines in any order.

    The vocabulary is in the order of the unigrams if ``<unk>``, ``<s>``, ``</s>`` come first, as ``write_counts``
    writes them; else sorted by decreasing count. ``<s>``, which is never predicted, gets the count 0.
    Raises FormatError, which names the line, for a count that is not a whole number, an n-gram that is there twice or
    has ``<s>`` or ``</s>`` within it, and one without its context or suffix in the file; DataError for a file that
    cannot be read.
    """
    check_path("path", path)
    source = _Source(os.fspath(path))
    with temporary_folder() as folder:
        found = source.lines(folder)
        if not found.by_order or not len(found.by_order[0]):
            raise FormatError(f"{source}: there are no unigrams in it; is it a count file?")
        return _CountsBuilder(source, found).counts()


class _Source:
    """A count file; when an error has to name a line, the file is read again."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __str__(self) -> str:
        return shortened(self._path)

    def lines(self, folder: Path) -> _Lines:
        """Read the file once; its lines are kept as numbers in files of ``folder``."""
        seen, tokenizer = SeenWords(), find_tokenizer("whitespace")
        list(seen.number([f"{INITIAL}\n"], tokenizer, False))  # so that its number is 0
        with ExitStack() as stack:
            files: dict[int, IO[bytes]] = {}
            for k, rows in _rows_by_order(seen, text_pieces(self._path, None, Meter(None, None)), tokenizer):
                if not 1 <= k <= _MOST_WORDS:
                    raise self.error(
                        "this is not an n-gram and its count", lambda words, _: not 1 <= len(words) <= _MOST_WORDS
                    )
                if k not in files:
                    files[k] = stack.enter_context((folder / str(k)).open("wb"))
                rows.tofile(files[k])
        orders = range(1, max(files, default=0) + 1)
        by_order = [
            np.memmap(folder / str(k), np.int32, "r").reshape(-1, k + 2)
            if k in files
            else np.empty((0, k + 2), np.int32)
            for k in orders
        ]
        return _Lines(seen.words(), by_order)

    def error(self, problem: str, at: Callable[[list[str], str], bool]) -> FormatError:
        """The error for the first line of which ``at(words, count)`` holds."""
        numbered = enumerate(lines(text_pieces(self._path, None, Meter(None, None)), str(self)), 1)
        for number, line in numbered:
            fields = line.split()
            if len(fields) > 1 and fields[-1] == INITIAL:
                fields.pop()
            if fields and at(fields[:-1], fields[-1]):
                return FormatError(f"{self}: line {number}: {problem}: {shortened(' '.join(fields))!r}")
        return FormatError(f"{self}: {problem}")


def _rows_by_order(seen: SeenWords, pieces: Iterator[str], tokenizer: Any) -> Iterator[tuple[int, Int32s]]:
    """The lines that are not blank, as rows of numbers, in batches of one order."""
    held = np.empty(0, np.int32)  # of the last line, which is not complete
    for batch in seen.number(pieces, tokenizer, False):
        ids = np.concatenate([held, batch.ids])
        ends = batch.ends + held.size
        starts = np.concatenate([[0], ends[:-1]]).astype(np.int64)[: ends.size]
        held = ids[ends[-1] if ends.size else 0 :]
        if held.size > _MOST_WORDS + 2:  # else a file of one endless line would take all memory
            yield held.size, held[None]
        filled = ends > starts
        starts, ends = starts[filled], ends[filled]
        marks = ids[ends - 1] == 0
        orders = ends - starts - 1 - marks
        for k in np.unique(orders).tolist():
            chosen = orders == k
            if k == 0 or k > _MOST_WORDS:
                yield k, np.empty((0, 0), np.int32)
                continue
            rows = np.empty((np.count_nonzero(chosen), k + 2), np.int32)
            rows[:, :-1] = ids[starts[chosen][:, None] + np.arange(k + 1)]
            rows[:, -1] = marks[chosen]
            yield k, rows


class _CountsBuilder:
    """Builds the levels from the rows of a file, the lowest first."""

    def __init__(self, source: _Source, found: _Lines) -> None:
        self._source = source
        self._tokens = found.tokens
        self._by_order = found.by_order
        self._numbers = np.array([_number(token) for token in found.tokens], np.int64)
        self._levels: list[CountLevel] = []
        self._initial: list[NDArray[np.bool_]] = []

    def counts(self) -> NGramCounts:
        vocabulary = self._take_words()
        for k in range(2, len(self._by_order) + 1):
            self._take_level(k)
        has_marks = any(initial.any() for initial in self._initial)
        return NGramCounts(vocabulary, self._levels, self._initial if has_marks else None)

    def _take_words(self) -> Vocabulary:
        rows = np.array(self._by_order[0])
        self._tokens = self._with_our_symbols(rows)
        counts = self._counts(rows, 0, _MOST_OF_WORD)
        times = np.bincount(rows[:, 0], minlength=len(self._tokens))
        if times.max() > 1:
            raise self._twice([self._tokens[int(times.argmax())]])
        count_of = dict(zip(map(self._tokens.__getitem__, rows[:, 0].tolist()), counts.tolist(), strict=True))
        words = list(count_of)
        if tuple(words[: len(SPECIALS)]) != SPECIALS:
            others = [word for word in words if word not in SPECIALS]
            words = [*SPECIALS, *sorted(others, key=lambda word: -count_of[word])]
        count_of["<s>"] = 0
        counts = np.array([count_of.get(word, 0) for word in words], np.int64)
        self._words = words
        number_of = {word: number for number, word in enumerate(words)}
        self._ids = np.array([number_of.get(token, -1) for token in self._tokens], np.int32)
        size = len(words)
        self._levels.append(
            CountLevel(np.array([0, size], np.int32), np.arange(size, dtype=np.int32), np.zeros(size, np.int32), counts)
        )
        initial = np.zeros(size, np.bool_)
        initial[self._ids[rows[:, 0]]] = rows[:, 2]
        self._initial.append(initial)
        return Vocabulary(words, counts.copy(), SPECIALS)

    def _with_our_symbols(self, unigrams: Int32s) -> list[str]:
        """The tokens; where ``<unk>``, ``<s>`` or ``</s>`` is not among the words, one of its other spellings is."""
        words = {self._tokens[number] for number in unigrams[:, 0].tolist()}
        renamed: dict[str, str] = {}
        for number, symbol in enumerate(SPECIALS):
            spellings = [spelling for spelling, meant in IN_TEXTS.items() if meant == number and spelling in words]
            if spellings and symbol in words:
                warn(f"{self._source}: {', '.join(spellings)} is read as an ordinary word beside {symbol}")
            elif spellings:
                warn(f"{self._source}: {spellings[0]} is read as {symbol}")
                renamed[spellings[0]] = symbol
        return [renamed.get(token, token) for token in self._tokens] if renamed else self._tokens

    def _take_level(self, k: int) -> None:
        rows = self._by_order[k - 1]
        if len(rows) == 1 and self._numbers[rows[0, -2]] == 0:
            rows = rows[:0]
        below = self._levels[-1]
        keys, counts, marks = (
            np.empty(len(rows), np.int64),
            np.empty(len(rows), np.int32),
            np.empty(len(rows), np.bool_),
        )
        for first in range(0, len(rows), _BLOCK):
            block = rows[first : first + _BLOCK]
            here = slice(first, first + len(block))
            keys[here] = self._keys(block, k)
            counts[here] = self._counts(block, 1, MOST)
            marks[here] = block[:, -1]
            forget([rows])
        if (keys[1:] <= keys[:-1]).any():
            order = np.argsort(keys, kind="stable")
            keys, counts, marks = keys[order], counts[order], marks[order]
        contexts, words = (keys >> 32).astype(np.int32), keys.astype(np.int32)
        starts = np.zeros(below.words.size + 1, np.int32)
        np.cumsum(np.bincount(contexts, minlength=below.words.size), out=starts[1:])
        level = CountLevel(starts, words, _children(below, below.suffixes[contexts], words), counts)
        self._levels.append(level)
        self._initial.append(marks)
        self._check_level(keys, level)

    def _keys(self, block: Int32s, k: int) -> Int64s:
        """The place of the context and the last word of each n-gram, in one number."""
        ids = self._ids[block[:, :k]]
        if (inside := np.flatnonzero((ids[:, 1:] == BOS).any(1) | (ids[:, :-1] == EOS).any(1))).size:
            raise self._unfit(block[inside[0], :k], "<s> or </s> is within the n-gram")
        contexts = np.ascontiguousarray(ids[:, 0])
        for column in range(1, k - 1):
            contexts = _children(self._levels[column], contexts, ids[:, column])
        if (missing := np.flatnonzero((contexts < 0) | (ids[:, -1] < 0))).size:
            lacking = "last word" if contexts[missing[0]] >= 0 else _n_words("first", k - 1)
            raise self._unfit(block[missing[0], :k], f"there is no line for its {lacking}")
        return contexts.astype(np.int64) << 32 | ids[:, -1]

    def _counts(self, block: Int32s, least: int, most: int) -> Int64s:
        counts = self._numbers[block[:, -2]]
        if (counts < least).any() or (counts > most).any():
            order = block.shape[1] - 2
            raise self._source.error(
                f"the count is not a whole number from {least} to {most}",
                lambda words, count: len(words) == order and not least <= _number(count) <= most,
            )
        return counts

    def _check_level(self, keys: Int64s, level: CountLevel) -> None:
        twice, alone = np.flatnonzero(keys[1:] == keys[:-1]), np.flatnonzero(level.suffixes < 0)
        if twice.size or alone.size:
            place = int(twice[0] if twice.size else alone[0])
            gram = grams_between(self._levels, place, place + 1)[0]
            words = [self._words[word] for word in gram]
            if twice.size:
                raise self._twice(words)
            raise self._source.error(
                f"there is no line for its {_n_words('last', len(words) - 1)}",
                lambda found, _: found == words,
            )

    def _unfit(self, tokens: Int32s, problem: str) -> FormatError:
        words = [self._tokens[token] for token in tokens]
        return self._source.error(problem, lambda found, _: found == words)

    def _twice(self, words: list[str]) -> FormatError:
        matches: list[str] = []

        def is_second(found: list[str], count: str) -> bool:
            if found == words:
                matches.append(count)
            return len(matches) == 2

        return self._source.error("the n-gram is there for the second time", is_second)


def _children(level: CountLevel, contexts: Int32s, words: Int32s) -> Int32s:
    """The place in a level of the n-grams with these contexts and last words, -1 where there is none."""
    places = np.empty(contexts.size, np.int32)
    starts, level_words = read_only(level.starts), read_only(level.words)
    find_children(starts, level_words, read_only(contexts), read_only(words), places)
    return places


def _n_words(which: str, number: int) -> str:
    return f"{which} word" if number == 1 else f"{which} {number} words"


def _number(token: str) -> int:
    """The whole number that a token spells; -1 if it spells none, or one too large for any count."""
    if not (token.isascii() and token.isdigit() and len(token) <= 19):
        return -1
    return int(token) if int(token) <= _MOST_OF_WORD else -1

"""Look up the words of sentences among those that are known."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise, repeat
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.corpus.kernels.eight_bytes import padded
from windrow.corpus.kernels.known_words import find_words
from windrow.corpus.kernels.tokenize import AHEAD, LINES, new_batch, tokenize
from windrow.corpus.kernels.word_hash import WordHash, for_more_text, new_word_hash
from windrow.corpus.reading import TextReader, is_long
from windrow.corpus.streams import line_blocks
from windrow.corpus.tokenizers import as_tokens

_AT_ONCE, _CHARS_AT_ONCE = 2048, 1 << 20  # sentences, whose vectors then stay in the processor's cache
_NO_PLACES = np.empty((0, 3), np.int64)


class FoundWords(NamedTuple):
    """The words of sentences that are known, one after another: sentence s is ``ids[ends[s - 1] : ends[s]]``."""

    ids: NDArray[np.int32]
    ends: NDArray[np.int64]
    tokens: int  # words of the sentences, known or not
    unknown: list[str]  # the other words, if these are wanted
    unknown_in: NDArray[np.int64]  # the sentence of each


class KnownWords:
    """Finds known words in sentences.

    Parameters
    ----------
    words : sequence of str
        The known words, distinct; the id of each is its place.
    ids : mapping of str to int
        The same; it may hold more words.
    keeps_unknown : bool
        Whether what is found includes the words that are not known.
    """

    def __init__(self, words: Sequence[str], ids: Mapping[str, int], keeps_unknown: bool) -> None:
        self._words, self._ids, self._keeps_unknown = words, ids, keeps_unknown

    def find(self, sentences: Sequence[Any], reader: TextReader) -> Iterator[FoundWords]:
        """The words of sentences, some thousand at a time: of strings as ``reader`` cuts them, or of lists of words.

        DataError, which numbers it, for what is neither.
        """
        for first in range(0, len(sentences), _AT_ONCE):
            yield from self._find_at_once(sentences[first : first + _AT_ONCE], reader, first)

    def find_in_lines(self, text: bytes, reader: TextReader) -> Iterator[FoundWords]:
        """As ``find``, of lines in UTF-8, each with its newline."""
        for _, block in line_blocks([text], "the text"):
            if reader.tokenizer == "whitespace" and len(block) <= _CHARS_AT_ONCE:
                yield self._find_in_text(block, reader)
            else:
                yield from self.find(block.decode().split("\n")[:-1], reader)

    def _find_at_once(self, sentences: Sequence[Any], reader: TextReader, before: int) -> Iterator[FoundWords]:
        """The words of sentences, before which there are so many others; of fewer at a time where they are long."""
        are_strings = set(map(type, sentences)) <= {str}
        if are_strings and len(sentences) > 1 and sum(map(len, sentences)) > _CHARS_AT_ONCE:
            half = len(sentences) // 2
            yield from self._find_at_once(sentences[:half], reader, before)
            yield from self._find_at_once(sentences[half:], reader, before + half)
        elif are_strings and reader.tokenizer == "whitespace" and not (len(sentences) == 1 and is_long(sentences[0])):
            text = "\n".join([*sentences, ""])
            if text.count("\n") > len(sentences):  # white space like any other
                text = "\n".join([*(sentence.replace("\n", " ") for sentence in sentences), ""])
            yield self._find_in_text(text, reader)
        else:
            numbered = enumerate(sentences, before + 1)
            yield self._find_one_by_one(_parts_of(sentence, reader, number) for number, sentence in numbered)

    def _find_in_text(self, text: str | bytes, reader: TextReader) -> FoundWords:
        """The words between white space, by a kernel, of lines that end with a newline."""
        if reader.folds:
            text = reader.rules.fold(text if isinstance(text, str) else text.decode())
        content = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        data = padded(content)
        lines, most = int(np.count_nonzero(data == ord("\n"))), data.size // 2  # in a fifth of ``bytes.count``'s time
        ids, ends = np.empty(most, np.int32), np.empty(lines + LINES, np.int64)
        places = np.empty((most, 3), np.int64) if self._keeps_unknown else _NO_PLACES
        written, unknown, tokens = find_words(data, self._table, new_batch(), ids, ends, places)
        ids, ends = ids[:written], ends[:lines]
        if self._places is not None:
            ids = np.where(ids < 0, ids, self._places[ids])
        if not unknown:
            return FoundWords(ids, ends, tokens, [], _NO_PLACES[:, 0])
        at, starts, stops = places[:unknown].T
        spans = zip(starts.tolist(), stops.tolist(), strict=True)
        words = [content[start:stop].decode("utf-8", "surrogatepass") for start, stop in spans]
        is_known = ids >= 0
        kept = np.concatenate([[0], np.cumsum(is_known)])[ends]
        return FoundWords(ids[is_known], kept, tokens, words, np.searchsorted(ends, at, "right"))

    def _find_one_by_one(self, sentences: Iterable[Iterable[list[str]]]) -> FoundWords:
        """The words of sentences that are cut already, each in parts."""
        rows, stops = array("i"), array("q")
        unknown, unknown_in = list[str](), list[int]()
        for number, sentence in enumerate(sentences):
            for words in sentence:
                rows.extend(map(self._ids.get, words, repeat(-1)))
                if self._keeps_unknown:
                    new = [word for word in words if word not in self._ids]
                    unknown += new
                    unknown_in += [number] * len(new)
            stops.append(len(rows))
        found = np.frombuffer(rows, np.int32) if rows else np.zeros(0, np.int32)
        is_known = (found >= 0) & (found < len(self._words))
        known = [np.count_nonzero(is_known[start:stop]) for start, stop in pairwise([0, *stops])]
        ends = np.cumsum(known, dtype=np.int64)
        return FoundWords(found[is_known], ends, len(found), unknown, np.array(unknown_in, np.int64))

    @cached_property
    def _made(self) -> tuple[WordHash, NDArray[np.int32] | None, bool]:
        return word_table(self._words)

    @property
    def _table(self) -> WordHash:
        return self._made[0]

    @property
    def _places(self) -> NDArray[np.int32] | None:
        return self._made[1]


def _parts_of(sentence: Any, reader: TextReader, number: int) -> Iterable[list[str]]:
    """The words of a sentence, of a long one in parts."""
    if isinstance(sentence, str):
        return reader.iter_tokens(sentence)
    return [reader.folded(as_tokens(sentence, f"document {number}"))]


def word_table(words: Sequence[str]) -> tuple[WordHash, NDArray[np.int32] | None, bool]:
    """A table of the words that hold no white space, numbered as they come; and whether they are distinct.

    The second array says which of ``words`` they are; None: all.
    """
    ids = None
    if " ".join(words).split() != (words if isinstance(words, list) else list(words)):
        ids = np.array([i for i, word in enumerate(words) if word.split() == [word]], np.int32)
        words = [words[i] for i in ids.tolist()]
    text = padded("\n".join([*words, ""]).encode("utf-8", "surrogatepass"))
    most = 1 << (len(words) + AHEAD).bit_length()
    table = for_more_text(new_word_hash(most, 0), 0, text.size)
    # Numbered as they are first seen: the ids are the places.
    numbers, ends = np.empty(len(words) + AHEAD, np.int32), np.empty(len(words) + LINES, np.int64)
    known = tokenize(text, 0, 0, table, new_batch(), numbers, ends)[3]
    return table, ids, known == len(words)

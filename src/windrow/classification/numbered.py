"""Lists of words as numbers, which compiled loops go through; equal words have equal numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.classification.kernels.rows import Rows, count_replaced, replace_numbers
from windrow.corpus.numbering import Piece, SeenWords
from windrow.corpus.tokenizers import TOKENIZERS

_KERNEL_FROM = 1 << 14  # bytes, before which its hash table would cost more than it saves
_TEXTS_AT_A_TIME = 1024  # that are joined


@dataclass(frozen=True)
class Numbered:
    """The different words of some lists, or other things, and by number those of each list."""

    words: list[Any]
    lists: Rows

    @classmethod
    def of_pieces(cls, pieces: Iterable[Piece]) -> Numbered:
        """What stands between white space in each line of a text, which may be cut anywhere; a list is a line."""
        seen, ids, ends, tokens = SeenWords(_KERNEL_FROM), [np.zeros(0, np.int32)], [np.zeros(1, np.int64)], 0
        for found in seen.number(pieces, TOKENIZERS["whitespace"](), False):
            ids.append(found.ids.copy())
            ends.append(found.ends + tokens)
            tokens += len(found.ids)
        return cls(seen.words(), Rows(np.concatenate(ids), np.concatenate(ends)))

    @classmethod
    def of_lists(cls, lists: Iterable[Sequence[Any]]) -> Numbered:
        """Lists of anything that can be in a dict."""
        numbers: dict[Any, int] = {}
        ids, starts = list[int](), [0]
        for one in lists:
            ids += [numbers.setdefault(item, len(numbers)) for item in one]
            starts.append(len(ids))
        return cls(list(numbers), Rows(np.array(ids, np.int32), np.array(starts, np.int64)))

    def __len__(self) -> int:
        return len(self.lists.starts) - 1

    def replaced(self, words: list[Any], by: Rows) -> Numbered:
        """Other words, each old one by those of its list in ``by``."""
        found = Rows(np.empty(count_replaced(self.lists.ids, by), np.int32), np.empty(len(self) + 1, np.int64))
        replace_numbers(self.lists, by, found)
        return Numbered(words, found)

    def without(self, is_left_out: NDArray[np.bool_]) -> Numbered:
        """All but some lists, which are empty."""
        kept = self.lists.starts[1:][~is_left_out]
        return Numbered(self.words, self.lists._replace(starts=np.concatenate([[0], kept])))

    def to_lists(self) -> Iterator[list[Any]]:
        """The lists as they were."""
        items = [self.words[number] for number in self.lists.ids.tolist()]
        return (items[first:last] for first, last in pairwise(self.lists.starts.tolist()))


def joined(texts: Iterable[str]) -> Iterator[str]:
    """Texts as lines, many at a time; line breaks in them are white space like any other."""
    given = iter(texts)
    while some := list(islice(given, _TEXTS_AT_A_TIME)):
        text = "\n".join([*some, ""])
        if text.count("\n") > len(some):
            text = "\n".join([*(one.replace("\n", " ") for one in some), ""])
        yield text

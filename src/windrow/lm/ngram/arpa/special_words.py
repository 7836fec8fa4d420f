"""Which words of an ARPA file are ``<unk>``, ``<s>`` and ``</s>``: programs spell them in different ways."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from windrow.lm.ngram.levels import Int32s
from windrow.lm.symbols import BOS, IN_ARPA_FILES, SPECIALS, UNK, UNKNOWN_IN_CAPITALS

_BARE = frozenset(["UNK", "unk", "Unk", "OOV", "oov", "UNKNOWN", "_UNK_", "_unk_"])  # may be words of a text as well
_MISSING = {BOS: "how sentences begin is not known", BOS + 1: "where sentences end is not predicted"}


class Renumbering(NamedTuple):
    """What the reader has to change: ids of words that are symbols, in other spellings."""

    new_ids: Int32s  # (words,) of the ids in which the words were read
    spelled: list[str]  # the words by their new ids
    merges: bool  # whether <unk> is there in two spellings
    told: list[str]  # what the user should know, one sentence each


def renumbering(words: Sequence[str], present: Collection[int], order: int) -> Renumbering:
    """How words, the symbols first, are renumbered; ``present``: which of the symbols the file, of an order, has.

    A spelling stands for a symbol that the file lacks. ``<UNK>`` is one with ``<unk>`` in any case, as for KenLM.

    >>> renumbering(["<unk>", "<s>", "</s>", "a", "!!UNK", "b"], {1, 2}, order=3).new_ids.tolist()
    [0, 1, 2, 3, 0, 4]
    """
    places = {word: word_id for word_id, word in enumerate(words) if word in IN_ARPA_FILES}
    taken: dict[int, str] = {}  # symbol -> its spelling
    for spelling, symbol in IN_ARPA_FILES.items():
        is_free = symbol not in present and symbol not in taken
        if spelling in places and (is_free or spelling == UNKNOWN_IN_CAPITALS):
            taken[symbol] = spelling
    is_word = np.ones(len(words), np.bool_)
    is_word[[places[spelling] for spelling in taken.values()]] = False
    new_ids = (np.cumsum(is_word) - 1).astype(np.int32)
    for symbol, spelling in taken.items():
        new_ids[places[spelling]] = symbol
    spelled = [word for word, kept in zip(words, is_word.tolist(), strict=True) if kept]
    told = [f"{spelling} is read as {SPECIALS[symbol]}" for symbol, spelling in sorted(taken.items())]
    told += [f"{spelling} is read as an ordinary word" for spelling in places if spelling not in taken.values()]
    if UNK not in present and UNK not in taken:
        told += [
            f"there is no <unk>, and {word} is read as an ordinary word: rename it if it stands for unknown words"
            for word in words
            if word in _BARE
        ]
    told += [
        f"there is no {SPECIALS[symbol]}: {meaning}"
        for symbol, meaning in _MISSING.items()
        if symbol not in present and symbol not in taken and (symbol != BOS or order > 1)  # which 1-grams never follow
    ]
    return Renumbering(new_ids, spelled, UNK in present and UNK in taken, told)

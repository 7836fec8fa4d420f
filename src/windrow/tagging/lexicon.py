"""What the tagger sees of a token: which word it is, its shape, how it begins and ends."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

UNKNOWN, BEGIN, END = "<unk>", "<s>", "</s>"
SPECIALS = (UNKNOWN, BEGIN, END)  # the first rows of the word table, always
_PADDING_FEATURE, _UNKNOWN_FEATURE = 0, 1
_FEATURES_BEFORE = 2  # rows of the feature table that no feature of the list has
_CACHED_TOKENS = 200_000
_DIGIT = re.compile(r"\d")


def shape_of(token: str) -> str:
    """The pattern of case, digits and signs, runs cut to two: Xxx for "London", XX "USA", dd-dd "1914-18"."""
    classes = map(_class_of, token)
    return "".join((run * 2)[: min(2, sum(1 for _ in same))] for run, same in groupby(classes))


def _class_of(character: str) -> str:
    if character.isdigit():
        return "d"
    if character.isupper():
        return "X"
    return "x" if character.isalpha() else character


@dataclass(frozen=True)
class Reading:
    """How tokens are looked at: an unknown word also ``lowercase``, then with digits as 0; ``affixes`` are lengths."""

    lowercase: bool = True
    fold_digits: bool = True
    affixes: tuple[int, ...] = (2, 3, 4)

    def spellings(self, token: str) -> list[str]:
        """The token, and the plainer forms under which a table may know it; the last is the plainest."""
        lower = token.lower() if self.lowercase else token
        folded = _DIGIT.sub("0", lower) if self.fold_digits else lower
        return [token, lower, folded]

    def features(self, token: str) -> list[str]:
        """One feature a slot: the shape, then a prefix and a suffix of each length, "" for a shorter token."""
        lower = token.lower() if self.lowercase else token
        features = [f"shape={shape_of(token)}"]
        for size in self.affixes:
            is_long = len(lower) >= size
            features += [f"{size}-={lower[:size]}", f"-{size}={lower[-size:]}"] if is_long else ["", ""]
        return features

    @property
    def slots(self) -> int:
        """How many features a token has."""
        return 1 + 2 * len(self.affixes)


@dataclass
class Lexicon:
    """The words and features that a tagger knows, and the numbers of both for any token.

    ``words``: SPECIALS first, in the order of the rows of the word table; ``features``: in the order of the feature
    table, after a row for padding and one for unknown features.
    """

    words: Sequence[str]
    features: Sequence[str]
    reading: Reading
    _rows: dict[str, list[int]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self._word_ids = {word: number for number, word in enumerate(self.words)}
        self._feature_ids = {feature: number for number, feature in enumerate(self.features, _FEATURES_BEFORE)}
        padding = [_PADDING_FEATURE] * self.reading.slots
        self.padding = np.array([[self._word_ids[BEGIN], *padding], [self._word_ids[END], *padding]], np.int32)

    @property
    def unknown(self) -> int:
        """The id of words that have none of their own."""
        return self._word_ids[UNKNOWN]

    @property
    def feature_rows(self) -> int:
        """The rows of the feature table."""
        return _FEATURES_BEFORE + len(self.features)

    def rows(self, tokens: Iterable[str]) -> NDArray[np.int32]:
        """The id of the word and the ids of the features of each token, (tokens, 1 + slots)."""
        known = self._rows
        if len(known) > _CACHED_TOKENS:
            known.clear()
        rows = []
        for token in tokens:
            row = known.get(token)
            if row is None:
                row = known[token] = self._row(token)
            rows.append(row)
        return np.array(rows, np.int32).reshape(-1, 1 + self.reading.slots)

    def _row(self, token: str) -> list[int]:
        ids = self._word_ids
        word = next((ids[form] for form in self.reading.spellings(token) if form in ids), ids[UNKNOWN])
        return [word, *(self._feature_ids.get(name, _UNKNOWN_FEATURE) for name in self.reading.features(token))]

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_rows": {}}


def build_lexicon(
    sentences: Iterable[Sequence[str]],
    given: Mapping[str, int],
    reading: Reading,
    min_count: int,
) -> tuple[Lexicon, int]:
    """The words and features of training text, then the words of ``given`` vectors in their order.

    A word that ``given`` has in one of its spellings is not repeated. Words below ``min_count`` are left to `<unk>`,
    which so is trained; a feature must come with two different tokens. Returns the lexicon, and the number of words
    before those of ``given``.
    """
    tokens = Counter(token for sentence in sentences for token in sentence)
    words: Counter[str] = Counter()
    features: Counter[str] = Counter()
    for token, count in tokens.items():
        spellings = reading.spellings(token)
        if not any(form in given for form in spellings):
            words[spellings[-1]] += count
        features.update(filter(None, reading.features(token)))
    own = [*SPECIALS, *(word for word, count in words.items() if count >= min_count and word not in SPECIALS)]
    kept = [feature for feature, count in features.items() if count >= 2]
    return Lexicon([*own, *(word for word in given if word not in SPECIALS)], kept, reading), len(own)

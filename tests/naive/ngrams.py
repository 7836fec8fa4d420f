"""What it is to count n-grams: go through the sentences, and count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

BOS, EOS = 1, 2
Gram = tuple[int, ...]


def stream_of(sentences: Sequence[Sequence[int]], eos: bool = True) -> list[int]:
    return [word for sentence in sentences for word in [BOS, *sentence, *[EOS] * eos]]


def count(sentences: Sequence[Sequence[int]], order: int, bos: bool = True, eos: bool = True) -> list[Counter[Gram]]:
    """``counts[k - 1][gram]``: at how many symbols of the text, other than <s>, the k-gram ends."""
    counts: list[Counter[Gram]] = [Counter() for _ in range(order)]
    for words in sentences:
        symbols = [*[BOS] * bos, *words, *[EOS] * eos]
        for end in range(bos, len(symbols)):
            for k in range(1, min(order, end + 1) + 1):
                counts[k - 1][tuple(symbols[end + 1 - k : end + 1])] += 1
    return counts


def initial(sentences: Sequence[Sequence[int]], order: int, eos: bool = True) -> list[set[Gram]]:
    """The k-grams that a sentence begins with, where beginnings are not marked."""
    symbols = [[*words, *[EOS] * eos] for words in sentences]
    return [{tuple(sentence[:k]) for sentence in symbols if len(sentence) >= k} for k in range(1, order + 1)]

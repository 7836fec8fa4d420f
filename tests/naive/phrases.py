"""Phrases by their definition: one sentence after another, one word after another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import pairwise
from math import log

Phrase = tuple[str, ...]  # the first word, connector words, the last word


def count(sentences: Iterable[Sequence[str]], connectors: Collection[str]) -> tuple[Counter[str], Counter[Phrase]]:
    """How often words, without connector words, and pairs with connector words between them occur."""
    words: Counter[str] = Counter()
    pairs: Counter[Phrase] = Counter()
    for sentence in sentences:
        words.update(word for word in sentence if word not in connectors)
        ends = [place for place, word in enumerate(sentence) if word not in connectors]
        pairs.update(tuple(sentence[first : last + 1]) for first, last in pairwise(ends))
    return words, pairs


def default_score(a: int, b: int, ab: int, types: int, min_count: int, tokens: int) -> float:
    """Of word2phrase, with the number of types in the place of that of tokens."""
    return (ab - min_count) / a / b * types  # in the order of gensim, for the last bit


def npmi_score(a: int, b: int, ab: int, types: int, min_count: int, tokens: int) -> float:
    """Pointwise mutual information over its largest value, that of words which only occur together."""
    return log(ab * tokens / (a * b)) / log(tokens / ab)


def find(
    sentences: Sequence[Sequence[str]],
    score: Callable[..., float],
    min_count: int,
    threshold: float,
    connectors: Collection[str] = (),
) -> dict[Phrase, float]:
    """The phrases, and their scores."""
    words, pairs = count(sentences, connectors)
    types, tokens = len(words) + len(pairs), sum(map(len, sentences))
    scores = {
        pair: score(words[pair[0]], words[pair[-1]], number, types, min_count, tokens)
        for pair, number in pairs.items()
        if number >= min_count
    }
    return {pair: value for pair, value in scores.items() if value > threshold}


def join(
    sentence: Sequence[str], phrases: Collection[Phrase], connectors: Collection[str], delimiter: str
) -> list[str]:
    """A sentence with phrases in the place of their words: at each place from the left, that which begins there."""
    if not sentence:
        return []
    end = 1
    if sentence[0] not in connectors:
        while end < len(sentence) and sentence[end] in connectors:
            end += 1
        if tuple(sentence[: end + 1]) in phrases:
            return [delimiter.join(sentence[: end + 1]), *join(sentence[end + 1 :], phrases, connectors, delimiter)]
    return [sentence[0], *join(sentence[1:], phrases, connectors, delimiter)]

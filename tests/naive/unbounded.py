"""Kneser-Ney smoothing without a highest order, by recursion over dictionaries of the counts of all n-grams.

Sections are those of Chen & Goodman, "An empirical study of smoothing techniques for language modeling" (1999).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cached_property

from tests.naive.ngrams import BOS, EOS, Gram, count


class Unbounded:
    """``discounts[k - 1][c]``: of n-grams of order k with the count c, at most 3; the last also for higher orders."""

    def __init__(self, sentences: Sequence[Sequence[int]], words: int, discounts: Sequence[Sequence[float]]) -> None:
        self.sentences = sentences
        self.words = words
        self.discounts = discounts

    @cached_property
    def counts(self) -> Counter[Gram]:
        """How often each n-gram of any length stands in the text."""
        longest = max(map(len, self.sentences)) + 2
        found = count(self.sentences, longest)
        return sum(found, Counter({(BOS,): len(self.sentences)}))

    @cached_property
    def adjusted(self) -> Counter[Gram]:
        """How many different symbols stand before an n-gram; its count if it begins with <s> (section 2.7)."""
        before = Counter(gram[1:] for gram in self.counts if len(gram) > 1)
        adjusted = {gram: self.counts[gram] if gram[0] == BOS else before[gram] for gram in self.counts}
        return Counter({gram: number for gram, number in adjusted.items() if gram != (BOS,)})

    @cached_property
    def followers(self) -> dict[Gram, dict[int, int]]:
        """The words after each context with the adjusted counts of the n-grams that they end."""
        found: dict[Gram, dict[int, int]] = {}
        for gram, number in self.adjusted.items():
            found.setdefault(gram[:-1], {})[gram[-1]] = number
        return found

    def frequencies(self, order: int) -> list[int]:
        """How many n-grams of an order have the adjusted count 0, 1, .., 4."""
        of_order = [number for gram, number in self.adjusted.items() if len(gram) == order]
        return [sum(number == wanted for number in of_order) for wanted in range(5)]

    def prob(self, context: Gram, word: int) -> float:
        """p(word | context), of a context that begins with <s> or anywhere in a sentence."""
        if word == BOS:
            return 0.0
        lower = self.prob(context[1:], word) if context else 1 / (self.words - 1)
        found = self.followers.get(context)
        if found is None:
            return lower
        discounts = self.discounts[min(len(context), len(self.discounts) - 1)]
        taken = {follower: discounts[min(number, 3)] for follower, number in found.items()}
        kept = max(found[word] - taken[word], 0) if word in found else 0
        return (kept + sum(taken.values()) * lower) / sum(found.values())

    def scores(self, stream: Sequence[int]) -> list[float]:
        """The probability of each symbol of a stream, 1 at <s>."""
        context: list[int] = []
        probs = []
        for word in stream:
            context = [] if word == BOS else context
            probs.append(1.0 if word == BOS else self.prob(tuple(context), word))
            context.append(word)
        return probs

    def longest(self, words: Sequence[int]) -> int:
        """How many of the last words stand in the text one after another."""
        return max(size for size in range(len(words) + 1) if not size or tuple(words[-size:]) in self.counts)


__all__ = ["BOS", "EOS", "Unbounded"]

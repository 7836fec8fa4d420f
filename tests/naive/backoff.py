"""A back-off model as dictionaries, by the rule of Katz (1987): the longest stored n-gram, else back off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BOS = 1


@dataclass
class Backoff:
    """log10 probabilities of n-grams and back-offs of contexts; tuples of ids, the empty context is not stored."""

    order: int
    probs: dict[tuple[int, ...], float]
    backoffs: dict[tuple[int, ...], float]
    unseen_backoff: float = 0.0

    def log10_prob(self, context: tuple[int, ...], word: int) -> tuple[float, int]:
        """log10 p of a word, and the order of the n-gram that gave it."""
        ngram = (*context, word)
        if ngram in self.probs:
            return self.probs[ngram], len(ngram)
        score, order = self.log10_prob(context[1:], word)
        return self.backoffs.get(context, self.unseen_backoff) + score, order

    def score(self, stream: list[int]) -> tuple[list[float], list[int]]:
        """What each symbol of a stream has, 0 at the start of a sentence."""
        scores, orders = [], []
        sentence: tuple[int, ...] = ()
        for word in stream:
            if word == BOS:
                sentence = ()
                score, order = 0.0, 0
            else:
                context = sentence[max(0, len(sentence) - self.order + 1) :]
                score, order = self.log10_prob(context, word)
            sentence = (*sentence, word)
            scores.append(score)
            orders.append(order)
        return scores, orders

    def distribution(self, sentence: list[int], words: int) -> np.ndarray:
        """Probabilities of the next word after the start of a sentence; 0 for BOS."""
        context = tuple(sentence[max(0, len(sentence) - self.order + 1) :])
        return np.array([0.0 if word == BOS else 10 ** self.log10_prob(context, word)[0] for word in range(words)])

"""A linear mixture of back-off models as one, by the definition: n-grams are tuples of words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.naive.backoff import Backoff

Gram = tuple[int, ...]


def part_prob(model: Backoff, own: Sequence[str], union: Sequence[str], gram: Gram) -> float:
    """p(last word | the others) by a model that knows the words ``own``; words of the gram are those of ``union``.

    The words that it lacks are ``<unk>``, whose probability they share with it.
    """
    ids = tuple(own.index(union[word]) if union[word] in own else 0 for word in gram)
    lacking = sum(word not in own for word in union)
    context = ids[max(0, len(ids) - model.order) : -1]
    prob = 10 ** model.log10_prob(context, ids[-1])[0]
    return prob / (lacking + 1) if ids[-1] == 0 else prob


def mix(
    models: Sequence[Backoff], weights: Sequence[float], vocabularies: Sequence[Sequence[str]], union: Sequence[str]
) -> Backoff:
    """The n-grams of all models, with the weighted sums of their probabilities; back-offs so that these sum to 1."""
    grams: set[Gram] = set()
    for model, own in zip(models, vocabularies, strict=True):
        for gram in model.probs:
            grams.add(tuple(union.index(own[word]) for word in gram))
    order = max(model.order for model in models)
    mixed = Backoff(order, {}, {})
    for gram in grams:
        parts = zip(models, vocabularies, strict=True)
        prob = np.dot(weights, [part_prob(model, own, union, gram) for model, own in parts])
        mixed.probs[gram] = float(np.log10(prob)) if prob else -np.inf
    for context in sorted(grams, key=len):
        if len(context) < order:
            mixed.backoffs[context] = new_backoff(mixed, context, len(union))
    return mixed


def new_backoff(model: Backoff, context: Gram, words: int) -> float:
    """log10 of (1 - sum of p(w | h)) / (1 - sum of p(w | h')) over the words w seen after h."""
    seen = [word for word in range(words) if (*context, word) in model.probs]
    left = 1 - sum(10 ** model.probs[*context, word] for word in seen)
    lower_left = 1 - sum(10 ** model.log10_prob(context[1:], word)[0] for word in seen)
    if lower_left < 1e-9:  # every word was seen
        return 0.0
    return float(np.log10(left / lower_left)) if left > 0 else -np.inf

"""The exchange algorithm by its definition: the likelihood of the whole text is computed for every class of a word.

Kneser & Ney 1993, "Improved clustering techniques for class-based statistical language modelling".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import log

from tests.naive.ngrams import BOS, EOS

_FIRST = 3  # class; those before are of <unk>, <s> and </s>


def pairs_of(sentences: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    """Each word with the one after it, marks of sentences among them."""
    marked = ([BOS, *sentence, EOS] for sentence in sentences)
    return [pair for sentence in marked for pair in pairwise(sentence)]


def log_likelihood(pairs: Sequence[tuple[int, int]], classes: Sequence[int]) -> float:
    """Of the second word of each pair: p(its class | class of the first) p(word | its class), by relative frequency."""
    of_classes = Counter((classes[first], classes[second]) for first, second in pairs)
    firsts = Counter(classes[first] for first, _ in pairs)
    seconds = Counter(classes[second] for _, second in pairs)
    words = Counter(second for _, second in pairs)
    return sum(
        log(of_classes[classes[first], classes[second]] / firsts[classes[first]])
        + log(words[second] / seconds[classes[second]])
        for first, second in pairs
    )


def exchange(pairs: Sequence[tuple[int, int]], classes: Sequence[int], size: int) -> list[int]:
    """One pass: each word goes to the class, of ``size``, with the highest likelihood; the last of a class stays."""
    found = list(classes)
    for word in range(_FIRST, len(found)):
        if found.count(found[word]) > 1:
            gains = {to: log_likelihood(pairs, [*found[:word], to, *found[word + 1 :]]) for to in range(_FIRST, size)}
            best = found[word]
            for to, gain in gains.items():
                best = to if gain > gains[best] + 1e-6 else best
            found[word] = best
    return found

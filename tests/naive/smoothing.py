"""p(w | h) as the smoothing methods define it, by recursion over dictionaries of counts.

Sections and equation numbers are those of Chen & Goodman, "An empirical study of smoothing techniques for language
modeling" (1999). Words are ids; a context is a tuple of them, the latest last.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

from tests.naive.backoff import Backoff
from tests.naive.ngrams import BOS, EOS, Gram, count, initial

UNK = 0
FALLBACK = {1: 0.5, 2: 1.0, 3: 1.5}


@dataclass
class Text:
    """Sentences, their n-grams, and what of them is to be kept."""

    sentences: Sequence[Sequence[int]]
    order: int
    size: int  # of the vocabulary
    bos: bool = True
    eos: bool = True
    prune: Sequence[int] = ()
    keep_words: frozenset[int] | None = None
    open_vocabulary: bool = True

    @cached_property
    def counts(self) -> list[Counter[Gram]]:
        return count(self.sentences, self.order, self.bos, self.eos)

    @cached_property
    def adjusted(self) -> list[Counter[Gram]]:
        """How many different symbols stand before an n-gram; its count if it begins with <s> or is of the top order."""
        beginnings = initial(self.sentences, self.order, self.eos)
        adjusted: list[Counter[Gram]] = []
        for k, counts in enumerate(self.counts[:-1], 1):
            before = Counter(gram[1:] for gram in self.counts[k])
            if not self.bos:
                before.update(beginnings[k - 1])
            adjusted.append(Counter({gram: counts[gram] if gram[0] == BOS else before[gram] for gram in counts}))
        return [*adjusted, self.counts[-1]]

    @cached_property
    def kept_words(self) -> set[int]:
        words = {word for word in range(self.size) if self.keep_words is None or word in self.keep_words}
        if self.prune and self.prune[0]:
            words = {word for word in words if self.counts[0][word,] > self.prune[0]}
        return words | {UNK, BOS, EOS}

    def keeps(self, gram: Gram) -> bool:
        thresholds = [*self.prune, *[self.prune[-1] if self.prune else 0] * self.order]
        often = self.counts[len(gram) - 1][gram] > thresholds[len(gram) - 1]
        return (often or (len(gram) == 1 and gram[0] <= EOS)) and set(gram) <= self.kept_words

    @cached_property
    def words(self) -> list[int]:
        """Those that can be predicted."""
        words = self.kept_words - {BOS}
        if not self.counts[0][EOS,]:
            words -= {EOS}
        if not self.open_vocabulary and not self.counts[0][UNK,]:
            words -= {UNK}
        return sorted(words)


@dataclass
class Naive:
    """A method: what a seen n-gram has by itself, ``alpha(model, counts after its context, its count, its order)``."""

    text: Text
    alpha: Callable[[Naive, list[int], int, int], float]
    adjusted: bool = False
    interpolate: bool = True
    delta: float = 1.0
    weights: Sequence[float] = ()
    fallback: bool = False
    unk_mass: float | None = None
    pad: int = 0  # the unigrams divide what they leave over among this many words at least
    only_unseen: bool = False  # they give it to <unk> and words that do not occur
    spare: float = 0.0  # so many events more where nothing is left for other words: neither discounted nor pruned
    known: dict[tuple[int, Gram], float] = field(default_factory=dict)

    @property
    def counts(self) -> list[Counter[Gram]]:
        return self.text.adjusted if self.adjusted else self.text.counts

    @cached_property
    def by_context(self) -> dict[Gram, Counter[int]]:
        after: dict[Gram, Counter[int]] = {}
        for grams in self.counts:
            for gram, number in grams.items():
                after.setdefault(gram[:-1], Counter())[gram[-1]] = number
        return after

    def frequency(self, k: int, number: int) -> int:
        """How many k-grams have this count."""
        return list(self.counts[k - 1].values()).count(number)

    def prob(self, word: int, context: Gram) -> float:
        if (word, context) not in self.known:
            self.known[word, context] = self._prob(word, context)
        return self.known[word, context]

    def _prob(self, word: int, context: Gram) -> float:
        p = self.smoothed(word, context)
        if not context and self.unk_mass is not None:
            unknown = self.smoothed(UNK, ())
            return self.unk_mass if word == UNK else p * (1 - self.unk_mass) / (1 - unknown)
        return p

    def smoothed(self, word: int, context: Gram) -> float:
        after = self.by_context.get(context, Counter())
        if word not in self.text.words:
            return 0.0
        if not sum(after.values()):
            return self.lower(word, context)
        events, k = list(after.values()), len(context) + 1
        alphas = {
            v: self.alpha(self, events, after[v], k)
            for v in self.text.words
            if after[v] and self.text.keeps((*context, v))
        }
        left_over = 1 - sum(alphas.values())
        others = [v for v in self.text.words if v not in alphas]
        if self.spare and others and abs(left_over) < 1e-12:
            left_over = self.spare / (sum(events) + self.spare)
            alphas = {v: alpha * (1 - left_over) for v, alpha in alphas.items()}
        if self.interpolate or not context or not (others or self.pad > len(self.text.words)):
            return alphas.get(word, 0.0) + left_over * self.lower(word, context)
        if word in alphas:
            return alphas[word]
        return left_over * self.lower(word, context) / (1 - sum(self.lower(v, context) for v in alphas))

    def lower(self, word: int, context: Gram) -> float:
        if context:
            return self.prob(word, context[1:])
        if self.only_unseen:
            unseen = [v for v in self.text.words if v == UNK or not self.text.counts[0][v,]]
            return (word in unseen) / len(unseen)
        return 1 / self.parts

    @property
    def parts(self) -> int:
        return max(len(self.text.words), self.pad)


# --- the methods


def three_discounts(model: Naive, k: int) -> dict[int, float]:
    """Eq. 26."""
    n1, n2, n3, n4 = (model.frequency(k, number) for number in (1, 2, 3, 4))
    if not (n1 and n2 and n3):
        assert model.fallback
        return FALLBACK
    y = n1 / (n1 + 2 * n2)
    discounts = {1: 1 - 2 * y * n2 / n1, 2: 2 - 3 * y * n3 / n2, 3: 3 - 4 * y * n4 / n3}
    if all(0 <= discount <= number for number, discount in discounts.items()):
        return discounts
    assert model.fallback
    return FALLBACK


def modified_kneser_ney(model: Naive, events: list[int], number: int, k: int) -> float:
    """Section 3."""
    return (number - three_discounts(model, k)[min(number, 3)]) / sum(events)


def one_discount(model: Naive, events: list[int], number: int, k: int) -> float:
    """Sections 2.6 and 2.7."""
    n1, n2 = model.frequency(k, 1), model.frequency(k, 2)
    assert (n1 and n2) or model.fallback
    return (number - (n1 / (n1 + 2 * n2) if n1 and n2 else 0.5)) / sum(events)


def katz(model: Naive, events: list[int], number: int, k: int) -> float:
    """Section 2.4, with the highest cut-off up to 7 that makes sense; see ``spare``."""
    return good_turing(model, number, k) / sum(events)


def good_turing(model: Naive, number: int, k: int) -> float:
    def ratio(r: int, cutoff: int) -> Fraction:
        n1, n_r, n_next = model.frequency(k, 1), model.frequency(k, r), model.frequency(k, r + 1)
        if not (n1 and n_r):
            return Fraction(0)  # there is none
        beyond = Fraction((cutoff + 1) * model.frequency(k, cutoff + 1), n1)
        return (Fraction((r + 1) * n_next, n_r * r) - beyond) / (1 - beyond) if beyond < 1 else Fraction(0)

    for cutoff in range(7, 1, -1):
        if all(0 < ratio(r, cutoff) <= 1 for r in range(1, cutoff + 1)):
            return float(number * ratio(number, cutoff)) if number <= cutoff else number
    assert model.fallback
    return number - 0.5


def witten_bell(model: Naive, events: list[int], number: int, k: int) -> float:
    """Section 2.5."""
    return number / (sum(events) + sum(event > 0 for event in events))


def jelinek_mercer(model: Naive, events: list[int], number: int, k: int) -> float:
    """Section 2.3."""
    return model.weights[k - 1] * number / sum(events)


def relative_frequency(model: Naive, events: list[int], number: int, k: int) -> float:
    return number / sum(events)


class AddDelta(Naive):
    """Section 2.1: (c + delta) / (c(h) + delta V), of the longest context; it is uniform after contexts not seen."""

    def smoothed(self, word: int, context: Gram) -> float:
        if word not in self.text.words:
            return 0.0
        uniform = self.prob(word, ()) if context else 1 / self.parts  # but for a given mass of <unk>
        longest = len(context) == self.text.order - 1 or context[:1] == (BOS,)
        after = self.by_context.get(context, Counter()) if longest else Counter()
        pruned = sum(number for v, number in after.items() if not self.text.keeps((*context, v)))
        number = after[word] if self.text.keeps((*context, word)) else 0
        added = self.delta * self.parts
        return (number + (added + pruned) * uniform) / (sum(after.values()) + added)


class StupidBackoff(Naive):
    """Brants et al. 2007, eq. 5: scores, not probabilities."""

    def smoothed(self, word: int, context: Gram) -> float:
        after = self.by_context.get(context, Counter())
        if word in self.text.words and after[word] and self.text.keeps((*context, word)):
            return after[word] / sum(after.values())
        return 0.4 * self.prob(word, context[1:]) if context else 0.0


METHODS: dict[str, Callable[..., Naive]] = {
    "modified-kneser-ney": lambda text, **o: Naive(text, modified_kneser_ney, adjusted=True, **o),
    "kneser-ney": lambda text, **o: Naive(text, one_discount, adjusted=True, **o),
    "witten-bell": lambda text, **o: Naive(text, witten_bell, **o),
    "absolute": lambda text, **o: Naive(text, one_discount, **o),
    "katz": lambda text, **o: Naive(text, katz, **{**o, "interpolate": False, "spare": 1.0}),
    "jelinek-mercer": lambda text, **o: Naive(text, jelinek_mercer, **o),
    "add-delta": lambda text, **o: AddDelta(text, relative_frequency, **o),
    "mle": lambda text, **o: Naive(text, relative_frequency, **o),
    "stupid-backoff": lambda text, **o: StupidBackoff(text, relative_frequency, **o),
}


# --- weights by EM, and lmplz's slip


def fit_weights(text: Text, heldout: Text | None = None, *, rounds: int) -> list[float]:
    """EM for p_k = weight_k f_k + (1 - weight_k) p_(k-1): events of held-out text, or of the text, each left out."""
    asked = text if heldout is None else heldout
    out = 1 if heldout is None else 0  # the event is left out of the counts
    totals: Counter[Gram] = Counter()
    for grams in text.counts:
        for gram, number in grams.items():
            totals[gram[:-1]] += number
    weights = [0.5] * text.order
    events = [
        (g, c) for k, grams in enumerate(asked.counts, 1) for g, c in grams.items() if k == text.order or g[0] == BOS
    ]
    for _ in range(rounds):
        gave, asked_for = [0.0] * text.order, [0.0] * text.order
        for gram, number in events:
            mixtures, shares = [1 / len(text.words)], []
            for k in range(1, len(gram) + 1):
                end = gram[len(gram) - k :]
                others = totals[end[:-1]] - out
                share = weights[k - 1] * (text.counts[k - 1][end] - out) / others if others > 0 else None
                rest = 1 - weights[k - 1] if share is not None else 1
                shares.append(share)
                mixtures.append((share or 0) + rest * mixtures[-1])
            reached = float(number)
            for k in range(len(gram), 0, -1):
                share = shares[k - 1]
                if share is not None:
                    asked_for[k - 1] += reached
                    gave[k - 1] += reached * share / mixtures[k]
                    reached -= reached * share / mixtures[k]
        weights = [g / a if a else w for g, a, w in zip(gave, asked_for, weights, strict=True)]
    return weights


def lmplz_slips(text: Text) -> dict[int, tuple[int, int]]:
    """For each order below the highest, the n-gram that lmplz counts wrongly: adjusted count, and the raw one it takes.

    lmplz pads sentences with <s>, numbers words as they appear, and sorts the padded n-grams by their last word, then
    by the one before, and so on. When it has come to the end, the suffixes of the last one enter with raw counts.
    """
    seen = [UNK, BOS, EOS]
    for sentence in text.sentences:
        seen += [word for word in dict.fromkeys(sentence) if word not in seen]
    padded = []
    for sentence in text.sentences:
        symbols = [*[BOS] * (text.order - 1), *sentence, EOS]
        padded += [tuple(symbols[end - text.order : end]) for end in range(text.order, len(symbols) + 1)]
    last = max(padded, key=lambda gram: [seen.index(word) for word in reversed(gram)])
    slips = {}
    for k in range(1, text.order):
        gram = last[text.order - k :]
        if gram[:2] == (BOS, BOS):
            break
        slips[k] = (text.adjusted[k - 1][gram], text.counts[k - 1][gram])
    return slips


# --- entropy pruning


def prune_by_entropy(model: Backoff, words: int, threshold: float) -> tuple[Backoff, float]:
    """Stolcke (1998): what stays of a model, and how near to the threshold a change of perplexity came.

    Each n-gram is left out alone, the back-off of its context computed again, and the divergence of the distribution
    after the context summed over all words.
    """
    changes = {gram: perplexity_change(model, words, gram) for gram in model.probs if len(gram) > 1}
    kept = {gram for gram in model.probs if len(gram) == 1 or changes[gram] >= threshold}
    kept |= {gram[:k] for gram in kept for k in range(1, len(gram))}
    pruned = Backoff(model.order, {g: p for g, p in model.probs.items() if g in kept}, {}, model.unseen_backoff)
    for context in sorted((gram for gram in kept if len(gram) < model.order), key=len):
        pruned.backoffs[context] = log10_backoff(pruned, words, context)
    return pruned, min((abs(change - threshold) for change in changes.values()), default=math.inf)


def log10_backoff(model: Backoff, words: int, context: Gram) -> float:
    """That with which the distribution after a context sums to one."""
    stored = [word for word in range(words) if (*context, word) in model.probs]
    left = 1 - sum(10 ** model.probs[(*context, word)] for word in stored)
    lower_left = 1 - sum(10 ** model.log10_prob(context[1:], word)[0] for word in stored)
    if lower_left < 1e-12:
        return 0.0
    return math.log10(left / lower_left) if left > 0 else -math.inf


def perplexity_change(model: Backoff, words: int, gram: Gram) -> float:
    context = gram[:-1]
    without = Backoff(model.order, {g: p for g, p in model.probs.items() if g != gram}, dict(model.backoffs))
    without.backoffs[context] = log10_backoff(without, words, context)
    divergence = 0.0
    for word in range(words):
        before, after = model.log10_prob(context, word)[0], without.log10_prob(context, word)[0]
        if word != BOS and before > -math.inf:
            divergence += 10**before * (before - after) * math.log(10)
    marginal = 1.0
    for end, word in enumerate(context):
        symbol = EOS if word == BOS else word
        marginal *= 10 ** model.log10_prob(context[:end], symbol)[0]
    return math.expm1(marginal * divergence)

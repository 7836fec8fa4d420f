"""A slow reader of sound ARPA files: one line at a time, into dictionaries by words."""

from __future__ import annotations

import re
from math import inf

from tests.naive.backoff import Backoff

SPECIALS = ["<unk>", "<s>", "</s>"]


def read(text: str) -> tuple[list[str], Backoff]:
    """The words by id, and the model."""
    sections: list[list[list[str]]] = []
    for line in text.partition("\\data\\")[2].split("\n"):
        fields = [field for field in re.split("[ \t\r]", line) if field]
        if fields and re.fullmatch(r"\\\d+-grams:", fields[0]):
            sections.append([])
        elif fields and sections and fields[0] != "\\end\\":
            sections[-1].append(fields)
    words = SPECIALS + [fields[1] for fields in sections[0] if fields[1] not in SPECIALS]
    ids = {word: word_id for word_id, word in enumerate(words)}
    model = Backoff(len(sections), {(word,): -inf for word in range(3)}, {(word,): 0.0 for word in range(3)})
    for order, section in enumerate(sections, 1):
        for fields in section:
            ngram = tuple(ids[word] for word in fields[1 : order + 1])
            model.probs[ngram] = number(fields[0])
            model.backoffs[ngram] = number(fields[order + 1]) if len(fields) > order + 1 else 0.0
    model.probs[1,] = -inf
    for order in range(2, len(sections)):
        for ngram in [ngram for ngram in model.probs if len(ngram) > order]:
            if ngram[:order] not in model.probs:
                model.probs[ngram[:order]] = model.log10_prob(ngram[: order - 1], ngram[order - 1])[0]
    if len(sections) > 1:
        model.backoffs = {ngram: model.backoffs.get(ngram, 0.0) for ngram in model.probs if len(ngram) < len(sections)}
    return words, model


def number(field: str) -> float:
    return float(field) if float(field) > -99 else -inf

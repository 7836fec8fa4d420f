"""Answers to the exercises on generation, and mistakes that their checks find."""

from __future__ import annotations

import math

import numpy as np


def sentence_probability(after, words):
    probability = 1.0
    for place, word in enumerate([*words, "</s>"]):
        probability *= after(words[:place]).get(word, 0)
    return probability


def mistaken_sentence_probability_without_the_end(after, words):
    probability = 1.0
    for place, word in enumerate(words):
        probability *= after(words[:place]).get(word, 0)
    return probability


def beam_step(beams, after, size):
    extended = [(score + math.log(p), (*text, word)) for score, text in beams for word, p in after(text).items()]
    return sorted(extended, reverse=True)[:size]


def mistaken_beam_step_adds_probabilities(beams, after, size):
    extended = [(score + p, (*text, word)) for score, text in beams for word, p in after(text).items()]
    return sorted(extended, reverse=True)[:size]


def mistaken_beam_step_size_of_each(beams, after, size):
    extended = [
        (score + math.log(p), (*text, word)) for score, text in beams for word, p in list(after(text).items())[:1]
    ]
    return sorted(extended, reverse=True)[:size]


def tempered(p, temperature):
    weights = p ** (1 / temperature)
    return weights / weights.sum()


def mistaken_tempered_not_scaled(p, temperature):
    return p ** (1 / temperature)


def mistaken_tempered_inverse(p, temperature):
    weights = p**temperature
    return weights / weights.sum()


def nucleus(p, mass):
    places = np.argsort(-p, kind="stable")
    count = np.searchsorted(p[places].cumsum(), mass * p.sum()) + 1
    return places[:count]


def mistaken_nucleus_one_too_few(p, mass):
    places = np.argsort(-p, kind="stable")
    return places[p[places].cumsum() <= mass]

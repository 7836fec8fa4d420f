"""Text from a language model: the likeliest word each time, drawn words, or beam search."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from windrow.errors import MissingWordError, OptionError, check_range, check_whole
from windrow.lm.stream import BOS, EOS, UNK

if TYPE_CHECKING:
    from windrow.lm.base import LanguageModel, Tokens

Floats = NDArray[np.float64]
Streamer = Callable[[str], object]


@dataclass(frozen=True)
class Generation:
    """What a model made of a prompt.

    ``prompt``: its words; ``unknown``: those that the model does not know, and read as ``<unk>``; ``tokens``: the new
    words; ``log10_probs``: the model's own log10 probability of each, whatever the options did to it, and of ``</s>``
    if the text is ``finished``. ``score``: what beams are ranked by, else the sum of ``log10_probs``.
    """

    prompt: list[str]
    unknown: list[str]
    tokens: list[str]
    log10_probs: list[float]
    finished: bool
    score: float

    @property
    def text(self) -> str:
        """The prompt and the words that go on from it."""
        return " ".join([*self.prompt, *self.tokens])

    @property
    def log10_prob(self) -> float:
        """log10 of the probability of the new words, and of ``</s>`` if it came, after the prompt."""
        return sum(self.log10_probs)

    def to_json(self) -> dict[str, Any]:
        """The result as plain data."""
        names = ("tokens", "log10_probs", "finished")
        plain = {name: getattr(self, name) for name in names}
        return {"text": self.text, "log10_prob": self.log10_prob, **plain, "unknown": self.unknown}


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to generate; see ``generate``."""

    max_new_tokens: int
    do_sample: bool
    temperature: float
    top_k: int
    top_p: float
    num_beams: int
    length_penalty: float
    num_return_sequences: int
    repetition_penalty: float
    no_repeat_ngram_size: int
    allow_unknown: bool

    def check(self) -> None:
        """Raise OptionError for an option out of range, or for two that do not go together."""
        for name in ("max_new_tokens", "num_beams", "num_return_sequences"):
            check_range(name, check_whole(name, getattr(self, name)), 1)
        for name in ("top_k", "no_repeat_ngram_size"):
            check_range(name, check_whole(name, getattr(self, name)), 0)
        check_range("temperature", self.temperature, 0, float("inf"), low_open=True, high_open=True)
        check_range("top_p", self.top_p, 0, 1, low_open=True)
        check_range("repetition_penalty", self.repetition_penalty, 0, float("inf"), low_open=True, high_open=True)
        check_range("length_penalty", self.length_penalty, -float("inf"), low_open=True, high_open=True)
        if self.do_sample and self.num_beams > 1:
            raise OptionError(f"num_beams = {self.num_beams} does not go with do_sample; leave one of them out")
        if not self.do_sample and (self.temperature != 1 or self.top_k or self.top_p != 1):
            raise OptionError("temperature, top_k and top_p are for drawn words; leave them out, or beams and greedy")
        if not self.do_sample and self.num_return_sequences > self.num_beams:
            raise OptionError(
                f"num_return_sequences = {self.num_return_sequences} needs as many beams, not {self.num_beams}; "
                "set num_beams, or draw words (do_sample=True)"
            )


@dataclass
class Continuation:
    """The words after a prompt as they come: ids, the model's log10 probabilities, and whether ``</s>`` came."""

    ids: list[int] = field(default_factory=list)
    log10_probs: list[float] = field(default_factory=list)
    finished: bool = False
    score: float = 0.0


def generate(
    model: LanguageModel,
    prompt: Tokens = "",
    *,
    max_new_tokens: int = 50,
    do_sample: bool | None = None,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    num_beams: int = 1,
    length_penalty: float = 1.0,
    num_return_sequences: int = 1,
    repetition_penalty: float = 1.0,
    no_repeat_ngram_size: int = 0,
    seed: int | None = None,
    allow_unknown: bool = False,
    strict: bool = False,
    streamer: Streamer | None = None,
) -> list[Generation]:
    """Go on from a prompt until ``</s>``, or for ``max_new_tokens`` words; the names are those of transformers.

    Words are drawn with ``do_sample``, which None means unless ``num_beams`` is above 1; else the likeliest is taken
    each time, or beams are searched: by log10 probability, and in the end by that / length ** ``length_penalty``, where
    ``</s>`` counts. ``repetition_penalty`` takes the probability of words that were there before to this power;
    ``no_repeat_ngram_size``: no n-gram of this size twice, the prompt's included. Then come ``temperature``, ``top_k``
    (0: all words), ``top_p``. ``<s>`` never appears, ``<unk>`` only with ``allow_unknown``. Where no word is left to
    choose from, the text ends unfinished. An equal ``seed`` gives equal text, whatever ``num_return_sequences``.
    ``strict``: a word of the prompt that the model does not know is a MissingWordError. ``streamer`` is called with
    each new word at once, of a single sequence without beams. Raises OptionError for an option out of range.
    """
    options = Options(
        max_new_tokens=max_new_tokens,
        do_sample=num_beams == 1 if do_sample is None else do_sample,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        num_beams=num_beams,
        length_penalty=length_penalty,
        num_return_sequences=num_return_sequences,
        repetition_penalty=repetition_penalty,
        no_repeat_ngram_size=no_repeat_ngram_size,
        allow_unknown=allow_unknown,
    )
    options.check()
    if seed is not None:
        check_range("seed", check_whole("seed", seed), 0)
    if streamer is not None and (num_beams > 1 or num_return_sequences > 1):
        raise OptionError("a streamer follows one sequence; leave num_beams and num_return_sequences at 1")
    ids = model.encode(prompt)
    words = prompt.split() if isinstance(prompt, str) else list(prompt)
    unknown = [word for word, word_id in zip(words, ids[1:].tolist(), strict=True) if word_id == UNK]
    if strict and unknown:
        raise MissingWordError(unknown[0], model.vocabulary.words)
    return [
        Generation(words, unknown, model.vocabulary.decode(c.ids), c.log10_probs, c.finished, c.score)
        for c in _continuations(model, ids.tolist(), options, seed, streamer)
    ]


def _continuations(
    model: LanguageModel, prompt_ids: list[int], options: Options, seed: int | None, streamer: Streamer | None
) -> list[Continuation]:
    from windrow.lm.beams import beam_search  # it imports this module

    if options.num_beams > 1:
        return beam_search(model, prompt_ids, options)[: options.num_return_sequences]
    if not options.do_sample:
        return [_walk(model, prompt_ids, lambda weights: int(weights.argmax()), options, streamer)]
    # A stream of its own for each, so that the first texts do not depend on how many are asked for.
    streams = np.random.SeedSequence(seed).spawn(options.num_return_sequences)
    return [
        _walk(model, prompt_ids, _drawer(np.random.default_rng(stream), options), options, streamer)
        for stream in streams
    ]


def _walk(
    model: LanguageModel,
    prompt_ids: list[int],
    choose: Callable[[Floats], int],
    options: Options,
    streamer: Streamer | None,
) -> Continuation:
    """One text, word by word."""
    state, made = model.start(prompt_ids), Continuation()
    while len(made.ids) < options.max_new_tokens and not made.finished:
        probabilities = model.distribution(state)
        weights = penalised(probabilities, [*prompt_ids[1:], *made.ids], options)
        if not weights.any():
            break
        word_id = choose(weights)
        made.log10_probs.append(float(np.log10(probabilities[word_id])))
        made.finished = word_id == EOS
        if not made.finished:
            made.ids.append(word_id)
            state = model.advance(state, word_id)
            if streamer is not None:
                streamer(model.vocabulary.words[word_id])
    made.score = sum(made.log10_probs)
    return made


def penalised(probabilities: Floats, history: Sequence[int], options: Options) -> Floats:
    """Weights of the next words, (words,), not normalised: none for what may not come, less for what was there."""
    weights = probabilities.copy()
    weights[BOS] = 0
    if not options.allow_unknown:
        weights[UNK] = 0
    if options.repetition_penalty != 1 and history:
        # Keskar et al. 2019, arXiv:1909.05858, on log-probabilities.
        weights[list(set(history))] **= options.repetition_penalty
    if options.no_repeat_ngram_size:
        weights[_repeating(history, options.no_repeat_ngram_size)] = 0
    return weights


def _repeating(history: Sequence[int], size: int) -> list[int]:
    """The words that would make an n-gram of ``size`` that is in the history."""
    if len(history) < size:
        return []
    context = tuple(history[len(history) - size + 1 :])
    starts = range(len(history) - size + 1)
    return [history[start + size - 1] for start in starts if tuple(history[start : start + size - 1]) == context]


def sharpened(weights: Floats, options: Options) -> Floats:
    """Temperature, top-k and top-p, in this order; (words,), sums to 1."""
    if options.temperature != 1:
        weights = (weights / weights.max()) ** (1 / options.temperature)
    if options.top_k or options.top_p < 1:
        kept = most_probable(weights, options.top_k or len(weights))
        if options.top_p < 1:
            before = np.cumsum(weights[kept]) - weights[kept]  # Holtzman et al. 2020: the fewest that reach top_p
            kept = kept[before < options.top_p * weights[kept].sum()]
        only = np.zeros_like(weights)
        only[kept] = weights[kept]
        weights = only
    return weights / weights.sum()


def most_probable(weights: Floats, count: int) -> NDArray[np.int64]:
    """At most ``count`` ids with a weight above 0, by falling weight, and by id among equals."""
    candidates = np.flatnonzero(weights)
    if count < len(candidates):
        least = np.partition(weights, len(weights) - count)[len(weights) - count]
        candidates = np.flatnonzero(weights >= least)
    return candidates[np.argsort(-weights[candidates], kind="stable")][:count]


def _drawer(rng: np.random.Generator, options: Options) -> Callable[[Floats], int]:
    def draw(weights: Floats) -> int:
        cumulative = np.cumsum(sharpened(weights, options))
        # Scaled down a little in case that rounding made the total less than 1.
        return int(np.searchsorted(cumulative, rng.random() * cumulative[-1] * (1 - 1e-15), "right"))

    return draw

"""Text from a language model: greedy, drawn, or by beam search. A model that gives distributions is all it takes.

The names of options are those of ``transformers``. A distribution is reshaped in this order: penalties, temperature,
top-k, top-p; then it is normalised again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import Vocabulary
from windrow.errors import MissingWordError, OptionError, check_range, check_whole
from windrow.lm.next_word import NextWord, State, Tokens
from windrow.lm.symbols import BOS, EOS, SPECIALS, UNK

Streamer = Callable[[str], object]
Seed = int | np.random.Generator | None
Floats = NDArray[np.float64]
Places = NDArray[np.int64]

_FIRST_NUCLEUS = 256  # words looked at for top-p; more where they hold too little
_NUCLEUS_GROWTH = 8


@dataclass(frozen=True)
class Generation:
    """A text that goes on from a prompt.

    ``prompt``: its words, a space between them; ``tokens``: the words that follow. ``log10_probs``: what the model
    itself gives each token, and ``</s>`` after them where the text is ``finished``, that is, came to its end.
    ``unknown``: words of the prompt that are not in the vocabulary.
    """

    prompt: str
    tokens: list[str]
    log10_probs: list[float]
    finished: bool
    unknown: list[str]

    @property
    def text(self) -> str:
        """Prompt and tokens."""
        return " ".join([self.prompt, *self.tokens] if self.prompt else self.tokens)

    @property
    def log10_prob(self) -> float:
        """log10 of the model's probability of all that follows the prompt."""
        return math.fsum(self.log10_probs)

    def to_json(self) -> dict[str, Any]:
        """The text and its probabilities as plain data."""
        return {
            "prompt": self.prompt,
            "text": self.text,
            "tokens": self.tokens,
            "log10_prob": self.log10_prob,
            "log10_probs": self.log10_probs,
            "finished": self.finished,
            "unknown": self.unknown,
        }


def generate(
    model: NextWord,
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
    seed: Seed = None,
    allow_unknown: bool = False,
    strict: bool = False,
    streamer: Streamer | None = None,
) -> list[Generation]:
    """Texts that begin as a sentence does, go on from ``prompt``, and end at ``</s>`` or after ``max_new_tokens``.

    ``do_sample``: draw each word (the default without beams) or take the likeliest. ``temperature``, ``top_k`` (0: all
    words) and ``top_p`` (the fewest likeliest words that hold this probability) shape what is drawn from.
    ``num_beams`` > 1: beam search, by log-probability / length ** ``length_penalty``. ``repetition_penalty`` multiplies
    log-probabilities of words that are in the text already (Keskar et al. 2019); no n-gram of
    ``no_repeat_ngram_size`` words comes twice. ``<unk>`` appears only if ``allow_unknown``. Unknown words of the prompt
    are read as it, or with ``strict`` raise MissingWordError. The same ``seed`` draws the same texts, whatever
    ``num_return_sequences``. ``streamer`` is called with each word as it is chosen. A text also ends, unfinished, where
    every word has probability 0. Raises OptionError for an option out of range.
    """
    options = _Options(
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
        never=_never(model, allow_unknown),
    )
    options.check()
    if streamer is not None and (num_beams > 1 or num_return_sequences > 1):
        raise OptionError("a streamer follows one text as it grows; use num_beams = 1 and num_return_sequences = 1")
    rng = _generator(seed)
    words = prompt.split() if isinstance(prompt, str) else list(prompt)
    ids = model.encode(words, bos=True)
    unknown = _unknown_words(words, ids[1:].tolist(), model.vocabulary, strict)
    first = _Path(model.start(ids), tuple(ids.tolist()))
    if num_beams > 1:
        paths = _beam_search(model, first, options)[:num_return_sequences]
    else:
        # A stream of its own for each, so that the first texts do not depend on how many are asked for.
        paths = [_walk(model, first, options, stream, streamer) for stream in rng.spawn(num_return_sequences)]
    return [_generation(path, words, unknown, model.vocabulary) for path in paths]


def generate_batch(
    model: NextWord, prompts: Iterable[Tokens], *, seed: Seed = None, **options: Any
) -> list[list[Generation]]:
    """``generate`` for each prompt; a seed draws the first texts alike, however many prompts follow."""
    rng = _generator(seed)
    return [generate(model, prompt, seed=rng, **options) for prompt in prompts]


# --- what is asked for


class _Options(NamedTuple):
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
    never: list[int]  # ids that do not appear

    def check(self) -> None:
        """Raise OptionError for an option out of range, or two that do not go together."""
        for name in ("max_new_tokens", "num_beams", "num_return_sequences"):
            check_range(name, check_whole(name, getattr(self, name)), 1)
        for name in ("top_k", "no_repeat_ngram_size"):
            check_range(name, check_whole(name, getattr(self, name)), 0)
        for name in ("temperature", "repetition_penalty"):
            check_range(name, getattr(self, name), 0, low_open=True, high_open=True)
        check_range("top_p", self.top_p, 0, 1)
        check_range("length_penalty", self.length_penalty, -10, 10)
        if self.num_beams > 1 and self.do_sample:
            raise OptionError(
                f"num_beams = {self.num_beams} searches and do_sample draws; use do_sample = False or num_beams = 1"
            )
        if not self.do_sample and self.num_return_sequences > self.num_beams:
            raise OptionError(
                f"num_return_sequences = {self.num_return_sequences} without sampling needs as many beams; "
                f"try num_beams = {self.num_return_sequences} or do_sample = True"
            )


def _never(model: NextWord, allow_unknown: bool) -> list[int]:
    return [BOS, *([] if allow_unknown else [UNK]), *([] if model.predicts_end else [EOS])]


def _generator(seed: Seed) -> np.random.Generator:
    if seed is not None and not isinstance(seed, np.random.Generator):
        check_range("seed", check_whole("seed", seed), 0)
    return np.random.default_rng(seed)


def _unknown_words(words: Sequence[str], ids: Sequence[int], vocabulary: Vocabulary, strict: bool) -> list[str]:
    """The words that are read as ``<unk>``, each once; MissingWordError names the first if ``strict``."""
    unknown = [word for word, word_id in zip(words, ids, strict=True) if word_id == UNK and word != SPECIALS[UNK]]
    if strict and unknown:
        raise MissingWordError(unknown[0], vocabulary.words[len(SPECIALS) :])
    return list(dict.fromkeys(unknown))


# --- from left to right


class _Path(NamedTuple):
    """A text so far."""

    state: State
    ids: tuple[int, ...]  # of <s>, the prompt and the new words, without </s>
    log10_probs: tuple[float, ...] = ()  # the model's own, of what is new, </s> included
    score: float = 0.0  # their sum, with the penalties
    finished: bool = False


def _walk(
    model: NextWord, first: _Path, options: _Options, rng: np.random.Generator, streamer: Streamer | None
) -> _Path:
    """One word after another, drawn or the likeliest."""
    state, ids = first.state, list(first.ids)
    log10_probs: list[float] = []
    finished = False
    while len(log10_probs) < options.max_new_tokens and not finished:
        own = model.distribution(state)
        probs = _penalised(own, ids, options)
        word = _draw(probs, options, rng) if options.do_sample else int(probs.argmax())
        if not probs[word] > 0:
            break
        log10_probs.append(math.log10(own[word]))
        finished = word == EOS
        if not finished:
            ids.append(word)
            state = model.advance(state, word)
            if streamer is not None:
                streamer(model.vocabulary.words[word])
    return _Path(state, tuple(ids), tuple(log10_probs), finished=finished)


def _generation(path: _Path, words: Sequence[str], unknown: list[str], vocabulary: Vocabulary) -> Generation:
    new_ids = path.ids[1 + len(words) :]
    tokens = [vocabulary.words[word] for word in new_ids]
    return Generation(" ".join(words), tokens, list(path.log10_probs), path.finished, list(unknown))


# --- the shape of a distribution


def _penalised(own: Floats, ids: Sequence[int], options: _Options) -> Floats:
    """The model's probabilities, less for words of the text so far, 0 for those that may not follow; not normalised."""
    probs = np.array(own)
    if options.repetition_penalty != 1:
        seen = list(set(ids))
        probs[seen] **= options.repetition_penalty
    if options.no_repeat_ngram_size:
        probs[_repeating(ids, options.no_repeat_ngram_size)] = 0
    probs[options.never] = 0
    return probs


def _repeating(ids: Sequence[int], size: int) -> list[int]:
    """The words that would complete an n-gram that ``ids`` already holds."""
    context = ids[len(ids) - size + 1 :]
    return [ids[end] for end in range(size - 1, len(ids)) if ids[end - size + 1 : end] == context]


def _draw(probs: Floats, options: _Options, rng: np.random.Generator) -> int:
    """A word by temperature, top-k and top-p; one of probability 0 where all are."""
    words: Places | None = None  # all, in the order of their ids
    if 0 < options.top_k < len(probs):
        words = _largest(probs, options.top_k)  # before the temperature, which leaves the order as it is
    weights = probs if words is None else probs[words]
    if options.temperature != 1:
        top = weights.max()
        weights = (weights / (top if top > 0 else 1)) ** (1 / options.temperature)  # the largest cannot underflow
    if options.top_p < 1:
        kept = _nucleus(weights, options.top_p)
        words, weights = kept if words is None else words[kept], weights[kept]
    cumulative = np.cumsum(weights)
    place = np.searchsorted(cumulative, rng.random() * cumulative[-1], "right")
    place = min(place, np.searchsorted(cumulative, cumulative[-1]))  # where the product was rounded up to the sum
    return int(place if words is None else words[place])


def _nucleus(weights: Floats, mass: float) -> Places:
    """The fewest of the largest weights that hold ``mass`` of their sum; at least one (Holtzman et al. 2020)."""
    enough, size = mass * weights.sum(), _FIRST_NUCLEUS
    while True:
        places = _largest(weights, size)
        count = np.searchsorted(np.cumsum(weights[places]), enough) + 1
        if count <= len(places) or len(places) == len(weights):
            return places[:count]
        size *= _NUCLEUS_GROWTH


def _largest(values: Floats, count: int) -> Places:
    """The places of the ``count`` largest, largest first; of equal ones the first. Sorts no more than these."""
    places: Places = np.arange(len(values))
    if count < len(values):
        least = np.partition(values, len(values) - count)[len(values) - count]
        above = np.flatnonzero(values > least)
        places = np.concatenate([above, np.flatnonzero(values == least)[: count - len(above)]])
    return places[np.argsort(-values[places], kind="stable")]


# --- beams


class _Step(NamedTuple):
    """A beam and one more word."""

    score: float
    path: _Path
    word: int
    log10_prob: float


def _beam_search(model: NextWord, first: _Path, options: _Options) -> list[_Path]:
    """The texts found, best first.

    Of all steps the best ``num_beams`` count: those to ``</s>`` end a text; the best others go on, as many as there are
    beams. It is over when so many texts have ended and no beam, as it stands, is better than the worst of them.
    """

    def rank(path: _Path) -> float:
        ranked: float = path.score / max(1, len(path.log10_probs)) ** options.length_penalty
        return ranked

    beams, ended = [first], list[_Path]()
    for _ in range(options.max_new_tokens):
        steps = list[_Step]()
        for path in beams:
            found = _steps(model, path, options)
            steps += found
            if not found:
                ended.append(path)
        steps.sort(key=lambda step: -step.score)
        ended += [_taken(model, step) for step in steps[: options.num_beams] if step.word == EOS]
        ended = sorted(ended, key=rank, reverse=True)[: options.num_beams]
        going_on = [step for step in steps if step.word != EOS]
        beams = [_taken(model, step) for step in going_on[: options.num_beams]]
        if not beams or (len(ended) == options.num_beams and rank(ended[-1]) >= max(map(rank, beams))):
            break
    return sorted([*ended, *beams], key=rank, reverse=True)


def _steps(model: NextWord, path: _Path, options: _Options) -> list[_Step]:
    """As many words as there are beams, and one more: ``</s>`` may be among them."""
    own = model.distribution(path.state)
    probs = _penalised(own, path.ids, options)
    words = [word for word in _largest(probs, options.num_beams + 1).tolist() if probs[word] > 0]
    return [_Step(path.score + math.log10(probs[word]), path, word, math.log10(own[word])) for word in words]


def _taken(model: NextWord, step: _Step) -> _Path:
    state, ids, log10_probs, _, _ = step.path
    log10_probs = (*log10_probs, step.log10_prob)
    if step.word == EOS:
        return _Path(state, ids, log10_probs, step.score, finished=True)
    return _Path(model.advance(state, step.word), (*ids, step.word), log10_probs, step.score)

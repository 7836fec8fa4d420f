"""The search for a text that goes on from another: word by word, drawn or the likeliest, or with beams."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from windrow.errors import LARGEST_WHOLE, OptionError, check_range, check_whole
from windrow.lm.next_word import NextWord, State
from windrow.lm.sampling import Floats, draw_word, largest, penalize
from windrow.lm.settings import MOST_BEAMS, MOST_LENGTH_PENALTY, MOST_NEW_TOKENS, MOST_SEQUENCES, MOST_WORDS_HELD
from windrow.lm.symbols import EOS

Streamer = Callable[[str], object]


class DecodingOptions(NamedTuple):
    """What text is searched for, and how; see ``windrow.lm.generation.generate``."""

    max_new_tokens: int = 50
    do_sample: bool = True
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    num_beams: int = 1
    length_penalty: float = 1.0
    num_return_sequences: int = 1
    repetition_penalty: float = 1.0
    no_repeat_ngram_size: int = 0
    never: Sequence[int] = ()  # ids that do not appear

    def check(self) -> None:
        """Raise OptionError for an option out of range, or two that exclude each other."""
        for name in ("temperature", "repetition_penalty"):
            check_range(name, getattr(self, name), 0, low_open=True)
        check_range("top_p", self.top_p, 0, 1)
        check_range("length_penalty", self.length_penalty, -MOST_LENGTH_PENALTY, MOST_LENGTH_PENALTY)
        if self.num_beams > 1 and self.do_sample:
            raise OptionError(
                f"num_beams = {self.num_beams} searches and do_sample draws; use do_sample = False or num_beams = 1"
            )
        for name, is_read, other in (
            *((name, self.do_sample, "do_sample = True") for name in ("temperature", "top_k", "top_p")),
            ("length_penalty", self.num_beams > 1, "num_beams above 1"),
        ):
            value = getattr(self, name)
            if not is_read and value != self._field_defaults[name]:
                raise OptionError(f"{name} = {value!r} is for {other}; leave it out")
        if not self.do_sample and self.num_return_sequences > self.num_beams:
            way_out = f"try num_beams = {self.num_return_sequences}"
            if self.num_return_sequences > MOST_BEAMS:
                way_out = f"try num_return_sequences = {self.num_beams}"
            raise OptionError(
                f"num_return_sequences = {self.num_return_sequences} without sampling needs as many beams; {way_out}"
                f"{' or do_sample = True' * (self.num_beams == 1)}"
            )
        texts = max(self.num_beams, self.num_return_sequences)
        if texts * self.max_new_tokens > MOST_WORDS_HELD:
            raise OptionError(
                f"{texts:,} texts of up to {self.max_new_tokens:,} words are more than the {MOST_WORDS_HELD:,} words "
                f"that are held at a time; try max_new_tokens = {MOST_WORDS_HELD // texts}"
            )

    def with_plain_numbers(self) -> DecodingOptions:
        """The same with whole numbers as int; OptionError for one out of range, or that is none."""
        ranges = {
            "max_new_tokens": (1, MOST_NEW_TOKENS),
            "num_beams": (1, MOST_BEAMS),
            "num_return_sequences": (1, MOST_SEQUENCES),
            "top_k": (0, LARGEST_WHOLE),
            "no_repeat_ngram_size": (0, LARGEST_WHOLE),
        }
        found: dict[str, Any] = {
            name: check_whole(name, getattr(self, name), low, high) for name, (low, high) in ranges.items()
        }
        return self._replace(**found)

    def penalized(self, model_probs: Floats, ids: Sequence[int]) -> Floats:
        """The model's probabilities after a text, with the penalties."""
        return penalize(
            model_probs,
            ids,
            repetition_penalty=self.repetition_penalty,
            no_repeat_ngram_size=self.no_repeat_ngram_size,
            never=self.never,
        )


class Hypothesis(NamedTuple):
    """A text, or the beginning of one."""

    state: State  # of the model, after the text
    ids: tuple[int, ...]  # of <s>, the prompt and the new words, without </s>
    log10_probs: tuple[float, ...] = ()  # the model's own, of the new words and </s>
    score: float = 0.0  # of beam search: the sum of log10 probabilities with the penalties
    finished: bool = False  # it ends with </s>


# --- word by word


def decode_word_by_word(
    model: NextWord,
    first: Hypothesis,
    options: DecodingOptions,
    rng: np.random.Generator,
    streamer: Streamer | None = None,
) -> Hypothesis:
    """Draw one word after another, or take the likeliest; ``streamer`` is called with each."""
    state, ids = first.state, list(first.ids)
    log10_probs: list[float] = []
    finished = False
    while len(log10_probs) < options.max_new_tokens and not finished:
        model_probs = model.distribution(state)
        probs = options.penalized(model_probs, ids)
        if options.do_sample:
            word = draw_word(probs, rng, temperature=options.temperature, top_k=options.top_k, top_p=options.top_p)
        else:
            word = int(probs.argmax())
        if not probs[word] > 0:
            break
        log10_probs.append(math.log10(model_probs[word]))
        finished = word == EOS
        if not finished:
            ids.append(word)
            state = model.advance(state, word)
            if streamer is not None:
                streamer(model.vocabulary.words[word])
    return Hypothesis(state, tuple(ids), tuple(log10_probs), finished=finished)


# --- beams


class _Extension(NamedTuple):
    """A hypothesis, by its number, and one more word."""

    score: float
    hypothesis: int
    word: int
    log10_prob: float


class _Extensions:
    """The best extensions of hypotheses by one word: ``count`` of them that go on, and as many that end a text.

    Hypotheses are added one by one, and what cannot be among the best is dropped: memory is that of the best, and time
    grows with the number of hypotheses. Of equal scores the first added is better.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._before: list[float] = []  # scores of the hypotheses
        self._scores = np.empty(0)
        self._probs = np.empty((2, 0))  # with the penalties, and the model's own
        self._origins = np.empty((2, 0), np.int64)  # the number of the hypothesis, and the word

    def add(self, score: float, model_probs: Floats, probs: Floats) -> bool:
        """Add those of the next hypothesis, by one word more than go on, since one may be ``</s>``; whether any."""
        words = largest(probs, self._count + 1)
        words = words[probs[words] > 0]
        origins = np.stack([np.full(len(words), len(self._before)), words])
        self._before.append(score)
        self._scores = np.concatenate([self._scores, score + np.log10(probs[words])])
        self._probs = np.concatenate([self._probs, np.stack([probs[words], model_probs[words]])], axis=1)
        self._origins = np.concatenate([self._origins, origins], axis=1)
        ends = self._origins[1] == EOS  # at most one of each hypothesis, which must not crowd out those that go on
        kept = [found[largest(self._scores[found], self._count)] for found in map(np.flatnonzero, (ends, ~ends))]
        places = np.sort(np.concatenate(kept))
        self._scores, self._probs, self._origins = (
            self._scores[places],
            self._probs[:, places],
            self._origins[:, places],
        )
        return len(words) > 0

    def best(self) -> list[_Extension]:
        """All that are left, best first."""
        rows = zip(*self._origins.tolist(), *self._probs.tolist(), strict=True)
        found = [
            _Extension(self._before[number] + math.log10(prob), number, word, math.log10(model_prob))
            for number, word, prob, model_prob in rows
        ]
        return sorted(found, key=lambda extension: -extension.score)


def beam_search(model: NextWord, first: Hypothesis, options: DecodingOptions) -> list[Hypothesis]:
    """The texts found, best first: by score / length ** ``length_penalty``.

    Each beam is extended by its likeliest words. Among the best ``num_beams`` extensions, those by ``</s>`` end a text;
    the best others become the new beams, again ``num_beams``. The search is over when ``num_beams`` texts have ended,
    and no beam is better than the worst of them.
    """

    def rank(hypothesis: Hypothesis) -> float:
        ranked: float = hypothesis.score / max(1, len(hypothesis.log10_probs)) ** options.length_penalty
        return ranked

    beams, ended = [first], list[Hypothesis]()
    for _ in range(options.max_new_tokens):
        found = _Extensions(options.num_beams)
        for beam in beams:
            model_probs = model.distribution(beam.state)
            if not found.add(beam.score, model_probs, options.penalized(model_probs, beam.ids)):
                ended.append(beam)
        extensions = found.best()
        ended += [_extended(model, beams, best) for best in extensions[: options.num_beams] if best.word == EOS]
        ended = sorted(ended, key=rank, reverse=True)[: options.num_beams]
        going_on = [extension for extension in extensions if extension.word != EOS]
        beams = [_extended(model, beams, best) for best in going_on[: options.num_beams]]
        if not beams or (len(ended) == options.num_beams and rank(ended[-1]) >= max(map(rank, beams))):
            break
    return sorted([*ended, *beams], key=rank, reverse=True)


def _extended(model: NextWord, beams: Sequence[Hypothesis], extension: _Extension) -> Hypothesis:
    state, ids, log10_probs, _, _ = beams[extension.hypothesis]
    log10_probs = (*log10_probs, extension.log10_prob)
    if extension.word == EOS:
        return Hypothesis(state, ids, log10_probs, extension.score, finished=True)
    return Hypothesis(model.advance(state, extension.word), (*ids, extension.word), log10_probs, extension.score)

"""What every language model offers, whatever is inside; all log-probabilities are to base 10, as in ARPA files."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from windrow import storage
from windrow.corpus import Corpus, Vocabulary
from windrow.errors import OptionError, check_range, check_whole
from windrow.evaluation.perplexity import Perplexity
from windrow.lm.stream import BOS, EOS, UNK, Ids, sentence_blocks
from windrow.storage import StoredModel

if TYPE_CHECKING:
    from windrow.lm.generation import Generation

State = Any  # of a walk from left to right; each model has its own, and never changes one that it gave away
Tokens = str | Sequence[str]  # a string is split at white space

_SENTENCES_AT_ONCE = 4096


class WordScore(NamedTuple):
    """A word, log10 of its probability after the words before it, and whether the model knows it.

    ``order``: of the longest n-gram that matched; None for models without n-grams.
    """

    word: str
    log10_prob: float
    oov: bool
    order: int | None = None


class LanguageModel(ABC):
    """A distribution over the next word, given the words before it in its sentence.

    A model gives ``vocabulary``, whose first words are ``<unk>``, ``<s>`` and ``</s>``, and the six abstract methods;
    the rest follows. Streams are (symbols,) int32: each sentence is ``<s>`` w1 .. wm ``</s>``, one after another.
    """

    vocabulary: Vocabulary
    predicts_end = True  # whether sentences end with </s>, which has a probability like a word

    # --- what a model is

    @abstractmethod
    def score_stream(self, stream: Ids) -> NDArray[Any]:
        """log10 probability of each symbol of a stream given those before it, 0 at ``<s>``; shape (symbols,)."""

    @abstractmethod
    def start(self, ids: Sequence[int] | Ids = (BOS,)) -> State:
        """The state after these ids, of which the first is usually ``<s>``."""

    @abstractmethod
    def advance(self, state: State, word_id: int) -> State:
        """The state after one more word."""

    @abstractmethod
    def distribution(self, state: State) -> NDArray[np.float64]:
        """The probability of each word to come next, (words,); 0 for ``<s>``."""

    @abstractmethod
    def to_stored(self) -> StoredModel:
        """What a model file holds of it."""

    @classmethod
    @abstractmethod
    def from_stored(cls, stored: StoredModel, path: str | os.PathLike[str]) -> Self:
        """The inverse of ``to_stored``; FormatError names ``path`` when the parts do not fit."""

    # --- files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model file; DataError when that cannot be."""
        stored = self.to_stored()
        storage.save(path, stored.kind, stored.arrays, stored.config, stored.provenance)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Open what ``save`` wrote; arrays stay in the file. FormatError for another kind of file, or a damaged one."""
        return cls.from_stored(storage.load(path), path)

    # --- sentences

    def encode(self, tokens: Tokens, *, bos: bool = True, eos: bool = False) -> Ids:
        """The ids of a sentence, or the beginning of one, with ``<s>`` and ``</s>`` as asked for."""
        words = tokens.split() if isinstance(tokens, str) else tokens
        ids = self.vocabulary.encode(words)
        ids[(ids == BOS) | (ids == EOS)] = UNK  # in a text these are words like others, and unknown
        ends = eos and self.predicts_end
        return np.concatenate([np.full(int(bos), BOS, np.int32), ids, np.full(int(ends), EOS, np.int32)])

    def log_prob(self, tokens: Tokens, *, bos: bool = True, eos: bool = True) -> float:
        """log10 probability of a sentence, after ``<s>`` and with ``</s>`` unless told otherwise."""
        return float(self._scored(tokens, bos, eos)[1].sum(dtype=np.float64))

    def log_probs(self, sentences: Iterable[Tokens]) -> NDArray[np.float64]:
        """log10 probability of each sentence, with ``</s>``, (sentences,); much faster than one by one."""
        sums: list[NDArray[np.float64]] = []
        for streams in _batched(self.encode(sentence, eos=True) for sentence in sentences):
            scores = self.score_stream(np.concatenate(streams)).astype(np.float64)
            starts = np.concatenate([[0], np.cumsum([len(stream) for stream in streams[:-1]])]).astype(np.int64)
            sums.append(np.add.reduceat(scores, starts))
        return np.concatenate(sums) if sums else np.zeros(0)

    def word_scores(self, tokens: Tokens, *, bos: bool = True, eos: bool = True) -> list[WordScore]:
        """The score of each word of a sentence, and of ``</s>``."""
        ids, scores, orders = self._scored(tokens, bos, eos)
        words = [*(tokens.split() if isinstance(tokens, str) else tokens), "</s>"]
        rows = zip(words, ids.tolist(), scores.tolist(), orders, strict=False)
        return [WordScore(word, score, word_id == UNK, order) for word, word_id, score, order in rows]

    def _scored(self, tokens: Tokens, bos: bool, eos: bool) -> tuple[Ids, NDArray[Any], Sequence[int | None]]:
        """The ids of a sentence without ``<s>``, their scores, and the orders that matched."""
        stream = self.encode(tokens, bos=bos, eos=eos)
        scores, orders = self._score_with_orders(stream)
        return stream[int(bos) :], scores[int(bos) :], orders[int(bos) :]

    def _score_with_orders(self, stream: Ids) -> tuple[NDArray[Any], Sequence[int | None]]:
        return self.score_stream(stream), [None] * len(stream)

    # --- texts

    def evaluate(self, source: Any) -> Perplexity:
        """How well the model predicts a text: a Corpus, or what ``Corpus.build`` takes."""
        corpus = source if isinstance(source, Corpus) else Corpus.build(source)
        total = Perplexity()
        for stream in sentence_blocks(corpus, self.vocabulary, eos=self.predicts_end):
            predicted = stream != BOS
            total += Perplexity.of(self.score_stream(stream)[predicted], stream[predicted] == UNK)
        return total

    def perplexity(self, source: Any) -> float:
        """The perplexity of a text, unknown words included."""
        return self.evaluate(source).perplexity

    # --- the next word

    def next_word_distribution(self, context: Tokens = (), *, bos: bool = True) -> NDArray[np.float64]:
        """The probability of each word to follow a context, (words,); with ``bos`` a sentence begins there."""
        return self.distribution(self.start(self.encode(context, bos=bos)))

    def top_words(self, context: Tokens = (), k: int = 10, *, bos: bool = True) -> list[tuple[str, float]]:
        """The ``k`` likeliest next words and their probabilities, likeliest first."""
        check_range("k", check_whole("k", k), 1)
        probs = self.next_word_distribution(context, bos=bos)
        best = np.argsort(-probs, kind="stable")[:k]
        return [(self.vocabulary.words[word], float(probs[word])) for word in best.tolist()]

    def generate(self, prompt: Tokens = "", **options: Any) -> list[Generation]:
        """Text that goes on from a prompt; the options are those of ``windrow.lm.generation.generate``."""
        from windrow.lm.generation import generate

        found: list[Generation] = generate(self, prompt, **options)
        return found


def _batched(streams: Iterator[Ids]) -> Iterator[list[Ids]]:
    batch: list[Ids] = []
    for stream in streams:
        batch.append(stream)
        if len(batch) == _SENTENCES_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def check_same_vocabulary(models: Sequence[LanguageModel]) -> None:
    """Raise OptionError unless the models have the same words in the same order."""
    first = models[0].vocabulary
    for number, model in enumerate(models[1:], 2):
        if model.vocabulary.words != first.words:
            mine, others = set(first.words), set(model.vocabulary.words)
            difference = next(iter(sorted(mine ^ others)), None)
            what = "the same words in another order" if difference is None else f"not the same words: {difference!r}"
            raise OptionError(
                f"model 1 has {len(first):,} words, model {number} {len(model.vocabulary):,}, and {what}; "
                "train both on one corpus with the same min_count and max_vocab"
            )

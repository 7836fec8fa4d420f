"""What every language model offers, whatever is inside; all log-probabilities are to base 10, as in ARPA files."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, tee
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import Corpus, Vocabulary
from windrow.corpus.tokenizers import TOKENIZERS, check_tokens
from windrow.errors import FormatError, OptionError, check_range, check_whole
from windrow.evaluation.perplexity import Perplexity
from windrow.files import model_file
from windrow.files.model_file import StoredModel
from windrow.files.sniff import refuse_arpa
from windrow.lm.generation import Generation, generate
from windrow.lm.next_word import State, Tokens
from windrow.lm.stream import Ids, reserved_symbol, sentence_blocks
from windrow.lm.symbols import BOS, EOS, SPECIALS, UNK

# Every kind of language model by the name in its files; a class enters when its module is imported.
LANGUAGE_MODELS: dict[str, type[LanguageModel]] = {}

_SENTENCES_AT_ONCE = 4096
_TEXT_SETTINGS = ("tokenizer", "lowercase")  # of a corpus, that a text scored later must share


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
    the rest follows. Streams are (symbols,) int32: each sentence is ``<s>`` w1 .. wm ``</s>``, one after another; at
    ``<s>`` all before it is forgotten, unless the model ``carries_over``. Without ``<s>`` nothing is known before the
    first word, not even that a sentence begins there.
    """

    kind: ClassVar[str]  # the name in its files
    vocabulary: Vocabulary
    # Where the model comes from: ``provenance_of`` its corpus; empty when unknown.
    provenance_: Mapping[str, Any] = MappingProxyType({})
    predicts_end = True  # whether sentences end with </s>, which has a probability like a word
    carries_over = False  # whether a sentence bears on those after it in its stream

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "kind" in cls.__dict__:
            LANGUAGE_MODELS[cls.kind] = cls

    # --- what a model is

    @abstractmethod
    def score_stream(self, stream: Ids) -> NDArray[Any]:
        """log10 probability of each symbol of a stream given those before it, 0 at ``<s>``; shape (symbols,)."""

    @abstractmethod
    def start(self, ids: Sequence[int] | Ids = (BOS,)) -> State:
        """The state after these ids, of which the first is usually ``<s>``: advanced over each from that after none."""

    @abstractmethod
    def advance(self, state: State, word_id: int) -> State:
        """The state after one more symbol; ``<s>`` begins a sentence."""

    @abstractmethod
    def distribution(self, state: State) -> NDArray[np.float64]:
        """The probability of each symbol to come next, (words,): 0 for ``<s>``; they sum to 1. The caller's own."""

    @abstractmethod
    def to_stored(self) -> StoredModel:
        """What a model file holds of it."""

    @classmethod
    @abstractmethod
    def from_stored(cls, stored: StoredModel, path: str | os.PathLike[str]) -> Self:
        """The inverse of ``to_stored``; FormatError names ``path`` for another kind, or parts that do not fit."""

    @classmethod
    def check_kind(cls, stored: StoredModel, path: str | os.PathLike[str]) -> None:
        """Raise FormatError unless a model of this class was stored."""
        if stored.kind != cls.kind:
            raise FormatError(f"{path} holds a model of kind {stored.kind!r}, not {cls.kind!r}")

    def score_blocks(self, blocks: Iterable[Ids]) -> Iterator[NDArray[Any]]:
        """As ``score_stream``, for one long text given in blocks of whole sentences, in bounded memory.

        A model that ``carries_over`` from sentence to sentence does so from block to block, by its own version of this.
        """
        return map(self.score_stream, blocks)

    # --- files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model file; DataError when that cannot be, OptionError for the name of an ARPA file."""
        refuse_arpa(path, f"a {type(self).__name__}")
        stored = self.to_stored()
        model_file.save(path, stored.kind, stored.arrays, stored.config, stored.provenance)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Open what ``save`` wrote; arrays stay in the file. FormatError for another kind of file, or a damaged one."""
        return cls.from_stored(model_file.load(path), path)

    # --- sentences

    def encode(self, tokens: Tokens, *, bos: bool = True, eos: bool = False) -> Ids:
        """The ids of a sentence, or the beginning of one, with ``<s>`` and ``</s>`` as asked for.

        Unknown words are ``<unk>``. DataError when ``<s>`` or ``</s>`` is among the tokens.
        """
        words = tokens.split() if isinstance(tokens, str) else list(tokens)
        if not isinstance(tokens, str):
            check_tokens(words, "the sentence")
        for symbol in SPECIALS[BOS:]:
            if symbol in words:
                raise reserved_symbol(symbol, "the sentence")
        before, after = SPECIALS[BOS:EOS] * bos, SPECIALS[EOS:] * (eos and self.predicts_end)
        return self.vocabulary.encode([*before, *words, *after])

    def log_prob(self, tokens: Tokens, *, bos: bool = True, eos: bool = True) -> float:
        """log10 probability of a sentence, after ``<s>`` and with ``</s>`` unless told otherwise."""
        return float(self._scored(tokens, bos, eos)[1].sum(dtype=np.float64))

    def log_probs(self, sentences: Iterable[Tokens]) -> NDArray[np.float64]:
        """log10 probability of each sentence by itself, with ``</s>``, (sentences,); much faster than one by one."""
        if isinstance(sentences, str):
            raise OptionError("log_probs takes several sentences; use log_prob for a single one")
        sums: list[NDArray[np.float64]] = []
        at_once = 1 if self.carries_over else _SENTENCES_AT_ONCE
        for streams in _batched((self.encode(sentence, eos=True) for sentence in sentences), at_once):
            scores = self.score_stream(np.concatenate(streams)).astype(np.float64)
            starts = np.cumsum([0, *map(len, streams[:-1])])
            sums.append(np.add.reduceat(scores, starts))
        return np.concatenate(sums) if sums else np.zeros(0)

    def word_scores(self, tokens: Tokens, *, bos: bool = True, eos: bool = True) -> list[WordScore]:
        """The score of each word of a sentence, and of ``</s>``."""
        ids, scores, orders = self._scored(tokens, bos, eos)
        words = [*(tokens.split() if isinstance(tokens, str) else tokens), "</s>"][: len(ids)]
        rows = zip(words, ids.tolist(), scores.tolist(), orders, strict=True)
        return [WordScore(word, score, word_id == UNK, order) for word, word_id, score, order in rows]

    def _scored(self, tokens: Tokens, bos: bool, eos: bool) -> tuple[Ids, NDArray[Any], Sequence[int | None]]:
        """The ids of a sentence without ``<s>``, their scores, and the orders that matched."""
        stream = self.encode(tokens, bos=bos, eos=eos)
        scores, orders = self._score_with_orders(stream)
        return stream[int(bos) :], scores[int(bos) :], orders[int(bos) :]

    def _score_with_orders(self, stream: Ids) -> tuple[NDArray[Any], Sequence[int | None]]:
        return self.score_stream(stream), [None] * len(stream)

    # --- texts

    def evaluate(self, source: Any, *, skip_symbols: bool = False) -> Perplexity:
        """How well the model predicts a text: a Corpus, or what ``Corpus.build`` takes.

        DataError when the text holds ``<s>`` or ``</s>``, unless ``skip_symbols`` leaves them out.
        """
        total = Perplexity()
        streams, scored = tee(self.streams(source, skip_symbols=skip_symbols))
        for stream, scores in zip(streams, self.score_blocks(scored), strict=True):
            predicted = stream != BOS
            total += Perplexity.of(scores[predicted], stream[predicted] == UNK)
        return total

    def streams(self, source: Any, *, skip_symbols: bool = False) -> Iterator[Ids]:
        """A text as streams of whole sentences in the model's ids; raises as ``evaluate``."""
        corpus = source if isinstance(source, Corpus) else Corpus.build(source, **self.text_settings)
        # Not return: a temporary corpus is removed as soon as nothing holds it.
        yield from sentence_blocks(corpus, self.vocabulary, eos=self.predicts_end, skip_symbols=skip_symbols)

    @property
    def text_settings(self) -> dict[str, Any]:
        """How the training text was cut into words, for ``Corpus.build``; only what names a tokenizer of windrow's."""
        return text_settings_of(self.provenance_)

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
        return generate(self, prompt, **options)


def model_from_stored(stored: StoredModel, path: str | os.PathLike[str]) -> LanguageModel:
    """The language model of whatever kind that was stored; FormatError names ``path`` when it is none."""
    if stored.kind not in LANGUAGE_MODELS:
        raise FormatError(f"{path} holds a language model of the unknown kind {stored.kind!r}; update windrow")
    return LANGUAGE_MODELS[stored.kind].from_stored(stored, path)


def pack_vocabulary(vocabulary: Vocabulary) -> dict[str, NDArray[Any]]:
    """The arrays of a language model's vocabulary."""
    return vocabulary.to_arrays()


def unpack_vocabulary(stored: StoredModel, path: str | os.PathLike[str]) -> Vocabulary:
    """The inverse of ``pack_vocabulary``; FormatError names ``path`` when its parts do not fit."""
    return Vocabulary.from_arrays(stored.arrays, SPECIALS, path)


def provenance_of(corpus: Corpus) -> dict[str, Any]:
    """What a model keeps of the text it is trained on."""
    facts = corpus.info()
    return {
        "corpus": corpus.fingerprint,
        "tokens": corpus.tokens,
        "sentences": len(corpus),
        **{name: facts[name] for name in _TEXT_SETTINGS},
    }


def plain(value: Any) -> Any:
    """A parameter as JSON has it."""
    if isinstance(value, np.generic):
        return value.item()
    is_list = isinstance(value, Sequence | np.ndarray) and not isinstance(value, str)
    return [plain(item) for item in value] if is_list else value


def from_plain(value: Any) -> Any:
    """The inverse: sequences are tuples."""
    return tuple(map(from_plain, value)) if isinstance(value, list) else value


def text_settings_of(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """How a text was cut into words, for ``Corpus.build``; nothing where that was by a tokenizer of somebody else."""
    settings = {name: provenance[name] for name in _TEXT_SETTINGS if name in provenance}
    # A model file may come from anybody: it does not choose which module of yours is imported.
    return settings if settings.get("tokenizer") in TOKENIZERS else {}


def _batched(streams: Iterator[Ids], size: int) -> Iterator[list[Ids]]:
    while batch := list(islice(streams, size)):
        yield batch

"""What every language model offers, whatever is inside; all log-probabilities are to base 10, as in ARPA files."""

from __future__ import annotations

import math
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, dropwhile, repeat, tee
from typing import Any, ClassVar, NamedTuple, Self, Unpack

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import Vocabulary
from windrow.corpus.opening import as_corpus
from windrow.corpus.streams import in_batches
from windrow.errors import DataError, FormatError, OptionError, check_whole
from windrow.evaluation.perplexity import Perplexity
from windrow.files import model_file
from windrow.files.kinds import wrong_kind
from windrow.files.model_file import StoredModel
from windrow.lm.generation import Generation, GenerationOptions, generate
from windrow.lm.line_scores import LineScores
from windrow.lm.next_word import State, Tokens, as_id, given_words
from windrow.lm.reading import ReadsText
from windrow.lm.states import States, check_lengths
from windrow.lm.storing import check_name
from windrow.lm.stream import Ids, reserved_symbol, sentence_blocks, several
from windrow.lm.symbols import BOS, EOS, SPECIALS, UNK

# Every kind of language model by the name in its files; a class is entered when its module is imported.
LANGUAGE_MODELS: dict[str, type[LanguageModel]] = {}

_SENTENCES_AT_ONCE, _SYMBOLS_AT_ONCE = 4096, 1 << 20
_SCORES_AT_ONCE = 1 << 14
_MOST_EXPONENT = 308.0  # of a float; files from elsewhere may have any back-off

# What NLTK calls the options of ``generate``.
_OF_NLTK = {"num_words": "max_new_tokens", "text_seed": "prompt", "random_seed": "seed"}


class WordScore(NamedTuple):
    """The score of one word of a sentence.

    Attributes
    ----------
    word : str
        The word as it was given.
    log10_prob : float
        log10 of its probability after the words before it.
    oov : bool
        Whether the word is unknown to the model and scored as ``<unk>``.
    order : int or None
        The order of the longest n-gram that matched; None for models without n-grams.
    """

    word: str
    log10_prob: float
    oov: bool
    order: int | None = None


class LanguageModel(ReadsText, ABC):
    """A distribution over the next word, given the words before it in its sentence.

    A subclass provides ``vocabulary``, whose first words are ``<unk>``, ``<s>`` and ``</s>``, and the abstract methods.
    A *stream* is a sequence of ids, (symbols,) int32: sentences one after another, each ``<s>`` w1 .. wm ``</s>``. At
    ``<s>`` all before it is forgotten, unless the model ``carries_over``. Before the first word of a stream without
    ``<s>`` nothing is known, not even that a sentence begins.

    Any number of threads may ask one model at once, as long as none changes it (``fit``, ``set_params``, another
    ``tokenizer``): what a call needs to compute belongs to the call or to its thread, never to the model.
    """

    kind: ClassVar[str]  # the name in its files
    vocabulary: Vocabulary
    predicts_end = True  # whether sentences end with </s>, which has a probability like a word
    carries_over = False  # whether a sentence influences those after it in its stream

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
        """The state after these ids, of which the first is usually ``<s>``; without any, nothing is known."""

    @abstractmethod
    def advance(self, state: State, word_id: str | int) -> State:
        """The state after one more symbol, a word or an id; ``<s>`` begins a sentence. The given state stays as it is.

        An unknown word is ``<unk>``. States compare and hash by what they hold. OptionError for what is no word or id.
        """

    @abstractmethod
    def distribution(self, state: State) -> NDArray[np.float64]:
        """The probability of each symbol to come next, (words,), in an array of the caller's; 0 for ``<s>``, sum 1."""

    @abstractmethod
    def to_stored(self) -> StoredModel:
        """The contents of its model file."""

    @classmethod
    @abstractmethod
    def from_stored(cls, stored: StoredModel, path: str | os.PathLike[str]) -> Self:
        """The inverse of ``to_stored``; FormatError names ``path`` for another kind, or parts that do not fit."""

    @classmethod
    def check_kind(cls, stored: StoredModel, path: str | os.PathLike[str]) -> None:
        """Raise FormatError, which names ``path``, unless a model of this class was stored."""
        if stored.kind != cls.kind:
            raise wrong_kind(path, stored.kind, cls.kind)

    def score_blocks(self, blocks: Iterable[Ids]) -> Iterator[NDArray[Any]]:
        """As ``score_stream``, for a long text in blocks of whole sentences, so that memory stays bounded.

        Models that ``carries_over`` from sentence to sentence override it, to carry over from block to block, too.
        """
        return map(self.score_stream, blocks)

    # --- files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to a file, which ``windrow.load`` opens again.

        Parameters
        ----------
        path : str or path
            Any name but those of ARPA files, unless the model is an n-gram model or a linear mixture of such.

        Raises
        ------
        DataError
            The file cannot be written.
        OptionError
            The name is that of an ARPA file, which cannot hold this model.
        """
        check_name(path, f"a {type(self).__name__}")
        stored = self.to_stored()
        model_file.save(path, stored.kind, stored.arrays, stored.config, stored.provenance)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Open a file of ``save``; large arrays stay in the file and are read as they are needed.

        Parameters
        ----------
        path : str or path
            The file.

        Raises
        ------
        FormatError
            The file is damaged, or of another kind.
        DataError
            The file cannot be read.
        """
        stored = model_file.load(path)
        with model_file.parts_of(path):
            return cls.from_stored(stored, path)

    def sizes(self) -> dict[str, object]:
        """How much the model holds, by name: ``words``, special symbols such as ``<s>`` not counted."""
        return self.vocabulary.sizes()

    # --- sentences

    def encode(self, tokens: Tokens, *, bos: bool = True, eos: bool = False) -> Ids:
        """The ids of a sentence, or of the beginning of one.

        Parameters
        ----------
        tokens : str or sequence of str
            A string is cut into words as the training text was (at white space, if that is unknown); a list of words is
            taken as it is, and a whole number in it is the word of its digits, as in ``Corpus.build``. Unknown words
            become ``<unk>``.
        bos : bool, default True
            Put ``<s>`` before them.
        eos : bool, default False
            Put ``</s>`` after them, if the model predicts it.

        Returns
        -------
        array of int32, shape (symbols,)

        Raises
        ------
        DataError
            ``<s>`` or ``</s>`` is among the tokens; or they are numbers of which none is a word of the model: ids are
            for ``score_stream`` and ``start``.
        OptionError
            The training text was cut by a function, and the model comes from a file: see ``tokenizer``.

        Examples
        --------
        >>> from windrow import NGramLM
        >>> model = NGramLM(2, "witten-bell").fit(["the cat sat", "the cat ran off"])
        >>> model.vocabulary.decode(model.encode("the cat barked", eos=True))
        ['<s>', 'the', 'cat', '<unk>', '</s>']
        """
        if isinstance(tokens, str):
            return self._ids(self.reader.iter_tokens(tokens), bos, eos)
        return self._ids([given_words(tokens, self.vocabulary)], bos, eos)

    def _ids(self, parts: Iterable[list[str]], bos: bool, eos: bool) -> Ids:
        """``encode`` of words in parts, of which one is in memory at a time."""
        before, after = SPECIALS[BOS:EOS] * bos, SPECIALS[EOS:] * (eos and self.predicts_end)
        return self.vocabulary.encode(chain(before, chain.from_iterable(map(_without_marks, parts)), after))

    def log_prob(self, tokens: Tokens, *, bos: bool = True, eos: bool = True) -> float:
        """log10 of the probability of a sentence.

        Parameters
        ----------
        tokens : str or sequence of str
            Its words, as of ``encode``.
        bos : bool, default True
            Whether the sentence begins there. False: the words may stand anywhere.
        eos : bool, default True
            Whether the sentence ends there, so that the probability of ``</s>`` counts.

        Returns
        -------
        float

        Raises
        ------
        DataError
            ``<s>`` or ``</s>`` is among the tokens.

        Examples
        --------
        >>> from windrow import NGramLM
        >>> model = NGramLM(2, "witten-bell").fit(["the cat sat", "the cat ran off"])
        >>> model.log_prob("the cat ran off") > model.log_prob("off ran cat the")
        True
        """
        return float(self._scored(tokens, bos, eos)[1].sum(dtype=np.float64))

    def log_probs(self, sentences: Iterable[Tokens]) -> NDArray[np.float64]:
        """log10 of the probability of each of several sentences, ``</s>`` included; faster than one by one.

        Parameters
        ----------
        sentences : iterable of str or of sequences of str
            Each as ``tokens`` of ``log_prob``.

        Returns
        -------
        array of float64, shape (sentences,)

        Raises
        ------
        OptionError
            A single string was given, or a table, a mapping, or what else is no sequence of sentences.
        DataError
            A sentence is no text, or ``<s>`` or ``</s>`` is among its tokens.
        """
        return self._line_scores(several(sentences, "log_probs", "log_prob")).log10_probs

    def log_probs_of_lines(self, sentences: Iterable[Tokens]) -> NDArray[np.float64]:
        """As ``log_probs``, of what certainly is sentences: the lines of a text, of which one may be a file's name.

        Parameters
        ----------
        sentences : iterable of str or of sequences of str
            Each as ``tokens`` of ``log_prob``.

        Returns
        -------
        array of float64, shape (sentences,)
        """
        return self._line_scores(sentences).log10_probs

    def evaluate_lines(self, lines: Iterable[Tokens]) -> LineScores:
        """As ``evaluate_sentence``, of each of several lines: log10 probabilities, tokens, unknown words, perplexities.

        Lines are scored many at a time, each as if it stood alone. Memory stays bounded but for the result, whatever
        iterable they come from.

        Parameters
        ----------
        lines : iterable of str or of sequences of str
            Each as ``tokens`` of ``log_prob``; a line may be the name of a file.

        Returns
        -------
        LineScores
            Arrays with one number per line.

        Raises
        ------
        OptionError
            A single string was given, or a table, a mapping, or what else is no sequence of lines.
        DataError
            A line is no text, or ``<s>`` or ``</s>`` is among its tokens.

        Examples
        --------
        >>> from windrow import NGramLM
        >>> model = NGramLM(2, "witten-bell").fit(["the cat sat", "the cat ran off"])
        >>> lines = ["the cat ran", "zzz yyy"]
        >>> scores = model.evaluate_lines(lines)
        >>> [line for line, perplexity in zip(lines, scores.perplexities) if perplexity < 10]
        ['the cat ran']
        """
        return self._line_scores(several(lines, "evaluate_lines", "evaluate_sentence", may_name_files=True))

    def evaluate_text(self, text: bytes) -> LineScores:
        """As ``evaluate_lines``, of the lines of a text in UTF-8: an n-gram model need not make strings of them.

        Parameters
        ----------
        text : bytes
            The lines, a newline after each but perhaps the last.

        Returns
        -------
        LineScores
            Arrays with one number per line.

        Raises
        ------
        DataError
            The text is not UTF-8, or ``<s>`` or ``</s>`` is a word of a line.

        Examples
        --------
        >>> from windrow import NGramLM
        >>> model = NGramLM(2, "witten-bell").fit(["the cat sat", "the cat ran off"])
        >>> model.evaluate_text(b"the cat ran\\n\\nthe dog\\n").tokens.tolist()
        [4, 1, 3]
        """
        try:
            return self._text_scores(text)
        except UnicodeDecodeError as error:
            raise DataError(
                f"byte 0x{text[error.start]:02x} at offset {error.start} of the text is not UTF-8; convert the text"
            ) from error

    def _text_scores(self, text: bytes) -> LineScores:
        """``evaluate_text``; UnicodeDecodeError for what is not UTF-8."""
        return self._line_scores(text.decode().removesuffix("\n").split("\n") if text else [])

    def _line_scores(self, lines: Iterable[Tokens]) -> LineScores:
        """``evaluate_lines`` of what certainly is lines."""
        parts = []
        most = 1 if self.carries_over else _SENTENCES_AT_ONCE
        encoded = (self.encode(line, eos=True) for line in lines)
        for streams in in_batches(encoded, len, most=most, largest=_SYMBOLS_AT_ONCE):
            stream = np.concatenate(streams)
            scores = self.score_stream(stream).astype(np.float64, copy=False)
            parts.append(LineScores.of(stream, scores, np.cumsum([*map(len, streams)])))
        return LineScores.concatenated(parts)

    def word_scores(self, tokens: Tokens, *, bos: bool = True, eos: bool = True) -> list[WordScore]:
        """The score of each word of a sentence, and of ``</s>``.

        Parameters
        ----------
        tokens, bos, eos
            As of ``log_prob``.

        Returns
        -------
        list of WordScore

        Examples
        --------
        >>> from windrow import NGramLM
        >>> model = NGramLM(2, "witten-bell").fit(["the cat sat", "the cat ran off"])
        >>> [(score.word, score.oov, score.order) for score in model.word_scores("the cat barked")]
        [('the', False, 2), ('cat', False, 2), ('barked', True, 1), ('</s>', False, 1)]
        """
        return list(self.iter_word_scores(tokens, bos=bos, eos=eos))

    def iter_word_scores(self, tokens: Tokens, *, bos: bool = True, eos: bool = True) -> Iterator[WordScore]:
        """As ``word_scores``, one after another: of a sentence of millions of words not all are in memory at once.

        Parameters
        ----------
        tokens, bos, eos
            As of ``log_prob``.

        Returns
        -------
        iterator of WordScore
        """
        is_text = isinstance(tokens, str)
        words = self.reader.words_of(tokens) if is_text else given_words(tokens, self.vocabulary)
        stream = self._ids([words], bos, eos)
        scores, orders = self._score_with_orders(stream)
        for first in range(int(bos), len(stream), _SCORES_AT_ONCE):
            part = slice(first, first + _SCORES_AT_ONCE)
            ids, found = stream[part].tolist(), scores[part].tolist()
            some = [*words[first - bos : first - bos + len(ids)], SPECIALS[EOS]][: len(ids)]
            matched = repeat(None) if orders is None else orders[part].tolist()
            rows = zip(some, ids, found, matched, strict=False)
            yield from (WordScore(word, score, word_id == UNK, order) for word, word_id, score, order in rows)

    def _scored(self, tokens: Tokens, bos: bool, eos: bool) -> tuple[Ids, NDArray[Any]]:
        """The ids of a sentence without ``<s>``, and their scores."""
        stream = self.encode(tokens, bos=bos, eos=eos)
        return stream[int(bos) :], self.score_stream(stream)[int(bos) :]

    def _score_with_orders(self, stream: Ids) -> tuple[NDArray[Any], NDArray[Any] | None]:
        """``score_stream``, and the order of the longest n-gram that matched at each symbol, if the model has such."""
        return self.score_stream(stream), None

    # --- texts

    def evaluate(self, source: Any, *, field: str | None = None, skip_symbols: bool = False) -> Perplexity:
        """How well the model predicts a text.

        Parameters
        ----------
        source : Corpus, or what Corpus.build takes
            The text; it is cut into words as the training text was.
        field : str, default None
            The column or field of the text, where ``source`` is a table or names files of records.
        skip_symbols : bool, default False
            Leave ``<s>`` and ``</s>`` out where they stand in the text, which is an error otherwise.

        Returns
        -------
        Perplexity
            With and without unknown words, and how many there are.

        Raises
        ------
        DataError
            The text cannot be read, or holds ``<s>`` or ``</s>``.

        Examples
        --------
        >>> from windrow import NGramLM
        >>> model = NGramLM(2, "witten-bell").fit(["the cat sat", "the cat ran off"])
        >>> result = model.evaluate(["the cat barked"])
        >>> result.tokens, result.oov, round(result.perplexity, 2)
        (4, 1, 4.31)
        """
        total = Perplexity()
        streams, scored = tee(self.streams(source, field=field, skip_symbols=skip_symbols))
        for stream, scores in zip(streams, self.score_blocks(scored), strict=True):
            for first in range(0, len(stream), _SYMBOLS_AT_ONCE):
                part = slice(first, first + _SYMBOLS_AT_ONCE)
                predicted = stream[part] != BOS
                total += Perplexity.of(scores[part][predicted], stream[part][predicted] == UNK)
        return total

    def evaluate_sentence(self, tokens: Tokens) -> Perplexity:
        """As ``evaluate``, of one sentence and its end; ``tokens`` as of ``encode``."""
        ids, scores = self._scored(tokens, bos=True, eos=True)
        return Perplexity.of(np.asarray(scores), ids == UNK)

    def streams(self, source: Any, *, field: str | None = None, skip_symbols: bool = False) -> Iterator[Ids]:
        """A text as streams of whole sentences in the model's ids; parameters and errors as of ``evaluate``."""
        corpus = as_corpus(source, field, self.reader)
        # Not return: a temporary corpus is removed as soon as nothing refers to it.
        yield from sentence_blocks(corpus, self.vocabulary, eos=self.predicts_end, skip_symbols=skip_symbols)

    def perplexity(self, source: Any, *, field: str | None = None) -> float:
        """The perplexity of a text, unknown words included: ``evaluate(source).perplexity``."""
        return self.evaluate(source, field=field).perplexity

    # --- the next word

    def score_next(self, state: State, word: str | int) -> tuple[float, State]:
        """log10 of the probability of one more symbol, and the state after it.

        Parameters
        ----------
        state : State
            What ``start``, ``advance`` or ``score_next`` of this model gave; it stays as it is.
        word : str or int
            The symbol, a word or an id; ``</s>`` ends a sentence. An unknown word is ``<unk>``.

        Returns
        -------
        log10_prob : float
            0 for ``<s>``, which is never predicted.
        state : State
            After the symbol.

        Raises
        ------
        OptionError
            ``word`` is several words, or no id of the vocabulary.

        Examples
        --------
        >>> from windrow import NGramLM
        >>> model = NGramLM(2, "witten-bell").fit(["the cat sat", "the cat ran off"])
        >>> total, state = 0.0, model.start()
        >>> for word in ["the", "cat", "sat", "</s>"]:
        ...     score, state = model.score_next(state, word)
        ...     total += score
        >>> abs(total - model.log_prob("the cat sat")) < 1e-5
        True
        """
        word_id = as_id(self.vocabulary, word)
        if word_id == BOS:
            return 0.0, self.advance(state, word_id)
        with np.errstate(divide="ignore"):
            score = float(np.log10(self.distribution(state)[word_id]))
        return score, self.advance(state, word_id)

    def score_next_batch(
        self, states: Sequence[State], words: Sequence[str | int] | NDArray[np.integer]
    ) -> tuple[NDArray[np.float64], Sequence[State]]:
        """``score_next`` of several states, each with a word of its own; n-gram models take all steps in one call.

        Parameters
        ----------
        states : sequence of State, n of them
            What this model gave; they stay as they are. What this method returns is such a sequence, too.
        words : sequence of str or int, or array of int, shape (n,)
            The word after each state, as of ``score_next``. Ids in an array are fastest.

        Returns
        -------
        log10_probs : array of float64, shape (n,)
            0 for ``<s>``.
        states : sequence of State, n of them
            After the words. Besides numbers it takes arrays, slices and masks as indices: ``states[[0, 0, 2]]``.

        Raises
        ------
        OptionError
            There are not as many words as states, or one is no word or id.

        Examples
        --------
        Each state with each of two words:

        >>> import numpy as np
        >>> from windrow import NGramLM
        >>> model = NGramLM(2, "witten-bell").fit(["the cat sat", "the cat ran off"])
        >>> _, states = model.score_next_batch([model.start()] * 2, ["the", "cat"])
        >>> rows = np.repeat(np.arange(2), 2)
        >>> scores, states = model.score_next_batch(states[rows], ["cat", "sat"] * 2)
        >>> np.round(scores, 2).tolist()
        [-0.14, -1.38, -1.02, -0.51]
        """
        check_lengths(states, words)
        scores = np.empty(len(states))
        after = []
        for place, (state, word) in enumerate(zip(states, words, strict=True)):
            scores[place], new_state = self.score_next(state, word)
            after.append(new_state)
        return scores, States(after)

    def prob(self, word: str | int, context: Tokens = (), *, bos: bool = True) -> float:
        """The probability of a word to follow a context.

        Parameters
        ----------
        word : str or int
            The word or its id; ``</s>`` ends a sentence. An unknown word is ``<unk>``.
        context, bos
            As of ``next_word_distribution``.

        Returns
        -------
        float from 0 to 1
            0 for ``<s>``, which is never predicted. Of n-gram models rounded to about 1e-6 of its value.

        Raises
        ------
        OptionError
            ``word`` is several words, or no id of the vocabulary.
        DataError
            ``<s>`` or ``</s>`` is within the context.

        Examples
        --------
        >>> from windrow import NGramLM
        >>> model = NGramLM(2, "witten-bell").fit(["the cat sat", "the cat ran off", "a dog ran off"])
        >>> round(model.prob("sat", "the cat"), 2)
        0.29
        >>> model.prob("sat", ["the", "cat"]) == model.prob("sat", ["cat"], bos=False)  # of a bigram model
        True
        """
        return math.pow(10, min(self._log10_after(word, context, bos), _MOST_EXPONENT))

    def logscore(self, word: str | int, context: Tokens = (), *, bos: bool = True) -> float:
        """log2 of ``prob``, as in NLTK, minus infinity for 0; all other logarithms of windrow are to base 10.

        Parameters
        ----------
        word, context, bos
            As of ``prob``.

        Returns
        -------
        float

        Examples
        --------
        >>> from math import log2
        >>> from windrow import NGramLM
        >>> model = NGramLM(2, "witten-bell").fit(["the cat sat", "the cat ran off", "a dog ran off"])
        >>> abs(model.logscore("sat", "the cat") - log2(model.prob("sat", "the cat"))) < 1e-9
        True
        """
        return self._log10_after(word, context, bos) * math.log2(10)

    def _log10_after(self, word: str | int, context: Tokens, bos: bool) -> float:
        word_id = as_id(self.vocabulary, word)
        state = self._state_after(context, bos)
        return -math.inf if word_id == BOS else self.score_next(state, word_id)[0]

    def _state_after(self, context: Tokens, bos: bool) -> State:
        """The state after a context, see ``next_word_distribution``."""
        if isinstance(context, list | tuple):
            words = list(dropwhile(lambda word: isinstance(word, str) and word == SPECIALS[BOS], context))
            context, bos = words, bos or len(words) < len(context)
        return self.start(self.encode(context, bos=bos))

    def next_word_distribution(self, context: Tokens = (), *, bos: bool = True) -> NDArray[np.float64]:
        """The probability of each word to follow a context.

        Parameters
        ----------
        context : str or sequence of str, default empty
            The words before, as of ``encode``. A list may begin with ``<s>``, once or several times, as NLTK pads
            sentences: then a sentence begins there, whatever ``bos`` is.
        bos : bool, default True
            Whether a sentence begins with the context. False: it may stand anywhere, as in NLTK.

        Returns
        -------
        array of float64, shape (words,)
            By id, ``</s>`` and ``<unk>`` included; the sum is 1.
        """
        return self.distribution(self._state_after(context, bos))

    def top_words(self, context: Tokens = (), k: int = 10, *, bos: bool = True) -> list[tuple[str, float]]:
        """The likeliest words to follow a context.

        Parameters
        ----------
        context, bos
            As of ``next_word_distribution``.
        k : int, at least 1, default 10
            How many.

        Returns
        -------
        list of (word, probability)
            The likeliest first.

        Examples
        --------
        >>> from windrow import NGramLM
        >>> model = NGramLM(2, "witten-bell").fit(["the cat sat", "the cat ran off", "a dog ran off"])
        >>> [(word, round(probability, 2)) for word, probability in model.top_words("the cat", k=2)]
        [('ran', 0.32), ('sat', 0.29)]
        """
        k = check_whole("k", k, 1)
        probs = self.next_word_distribution(context, bos=bos)
        best = np.argsort(-probs, kind="stable")[:k]
        return [(self.vocabulary.words[word], float(probs[word])) for word in best.tolist()]

    def generate(self, prompt: Tokens = "", **options: Unpack[GenerationOptions]) -> list[Generation]:
        """Texts that go on from a prompt; the options are those of ``windrow.lm.generation.generate``.

        What NLTK calls ``num_words``, ``text_seed`` and ``random_seed`` is ``max_new_tokens``, ``prompt`` and ``seed``.
        """
        for theirs in options.keys() & _OF_NLTK.keys():
            raise OptionError(f"generate has no {theirs}, as NLTK's has; give {_OF_NLTK[theirs]}=")
        return generate(self, prompt, **options)


def model_from_stored(stored: StoredModel, path: str | os.PathLike[str]) -> LanguageModel:
    """The language model that was stored, of whatever kind; FormatError names ``path`` for an unknown kind."""
    if stored.kind not in LANGUAGE_MODELS:
        raise FormatError(f"{path} holds a language model of the unknown kind {stored.kind!r}; update windrow")
    return LANGUAGE_MODELS[stored.kind].from_stored(stored, path)


def _without_marks(words: list[str]) -> list[str]:
    """The words; DataError if a sentence mark is among them."""
    for symbol in SPECIALS[BOS:]:
        if symbol in words:
            raise reserved_symbol(symbol, "the sentence")
    return words

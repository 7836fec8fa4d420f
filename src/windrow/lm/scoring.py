"""What a language model says of text: scores of words, sentences and lines, and the perplexity of a text."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from itertools import chain, repeat, tee
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import Vocabulary
from windrow.corpus.opening import as_corpus
from windrow.corpus.streams import in_batches
from windrow.errors import DataError, OptionError
from windrow.evaluation.perplexity import Perplexity
from windrow.lm.line_scores import LineScores
from windrow.lm.next_word import Tokens, given_words
from windrow.lm.reading import ReadsText
from windrow.lm.stream import Ids, reserved_symbol, sentence_blocks, several
from windrow.lm.symbols import BOS, EOS, SPECIALS, UNK

_SENTENCES_AT_ONCE, _SYMBOLS_AT_ONCE = 4096, 1 << 20
_SCORES_AT_ONCE = 1 << 14


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


class ScoresText(ReadsText, ABC):
    """The part of ``LanguageModel`` that scores text; all of it follows from ``score_stream``."""

    vocabulary: Vocabulary
    predicts_end = True  # whether sentences end with </s>, which has a probability like a word
    carries_over = False  # whether a sentence influences those after it in its stream

    @abstractmethod
    def score_stream(self, stream: Ids) -> NDArray[Any]:
        """log10 probability of each symbol of a stream given those before it, 0 at ``<s>``; shape (symbols,)."""

    def score_blocks(self, blocks: Iterable[Ids]) -> Iterator[NDArray[Any]]:
        """As ``score_stream``, for a long text in blocks of whole sentences, so that memory stays bounded.

        Models that ``carries_over`` from sentence to sentence override it, to carry over from block to block, too.
        """
        return map(self.score_stream, blocks)

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
        OptionError
            The text is no bytes.
        DataError
            The text is not UTF-8, or ``<s>`` or ``</s>`` is a word of a line.

        Examples
        --------
        >>> from windrow import NGramLM
        >>> model = NGramLM(2, "witten-bell").fit(["the cat sat", "the cat ran off"])
        >>> model.evaluate_text(b"the cat ran\\n\\nthe dog\\n").tokens.tolist()
        [4, 1, 3]
        """
        if not isinstance(text, bytes):
            raise OptionError(f"evaluate_text takes bytes, not {type(text).__name__}; use evaluate_lines for strings")
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


def _without_marks(words: list[str]) -> list[str]:
    """The words; DataError if a sentence mark is among them."""
    for symbol in SPECIALS[BOS:]:
        if symbol in words:
            raise reserved_symbol(symbol, "the sentence")
    return words

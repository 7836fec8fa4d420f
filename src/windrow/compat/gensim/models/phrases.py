"""gensim's ``Phrases`` and ``FrozenPhrases`` over ``windrow.Phrases``."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import chain
from typing import Any, Self

from windrow import phrases as ours
from windrow.corpus import Corpus
from windrow.errors import DataError, NotFittedError
from windrow.phrases import ENGLISH_CONNECTOR_WORDS
from windrow.phrases.counting import count_pairs
from windrow.phrases.scoring import SCORERS, npmi_scorer, original_scorer

__all__ = ["ENGLISH_CONNECTOR_WORDS", "FrozenPhrases", "Phraser", "Phrases", "npmi_scorer", "original_scorer"]


class _Joining(ABC):
    """What both classes do with sentences."""

    @abstractmethod
    def _found(self) -> ours.Phrases:
        """The phrases."""

    def __getitem__(self, sentence: Iterable[Any]) -> Any:
        """A sentence, of tokens, or a stream of sentences, with the words of phrases joined.

        Parameters
        ----------
        sentence : iterable of str, or iterable of such iterables
            A sentence; or a stream of them, whose first item is no str.

        Returns
        -------
        list of str, or iterable of list of str
            Of a stream an iterable that goes over it each time that it is gone over.
        """
        is_stream, sentence = _is_stream(sentence)
        return _Joined(self, sentence) if is_stream else next(self._joined([sentence]))

    def _joined(self, sentences: Iterable[Iterable[str]]) -> Iterator[list[str]]:
        return self._found().iter_transform(map(list, sentences))

    def find_phrases(self, sentences: Iterable[Iterable[str]]) -> dict[str, float]:
        """The phrases that occur in sentences, and their scores.

        Parameters
        ----------
        sentences : iterable of iterable of str
            The tokens of each sentence.

        Returns
        -------
        dict of str to float
        """
        scores, found = self._found().phrases_, {}
        for sentence in map(list, sentences):
            for token in next(self._joined([sentence])):
                if token in scores and token not in sentence:  # else it may have been a word
                    found[token] = scores[token]
        return found

    def score_candidate(self, word_a: str, word_b: str, in_between: list[str]) -> tuple[str, float] | tuple[None, None]:
        """The phrase of two words and the connector words between them, and its score.

        Parameters
        ----------
        word_a, word_b : str
            The first word and the last one.
        in_between : list of str
            The connector words between them.

        Returns
        -------
        tuple of (str, float), or of (None, None) for what is no phrase
        """
        found = self._found()
        phrase, scores = found.delimiter.join([word_a, *in_between, word_b]), found.phrases_
        return (phrase, scores[phrase]) if phrase in scores else (None, None)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the phrases to a file of windrow's, which ``windrow.load`` opens, too.

        Parameters
        ----------
        path : str or os.PathLike
            The file. It holds the phrases and their scores, and no counts.
        """
        self._found().save(path)


class _Joined:
    """Sentences, joined each time that they are gone over."""

    def __init__(self, phrases: _Joining, sentences: Iterable[Any]) -> None:
        self._phrases = phrases
        self._sentences = sentences

    def __iter__(self) -> Iterator[list[str]]:
        return self._phrases._joined(self._sentences)

    def __len__(self) -> int:
        return len(self._sentences)  # type: ignore[arg-type]  # where they have a length


def _is_stream(items: Iterable[Any]) -> tuple[bool, Iterable[Any]]:
    """Whether these are sentences, not the tokens of one; and all of them again."""
    iterator = iter(items)
    first = list(zip(range(1), iterator, strict=False))
    is_stream = bool(first) and not isinstance(first[0][1], str)
    if iterator is not items:
        return is_stream, items
    return is_stream, chain((item for _, item in first), iterator)


def _function(scoring: Any) -> Any:
    """The function of a name; others as they are."""
    return SCORERS.get(scoring, scoring) if isinstance(scoring, str) else scoring


class Phrases(_Joining):
    """Phrases that are counted from sentences, with the constructor of gensim 4.

    All pairs are counted, exactly, so that ``max_vocab_size`` is not needed. A word of the text that looks like a
    phrase, new_york, is not counted as the pair; gensim adds both up.

    Parameters
    ----------
    sentences : iterable of iterable of str, default None
        The text, which is counted now. None: by ``add_vocab``.
    min_count : int, at least 1, default 5
        Pairs that occur less often are no phrases.
    threshold : float, default 10.0
        Pairs with a score above this are phrases; above 0, or for "npmi" from -1 to 1.
    max_vocab_size : int, default 40000000
        Not used: nothing is pruned.
    delimiter : str, default "_"
        What stands between joined words.
    progress_per : int, default 10000
        Not used.
    scoring : {"default", "npmi"} or callable, default "default"
        How pairs are scored; a function gets gensim's six arguments by name.
    connector_words : collection of str, default ()
        Words that phrases may have between their ends.

    Attributes
    ----------
    min_count, threshold, delimiter, scoring, connector_words
        As given, and may be set to others; ``scoring`` is a function.
    vocab : dict of str to int
        How often words and joined pairs occur.
    corpus_word_count : int
        Tokens of the text.

    Examples
    --------
    >>> from windrow.compat.gensim.models.phrases import Phrases
    >>> text = [["new", "york", "is", "large"], ["in", "new", "york"], ["a", "new", "idea"]]
    >>> phrases = Phrases(text, min_count=1, threshold=1)
    >>> phrases[["to", "new", "york"]]
    ['to', 'new_york']
    """

    def __init__(
        self,
        sentences: Iterable[Iterable[str]] | None = None,
        min_count: int = 5,
        threshold: float = 10.0,
        max_vocab_size: int = 40000000,
        delimiter: str = "_",
        progress_per: int = 10000,
        scoring: str | Callable[..., float] = "default",
        connector_words: Collection[str] = frozenset(),
    ) -> None:
        self.min_count = min_count
        self.threshold = threshold
        self.delimiter = delimiter
        self.scoring = _function(scoring)
        self.connector_words = frozenset(connector_words)
        self.max_vocab_size = max_vocab_size
        self._corpora: list[Corpus] = []  # the text so far, in as many pieces as were added since it was asked for
        self._texts = 0
        self._kept: tuple[Any, ours.Phrases] | None = None  # phrases, and of what
        self._unfitted().check_parameters()
        if sentences is not None:
            self.add_vocab(sentences)

    def __str__(self) -> str:
        return f"Phrases<{self._texts} texts, min_count={self.min_count}, threshold={self.threshold}>"

    def add_vocab(self, sentences: Iterable[Iterable[str]]) -> None:
        """Count more text.

        Parameters
        ----------
        sentences : iterable of iterable of str
            The tokens of each sentence.

        Raises
        ------
        DataError
            There is no token in it; or the phrases are those of a file, which has no counts.
        """
        if self._kept is not None and not self._texts:
            raise DataError(
                "a file of phrases has no counts, to which more text could be added; count all the text again"
            )
        self._corpora.append(Corpus.build(map(list, sentences)))
        self._texts += 1

    @property
    def vocab(self) -> dict[str, int]:
        """How often words, without connector words, and joined pairs occur; a new dict at each access."""
        corpus = self._corpus()
        counted = count_pairs(corpus, self.connector_words, 1, None)
        words, counts = corpus.vocabulary.words, counted.word_counts.tolist()
        found = {word: n for word, n in zip(words, counts, strict=True) if word not in self.connector_words}
        rows = zip(
            counted.firsts.tolist(), counted.betweens, counted.lasts.tolist(), counted.counts.tolist(), strict=True
        )
        for first, between, last, count in rows:
            pair = self.delimiter.join(words[number] for number in (first, *between, last))
            found[pair] = found.get(pair, 0) + count
        return found

    @property
    def corpus_word_count(self) -> int:
        """Tokens of the text, connector words included."""
        return sum(corpus.tokens for corpus in self._corpora)

    def export_phrases(self) -> dict[str, float]:
        """All phrases, joined, and their scores.

        Returns
        -------
        dict of str to float
        """
        return self._found().phrases_

    def freeze(self) -> FrozenPhrases:
        """The phrases alone, without the text.

        Returns
        -------
        FrozenPhrases
        """
        return FrozenPhrases(self)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Open phrases that were saved, here or by ``windrow.Phrases``.

        Parameters
        ----------
        path : str or os.PathLike
            The file; also one of gensim 4's, a pickle of which only the data are read.

        Returns
        -------
        Phrases
            It joins as before, but has no counts: its parameters stay, and there is no text to add to.
        """
        found = ours.Phrases.load(path)
        words = found.all_connector_words
        phrases = cls(min_count=found.min_count, delimiter=found.delimiter, connector_words=words)
        phrases.threshold, phrases.scoring = found.threshold, _function(found.scoring)
        phrases._kept = phrases._state(), found
        return phrases

    def _unfitted(self) -> ours.Phrases:
        names: dict[Any, str] = {scorer: name for name, scorer in SCORERS.items()}
        return ours.Phrases(
            min_count=self.min_count,
            threshold=self.threshold,
            scoring=names.get(self.scoring, self.scoring),
            delimiter=self.delimiter,
            connector_words=self.connector_words,
        )

    def _state(self) -> tuple[Any, ...]:
        """What the phrases depend on."""
        return self._texts, self.min_count, self.threshold, self.delimiter, self.scoring, self.connector_words

    def _found(self) -> ours.Phrases:
        """The phrases of all text so far; found again after a parameter or the text has changed."""
        if self._kept is None or self._kept[0] != self._state():
            self._kept = self._state(), self._unfitted().fit(self._corpus())
        return self._kept[1]

    def _corpus(self) -> Corpus:
        """All text so far, as one."""
        if not self._corpora and self._kept is not None:
            raise DataError("a file of phrases has no counts, and keeps its parameters; count the text again")
        if not self._corpora:
            raise NotFittedError("these Phrases have seen no text yet; call add_vocab first")
        if len(self._corpora) > 1:
            self._corpora = [Corpus.build(chain.from_iterable(corpus.sentences() for corpus in self._corpora))]
        return self._corpora[0]


class FrozenPhrases(_Joining):
    """The phrases of ``Phrases``, without the text of which they were counted.

    Parameters
    ----------
    phrases_model : Phrases
        Which has counted a text.

    Attributes
    ----------
    phrasegrams : dict of str to float
        The phrases, joined, and their scores.
    min_count, threshold, delimiter, scoring, connector_words
        As they were; they cannot be changed.

    Examples
    --------
    >>> from windrow.compat.gensim.models.phrases import FrozenPhrases, Phrases
    >>> text = [["new", "york", "is", "large"], ["in", "new", "york"], ["a", "new", "idea"]]
    >>> FrozenPhrases(Phrases(text, min_count=1, threshold=1)).phrasegrams
    {'new_york': 2.1666666666666665}
    """

    def __init__(self, phrases_model: Phrases) -> None:
        self._phrases = phrases_model._found()

    def __str__(self) -> str:
        return f"FrozenPhrases<{len(self.phrasegrams)} phrases, min_count={self.min_count}, threshold={self.threshold}>"

    def _found(self) -> ours.Phrases:
        return self._phrases

    @property
    def phrasegrams(self) -> dict[str, float]:
        """The phrases, joined, and their scores."""
        return self._phrases.phrases_

    @property
    def min_count(self) -> int:
        """The least number of times that a pair occurred."""
        return self._phrases.min_count

    @property
    def threshold(self) -> float:
        """What scores are above."""
        return self._phrases.threshold

    @property
    def delimiter(self) -> str:
        """What stands between joined words."""
        return self._phrases.delimiter

    @property
    def scoring(self) -> Any:
        """The function that scored; its name where a file says it."""
        return _function(self._phrases.scoring)

    @property
    def connector_words(self) -> frozenset[str]:
        """Words that phrases may have between their ends."""
        return self._phrases.all_connector_words

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Open phrases that were saved, here or by ``windrow.Phrases``.

        Parameters
        ----------
        path : str or os.PathLike
            The file; also one of gensim 4's, a pickle of which only the data are read.

        Returns
        -------
        FrozenPhrases
        """
        frozen = cls.__new__(cls)
        frozen._phrases = ours.Phrases.load(path)
        return frozen


Phraser = FrozenPhrases

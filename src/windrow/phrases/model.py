"""Phrases: words that occur together more often than chance has it become one word (Mikolov et al. 2013)."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray

from windrow.bars import OnProgress, check_progress, stages_bar
from windrow.corpus import Corpus, TextReader
from windrow.corpus.opening import as_corpus
from windrow.corpus.reading import Tokenize
from windrow.corpus.tokenizers import is_foreign, name_of_tokenizer
from windrow.corpus.vocabulary import is_word
from windrow.errors import FormatError, NotFittedError, OptionError, WindrowError, check_range, shown, warn
from windrow.estimator import Estimator
from windrow.files import model_file
from windrow.files.compression import path_name
from windrow.files.kinds import refuse_folder
from windrow.files.local import as_path, local_file
from windrow.files.sniff import kind_of
from windrow.phrases.counting import PairCounts, count_pairs
from windrow.phrases.gensim import read_gensim_phrases
from windrow.phrases.joining import PhraseTable, join_corpus
from windrow.phrases.scoring import SCORERS, original_scorer
from windrow.phrases.settings import ENGLISH, ENGLISH_CONNECTOR_WORDS, PHRASES
from windrow.phrases.storing import pack_tables, unpack_tables

KIND = "phrases"


class Phrases(Estimator):
    """Find phrases (collocations) such as new_york, and join their words, from left to right, into one.

    Scores and joined text equal those of gensim's Phrases where no word of the text contains the delimiter; gensim
    counts such a word, new_york, as the pair, too. All pairs are counted, exactly, in bounded memory.

    Parameters
    ----------
    min_count : int >= 1, default 5
        Pairs of words that occur less often are no phrases; it is also subtracted from their counts by the default
        score. Raise it for a large text.
    threshold : float, default 10.0
        Pairs with a score above this become phrases. A higher one gives fewer phrases. From -1 to 1 for npmi, where
        0.5 is usual; above 0 else. Scores of the default grow with the text.
    scoring : str or callable, default "default"
        How pairs are scored: as word2vec does, or by normalized pointwise mutual information. See
        windrow.phrases.scoring for the formulas. A function gets the arguments of those there by name, one pair at
        a time.
    delimiter : str, default "_"
        What stands between the words of a phrase once they are joined.
    connector_words : sequence of str, default ()
        Words that a phrase may have between its first and last one, as in bird_of_prey: any number of them.
        "english" stands for common articles, prepositions and conjunctions.
    max_phrases : int >= 1 or None, default None
        Keep only this many phrases, those of the highest scores, of each pass. None: all above the threshold.
    passes : int in [1, 100], default 1
        How often to look for pairs. The second pass joins phrases of the first with words or each other:
        new_york_city.
    memory : int >= 1048576 or None, default None
        Bytes of memory for the table of pairs; where it does not suffice, the text is read several times. None:
        half of what is free.

    Attributes
    ----------
    phrases_ : dict of str to float
        The phrases, joined, and their scores: those of the first pass first, in each the best one first.
    reader : TextReader
        How strings become words: as the training text was read.

    References
    ----------
    Mikolov et al. 2013, arXiv:1310.4546, section 4; Bouma 2009 for normalized pointwise mutual information.

    Examples
    --------
    >>> from windrow import Phrases
    >>> text = ["she moved to new york", "new york is large", "they love new york", "a new idea"]
    >>> phrases = Phrases(min_count=1, threshold=2).fit(text)
    >>> list(phrases.phrases_)
    ['new_york']
    >>> phrases.transform(["new york has parks"])
    [['new_york', 'has', 'parks']]
    """

    settings = PHRASES

    def __init__(
        self,
        *,
        min_count: int = 5,
        threshold: float = 10.0,
        scoring: str | Callable[..., float] = "default",
        delimiter: str = "_",
        connector_words: Collection[str] = (),
        max_phrases: int | None = None,
        passes: int = 1,
        memory: int | None = None,
    ) -> None:
        self.min_count = min_count
        self.threshold = threshold
        self.scoring = scoring
        self.delimiter = delimiter
        self.connector_words = connector_words
        self.max_phrases = max_phrases
        self.passes = passes
        self.memory = memory

    def check_parameters(self) -> None:
        """Raise OptionError unless every parameter is in its range; ``fit`` does so first."""
        super().check_parameters()
        if self.scoring == "npmi" and not -1 <= self.threshold <= 1:
            raise OptionError(
                f"threshold = {shown(self.threshold)} is out of range; with scoring='npmi' it is from -1 to 1: "
                "try threshold=0.5"
            )
        if self.scoring == "default":
            check_range("threshold", self.threshold, 0, low_open=True)
        elif self.scoring not in SCORERS and not callable(self.scoring):
            raise OptionError(f"scoring = {self.scoring!r} must be one of {', '.join(SCORERS)}, or a function")
        words = self.connector_words
        if not isinstance(words, Collection) or not all(isinstance(word, str) for word in words):
            raise OptionError(f"connector_words = {shown(words)} must be a collection of words, or {ENGLISH!r}")

    def check_joins_corpora(self) -> None:
        """Raise OptionError where ``delimiter`` would put white space into words of a corpus."""
        if not is_word(f"a{self.delimiter}b"):
            raise OptionError(
                f"delimiter = {shown(self.delimiter)} is none for words of a corpus, which have no white space; choose "
                "another"
            )

    def fit(
        self,
        corpus: Any,
        y: object = None,
        *,
        field: str | None = None,
        progress: OnProgress | bool | None = None,
    ) -> Self:
        """Find the phrases of a text. When this fails, the phrases that were found before stay.

        Parameters
        ----------
        corpus : Corpus, or what Corpus.build takes
            The text.
        y : ignored
            For pipelines of scikit-learn.
        field : str, default None
            The column or field of the text, where ``corpus`` is a table or names files of records.
        progress : bool or callable, default None
            True: show a bar, in a notebook or on stderr. A function is called with the name of a stage,
            and how much of it is done, 0 to 1.

        Returns
        -------
        Phrases
            Itself.

        Raises
        ------
        OptionError
            A parameter is out of range.
        DataError
            The text cannot be read; or connector words stand in millions of different sequences.
        """
        self.check_parameters()
        check_progress(progress)
        corpus = as_corpus(corpus, field, shows_bar=progress is True)
        reader = corpus.reader
        provenance = {"corpus": corpus.fingerprint, "tokens": corpus.tokens, "sentences": len(corpus)}
        tables: list[PhraseTable] = []
        with stages_bar(progress) as show:
            while len(tables) < self.passes:
                corpus = join_corpus(corpus, tables[-1])[0] if tables else corpus
                table = self._one_pass(corpus, len(tables) + 1, show)
                if not table.phrases:
                    break
                tables.append(table)
        if not tables:
            warn(f"no pair of words scores above threshold = {self.threshold:g}; try a lower threshold or min_count")
        self._tables, self.reader, self.provenance_ = tuple(tables), reader, {**provenance, **reader.stored()}
        return self

    def _one_pass(self, corpus: Corpus, number: int, show: OnProgress | None) -> PhraseTable:
        """The phrases of a corpus, the best one first; of equal ones, by their words."""

        def report(done: float) -> None:
            if show is not None:
                show(f"counting pairs, pass {number}", done)

        connector_words = self.all_connector_words
        pairs = count_pairs(corpus, connector_words, self.min_count, self.memory, report)
        scores = self._scores(pairs, corpus)
        words = corpus.vocabulary.words

        def phrase(pair: int) -> tuple[str, ...]:
            between = map(words.__getitem__, pairs.betweens[pair])
            return (words[pairs.firsts[pair]], *between, words[pairs.lasts[pair]])

        found = [(-float(scores[pair]), phrase(pair)) for pair in np.flatnonzero(scores > self.threshold).tolist()]
        found = sorted(found)[: self.max_phrases]
        return PhraseTable(
            [words for _, words in found], [-score for score, _ in found], self.delimiter, connector_words
        )

    @property
    def all_connector_words(self) -> frozenset[str]:
        """The words of ``connector_words``, where that is "english", too."""
        return ENGLISH_CONNECTOR_WORDS if self.connector_words == ENGLISH else frozenset(self.connector_words)

    def _scores(self, pairs: PairCounts, corpus: Corpus) -> NDArray[np.float64]:
        counts = pairs.word_counts
        of_pairs: dict[str, Any] = {
            "worda_count": counts[pairs.firsts],
            "wordb_count": counts[pairs.lasts],
            "bigram_count": pairs.counts,
        }
        of_text = {"len_vocab": pairs.types, "min_count": self.min_count, "corpus_word_count": corpus.tokens}
        if isinstance(self.scoring, str):
            return np.asarray(SCORERS[self.scoring](**of_pairs, **of_text), np.float64)
        rows = zip(*(values.tolist() for values in of_pairs.values()), strict=True)
        scores = (self.scoring(**dict(zip(of_pairs, row, strict=True)), **of_text) for row in rows)
        return np.fromiter(scores, np.float64, len(pairs.counts))

    # --- use

    def _fitted(self) -> tuple[PhraseTable, ...]:
        if not hasattr(self, "_tables"):
            raise NotFittedError("this Phrases is not fitted yet; call fit first")
        return self._tables

    def sizes(self) -> dict[str, object]:
        """``phrases``; empty before ``fit``."""
        return {"phrases": len(self.phrases_)} if hasattr(self, "_tables") else {}

    @property
    def phrases_(self) -> dict[str, float]:
        """The phrases, joined, and their scores: those of the first pass first, in each the best one first."""
        rows = (row for table in reversed(self._fitted()) for row in reversed(table.rows()))
        best = dict(rows)  # of phrases that are joined alike the better one
        return dict(reversed(best.items()))

    @property
    def tokenizer(self) -> Tokenize:
        """The tokenizer of the training text: its name, or the function itself; set it again if a file names it."""
        reader: TextReader = self.reader
        return reader.tokenizer

    @tokenizer.setter
    def tokenizer(self, tokenizer: Tokenize) -> None:
        self.reader = self.reader.changed(tokenizer=tokenizer)

    def transform(self, source: Any, path: str | os.PathLike[str] | None = None) -> Any:
        """Join the words of phrases.

        Parameters
        ----------
        source : Corpus, or iterable of sentences
            A sentence is a str, which is read as the training text was, or a list of tokens.
        path : str or os.PathLike, default None
            Only with a Corpus: the folder to write; a corpus that is there is replaced. None: a temporary folder,
            removed together with the object.

        Returns
        -------
        Corpus, or list of list of str
            The same sentences, as a Corpus for a Corpus. Its vocabulary has the phrases, and the other words with the
            counts that are left.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        OptionError
            A single str was given, or ``path`` without a Corpus; or ``delimiter`` has white space, and words of a
            Corpus have none.
        DataError
            The folder cannot be written.

        Examples
        --------
        >>> from windrow import Corpus, Phrases
        >>> corpus = Corpus.build(["new york", "new york", "a new day", "the york inn"])
        >>> joined = Phrases(min_count=1, threshold=0.5).fit(corpus).transform(corpus)
        >>> list(joined.sentences())
        [['new_york'], ['new_york'], ['a', 'new', 'day'], ['the', 'york', 'inn']]
        """
        if isinstance(source, Corpus):
            return self._transform_corpus(source, path)
        if path is not None:
            raise OptionError("path is for a Corpus; of other text make one with Corpus.build, or leave path out")
        return list(self.iter_transform(source))

    def iter_transform(self, sentences: Iterable[str | Sequence[str]]) -> Iterator[list[str]]:
        """``transform`` of a stream: some thousand tokens are read ahead.

        Parameters
        ----------
        sentences : iterable of str or sequences of str
            Sentences, as in ``transform``.

        Returns
        -------
        iterator of list of str
            The tokens of each sentence, with phrases in the place of their words.
        """
        if isinstance(sentences, str):
            raise OptionError(f"give a list of sentences, not one str: [{shown(sentences)}]")
        tables = self._fitted()
        joined: Iterator[list[str]] = map(self.reader.words_of, sentences)
        for table in tables:
            joined = table.join_lists(joined)
        return joined

    def _transform_corpus(self, corpus: Corpus, path: str | os.PathLike[str] | None) -> Corpus:
        corpus.check_ranges()
        self.check_joins_corpora()
        tables = self._fitted() or (PhraseTable([], [], self.delimiter, frozenset()),)
        name, joined = corpus.name, 0
        for number, table in enumerate(tables, 1):
            corpus, new = join_corpus(corpus, table, path if number == len(tables) else None)
            joined += new
        if not joined and self._fitted():
            warn(f"{name}: no phrase occurs in it; was its text read as that of the phrases?")
        return corpus

    # --- files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the phrases to a model file, which ``windrow.load`` opens.

        Parameters
        ----------
        path : str or os.PathLike
            The file, whatever its name; .safetensors is usual.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        DataError
            The file cannot be written.
        """
        words = self.connector_words
        parameters = {
            **self.get_params(),
            "scoring": name_of_tokenizer(cast(Any, self.scoring)),
            "connector_words": words if isinstance(words, str) else sorted(words),
        }
        model_file.save(path, KIND, pack_tables(self._fitted()), {"parameters": parameters}, self.provenance_)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Open what ``save`` wrote, or the ``Phrases`` or ``FrozenPhrases`` of gensim 4 wrote.

        Of gensim's files, which are pickles, the data are read; nothing in them is run.

        Parameters
        ----------
        path : str or os.PathLike
            The file.

        Returns
        -------
        Phrases
            ``scoring`` is a name if it was a function: that is not imported because a file names it, and only needed
            for another ``fit``.

        Raises
        ------
        FormatError
            The file is damaged, or of another kind.
        DataError
            It cannot be read.
        """
        with local_file(as_path(path), unpack=True) as file:
            refuse_folder(file, KIND)
            if kind_of(file) == "pickle":
                return cls._of_gensim(file)
        stored = model_file.load(path, KIND)
        with model_file.parts_of(path):
            phrases = cls(**stored.config["parameters"])
            try:
                phrases._check_stored()
                phrases.reader = TextReader.remembered(stored.provenance)
            except WindrowError as error:
                raise FormatError(f"{path} is damaged: {error}") from error
            connector_words = phrases.all_connector_words
            phrases._tables = unpack_tables(stored.arrays, phrases.delimiter, connector_words, path)
            phrases.provenance_ = stored.provenance
        return phrases

    @classmethod
    def _of_gensim(cls, file: Path) -> Self:
        """The phrases in a pickle of gensim's, whose text was given as tokens."""
        found = read_gensim_phrases(file)
        phrases = cls(**found.parameters)
        try:
            phrases._check_stored()
        except WindrowError as error:
            raise FormatError(f"{path_name(file)} is damaged: {error}") from error
        phrases._tables = (found.table,) if found.table.phrases else ()
        phrases.reader, phrases.provenance_ = TextReader(), {}
        return phrases

    def _check_stored(self) -> None:
        """``check_parameters`` of a file, where ``scoring`` may be the name of a function."""
        known = {**self.get_params(), **({"scoring": original_scorer} if is_foreign(self.scoring) else {})}
        type(self)(**known).check_parameters()

"""Where a training starts: its words, the numbers in their tables, and which vectors are to stay as they are.

::

    a text alone         its words, random vectors, output tables of zeros
    vectors              the same, but words that are among given vectors start with these
    continue_from        the words of a model in their rows, then those of the text that it lacks; its tables, grown

With sub-words the rows of n-grams are behind those of the words, and start likewise.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import Corpus, Vocabulary
from windrow.embeddings.kernels.inputs import WordRows
from windrow.embeddings.steps.contract import TrainingStep
from windrow.embeddings.steps.hierarchical_softmax import HierarchicalSoftmaxStep
from windrow.embeddings.subwords import NGRAM_SIZES, Subwords
from windrow.embeddings.training.state import TrainingState, check_ngrams
from windrow.embeddings.vectors import WordVectors
from windrow.errors import DataError, OptionError, check_range, warn
from windrow.nn.training.checkpoint import fingerprint
from windrow.numeric.tables import zero_table
from windrow.outputs.tree import huffman_tree, match_nodes

_INITIAL_ROWS = 8192  # rows initialized at a time, an even number

Frozen = bool | float | Iterable[str] | Mapping[str, float]


@dataclass(frozen=True)
class Start:
    """What ``Word2Vec`` makes its tables from, beside its parameters."""

    vocabulary: Vocabulary  # of the model; counts are those of all its texts
    text_counts: NDArray[np.int64]  # (words,): how often each occurs in this text
    texts: tuple[str, ...]  # fingerprints of the corpora that the vocabulary counts
    rows_of_ids: NDArray[np.int32] | None = None  # see ChunkDrawer
    state: TrainingState | None = None  # of the model to continue from
    vectors: WordVectors | None = None  # to start from
    shares: NDArray[np.float32] | None = None  # of each input row: see Chunk, and with sub-words Inputs
    identity: Mapping[str, Any] | None = None  # what a checkpoint must agree with; None for a text alone
    ties: str = "heap"  # of a Huffman tree, see huffman_tree
    subwords: Subwords | None = None  # the n-grams that have rows
    word_rows: WordRows | None = None  # with sub-words: the input rows of each word

    def rows(self) -> int:
        """How many rows the input table has."""
        return len(self.vocabulary) + (0 if self.subwords is None else len(self.subwords.used))

    def fill(self, table: NDArray[np.float32], layers: Mapping[str, TrainingStep]) -> None:
        """Put what is known into tables that are as those of a new model."""
        if self.vectors is not None:
            self._fill_from(self.vectors, table)
        if self.state is None:
            return
        words, size = self.state.vectors.shape
        table[:words, :size] = self.state.vectors
        if self.state.ngrams is not None:  # its rows are the first of the n-grams' here, too
            ngrams = table[len(self.vocabulary) : self.rows()]
            ngrams[: len(self.state.ngrams.vectors), :size] = self.state.ngrams.vectors
        for name, layer in layers.items():
            stored = self.state.outputs[name]
            if isinstance(layer, HierarchicalSoftmaxStep):
                old, new, signs = match_nodes(huffman_tree(self.state.counts, self.state.ties), layer.tree).T
                layer.parameters[new, :size] = stored[old] * signs[:, None].astype(np.float32)
            else:
                layer.parameters[: len(stored), :size] = stored

    def _fill_from(self, given: WordVectors, table: NDArray[np.float32]) -> None:
        rows = _rows_of(given.key_to_index, self.vocabulary.words)
        known, size = np.flatnonzero(rows >= 0), given.vector_size
        vectors = given.vectors[rows[known]]
        if self.subwords is None or given.ngrams is None:
            table[known, :size] = vectors
            return
        table[known, :size] = given.ngrams.own_rows([self.vocabulary.words[word] for word in known], vectors)
        found, is_known = given.ngrams.subwords.find(self.subwords.used)
        table[len(self.vocabulary) : self.rows()][is_known, :size] = given.ngrams.vectors[found[is_known]]


def initial_table(words: int, vector_size: int, seed: int, more_rows: int = 0, threads: int = 1) -> NDArray[np.float32]:
    """gensim's initial input vectors, uniform in [-1, 1) / vector_size, and zeros in ``more_rows`` rows behind them."""
    table: NDArray[np.float32] = zero_table(words + more_rows, vector_size)

    def fill(start: int) -> None:
        bits = np.random.PCG64(seed)
        bits.advance(start * vector_size // 2)  # each draw gives two numbers
        rows = table[start : min(start + _INITIAL_ROWS, words), :vector_size]
        uniform = np.random.Generator(bits).random(rows.shape, dtype=np.float32)
        uniform *= np.float32(2)
        uniform -= np.float32(1)
        np.divide(uniform, np.float32(vector_size), out=rows)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(fill, range(0, words, _INITIAL_ROWS)))  # raises what a thread raised
    return table


def start_training(
    corpus: Corpus,
    parameters: Mapping[str, Any],
    state: TrainingState | None,
    vectors: WordVectors | None,
    frozen: Frozen,
) -> Start:
    """Fix the vocabulary, from a corpus, the parameters of Word2Vec, and what training goes on from.

    Raises DataError where there is no word to train, OptionError for what does not fit together.
    """
    min_count, most = parameters["min_count"], parameters["max_final_vocab"]
    frequent = frequent_words(corpus, min_count, most, () if state is None else state.words)
    if state is None:
        start = Start(frequent, frequent.counts, (corpus.fingerprint,))
        given = None if vectors is None else _given_vectors(vectors, frequent.words, parameters["subwords"])
        known: Collection[str] = () if given is None else given.key_to_index
        identity = None if given is None else {"vectors": fingerprint(given.vectors)}
    else:
        start, given, known = _grown(corpus, frequent, most, state), None, set(state.words)
        identity = {"continued_from": state.fingerprint}
        _compare_reading(corpus, state)
    words = start.vocabulary.words
    subwords, word_rows = choose_subwords(parameters, words, state)
    shares = _shares(frozen, words, known)
    if shares is not None and subwords is not None and word_rows is not None:
        of_ngrams = _ngram_shares(frozen, shares, subwords, word_rows, given if state is None else state)
        shares = np.concatenate([shares, of_ngrams])
    if shares is not None:
        identity = {**(identity or {}), "frozen": fingerprint(shares)}
    return Start(
        start.vocabulary, start.text_counts, start.texts, start.rows_of_ids, state, given, shares, identity,
        choose_ties(parameters, state), subwords, word_rows,
    )  # fmt: skip


def choose_subwords(
    parameters: Mapping[str, Any], words: Sequence[str], state: TrainingState | None
) -> tuple[Subwords | None, WordRows | None]:
    """The n-grams of a model's words, those of a model to continue from first; and the rows of each word."""
    if not parameters["subwords"]:
        return None, None
    if state is None or state.ngrams is None:
        return Subwords.of(words, *ngram_sizes(parameters))
    subwords = state.ngrams.subwords.grown(words)
    return subwords, subwords.word_rows(words)


def choose_ties(parameters: Mapping[str, Any], state: TrainingState | None) -> str:
    """Those of a model to continue from; else fastText's where its files may hold the model, or gensim's."""
    if state is not None and "hs" in state.outputs:
        return state.ties
    return "fasttext" if parameters["subwords"] else "heap"


def ngram_sizes(parameters: Mapping[str, Any]) -> tuple[int, int, int]:
    """The parameters of n-grams, as ``Subwords.sizes`` has them."""
    min_n, max_n, buckets = (parameters[name] for name in NGRAM_SIZES)
    return min_n, max_n, buckets


def _ngram_shares(
    frozen: Frozen, shares: NDArray[np.float32], subwords: Subwords, word_rows: WordRows, known: Any
) -> NDArray[np.float32]:
    """The part of its updates that each n-gram's row takes.

    A number is for the n-grams that have a vector in ``known``. A word that is named stays as it is only if its n-grams
    do; one that several words have takes the least of their parts.
    """
    of_ngrams = np.ones(len(subwords.used), np.float32)
    if isinstance(frozen, Iterable):
        words = len(shares)
        all_rows = np.concatenate([shares, of_ngrams])
        np.minimum.at(all_rows, word_rows.rows, np.repeat(shares, np.diff(word_rows.starts)))
        return all_rows[words:]
    if known.ngrams is not None:
        of_ngrams[known.ngrams.subwords.find(subwords.used)[1]] = 1 - float(frozen)
    return of_ngrams


def frequent_words(
    corpus: Corpus, min_count: int, max_final_vocab: int | None, known: Sequence[str] = ()
) -> Vocabulary:
    """The words of a text that a new model would have; none may be new if some are known.

    DataError if there are none.
    """
    vocabulary = corpus.vocabulary
    size = vocabulary.prefix_size(min_count, max_final_vocab)
    if size <= len(vocabulary.specials) and all(vocabulary.get(word) < 0 for word in known):
        highest = int(vocabulary.counts[size:].max(initial=0))
        often = "once" if highest == 1 else f"{highest} times"
        raise DataError(
            f"no word occurs {min_count} times in the corpus (the most frequent: {often})"
            f"{', and the model knows none' * bool(known)}; {f'try min_count={highest}, or ' * bool(highest)}"
            "give more text"
        )
    return vocabulary.head(size)


def _grown(corpus: Corpus, frequent: Vocabulary, max_final_vocab: int | None, state: TrainingState) -> Start:
    """The words of a model, then those of a text that are new. A text that the model has counted is not counted again.

    Known words keep their rows, as in gensim, so that words are not in the order of their counts any more.
    """
    rows = {word: row for row, word in enumerate(state.words)}
    new = [word for word in frequent.words if word not in rows]
    if max_final_vocab is not None:
        new = new[: max(0, max_final_vocab - len(rows))]
    rows.update(zip(new, range(len(rows), len(rows) + len(new)), strict=True))
    found = _rows_of(rows, corpus.vocabulary.words)
    text_counts = np.zeros(len(rows), np.int64)
    text_counts[found[found >= 0]] = corpus.vocabulary.counts[found >= 0]
    counts = np.concatenate([state.counts, np.zeros(len(new), np.int64)])
    is_counted = corpus.fingerprint in state.texts
    counts[len(state.words) * is_counted :] += text_counts[len(state.words) * is_counted :]
    texts = tuple(state.texts) if is_counted else (*state.texts, corpus.fingerprint)
    return Start(Vocabulary(list(rows), counts), text_counts, texts, np.append(found, np.int32(-1)))


def _compare_reading(corpus: Corpus, state: TrainingState) -> None:
    """Warn where a text was not cut into words as that of the model was."""
    ours = corpus.reader.stored()
    theirs = {name: state.provenance[name] for name in ("tokenizer", "lowercase") if name in state.provenance}
    if differing := [name for name in theirs if ours[name] != theirs[name]]:
        told = "; ".join(f"{name} = {ours[name]!r}, not {theirs[name]!r}" for name in differing)
        warn(f"{corpus.name} was not read as the text of the model to continue from: {told}")


def _rows_of(rows: Mapping[str, int], words: Iterable[str]) -> NDArray[np.int32]:
    """The row of each word, -1 where there is none."""
    return np.fromiter((rows.get(word, -1) for word in words), np.int32)


def check_vectors(vectors: WordVectors, vector_size: int, ngrams: tuple[int, int, int] | None) -> None:
    """Raise OptionError unless training can start from vectors of this size, and with n-grams from theirs."""
    if vectors.vector_size != vector_size:
        raise OptionError(
            f"vector_size = {vector_size} does not fit the vectors to start from, which have {vectors.vector_size} "
            f"dimensions; set vector_size = {vectors.vector_size}"
        )
    if ngrams is not None and vectors.ngrams is not None:
        check_ngrams(vectors.ngrams, ngrams, "the vectors to start from")


def _given_vectors(vectors: WordVectors, words: Sequence[str], subwords: bool) -> WordVectors:
    """The vectors of these words among given ones; without sub-words also those that n-grams give."""
    wanted = [word for word in words if (vectors.has_index_for(word) if subwords else word in vectors)]
    if not wanted:
        raise DataError(
            "no word of the text is among the vectors to start from; was it cut into words as theirs was, or "
            "lower-cased?"
        )
    given = vectors.vectors_for_all(wanted)
    given.check_finite(slice(None))
    return given


def _shares(frozen: Frozen, words: Sequence[str], known: Collection[str]) -> NDArray[np.float32] | None:
    """The part of its updates that each word's vector takes; None where all take all."""
    if isinstance(frozen, str) or not isinstance(frozen, bool | int | float | Iterable):
        raise OptionError(f"frozen = {frozen!r} must be True, a number from 0 to 1, or words")
    if isinstance(frozen, Iterable):
        parts = dict(frozen) if isinstance(frozen, Mapping) else dict.fromkeys(frozen, 1.0)
        missing = [word for word in parts if word not in set(words)]
        if missing:
            warn(f"{len(missing)} frozen words are not in the vocabulary, such as {missing[0]!r}")
    elif frozen and not known:
        raise OptionError("frozen is for words that have vectors; give vectors or continue_from, or a list of words")
    else:
        parts = dict.fromkeys(known, float(frozen))
    for part in parts.values():
        check_range("frozen", part, 0, 1)
    if not any(parts.values()):
        return None
    return np.array([1 - parts.get(word, 0.0) for word in words], np.float32)

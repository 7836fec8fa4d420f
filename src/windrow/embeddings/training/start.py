"""Where a training starts: its words, the numbers in their tables, and which vectors are to stay as they are.

::

    a text alone         its words, random vectors, output tables of zeros
    vectors              the same, but words that are among given vectors start with these
    continue_from        the words of a model in their rows, then those of the text that it lacks; its tables, grown
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import Corpus, Vocabulary
from windrow.embeddings.steps.contract import TrainingStep
from windrow.embeddings.steps.hierarchical_softmax import HierarchicalSoftmaxStep
from windrow.embeddings.training.state import TrainingState
from windrow.embeddings.vectors import WordVectors
from windrow.errors import DataError, OptionError, check_range, warn
from windrow.nn.training.checkpoint import fingerprint
from windrow.numeric.tables import zero_table
from windrow.outputs.tree import huffman_tree, match_nodes

_INITIAL_ROWS = 65536  # rows initialized at a time

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
    shares: NDArray[np.float32] | None = None  # see Chunk
    identity: Mapping[str, Any] | None = None  # what a checkpoint must agree with; None for a text alone

    def fill(self, table: NDArray[np.float32], layers: Mapping[str, TrainingStep]) -> None:
        """Put what is known into tables that are as those of a new model."""
        if self.vectors is not None:
            rows = _rows_of(self.vectors.key_to_index, self.vocabulary.words)
            known = np.flatnonzero(rows >= 0)
            table[known, : self.vectors.vector_size] = self.vectors.vectors[rows[known]]
        if self.state is None:
            return
        words, size = self.state.vectors.shape
        table[:words, :size] = self.state.vectors
        for name, layer in layers.items():
            stored = self.state.outputs[name]
            if isinstance(layer, HierarchicalSoftmaxStep):
                old, new, signs = match_nodes(huffman_tree(self.state.counts), layer.tree).T
                layer.parameters[new, :size] = stored[old] * signs[:, None].astype(np.float32)
            else:
                layer.parameters[: len(stored), :size] = stored


def initial_table(words: int, vector_size: int, seed: int, more_rows: int = 0) -> NDArray[np.float32]:
    """gensim's initial input vectors, uniform in [-1, 1) / vector_size, and zeros in ``more_rows`` rows behind them."""
    table: NDArray[np.float32] = zero_table(words + more_rows, vector_size)
    generator = np.random.default_rng(seed)
    for start in range(0, words, _INITIAL_ROWS):
        rows = table[start : min(start + _INITIAL_ROWS, words), :vector_size]
        uniform = generator.random(rows.shape, dtype=np.float32)
        rows[:] = (uniform * np.float32(2) - np.float32(1)) / np.float32(vector_size)
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
    frequent = _frequent_words(corpus, min_count, most, () if state is None else state.words)
    if state is None:
        start = Start(frequent, frequent.counts, (corpus.fingerprint,))
        given = None if vectors is None else _given_vectors(vectors, frequent.words)
        known: Collection[str] = () if given is None else given.key_to_index
        identity = None if given is None else {"vectors": fingerprint(given.vectors)}
    else:
        start, given, known = _grown(corpus, frequent, most, state), None, set(state.words)
        identity = {"continued_from": state.fingerprint}
        _compare_reading(corpus, state)
    shares = _shares(frozen, start.vocabulary.words, known)
    if shares is not None:
        identity = {**(identity or {}), "frozen": fingerprint(shares)}
    return Start(
        start.vocabulary, start.text_counts, start.texts, start.rows_of_ids, state, given, shares, identity
    )  # fmt: skip


def _frequent_words(corpus: Corpus, min_count: int, max_final_vocab: int | None, known: Sequence[str]) -> Vocabulary:
    """The words of a text that a new model would have; none may be new if some are known."""
    vocabulary = corpus.vocabulary
    size = vocabulary.prefix_size(min_count, max_final_vocab)
    if size <= len(vocabulary.specials) and all(vocabulary.get(word) < 0 for word in known):
        highest = int(vocabulary.counts[size:].max(initial=0))
        raise DataError(
            f"no word occurs {min_count} times in the corpus (the most frequent: {highest} times)"
            f"{', and the model knows none' * bool(known)}; lower min_count = {min_count} or give more text"
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


def check_vectors(vectors: WordVectors, vector_size: int) -> None:
    """Raise OptionError unless training can start from vectors of this size."""
    if vectors.vector_size != vector_size:
        raise OptionError(
            f"vector_size = {vector_size} does not fit the vectors to start from, which have {vectors.vector_size} "
            f"dimensions; set vector_size = {vectors.vector_size}"
        )


def _given_vectors(vectors: WordVectors, words: Sequence[str]) -> WordVectors:
    """The vectors of these words among given ones."""
    wanted = [word for word in words if word in vectors]
    if not wanted:
        raise DataError(
            "no word of the text is among the vectors to start from; was it cut into words as theirs was, or "
            "lower-cased?"
        )
    given = vectors.subset(wanted)
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

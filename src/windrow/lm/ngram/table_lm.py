"""What a packed table of n-grams answers: scores, states, distributions, its file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import groupby, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import Vocabulary
from windrow.corpus.reading import is_long
from windrow.corpus.streams import line_blocks
from windrow.errors import NotFittedError
from windrow.lm.base import LanguageModel
from windrow.lm.line_scores import LineScores
from windrow.lm.next_word import Tokens, as_id, as_ids
from windrow.lm.ngram.arpa import write_arpa
from windrow.lm.ngram.states import NGramState, NGramStates
from windrow.lm.ngram.table import NGramTable
from windrow.lm.ngram.words import WordIndex, as_line
from windrow.lm.states import check_lengths
from windrow.lm.storing import makes_arpa
from windrow.lm.stream import Ids
from windrow.lm.symbols import BOS

_LINES_AT_ONCE = 1 << 16
_BEGIN = (BOS,)
_LONG_BLOCK = 1 << 20  # bytes


class TableLM(LanguageModel):
    """A language model whose probabilities are in ``table_``; a subclass makes that. ``eos``: whether it has </s>."""

    table_: NGramTable
    eos: bool

    def _set(self, table: NGramTable, provenance: Mapping[str, Any]) -> None:
        self.table_, self.provenance_ = table, provenance
        vars(self).pop("_words", None)

    @property
    def vocabulary(self) -> Vocabulary:  # type: ignore[override]
        """The words of the model; NotFittedError before ``fit``."""
        return self._fitted().vocabulary

    @property
    def predicts_end(self) -> bool:  # type: ignore[override]
        """Whether the model predicts where sentences end."""
        return self.eos

    def _fitted(self) -> NGramTable:
        try:
            return self.table_
        except AttributeError:
            raise NotFittedError("the n-gram model is not trained yet; call fit first") from None

    @cached_property
    def _words(self) -> WordIndex:
        return WordIndex(self.vocabulary)

    def score_stream(self, stream: Ids) -> NDArray[np.float32]:
        """As ``LanguageModel.score_stream``; NotFittedError before ``fit``, as from all methods below."""
        return self._fitted().score(stream)

    def _line_scores(self, lines: Iterable[Tokens]) -> LineScores:
        """As ``LanguageModel._line_scores``; strings are split and looked up by a kernel, faster than lists."""
        parts, before = list[LineScores](), 0
        for by_parts, some in groupby(lines, _is_long):
            while batch := list(islice(some, 1 if by_parts else _LINES_AT_ONCE)):
                parts.append(self._scores_of_long_line(*batch) if by_parts else self._scores_at_once(batch, before))
                before += len(batch)
        return LineScores.concatenated(parts)

    def _text_scores(self, text: bytes) -> LineScores:
        """As ``LanguageModel._text_scores``; lines are split and looked up by a kernel where nothing else is to do."""
        if not self.reader.is_plain:
            return super()._text_scores(text)
        if not text.isascii():
            text.decode()  # raises the error
        ended = text if text.endswith(b"\n") or not text else text + b"\n"
        parts = list[LineScores]()
        for first, block in line_blocks([ended], "the text"):
            if len(block) > _LONG_BLOCK:  # a line that is better cut into words part by part
                parts.append(super()._text_scores(block))
            else:
                stream, ends = self._words.sentences(block, eos=self.eos, before=first - 1)
                parts.append(LineScores.of(stream, self.score_stream(stream), ends))
        return LineScores.concatenated(parts)

    def _scores_of_long_line(self, line: Tokens) -> LineScores:
        stream = self.encode(line, eos=True)
        return LineScores.of(stream, self.score_stream(stream), np.array([stream.size]))

    def _scores_at_once(self, lines: list[Tokens], before: int) -> LineScores:
        """The scores of lines, before which there are so many others."""
        reader, vocabulary = self.reader, self.vocabulary
        is_plain = reader.is_plain  # asked once, as each line would cost as much as its look-up
        plain = [line if is_plain and isinstance(line, str) else as_line(line, reader, vocabulary) for line in lines]
        stream, ends = self._words.sentences(plain, eos=self.eos, before=before)
        return LineScores.of(stream, self.score_stream(stream), ends)

    def _score_with_orders(self, stream: Ids) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
        return self._fitted().score_with_orders(stream)

    def start(self, ids: Sequence[int] | Ids = _BEGIN) -> NGramState:
        """As ``LanguageModel.start``."""
        table = self._fitted()
        return table.begun if ids is _BEGIN else table.start(as_ids(table.vocabulary, ids))

    def advance(self, state: NGramState, word_id: str | int) -> NGramState:
        """As ``LanguageModel.advance``."""
        return self.score_next(state, word_id)[1]

    def score_next(self, state: NGramState, word: str | int) -> tuple[float, NGramState]:
        """As ``LanguageModel.score_next``, without a whole distribution."""
        try:
            step, address, size, ids = self.table_.stepping
        except AttributeError:
            step, address, size, ids = self._fitted().stepping  # which says that the model is not trained
        word_id = ids.get(word) if type(word) is str else word if type(word) is int else None
        if word_id is None:
            word_id = as_id(self.vocabulary, word)
        new_state = NGramState(size)
        try:
            score = step(address, state, word_id, new_state)
            if score == score:  # noqa: PLR0124  # not NaN: state and word are those of the table
                return score, new_state
        except (BufferError, OverflowError, TypeError):
            pass
        return self.table_.score_next(state, as_id(self.vocabulary, word))  # which says what is wrong

    def score_next_batch(
        self, states: Sequence[NGramState], words: Sequence[str | int] | NDArray[np.integer]
    ) -> tuple[NDArray[np.float64], NGramStates]:
        """As ``LanguageModel.score_next_batch``, in one call of a kernel."""
        check_lengths(states, words)
        table = self._fitted()
        if not (isinstance(words, np.ndarray) and words.ndim == 1 and words.dtype.kind in "iu"):
            words = np.array(_ids_of(words, table.vocabulary), np.int64)
        return table.score_next_each(NGramStates.of(states), np.ascontiguousarray(words, np.int64))

    def distribution(self, state: NGramState) -> NDArray[np.float64]:
        """As ``LanguageModel.distribution``; the sum is 1 within 1e-5, as numbers are rounded.

        The scores of stupid back-off do not sum to 1.
        """
        return self._fitted().distribution(state)

    def save(self, path: str | os.PathLike[str]) -> None:
        """As ``LanguageModel.save``; a name that ends in .arpa, .lm, .arpa.gz or .lm.gz makes an ARPA file.

        So does ``-``, on standard output. Other programs read such files. They cannot hold a model of stupid back-off
        (OptionError), nor a word with white space in it (FormatError).
        """
        if makes_arpa(path):
            write_arpa(self._fitted().unpack(), path)
        else:
            super().save(path)


def _ids_of(words: Iterable[Any], vocabulary: Vocabulary) -> list[int]:
    """``as_id`` of several words, in little time where they are words that the model knows."""
    found = [vocabulary.ids.get(word) if type(word) is str else None for word in words]
    return [as_id(vocabulary, word) if known is None else known for word, known in zip(words, found, strict=True)]


def _is_long(tokens: Tokens) -> bool:
    """Whether it is a text that is better cut into words part by part: memory then stays small."""
    return isinstance(tokens, str) and is_long(tokens)

"""Look up the words of a text, one sentence per line, in one call of a kernel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import TextReader, Vocabulary
from windrow.corpus.kernels.eight_bytes import padded
from windrow.corpus.kernels.tokenize import LINES, new_batch
from windrow.corpus.known_words import word_table
from windrow.errors import DataError
from windrow.lm.next_word import Tokens, given_words
from windrow.lm.ngram.kernels.word_lookup import look_up
from windrow.lm.ngram.levels import Int32s
from windrow.lm.stream import reserved_symbol, several_words
from windrow.lm.symbols import BOS, SPECIALS


class Sentences(NamedTuple):
    """Sentences one after another: sentence s is ``stream[ends[s - 1] : ends[s]]``, the first one from 0 on."""

    stream: Int32s
    ends: NDArray[np.int64]


class WordIndex:
    """Finds the words of a language model's vocabulary in text; all others are ``<unk>``.

    Words that hold white space are never found. ARPA files of other programs may have such words: to KenLM, U+00A0 is
    a letter.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._table, self._ids, are_distinct = word_table(vocabulary.words)  # ids of those that can be found; None: all
        if not are_distinct:
            raise DataError("the vocabulary holds a word twice")

    def sentences(
        self,
        lines: str | bytes | Sequence[str],
        *,
        bos: bool = True,
        eos: bool = True,
        skip_symbols: bool = False,
        before: int = 0,
    ) -> Sentences:
        """The stream of a text with one sentence per line, or of a list of sentences.

        ``bos`` and ``eos``: whether a sentence starts with ``<s>`` and ends with ``</s>``. An empty line is a sentence
        without words. Words are split as ``str.split`` does. Raises DataError, which numbers the sentence, for the word
        ``<s>`` or ``</s>``, unless ``skip_symbols`` leaves it out; ``before``: how many sentences of
        its text precede these.
        """
        text, count = _joined(lines)
        ids = np.empty(text.size // 2 + 2 * count + 1, np.int32)
        ends = np.empty(count + LINES, np.int64)
        written = look_up(text, self._table, (bos, eos, skip_symbols), new_batch(), ids, ends)
        if written < 0:
            line, mark = divmod(-written - BOS, 2)
            raise reserved_symbol(SPECIALS[BOS + mark], f"sentence {before + line + 1}")
        stream = ids[:written]
        return Sentences(stream if self._ids is None else self._ids[stream], ends[:count])


def as_line(tokens: Tokens, reader: TextReader, vocabulary: Vocabulary) -> str:
    """The words of a sentence with white space between them; DataError for a word with white space in it."""
    if isinstance(tokens, str):
        return tokens if reader.is_plain else " ".join(reader.tokens(tokens))
    return " ".join(given_words(tokens, vocabulary))


def mask_of(
    vocabulary: Vocabulary,
    words: Iterable[str],
    name: str = "vocab",
    none_told: str = "no word of vocab occurs in the text",
) -> NDArray[np.bool_]:
    """Which words of a vocabulary are among the given ones, (words,); DataError, saying ``none_told``, if none is.

    ``name``: that of the parameter.
    """
    mask = np.zeros(len(vocabulary), np.bool_)
    mask[vocabulary.encode(several_words(name, words))] = True
    if not mask[len(SPECIALS) :].any():
        raise DataError(f"{none_told}; are both cut into words in the same way?")
    return mask


def _joined(lines: str | bytes | Sequence[str]) -> tuple[NDArray[np.uint8], int]:
    """Lines as padded bytes, each with its newline, and how many there are."""
    if isinstance(lines, bytes):
        data = lines
    elif isinstance(lines, str):
        data = lines.encode("utf-8", "surrogatepass")
    else:
        text = "\n".join([*lines, ""])
        if text.count("\n") > len(lines):  # white space like any other
            text = "\n".join([*(line.replace("\n", " ") for line in lines), ""])
        return padded(text.encode("utf-8", "surrogatepass")), len(lines)
    if data and not data.endswith(b"\n"):
        data += b"\n"
    whole = padded(data)
    return whole, int(np.count_nonzero(whole == ord("\n")))  # in a fifth of the time of ``bytes.count``

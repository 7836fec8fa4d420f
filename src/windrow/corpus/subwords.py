"""Character n-grams of words, and the buckets that fastText hashes them to (Bojanowski et al. 2017, arXiv:1607.04606).

A word is written with its boundaries, "<where>": its n-grams of three characters are "<wh", "whe", "her", "ere", "re>".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from windrow.corpus.kernels.subwords import hash_vocabulary, hash_words

SENTENCE_END = "</s>"  # to fastText no word of characters: it has no n-grams


def ngrams_of(word: str, min_n: int, max_n: int) -> Iterator[str]:
    """The n-grams of ``min_n`` to ``max_n`` characters, by their start and then their length, as fastText has them.

    A boundary alone is none.
    """
    bounded = f"<{word}>"
    if word == SENTENCE_END:
        return
    for start in range(len(bounded)):
        for stop in range(start + 1, min(start + max_n, len(bounded)) + 1):
            is_boundary = stop - start == 1 and (start == 0 or stop == len(bounded))
            if stop - start >= min_n and not is_boundary:
                yield bounded[start:stop]


def hash_ngram(ngram: str) -> int:
    """fastText's hash, in [0, 2**32): FNV-1a over the bytes of UTF-8 as signed numbers.

    So a byte of 128 or more also flips the upper 24 bits, unlike in other people's FNV-1a.
    """
    bits = 2166136261
    for byte in ngram.encode("utf-8", "surrogatepass"):
        bits = (bits ^ (byte | 0xFFFFFF00 if byte >= 128 else byte)) * 16777619 % 2**32
    return bits


def subword_ids(word: str, min_n: int, max_n: int, buckets: int) -> list[int]:
    """The buckets of a word's n-grams, each in [0, buckets), in the order of ``ngrams_of``.

    Parameters
    ----------
    word : str
        The word, without boundaries.
    min_n, max_n : int, 1 <= min_n <= max_n
        Characters per n-gram, boundaries included.
    buckets : int in [1, 2**31 - 1]
        How many buckets there are. In a table of fastText, bucket b is row ``words + b``.

    Returns
    -------
    list of int

    Examples
    --------
    >>> from windrow.corpus.subwords import subword_ids
    >>> subword_ids("the", min_n=3, max_n=6, buckets=2_000_000)  # of "<th", "<the", "<the>", "the", "the>", "he>"
    [1151151, 409726, 1648960, 861980, 60934, 816280]
    """
    return [hash_ngram(ngram) % buckets for ngram in ngrams_of(word, min_n, max_n)]


def vocabulary_subwords(
    words: Sequence[str], min_n: int, max_n: int, buckets: int
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """``subword_ids`` of many words: those of word w are ``ids[starts[w] : starts[w + 1]]``.

    Parameters
    ----------
    words : sequence of str
        The words, without boundaries.
    min_n, max_n, buckets
        As of ``subword_ids``.

    Returns
    -------
    ids : array of int32
    starts : array of int64, shape (words + 1,)

    Examples
    --------
    >>> from windrow.corpus.subwords import vocabulary_subwords
    >>> ids, starts = vocabulary_subwords(["the", "of"], min_n=3, max_n=6, buckets=2_000_000)
    >>> starts.tolist()
    [0, 6, 9]
    """
    characters = np.fromiter(map(len, words), np.int64, len(words)) + 2
    offsets = np.concatenate([[0], np.cumsum(characters)])
    characters[[place for place, word in enumerate(words) if word == SENTENCE_END]] = 0
    number = sum(np.maximum(characters - n + 1, 0) for n in range(min_n, max_n + 1))
    if min_n == 1:
        number -= 2 * (characters > 0)  # the boundaries
    starts = np.zeros(len(words) + 1, np.int64)
    np.cumsum(number, out=starts[1:])
    ids = np.empty(starts[-1], np.int32)
    text = np.frombuffer(f"<{'><'.join(words)}>".encode("utf-8", "surrogatepass"), np.uint8)
    first_bytes = np.append(np.flatnonzero(text & 0xC0 != 0x80), text.size)  # of characters
    hash_vocabulary(text, first_bytes[offsets], starts, min_n, max_n, buckets, ids)
    return ids, starts


def vocabulary_hashes(words: Sequence[str]) -> NDArray[np.uint64]:
    """``hash_ngram`` of many words without line breaks, as it goes into the hashes of n-grams of words.

    fastText has it as a signed number of 32 bits, whose sign is spread to 64.
    """
    hashes = np.empty(len(words), np.uint64)
    text = "\n".join([*words, ""]).encode("utf-8", "surrogatepass")
    hash_words(np.frombuffer(text, np.uint8), hashes)
    return hashes

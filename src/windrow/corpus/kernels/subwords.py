"""The character n-grams of a vocabulary, hashed as fastText does it; corpus/subwords.py has the plain twin."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.corpus.kernels.eight_bytes import Bytes
from windrow.numeric.jit import kernel

_OFFSET, _PRIME = np.uint32(2166136261), np.uint32(16777619)  # of FNV-1a, 32 bits
_SIGN = np.uint32(0xFFFFFF00)
_NEWLINE = 0x0A


@kernel
def _add_byte(bits: Any, byte: Any) -> Any:
    """FNV-1a over signed bytes, as in fastText: one of 128 or more flips the upper 24 bits, too."""
    extended = np.uint32(byte) | _SIGN if byte >= 128 else np.uint32(byte)
    return np.uint32((bits ^ extended) * _PRIME)


@kernel
def _continues(byte: Any) -> bool:
    """Whether a byte is one of a UTF-8 character after its first."""
    return bool(128 <= byte < 192)


@kernel
def hash_vocabulary(
    text: Bytes,
    offsets: NDArray[np.int64],
    starts: NDArray[np.int64],
    min_n: int,
    max_n: int,
    buckets: int,
    ids: NDArray[np.int32],
) -> None:
    """The buckets of the n-grams of all words, those of word w from ``starts[w]`` on, unless it shall have none.

    ``text`` has the words with their boundaries, word w from ``offsets[w]`` on.
    """
    for word in range(starts.size - 1):
        found = starts[word]
        if found == starts[word + 1]:
            continue
        start, stop = offsets[word], offsets[word + 1]
        for first in range(start, stop):
            if _continues(text[first]):
                continue
            place, length, bits = first, 0, _OFFSET
            while place < stop and length < max_n:
                bits = _add_byte(bits, text[place])
                place += 1
                while place < stop and _continues(text[place]):
                    bits = _add_byte(bits, text[place])
                    place += 1
                length += 1
                is_boundary = length == 1 and (first == start or place == stop)
                if length >= min_n and not is_boundary:
                    ids[found] = np.int64(bits) % buckets
                    found += 1


@kernel
def hash_words(text: Bytes, hashes: NDArray[np.uint64]) -> None:
    """The hash of each word of a text, in which a newline follows each, as it goes into those of n-grams of words.

    It is that of an n-gram of characters, 32 bits with the sign spread to 64.
    """
    word, bits = 0, _OFFSET
    for place in range(text.size):
        if text[place] == _NEWLINE:
            hashes[word] = np.uint64(np.int64(np.int32(bits)))
            word, bits = word + 1, _OFFSET
        else:
            bits = _add_byte(bits, text[place])

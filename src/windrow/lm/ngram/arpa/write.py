"""Back-off models to ARPA files, as lmplz writes them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.corpus.kernels.eight_bytes import PAD
from windrow.errors import FormatError, OptionError
from windrow.files import compression
from windrow.files.model_file import pack_words
from windrow.files.writing import shortened
from windrow.lm.ngram.counts_text import check_compression, grams_between
from windrow.lm.ngram.kernels import arpa as kernels
from windrow.lm.ngram.kernels.arpa import LOG10_OF_ZERO, ROUNDING, Rows
from windrow.lm.ngram.levels import BackoffModel, Floats, Level
from windrow.lm.symbols import BOS

_BLOCK = 1 << 15  # n-grams written at a time
_GZIP_LEVEL = 6  # the files are large


class _Spelled(NamedTuple):
    """The words of a vocabulary, word i at ``text[offsets[i] : offsets[i + 1]]``."""

    text: NDArray[np.uint8]  # PAD more bytes follow the words
    offsets: NDArray[np.int64]
    lengths: NDArray[np.int64]


def write_arpa(model: BackoffModel, path: str | os.PathLike[str]) -> None:
    """Write a model as an ARPA file, compressed when the name ends in .gz.

    Reading it gives the same float32 numbers. A log10 probability below -99 is written as -99, and that of ``<s>`` as
    0, as lmplz does. The file appears whole or not at all.
    Raises OptionError for a model that the format cannot express: one whose unseen contexts have a back-off weight
    (stupid back-off), or with a probability above 1; FormatError for a word with white space in it; DataError when the
    file cannot be written.
    """
    if model.unseen_backoff:
        raise OptionError("an ARPA file cannot hold stupid back-off: its weight applies to contexts not stored, too")
    check_compression(path, "ARPA files")
    spelled = _spelled(model.vocabulary.words)
    with compression.creating(Path(path), _GZIP_LEVEL) as file:
        header = "".join(f"ngram {k}={size}\n" for k, size in enumerate(model.sizes, 1))
        file.write(f"\\data\\\n{header}".encode())
        for k in range(1, model.order + 1):
            file.write(f"\n\\{k}-grams:\n".encode())
            for lines in _blocks(model.levels[:k], spelled):
                file.write(lines)
        file.write(b"\n\\end\\\n")


def _spelled(words: list[str]) -> _Spelled:
    """The words for the lines of a file; FormatError for one that would make others of them."""
    _check_words(words)
    packed = pack_words(words)
    text, offsets = np.append(packed["word_bytes"], np.zeros(PAD, np.uint8)), packed["word_offsets"]
    return _Spelled(text, offsets, np.diff(offsets))


def _check_words(words: list[str]) -> None:
    text = "\n".join(words)
    fit = not re.search("[\0\t\r \ud800-\udfff]", text) and text.count("\n") == len(words) - 1
    if fit and "" not in words:
        return
    unfit = next(word for word in words if not re.fullmatch("[^\0\t\n\r \ud800-\udfff]+", word))
    raise FormatError(
        f"an ARPA file cannot hold the word {shortened(unfit)!r}: it is empty, or has white space, NUL or half a "
        "character in it"
    )


def _blocks(levels: list[Level], spelled: _Spelled) -> Iterator[memoryview]:
    """The lines of the highest of ``levels``."""
    level = levels[-1]
    for first in range(0, level.words.size, _BLOCK):
        last = min(level.words.size, first + _BLOCK)
        probs = level.log10_probs[first:last]
        has_backoffs = level.log10_backoffs is not None
        backoffs = probs if level.log10_backoffs is None else level.log10_backoffs[first:last]
        rows = Rows(grams_between(levels, first, last), probs, backoffs)
        yield _lines(rows, has_backoffs, spelled)


def lines_of(blocks: Iterable[Rows], words: list[str], *, has_backoffs: bool) -> Iterator[memoryview]:
    """N-grams as lines of an ARPA file, in blocks; errors as of ``write_arpa``."""
    spelled = _spelled(words)
    return (_lines(rows, has_backoffs, spelled) for rows in blocks)


def _lines(rows: Rows, has_backoffs: bool, spelled: _Spelled) -> memoryview:
    """The lines of some n-grams; without ``has_backoffs`` the back-offs of ``rows`` are not read."""
    count, k = rows.ids.shape
    probs = _writable_probs(rows.log10_probs)
    if k == 1:
        probs[rows.ids[:, 0] == BOS] = 0  # it is never predicted
    backoffs = _writable(rows.log10_backoffs) if has_backoffs else probs
    most_bytes = int(spelled.lengths[rows.ids].sum()) + count * (k + 2 + 2 * kernels.NUMBER_BYTES) + PAD
    out = np.empty(most_bytes, np.uint8)
    size = kernels.write_lines(Rows(rows.ids, probs, backoffs), has_backoffs, spelled.text, spelled.offsets, out)
    return out[:size].data


def _writable_probs(values: Floats) -> NDArray[np.float32]:
    if (values > ROUNDING).any():
        raise OptionError(f"an ARPA file cannot hold the log10 probability {values.max():.6g}: it is above 0")
    return np.minimum(_writable(values), np.float32(0))


def _writable(values: Floats) -> NDArray[np.float32]:
    numbers = np.maximum(values, LOG10_OF_ZERO).astype(np.float32)
    if not np.isfinite(numbers).all():
        raise OptionError("an ARPA file cannot hold a model with NaN, or with a back-off weight that is infinite")
    return numbers
